"""Whether probabilities mean what they say, overall and for every group.

Why it matters: a score of 0.3 should mean that the outcome happens in 30 % of such cases, whoever the person is. Where
it does not, every decision by expected cost is wrong, and a group whose risk is overstated is refused more than it
should be.

How it is measured: calibration in the large is the mean of outcome minus score (observed minus expected): positive
where the scores are too low. The calibration slope of a logistic regression of the outcome on the score's logit is 1
where the scores are right and below 1 where they are too extreme. The expected calibration error over 15 bins of equal
mass is debiased: what calibrated scores would show by chance is taken off, since otherwise small groups always look
worse. The cumulative error (ECCE) needs no bins: the range of the summed differences in order of the score, with the
probability of one as large if the scores were right. The chart shows ten bins of equal mass with Wilson intervals,
fewer for small groups. Over all rows and for every group and crossing.

How to reduce the risk: Recalibrate on rows that the model was not trained on (a logistic or isotonic map), and check
the groups again. A slope below 1 is the usual sign of overfitting; a shift in the large, of a base rate that has
moved.

Sources: Cox, Biometrika 1958; Van Calster et al., BMC Medicine 2019 (calibration in the large, slope); Arrieta-Ibarra
et al., JMLR 2022 (ECCE); Roelofs et al., AISTATS 2022 (bias of ECE); Wilson 1927, JASA 22.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from audit.check import check
from audit.checks._support import Places, Sheet, curves
from audit.inputs.groups import Groups, Slice
from audit.inputs.probabilities import Probabilities
from audit.inputs.sampling import Sampling
from audit.results import Basis, Curve, Outcome, Series
from audit.stats import (
    calibration_in_the_large,
    calibration_slope,
    ecce,
    ecce_p_value,
    exact,
    expected_calibration_error,
    interval,
    rate,
    weighted_calibration_slope,
)

MEASURES = {
    "calibration_in_the_large": {"unit": "1", "better": "zero", "words": "observed minus expected outcome rate"},
    "calibration_slope": {"unit": "1", "better": "one", "words": "calibration slope"},
    "expected_calibration_error": {"unit": "1", "better": "lower", "words": "expected calibration error"},
    "ecce": {"unit": "1", "better": "lower", "words": "cumulative calibration error"},
    "ecce_p_value": {"unit": "1", "better": "none", "words": "p-value of the cumulative calibration error"},
}

BINS = 10
FEWEST = 10  # rows of a bin of the chart

RELIABILITY = Curve(
    name="reliability",
    title="Reliability",
    x_label="mean score of the bin",
    y_label="share with the outcome",
    series=(),
    diagonal=True,
    note="On the diagonal the scores mean what they say. A bar is the interval of its own bin, not of the line.",
)


@check(cost="predict")
def calibration(probabilities: Probabilities, groups: Groups, sampling: Sampling, level: float) -> Outcome:
    sheet = Sheet(measures=MEASURES, level=level)
    for group, at in groups.over(probabilities.rows):
        _measure(sheet, probabilities, sampling, group, at)
    draw = partial(_reliability, probabilities, level)
    return sheet.outcome(*curves(RELIABILITY, groups, probabilities.rows, draw))


def _measure(sheet: Sheet, found: Probabilities, sampling: Sampling, group: Slice, at: Places) -> None:
    pair = found.score[at], found.label[at]

    def p_value() -> Basis:
        return exact(ecce_p_value(ecce(*pair)))

    large, slope = partial(calibration_in_the_large, *pair), partial(calibration_slope, *pair)
    if not sampling.plain:
        large = partial(sampling.mean, pair[1] - pair[0], found.rows[at])
        slope = partial(weighted_calibration_slope, *pair, *sampling.drawn(found.rows[at]))
    for name, build in (
        ("calibration_in_the_large", large),
        ("calibration_slope", slope),
        ("expected_calibration_error", partial(expected_calibration_error, *pair)),
        ("ecce", partial(ecce, *pair)),
        ("ecce_p_value", p_value),
    ):
        answers = sampling.plain or name in ("calibration_in_the_large", "calibration_slope")
        how = build if answers else partial(sampling.refuse, str(MEASURES[name]["words"]))
        sheet.add(name, how, n=len(at), slice=group)


def _reliability(found: Probabilities, level: float, label: str, at: Places) -> Series | None:
    """Ten bins of equal mass, fewer where a bin would hold less than ten rows; equal scores share a bin."""
    score, outcome = found.score[at], found.label[at]
    bins = min(BINS, len(at) // FEWEST)
    if bins == 0:
        return None
    edges = np.unique(np.quantile(score, np.arange(1, bins) / bins, method="inverted_cdf"))
    place = np.searchsorted(edges, score)
    rows, hits, sums = (np.bincount(place, weights, minlength=bins) for weights in (None, outcome, score))
    kept = np.flatnonzero(rows)
    bounds = [interval(rate(float(hits[b]), float(rows[b])), level) for b in kept]
    return Series(
        label=label,
        x=tuple((sums[kept] / rows[kept]).tolist()),
        y=tuple((hits[kept] / rows[kept]).tolist()),
        lower=tuple(bound.lower for bound in bounds),
        upper=tuple(bound.upper for bound in bounds),
        n=tuple(rows[kept].astype(int).tolist()),
    )
