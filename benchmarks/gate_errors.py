"""How often a gate is wrong: false failures of a whole audit, false passes, and passes by trying again.

The gates are those of the product: measurements are judged against limits, as in an audit. Beside them the gate that
holds the observed gap against the limit, which is what the field's libraries offer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from audit.policy import Limit, Verdict
from audit.policy.judge import judge
from audit.policy.options import Rules
from audit.results import Measurement, MeasureNote, Outcome, Record
from audit.stats import Ledger, measured, rate
from audit.stats.arrays import Estimates
from audit.stats.mover import difference_limits
from audit.stats.proportions import wilson_limits
from benchmarks._figures import Result, result

MEASURES = ("selection_rate", "true_positive_rate", "false_positive_rate", "positive_predictive_value", "accuracy")
ATTRIBUTES: Mapping[str, int] = {"a": 2, "b": 5, "c": 5}  # levels; crossed they make 50 intersections
AUDITS, PASSES, RETRIES, MODELS = 600, 1000, 300, 20
LEVEL = 0.95
GROUPS = ((3, 500), (5, 600), (10, 800))  # groups, rows of each
SHORT = ((3, 400), (3, 450), (5, 450), (10, 450))  # with just too few rows for power
SMALL = (2000, 2000, 60)  # rows; the gap is the smallest group's
Underpowered = Literal["block", "list"]


def main() -> Result:
    rng = np.random.default_rng(21)
    fair = [whole_audit(rng) for _ in range(AUDITS)]
    many = [false_passes(rng, groups, n, 0.1, "block") for groups, n in GROUPS]
    listed = [false_passes(rng, groups, n, 0.1, "list") for groups, n in GROUPS]
    two = [exact_false_pass(n, p, gap) for n in (100, 400, 1000) for p, gap in ((0.1, 0.05), (0.3, 0.1), (0.5, 0.1))]
    tries = [retries(rng) for _ in range(RETRIES)]
    figures = {
        "fair model, limit 0.05: audits that fail": float(np.mean([one.failed for one in fair])),
        "fair model, limit 0: audits that fail": float(np.mean([one.failed_at_zero for one in fair])),
        "fair model, limit 0.05: audits that fail on observed gaps": float(np.mean([one.observed for one in fair])),
        "two groups, gap at the limit: highest share that passes": max(two),
        "3 to 10 groups, gap at the limit: highest share that passes": max(many),
        "the same where comparisons without power are only listed": max(listed),
        "the same with just too few rows for power": max(false_passes(rng, *one, 0.1, "list") for one in SHORT),
        "a listed group of 60 rows with a gap at the limit": small_group(rng, 0.1),
        "no gap, a listed group of 60 rows: audits that pass": small_group(rng, 0.0),
        "20 tries at the limit: any passes, with the ledger": float(np.mean([ledger for ledger, _, _ in tries])),
        "20 tries at the limit: any passes, without it": float(np.mean([fixed for _, fixed, _ in tries])),
        "20 tries at the limit: any passes on observed gaps": float(np.mean([observed for _, _, observed in tries])),
    }
    targets = {
        "fair model, limit 0.05: audits that fail": "<= 0.05",
        "fair model, limit 0: audits that fail": "<= 0.05",
        "two groups, gap at the limit: highest share that passes": "<= 0.03",
        "3 to 10 groups, gap at the limit: highest share that passes": "<= 0.03",
        "the same where comparisons without power are only listed": "<= 0.03",
        "no gap, a listed group of 60 rows: audits that pass": ">= 0.9",
        "20 tries at the limit: any passes, with the ledger": "<= 0.05",
    }
    return result("gate_errors", figures, targets)


@dataclass(frozen=True, slots=True)
class Audit:
    failed: bool
    failed_at_zero: bool
    observed: bool


def whole_audit(rng: np.random.Generator) -> Audit:
    """10,000 rows, 5 measures by 3 attributes and their 50 intersections: 20 limits, all met with no gap at all."""
    rows = {name: rng.integers(0, size, 10_000) for name, size in ATTRIBUTES.items()}
    label = rng.random(10_000) < 0.4
    decision = rng.random(10_000) < np.where(label, 0.7, 0.2)
    sets = [("a",), ("b",), ("c",), ("a", "b", "c")]
    found = [m for columns in sets for m in measurements(columns, rows, label, decision)]
    limits = [limit(name, columns, 0.05) for name in MEASURES for columns in sets]
    zero = [limit(name, columns, 0.0) for name in MEASURES for columns in sets]
    return Audit(fails(limits, found), fails(zero, found), any(observed_gap(one, found) > 0.05 for one in limits))


def measurements(
    columns: Sequence[str],
    rows: Mapping[str, NDArray[np.int64]],
    label: NDArray[np.bool_],
    decision: NDArray[np.bool_],
) -> Iterator[Measurement]:
    sizes = [ATTRIBUTES[name] for name in columns]
    code = np.ravel_multi_index([rows[name] for name in columns], sizes)
    cells = np.bincount(code * 4 + label * 2 + decision, minlength=4 * int(np.prod(sizes))).reshape(-1, 4)
    for at, (tn, fp, fn, tp) in enumerate(cells.tolist()):
        levels = np.unravel_index(at, sizes)
        group = {name: str(int(level)) for name, level in zip(columns, levels, strict=True)}
        pairs = (
            (tp + fp, tp + fp + tn + fn),
            (tp, tp + fn),
            (fp, fp + tn),
            (tp, tp + fp),
            (tp + tn, tp + fp + tn + fn),
        )
        for name, (k, n) in zip(MEASURES, pairs, strict=True):
            if n:
                yield measured(name=name, basis=rate(k, n), level=LEVEL, n=n, unit="1", slice=group)


def false_passes(rng: np.random.Generator, groups: int, n: int, gap: float, underpowered: Underpowered) -> float:
    """Share of audits that pass although the largest gap, spread evenly over the groups, is exactly the limit.

    Where comparisons without power are listed and do not block, a pass is about the others only; n is chosen so that
    the widest gap has just about enough, which is where that matters most.
    """
    rates = 0.3 + np.linspace(0, gap, groups)
    tables = rng.binomial(n, rates, (PASSES, groups))
    return float(np.mean([passes(table, [n] * groups, gap, LEVEL, underpowered) for table in tables.tolist()]))


def small_group(rng: np.random.Generator, gap: float) -> float:
    """Share of audits that pass although, or because, one group too small for power is all that may differ."""
    tables = rng.binomial(SMALL, [0.3, 0.3, 0.3 + gap], (PASSES, len(SMALL)))
    return float(np.mean([passes(table, SMALL, 0.1, LEVEL, "list") for table in tables.tolist()]))


def exact_false_pass(n: int, p: float, gap: float) -> float:
    """Chance of a pass where the gap is exactly the limit, summed over every table of two groups of n rows.

    A pass is an interval inside the limit, with what the judge asks of the power left out: it only takes passes away.
    """
    k = np.arange(n + 1.0)
    chances = binom.pmf(k, n, p + gap)[:, None] * binom.pmf(k, n, p)
    limits = wilson_limits(k, np.full(n + 1, float(n)), 1.959963984540054)
    high, low = (Estimates(*(bound.reshape(shape) for bound in limits)) for shape in ((-1, 1), (1, -1)))
    found = difference_limits(high, low)
    return float(chances[(found.upper <= gap) & (found.lower >= -gap)].sum())


def retries(rng: np.random.Generator) -> tuple[bool, bool, bool]:
    """Whether any of 20 models passes, all with a gap of exactly the limit: with the ledger, without, as observed.

    Half of the noise is the audit set's own, so models that are tried on it err alike.
    """
    n, ledger, passed = 600, Ledger(), [False, False, False]
    own, rates = rng.random((2, n)), np.array([0.3, 0.4])
    for model in range(MODELS):
        ledger, look = ledger.spend("audit set", f"model {model}")
        draws = np.where(rng.random((2, n)) < 0.5, own, rng.random((2, n)))
        table = (draws < rates[:, None]).sum(axis=1).tolist()
        passed[0] |= passes(table, (n, n), 0.1, look.confidence(LEVEL))
        passed[1] |= passes(table, (n, n), 0.1, LEVEL)
        passed[2] |= abs(table[0] - table[1]) / n <= 0.1
    return passed[0], passed[1], passed[2]


def passes(
    table: Sequence[int], sizes: Sequence[int], most: float, level: float, underpowered: Underpowered = "block"
) -> bool:
    found = [
        measured(name=MEASURES[0], basis=rate(k, n), level=level, n=n, unit="1", slice={"a": str(i)})
        for i, (k, n) in enumerate(zip(table, sizes, strict=True))
    ]
    return (
        judge([limit(MEASURES[0], ("a",), most)], [recorded(found)], rules(level, underpowered))[0].verdict
        is Verdict.PASS
    )


def fails(limits: Sequence[Limit], found: Sequence[Measurement]) -> bool:
    return any(one.verdict is Verdict.FAIL for one in judge(limits, [recorded(found)], rules(LEVEL)))


def observed_gap(one: Limit, found: Sequence[Measurement]) -> float:
    values = [m.value for m in found if m.name == one.measure and set(m.slice) == set(one.by)]
    return max(values) - min(values)


def limit(measure: str, columns: Sequence[str], most: float) -> Limit:
    return Limit(measure=measure, by=tuple(columns), compare="difference", max=most, why="benchmark")


def recorded(found: Sequence[Measurement]) -> Record:
    outcome = Outcome(measurements=tuple(found))
    return Record(check="benchmark", family="fairness", on="test", cost="instant", outcome=outcome)


def rules(level: float, underpowered: Underpowered = "list") -> Rules:
    notes = {name: MeasureNote(unit="1", better="none", words=name, check="benchmark") for name in MEASURES}
    return Rules(confidence=level, min_n=30, underpowered=underpowered, measures=notes)
