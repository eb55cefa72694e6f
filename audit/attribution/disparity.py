"""Do the reasons differ between groups, and which column makes the groups' mean scores differ?

Three questions that are kept apart:

raw        do the contributions of a group differ from those of the others? Welch's t of the means of phi and of |phi|
           of every column; p of the largest by permutation of the group's labels (max-T, Westfall & Young 1993).
mechanism  do they differ for the same inputs? The same statistics after a column's own value and the probability of
           the group given all other inputs (the propensity score, Rosenbaum & Rubin 1983) are taken out of both phi
           and the group, as in the generalised covariance measure (Shah & Peters, Annals of Statistics 48, 2020); p of
           the largest by random signs. A difference of inputs alone does not show here.
classes    for several classes chance is asked for the largest statistic over all of them, so that each p holds for all
           of them at once.
gap        sum over columns of (mean phi of the group - mean phi of the others) = the gap of the mean scores, exactly,
           where the rows' contributions add up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, stdtrit

from audit.counting import count
from audit.errors import Unavailable
from audit.stats import generator

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Values = Floats | Sequence[Floats]

PERMUTATIONS = 999
FEWEST = 30
BINS, PROPENSITY_BINS = 8, 5
FOLDS = 5
ROWS_A_TERM = 10  # that is taken out of the contributions of a group of columns
OVERLAP = 0.02  # rows whose propensity is within this of 0 or 1 have no counterpart in the other group
POWER_Z = 1.959964 + 0.841621  # two-sided 5 %, power 80 %


@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """``largest`` statistic of ``column`` ("size" of its contributions or their "mean"), and the p of all together."""

    p: float
    largest: float
    column: int
    of: str
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Contribution of each column to the group's mean score less the others', all (d,); ``total`` is their sum."""

    parts: Floats
    errors: Floats
    lower: Floats
    upper: Floats
    total: float
    total_error: float


def require_rows(group: Mask) -> None:
    """Unavailable for fewer than 30 rows on a side, with the difference that such groups could show."""
    inside, outside = int(group.sum()), int((~group).sum())
    if min(inside, outside) >= FEWEST:
        return
    seen = detectable(inside, outside)
    could = f"; differences under {seen:.1f} standard deviations would go unseen" if seen < np.inf else ""
    raise Unavailable(
        "insufficient_data",
        f"{count(inside, 'row')} of the group and {count(outside, 'other')} were explained, fewer than {FEWEST}{could}",
        f"give at least {FEWEST} rows of each",
    )


def detectable(inside: int, outside: int) -> float:
    """Difference of means, in standard deviations, that a single comparison finds in 80 of 100 cases."""
    return float(POWER_Z * np.sqrt(1 / inside + 1 / outside)) if inside and outside else np.inf


def raw_test(phi: Floats, group: Mask, seed: int) -> Test:
    """Whether the contributions (n, d) differ between the group (n,) and the others, whatever their inputs."""
    return raw_tests([phi], group, seed)[0]


def raw_tests(phis: Sequence[Floats], group: Mask, seed: int) -> list[Test]:
    """:func:`raw_test` for the contributions to each of several classes; p holds for all classes at once (max-T)."""
    labels = np.stack([group, *_permuted(group, generator(seed, "disparity.raw"))]).astype(np.float64)
    return _largest([np.abs(_welch(_mean_and_size(phi), labels)) for phi in phis], len(group))


def mechanism_test(phi: Floats, features: Values, group: Mask, propensity: Floats, seed: int) -> Test:
    """Whether they differ for the same inputs.

    ``features`` holds, for each of the d contributions, the values that it is about as numbers or codes: (n, d) of
    columns, or one (n, members) for each column or group.
    """
    return mechanism_tests([phi], features, group, propensity, seed)[0]


def mechanism_tests(phis: Sequence[Floats], features: Values, group: Mask, propensity: Floats, seed: int) -> list[Test]:
    """:func:`mechanism_test` for the contributions to each of several classes; p holds for all classes at once.

    Rows that the propensity puts out of reach of the other group are left out; Unavailable when few remain.
    """
    kept = (propensity > OVERLAP) & (propensity < 1 - OVERLAP)
    if min(int((kept & group).sum()), int((kept & ~group).sum())) < FEWEST:
        raise Unavailable(
            "insufficient_data",
            f"only {int(kept.sum())} of {len(kept)} rows have inputs that occur in both groups",
            "compare groups whose inputs overlap; the raw difference stands beside this",
        )
    each = features.T[:, :, None] if isinstance(features, np.ndarray) else features
    features, group = [own[kept] for own in each], group[kept]
    shared = _bins(propensity[kept], PROPENSITY_BINS)
    signs = generator(seed, "disparity.mechanism").choice([-1.0, 1.0], (PERMUTATIONS, len(group)))
    signs = np.concatenate([np.ones((1, len(group))), signs])
    return _largest([_signed(phi[kept], features, shared, group, signs) for phi in phis], len(group))


def _signed(phi: Floats, features: Sequence[Floats], shared: NDArray[np.int64], group: Mask, signs: Floats) -> Floats:
    """Statistics (B, 2 d) of the products of residuals under these signs (B, n): all means, then all sizes."""
    found = [_residual_products(phi[:, j], features[j], shared, group) for j in range(phi.shape[1])]
    products = np.column_stack([both for both, _ in found])
    spread = np.sqrt((products**2).sum(axis=0))
    t = np.abs(np.divide(signs @ products, spread, out=np.zeros((len(signs), len(spread))), where=spread > 0))
    # residuals are smaller than errors, their products in the square and the sum of products only once
    t[0] *= np.repeat([np.sqrt(left) for _, left in found], 2)
    return np.concatenate([t[:, ::2], t[:, 1::2]], axis=1)


def propensities(design: Floats, group: Mask, seed: int) -> Floats:
    """P(group | inputs) of each row, from a logistic regression on ``design`` that was fitted without the row."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if not design.shape[1]:
        return np.full(len(group), group.mean())
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed % 2**32)
    return np.asarray(cross_val_predict(model, design, group, cv=folds, method="predict_proba")[:, 1])


def gap(phi: Floats, group: Mask, level: float, seed: int) -> Gap:
    """Which column makes the gap of mean scores; intervals hold for all columns at once (max-T over random weights)."""
    inside, outside = phi[group], phi[~group]
    parts = inside.mean(axis=0) - outside.mean(axis=0)
    errors = np.sqrt(inside.var(axis=0, ddof=1) / len(inside) + outside.var(axis=0, ddof=1) / len(outside))
    influence = np.where(
        group[:, None], (phi - inside.mean(axis=0)) / len(inside), -(phi - outside.mean(axis=0)) / len(outside)
    )
    draws = generator(seed, "disparity.gap").standard_normal((PERMUTATIONS, len(phi))) @ influence
    t = np.divide(np.abs(draws), errors, out=np.zeros_like(draws), where=errors > 0)
    # draws are normal; the widening is that of Student's t with the rows of the smaller side
    normal = float(np.quantile(t.max(axis=1), level))
    critical = float(stdtrit(min(len(inside), len(outside)) - 1, ndtr(normal)))
    scores = phi.sum(axis=1)
    total_error = np.sqrt(scores[group].var(ddof=1) / len(inside) + scores[~group].var(ddof=1) / len(outside))
    return Gap(
        parts=parts,
        errors=errors,
        lower=parts - critical * errors,
        upper=parts + critical * errors,
        total=float(parts.sum()),
        total_error=float(total_error),
    )


def correlation(values: Floats, group: Mask) -> float | None:
    """Pearson correlation of a number with the group; None where one of them does not vary."""
    known = np.isfinite(values)
    x, g = values[known], group[known].astype(np.float64)
    if len(x) < 2 or np.ptp(x) == 0 or np.ptp(g) == 0:
        return None
    return float(np.corrcoef(x, g)[0, 1])


def _mean_and_size(phi: Floats) -> Floats:
    return np.concatenate([phi, np.abs(phi)], axis=1)


def _permuted(group: Mask, draw: np.random.Generator) -> list[Mask]:
    return [draw.permutation(group) for _ in range(PERMUTATIONS)]


def _welch(values: Floats, labels: Floats) -> Floats:
    """Welch's t for each labelling (B, n) and column, shape (B, columns)."""
    values = values - values.mean(axis=0)
    inside, n = labels.sum(axis=1, keepdims=True), labels.shape[1]
    sums, squares = labels @ values, labels @ values**2
    first, second = sums / inside, (values.sum(axis=0) - sums) / (n - inside)
    spread = (squares - inside * first**2) / (inside - 1) / inside
    rest = n - inside
    spread += ((values**2).sum(axis=0) - squares - rest * second**2) / (rest - 1) / rest
    scale = np.sqrt(np.maximum(spread, 0.0))
    return np.asarray(np.divide(first - second, scale, out=np.zeros_like(scale), where=scale > 1e-12))


def _largest(parts: Sequence[Floats], rows: int) -> list[Test]:
    """One test a class. Row 0 of each (B, 2 d) holds the statistics, the others what chance gives; the first half are
    means, the second sizes."""
    most = np.max([t.max(axis=1) for t in parts], axis=0)[1:]
    return [_against(t[0], most, rows) for t in parts]


def _against(t: Floats, most: Floats, rows: int) -> Test:
    place, d = int(t.argmax()), len(t) // 2
    largest = float(t[place])
    p = float((1 + (most >= largest - 1e-12).sum()) / (1 + len(most)))
    return Test(p=p, largest=largest, column=place % d, of="mean" if place < d else "size", rows=rows)


def _residual_products(phi: Floats, feature: Floats, shared: NDArray[np.int64], group: Mask) -> tuple[Floats, float]:
    """Product of the residuals of the group and of phi, |phi|, given what the columns (n, members) say and the bins of
    the propensity (n, 2), and the share of the rows' degrees of freedom that this left."""
    basis = np.column_stack([*_curves(feature), shared[:, None] == np.unique(shared)[1:]]).astype(np.float64)
    targets = np.column_stack([group.astype(np.float64), phi, np.abs(phi)])
    fitted, _, rank, _ = np.linalg.lstsq(basis, targets, rcond=1e-10)
    residual = targets - basis @ fitted
    return np.asarray(residual[:, :1] * residual[:, 1:]), 1 - int(rank) / len(phi)


def _curves(feature: Floats) -> list[NDArray[Any]]:
    """What is taken out of a column, or of the columns of a group (n, members): bins of each, its value and its square,
    and the products of every two, so far as the rows can bear it. Of more columns than that, principal components.

    Squares, because tails that lie within one bin would else go along with a group of another spread.
    """
    n, most = len(feature), max(1, len(feature) // ROWS_A_TERM)
    known = np.where(np.isfinite(feature), feature, 0.0)
    spread = known.std(axis=0)
    scaled = (known - known.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    if scaled.shape[1] > 2 * most:
        left, size, _ = np.linalg.svd(scaled, full_matrices=False)
        feature = scaled = (left * size)[:, : 2 * most] * np.sqrt(n) / max(float(size[0]), 1.0)
    k = scaled.shape[1]
    cuts = [_bins(column, BINS if k == 1 else int(np.clip(1 + most // k, 1, BINS))) for column in feature.T]
    flags = [codes[:, None] == np.unique(codes)[min(i, 1) :] for i, codes in enumerate(cuts)]
    first, second = np.triu_indices(k, 1)
    return [*flags, scaled, scaled**2, (scaled[:, first] * scaled[:, second])[:, :most]]


def _bins(values: Floats, most: int) -> NDArray[np.int64]:
    """Quantile bins; each value its own where there are few, missing ones apart."""
    known = np.isfinite(values)
    levels = np.unique(values[known])
    edges = levels if len(levels) <= most else np.unique(np.quantile(values[known], np.linspace(0, 1, most + 1)[1:-1]))
    return np.where(known, np.searchsorted(edges, values), len(edges) + 1).astype(np.int64)
