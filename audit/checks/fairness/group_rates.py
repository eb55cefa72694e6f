"""How often the model errs, and in which direction, for each group.

Why it matters: two groups can be selected alike while one is refused wrongly far more often. Who bears which error is
what most complaints about automated decisions are about: a false alarm and a miss rarely harm the same person.

How it is measured: rates from the counts of true and false positives and negatives, with Wilson's interval and the
exact denominator of each, over all rows with a label and a decision and for every group and crossing of groups. A rate
without a denominator (the true positive rate of a group without positives) is undefined and said so; it is never 0.
Base rates that differ make it impossible to equalise all rates at once, so choose those that match the harm. Labels
are taken as the truth: where they are themselves biased, so are these rates.

How to reduce the risk: Find the group with the worst error and read its wrongly decided rows with somebody who knows
the cases. Then collect more rows or better features for that group, or review the threshold, and measure again.

Sources: Hardt, Price & Srebro, NeurIPS 2016 (equalized odds, equal opportunity); Chouldechova, Big Data 2017, and
Kleinberg, Mullainathan & Raghavan, ITCS 2017 (what cannot hold together); Wilson 1927, JASA 22.
"""

from __future__ import annotations

from functools import partial

from audit.check import check
from audit.checks._support import Sheet, share
from audit.inputs.confusion import Confusion
from audit.results import Outcome

MEASURES = {
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
}

# measure: cells that count, further cells of the denominator, and what the denominator is
RATES = {
    "true_positive_rate": (("tp",), ("fn",), "labelled positive"),
    "false_positive_rate": (("fp",), ("tn",), "labelled negative"),
    "true_negative_rate": (("tn",), ("fp",), "labelled negative"),
    "false_negative_rate": (("fn",), ("tp",), "labelled positive"),
    "positive_predictive_value": (("tp",), ("fp",), "decided positive"),
    "negative_predictive_value": (("tn",), ("fn",), "decided negative"),
    "false_discovery_rate": (("fp",), ("tp",), "decided positive"),
    "false_omission_rate": (("fn",), ("tn",), "decided negative"),
    "base_rate": (("tp", "fn"), ("tn", "fp"), "labelled and decided"),
    "error_rate": (("fp", "fn"), ("tp", "tn"), "labelled and decided"),
}


@check(cost="predict")
def group_rates(confusion: Confusion, level: float) -> Outcome:
    sheet = Sheet(measures=MEASURES, level=level)
    for i, group in enumerate(confusion.slices):
        cells = {name: int(getattr(confusion, name)[i]) for name in ("tn", "fp", "fn", "tp")}
        for name, (counted, others, of) in RATES.items():
            k = sum(cells[cell] for cell in counted)
            n = k + sum(cells[cell] for cell in others)
            sheet.add(name, partial(share, k, n, of), n=n, rows=sum(cells.values()), slice=group)
    return sheet.outcome()
