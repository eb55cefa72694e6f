"""Rows that a network or a column of embeddings takes to be alike, as clusters: one more column of levels.

Clusters are made by k-means, without a look at labels or errors: one for each 100 rows, 2 to 20 of them, and again half
as many, on the 32 directions in which the embeddings vary most. They do not depend on the order of rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans

from audit.case import Case
from audit.counting import count
from audit.data import Codes, Dataset
from audit.errors import Unavailable
from audit.models import Differentiable
from audit.stats import seed_for

REQUIRES: dict[str, object] = {}

LAYER = "last hidden layer"
ROWS_EACH, FEWEST, MOST = 100, 2, 20
COARSE = 2  # times fewer clusters: kinds of rows that fine clusters split are whole in coarse ones
DIRECTIONS = 32
FITTED = 20_000  # rows that the centres are fitted to
NEAREST = 5
DIGITS = 5  # of an embedding's largest number: batches of another size round further behind
_SENSED = {"image", "text", "series", "audio"}

Vectors = NDArray[np.float64]
Clustered = tuple[Codes, tuple[tuple[int, ...], ...]]


@dataclass(frozen=True, kw_only=True)
class EmbeddingClusters:
    """One entry a source of embeddings. ``nearest`` holds, for each level, the rows nearest to its centre."""

    names: tuple[str, ...] = ()
    columns: tuple[Codes, ...] = ()
    nearest: tuple[tuple[tuple[int, ...], ...], ...] = ()
    skipped: tuple[str, ...] = ()  # with the reason


def embedding_clusters(case: Case, data: Dataset, seed: int) -> EmbeddingClusters:
    """Clusters of every column of kind "embedding", and of what enters a network's last layer where it senses."""
    made: dict[str, Clustered] = {}
    skipped = []
    for name in (*(c for c, column in data.columns.items() if column.kind == "embedding"), LAYER):
        try:
            vectors = _hidden(case, data) if name == LAYER else np.asarray(data.values(name), dtype=np.float64)
            if vectors is not None:
                made.update(_both(name, vectors.reshape(data.n, -1), seed))
        except Unavailable as why:
            skipped.append(f"{name} ({why.detail})")
    return EmbeddingClusters(
        names=tuple(made),
        columns=tuple(codes for codes, _ in made.values()),
        nearest=tuple(nearest for _, nearest in made.values()),
        skipped=tuple(skipped),
    )


def _both(name: str, vectors: Vectors, seed: int) -> Iterator[tuple[str, Clustered]]:
    own = seed_for(seed, f"embedding_clusters {name}")
    fine = clustered(vectors, own)
    yield name, fine
    if len(fine[1]) >= COARSE * FEWEST:
        yield f"{name} (coarse)", clustered(vectors, own, fewer=COARSE)


def _hidden(case: Case, data: Dataset) -> Vectors | None:
    model: object = case.model
    sensed = any(data.column(name).kind in _SENSED for name in data.roles.features)
    if not sensed or not isinstance(model, Differentiable):
        return None
    from audit.attribution.hidden import last_hidden  # a column of embeddings needs no torch

    return last_hidden(model, data.features, case.spec.compute.batch).astype(np.float64)


def clustered(vectors: Vectors, seed: int, fewer: int = 1) -> Clustered:
    """Codes of the rows, the largest cluster first, and the rows nearest to each centre; shape (n, d) is given.

    ``fewer`` times fewer clusters may be asked for. Rows that hold a number that is not finite are missing. Unavailable
    below 200 others, or where all are alike.
    """
    there = np.flatnonzero(np.isfinite(vectors).all(axis=1))
    k = min(there.size // ROWS_EACH, MOST) // fewer
    if k < FEWEST:
        detail = f"{count(there.size, 'row')} with an embedding: no clusters"
        raise Unavailable("insufficient_data", detail, f"give at least {FEWEST * ROWS_EACH} rows")
    ordered, inverse = np.unique(_rounded(vectors[there]), axis=0, return_inverse=True)
    if len(ordered) < k:
        raise Unavailable("not_applicable", f"the embeddings hold {len(ordered)} different rows", "nothing to do")
    size = np.bincount(inverse.reshape(-1))
    points = _directions(ordered, size)
    part = np.unique(np.linspace(0, len(points) - 1, min(len(points), FITTED)).round().astype(int))
    seeded = KMeans(k, n_init=4, random_state=seed % 2**32).fit(points[part], sample_weight=size[part])
    return _coded(points, inverse.reshape(-1), seeded.cluster_centers_, there, len(vectors))


def _rounded(vectors: Vectors) -> Vectors:
    """To five digits of the largest number, so that the last bits of a forward pass decide nothing."""
    most = float(np.abs(vectors).max(initial=0.0))
    step = 10.0 ** (np.ceil(np.log10(most)) - DIGITS) if most > 0 else 1.0
    return np.asarray(np.rint(vectors / step) * step + 0.0)


def _directions(points: Vectors, size: NDArray[np.int64]) -> Vectors:
    """The first principal components of points that stand for ``size`` rows each."""
    centred = points - np.average(points, axis=0, weights=size)
    if points.shape[1] <= DIRECTIONS:
        return np.asarray(centred)
    vectors = np.linalg.eigh((centred.T * size) @ centred)[1][:, ::-1]
    return np.asarray(centred @ vectors[:, :DIRECTIONS])


def _coded(points: Vectors, inverse: NDArray[np.intp], centres: Vectors, there: NDArray[np.intp], n: int) -> Clustered:
    distance = (centres**2).sum(axis=1) - 2 * points @ centres.T + (points**2).sum(axis=1)[:, None]
    place = distance.argmin(axis=1)[inverse]
    counts = np.bincount(place, minlength=len(centres))
    order = np.lexsort((*centres.T[::-1], -counts))
    order = order[counts[order] > 0]
    number = np.full(len(centres), -1, dtype=np.int32)
    number[order] = np.arange(len(order))
    codes = np.full(n, len(order), dtype=np.int32)
    codes[there] = number[place]
    words: tuple[str | None, ...] = tuple(f"embedding cluster {i + 1} of {len(order)}" for i in range(len(order)))
    levels = (*words, None) if there.size < n else words
    own = [np.flatnonzero(place == centre) for centre in order]
    nearest = [
        rows[np.argsort(distance[inverse[rows], centre], kind="stable")[:NEAREST]]
        for centre, rows in zip(order, own, strict=True)
    ]
    return Codes(codes=codes, levels=levels), tuple(tuple(there[rows].tolist()) for rows in nearest)
