"""What a smaller form of the model changes, for whom: accuracy and rates of every group, paired; churn; equivalence.

Why it matters: compression keeps the accuracy of the whole and takes it from few: rare groups bear most of the harm
(Hooker et al. 2020). That shows only group by group, and only against what training again would have changed anyway.

How it is measured: model and variant decide the same rows. The change of accuracy, and in binary tasks of selection,
true and false positive rate, is a paired difference with Tango's score interval (with weights or clusters the mean of
the rows' differences), that of the predictive values a difference of two shares of nearly the same rows, for all rows
and every group; a limit with ``min`` and ``max`` on it passes when the form is shown to be equivalent within that
margin (two one-sided tests), and ``variant_equivalence_margin`` is the smallest such margin. Churn is the share of rows
decided otherwise. A variant named ``seed...`` is the model trained again: the excess of churn over it is what
compression adds to chance. ``variant_detectable_change`` is what these rows could have shown, 2.8 sqrt(churn / n);
where it is larger than what would matter, nothing found means nothing. A row that a variant cannot decide counts as
changed and wrong. Selection is for the favourable outcome. Several classes: ``efficiency.variant_classes``; scores:
``efficiency.variant_scores``; regressions: ``efficiency.variant_errors``.

How to reduce the risk: where a group loses, keep the larger form for it or fine-tune the smaller one with its rows
weighted up; prune less; calibrate the quantisation on data that hold the group; measure again.

Sources: Hooker et al. 2020, arXiv 2010.03058; Tango 1998, Statistics in Medicine 17; Schuirmann 1987; McNemar 1947;
Milani Fard et al., NeurIPS 2016 (churn); Moskowitz & Pepe 2006, Clinical Trials 3 (predictive values).
"""

from __future__ import annotations

from audit.check import check
from audit.checks._pair_decisions import add_decisions, add_overall, table_lines
from audit.checks._pair_table import by_group
from audit.checks._support import Sheet
from audit.checks.efficiency._changes import Compressed, add_excess
from audit.inputs.groups import Groups
from audit.inputs.predictions import Predictions
from audit.inputs.sampling import Sampling
from audit.inputs.variants import Variants
from audit.results import Outcome, Table

REQUIRES = {"tasks": ("binary", "multiclass")}

MEASURES: dict[str, dict[str, object]] = {
    "variant_churn": {"unit": "1", "better": "lower", "words": "changed decisions", "params": {"variant": "each"}},
    "variant_excess_churn": {
        "unit": "1",
        "better": "lower",
        "words": "changed decisions beyond another seed's",
        "params": {"variant": "each"},
    },
    "variant_accuracy_change": {
        "unit": "1",
        "better": "higher",
        "words": "change of accuracy",
        "params": {"variant": "each"},
    },
    "variant_selection_rate_change": {
        "unit": "1",
        "better": "zero",
        "words": "change of the share selected",
        "params": {"variant": "each"},
    },
    "variant_true_positive_rate_change": {
        "unit": "1",
        "better": "higher",
        "words": "change of the true positive rate",
        "params": {"variant": "each"},
    },
    "variant_false_positive_rate_change": {
        "unit": "1",
        "better": "lower",
        "words": "change of the false positive rate",
        "params": {"variant": "each"},
    },
    "variant_positive_predictive_value_change": {
        "unit": "1",
        "better": "higher",
        "words": "change of the share of selected who are positive",
        "params": {"variant": "each"},
    },
    "variant_negative_predictive_value_change": {
        "unit": "1",
        "better": "higher",
        "words": "change of the share of not selected who are negative",
        "params": {"variant": "each"},
    },
    "variant_detectable_change": {
        "unit": "1",
        "better": "lower",
        "words": "smallest change of accuracy that would have shown",
        "params": {"variant": "each"},
    },
    "variant_equivalence_margin": {
        "unit": "1",
        "better": "lower",
        "words": "smallest margin within which accuracy is shown equal",
        "params": {"variant": "each"},
    },
}


@check(cost="predict")
def variants(variants: Variants, predictions: Predictions, groups: Groups, sampling: Sampling, level: float) -> Outcome:
    sheet = Sheet(measures=MEASURES, level=level)
    tables: list[Table] = []
    for variant in variants.every:
        found = Compressed.of(variant, variants, predictions)
        pair = found.pair
        for group, at in groups.over(pair.rows):
            add_decisions(sheet, pair.at(at), group, sampling)
            add_excess(sheet, found, group, at, sampling)
        add_overall(sheet, pair, sampling)
        if pair.labelled.any():
            tables.append(by_group(table_lines(pair, groups, found.by_seeds), found.heading, level))
    return sheet.outcome(*tables)
