"""What group labels that are missing or wrong could do to a gap: sharp bounds, by assigning them in the worst way.

Kallus, Mao & Zhou (2022), Management Science 68, on fairness with unobserved groups: without an assumption about who
the unlabelled rows are, the gap is known only to lie between these bounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from audit.errors import CheckError, Unavailable
from audit.results import Interval
from audit.stats.bases import interval
from audit.stats.pairs import difference
from audit.stats.proportions import rate


class Tally(NamedTuple):
    """``k`` successes among ``n`` rows."""

    k: int
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GapBounds:
    """Of rate a - rate b: what assignment alone leaves open, and the interval that sampling widens it to."""

    lower: float
    upper: float
    interval: Interval  # kind "range": it holds whoever the rows are


def missing_label_bounds(a: Tally, b: Tally, missing: Tally, level: float = 0.95) -> GapBounds:
    """Where rows of unknown group may belong to a, to b or to neither. Sharp: both ends are reached.

    The gap is largest when every success goes to a and every other row to b. Raises Unavailable (undefined) where a
    group may have no rows at all.
    """
    _check(a, b, missing)
    if a.n == 0 or b.n == 0:
        raise Unavailable("undefined", "a group without known rows may hold any rate", "give rows of known groups")
    return _between(*_extremes(a, b, missing), level)


def _extremes(a: Tally, b: Tally, missing: Tally) -> tuple[tuple[Tally, Tally], tuple[Tally, Tally]]:
    """Both groups where the gap is smallest, and where it is largest."""
    other = missing.n - missing.k
    fewest = Tally(a.k, a.n + other), Tally(b.k + missing.k, b.n + missing.k)
    most = Tally(a.k + missing.k, a.n + missing.k), Tally(b.k, b.n + other)
    return fewest, most


def wrong_label_bounds(a: Tally, b: Tally, wrong: int, level: float = 0.95) -> GapBounds:
    """Where up to ``wrong`` rows of a and b together carry the other one's label. Sharp.

    Raises Unavailable (undefined) for a group without rows.
    """
    _check(a, b)
    if a.n == 0 or b.n == 0:
        raise Unavailable("undefined", "a group without rows has no rate", "give rows of both groups")
    largest = _swapped(a, b, wrong)
    smallest = _swapped(b, a, wrong)[::-1]
    return _between(smallest, largest, level)


def _swapped(a: Tally, b: Tally, wrong: int) -> tuple[Tally, Tally]:
    """The relabelling of ``wrong`` rows that makes a - b largest: failures leave a, successes leave b."""
    failures, successes = a.n - a.k, b.k
    wrong = min(wrong, failures + successes)
    out = np.arange(max(0, wrong - successes), min(wrong, failures) + 1)
    into = wrong - out
    n_a, n_b = a.n - out + into, b.n + out - into
    there = (n_a > 0) & (n_b > 0)
    out, into, n_a, n_b = out[there], into[there], n_a[there], n_b[there]
    if not out.size:  # to move them all would leave a group without rows
        return _swapped(a, b, wrong - 1)
    best = int(np.argmax((a.k + into) / n_a - (b.k - into) / n_b))
    return Tally(int(a.k + into[best]), int(n_a[best])), Tally(int(b.k - into[best]), int(n_b[best]))


def _between(fewest: tuple[Tally, Tally], most: tuple[Tally, Tally], level: float) -> GapBounds:
    low, high = (interval(difference(rate(*x), rate(*y)), level) for x, y in (fewest, most))
    ends = [x.k / x.n - y.k / y.n for x, y in (fewest, most)]
    found = Interval(
        lower=low.lower,
        upper=high.upper,
        level=level,
        method="worst assignment of labels, Miettinen-Nurminen at both ends",
        kind="range",
    )
    return GapBounds(lower=ends[0], upper=ends[1], interval=found)


def sensitivity_curve(a: Tally, b: Tally, shares: Sequence[float], level: float = 0.95) -> list[GapBounds]:
    """Bounds of the gap for each share of wrong labels among the rows of a and b."""
    return [wrong_label_bounds(a, b, int(np.floor(share * (a.n + b.n) + 1e-9)), level) for share in shares]


def labels_to_flip(a: Tally, b: Tally, limit: float, level: float = 0.95) -> int | None:
    """How few wrong labels could turn the verdict on |a - b| <= ``limit``: take a pass away, or a failure.

    None where the verdict is open as it is, so that there is nothing to turn, and where no number would turn it.
    """
    _check(a, b)
    now = wrong_label_bounds(a, b, 0, level).interval
    passes, fails = _within(now, limit), now.lower > limit or now.upper < -limit
    if not passes and not fails:
        return None

    def turned(wrong: int) -> bool:
        found = wrong_label_bounds(a, b, wrong, level)
        if passes:
            return not _within(found.interval, limit)
        nearest = _swapped(b, a, wrong)[::-1] if now.lower > limit else _swapped(a, b, wrong)
        tested = interval(difference(rate(*nearest[0]), rate(*nearest[1])), level)
        return tested.lower <= limit if now.lower > limit else tested.upper >= -limit

    low, high = 0, a.n + b.n
    if not turned(high):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if turned(middle) else (middle, high)
    return high


def _within(found: Interval, limit: float) -> bool:
    return -limit <= found.lower and found.upper <= limit


def _check(*tallies: Tally) -> None:
    if not all(0 <= tally.k <= tally.n for tally in tallies):
        raise CheckError(f"every tally needs 0 <= k <= n, got {tallies}")
