"""What accuracy a smaller gap would cost by thresholds of each group's own, measured on rows that chose no threshold.

Why it matters: "a smaller gap would cost too much" is a claim about numbers, and these are the numbers. A model that is
less accurate than its own scores allow at its own gap is not defended by accuracy at all.

How it is measured: the rows are split in two at random. On one half, thresholds by group are chosen, randomised between
two where that helps, for three rates (selected, true positive, false positive). On the other half the model and they
are compared on the same rows: the accuracy gained at the model's own gap (Hall's t of the difference of each row), the
accuracy given up for a gap of at most 0, 0.05 or 0.10, and the gap that goes without a loss of accuracy, of the two
groups that differ most (MOVER). Half of the rows choose, so the interval is of what these thresholds do, and a little
less than the best ones could. Groups under 30 rows and rows of unknown group take no part. **Thresholds that depend on
the group can be unlawful** (disparate treatment), in lending and employment above all: this says what is possible, not
what is allowed.

How to reduce the risk: Where accuracy is to be gained at the model's own gap, review its threshold first. Where a
smaller gap costs little, retrain with a constraint (audit run --cost retrain) or mend the features.

Sources: Hardt, Price & Srebro, NeurIPS 2016; Hall, JRSS B 54, 1992; Zou & Donner, Statistics in Medicine 27, 2008.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from audit.check import check
from audit.checks._support import Sheet
from audit.counting import count
from audit.errors import Unavailable
from audit.inputs.group_scores import GroupScores
from audit.results import Basis, Outcome, Scalar, Table
from audit.stats import generator, interval, value
from audit.stats import group_thresholds as by_group
from audit.stats.frontier import Constraint

MEASURES: dict[str, dict[str, object]] = {
    "accuracy_below_frontier": {
        "unit": "1",
        "better": "lower",
        "words": "accuracy that thresholds by group would add at the model's own gap",
        "params": {"column": "str", "rate": "str"},
    },
    "accuracy_cost_of_gap": {
        "unit": "1",
        "better": "lower",
        "words": "accuracy given up for a smaller gap by thresholds by group",
        "params": {"column": "str", "rate": "str", "gap": "float"},
    },
    "gap_removable_at_no_cost": {
        "unit": "1",
        "better": "lower",
        "words": "gap that thresholds by group would remove at no cost in accuracy",
        "params": {"column": "str", "rate": "str"},
    },
}
TOLERANCES = tuple(np.round(np.linspace(0.0, 1.0, 51), 2).tolist())
SMALLER = (0.0, 0.05, 0.1)
RATES: dict[Constraint, str] = {
    "selection_rate": "share selected",
    "true_positive_rate": "true positive rate",
    "false_positive_rate": "false positive rate",
}
UNLAWFUL = "Thresholds that depend on the group can be unlawful: what is possible is not what is allowed."

Lines = list[tuple[Scalar | None, ...]]


@check(cost="predict")
def distance_to_frontier(group_scores: GroupScores, seed: int, level: float) -> Outcome:
    sheet, lines = Sheet(measures=MEASURES, level=level), Lines()
    for column, counts in group_scores.columns.items():
        if len(counts) < 2:
            detail = f"{column}: {count(len(counts), 'group')} of 30 rows or more, fewer than 2"
            few = Unavailable("insufficient_data", detail, "give more rows of each group")
            sheet.omit("accuracy_below_frontier", few, n=0, rows=int(counts.sum()), params={"column": column})
            continue
        halves = by_group.halved(counts, generator(seed, f"distance_to_frontier {column}"))
        for rate in RATES:
            _measure(sheet, lines, column, rate, halves)
    return sheet.outcome(*([_table(lines, level)] if lines else []))


def _measure(sheet: Sheet, lines: Lines, column: str, rate: Constraint, halves: by_group.Halves) -> None:
    given: dict[str, Scalar] = {"column": column, "rate": rate}
    n = int(halves.judged.sum())

    def below() -> Basis:
        own = float(np.ptp(by_group.own_rates(halves.chosen, rate)))
        return by_group.accuracy_gain(halves.judged, by_group.thresholds(halves.chosen, rate, own))

    def removed() -> Basis:
        least = by_group.smallest_gap_without_loss(halves.chosen, rate, TOLERANCES)
        return by_group.gap_removed(halves, by_group.thresholds(halves.chosen, rate, least), rate)

    def cost(gap: float) -> Basis:
        select = by_group.thresholds(halves.chosen, rate, gap)
        basis = by_group.accuracy_cost(halves.judged, select)
        own, then = map(abs, by_group.gap_under(halves, select, rate))
        bounds = interval(basis, sheet.level)
        words = _said(own, then, value(basis))
        lines.append((column, RATES[rate], own, then, value(basis), bounds.lower, bounds.upper, words))
        return basis

    sheet.add("accuracy_below_frontier", below, n=n, params=given, columns=(column,))
    sheet.add("gap_removable_at_no_cost", removed, n=n, params=given, columns=(column,))
    for gap in SMALLER:
        sheet.add("accuracy_cost_of_gap", partial(cost, gap), n=n, params={**given, "gap": gap}, columns=(column,))


def _said(own: float, then: float, cost: float) -> str:
    """One line as a person would say it."""
    price = f"costs {100 * cost:.1f}" if cost >= 0 else f"gains {-100 * cost:.1f}"
    return f"gap {own:.2f} -> {then:.2f} {price} points of accuracy by group thresholds alone"


def _table(lines: Lines, level: float) -> Table:
    names = ("by", "rate", "gap now", "gap then", "accuracy given up", "lower", "upper", "in words")
    note = f"On the half of the rows that chose no threshold; bounds at {level:.0%}. {UNLAWFUL}"
    title = "What a smaller gap would cost in accuracy"
    return Table(name="cost_of_a_smaller_gap", title=title, columns=names, rows=tuple(lines), note=note)
