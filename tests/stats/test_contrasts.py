import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import CheckError, Unavailable
from audit.results import Basis
from audit.stats import (
    Contrasts,
    auc,
    compare_groups,
    complement,
    mean,
    rate,
    tukey_z,
)

GROUPS = [rate(56, 70), rate(48, 80), rate(90, 200)]
TOTAL = rate(194, 350)


def contrasts(bases: list[Basis], compare: str = "difference", contrast: str = "pairs", **changes: object) -> Contrasts:
    options: dict[str, object] = {"reference": None, "overall": None, "tolerance": 0.1, "level": 0.95, "alpha": 0.05}
    return compare_groups(bases, compare=compare, contrast=contrast, **(options | changes))  # type: ignore[arg-type]


def test_pairs_show_newcombes_interval_for_each_and_tukeys_for_all() -> None:
    found = contrasts(GROUPS)
    assert list(zip(found.first, found.second, strict=True)) == [(0, 1), (0, 2), (1, 2)]
    assert found.value == pytest.approx([0.2, 0.35, 0.15])
    assert (found.lower[0], found.upper[0]) == pytest.approx((0.0524, 0.3339), abs=5e-5)
    assert found.family_z == pytest.approx(tukey_z(3, 0.05))
    assert np.all(found.family_lower < found.lower)
    assert np.all(found.family_upper > found.upper)


many = st.lists(st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), min_size=2, max_size=6)


@given(many, st.sampled_from(["difference", "ratio"]), st.sampled_from([0.5, 0.05, 1e-6]))
def test_every_comparison_is_finite_folded_and_no_narrower_in_the_family(
    counts: list[tuple[int, int]], compare: str, alpha: float
) -> None:
    bases: list[Basis] = [rate(*count) for count in counts]
    for contrast in ("pairs", "reference"):
        found = contrasts(bases, compare, contrast, reference=0, alpha=alpha, tolerance=0.8)
        numbers = np.array([found.family_lower, found.lower, found.value, found.upper, found.family_upper])
        assert np.all(np.isfinite(numbers))
        assert np.all(np.diff(numbers, axis=0) >= -1e-9)
        assert np.all(numbers >= 0)
        assert np.all(numbers <= 1)


def test_the_order_of_groups_changes_no_comparison() -> None:
    for compare in ("difference", "ratio"):
        there, back = contrasts(GROUPS, compare), contrasts(GROUPS[::-1], compare)
        for name in ("value", "lower", "upper", "family_lower", "family_upper", "se0", "needed_n"):
            assert getattr(there, name)[[0, 1, 2]] == pytest.approx(getattr(back, name)[[2, 1, 0]], abs=1e-9)


def test_against_the_rest_a_group_meets_the_rows_it_does_not_hold() -> None:
    rest = contrasts(GROUPS, contrast="rest", overall=TOTAL)
    pair = contrasts([GROUPS[0], complement(TOTAL, GROUPS[0])])
    assert (rest.value[0], rest.lower[0], rest.upper[0]) == (pair.value[0], pair.lower[0], pair.upper[0])
    assert rest.second.tolist() == [-1, -1, -1]


@pytest.mark.parametrize("compare", ["difference", "ratio"])
def test_against_all_rows_the_value_is_against_all_rows_and_the_interval_knows_the_overlap(compare: str) -> None:
    found = contrasts(GROUPS, compare, "overall", overall=TOTAL)
    rates, everyone = np.array([0.8, 0.6, 0.45]), 194 / 350
    gaps = abs(rates - everyone) if compare == "difference" else np.minimum(rates / everyone, everyone / rates)
    assert found.value == pytest.approx(gaps)
    rng, held = np.random.default_rng(2), []
    truth = abs(0.4 - 0.37) if compare == "difference" else 0.37 / 0.4
    for _ in range(1500):
        bases: list[Basis] = [rate(k, n) for k, n in zip(rng.binomial([70, 30], [0.4, 0.3]), (70, 30), strict=True)]
        one = contrasts(bases, compare, "overall", overall=rate(sum(b.numbers["k"] for b in bases), 100))
        held.append(one.lower[0] <= truth <= one.upper[0])
    assert 0.93 <= np.mean(held) <= 0.985


def test_two_zero_rates_have_no_ratio_and_can_show_anything() -> None:
    found = contrasts([rate(0, 9), rate(0, 400), rate(3, 9)], "ratio", tolerance=0.8)
    assert found.defined.tolist() == [False, True, True]
    assert (found.lower[0], found.upper[0], bool(found.powered[0])) == (0, 1, False)


def test_equal_groups_are_called_unequal_in_at_most_5_percent_of_audits() -> None:
    rng = np.random.default_rng(9)
    false = [
        bool(np.any(contrasts([rate(k, 80) for k in rng.binomial(80, 0.3, 6)]).family_lower > 0)) for _ in range(1000)
    ]
    assert np.mean(false) <= 0.06


def test_a_comparison_is_powered_exactly_when_it_has_the_rows_it_needs() -> None:
    needed = int(contrasts([rate(30, 100), rate(30, 100)]).needed_n[0])
    for n, enough in ((needed - 12, False), (needed + 12, True)):
        assert contrasts([rate(0.3 * n, n)] * 2).powered[0] == enough
    assert needed == pytest.approx(2 * 0.21 * (3.29 / 0.1) ** 2, rel=0.03)
    assert not contrasts([rate(0, 3), rate(0, 3)]).powered[0]


def test_no_tolerance_asks_for_no_power_and_a_tolerance_of_zero_can_never_be_met() -> None:
    assert contrasts(GROUPS, tolerance=None).powered.all()
    strict = contrasts(GROUPS, tolerance=0.0)
    assert not strict.powered.any()
    assert strict.needed_n.tolist() == [-1, -1, -1]


def test_what_cannot_be_compared_says_why() -> None:
    ranks = [auc(np.arange(9.0), np.arange(9) % 2)] * 2
    cases: list[tuple[list[Basis], dict[str, object], type[Exception], str]] = [
        (GROUPS[:1], {}, Unavailable, "second group|compared with"),
        (ranks, {"contrast": "rest", "overall": ranks[0]}, Unavailable, "rates, F1 and means only"),
        (GROUPS, {"contrast": "reference", "reference": 3}, CheckError, "index of one of 3"),
        (GROUPS, {"contrast": "overall"}, CheckError, "overall = None"),
        ([mean(np.array([-1.0, -2])), rate(1, 2)], {"compare": "ratio"}, Unavailable, "at least 0"),
    ]
    for bases, options, error, words in cases:
        with pytest.raises(error, match=words):
            contrasts(bases, **options)  # type: ignore[arg-type]
