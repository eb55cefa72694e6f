"""When and in which channel a series or a sound speaks for the predicted class, by methods of two families.

Why it matters: a model of sensor data that reads the start of the recording, a dead channel or the noise of one
microphone is right in the test and wrong in the field; a map over time and channel shows it, if it can be trusted.

How it is measured: up to eight rows, wrong ones first. Integrated gradients of the numbers that the network is given,
from the mean series and from zero, for the logit of the predicted class, with nodes doubled until a row adds up; and
the fall of the output when a window of a channel is replaced by its mean; and in two steps, a time of all channels
first, whose fall is divided among the channels at that time (temporal rescaling). For sound the numbers are those that
encode returns: band by time where it makes a log-mel spectrogram. A model without gradients is asked instead: Shapley
values of windows and windows covered one at a time. Every map carries the grade of its trust checks (see trust_maps); a
withheld one is not drawn. Where one channel holds most of the attribution, the others hardly count.

How to reduce the risk: where a channel or a time should not count, remove it or vary it in training, and retrain.

Sources: Sundararajan et al., ICML 2017; Ismail et al., NeurIPS 2020 (time series saliency); TIMING, arXiv 2506.05035.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from audit.attribution.series import SeriesExplanation
from audit.check import check
from audit.checks._support import Sheet
from audit.inputs.explained_maps import ExplainedMaps
from audit.results import Array, ImageMap, Outcome
from audit.stats import mean

MEASURES = {
    "series_largest_channel_share": {
        "unit": "1",
        "better": "none",
        "words": "share of a row's attribution that its strongest channel or band holds",
        "params": {"method": "str"},
    },
}


@check(cost="gradient")
def series_maps(series_explanations: ExplainedMaps[SeriesExplanation], level: float) -> Outcome:
    found = series_explanations.explanation
    sheet = Sheet(measures=MEASURES, level=level)
    for k, maps in enumerate(found.maps):
        over_time = 1 if found.axes[0] == "time" else 2
        totals = np.abs(maps.values.astype(np.float64)).sum(axis=over_time)
        shares = np.array([totals[i].max() / totals[i].sum() for i in _shown(found, k) if totals[i].any()])
        sheet.add(
            "series_largest_channel_share",
            lambda s=shares: mean(s),  # type: ignore[misc]
            n=len(shares),
            params={"method": maps.short},
        )
    return sheet.outcome(*_pictures(series_explanations))


def _shown(found: SeriesExplanation, k: int) -> list[int]:
    grades = [found.grade(k, i) for i in range(len(found.targets))]
    return [i for i, grade in enumerate(grades) if grade is None or grade.shown]


def _pictures(given: ExplainedMaps[SeriesExplanation]) -> Iterator[ImageMap]:
    """Channels or bands from the top, time from left to right; the series in grey under its map."""
    found = given.explanation
    for k, maps in enumerate(found.maps):
        for i in _shown(found, k):
            values = np.ascontiguousarray(_turned(maps.values[i], found), dtype="<f4")
            pixels = _grey(_turned(found.series[i], found))
            grade = found.grade(k, i)
            yield ImageMap(
                name=f"series_{i + 1}_map_{k + 1}",
                title=f"{given.title(i, 'Row')}. {maps.short[0].upper()}{maps.short[1:]}",
                pixels=Array(shape=(*pixels.shape, 1), dtype="uint8", data=pixels.tobytes()),
                attributions=Array(shape=values.shape, dtype="float32", data=values.tobytes()),
                method=maps.method,
                target=found.targets[i],
                completeness=None if maps.completeness is None else float(maps.completeness[i]),
                note="Time runs from left to right, channels from the top, bands from the deepest at the foot. "
                f"Explains {found.scalar}.{f' Trust {grade.words}.' if grade else ''} {found.note}".strip(),
            )


def _turned(row: NDArray[np.float32], found: SeriesExplanation) -> NDArray[np.float32]:
    return row.T if found.axes[0] == "time" else row[::-1]


def _grey(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Each channel between its own extremes."""
    low, high = values.min(axis=1, keepdims=True), values.max(axis=1, keepdims=True)
    scaled = (values - low) / np.where(high > low, high - low, 1)
    return np.ascontiguousarray(np.round(255 * scaled).astype(np.uint8))
