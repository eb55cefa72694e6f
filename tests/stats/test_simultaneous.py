import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm, studentized_range

from audit.stats import generator, holm, seed_for, simultaneous_z, tukey_z


@pytest.mark.parametrize("groups", [2, 3, 10, 50])
@pytest.mark.parametrize("alpha", [0.1, 0.05, 0.001])
def test_tukeys_z_equals_scipys_studentized_range_over_root_two(groups: int, alpha: float) -> None:
    theirs = studentized_range.ppf(1 - alpha, groups, np.inf) / 2**0.5
    assert tukey_z(groups, alpha) == pytest.approx(theirs, abs=2e-6)


def test_published_quantiles_of_the_studentized_range_are_reproduced() -> None:
    for groups, q in {3: 3.314, 10: 4.474, 20: 5.012, 100: 6.085}.items():
        assert tukey_z(groups, 0.05) * 2**0.5 == pytest.approx(q, abs=6e-4)


def test_two_groups_need_no_correction_and_more_groups_need_more() -> None:
    assert tukey_z(2, 0.05) == pytest.approx(norm.ppf(0.975), abs=1e-9)
    assert np.all(np.diff([tukey_z(groups, 1e-6) for groups in (2, 3, 10, 100, 5000)]) > 0)
    bonferroni = norm.ppf(1 - 0.025 / (5000 * 4999 / 2))
    assert tukey_z(5000, 0.05) < bonferroni


@given(st.integers(1, 10_000), st.floats(1e-9, 0.5))
def test_sidaks_z_leaves_alpha_over_independent_comparisons(comparisons: int, alpha: float) -> None:
    each = 2 * norm.sf(simultaneous_z(comparisons, alpha))
    assert -np.expm1(comparisons * np.log1p(-each)) == pytest.approx(alpha, rel=1e-6)


def test_holms_published_example_is_reproduced() -> None:
    assert holm(np.array([0.01, 0.04, 0.03, 0.005])).tolist() == pytest.approx([0.03, 0.06, 0.06, 0.02])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_holm_lies_between_the_raw_and_the_bonferroni_p_values_and_keeps_their_order(p: list[float]) -> None:
    raw, adjusted = np.array(p), holm(np.array(p))
    assert np.all(adjusted >= raw)
    assert np.all(adjusted <= np.minimum(raw * len(p), 1) + 1e-12)
    assert np.all(np.diff(adjusted[np.argsort(raw)]) >= 0)


def test_a_stream_depends_on_its_seed_and_name_alone() -> None:
    assert seed_for(20261122, "attribution.global") == seed_for(20261122, "attribution.global")
    names = {seed_for(seed, name) for seed in (1, 2, 12) for name in ("a", "b", "2:a")}
    assert len(names) == 9
    assert (
        generator(1, "a").random(3).tolist()
        == generator(1, "a").random(3).tolist()
        != generator(1, "b").random(3).tolist()
    )
