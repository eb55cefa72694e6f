"""How unequally outcomes fall on people and groups, in one number."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from audit.counting import count
from audit.errors import CheckError, Unavailable
from audit.results import Basis
from audit.stats.arrays import Estimates, Method, Stack, Vector
from audit.stats.means import FEWEST_CONSTANT
from audit.stats.mover import difference_limits, folded_gap
from audit.stats.proportions import wilson_limits
from audit.stats.simultaneous import simultaneous_z, tukey_z
from audit.stats.transformed import normal


def generalised_entropy(benefits: ArrayLike, alpha: float = 2.0) -> Basis:
    """Generalised entropy index of benefits of at least 0, shape (n,): 0 where all are equal (Speicher et al. 2018,
    with benefits 1 + decision - label). ``alpha`` 1 is Theil's T, 2 half the squared coefficient of variation.

    Standard error by the delta method, on the log scale. Raises Unavailable: undefined where all benefits are 0, not
    applicable for alpha = 0 or less with benefits of 0.
    """
    b = np.asarray(benefits, dtype=float)
    if b.size < 2:
        raise Unavailable("insufficient_data", f"the spread of {b.size} benefits is unknown", "give at least 2 rows")
    if b.min() < 0:
        raise CheckError(f"benefits are at least 0, got {b.min():g}")
    if b.max() == 0:
        raise Unavailable("undefined", "nobody has any benefit, so there is nothing to share", "give other rows")
    if alpha <= 0 and b.min() == 0:
        raise Unavailable("not_applicable", f"alpha = {alpha:g} needs benefits above 0", "use alpha = 1 or 2")
    if np.ptp(b) == 0:
        return _equal(b.size)
    value, influence = _entropy(b / b.mean(), alpha)
    se = float(np.sqrt(influence @ influence / (b.size - 1) / b.size))
    return normal(value, se, b.size - 1, scale="log", n=b.size)


def _entropy(r: Vector, alpha: float) -> tuple[float, Vector]:
    """The index of benefits relative to their mean, and each row's influence on it."""
    if alpha == 1:
        term = r * np.log(np.where(r > 0, r, 1.0))
        value = float(term.mean())
        return value, term - value - (1 + value) * (r - 1)
    if alpha == 0:
        term = -np.log(r)
        return float(term.mean()), term - term.mean() + (r - 1)
    power = r**alpha
    value = float(power.mean() - 1) / (alpha * (alpha - 1))
    return value, (power - power.mean() - alpha * power.mean() * (r - 1)) / (alpha * (alpha - 1))


def _equal(n: int) -> Basis:
    if n < FEWEST_CONSTANT:
        found = f"all {n} benefits are equal, too few to say how far that holds"
        raise Unavailable("insufficient_data", found, f"give at least {FEWEST_CONSTANT} rows")
    return normal(0.0, 0.0, n=n)


def consistency(decision: ArrayLike, neighbours: ArrayLike) -> Basis:
    """1 - mean |decision - mean decision of the nearest rows| (Zemel et al. 2013): 1 where like rows are decided alike.

    ``decision`` in 0..1, shape (n,); ``neighbours`` the places of each row's nearest ones, shape (n, k). A row counts
    by its own term and in the mean of every row that it is a neighbour of: the standard error is that of its whole
    influence.
    """
    d, near = np.asarray(decision, dtype=float), np.asarray(neighbours)
    if d.size < FEWEST_CONSTANT:
        found = f"{count(d.size, 'row')}: too few to say how like rows are decided"
        raise Unavailable("insufficient_data", found, f"give at least {FEWEST_CONSTANT} rows")
    around = d[near].mean(axis=1)
    terms = np.abs(d - around)
    pull = -np.sign(d - around)[:, None] * (d[near] - around[:, None]) / max(near.shape[1] - 1, 1)
    influence = terms - terms.mean() + np.bincount(near.ravel(), pull.ravel(), minlength=d.size)
    return normal(1 - float(terms.mean()), math.sqrt(float(influence @ influence)) / d.size, n=d.size)


def differential_fairness(groups: Sequence[Basis], concentration: float = 1.0) -> Basis:
    """Largest |log ratio| of any outcome's rate between two groups (Foulds et al. 2020), from their rates (``rate``);
    each is smoothed by ``concentration`` rows of either outcome. Intervals hold for all pairs together.
    """
    _need_rates(groups, "differential fairness")
    return Basis(method="differential_fairness", numbers={"concentration": concentration}, parts=tuple(groups))


def subgroup_gap(groups: Sequence[Basis]) -> Basis:
    """Largest |rate of a group - rate of all| times the group's share of the rows (Kearns et al. 2018), from the rates
    of groups that share no row and together are all rows. Intervals hold for all groups together.
    """
    _need_rates(groups, "a subgroup gap")
    return Basis(method="subgroup_gap", numbers={}, parts=tuple(groups))


def _need_rates(groups: Sequence[Basis], what: str) -> None:
    if any(group.method != "wilson" for group in groups):
        raise CheckError(f"{what} is made of plain rates: build each group's with stats.rate")
    if len(groups) < 2:
        raise Unavailable("not_applicable", f"{what} needs two groups, got {len(groups)}", "give a second group")


def _counts(stack: Stack) -> tuple[Vector, Vector]:
    """k and n of all parts, shape (groups, bases)."""
    k, n = (np.stack([part.numbers[name] for part in stack.parts]) for name in ("k", "n"))
    return k, n


def _differential(stack: Stack, parts: tuple[Estimates, ...], tail: float) -> Estimates:
    c = stack.numbers["concentration"]
    k, n = _counts(stack)
    z = tukey_z(len(parts), tail)  # half of the error for each of the two outcomes
    both = [_log_limits(hits + c, n + 2 * c, z) for hits in (k, n - k)]
    pairs = [_widest(one) for one in both]
    return Estimates(*(np.max([getattr(one, name) for one in pairs], axis=0) for name in Estimates._fields))


def _log_limits(k: Vector, n: Vector, z: float) -> Estimates:
    return Estimates(*(np.log(np.maximum(bound, math.exp(-700))) for bound in wilson_limits(k, n, z)))


def _widest(logs: Estimates) -> Estimates:
    """The largest difference between any two groups, with the largest bounds."""
    found = Estimates(*np.zeros((3, logs.value.shape[1])))
    for i in range(len(logs.value) - 1):
        gap = folded_gap(difference_limits(Estimates(*(x[i] for x in logs)), Estimates(*(x[i + 1 :] for x in logs))))
        found = Estimates(*(np.maximum(a, b.max(axis=0)) for a, b in zip(found, gap, strict=True)))
    return found


def _subgroup(stack: Stack, parts: tuple[Estimates, ...], tail: float) -> Estimates:
    """share_g |p_g - p| = share_g (1 - share_g) |p_g - p_rest|, whose two sides share no row."""
    k, n = _counts(stack)
    total = n.sum(axis=0)
    z = simultaneous_z(len(parts), 2 * tail)
    own, rest = wilson_limits(k, n, z), wilson_limits(k.sum(axis=0) - k, np.maximum(total - n, 1e-9), z)
    scale = n / total * (1 - n / total)
    gap = folded_gap(difference_limits(own, rest))
    return Estimates(*((scale * bound).max(axis=0) for bound in gap))


METHODS = {
    "differential_fairness": Method(
        short="Tukey over pairs",
        words="the largest of simultaneous intervals of all pairs' log ratios (Wilson 1927; Tukey-Kramer; Zou & Donner "
        "2008)",
        formula=_differential,
        counts=("concentration",),
    ),
    "subgroup_gap": Method(
        short="Šidák over groups",
        words="the largest of simultaneous intervals of each group against the rest (Newcombe 1998; Šidák 1967)",
        formula=_subgroup,
    ),
}
