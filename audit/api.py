"""The Python API: one call makes an audit, one object shows, judges and keeps it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audit import store, writers
from audit.case import Case, build_case, data_spec, with_baseline, with_variants
from audit.data import Dataset
from audit.data.dataset import shown
from audit.data.feature_groups import feature_groups as grouped
from audit.data.feature_groups import with_groups
from audit.data.memory import as_table
from audit.data.opening import dataset_from_table, default_features, with_features
from audit.data.reading import table_digest
from audit.data.task import target_facts
from audit.engine import Settings, run_audit
from audit.errors import ModelError, SpecError, Unavailable, UsageError
from audit.models.loading import LoadedModel
from audit.models.wrapping import wrap
from audit.policy import Finding, Verdict
from audit.record import AuditRun
from audit.registry import find
from audit.results import Scalar
from audit.spec import AuditSpec, Loaded, validate

if TYPE_CHECKING:
    from audit.attribution import Explained
    from audit.attribution.tables import Method

IN_MEMORY = "(in memory)"


@dataclass(frozen=True, slots=True)
class Run:
    """An audit that was made. ``result`` is the whole of it."""

    result: AuditRun

    @property
    def verdict(self) -> Verdict:
        return self.result.verdict

    @property
    def exit_code(self) -> int:
        return self.result.exit_code

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Worst first."""
        return self.result.findings

    def save(self, folder: str | Path = "audits") -> Path:
        """Write the run folder into ``folder``; the new folder's path. StoreError when it cannot be written."""
        return store.write(self.result, Path(folder), writers.of_a_run())[0]

    def to_html(self, path: str | Path) -> Path:
        """Write the self-contained report."""
        writers.writer("html")(self.result, Path(path))
        return Path(path)

    def __repr__(self) -> str:
        worst = f": {self.findings[0].message}" if self.findings else ""
        return f"<audit of {self.result.name}: {self.verdict}, {self.result.exit_reason}{worst}>"


def open_run(path: str | Path) -> Run:
    """A run that was saved: its folder, its result.json, or a folder of runs (the newest)."""
    return Run(store.read(store.find_run(Path(path))))


def run(
    model: Any,
    test: Any,
    *,
    target: str | Sequence[str] | None = None,
    groups: Sequence[str] | str = (),
    train: Any = None,
    positive: Scalar | None = None,
    favourable: Scalar | None = None,
    features: Sequence[str] | None = None,
    prediction: str | Sequence[str] | None = None,
    score: str | None = None,
    scores: Sequence[str] = (),
    threshold: float | Sequence[float] | None = None,
    task: str | None = None,
    query: str | None = None,
    classes: Sequence[Scalar] = (),
    output: str | None = None,
    device: str = "auto",
    limits: Sequence[Mapping[str, Any]] = (),
    use: Sequence[str] = ("default@1",),
    name: str = "audit",
    purpose: str = "",
    columns: Mapping[str, Mapping[str, Any]] | None = None,
    feature_groups: Mapping[str, Sequence[str] | str] | None = None,
    training: Mapping[str, str] | None = None,
    stats: Mapping[str, Any] | None = None,
    gate: Mapping[str, Any] | None = None,
    rows: str = "none",
    variants: Mapping[str, Any] | None = None,
    baseline: Any = None,
    costs: Sequence[str] = (),
    compute: Mapping[str, Any] | None = None,
) -> Run:
    """Audit ``model`` on ``test`` (a data frame, an Arrow table, a mapping of columns, or a path).

    ``model`` is a fitted estimator, a torch module, ``audit.TorchModel``, a function of a data frame (then ``output``
    is "probability", "decision" or "value"), or None with ``prediction`` or ``score`` naming a column of ``test``.
    A list as ``target`` names 0/1 columns, one a label of a multilabel task; ``prediction``, ``scores`` and
    ``threshold`` then have one entry a label, and a model or function gives a column a label. ``scores`` of several
    classes has one a class.
    ``task`` is inferred where it is left out; ``query`` names the column that tells the lists of a ranking apart.
    ``variants`` are other forms of the model by name, compared with it on the same rows; ``baseline`` is the model now
    in use, given as ``model`` is, or as {"prediction": ...} or {"score": ...} that name columns of ``test``. ``costs``
    names checks that do not run by default: "timing", "retrain". ``limits``, ``use``, ``columns``,
    ``feature_groups``, ``training``, ``stats``, ``gate`` and ``compute`` read as their tables in audit.toml.
    AuditError, in words, when the audit cannot be made.
    """
    asked = locals()  # all that was asked, by its name here
    loaded = _loaded(_as_written(asked))
    settings = Settings(costs=(*Settings().costs, *costs), command="audit.run(...)")
    return Run(run_audit(_case_of(asked, loaded), loaded, find(), settings))


def explain(
    model: Any,
    data: Any,
    *,
    target: str | None = None,
    features: Sequence[str] | None = None,
    background: Any = None,
    columns: Mapping[str, Mapping[str, Any]] | None = None,
    groups: Mapping[str, Sequence[str] | str] | None = None,
    classes: Sequence[Scalar] = (),
    output: str | None = None,
    positive: Scalar | None = None,
    layer: str = "",
    method: Method = "auto",
    device: str = "auto",
    seed: int = 0,
) -> Explained:
    """Why ``model`` answered as it did for every row of ``data``, whatever it reads, in one shape.

    ``model`` and ``data`` are as in :func:`run`; ``background`` (default: ``data``) is what the rows are explained
    against, best the training data. ``columns`` reads as [columns] in audit.toml, such as {"scan": {"kind": "image",
    "from": "px_*", "shape": [1, 8, 8]}}. ``groups`` explains columns of a table together, each group under its name:
    {"region": ["region_north", "region_south"]} or {"region": "region_*"}. ``layer`` names a layer of a torch module to
    be explained in place of its inputs. ``result.parts`` holds the contributions by column, ``result.facts`` how they
    were made and how good they are. AuditError, in words, where there can be no explanation.
    """
    roles = _given({"path": IN_MEMORY, "target": target, "positive": positive, "features": _listed(features)})
    raw = {
        "name": "explain",
        "model": {"path": IN_MEMORY},
        "data": {"test": roles},
        "columns": dict(columns or {}),
        "feature_groups": _members(groups),
    }
    loaded = _loaded(raw, "audit.explain")
    test, rest = (
        _dataset(name, data if table is None else table, loaded.spec)
        for name, table in (("test", None), ("train", background))
    )
    names = tuple(classes)
    adapter = _wrapped(model, test, names, output, features, device).model
    from audit.attribution import explain as explain_rows

    own = _in_models_order(test.roles.features, adapter.features) or default_features(test)
    test, rest = (with_features(part, tuple(own)) for part in (test, rest))
    if layer and groups:
        raise SpecError(
            f'groups are of columns, and layer = "{layer}" is explained in their place: leave one of them out'
        )
    test = with_groups(test, grouped(loaded.spec.feature_groups, test, "groups"))
    _require_positive(positive, adapter.classes)
    against = None if background is None else rest
    try:
        return explain_rows(adapter, test, background=against, positive=positive, layer=layer, method=method, seed=seed)
    except Unavailable as why:
        raise ModelError(f"{why.detail}: {why.remedy}") from why


def _in_models_order(named: tuple[str, ...], own: tuple[str, ...] | None) -> tuple[str, ...]:
    """The features that were named, in the order of a model that knows the same; the model's own where none were.

    ModelError where a model that knows its columns is not given all of them.
    """
    if own and named and (missing := [name for name in own if name not in named]):
        raise ModelError(
            f'the model was fitted on {", ".join(own[:12])}, and features leaves out "{missing[0]}": '
            "name all of them, or leave features out"
        )
    return own if own and set(own) == set(named or own) else named


def _require_positive(positive: Scalar | None, classes: tuple[str, ...]) -> None:
    """UsageError for a positive class that the model has not, or where there are not two of them."""
    if positive is None or (len(classes) == 2 and shown(positive) in classes):
        return
    known = f"decides between {', '.join(classes[:12])}" if classes else "gives a value"
    raise UsageError(
        f'positive = "{shown(positive)}" must be one of the two classes of the model, which {known}: '
        "name one, or leave it out"
    )


def _as_written(asked: Mapping[str, Any]) -> dict[str, Any]:
    """What ``run`` was asked, as audit.toml would say it."""
    names = ("columns", "training", "stats", "gate", "compute")
    train = {} if asked["train"] is None else {"train": {"path": IN_MEMORY}}
    return {
        "name": asked["name"],
        "purpose": asked["purpose"],
        "use": list(asked["use"]),
        "data": {"test": _given(_test_table(asked)), **train},
        **{name: dict(asked[name] or {}) for name in names},
        "feature_groups": _members(asked["feature_groups"]),
        "limit": [dict(limit) for limit in asked["limits"]],
        "evidence": {"rows": asked["rows"]},
        **({} if asked["model"] is None else {"model": _given(_model_table(asked))}),
    }


def _test_table(asked: Mapping[str, Any]) -> dict[str, Any]:
    """[data.test]. Without a model, its threshold and task stand there."""
    test, alone = asked["test"], asked["model"] is None
    plain = ("positive", "favourable", "score", "query")
    return {
        "path": str(test) if isinstance(test, str | Path) else IN_MEMORY,
        **{name: asked[name] for name in plain},
        **{name: _listed(asked[name]) for name in ("target", "features", "prediction")},
        "groups": [asked["groups"]] if isinstance(asked["groups"], str) else list(asked["groups"]),
        "scores": list(asked["scores"]),
        "threshold": _listed(asked["threshold"]) if alone else None,
        "task": asked["task"] if alone else None,
        "baseline": dict(asked["baseline"]) if isinstance(asked["baseline"], Mapping) else None,
    }


def _model_table(asked: Mapping[str, Any]) -> dict[str, Any]:
    """[model]. What the output means is said to the adapter."""
    baseline = asked["baseline"]
    return {
        "path": IN_MEMORY,
        "threshold": _listed(asked["threshold"]),
        "classes": list(asked["classes"]),
        "task": asked["task"],
        "variants": dict.fromkeys(asked["variants"] or {}, IN_MEMORY) or None,
        "baseline": None if baseline is None or isinstance(baseline, Mapping) else IN_MEMORY,
    }


def _case_of(asked: Mapping[str, Any], loaded: Loaded) -> Case:
    tables = {name: asked[name] for name in ("test", "train") if asked[name] is not None}
    datasets = {name: _dataset(name, table, loaded.spec) for name, table in tables.items()}

    def wrapped(model: Any) -> LoadedModel:
        return _wrapped(model, datasets["test"], asked["classes"], asked["output"], asked["features"], asked["device"])

    model = None if asked["model"] is None else wrapped(asked["model"])
    case = build_case(loaded.spec, loaded.root, model, datasets)
    return _with_others(case, asked["variants"] or {}, asked["baseline"], wrapped)


def _with_others(case: Case, variants: Mapping[str, Any], baseline: Any, wrapped: Callable[[Any], LoadedModel]) -> Case:
    """The case with the models that its own is compared with. SpecError where there is none of its own."""
    stored = baseline is None or isinstance(baseline, Mapping)
    if case.model is None and not (stored and not variants):
        raise SpecError(
            "variants and baseline are models, and there is none to compare with them: give model, or the baseline as "
            '{"prediction": "its column"}'
        )
    case = with_variants(case, {name: wrapped(variant) for name, variant in variants.items()})
    return case if stored else with_baseline(case, wrapped(baseline))


def _listed(value: Any) -> Any:
    """What may stand alone or one a label, as audit.toml holds it."""
    return value if value is None or isinstance(value, str | float | int) else list(value)


def _members(groups: Any) -> Any:
    """Groups of features as audit.toml holds them; what is none is refused with all that is."""
    return {name: _listed(given) for name, given in groups.items()} if isinstance(groups, Mapping) else groups or {}


def _given(table: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in table.items() if value not in (None, [], ())}


def _loaded(raw: dict[str, Any], source: str = "audit.run") -> Loaded:
    text = json.dumps(raw, sort_keys=True, default=str)
    spec = validate(AuditSpec, raw, source)
    return Loaded(spec=spec, root=Path.cwd(), raw=raw, sha256=hashlib.sha256(text.encode()).hexdigest())


def _dataset(name: str, table: Any, spec: AuditSpec) -> Dataset:
    part = data_spec(spec, name)
    arrow = as_table(table, name)
    if part is None:
        part = spec.data.test
    data = dataset_from_table(name, arrow, part, spec.columns, root=Path.cwd(), path=part.path)
    return replace(data, sha256=table_digest(arrow))


def _wrapped(
    model: Any,
    test: Dataset,
    classes: Sequence[Scalar],
    output: str | None,
    features: Sequence[str] | None,
    device: str,
) -> LoadedModel:
    """A function does not know its classes, so those of the target stand in; for several labels these are its names."""
    names = classes or test.roles.targets
    if not names and callable(model) and not hasattr(model, "predict") and output != "value" and test.roles.target:
        names = target_facts(test.stored(test.roles.target)).levels or ()
    several = bool(test.roles.targets)
    features = [features] if isinstance(features, str) else features
    adapter = wrap(model, classes=names, output=output, features=features, device=device, multilabel=several)
    return LoadedModel(model=adapter, sha256="", bytes=0, path=IN_MEMORY)
