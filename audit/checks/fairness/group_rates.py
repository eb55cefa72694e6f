"""How often the model errs, and in which direction, for each group.

Why it matters: two groups can be selected alike while one is refused wrongly far more often. Who bears which error is
what most complaints about automated decisions are about: a false alarm and a miss rarely harm the same person.

How it is measured: rates from the counts of true and false positives and negatives, with Wilson's interval and the
exact denominator of each, over all rows with a label and a decision and for every group and crossing of groups. A rate
without a denominator (the true positive rate of a group without positives) is undefined and said so; it is never 0.
Weights and clusters, where columns are named for them, enter the interval. The field's named comparisons are formed
from these rates: equalized odds is the worse of two gaps, average odds the gap of their mean, average absolute odds the
mean of their gaps; treatment equality compares FN / (FN + FP), since FN / FP has no value where FP is 0.
Base rates that differ make it impossible to equalise all rates at once, so choose those that match the harm. Labels
are taken as the truth: where they are themselves biased, so are these rates.

How to reduce the risk: Find the group with the worst error and read its wrongly decided rows with somebody who knows
the cases. Then collect more rows or better features for that group, or review the threshold, and measure again.

Sources: Hardt, Price & Srebro, NeurIPS 2016 (equalized odds, equal opportunity); Chouldechova, Big Data 2017, and
Kleinberg, Mullainathan & Raghavan, ITCS 2017 (what cannot hold together); Berk et al., Sociological Methods & Research
2021 (treatment equality, conditional use accuracy); Wilson 1927, JASA 22.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from audit.check import check
from audit.checks._support import Sheet, share
from audit.inputs.classified import Classified
from audit.inputs.confusion import Confusion
from audit.inputs.groups import Groups
from audit.inputs.sampling import Sampling
from audit.results import Outcome

MEASURES: dict[str, dict[str, object]] = {
    "true_positive_rate": {"unit": "1", "better": "higher", "words": "true positive rate"},
    "false_positive_rate": {"unit": "1", "better": "lower", "words": "false positive rate"},
    "true_negative_rate": {"unit": "1", "better": "higher", "words": "true negative rate"},
    "false_negative_rate": {"unit": "1", "better": "lower", "words": "false negative rate"},
    "positive_predictive_value": {"unit": "1", "better": "higher", "words": "share of selected who are positive"},
    "negative_predictive_value": {"unit": "1", "better": "higher", "words": "share of not selected who are negative"},
    "false_discovery_rate": {"unit": "1", "better": "lower", "words": "share of selected who are negative"},
    "false_omission_rate": {"unit": "1", "better": "lower", "words": "share of not selected who are positive"},
    "base_rate": {"unit": "1", "better": "none", "words": "share who are positive"},
    "error_rate": {"unit": "1", "better": "lower", "words": "share decided wrongly"},
    "miss_share_of_errors": {"unit": "1", "better": "none", "words": "share of errors that are misses"},
    "equal_opportunity_difference": {"words": "equal opportunity, true positive rate", "of": ["true_positive_rate"]},
    "equal_opportunity_ratio": {"words": "equal opportunity, true positive rate", "of": ["true_positive_rate"]},
    "predictive_equality_difference": {
        "words": "predictive equality, false positive rate",
        "of": ["false_positive_rate"],
    },
    "predictive_equality_ratio": {"words": "predictive equality, false positive rate", "of": ["false_positive_rate"]},
    "equalized_odds_difference": {"words": "equalized odds", "of": ["true_positive_rate", "false_positive_rate"]},
    "equalized_odds_ratio": {"words": "equalized odds", "of": ["true_positive_rate", "false_positive_rate"]},
    "average_odds_difference": {
        "words": "average odds, mean of true and false positive rate",
        "of": ["true_positive_rate", "false_positive_rate"],
        "combine": "mean",
    },
    "average_abs_odds_difference": {
        "words": "average absolute odds, true and false positive rate",
        "of": ["true_positive_rate", "false_positive_rate"],
        "combine": "mean_gap",
    },
    "average_odds_ratio": {
        "words": "average odds, true and false positive rate",
        "of": ["true_positive_rate", "false_positive_rate"],
        "combine": "mean_gap",
    },
    "predictive_parity_difference": {
        "words": "predictive parity, share of selected who are positive",
        "of": ["positive_predictive_value"],
    },
    "predictive_parity_ratio": {
        "words": "predictive parity, share of selected who are positive",
        "of": ["positive_predictive_value"],
    },
    "conditional_use_accuracy_difference": {
        "words": "conditional use accuracy",
        "of": ["positive_predictive_value", "negative_predictive_value"],
    },
    "treatment_equality_difference": {
        "words": "treatment equality, share of errors that are misses",
        "of": ["miss_share_of_errors"],
    },
}

TN, FP, FN, TP = range(4)  # 2 x label + decision

# measure: cells that count, further cells of the denominator, and what the denominator is
RATES = {
    "true_positive_rate": ((TP,), (FN,), "labelled positive"),
    "false_positive_rate": ((FP,), (TN,), "labelled negative"),
    "true_negative_rate": ((TN,), (FP,), "labelled negative"),
    "false_negative_rate": ((FN,), (TP,), "labelled positive"),
    "positive_predictive_value": ((TP,), (FP,), "decided positive"),
    "negative_predictive_value": ((TN,), (FN,), "decided negative"),
    "false_discovery_rate": ((FP,), (TP,), "decided positive"),
    "false_omission_rate": ((FN,), (TN,), "decided negative"),
    "base_rate": ((TP, FN), (TN, FP), "labelled and decided"),
    "error_rate": ((FP, FN), (TP, TN), "labelled and decided"),
    "miss_share_of_errors": ((FN,), (FP,), "decided wrongly"),
}


@check(cost="predict")
def group_rates(
    confusion: Confusion, classified: Classified, groups: Groups, sampling: Sampling, level: float
) -> Outcome:
    sheet = Sheet(measures=MEASURES, level=level)
    if sampling.plain:
        _from_counts(sheet, confusion)
    else:
        _from_rows(sheet, classified, groups, sampling)
    return sheet.outcome()


def _from_counts(sheet: Sheet, confusion: Confusion) -> None:
    table = np.column_stack([confusion.tn, confusion.fp, confusion.fn, confusion.tp]).tolist()
    for group, cells in zip(confusion.slices, table, strict=True):
        for name, (counted, others, of) in RATES.items():
            k = sum(cells[cell] for cell in counted)
            n = k + sum(cells[cell] for cell in others)
            sheet.add(name, partial(share, k, n, of), n=n, rows=sum(cells), slice=group)


def _from_rows(sheet: Sheet, found: Classified, groups: Groups, sampling: Sampling) -> None:
    cell = 2 * (found.label == found.positive) + (found.decision == found.positive)
    for group, at in groups.over(found.rows):
        for name, (counted, others, of) in RATES.items():
            here = at[np.isin(cell[at], counted + others)]
            hits = np.isin(cell[here], counted)
            rate = partial(sampling.rate, hits, found.rows[here], of)
            sheet.add(name, rate, n=len(here), rows=len(at), slice=group)
