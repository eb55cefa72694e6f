"""Two runs side by side: what is the same, which measures moved, which verdicts changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from audit.policy import Finding
from audit.record import AuditRun
from audit.results import Interval, IntervalKind, Measurement, Scalar
from audit.stats import difference
from audit.stats.bases import evaluate

Key = tuple[str, str, tuple[tuple[str, Scalar], ...], tuple[tuple[str, str | None], ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One measure in both runs. ``interval`` is of second minus first, taken as independent."""

    on: str
    first: Measurement
    second: Measurement
    interval: Interval

    @property
    def value(self) -> float:
        return self.second.value - self.first.value

    @property
    def clear(self) -> bool:
        """Whether the interval leaves 0 out."""
        return self.interval.lower > 0 or self.interval.upper < 0

    @property
    def size(self) -> float:
        """A share's change as it is, another unit's as a part of what it was, so that they can be ordered."""
        scale = 1.0 if self.first.unit == "1" else max(abs(self.first.value), abs(self.second.value))
        return abs(self.value) / scale if scale else 0.0


def keyed(run: AuditRun) -> Iterator[tuple[Key, Measurement]]:
    """Every measurement under (data set, measure, parameters, slice), which names it in any run."""
    for record, m in run.measurements():
        yield (record.on, f"{m.name}/{m.compare}", tuple(sorted(m.params.items())), tuple(sorted(m.slice.items()))), m


def changes(first: AuditRun, second: AuditRun, level: float) -> list[Change]:
    """Measures of both runs, the largest changes first, those whose interval leaves 0 out before the others."""
    after = dict(keyed(second))
    pairs = [(key[0], m, after[key]) for key, m in keyed(first) if key in after and after[key].unit == m.unit]
    bases = [difference(new.basis, old.basis) for _, old, new in pairs]
    found = evaluate(bases, (1 - level) / 2) if bases else None
    moved = []
    for i, (on, old, new) in enumerate(pairs):
        value = new.value - old.value
        # bounds of a rounded difference may miss its value by one unit of the last place
        lower = min(float(found.lower[i]), value) if found else value
        upper = max(float(found.upper[i]), value) if found else value
        bounds = Interval(lower=lower, upper=upper, level=level, method="independent runs", kind=_kind(old, new))
        moved.append(Change(on=on, first=old, second=new, interval=bounds))
    return sorted(moved, key=lambda change: (not change.clear, -change.size, change.first.name))


def _kind(first: Measurement, second: Measurement) -> IntervalKind:
    """Of the difference: what its less certain side is."""
    kinds = {first.interval.kind, second.interval.kind}
    return "range" if "range" in kinds else "exact" if kinds == {"exact"} else "sample"


def verdicts(first: AuditRun, second: AuditRun) -> list[tuple[str, Finding | None, Finding | None]]:
    """(limit, finding before, finding after) wherever the verdict is another or a limit is in one run only."""
    before, after = ({f.id: f for f in run.findings} for run in (first, second))
    pairs = [(name, before.get(name), after.get(name)) for name in dict.fromkeys([*after, *before])]
    return [pair for pair in pairs if _verdict(pair[1]) != _verdict(pair[2])]


def _verdict(finding: Finding | None) -> str:
    return "" if finding is None else f"{finding.verdict} {finding.waiver is not None}"


def sameness(first: AuditRun, second: AuditRun) -> Mapping[str, bool | None]:
    """Of the model and of each data set: whether the bytes are the same. None: not known, no hash was kept.

    Stored predictions are part of the data, so two such runs have no model to compare.
    """
    before, after = ({d.name: d.sha256 for d in run.data} for run in (first, second))
    names = [name for name in before if name in after]
    hashes = {name: (before[name], after[name]) for name in names}
    if {first.model.kind, second.model.kind} != {"predictions"}:
        hashes["model"] = first.model.sha256, second.model.sha256
    return {name: None if not (a and b) else a == b for name, (a, b) in hashes.items()}


def same_words(same: Mapping[str, bool | None]) -> str:
    """``same data, other model``."""
    known = [value for name, value in same.items() if name != "model"]
    data = None if None in known else all(known)
    words = {True: "same", False: "other", None: "not known to be the same"}
    return f"{words[data]} data" + (f", {words[same['model']]} model" if "model" in same else ", stored predictions")
