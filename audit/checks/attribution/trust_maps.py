"""How far attribution maps can be trusted: tests that a good map passes and a picture of nothing fails.

Why it matters: half of the known ways to make a map go wrong give a plausible picture and no error. A map that is not
tested persuades whether or not it is true.

How it is measured: on up to eight rows, for every method. T0: outputs finite, reproducible and what they were declared
to be. T1: the relative error of the sum. T2: the change in the last refinement. T3: on four rows, Spearman's rho with
maps of two networks whose parameters were drawn anew. T4: the correlation of what a map says was covered with the fall
of the output, over eighteen random covers of a tenth and of three tenths, by the one of two fills that suits the method
better, with its p among shuffled maps; and the share of random orders that the map's own order beats.
T5: rho with the map of the row with noise, a tenth of a standard deviation. T6: rho with the family that agrees most.
T7: the top tenth shared with another baseline. T8, the gap to real rows, is asked of tables alone: a covered picture is
told at sight. T9, the tests by group, has a check of its own. The grade (A, B, C, withheld) follows from rules in
trust@1.toml; a withheld map is not drawn. Intervals are over the rows. A good grade says that the map follows this
model, not that the model is right.

How to reduce the risk: where maps are withheld, do not argue with them; use a method of another family, smoother
activations, or a model that can be read directly.

Sources: Adebayo et al., NeurIPS 2018; Hedström et al. 2024 (randomisation); Yeh et al., NeurIPS 2019 (infidelity,
sensitivity); Petsiuk et al., BMVC 2018 (deletion, insertion); Krishna et al., TMLR 2024 (disagreement).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from audit.attribution.maps import MapExplanation
from audit.attribution.trust_grades import Trust
from audit.check import check
from audit.checks._support import Sheet
from audit.checks.attribution._trust import trust_table, withheld_maps
from audit.errors import Unavailable
from audit.inputs.explained_maps import ExplainedMaps
from audit.results import Basis, Outcome
from audit.stats import exact, mean, rate

MEASURES: Mapping[str, Mapping[str, object]] = {
    "trust_withheld_share": {"unit": "1", "better": "lower", "words": "share of attribution maps that are withheld"},
    "trust_completeness_error": {
        "unit": "1",
        "better": "lower",
        "words": "T1, relative error of a map's sum",
        "params": {"method": "str"},
    },
    "trust_numerical_error": {
        "unit": "1",
        "better": "lower",
        "words": "T2, change of a map in the last refinement",
        "params": {"method": "str"},
    },
    "trust_randomisation": {
        "unit": "1",
        "better": "lower",
        "words": "T3, rank correlation with maps of networks that learnt nothing",
        "params": {"method": "str"},
    },
    "trust_faithfulness": {
        "unit": "1",
        "better": "higher",
        "words": "T4, correlation of what is covered with the fall of the output",
        "params": {"method": "str"},
    },
    "trust_faithfulness_p": {
        "unit": "1",
        "better": "lower",
        "words": "T4, permutation p of that correlation among shuffled maps",
        "params": {"method": "str"},
    },
    "trust_deletion": {
        "unit": "1",
        "better": "higher",
        "words": "T4, share of random orders that the map's order beats in covering",
        "params": {"method": "str"},
    },
    "trust_insertion": {
        "unit": "1",
        "better": "higher",
        "words": "T4, share of random orders that the map's order beats in uncovering",
        "params": {"method": "str"},
    },
    "trust_stability": {
        "unit": "1",
        "better": "higher",
        "words": "T5, rank correlation with maps of noisy rows",
        "params": {"method": "str"},
    },
    "trust_max_sensitivity": {
        "unit": "1",
        "better": "lower",
        "words": "T5, largest relative change of a map under noise",
        "params": {"method": "str"},
    },
    "trust_agreement": {
        "unit": "1",
        "better": "higher",
        "words": "T6, rank correlation with the family that agrees most",
        "params": {"method": "str"},
    },
    "trust_baseline_overlap": {
        "unit": "1",
        "better": "higher",
        "words": "T7, top tenth shared with another baseline",
        "params": {"method": "str"},
    },
}
COUNTED = (
    "trust_faithfulness_p",
    "trust_deletion",
    "trust_insertion",
    "trust_baseline_overlap",
)  # bounded by 0 and 1, often all the same


@check(cost="gradient")
def trust_maps(explained_maps: ExplainedMaps[MapExplanation], level: float) -> Outcome:
    found = explained_maps.explanation
    sheet = Sheet(measures=MEASURES, level=level)
    grades = [grade for trust in found.trust for grade in trust.maps]
    withheld = sum(not grade.shown for grade in grades)
    sheet.add("trust_withheld_share", lambda: exact(withheld / len(grades)), n=len(grades))
    for trust in found.trust:
        _measure(sheet, trust)
    sheet.omissions.extend(withheld_maps(found))
    return sheet.outcome(trust_table(found, MEASURES))


def _measure(sheet: Sheet, trust: Trust) -> None:
    params = {"method": trust.short}
    for name, values in trust.numbers.items():
        known = values[~np.isnan(values)]
        if name in MEASURES:
            sheet.add(name, lambda name=name, known=known: _basis(name, known), n=len(known), params=params)  # type: ignore[misc]
    for name, why in trust.missing:
        sheet.omit(name, why, n=0, rows=0, params=params)


def _basis(name: str, values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Basis:
    if not len(values):
        raise Unavailable("undefined", "every map is flat", "explain rows on which the output depends on the input")
    if name in COUNTED:
        return rate(float(values.sum()), float(len(values)))
    return mean(values)
