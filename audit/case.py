"""A case: a trained model, its data, and the roles of its columns. What every check is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from audit.data import Dataset
from audit.data.dataset import shown
from audit.data.feature_groups import feature_groups, with_groups
from audit.data.opening import default_features, inherit, open_dataset, with_features
from audit.data.task import QUANTITIES, TargetFacts, decide_positive, decide_task, target_facts
from audit.energy.intensity import intensity
from audit.errors import DataError, ModelError, SpecError, nearest
from audit.models import Model
from audit.models.loading import LoadedModel, load_model
from audit.record import DataSummary, ModelSummary
from audit.spec import AuditSpec, DataSpec, Loaded, Task

DATASETS = ("test", "train", "known")


@dataclass(frozen=True, kw_only=True)
class Case:
    """``classes`` is empty for a regressor, and the labels of a multilabel task; ``positive`` and ``favourable`` are
    classes of a binary one.
    """

    spec: AuditSpec
    root: Path
    loaded: LoadedModel | None
    datasets: Mapping[str, Dataset]
    task: Task
    classes: tuple[str, ...]
    positive: str | None
    favourable: str | None
    allow_code: bool = False  # a recipe beside audit.toml may run
    variants: Mapping[str, LoadedModel] = field(default_factory=dict)  # other forms of the model
    baseline: LoadedModel | None = None  # the model now in use

    @property
    def model(self) -> Model | None:
        return self.loaded.model if self.loaded else None

    def model_summary(self) -> ModelSummary:
        model, loaded = self.model, self.loaded
        return ModelSummary(
            kind=model.kind if model else "predictions",
            name=model.name if model else "stored predictions",
            path=loaded.path if loaded else "",
            sha256=loaded.sha256 if loaded else "",
            bytes=loaded.bytes if loaded else 0,
            task=self.task,
            classes=self.classes,
            positive=self.positive,
            threshold=self.threshold if self.spec.model else self.datasets["test"].roles.threshold,
        )

    @property
    def threshold(self) -> float | None:
        """What [model] says of all that is decided; None where it says nothing, or says it of each label."""
        said = self.spec.model.threshold if self.spec.model else None
        return None if isinstance(said, tuple) else said

    @property
    def has_threshold(self) -> bool:
        """Whether [model] says at which probability it decides."""
        return self.spec.model is not None and self.spec.model.threshold is not None

    def threshold_of(self, at: int) -> float | None:
        """The threshold of the label at this place."""
        if self.spec.model is None:
            return self.datasets["test"].roles.threshold_of(at)
        said = self.spec.model.threshold
        return said[at] if isinstance(said, tuple) else said

    def data_summaries(self) -> tuple[DataSummary, ...]:
        return tuple(_summary(data) for data in self.datasets.values())


def open_case(loaded: Loaded, *, allow_code: bool = False) -> Case:
    """Load the model safely, open the data, check the roles against both."""
    spec, root = loaded.spec, loaded.root
    model = load_model(spec.to_load(spec.model), root, allow_code=allow_code) if spec.model else None
    datasets = {
        name: open_dataset(name, part, spec.columns, root)
        for name in DATASETS
        if (part := data_spec(spec, name)) is not None
    }
    case = replace(build_case(spec, root, model, datasets), allow_code=allow_code)
    case = with_variants(case, _variants(spec, root, allow_code=allow_code))
    return with_baseline(case, _baseline(spec, root, allow_code=allow_code))


def _variants(spec: AuditSpec, root: Path, *, allow_code: bool) -> dict[str, LoadedModel]:
    """ModelError for one that cannot be loaded, with its name before the reason."""
    loaded = {}
    for name, variant in (spec.model.variant_models() if spec.model else {}).items():
        try:
            loaded[name] = load_model(spec.to_load(variant), root, allow_code=allow_code)
        except ModelError as error:
            raise type(error)(f'[model] variants, "{name}": {error}') from error
    return loaded


def _baseline(spec: AuditSpec, root: Path, *, allow_code: bool) -> LoadedModel | None:
    """ModelError for one that cannot be loaded, which says that it is the baseline."""
    said = spec.model.baseline_model if spec.model else None
    if said is None:
        return None
    try:
        return load_model(spec.to_load(said), root, allow_code=allow_code)
    except ModelError as error:
        raise type(error)(f"[model] baseline: {error}") from error


def with_baseline(case: Case, baseline: LoadedModel | None) -> Case:
    """The case with the model now in use. ModelError for one that decides between other classes."""
    if baseline is None:
        return case
    own = case.classes if case.model is None else case.model.classes
    if baseline.model.classes != own:
        raise ModelError(
            f"[model] baseline decides between {', '.join(baseline.model.classes) or 'no classes'}, the model between "
            f"{', '.join(own) or 'no classes'}: only models that answer the same question, with the classes in "
            "the same order, can be compared row by row"
        )
    return replace(case, baseline=baseline)


def with_variants(case: Case, variants: Mapping[str, LoadedModel]) -> Case:
    """The case with other forms of its model. ModelError for one that decides between other classes."""
    own = () if case.model is None else case.model.classes
    for name, variant in variants.items():
        if variant.model.classes != own:
            raise ModelError(
                f'[model] variants, "{name}" decides between {", ".join(variant.model.classes) or "no classes"}, '
                f"the model between {', '.join(own) or 'no classes'}: a variant is another form of the same model"
            )
    return replace(case, variants=dict(variants))


def data_spec(spec: AuditSpec, name: str) -> DataSpec | None:
    """What audit.toml says of one data set, with the roles it inherits from the test data."""
    part: DataSpec | None = getattr(spec.data, name)
    return part if part is None or name == "test" else inherit(part, spec.data.test)


def build_case(spec: AuditSpec, root: Path, model: LoadedModel | None, datasets: Mapping[str, Dataset]) -> Case:
    """A case over what has been opened, or was given in memory."""
    refuse_unknown_region(spec)
    question = question_of(spec, datasets["test"], None if model is None else model.model.classes)
    _refuse_unknown_columns(spec, datasets["test"])
    datasets = {name: _with_features(data, model) for name, data in datasets.items()}
    groups = feature_groups(spec.feature_groups, datasets["test"])
    return Case(
        spec=spec,
        root=root,
        loaded=model,
        datasets={name: with_groups(data, groups) for name, data in datasets.items()},
        task=question.task,
        classes=question.classes,
        positive=question.positive,
        favourable=question.favourable,
    )


def refuse_unknown_region(spec: AuditSpec) -> None:
    """SpecError for a country that no table of grid intensities holds: said before anything is measured."""
    if spec.training.region is not None:
        intensity(spec.training.region)


def _refuse_unknown_columns(spec: AuditSpec, test: Dataset) -> None:
    """SpecError for a limit by a column that the test data do not have."""
    for limit in spec.limit:
        for column in limit.by:
            if column not in ("*", *test.columns):
                where = test.path or "the table"
                raise SpecError(
                    f'the limit on "{limit.measure}" has by = "{column}": no such column in {where}'
                    f"{nearest(column, test.columns)}"
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What the model decides; see :class:`Case`."""

    task: Task
    classes: tuple[str, ...]
    positive: str | None
    favourable: str | None


def question_of(spec: AuditSpec, test: Dataset, known: Sequence[str] | None) -> Question:
    """Decided from the spec, the target and the model's classes (empty: a regressor; None: not loaded)."""
    if test.roles.targets:
        _refuse_another_order(test.roles.targets, test)
        return Question(task="multilabel", classes=test.roles.targets, positive=None, favourable=None)
    facts = facts_of(test)
    said = spec.said_task or (None if spec.model else _stored_task(test))
    task = decide_task(said, known, facts, test.roles.target)
    classes = _classes(task, known, facts, test)
    _target_fits(classes, facts, test)
    _refuse_another_order(classes, test)
    binary = task == "binary"
    positive = decide_positive(test.roles.positive, classes, test.roles.target) if binary else None
    wanted = test.roles.favourable
    favourable = (
        decide_positive(wanted, classes, test.roles.target, "favourable") if binary and wanted is not None else positive
    )
    return Question(task=task, classes=classes, positive=positive, favourable=favourable)


def facts_of(data: Dataset) -> TargetFacts | None:
    return target_facts(data.stored(data.roles.target)) if data.roles.target else None


def _stored_task(data: Dataset) -> Task | None:
    if data.roles.scores:
        return "multiclass" if len(data.roles.scores) > 2 else "binary"
    return "binary" if data.roles.score else None


def _classes(task: Task, known: Sequence[str] | None, facts: TargetFacts | None, data: Dataset) -> tuple[str, ...]:
    if task in QUANTITIES:
        return ()
    if known:
        return tuple(known)
    if facts is not None and facts.levels is not None and (facts.levels or data.roles.positive is None):
        return _two_classes(facts.levels, data) if task == "binary" else facts.levels
    if data.roles.prediction:
        decided = target_facts(data.stored(data.roles.prediction)).levels
        if decided is not None and len(decided) >= 2:
            return decided
    if data.roles.positive is not None:
        return ("other", shown(data.roles.positive))
    raise DataError(f'cannot tell the classes of "{data.roles.target}": set target in [data.test]')


def _two_classes(levels: tuple[str, ...], data: Dataset) -> tuple[str, ...]:
    """The classes that a stored score decides between; the rows may show only one of them."""
    if len(levels) > 2:
        raise DataError(
            f'target "{data.roles.target}" has {len(levels)} values ({", ".join(levels[:12])}), and a score is about '
            'two: give scores, one column a class, or task = "ranking" where the score only sorts'
        )
    positive = None if data.roles.positive is None else shown(data.roles.positive)
    if len(levels) != 1 or positive is None:
        return levels
    return ("other", *levels) if positive in levels else (*levels, positive)


def _refuse_another_order(classes: tuple[str, ...], data: Dataset) -> None:
    """DataError when the columns of probability are named after the classes and stand in another order.

    Nothing else would tell that the model's best class is read as another one.
    """
    for scores in (data.roles.scores, data.roles.baseline.scores):
        named = [
            max((c for c in classes if score.lower().endswith(c.lower())), key=len, default="") for score in scores
        ]
        if sorted(named) == sorted(classes) and named != list(classes):
            column = dict(zip(named, scores, strict=True))
            ordered = ", ".join(f'"{column[name]}"' for name in classes)
            raise DataError(
                f"scores stand in the order {', '.join(classes)}, and {', '.join(scores)} are named in another: write "
                f"scores = [{ordered}]"
            )


def _target_fits(classes: tuple[str, ...], facts: TargetFacts | None, data: Dataset) -> None:
    if not classes or facts is None:
        return
    if facts.levels is None:
        raise DataError(
            f'target "{data.roles.target}" holds a quantity, the model decides between {len(classes)} classes'
        )
    strange = [level for level in facts.levels if level not in classes]
    if strange:
        raise DataError(
            f'target "{data.roles.target}" has the value "{strange[0]}", which is no class of the model'
            f"{nearest(strange[0], classes)}: it knows {', '.join(classes[:12])}"
        )


def _with_features(data: Dataset, model: LoadedModel | None) -> Dataset:
    if data.roles.features:
        return data
    return with_features(data, _own_features(model.model, data) if model else default_features(data))


def _own_features(model: Model, data: Dataset) -> tuple[str, ...]:
    return model.features if model.features is not None else default_features(data)


def _summary(data: Dataset) -> DataSummary:
    roles: dict[str, Any] = {
        "target": data.roles.target,
        "prediction": data.roles.prediction,
        "score": data.roles.score,
        "query": data.roles.query,
    }
    columns: dict[str, tuple[str, ...]] = {role: (column,) for role, column in roles.items() if column}
    columns |= {"target": data.roles.targets} if data.roles.targets else {}
    columns |= {"prediction": data.roles.predictions} if data.roles.predictions else {}
    columns |= {"baseline": data.roles.baseline.columns} if data.roles.baseline.columns else {}
    columns |= {
        role: getattr(data.roles, role)
        for role in ("groups", "features", "scores", "control")
        if getattr(data.roles, role)
    }
    return DataSummary(name=data.name, path=data.path, sha256=data.sha256, rows=data.n, columns=columns)
