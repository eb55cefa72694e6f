"""Which rows model and baseline are compared on, and which baseline it was.

Why it matters: a baseline that said nothing of some rows is compared on the others, and those may be the easier ones.

How it is measured: rows with a usable prediction of both, counted over all of them and every group and crossing, as a
share of the rows; and the rows that the baseline, or the model, left without one. All exact. The file of the baseline
is named with its hash.

How to reduce the risk: run the baseline on the rows that it left out, or find out why it gave nothing for them.

Sources: none; a count.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from audit.check import check
from audit.checks._support import Sheet
from audit.errors import Unavailable
from audit.inputs.baseline import Baseline
from audit.inputs.groups import Groups
from audit.inputs.predictions import Predictions
from audit.results import Outcome, Table
from audit.stats import exact

MEASURES: dict[str, dict[str, object]] = {
    "compared_rows_share": {"unit": "1", "better": "higher", "words": "share of the rows that both predicted"},
    "rows_without_baseline": {"unit": "rows", "better": "lower", "words": "rows that the baseline did not predict"},
    "rows_only_baseline": {"unit": "rows", "better": "lower", "words": "rows that only the baseline predicted"},
}


@check(cost="predict")
def compared(baseline: Baseline, predictions: Predictions, groups: Groups, level: float) -> Outcome:
    new, old = (_usable(found) for found in (predictions, baseline.predictions))
    if not old.any():
        raise Unavailable("undefined", "the baseline predicted no row", "find out why its predictions are missing")
    sheet = Sheet(measures=MEASURES, level=level)
    for group, at in groups.over(np.arange(len(new))):
        share, without, alone = (new & old)[at].mean(), (~old)[at].sum(), (old & ~new)[at].sum()
        for name, count in (
            ("compared_rows_share", share),
            ("rows_without_baseline", without),
            ("rows_only_baseline", alone),
        ):
            sheet.add(name, partial(exact, float(count)), n=len(at), slice=group)
    same = _alike(predictions, baseline.predictions)
    rows = (("baseline", baseline.name), ("sha256", baseline.sha256 or "columns of the table"), ("answers", same))
    return sheet.outcome(Table(name="baseline", title="The baseline", columns=("what", "is"), rows=rows))


def _usable(found: Predictions) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Rows with a decision, or with a score where nothing is decided."""
    if found.decided is not None:
        return found.decided
    if found.score is None:
        raise Unavailable("missing_input", "there are neither decisions nor scores", "give prediction or score")
    return np.isfinite(found.score)


def _alike(new: Predictions, old: Predictions) -> str:
    """Whether both say the same of every row, which two models that differ seldom do."""
    pairs = [
        (a, b) for a, b in ((new.decision, old.decision), (new.score, old.score)) if a is not None and b is not None
    ]
    alike = bool(pairs) and all(np.array_equal(a, b, equal_nan=True) for a, b in pairs)
    return "the same for every row: is it the same model?" if alike else "not the same for every row"
