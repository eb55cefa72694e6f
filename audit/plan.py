"""Which checks a case can have, which not and why: made from the spec and the column names alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from audit.counting import count
from audit.errors import SpecError, nearest
from audit.policy import Limit
from audit.policy.components import components, resolved
from audit.policy.options import Rules
from audit.policy.packs import Pack, gathered, load_pack, own_limits
from audit.record import AuditRun
from audit.registry import CLASS, CheckInfo, Registry
from audit.results import Look, MeasureNote, Omission, Reason, Scalar
from audit.spec import AuditSpec, Loaded
from audit.wording import first_sentence

if TYPE_CHECKING:
    from audit.data.dataset import Roles

_KINDS: Mapping[str, tuple[type, ...]] = {
    "float": (int, float),
    "int": (int,),
    "str": (str,),
    "bool": (bool,),
    "each": (str,),
}
ROLES = ("target", "groups", "id", "weight", "cluster")
"""Roles that an input may require."""
COST_ORDER = ("instant", "predict", "gradient", "timing", "replay", "retrain")
MOST_EXPLAINED = 3  # labels of a multilabel task that a check of cost gradient, timing or retrain is done for
ASKED_WITH: Mapping[str, str] = {"replay": "retrain"}  # a cost that is asked for by the name of another

OTHER_NAMES = {
    "recall": "true_positive_rate",
    "sensitivity": "true_positive_rate",
    "tpr": "true_positive_rate",
    "precision": "positive_predictive_value",
    "ppv": "positive_predictive_value",
    "specificity": "true_negative_rate",
    "tnr": "true_negative_rate",
    "fpr": "false_positive_rate",
    "fnr": "false_negative_rate",
    "npv": "negative_predictive_value",
    "auc": "roc_auc",
    "auroc": "roc_auc",
    "f1_score": "f1",
    "mae": "mean_absolute_error",
    "rmse": "root_mean_squared_error",
    "ece": "expected_calibration_error",
    "brier": "brier_score",
    "disparate_impact": "disparate_impact_ratio",
    "demographic_parity": "demographic_parity_difference",
    "equal_opportunity": "equal_opportunity_difference",
    "equalized_odds": "equalized_odds_difference",
}
"""What a person may write for a measure, as no likeness of letters would find it."""
REMEDIES = {
    "model": ("only predictions were given, no model", "give [model] path"),
    "train": ("no training data was given", "give [data.train] path"),
    "known": ("no rows with known answers were given", "give [data.known] path"),
    "training_record": ("no record of the training was given", 'give [training] record = "training.json"'),
    "training_evidence": (
        "nothing was said of the training",
        'give [training] record = "training.json", or hardware with hours or with epochs',
    ),
    "variants": ("no other form of the model was given", 'give [model] variants = { int8 = "model-int8.onnx" }'),
    "baseline": (
        "no baseline was given, the model now in use",
        'give [model] baseline = "old.skops", or [data.test] baseline = { prediction = "old_decision" }',
    ),
    "recipe": ("no training recipe was given", 'give [training] recipe = "train.py:fit" and --allow-code'),
}
DECIDED = 'to audit decisions made on this ranking, give them as prediction in a second file with task = "binary"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a case holds, as far as it can be known without opening model or rows."""

    task: str | None  # None: not known before the model is loaded
    has: frozenset[str]  # of "model", "train", "known", "training_record", "training_evidence", "recipe", "variants"...
    roles: frozenset[str]  # roles that name at least one column
    kinds: frozenset[str] = frozenset()  # kinds of the feature columns; empty: not known yet
    labels: tuple[str, ...] = ()  # of a multilabel task


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One check to run once, in a multilabel task perhaps for one label. ``omission`` says why it cannot."""

    check: CheckInfo
    on: str = "test"
    params: Mapping[str, Scalar] = field(default_factory=dict)
    label: str = ""
    omission: Omission | None = None

    @property
    def about(self) -> Mapping[str, Scalar]:
        """What its results are told apart by."""
        return {**self.params, CLASS: self.label} if self.label else self.params


@dataclass(frozen=True, slots=True, kw_only=True)
class Law:
    """All limits of an audit, and the packs that some of them come from."""

    limits: tuple[Limit, ...]
    packs: tuple[Pack, ...]


def law_of(loaded: Loaded, notes: Mapping[str, MeasureNote], policy: Pack | None) -> Law:
    """The limits that this audit is judged by. SpecError for an unknown measure, parameter or pack."""
    spec = loaded.spec
    packs = tuple(load_pack(name) for name in spec.use)
    groups = spec.data.test.groups or ()
    of_label = {name: spec.labels for name, note in notes.items() if CLASS in note.params} if spec.labels else {}
    limits = gathered(packs, policy, own_limits(loaded), groups, spec.stats.intersections, of_label)
    for limit in limits:
        checked_params(notes, limit, spec.labels)
    limits = tuple(resolved(limit, notes[limit.measure]) for limit in limits)
    return Law(limits=limits, packs=(*packs, *((policy,) if policy else ())))


def rules_of(
    spec: AuditSpec,
    notes: Mapping[str, MeasureNote],
    docs: Mapping[str, str],
    baseline: AuditRun | None,
    look: Look | None = None,
) -> Rules:
    """How an audit is judged. ``docs`` maps the id of a check to its documentation; ``look`` spends the ledger."""
    return Rules(
        confidence=look.confidence(spec.stats.confidence) if look else spec.stats.confidence,
        min_n=spec.stats.min_n,
        underpowered=spec.gate.underpowered,
        measures=notes,
        remedies={check: remedy_of(doc) for check, doc in docs.items()},
        reference={name: column.reference for name, column in spec.columns.items() if column.reference is not None},
        baseline=baseline.records if baseline else None,
        relabel=True,
        bounded=_bounded(spec),
    )


def _bounded(spec: AuditSpec) -> frozenset[str]:
    """The data sets that say missing = "bounds", or inherit it from the test data."""
    parts = {"test": spec.data.test, "train": spec.data.train, "known": spec.data.known}
    said = {name: part.missing or spec.data.test.missing for name, part in parts.items() if part is not None}
    return frozenset(name for name, missing in said.items() if missing == "bounds")


def remedy_of(doc: str) -> str:
    """The first sentence under *How to reduce the risk* of a check's documentation."""
    _, found, after = doc.partition("How to reduce the risk")
    return first_sentence(after.lstrip("\n -=:*")) if found else ""


def present(spec: AuditSpec, *, has_model: bool, names: Iterable[str]) -> frozenset[str]:
    """Which of the things that an input may require the spec supplies."""
    has = {"train", "known"} & set(names)
    has |= {"model"} if has_model else set()
    has |= {"variants"} if has_model and spec.model and spec.model.variants else set()
    stored = spec.data.test.baseline is not None
    has |= {"baseline"} if stored or (has_model and spec.model and spec.model.baseline) else set()
    has |= {"training_record"} if spec.training.record else set()
    has |= {"training_evidence"} if spec.training.tells_energy else set()
    return frozenset(has | ({"recipe"} if spec.training.recipe else set()))


def roles_named(roles: Roles) -> frozenset[str]:
    """The roles that name at least one column; of a multilabel task, each label's target is one."""
    found = {role for role in ROLES if getattr(roles, role)}
    return frozenset(found | ({"target"} if roles.truths else set()))


def make(registry: Registry, facts: Facts, limits: Iterable[Limit], costs: Iterable[str] = COST_ORDER) -> list[Item]:
    """Every check once with its defaults, and again for each data set or parameter that a limit names.

    A check of cost "timing" runs when its cost is asked for, or when a limit names one of its measures.
    """
    notes = registry.notes_of(facts.labels)
    asked = [part for given in limits for part in components(given, notes[given.measure])]
    allowed = {*costs, *(cost for cost, asked_as in ASKED_WITH.items() if asked_as in costs)}
    allowed |= {*(f"timing of {registry.measures[limit.measure]}" for limit in asked)}
    items = [item for info in _cheap_first(registry) for item in _items(registry, info, facts, allowed)]
    wanted: set[tuple[object, ...]] = {(item.check.id, item.on, (), item.label) for item in items}
    for limit in asked:
        info = registry.checks[registry.measures[limit.measure]]
        params = checked_params(notes, limit)
        label = str(params.pop(CLASS, "")) if facts.labels and registry.is_of_one_label(info) else ""
        if not info.takes_params:  # they only choose among what the check measures anyway: a class, a column
            params = {}
        key = (info.id, limit.on, tuple(sorted(params.items())), label)
        if key not in wanted:
            wanted.add(key)
            items.append(_item(registry, info, facts, allowed, limit.on, params, label))
    return items


def checked_params(notes: Mapping[str, MeasureNote], limit: Limit, labels: Sequence[str] = ()) -> dict[str, Scalar]:
    """The limit's parameters. SpecError for an unknown measure, parameter or label, or a question without answer."""
    if limit.measure not in notes:
        where = f"{limit.source} line {limit.line}: " if limit.line else ""
        other = OTHER_NAMES.get(limit.measure.lower())
        close = f' (it is called "{other}" here)' if other in notes else nearest(limit.measure, notes)
        raise SpecError(f'{where}unknown measure "{limit.measure}"{close}: "audit list measures" shows all')
    known = notes[limit.measure].params
    for name, value in limit.params.items():
        if name not in known:
            has = f"it has {', '.join(known)}" if known else "it has none"
            raise SpecError(f'"{limit.measure}" has no parameter "{name}"{nearest(name, known)}: {has}')
        if type(value) not in _KINDS[known[name]]:
            raise SpecError(f'"{limit.measure}": {name} must be a {_KINDS[known[name]][-1].__name__}, got {value!r}')
    if labels and (named := str(limit.params.get(CLASS, labels[0]))) not in labels:
        raise SpecError(
            f'"{limit.measure}": class = "{named}" is no label{nearest(named, labels)}: {", ".join(labels)}'
        )
    if limit.regress is not None and notes[limit.measure].better not in {"higher", "lower"}:
        raise SpecError(f'"{limit.measure}" is neither better higher nor lower, so it cannot regress: give min or max')
    return dict(limit.params)


def _cheap_first(registry: Registry) -> list[CheckInfo]:
    return sorted(registry.checks.values(), key=lambda c: (COST_ORDER.index(c.cost), c.id))


def _items(registry: Registry, info: CheckInfo, facts: Facts, costs: set[str]) -> list[Item]:
    """The check once, or once for each label; one that is dear for the first labels, and what it left out."""
    if not facts.labels or not registry.is_of_one_label(info):
        return [_item(registry, info, facts, costs)]
    shown = facts.labels if info.cost in {"instant", "predict"} else facts.labels[:MOST_EXPLAINED]
    items = [_item(registry, info, facts, costs, label=label) for label in shown]
    if left := len(facts.labels) - len(shown):
        detail = f"it was done for {', '.join(shown)}; {count(left, 'more label')} would take as long each"
        omission = Omission(name="", reason=Reason.SKIPPED, detail=detail, remedy="name another label first in target")
        items.append(Item(check=info, omission=items[0].omission or omission))
    return items


def _item(
    registry: Registry,
    info: CheckInfo,
    facts: Facts,
    costs: set[str],
    on: str = "test",
    params: Mapping[str, Scalar] | None = None,
    label: str = "",
) -> Item:
    omission = _unmet(registry, info, replace(facts, task="binary") if label else facts, on)
    if omission is None and costs.isdisjoint({info.cost, f"{info.cost} of {info.id}"}):
        asked_as = ASKED_WITH.get(info.cost, info.cost)
        detail, remedy = f'checks of cost "{info.cost}" were not asked for', f"run with --cost {asked_as}"
        omission = Omission(name="", reason=Reason.SKIPPED, detail=detail, remedy=remedy)
    return Item(check=info, on=on, params=params or {}, label=label, omission=omission)


def _unmet(registry: Registry, info: CheckInfo, facts: Facts, on: str) -> Omission | None:
    if on != "test" and on not in facts.has:
        detail, remedy = f"there is no [data.{on}]", f"give [data.{on}] path"
        return Omission(name="", reason=Reason.MISSING_INPUT, detail=detail, remedy=remedy)
    for needed in registry.requirements(info):
        if (omission := _lacks(needed, facts)) is not None:
            return omission
    return None


def _lacks(needed: Mapping[str, Any], facts: Facts) -> Omission | None:
    for thing, (detail, remedy) in REMEDIES.items():
        if needed.get(thing) and thing not in facts.has:
            return Omission(name="", reason=Reason.MISSING_INPUT, detail=detail, remedy=remedy)
    for role in needed.get("roles", ()):
        if role not in facts.roles:
            detail, remedy = f"no column has the role {role}", f"give {role} in [data.test]"
            return Omission(name="", reason=Reason.MISSING_INPUT, detail=detail, remedy=remedy)
    tasks = needed.get("tasks", ())
    if tasks and facts.task is not None and facts.task not in tasks:
        remedy = DECIDED if facts.task == "ranking" and "binary" in tasks else "nothing to do"
        return _not_applicable(f"it is for {' and '.join(tasks)} tasks; this one is {facts.task}", remedy)
    kinds = needed.get("kinds", ())
    if kinds and facts.kinds and not facts.kinds & set(kinds):
        return _not_applicable(f"no feature is of kind {' or '.join(kinds)}")
    return None


def _not_applicable(detail: str, remedy: str = "nothing to do") -> Omission:
    return Omission(name="", reason=Reason.NOT_APPLICABLE, detail=detail, remedy=remedy)
