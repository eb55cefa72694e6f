"""Two-step maps of series: when first, then which channel at that time (Ismail, Gunady, Corrada Bravo & Feizi, NeurIPS
2020, temporal saliency rescaling).

Maps over time and channel in one step tend to mark whole times or whole channels. Here a time counts by how far the
output falls when all its channels are covered, and is divided among its channels by how far it falls when each of them
is covered at that time alone. Channels that only stand in for each other move nothing alone: they share alike.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .maps import Maps
from .subject import Floats, Subject

WORTH_ASKING = 0.01  # of a row's strongest time; below it the channels are not asked for
ALONE = 0.01  # of the time's fall that its channels must make by themselves to divide it

Integers = NDArray[np.int64]


def rescaled(subject: Subject, time_axis: int) -> Maps:
    """Signed maps (n, first, second) of windows; ``time_axis`` (0 or 1) says which axis of the map is time.

    The sizes of a time's channels add up to the size of its fall; a channel that speaks against the class is negative.
    """
    when = _time_of(subject, time_axis)
    times = np.unique(when)
    own = subject.outputs().numpy()
    rows = np.repeat(np.arange(subject.n), len(times))
    hidden = np.tile(when[None, :] == times[:, None], (subject.n, 1))
    first = (own[rows] - subject.covered(rows, ~hidden, 0)).reshape(subject.n, -1)
    relevant = np.abs(first) >= WORTH_ASKING * np.abs(first).max(axis=1, keepdims=True)
    row, unit = np.nonzero(relevant[:, np.searchsorted(times, when)] & subject.live)
    alone = np.zeros((subject.n, subject.count))
    if len(row):
        kept = np.arange(subject.count)[None, :] != unit[:, None]
        alone[row, unit] = own[row] - subject.covered(row, kept, 0)
    values = np.zeros_like(alone)
    for k, time in enumerate(times):
        inside = when == time
        values[:, inside] = _divided(np.where(relevant[:, k], first[:, k], 0.0), alone[:, inside])
    return Maps(
        method="two-step time and channel ablation (temporal rescaling; the mean series in its place)",
        short="temporal rescaling",
        family="ablation",
        values=subject.by_place(values),
        signed=True,
        evaluations=len(rows) + len(row) + subject.n,
    )


def _time_of(subject: Subject, time_axis: int) -> Integers:
    """The window of time of every unit, (units,)."""
    places = subject.places
    heads = places[:, 0] if time_axis == 0 else places[0, :]
    edges = np.unique(heads, return_inverse=True)[1]
    when = np.zeros(subject.count, dtype=np.int64)
    when[places] = edges[:, None] if time_axis == 0 else edges[None, :]
    return when


def _divided(fall: Floats, alone: Floats) -> Floats:
    """The size of a time's fall (n,) divided by the channels' own falls (n, channels), whose signs it takes."""
    size = np.abs(alone).sum(axis=1, keepdims=True)
    alike = np.broadcast_to(np.sign(fall)[:, None] / alone.shape[1], alone.shape)
    mine = np.divide(alone, size, out=np.zeros_like(alone), where=size > 0)
    return np.asarray(np.abs(fall)[:, None] * np.where(size > ALONE * np.abs(fall)[:, None], mine, alike))
