import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.errors import CheckError, Unavailable
from audit.results import Basis
from audit.stats import (
    difference,
    equivalence,
    equivalence_p_value,
    interval,
    paired_counts,
    paired_difference,
    rate,
    value,
    within_margin,
)
from audit.stats.bases import evaluate
from audit.stats.paired import constrained_share
from tests.stats.coverage import coverage

cells = st.tuples(*[st.integers(0, 30)] * 4).filter(lambda counts: sum(counts) > 0)


def log_likelihood(n: int, b: int, c: int, d: float, q: np.ndarray) -> np.ndarray:
    rest = 1 - 2 * q - d
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = [np.where(k > 0, k * np.log(p), 0.0) for k, p in ((b, q + d), (c, q), (n - b - c, rest))]
    return np.where((q + d >= 0) & (rest >= -1e-12), np.nan_to_num(sum(terms), nan=-np.inf), -np.inf)


@given(cells, st.floats(-0.9, 0.9))
def test_the_constrained_share_is_the_most_likely_one(counts: tuple[int, int, int, int], d: float) -> None:
    _, b, c, _ = counts
    n = sum(counts)
    ours = constrained_share(np.array([n * 1.0]), np.array([b * 1.0]), np.array([c * 1.0]), np.array([d]))
    grid = np.linspace(max(0.0, -d), (1 - d) / 2, 20_001)
    best = log_likelihood(n, b, c, d, grid).max()
    assert log_likelihood(n, b, c, d, np.clip(ours, grid[0], grid[-1]))[0] >= best - 1e-6 * max(1.0, abs(best))


@settings(max_examples=40)
@given(cells.filter(lambda counts: counts[1] + counts[2] > 0))
def test_the_ends_are_where_the_score_test_by_brute_force_turns(counts: tuple[int, int, int, int]) -> None:
    """The likelihood under each difference is maximised over a grid; the statistic there is z^2 at both ends."""
    both, b, c, neither = counts
    n, found = both + b + c + neither, interval(paired_difference(*counts), 0.95)

    def statistic(d: float) -> float:
        grid = np.linspace(max(0.0, -d), (1 - d) / 2, 100_001)
        q = grid[int(np.argmax(log_likelihood(n, b, c, d, grid)))]
        return float((b - c - n * d) ** 2 / (n * (2 * q + d * (1 - d))))

    for end in (found.lower, found.upper):
        if abs(end) < 0.999:
            assert statistic(end) == pytest.approx(3.841459, rel=2e-3)


@given(cells)
def test_no_difference_is_rejected_exactly_when_mcnemar_rejects(counts: tuple[int, int, int, int]) -> None:
    _, b, c, _ = counts
    found = interval(paired_difference(*counts), 0.95)
    statistic = (b - c) ** 2 / (b + c) if b + c else 0.0
    if abs(statistic - 3.841459) > 1e-6:
        assert (found.lower > 0 or found.upper < 0) == (statistic > 3.841459)
    assert found.lower <= (b - c) / sum(counts) <= found.upper


@given(cells)
def test_swapping_the_models_turns_the_interval_around(counts: tuple[int, int, int, int]) -> None:
    both, b, c, neither = counts
    there, back = (interval(paired_difference(both, *pair, neither), 0.95) for pair in ((b, c), (c, b)))
    assert (there.lower, there.upper) == pytest.approx((-back.upper, -back.lower), abs=1e-9)


@pytest.mark.parametrize("n", [20, 50, 200])
@pytest.mark.parametrize("shares", [(0.5, 0.05, 0.05), (0.6, 0.15, 0.05), (0.3, 0.02, 0.02), (0.2, 0.3, 0.1)])
def test_paired_differences_cover_95_percent(n: int, shares: tuple[float, float, float]) -> None:
    chances = [*shares, 1 - sum(shares)]
    share = coverage(lambda rng: paired_difference(*rng.multinomial(n, chances)), shares[1] - shares[2], 2000)
    assert 0.935 <= share <= 1.0


def test_paired_counts_are_those_of_the_rows() -> None:
    old, new = np.array([1, 1, 0, 0, 1]), np.array([1, 0, 1, 0, 0])
    assert paired_counts(old, new) == (1, 2, 1, 1)
    with pytest.raises(CheckError, match="same order"):
        paired_counts(old, new[1:])
    with pytest.raises(CheckError, match="negative"):
        paired_difference(1, -1, 0, 0)
    with pytest.raises(Unavailable, match="no rows"):
        paired_difference(0, 0, 0, 0)


def test_a_paired_difference_sees_what_two_reports_cannot() -> None:
    paired = interval(paired_difference(850, 40, 10, 100), 0.95)
    reports = interval(Basis(method="mover_difference", numbers={}, parts=(rate(890, 1000), rate(860, 1000))), 0.95)
    assert paired.lower > 0 > reports.lower - 0.02
    assert paired.half_width < reports.half_width


@pytest.mark.parametrize("margin", [0.02, 0.1, 0.3])
def test_equivalence_is_shown_exactly_below_its_p_value(margin: float) -> None:
    a, b = rate(40, 100), rate(43, 110)
    found, p = equivalence(a, b, margin), equivalence_p_value(difference(a, b), margin)
    assert found.value == pytest.approx(0.4 - 43 / 110)
    assert found.shown == (p < 0.025)
    assert equivalence(a, b, margin, 0.49).shown == (p < 0.49)
    if p < 0.49:
        assert equivalence(a, b, margin, p * 1.001).shown
        assert not equivalence(a, b, margin, p * 0.999).shown


def test_groups_at_the_margin_are_called_equivalent_in_at_most_alpha_of_samples() -> None:
    rng = np.random.default_rng(4)
    counts = np.stack([rng.binomial(400, share, 3000) for share in (0.3, 0.4)], axis=1)
    found = evaluate([difference(rate(a, 400), rate(b, 400)) for a, b in counts.tolist()], 0.05)
    assert 0.02 <= np.mean((found.lower > -0.1) & (found.upper < 0.1)) <= 0.06


def test_a_paired_difference_can_be_shown_to_be_small() -> None:
    gap = paired_difference(900, 5, 4, 91)
    assert within_margin(gap, 0.02).shown
    assert not within_margin(gap, 0.002).shown
    assert equivalence_p_value(gap, 0.0005) == 1.0
    assert value(gap) == pytest.approx(0.001)


@pytest.mark.parametrize(("margin", "alpha"), [(0.0, 0.05), (-1.0, 0.05), (0.1, 0.5), (0.1, 0.0)])
def test_an_impossible_margin_or_alpha_is_refused(margin: float, alpha: float) -> None:
    with pytest.raises(CheckError, match="margin > 0"):
        equivalence(rate(1, 2), rate(1, 2), margin, alpha)
