import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import brentq
from scipy.stats import skew, t
from sklearn.metrics import r2_score, root_mean_squared_error

from audit.errors import CheckError, Unavailable
from audit.stats import interval, mean, mean_from_sums, normal, r_squared, root_mean, value
from tests.stats.coverage import coverage

samples = arrays(float, st.integers(3, 60), elements=st.floats(-50, 50, width=32)).filter(lambda x: np.ptp(x) > 0.1)


@settings(deadline=None)
@given(samples)
def test_the_limits_solve_halls_cubic(values: np.ndarray) -> None:
    n, se = values.size, values.std(ddof=1) / values.size**0.5
    a = float(skew(values)) / n**0.5

    def excess(truth: float, target: float) -> float:
        x = (values.mean() - truth) / se
        return float(x + a * x**2 / 3 + a**2 * x**3 / 27 + a / 6 - target)

    found = interval(mean(values), 0.95)
    for limit, target in ((found.lower, t.ppf(0.975, n - 1)), (found.upper, t.ppf(0.025, n - 1))):
        root = brentq(excess, values.mean() - 900 * se, values.mean() + 900 * se, args=(target,))
        assert limit == pytest.approx(root, abs=1e-6 * (1 + abs(root)))


@given(samples, st.floats(0.01, 100), st.floats(-1000, 1000))
def test_a_change_of_unit_changes_the_interval_in_the_same_way(values: np.ndarray, scale: float, shift: float) -> None:
    before, after = interval(mean(values), 0.9), interval(mean(values * scale + shift), 0.9)
    expected = (before.lower * scale + shift, before.upper * scale + shift)
    assert (after.lower, after.upper) == pytest.approx(expected, rel=1e-6, abs=1e-6 * (scale + abs(shift)))


@given(samples, st.floats(-5, 5))
def test_sums_about_any_shift_give_the_same_basis_as_the_values(values: np.ndarray, shift: float) -> None:
    d = values - shift
    sums = mean_from_sums(d.size, d.sum(), (d**2).sum(), (d**3).sum(), shift)
    assert dict(sums.numbers) == pytest.approx(dict(mean(values).numbers), rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("values", [[], [4.2]])
def test_fewer_than_two_values_have_no_interval(values: list[float]) -> None:
    for make in (mean, root_mean):
        with pytest.raises(Unavailable) as refusal:
            make(np.array(values))
        assert refusal.value.reason == "insufficient_data"
    with pytest.raises(Unavailable):
        mean_from_sums(len(values), sum(values), 0.0, 0.0)


def test_a_few_equal_values_are_refused_rather_than_called_certain() -> None:
    with pytest.raises(Unavailable, match="all 5 values are equal"):
        mean(np.full(5, 0.3))
    many = interval(mean(np.full(500, 0.3)), 0.95)
    assert (many.lower, many.upper) == (0.3, 0.3)


def test_values_whose_cubes_overflow_still_have_a_mean() -> None:
    values = np.array([1e150, 2e150, 4e150])
    assert value(mean(values)) == pytest.approx(7e150 / 3)


def test_rmse_and_r2_equal_scikit_learns() -> None:
    rng = np.random.default_rng(0)
    y, prediction = rng.normal(size=(2, 80)) + 5
    assert value(root_mean((y - prediction) ** 2)) == pytest.approx(root_mean_squared_error(y, prediction), abs=1e-12)
    assert value(r_squared(y, prediction)) == pytest.approx(r2_score(y, prediction), abs=1e-12)


def test_the_standard_error_of_r2_is_the_jackknife_over_rows_left_out() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=25)
    y = x + 0.4 * rng.normal(size=25)
    left_out = np.array([np.log(1 - r2_score(np.delete(y, i), np.delete(x, i))) for i in range(25)])
    se = np.sqrt(24 * np.var(left_out))
    assert r_squared(y, x).numbers["se"] == pytest.approx(se, rel=1e-9)


def test_r2_of_a_constant_target_is_undefined_and_of_a_few_perfect_rows_unknown() -> None:
    x = np.arange(5.0)
    for y, prediction, reason in ((np.ones(5), x, "undefined"), (x, x, "insufficient_data")):
        with pytest.raises(Unavailable) as refusal:
            r_squared(y, prediction)
        assert refusal.value.reason == reason
    assert value(r_squared(np.arange(40.0), np.arange(40.0))) == 1


def test_means_of_skewed_values_cover_where_the_plain_t_interval_does_not() -> None:
    share = coverage(lambda rng: mean(rng.lognormal(size=50)), np.exp(0.5), 4000)
    plain = [
        t.interval(0.95, 49, x.mean(), x.std(ddof=1) / 50**0.5)
        for x in np.random.default_rng(7).lognormal(size=(4000, 50))
    ]
    assert share >= 0.915
    assert share > np.mean([low <= np.exp(0.5) <= high for low, high in plain]) + 0.01
    assert coverage(lambda rng: mean(np.abs(rng.normal(size=20))), (2 / np.pi) ** 0.5, 4000) >= 0.94


def draw_r2(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    x = rng.normal(size=n)
    return x + 0.5 * rng.normal(size=n), x


@pytest.mark.parametrize(("n", "least"), [(20, 0.925), (50, 0.935), (200, 0.94)])
def test_r2_covers_its_truth(n: int, least: float) -> None:
    assert least <= coverage(lambda rng: r_squared(*draw_r2(rng, n)), 0.8, 3000) <= 0.965


def test_an_estimate_with_its_error_is_symmetric_on_the_scale_it_names() -> None:
    plain, log, logit = (interval(normal(0.2, 0.05, 7, scale=scale), 0.9) for scale in ("identity", "log", "logit"))
    width = t.ppf(0.95, 7) * 0.05
    assert (plain.lower, plain.upper) == pytest.approx((0.2 - width, 0.2 + width))
    assert log.lower * log.upper == pytest.approx(0.04)
    assert np.log(log.upper / 0.2) == pytest.approx(width / 0.2)
    odds = logit.lower / (1 - logit.lower) * logit.upper / (1 - logit.upper)
    assert odds == pytest.approx(0.25**2)


@pytest.mark.parametrize(("estimate", "scale"), [(0.0, "log"), (1.0, "logit"), (-1.0, "logit")])
def test_a_value_off_the_scale_is_undefined(estimate: float, scale: str) -> None:
    with pytest.raises(Unavailable, match="scale needs a value"):
        normal(estimate, 0.1, scale=scale)  # type: ignore[arg-type]
    with pytest.raises(CheckError, match="se >= 0"):
        normal(0.5, -0.1)
