"""Whether groups get their outputs for different reasons, and which column makes the gap between them.

Why it matters: two groups may be refused equally often for different reasons, and a gap in scores has causes that can
be named. A gap that rests on one doubtful column is another problem than one that rests on differing incomes.

How it is measured: on the explained rows, each group against all others. The gap of mean scores is split exactly into
the difference of each column's mean contribution, with intervals that hold for all columns at once. Two tests, never
merged: *raw* asks whether contributions differ at all (permutation of group labels, largest difference over columns);
*mechanism* asks whether they differ for the same inputs, after a column's value and the probability of the group given
all other inputs are taken out. Groups that differ only in their inputs show in the first and not in the second. A table
says how each column and its contributions go along with the group, the mark of a proxy.

How to reduce the risk: question the columns that make the gap with those who know the domain; a mechanism difference
needs a reason, or the sensitive column and its interactions out of the model.

Sources: Shah & Peters, Annals of Statistics 48, 2020; Westfall & Young 1993; Rosenbaum & Rubin, Biometrika 70, 1983;
Balagopalan et al., FAccT 2022; Mougan et al., arXiv 2303.08040.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

import numpy as np
from numpy.typing import NDArray

from audit import wording
from audit.attribution import Explanation
from audit.attribution.disparity import Gap, gap, mechanism_test, propensities, raw_test, require_rows
from audit.attribution.group_inputs import as_numbers, propensity_design
from audit.check import check
from audit.checks._support import Sheet
from audit.checks.attribution._reasons import gap_ranking, proxy_table
from audit.data import Dataset
from audit.errors import Unavailable
from audit.inputs.explanations import Explanations
from audit.inputs.groups import Groups, Slice
from audit.results import Evidence, Outcome
from audit.stats import exact, normal

MEASURES: Mapping[str, Mapping[str, object]] = {
    "reason_disparity_p_value": {
        "unit": "1",
        "better": "none",
        "words": "p that a group's contributions differ from the others' by chance",
    },
    "mechanism_disparity_p_value": {
        "unit": "1",
        "better": "none",
        "words": "p that they differ by chance for the same inputs",
    },
    "score_gap": {"unit": "output", "better": "zero", "words": "mean score of a group less that of the others"},
    "score_gap_contribution": {
        "unit": "output",
        "better": "none",
        "words": "what a column adds to the gap of mean scores",
        "params": {"feature": "str"},
    },
}
MOST_COLUMNS, MOST_CHARTS = 20, 8

Contrast = tuple[Slice, NDArray[np.bool_]]


@check(cost="gradient")
def reasons_by_group(explanations: Explanations, groups: Groups, data: Dataset, seed: int, level: float) -> Outcome:
    found = explanations.overall
    if not groups.sets:
        raise Unavailable("missing_input", "no column has the role groups", "name groups in [data.test]")
    if len(set(found.targets)) > 1:
        raise Unavailable("not_applicable", "the rows are explained for different classes", "audit one class as binary")
    kept, rows = found.take(found.trusted), explanations.rows[found.trusted]
    sheet, sample = Sheet(measures=MEASURES, level=level), data.take(rows)
    evidence: list[Evidence] = []
    contrasts = list(_contrasts(groups, rows))
    if not contrasts:
        raise Unavailable("undefined", "the explained rows are of one group", "give rows of at least two groups")
    for contrast in contrasts:
        try:
            require_rows(contrast[1])
        except Unavailable as why:
            sheet.omit("score_gap", why, n=int(contrast[1].sum()), rows=int(contrast[1].sum()), slice=contrast[0])
            continue
        split = gap(kept.values, contrast[1], level, seed)
        _add_gap(sheet, split, contrast, kept)
        _add_tests(sheet, contrast, kept, sample, seed)
        if len(evidence) < 2 * MOST_CHARTS:
            words = wording.slice_words(contrast[0])
            evidence += [gap_ranking(split, kept, words, level), proxy_table(kept, sample, contrast[1], split, words)]
    return sheet.outcome(*evidence)


def _contrasts(groups: Groups, rows: NDArray[np.intp]) -> Iterator[Contrast]:
    """Each group of one column against all others."""
    for one in groups.sets:
        codes = one.codes[rows]
        present = [code for code in range(len(one.levels)) if (codes == code).any()]
        if len(one.columns) == 1 and len(present) > 1:
            for code in present:
                yield one.levels[code], codes == code


def _add_gap(sheet: Sheet, split: Gap, contrast: Contrast, kept: Explanation) -> None:
    slice, group = contrast
    n = int(group.sum())
    df = min(n, len(group) - n) - 1
    sheet.add("score_gap", partial(normal, split.total, split.total_error, df, n=len(group)), n=n, slice=slice)
    for j in np.argsort(-np.abs(split.parts), kind="stable")[:MOST_COLUMNS].tolist():
        name = kept.names[j]
        basis = partial(normal, float(split.parts[j]), float(split.errors[j]), df, n=len(group))
        sheet.add("score_gap_contribution", basis, n=n, slice=slice, params={"feature": name}, columns=(name,))


def _add_tests(sheet: Sheet, contrast: Contrast, kept: Explanation, sample: Dataset, seed: int) -> None:
    slice, group = contrast
    n = int(group.sum())
    raw = raw_test(kept.values, group, seed)
    sheet.add("reason_disparity_p_value", partial(exact, raw.p), n=n, slice=slice, columns=(kept.names[raw.column],))
    try:
        likely = propensities(propensity_design(sample, without=tuple(slice)), group, seed)
        same = mechanism_test(kept.values, as_numbers(sample), group, likely, seed)
    except Unavailable as why:
        sheet.omit("mechanism_disparity_p_value", why, n=n, rows=n, slice=slice)
        return
    columns = (kept.names[same.column],)
    sheet.add("mechanism_disparity_p_value", partial(exact, same.p), n=n, slice=slice, columns=columns)
