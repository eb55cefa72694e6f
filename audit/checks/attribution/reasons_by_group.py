"""Whether groups get their outputs for different reasons, and which column makes the gap between them.

Why it matters: two groups may be refused equally often for different reasons, and a gap in scores has causes that can
be named. A gap that rests on one doubtful column is another problem than one that rests on differing incomes.

How it is measured: on the explained rows, each group against all others; a group of which the sample holds fewer than
30 rows is given rows of its own, drawn at random. For several classes one class at a time, and each p holds for all
classes at once. The gap of mean scores is split exactly into
the difference of each column's mean contribution, with intervals that hold for all columns at once. Two tests, never
merged: *raw* asks whether contributions differ at all (permutation of group labels, largest difference over columns);
*mechanism* asks whether they differ for the same inputs, after a column's value and the probability of the group given
all other inputs are taken out. Groups that differ only in their inputs show in the first and not in the second. A table
says how each column and its contributions go along with the group, the mark of a proxy. Columns that [feature_groups]
names together are one reason; a sensitive column among them stands by itself here, so that it cannot hide in a group.

How to reduce the risk: question the columns that make the gap with those who know the domain; a mechanism difference
needs a reason, or the sensitive column and its interactions out of the model.

Sources: Shah & Peters, Annals of Statistics 48, 2020; Westfall & Young 1993; Rosenbaum & Rubin, Biometrika 70, 1983;
Balagopalan et al., FAccT 2022; Mougan et al., arXiv 2303.08040.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from audit import wording
from audit.attribution import Explanation
from audit.attribution.disparity import Gap, Test, gap, mechanism_tests, propensities, raw_tests, require_rows
from audit.attribution.group_inputs import own_numbers, propensity_design, same_attribute
from audit.check import check
from audit.checks._support import Sheet
from audit.checks.attribution._reasons import gap_ranking, proxy_table
from audit.data import Dataset
from audit.errors import Unavailable
from audit.inputs.group_explanations import Contrast, GroupExplanations
from audit.results import Evidence, Outcome, Scalar
from audit.stats import exact, normal

MEASURES: Mapping[str, Mapping[str, object]] = {
    "reason_disparity_p_value": {
        "unit": "1",
        "better": "none",
        "words": "p that a group's contributions differ from the others' by chance",
        "params": {"class": "str"},
    },
    "mechanism_disparity_p_value": {
        "unit": "1",
        "better": "none",
        "words": "p that they differ by chance for the same inputs",
        "params": {"class": "str"},
    },
    "score_gap": {
        "unit": "output",
        "better": "zero",
        "words": "mean score of a group less that of the others",
        "params": {"class": "str"},
    },
    "score_gap_contribution": {
        "unit": "output",
        "better": "none",
        "words": "what a column adds to the gap of mean scores",
        "params": {"feature": "str", "class": "str"},
    },
}
MOST_COLUMNS, MOST_CHARTS = 20, 8


@check(cost="gradient")
def reasons_by_group(group_explanations: GroupExplanations, data: Dataset, seed: int, level: float) -> Outcome:
    found, sheet = group_explanations, Sheet(measures=MEASURES, level=level)
    evidence: list[Evidence] = []
    for name in found.left_out:
        why = Unavailable("not_applicable", "rarely predicted, too many classes", "audit this class against the rest")
        sheet.omit("score_gap", why, n=0, rows=len(found.rows), params={"class": name})
    for one in found.contrasts:
        n = len(one.inside)
        try:
            require_rows(one.group)
        except Unavailable as why:
            sheet.omit("score_gap", why, n=n, rows=n, slice=one.slice)
            continue
        kept = [explained.take(one.at) for explained in found.explanations]
        sample = data.take(found.rows[one.at])
        splits = [gap(explained.values, one.group, level, seed) for explained in kept]
        for name, explained, split in zip(found.classes, kept, splits, strict=True):
            _add_gap(sheet, split, one, explained, name)
            if len(evidence) < 2 * MOST_CHARTS:
                words = wording.slice_words(one.slice) + (f", {name}" if name else "")
                evidence += [
                    gap_ranking(split, explained, words, level),
                    proxy_table(explained, sample, one.group, split, words),
                ]
        _add_tests(sheet, one, found.classes, kept, sample, seed)
    return sheet.outcome(*evidence)


def _add_gap(sheet: Sheet, split: Gap, contrast: Contrast, kept: Explanation, name: str) -> None:
    n, size = len(contrast.inside), len(contrast.at)
    df, slice, of = min(n, size - n) - 1, contrast.slice, _class(name)
    basis = partial(normal, split.total, split.total_error, df, n=size)
    sheet.add("score_gap", basis, n=n, slice=slice, params=of, unit=kept.unit)
    for j in np.argsort(-np.abs(split.parts), kind="stable")[:MOST_COLUMNS].tolist():
        feature = kept.names[j]
        basis = partial(normal, float(split.parts[j]), float(split.errors[j]), df, n=size)
        params = {"feature": feature, **of}
        own = kept.columns_of(feature)
        sheet.add("score_gap_contribution", basis, n=n, slice=slice, params=params, columns=own, unit=kept.unit)


def _add_tests(
    sheet: Sheet, contrast: Contrast, classes: Sequence[str], kept: Sequence[Explanation], sample: Dataset, seed: int
) -> None:
    phis, group, n = [one.values for one in kept], contrast.group, len(contrast.inside)
    names = kept[0].names

    def add(measure: str, tests: Sequence[Test]) -> None:
        for of, test in zip(classes, tests, strict=True):
            basis, columns = partial(exact, test.p), kept[0].columns_of(names[test.column])
            sheet.add(measure, basis, n=n, slice=contrast.slice, params=_class(of), columns=columns)

    add("reason_disparity_p_value", raw_tests(phis, group, seed))
    try:
        without = same_attribute(sample, tuple(contrast.slice))
        likely = propensities(propensity_design(sample, without=without), group, seed)
        add("mechanism_disparity_p_value", mechanism_tests(phis, own_numbers(sample), group, likely, seed))
    except Unavailable as why:
        sheet.omit("mechanism_disparity_p_value", why, n=n, rows=n, slice=contrast.slice)


def _class(name: str) -> Mapping[str, Scalar]:
    return {"class": name} if name else {}
