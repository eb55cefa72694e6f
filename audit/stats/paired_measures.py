"""The difference of any one measure between two models on the same rows: ROC AUC, predictive values, RMSE.

Both measures depend on every row, so each is its value plus a sum over rows, the influence of each row, and the
standard error of the difference is that of the rows' summed differences: for areas it is DeLong's, with the covariance
(DeLong, DeLong & Clarke-Pearson 1988, Biometrics 44; Sun & Xu 2014), for predictive values that of Moskowitz & Pepe
(2006), Clinical Trials 3. The interval is the one of two independent measures (MOVER, Zou & Donner 2008), whose ends
know where 0 and 1 are, narrowed by what the pairing saves: that standard error over the one without covariance.

Two models that decide all rows alike would leave no width, as if nothing could ever differ. So the interval is that of
z^2 further rows decided otherwise (after Agresti & Min 2005, Statistics in Medicine 24), which is Tango's where no row
differs.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from audit.errors import CheckError, Unavailable
from audit.results import Basis
from audit.stats.arrays import Estimates, Formula, Mask, Method, Stack, Vector, normal_quantile
from audit.stats.influence import auc_influence, root_mean_influence, weighted_auc, weighted_root_mean
from audit.stats.means import root_mean
from audit.stats.mover import difference_limits
from audit.stats.proportions import rate, wilson_limits
from audit.stats.ranks import auc, newcombe_limits
from audit.stats.transformed import logit_limits
from audit.stats.weighting import checked_weights, clustered_rate, weighted_rate

Codes = NDArray[np.int32]
_SAME = 1e-12  # of the larger influence: what differs by less is rounding
_BOUNDLESS = 1e300


def paired_measure(
    first: Basis,
    second: Basis,
    influence: tuple[Vector, Vector],
    *,
    cluster: Codes | None = None,
    step: float | None = None,
    share: bool = True,
) -> Basis:
    """first - second, both measured on the same rows.

    ``influence`` holds each row's share in the deviation of either measure, shape (n,) each, 0 for rows that it is not
    about. ``step`` is what one row decided otherwise moves; by default the usual move of the rows that differ.
    ``share``: both lie in 0..1.
    """
    a, b = influence
    if a.shape != b.shape:
        raise CheckError(f"paired rows come in the same order, got {a.size} and {b.size} of them")
    units = np.arange(a.size) if cluster is None else np.unique(cluster, return_inverse=True)[1]
    apart, own, other = (_squares(x, units) for x in (a - b, a, b))
    total = own.sum() + other.sum()
    numbers = {
        "n": float(a.size),
        "units": float(apart.size),
        "saved": float(np.sqrt(apart.sum() / total)) if total > 0 else 1.0,
        "step": (_usual_step(apart, own, other) if step is None else step) * apart.size,
        "most": 1.0 if share else _BOUNDLESS,
    }
    return _flat(first, second, numbers)


def _flat(first: Basis, second: Basis, numbers: dict[str, float]) -> Basis:
    """Two rates or two areas as plain numbers, so that thousands of groups are stored as columns; others as parts."""
    sides = (("first", first), ("second", second))
    if first.method == second.method == "wilson":
        counts = {f"{name}_{side}": part.numbers[name] for side, part in sides for name in ("k", "n")}
        return Basis(method="paired_wilson", numbers=numbers | counts)
    if {first.method, second.method} <= {"logit_delong", "newcombe_auc"}:
        areas = {f"auc_{side}": part.numbers["auc"] for side, part in sides}
        errors = {f"se_{side}": part.numbers.get("se", 0.0) for side, part in sides}  # 0: Newcombe's interval
        sizes = {name: first.numbers[name] for name in ("n_positive", "n_negative")}
        return Basis(method="paired_delong", numbers=numbers | areas | errors | sizes)
    return Basis(method="paired_mover", numbers=numbers, parts=(first, second))


def _squares(influence: Vector, units: NDArray[np.intp]) -> Vector:
    """Squared influence of each unit, in order of size, so that the order of the rows changes no digit of their sum."""
    return np.asarray(np.sort(np.bincount(units, influence) ** 2), dtype=float)


def _usual_step(apart: Vector, own: Vector, other: Vector) -> float:
    """Root mean square of the units that move; of a model's own influences where none does."""
    moved = apart[apart > _SAME**2 * max(own.max(initial=0.0), other.max(initial=0.0))]
    if moved.size:
        return float(np.sqrt(moved.mean()))
    return float(np.sqrt((own.sum() + other.sum()) / max(2 * own.size, 1)))


def paired_auc(
    first: Vector, second: Vector, positive: ArrayLike, weight: Vector | None = None, cluster: Codes | None = None
) -> Basis:
    """ROC AUC of the first scores minus that of the second, on the same rows. Raises Unavailable for a single class."""
    truth, w = np.asarray(positive, dtype=bool), _weights(weight, len(first))
    plain = weight is None and cluster is None
    parts = [auc(s, truth) if plain else weighted_auc(s, truth, w, cluster) for s in (first, second)]
    influence = auc_influence(first, truth, w)[1], auc_influence(second, truth, w)[1]
    return paired_measure(parts[0], parts[1], influence, cluster=cluster)


def paired_predictive_value(
    truth: Mask, first: Mask, second: Mask, weight: Vector | None = None, cluster: Codes | None = None
) -> Basis:
    """Share of true rows among those that the first selects, minus that among those that the second selects.

    All of shape (n,), of rows that at least one of them selects. Raises Unavailable where one of them selects none.
    """
    w = _weights(weight, truth.size)
    for which, selected in (("first", first), ("second", second)):
        if not (w * selected).sum() > 0:
            raise Unavailable("undefined", f"the {which} model decides no row so", "give rows that it does")
    shares = [float(w[s] @ truth[s] / w[s].sum()) for s in (first, second)]
    influence = tuple(w * s * (truth - p) / w[s].sum() for s, p in zip((first, second), shares, strict=True))
    parts = [_rate(truth[s], None if weight is None else w[s], None if cluster is None else cluster[s])
             for s in (first, second)]  # fmt: skip
    p, units = float(np.mean(shares)), float(np.mean([_effective(w[s], cluster, s) for s in (first, second)]))
    step = np.sqrt((p**2 + (1 - p) ** 2) / 2) / units  # a row that is true as often as not
    return paired_measure(parts[0], parts[1], (influence[0], influence[1]), cluster=cluster, step=float(step))


def paired_root_mean(
    first: Vector, second: Vector, weight: Vector | None = None, cluster: Codes | None = None
) -> Basis:
    """Root of the mean of the first squares, such as squared errors, minus that of the second, on the same rows."""
    w, plain = _weights(weight, first.size), weight is None and cluster is None
    parts = [root_mean(s) if plain else weighted_root_mean(s, w, cluster) for s in (first, second)]
    influence = root_mean_influence(first, w)[1], root_mean_influence(second, w)[1]
    return paired_measure(parts[0], parts[1], influence, cluster=cluster, share=False)


def _weights(weight: Vector | None, n: int) -> Vector:
    return np.ones(n) if weight is None else checked_weights(weight)


def _rate(success: Mask, weight: Vector | None, cluster: Codes | None) -> Basis:
    if cluster is not None:
        return clustered_rate(success, cluster, weight)
    return rate(int(success.sum()), success.size) if weight is None else weighted_rate(success, weight)


def _effective(weight: Vector, cluster: Codes | None, selected: Mask) -> float:
    """Units of equal size that these rows stand for: clusters, or Kish's size of the weights."""
    sizes = weight if cluster is None else np.bincount(np.unique(cluster[selected], return_inverse=True)[1], weight)
    return float(sizes.sum() ** 2 / (sizes @ sizes))


def _narrowed(stack: Stack, first: Estimates, second: Estimates, tail: float) -> Estimates:
    """Distances d^2 = (saved MOVER)^2 + (z^2 step / units)^2."""
    apart, most = difference_limits(first, second), stack.numbers["most"]
    saved, unseen = stack.numbers["saved"], normal_quantile(tail) ** 2 * stack.numbers["step"] / stack.numbers["units"]
    below, above = (np.hypot(saved * d, unseen) for d in (apart.value - apart.lower, apart.upper - apart.value))
    return Estimates(apart.value, np.maximum(apart.value - below, -most), np.minimum(apart.value + above, most))


def _of_parts(stack: Stack, parts: tuple[Estimates, ...], tail: float) -> Estimates:
    return _narrowed(stack, parts[0], parts[1], tail)


def _of_rates(stack: Stack, parts: tuple[Estimates, ...], tail: float) -> Estimates:
    z = normal_quantile(tail)
    first, second = (
        wilson_limits(stack.numbers[f"k_{side}"], stack.numbers[f"n_{side}"], z) for side in ("first", "second")
    )
    return _narrowed(stack, first, second, tail)


def _of_areas(stack: Stack, parts: tuple[Estimates, ...], tail: float) -> Estimates:
    first, second = (_area(stack, side, tail) for side in ("first", "second"))
    return _narrowed(stack, first, second, tail)


def _area(stack: Stack, side: str, tail: float) -> Estimates:
    """DeLong's interval on the logit scale where there is a standard error, else Newcombe's."""
    area, se = stack.numbers[f"auc_{side}"], stack.numbers[f"se_{side}"]
    known = se > 0
    logit = logit_limits(np.where(known, area, 0.5), np.where(known, se, 1.0), normal_quantile(tail))
    score = newcombe_limits(area, stack.numbers["n_positive"], stack.numbers["n_negative"], tail)
    return Estimates(area, *(np.where(known, a, b) for a, b in zip(logit[1:], score[1:], strict=True)))


def _method(formula: Formula, counts: tuple[str, ...] = (), errors: tuple[str, ...] = ()) -> Method:
    return Method(
        short="paired MOVER",
        words="interval of a difference on the same rows: MOVER, narrowed to the paired standard error (DeLong et al. "
        "1988; Moskowitz & Pepe 2006; Zou & Donner 2008)",
        formula=formula,
        rows=("n",),
        counts=("n", "units", *counts),
        errors=errors,
    )


METHODS = {
    "paired_mover": _method(_of_parts),
    "paired_wilson": _method(_of_rates, ("k_first", "n_first", "k_second", "n_second")),
    "paired_delong": _method(_of_areas, ("n_positive", "n_negative"), ("se_first", "se_second")),
}
