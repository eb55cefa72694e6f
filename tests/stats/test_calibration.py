from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from audit.errors import Unavailable
from audit.results import Basis
from audit.stats import (
    calibration_in_the_large,
    calibration_slope,
    ecce,
    ecce_p_value,
    expected_calibration_error,
    interval,
    normal,
    rate,
    value,
)
from audit.stats.bases import evaluate
from audit.stats.calibration import brownian_range_tail
from tests.stats.coverage import coverage

Curve = Callable[[np.ndarray], np.ndarray]
CURVES: dict[str, Curve] = {
    "calibrated": lambda s: s,
    "overconfident": lambda s: expit(0.3 + 0.6 * logit(s)),
    "slightly off": lambda s: expit(0.1 + 0.9 * logit(s)),
    "step": lambda s: np.where(s > 0.5, 0.8, 0.1),
}


def draw(rng: np.random.Generator, n: int, curve: str, centre: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    s = expit(rng.normal(centre, 1.2, n))
    return s, (rng.random(n) < CURVES[curve](s)).astype(float)


def truths(curve: str) -> tuple[float, float, float]:
    """In the large, Kuiper's range and the binned error of the curve itself, without sampling noise."""
    s = np.sort(expit(np.random.default_rng(2).normal(0, 1.2, 300_000)))
    gap = CURVES[curve](s) - s
    path = np.append(0, np.cumsum(gap)) / s.size
    return gap.mean(), np.ptp(path), float(np.mean([abs(part.mean()) for part in np.array_split(gap, 15)]))


@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize("n", [100, 1000])
def test_calibration_errors_cover_the_truth_whether_it_is_zero_or_not(curve: str, n: int) -> None:
    large, kuiper, binned = truths(curve)
    assert 0.93 <= coverage(lambda rng: calibration_in_the_large(*draw(rng, n, curve)), large, 1000) <= 0.97
    for measure, truth in ((ecce, kuiper), (expected_calibration_error, binned)):
        assert coverage(lambda rng, m=measure: m(*draw(rng, n, curve)), truth, 500) >= 0.95  # type: ignore[misc]


@pytest.mark.parametrize("n", [100, 1000])
@pytest.mark.parametrize(("curve", "truth"), [("calibrated", 1.0), ("overconfident", 0.6)])
def test_the_slope_covers_its_truth(n: int, curve: str, truth: float) -> None:
    assert 0.935 <= coverage(lambda rng: calibration_slope(*draw(rng, n, curve)), truth, 1500) <= 0.97


def test_the_slope_equals_scikit_learns_unpenalised_logistic_regression() -> None:
    s, y = draw(np.random.default_rng(3), 400, "overconfident")
    fit = LogisticRegression(C=1e10, tol=1e-10, max_iter=1000).fit(logit(s)[:, None], y)
    assert value(calibration_slope(s, y)) == pytest.approx(fit.coef_[0, 0], rel=1e-4)


def rejected(basis: Basis) -> bool:
    return ecce_p_value(basis) < 0.05


def test_the_kuiper_test_errs_at_most_5_percent_on_calibrated_scores_and_finds_overconfidence() -> None:
    rng = np.random.default_rng(4)
    false = np.mean([rejected(ecce(*draw(rng, 500, "calibrated"))) for _ in range(2000)])
    found = np.mean([rejected(ecce(*draw(rng, 500, "overconfident"))) for _ in range(200)])
    assert 0.025 <= false <= 0.06
    assert found > 0.9


def test_the_tail_of_the_brownian_range_agrees_with_simulated_walks() -> None:
    walks = np.random.default_rng(8).normal(size=(4000, 2000)).cumsum(axis=1) / 2000**0.5
    ranges = np.maximum(walks.max(axis=1), 0) - np.minimum(walks.min(axis=1), 0)
    for x in (1.2, 1.6, 2.0, 2.5):
        assert brownian_range_tail(x) == pytest.approx(np.mean(ranges > x), abs=0.035)
    assert brownian_range_tail(0.4) == 1
    assert brownian_range_tail(9) < 1e-17


def test_chance_alone_is_taken_off_the_calibration_error() -> None:
    rng = np.random.default_rng(5)
    errors = [expected_calibration_error(*draw(rng, 500, "calibrated")) for _ in range(300)]
    raw = np.mean([basis.numbers["ece"] + basis.numbers["above"] for basis in errors])
    assert raw > 0.05
    assert np.mean([value(basis) for basis in errors]) < 0.012


@pytest.mark.parametrize("measure", [ecce, expected_calibration_error, calibration_slope, calibration_in_the_large])
def test_the_order_of_rows_changes_nothing_even_with_tied_scores(measure: Callable[..., Basis]) -> None:
    rng = np.random.default_rng(6)
    s, y = draw(rng, 300, "step")
    s, order = np.round(s, 1), rng.permutation(300)
    assert dict(measure(s, y).numbers) == pytest.approx(dict(measure(s[order], y[order]).numbers), rel=1e-9)


def test_a_rare_label_that_was_never_seen_does_not_make_small_scores_wrong_for_certain() -> None:
    found = interval(calibration_in_the_large(np.full(100, 0.02), np.zeros(100)), 0.95)
    assert found.lower == pytest.approx(-0.02)
    assert found.upper > 0.01
    assert interval(ecce(np.full(100, 0.02), np.zeros(100)), 0.95).lower == 0


@given(st.integers(2, 60).flatmap(lambda n: st.tuples(st.integers(0, 4), st.just(n))), st.floats(0, 1))
def test_with_rare_labels_it_is_newcombes_gap_between_the_rate_and_a_mean_score_without_error(
    counts: tuple[int, int], score: float
) -> None:
    k, n = min(counts), counts[1]
    basis = calibration_in_the_large(np.full(n, score), np.arange(n) < k)
    apart = Basis(method="mover_difference", numbers={}, parts=(rate(k, n), normal(score, 0.0)))
    assert basis.parts == ()
    assert np.ravel(evaluate([basis], 0.025)) == pytest.approx(np.ravel(evaluate([apart], 0.025)), abs=1e-12)


def test_a_certain_score_that_misses_contradicts_itself() -> None:
    y = np.repeat([0.0, 1.0], 5)
    assert ecce_p_value(ecce(y, y)) == 1
    assert ecce_p_value(ecce(y, 1 - y)) == 0


def test_a_slope_that_has_no_value_is_refused_with_its_reason() -> None:
    separated = np.linspace(0.01, 0.99, 40), np.repeat([0, 1], 20)
    cases = [
        (*separated, "undefined"),
        (np.full(40, 0.3), separated[1], "undefined"),
        (separated[0], np.zeros(40), "insufficient_data"),
    ]
    for s, y, reason in cases:
        with pytest.raises(Unavailable) as refusal:
            calibration_slope(s, y)
        assert refusal.value.reason == reason


@pytest.mark.parametrize("measure", [ecce, expected_calibration_error, calibration_slope, calibration_in_the_large])
def test_one_row_is_too_few_for_any_calibration(measure: Callable[..., Basis]) -> None:
    with pytest.raises(Unavailable, match="of 1 row has"):
        measure(np.array([0.4]), np.array([1]))
