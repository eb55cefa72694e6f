"""What rows of unknown group, and wrong group labels, could do to a gap in selection.

Why it matters: sensitive attributes are often missing or guessed. Dropping the rows without one takes for granted that
they are like the others; those who do not say who they are seldom are.

How it is measured: for each sensitive column, the two known groups whose selection rates differ most. If the rows of
unknown group belonged to either or to neither, in the worst way, the gap would lie between sharp bounds, widened to the
interval that sampling adds: an assumption range, not an estimate. The curve shows the same bounds for a growing share
of wrong labels among the rows of the two groups: where it meets a limit is how wrong the labels would have to be to
turn the verdict on it. Set missing = "bounds" in [data.test] to have the range measured and every limit on a rate by
group judged on such bounds, with no group of unknown rows; the curve is always drawn.

How to reduce the risk: Ask for the attribute again, with the reason why it is asked. Where labels were inferred, check
a sample of them by hand and compare the share that is wrong with the curve.

Sources: Kallus, Mao & Zhou, Management Science 2022; Chen et al., FAccT 2019 (fairness under unawareness).
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from audit import wording
from audit.case import Case
from audit.check import check
from audit.checks._support import Sheet
from audit.data import Dataset
from audit.errors import Unavailable
from audit.inputs.decisions import Decisions
from audit.inputs.groups import Groups, GroupSet
from audit.results import Basis, Curve, Outcome, Series
from audit.stats import Tally, assumption_range, missing_label_bounds, sensitivity_curve

MEASURES: dict[str, dict[str, object]] = {
    "selection_gap_with_unknown": {
        "unit": "1",
        "better": "zero",
        "words": "largest gap in selection, whoever the rows of unknown group are",
        "params": {"groups": "str"},
    },
}
SHARES = (0.0, 0.005, 0.01, 0.02, 0.03, 0.04, 0.05, 0.075, 0.1, 0.15, 0.2)
FEWEST = 30


@check(cost="predict")
def unknown_groups(decisions: Decisions, data: Dataset, case: Case, groups: Groups, level: float) -> Outcome:
    columns = [group_set for group_set in groups.sets if len(group_set.columns) == 1]
    if not columns:
        raise Unavailable("missing_input", "no sensitive column was named", "give groups in [data.test]")
    sheet, curves = Sheet(measures=MEASURES, level=level), []
    for group_set in columns:
        known, unknown = _tallies(group_set, decisions)
        about = {"groups": group_set.columns[0]}
        enough = {name: tally for name, tally in known.items() if tally.n >= FEWEST}
        if len(enough) < 2:
            why = Unavailable("insufficient_data", f"fewer than two groups have {FEWEST} rows", "give more rows")
            sheet.omit("selection_gap_with_unknown", why, n=data.n, rows=data.n, params=about)
            continue
        first, second = max(combinations(sorted(enough), 2), key=lambda pair: _gap(enough[pair[0]], enough[pair[1]]))
        a, b = sorted((enough[first], enough[second]), key=lambda t: -t.k / t.n)
        if case.spec.data.test.missing == "bounds":
            sheet.add(
                "selection_gap_with_unknown",
                lambda a=a, b=b, unknown=unknown: _range(a, b, unknown, level),  # type: ignore[misc]
                n=a.n + b.n + unknown.n,
                params=about,
                columns=group_set.columns,
            )
        curves.append(_curve(group_set.columns[0], (first, second), a, b, level))
    return sheet.outcome(*curves)


def _tallies(group_set: GroupSet, found: Decisions) -> tuple[dict[str, Tally], Tally]:
    """Selected of all rows: of each known group by its name, and of the rows of unknown group."""
    codes, size = group_set.codes[found.rows], len(group_set.levels)
    n, k = np.bincount(codes, minlength=size), np.bincount(codes[found.positive], minlength=size)
    named = [(next(iter(level.values())), Tally(int(k[i]), int(n[i]))) for i, level in enumerate(group_set.levels)]
    unknown = [tally for name, tally in named if name is None]
    return {name: tally for name, tally in named if name is not None}, unknown[0] if unknown else Tally(0, 0)


def _gap(a: Tally, b: Tally) -> float:
    return abs(a.k / a.n - b.k / b.n)


def _range(a: Tally, b: Tally, unknown: Tally, level: float) -> Basis:
    bounds = missing_label_bounds(a, b, unknown, level).interval
    return assumption_range(a.k / a.n - b.k / b.n, bounds.lower, bounds.upper, level)


def _curve(column: str, names: tuple[str, str], a: Tally, b: Tally, level: float) -> Curve:
    bounds = sensitivity_curve(a, b, SHARES, level)
    gap = a.k / a.n - b.k / b.n
    label = f"{wording.label(names[0])} and {wording.label(names[1])}"
    line = Series(
        label=label,
        x=SHARES,
        y=(gap,) * len(SHARES),
        lower=tuple(found.interval.lower for found in bounds),
        upper=tuple(found.interval.upper for found in bounds),
        n=(a.n + b.n,) * len(SHARES),
    )
    return Curve(
        name=f"wrong labels by {column}",
        title=wording.text(f"The gap in selection if group labels were wrong, by {column}"),
        x_label="share of wrong labels among both groups",
        y_label="gap in selection",
        series=(line,),
        note="The worst assignment of that many wrong labels, with sampling: where the band meets a limit it turns.",
    )
