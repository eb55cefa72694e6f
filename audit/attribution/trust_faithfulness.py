"""T4: does the output follow the map when units are covered, and more so than for random maps of the same values?

Units are covered in random orders, a tenth to nine tenths of them, with two different fills. Faithfulness is the
correlation between what a map says was taken away and how far the output fell (Yeh et al., NeurIPS 2019: one minus its
square is the infidelity of the best scaled map), among covers of the same size, so that size alone earns nothing. A map
says what the row loses as it is, against one fill: it is held to covers of less than half of the row, by the fill that
suits its method better. Of a picture that is mostly covered no sum of parts tells the output: a face detector's maps
that follow small covers at 0.7 follow large ones at 0. Deletion and insertion cover the map's own order (Petsiuk et
al., BMVC 2018) and are compared with the random orders: without that null a random map can win under the wrong fill.
All tests share the random covers: the null is free.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .subject import Floats, Masks, Subject

SHARES = (0.1, 0.3, 0.7, 0.9)  # symmetric: covering random orders from either end is then the same
SMALL = sum(share < 0.5 for share in SHARES)
ORDERS = 18
SHUFFLES = 199

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Faithful:
    """One entry a row, (n,); NaN where the output or the map is flat.

    ``correlation`` from -1 to 1 of small covers, by the fill with the larger mean; ``p`` the share of shuffled maps
    that do as well, times the number of fills; ``deletion`` and ``insertion`` the share of random orders that the map's
    order beats (chance: one half), the mean over the fills.
    """

    correlation: Floats
    p: Floats
    deletion: Floats
    insertion: Floats


def faithful(subject: Subject, maps: Sequence[Floats], rng: np.random.Generator) -> list[Faithful]:
    """For each of these maps, as unit values (n, units)."""
    covers = [_row_covers(subject, row, rng) for row in range(subject.n)]
    shuffles = [rng.permuted(np.tile(np.arange(len(c.units)), (SHUFFLES, 1)), axis=1) for c in covers]
    tests = [_Test(subject, covers, fill) for fill in range(len(subject.fills))]
    beaten = [test.beaten(maps) for test in tests]
    return [_over_fills(tests, values, shuffles, [of_fill[i] for of_fill in beaten]) for i, values in enumerate(maps)]


@dataclass(frozen=True, slots=True)
class _Covers:
    """Random covers of one row: which of its ``units`` are covered, (orders, shares, own units)."""

    units: Integers
    hidden: Masks
    sizes: Integers


def _row_covers(subject: Subject, row: int, rng: np.random.Generator) -> _Covers:
    units = np.flatnonzero(subject.live[row])
    sizes = np.clip(np.round(np.array(SHARES) * len(units)), 1, max(len(units) - 1, 1)).astype(np.int64)
    ranks = np.argsort(rng.random((ORDERS, len(units))), axis=1)
    return _Covers(units, ranks[:, None, :] < sizes[None, :, None], sizes)


class _Test:
    """The random covers' outputs under one fill, shared by all maps."""

    def __init__(self, subject: Subject, covers: list[_Covers], fill: int) -> None:
        self.subject, self.covers, self.fill = subject, covers, fill
        self.random = self._outputs([c.hidden.reshape(-1, len(c.units)) for c in covers])

    def _outputs(self, hidden: list[Masks]) -> Floats:
        """Outputs (n, covers) where each row's own units are hidden as said, (covers, own units) a row."""
        kept = np.ones((len(hidden), len(hidden[0]), self.subject.count), dtype=bool)
        for row, (cover, mask) in enumerate(zip(self.covers, hidden, strict=True)):
            kept[row][:, cover.units] = ~mask
        rows = np.repeat(np.arange(len(hidden)), len(hidden[0]))
        return self.subject.covered(rows, kept.reshape(len(rows), -1), self.fill).reshape(len(hidden), -1)

    def correlations(self, values: Floats, shuffles: list[Integers]) -> tuple[Floats, Floats]:
        """The correlation of each row and its permutation p, both (n,)."""
        pairs = [self._correlation(row, values[row], shuffles[row]) for row in range(len(self.covers))]
        return np.array([c for c, _ in pairs]), np.array([p for _, p in pairs])

    def _correlation(self, row: int, values: Floats, shuffles: Integers) -> tuple[float, float]:
        cover = self.covers[row]
        own = values[cover.units]
        maps = np.column_stack([own, own[shuffles].T])  # (own units, 1 + shuffles)
        small = cover.hidden[:, :SMALL].reshape(-1, len(own)).astype(np.float64)
        taken = (small @ maps).reshape(ORDERS, SMALL, -1)
        fell = -self.random[row].reshape(ORDERS, len(SHARES), 1)[:, :SMALL]
        found = _correlated(taken - taken.mean(axis=0), fell - fell.mean(axis=0))
        if not np.isfinite(found[0]):
            return np.nan, np.nan
        return float(found[0]), float((1 + (found[1:] >= found[0] - 1e-12).sum()) / (1 + SHUFFLES))

    def beaten(self, maps: Sequence[Floats]) -> list[tuple[Floats, Floats]]:
        """Of each map the shares (n,) of the random orders that its deletion and its insertion beat."""
        hidden = [np.concatenate([_own_order(own[i], c) for own in maps]) for i, c in enumerate(self.covers)]
        areas = self._outputs(hidden).reshape(len(hidden), len(maps), 2, len(SHARES)).mean(axis=3)
        random = self.random.reshape(len(areas), ORDERS, -1).mean(axis=2)
        both = ((areas[:, k, 0, None], areas[:, k, 1, None]) for k in range(len(maps)))
        return [(_share(random - deleted), _share(inserted - random)) for deleted, inserted in both]


def _own_order(values: Floats, cover: _Covers) -> Masks:
    """Covers of one row in the order of its map, from the front (deletion) and from the back, (2 shares, own units)."""
    rank = np.argsort(np.argsort(-values[cover.units], kind="stable"))
    sizes = cover.sizes[:, None]
    return np.concatenate([rank[None, :] < sizes, rank[None, :] >= sizes])


def _over_fills(
    tests: list[_Test], values: Floats, shuffles: list[Integers], beaten: list[tuple[Floats, Floats]]
) -> Faithful:
    correlation, p = max((test.correlations(values, shuffles) for test in tests), key=lambda found: _usual(found[0]))
    deletion, insertion = zip(*beaten, strict=True)
    return Faithful(
        correlation=correlation,
        p=np.minimum(1.0, len(tests) * p),  # the better of the fills was taken (Bonferroni)
        deletion=np.mean(deletion, axis=0),
        insertion=np.mean(insertion, axis=0),
    )


def _usual(correlation: Floats) -> float:
    known = correlation[~np.isnan(correlation)]
    return float(known.mean()) if len(known) else -np.inf


def _share(lead: Floats) -> Floats:
    """Share of positive leads over the last axis; a tie counts one half."""
    return np.asarray((lead > 0).mean(axis=1) + 0.5 * (lead == 0).mean(axis=1))


def _correlated(taken: Floats, fell: Floats) -> Floats:
    """Pearson correlation over the first two axes, (maps,); NaN where either is constant."""
    size = np.sqrt((taken**2).sum(axis=(0, 1)) * (fell**2).sum(axis=(0, 1)))
    product = (taken * fell).sum(axis=(0, 1))
    return np.asarray(np.divide(product, size, out=np.full(product.shape, np.nan), where=size > 1e-12))
