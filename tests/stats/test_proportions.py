from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest
from sklearn.metrics import f1_score

from audit.errors import CheckError, Unavailable
from audit.stats import f1, interval, rate, value
from audit.stats.proportions import wilson_limits
from tests.stats.coverage import coverage

counts = st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(counts, st.sampled_from([0.5, 0.8, 0.95, 0.999]))
def test_the_wilson_interval_equals_scipys(count: tuple[int, int], level: float) -> None:
    k, n = count
    theirs = binomtest(k, n).proportion_ci(level, method="wilson")
    ours = interval(rate(k, n), level)
    assert (ours.lower, ours.upper) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_newcombe_1998_table_of_wilson_limits_is_reproduced() -> None:
    published = {
        (81, 263): (0.2553, 0.3662),
        (15, 148): (0.0624, 0.1605),
        (0, 20): (0, 0.1611),
        (1, 29): (0.0061, 0.1718),
    }
    for (k, n), limits in published.items():
        ours = interval(rate(k, n), 0.95)
        assert (ours.lower, ours.upper) == pytest.approx(limits, abs=5e-5)


def test_no_success_is_not_a_certain_zero() -> None:
    found = interval(rate(0, 5), 0.95)
    assert found.lower == 0
    assert found.upper > 0.4
    assert interval(rate(5, 5), 0.95).upper == 1


def exact_coverage() -> Iterator[tuple[int, float]]:
    for n in (20, 50, 100, 200, 500, 1000):
        k = np.arange(n + 1.0)
        _, lower, upper = wilson_limits(k, np.full(n + 1, float(n)), 1.959963984540054)
        for p in (0.02, 0.05, 0.1, 0.3, 0.5):
            yield n, float(binom.pmf(k, n, p)[(lower <= p) & (p <= upper)].sum())


def test_rates_cover_95_percent_on_average_and_never_below_92_from_20_rows() -> None:
    shares = [share for _, share in exact_coverage()]
    assert 0.945 <= np.mean(shares) <= 0.955
    assert min(shares) >= 0.92


def test_a_rate_of_no_trials_is_undefined() -> None:
    with pytest.raises(Unavailable) as refusal:
        rate(0, 0)
    assert refusal.value.reason == "undefined"


@pytest.mark.parametrize(("k", "n"), [(3, 2), (-1, 4), (1, -2)])
def test_an_impossible_count_is_refused(k: float, n: float) -> None:
    with pytest.raises(CheckError, match="0 <= k <= n"):
        rate(k, n)


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 60), st.integers(1, 60))
def test_f1_equals_scikit_learns(tp: int, fp: int, fn: int, tn: int) -> None:
    if tp + fp + fn == 0:
        with pytest.raises(Unavailable, match="no row is positive"):
            f1(tp, fp, fn)
        return
    truth = np.repeat([1, 0, 1, 0], [tp, fp, fn, tn])
    called = np.repeat([1, 1, 0, 0], [tp, fp, fn, tn])
    assert value(f1(tp, fp, fn)) == pytest.approx(f1_score(truth, called), abs=1e-12)


@pytest.mark.parametrize(("n", "positive", "recall", "specificity"), [(100, 0.1, 0.7, 0.95), (1000, 0.5, 0.8, 0.8)])
def test_f1_covers_its_truth_in_95_percent_of_samples(
    n: int, positive: float, recall: float, specificity: float
) -> None:
    cells = np.array([positive * recall, (1 - positive) * (1 - specificity), positive * (1 - recall)])
    truth = 2 * cells[0] / (2 * cells[0] + cells[1] + cells[2])
    share = coverage(lambda rng: f1(*rng.multinomial(n, [*cells, 1 - cells.sum()])[:3]), truth, 3000)
    assert 0.935 <= share <= 0.965
