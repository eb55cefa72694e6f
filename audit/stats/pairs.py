"""The gap and the ratio of two bases, and what is left of a total without a part of it."""

from __future__ import annotations

from audit.errors import Unavailable
from audit.results import Basis
from audit.stats.bases import value
from audit.stats.means import without
from audit.stats.weighting import weighted_rate_from_sums

_ADDITIVE_COUNTS = ("wilson", "f1_wilson", "weighted_wilson")
_ADDITIVE_MOMENTS = ("hall_t", "root_hall_t")


def difference(a: Basis, b: Basis) -> Basis:
    """a - b, signed, for independent rows: Miettinen-Nurminen for two rates, MOVER otherwise."""
    rates = a.method == b.method == "wilson"
    return Basis(method="miettinen_nurminen" if rates else "mover_difference", numbers={}, parts=(a, b))


def ratio(a: Basis, b: Basis) -> Basis:
    """The smaller over the larger, in [0, 1], for independent rows; the order of a and b makes no difference.

    Raises Unavailable: undefined where both are 0, not applicable where one is negative.
    """
    values = value(a), value(b)
    if min(values) < 0:
        raise Unavailable(
            "not_applicable", f"a ratio needs values of at least 0, got {min(values):g}", 'use compare = "difference"'
        )
    if max(values) == 0:
        raise Unavailable("undefined", "both values are 0: their ratio has no value", 'use compare = "difference"')
    rates = a.method == b.method == "wilson"
    return Basis(method="miettinen_nurminen_ratio" if rates else "mover_ratio", numbers={}, parts=(a, b))


def complement(total: Basis, part: Basis) -> Basis:
    """The same measure over the rows of ``total`` that are not in ``part``; for rates, F1 and means.

    Raises Unavailable: not applicable for other measures, undefined or insufficient data where no rows are left.
    """
    if total.method != part.method or total.method not in _ADDITIVE_COUNTS + _ADDITIVE_MOMENTS:
        raise Unavailable(
            "not_applicable",
            "the rest of the rows can be had from the total for rates, F1 and means only",
            'use contrast = "pairs" or "reference"',
        )
    if total.method in _ADDITIVE_MOMENTS:
        return without(total, part)
    numbers = {name: max(number - part.numbers[name], 0.0) for name, number in total.numbers.items()}
    if (numbers["n"] if "n" in numbers else sum(numbers.values())) <= 0:
        raise Unavailable("undefined", "no rows are left outside this group", "give rows of other groups")
    if total.method == "weighted_wilson":
        return weighted_rate_from_sums(*(numbers[name] for name in ("n", "w", "w2", "w_success", "w2_success")))
    if "n" in numbers:
        numbers["k"] = min(numbers["k"], numbers["n"])
    return Basis(method=total.method, numbers=numbers)
