import subprocess
import sys
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import stats
from audit.errors import CheckError
from audit.results import Basis
from audit.stats.bases import METHODS, evaluate, method, scaled
from audit.stats.weighting import selected

RNG = np.random.default_rng(11)
SCORES, LABELS = RNG.random(400), RNG.random(400) < 0.4
SEPARATE = SCORES + 2 * LABELS
VALUES = RNG.gamma(2.0, size=90)
RATES = stats.rate(12, 80), stats.rate(30, 70)
MEANS = stats.mean(VALUES), stats.mean(VALUES[:40] * 1.5)

EXAMPLES: dict[str, Basis] = {
    basis.method: basis
    for basis in (
        RATES[0],
        stats.f1(20, 8, 5),
        MEANS[0],
        stats.root_mean(VALUES),
        stats.normal(0.3, 0.1, 12, n=13),
        stats.normal(0.3, 0.1, scale="log", n=50),
        stats.normal(0.3, 0.1, scale="logit", n=50),
        stats.r_squared(VALUES, VALUES + RNG.normal(size=90)),
        stats.auc(SCORES, LABELS),
        stats.auc(SCORES[:30], LABELS[:30]),
        stats.average_precision(SCORES, LABELS),
        stats.average_precision(SEPARATE[:60], LABELS[:60]),
        stats.ecce(SCORES, LABELS),
        stats.expected_calibration_error(SCORES, LABELS),
        stats.weighted_rate(LABELS[:90], VALUES),
        stats.clustered_rate(LABELS[:90], np.arange(90) // 3),
        stats.clustered_mean(VALUES, np.arange(90) // 3),
        stats.paired_difference(40, 12, 5, 33),
        stats.paired_auc(SCORES, SCORES[::-1], LABELS),
        stats.paired_predictive_value(LABELS, SCORES < 0.7, SCORES > 0.3),
        stats.paired_root_mean(VALUES, VALUES[::-1]),
        stats.least([stats.paired_difference(40, 12, 5, 33), stats.paired_difference(40, 12, 5, 33)]),
        stats.worst(RATES),
        stats.f1_from_jaccard(stats.clustered_rate(LABELS[:90], np.arange(90) // 3)),
        stats.selected_rate(40, 120, 500),
        stats.calibration_in_the_large(SCORES[:9], np.zeros(9)),
        selected(stats.weighted_rate(LABELS[:90], VALUES), 500),
        selected(stats.clustered_rate(LABELS[:90], np.arange(90) // 3), 500),
        stats.wasserstein(SCORES[:200], SCORES[200:] ** 2),
        stats.differential_fairness(RATES),
        stats.subgroup_gap(RATES),
        stats.exact(0.25),
        stats.assumption_range(2.0, 1.0, 5.0, 0.9),
        stats.assumption_range(2.0, 0.0, 5.0, 0.9),
        stats.average([*RATES, MEANS[0]], [0.5, 0.7, -0.2]),
        stats.difference(*RATES),
        stats.ratio(*RATES),
        stats.difference(*MEANS),
        stats.ratio(*MEANS),
    )
}
SAMPLED = [name for name in EXAMPLES if METHODS[name].kind == "sample"]


def test_every_method_has_an_example_here() -> None:
    assert set(EXAMPLES) == set(METHODS)


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_higher_level_is_never_narrower_and_the_value_lies_inside(name: str) -> None:
    levels = (0.1, 0.5, 0.8, 0.95, 0.99, 0.999999)
    found = [stats.interval(EXAMPLES[name], level) for level in levels]
    value = stats.value(EXAMPLES[name])
    assert all(one.lower - 1e-12 <= value <= one.upper + 1e-12 for one in found)
    assert all(a.lower >= b.lower - 1e-12 and a.upper <= b.upper + 1e-12 for a, b in pairwise(found))
    if METHODS[name].kind != "exact":
        assert found[-1].half_width > found[1].half_width


@pytest.mark.parametrize("name", SAMPLED)
def test_more_rows_make_a_sampling_interval_narrower_about_the_same_value(name: str) -> None:
    more = scaled(EXAMPLES[name], 4.0)
    assert stats.rows(more) == pytest.approx(4 * stats.rows(EXAMPLES[name]))
    assert stats.value(more) == pytest.approx(stats.value(EXAMPLES[name]), abs=1e-9)
    ratio = stats.interval(more, 0.95).half_width / stats.interval(EXAMPLES[name], 0.95).half_width
    assert 0.25 < ratio < 0.75


def test_more_rows_do_not_change_what_is_exact_or_assumed() -> None:
    for name in set(EXAMPLES) - set(SAMPLED):
        assert scaled(EXAMPLES[name], 9.0) == EXAMPLES[name]


def test_bases_of_mixed_methods_are_evaluated_in_their_own_order() -> None:
    mixed = [*EXAMPLES.values(), *reversed(EXAMPLES.values())]
    found = evaluate(mixed, 0.05)
    for i, basis in enumerate(mixed):
        one = stats.interval(basis, 0.9)
        assert (found.lower[i], found.upper[i]) == pytest.approx((one.lower, one.upper), abs=1e-12)


@given(st.floats(0.5, 0.99), st.floats(1, 10), st.floats(1.01, 3), st.floats(1.01, 3))
def test_a_range_is_as_given_at_its_own_level(level: float, value: float, below: float, above: float) -> None:
    basis = stats.assumption_range(value, value / below, value * above, level)
    found = stats.interval(basis, level)
    assert (found.lower, found.upper) == pytest.approx((value / below, value * above))
    assert found.kind == "range"


def test_a_compound_is_only_as_exact_as_its_parts() -> None:
    counted, assumed = stats.exact(3.0), stats.assumption_range(2.0, 1.0, 5.0, 0.9)
    kinds = [stats.interval(stats.average(parts), 0.95).kind for parts in ([counted] * 2, [counted, assumed], RATES)]
    assert kinds == ["exact", "range", "sample"]


def test_a_measurement_follows_from_its_basis() -> None:
    made = stats.measured(name="recall", basis=RATES[0], level=0.9, n=80, unit="1", slice={"sex": "f"})
    assert (made.value, made.interval) == (0.15, stats.interval(RATES[0], 0.9))
    assert made.method == "Wilson score interval (Wilson 1927)"
    assert dict(made.slice) == {"sex": "f"}


def test_an_unknown_method_names_the_nearest() -> None:
    with pytest.raises(CheckError, match='did you mean "wilson"'):
        method("wilsn")
    with pytest.raises(CheckError, match="between 0 and 1"):
        stats.interval(RATES[0], 95)
    with pytest.raises(CheckError, match="no interval method"):
        stats.value(replace(RATES[0], method="bootstrap"))


def test_the_kernel_starts_without_the_heavy_half_of_scipy() -> None:
    heavy = {"scipy.stats", "scipy.optimize", "pandas", "torch", "sklearn"}
    code = f"import sys, audit.stats; print({heavy} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


def test_measurements_made_together_are_those_made_one_by_one() -> None:
    asked = [stats.Asked(name=name, basis=basis, n=5, unit="1") for name, basis in EXAMPLES.items()]
    asked = [one for pair in zip(asked, reversed(asked), strict=True) for one in pair]
    together = stats.measured_together(asked, 0.9)
    assert [m.name for m in together] == [one.name for one in asked]
    for m in together:
        alone = stats.measured(name=m.name, basis=m.basis, level=0.9, n=5, unit="1")
        assert (m.value, m.interval.lower, m.interval.upper) == pytest.approx(
            (alone.value, alone.interval.lower, alone.interval.upper), rel=1e-12
        )
        assert (m.interval.method, m.interval.kind, m.method) == (
            alone.interval.method,
            alone.interval.kind,
            alone.method,
        )
