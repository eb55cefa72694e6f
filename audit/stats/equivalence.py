"""Whether a difference is shown to be small, which a difference that was not found is not.

Schuirmann, D. J. (1987), Journal of Pharmacokinetics and Biopharmaceutics 15, 657-680: two one-sided tests (TOST).
Where all of several comparisons must be equivalent each keeps its own alpha (Berger 1982, Technometrics 24).
"""

from __future__ import annotations

from dataclasses import dataclass

from audit.errors import CheckError
from audit.results import Basis, Interval
from audit.stats.bases import interval, value
from audit.stats.pairs import difference

_STEPS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Equivalence:
    """The result of both one-sided tests. ``interval`` is at level 1 - 2 alpha: inside the margin where it is shown."""

    value: float
    interval: Interval
    shown: bool


def equivalence(a: Basis, b: Basis, margin: float, alpha: float = 0.025) -> Equivalence:
    """Whether |a - b| < ``margin`` for independent a and b; wrong with probability ``alpha`` at most."""
    return within_margin(difference(a, b), margin, alpha)


def within_margin(gap: Basis, margin: float, alpha: float = 0.025) -> Equivalence:
    """As ``equivalence``, for a signed difference of any kind, such as a paired one."""
    if not margin > 0 or not 0 < alpha < 0.5:
        raise CheckError(f"equivalence needs margin > 0 and 0 < alpha < 0.5, got {margin:g} and {alpha:g}")
    found = interval(gap, 1 - 2 * alpha)
    return Equivalence(value=value(gap), interval=found, shown=_inside(found, margin))


def _inside(found: Interval, margin: float) -> bool:
    return -margin < found.lower and found.upper < margin


def equivalence_p_value(gap: Basis, margin: float) -> float:
    """The smallest alpha at which ``within_margin`` shows it; 1 where none below one half does."""

    def shown(exponent: float) -> bool:
        return _inside(interval(gap, 1 - 2 * 10**exponent), margin)

    low, high = -15.0, -0.302  # powers of ten: wider intervals hold narrower ones, so halving finds the border
    if not shown(high):
        return 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if shown(middle) else (middle, high)
    return float(10**high)
