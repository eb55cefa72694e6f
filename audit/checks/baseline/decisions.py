"""What replacing the model now in use would change, and for whom: every decision and rate, on the same rows.

Why it matters: a new model that is better on the whole can be worse for somebody, and those who lose by a change ask
who looked. Two reports side by side cannot tell: their intervals hold the chance of which rows were drawn, which both
models share. On the same rows only those decided otherwise count, so that far smaller losses show.

How it is measured: model and baseline decide the same rows. The change of accuracy, and in binary tasks of selection,
true and false positive rate, is a paired difference, model minus baseline, with Tango's score interval (with weights or
clusters the mean of the rows' differences); that of the predictive values a difference of two shares of nearly the same
rows, narrowed to its paired standard error. For all rows and every group and crossing, with how many rows turned right
and wrong and McNemar's exact p-value beside it. Churn is the share of rows decided otherwise, good or bad.
``detectable_change_from_baseline`` is what these rows could have shown, 2.8 sqrt(churn / n), and
``equivalence_margin_from_baseline`` the margin within which both are shown to be equally accurate. Rows that the
baseline did not decide are left out; one that only the model cannot decide counts against it. Models that decide every
row alike still get a width: the rows do not show that no other row would differ.

How to reduce the risk: read the rows that turned wrong in the group that loses most, train on more like them or keep
the baseline for that group until the new model is mended; then measure again. A limit with ``min`` says how much any
group may lose.

Sources: Tango 1998, Statistics in Medicine 17; McNemar 1947, Psychometrika 12; Moskowitz & Pepe 2006, Clinical Trials
3; Schuirmann 1987 (equivalence); Milani Fard et al., NeurIPS 2016 (churn).
"""

from __future__ import annotations

from audit.check import check
from audit.checks._pair_decisions import add_decisions, add_overall, table_lines
from audit.checks._pair_table import Heading, by_group
from audit.checks._pairs import BASELINE, Pair
from audit.checks._support import Sheet
from audit.inputs.baseline import Baseline
from audit.inputs.groups import Groups
from audit.inputs.predictions import Predictions
from audit.inputs.sampling import Sampling
from audit.results import Outcome, Table

REQUIRES = {"tasks": ("binary", "multiclass")}

MEASURES: dict[str, dict[str, object]] = {
    "accuracy_change_from_baseline": {"unit": "1", "better": "higher", "words": "change of accuracy from the baseline"},
    "selection_rate_change_from_baseline": {
        "unit": "1",
        "better": "zero",
        "words": "change of the share selected from the baseline",
    },
    "true_positive_rate_change_from_baseline": {
        "unit": "1",
        "better": "higher",
        "words": "change of the true positive rate from the baseline",
    },
    "false_positive_rate_change_from_baseline": {
        "unit": "1",
        "better": "lower",
        "words": "change of the false positive rate from the baseline",
    },
    "positive_predictive_value_change_from_baseline": {
        "unit": "1",
        "better": "higher",
        "words": "change of the share of selected who are positive from the baseline",
    },
    "negative_predictive_value_change_from_baseline": {
        "unit": "1",
        "better": "higher",
        "words": "change of the share of not selected who are negative from the baseline",
    },
    "churn_from_baseline": {"unit": "1", "better": "none", "words": "share decided otherwise than by the baseline"},
    "detectable_change_from_baseline": {
        "unit": "1",
        "better": "lower",
        "words": "smallest change of accuracy from the baseline that would have shown",
    },
    "equivalence_margin_from_baseline": {
        "unit": "1",
        "better": "lower",
        "words": "smallest margin within which model and baseline are shown equally accurate",
    },
}

HEADING = Heading(
    name="baseline by group",
    title="The model and its baseline, row by row",
    now="accuracy of the model",
    before="of the baseline",
)


@check(cost="predict")
def decisions(
    baseline: Baseline, predictions: Predictions, groups: Groups, sampling: Sampling, level: float
) -> Outcome:
    sheet = Sheet(measures=MEASURES, level=level)
    pair = Pair.of(BASELINE, predictions, baseline.predictions)
    for group, at in groups.over(pair.rows):
        add_decisions(sheet, pair.at(at), group, sampling)
    add_overall(sheet, pair, sampling)
    tables: list[Table] = [by_group(table_lines(pair, groups), HEADING, level)] if pair.labelled.any() else []
    return sheet.outcome(*tables)
