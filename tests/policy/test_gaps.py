"""A bound on the gap or the ratio between groups."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.policy import Limit, Verdict
from audit.policy.judge import judge
from audit.results import Measurement
from audit.stats import Tally, compare_groups, exact, labels_to_flip, mean_from_sums, rate
from tests.policy.worlds import a_limit, a_record, an_omission, measurements, of_basis, rules, verdict_on

LARGE: dict[str | None, tuple[float, float]] = {"f": (2500, 5000), "m": (2510, 5000)}


def gap(most: float = 0.1, **more: Any) -> Limit:
    return a_limit(by=("sex",), compare="difference", max=most, **more)


def share(least: float = 0.8, **more: Any) -> Limit:
    return a_limit(by=("sex",), compare="ratio", min=least, **more)


@given(a=st.integers(0, 400), b=st.integers(0, 400), most=st.floats(0.02, 0.5))
def test_two_groups_pass_inside_fail_outside_and_are_open_otherwise(a: int, b: int, most: float) -> None:
    found = compare_groups(
        [rate(a, 400), rate(b, 400)], compare="difference", contrast="pairs", reference=None, overall=None,
        tolerance=most, level=0.95, alpha=0.05,
    )  # fmt: skip
    verdict = verdict_on(gap(most), {"f": (a, 400), "m": (b, 400)}).verdict
    inside, outside = found.upper[0] <= most, found.family_lower[0] > most
    assert verdict is (Verdict.PASS if inside else Verdict.FAIL if outside else Verdict.INCONCLUSIVE)


@given(a=st.integers(20, 380), b=st.integers(20, 380), least=st.floats(0.3, 0.95))
def test_a_ratio_does_not_depend_on_which_group_comes_first(a: int, b: int, least: float) -> None:
    one = verdict_on(share(least), {"f": (a, 400), "m": (b, 400)})
    other = verdict_on(share(least), {"f": (b, 400), "m": (a, 400)})
    assert one.verdict is other.verdict
    assert isinstance(one.subject, Measurement)
    assert isinstance(other.subject, Measurement)
    assert one.subject.value == pytest.approx(other.subject.value)
    assert 0 <= one.subject.value <= 1


def test_the_gap_is_the_largest_one_and_names_both_groups() -> None:
    found = verdict_on(gap(), {"f": (1000, 5000), "m": (4000, 5000), "x": (3000, 5000)})
    assert found.verdict is Verdict.FAIL
    assert isinstance(found.subject, Measurement)
    assert found.subject.value == pytest.approx(0.6)
    assert found.comparison is not None
    assert [g["sex"] for g in found.comparison.groups] == ["m", "f"]
    assert found.comparisons == 3


@pytest.mark.parametrize(("underpowered", "expected"), [("block", Verdict.INCONCLUSIVE), ("list", Verdict.PASS)])
def test_a_small_group_blocks_or_is_listed_with_the_rows_it_needs(underpowered: str, expected: Verdict) -> None:
    found = verdict_on(gap(), {**LARGE, "x": (20, 40)}, underpowered=underpowered)
    assert found.verdict is expected
    assert (found.assessed, found.comparisons) == (1, 3)
    assert found.rows_assessed == pytest.approx(10000 / 10040)
    assert "1 of 3 comparisons had rows enough to pass" in found.message


@pytest.mark.parametrize(
    ("hits", "expected"), [(18, Verdict.PASS), (9, Verdict.INCONCLUSIVE), (31, Verdict.INCONCLUSIVE)]
)
def test_a_listed_group_is_set_aside_only_while_it_looks_like_the_others(hits: int, expected: Verdict) -> None:
    found = verdict_on(gap(), {**LARGE, "x": (hits, 40)}, underpowered="list")
    assert found.verdict is expected
    if expected is Verdict.INCONCLUSIVE:
        assert found.needed_n is not None
        assert all({"sex": "x"} in [dict(g) for g in one.groups] for one in found.blocking)


def test_the_rows_that_a_comparison_needs_give_it_power() -> None:
    found = verdict_on(gap(), {**LARGE, "x": (20, 40)})
    assert found.needed_n is not None
    n = found.needed_n
    enough = verdict_on(gap(), {"f": (n / 2, n), "m": (n / 2, n)})
    assert enough.assessed == 1
    less = verdict_on(gap(), {"f": (n / 2 - 5, n - 10), "m": (n / 2 - 5, n - 10)})
    assert less.assessed == 0


def test_fewer_rows_than_min_n_are_never_powered() -> None:
    cells: dict[str | None, tuple[float, float]] = {"f": (2500, 5000), "m": (29, 29)}
    assert verdict_on(gap(1.0), cells, min_n=30, underpowered="list").assessed == 0
    assert verdict_on(gap(1.0), cells, min_n=29, underpowered="list").assessed == 1


def test_a_gap_that_only_a_small_group_shows_still_fails() -> None:
    assert verdict_on(gap(), {**LARGE, "x": (2, 40)}, underpowered="list").verdict is Verdict.FAIL


@pytest.mark.parametrize("underpowered", ["block", "list"])
def test_when_no_comparison_could_have_shown_anything_nothing_passes(underpowered: str) -> None:
    found = verdict_on(gap(), {"f": (5, 10), "m": (5, 10)}, underpowered=underpowered)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.rows_assessed == 0


@pytest.mark.parametrize(("underpowered", "expected"), [("block", Verdict.INCONCLUSIVE), ("list", Verdict.PASS)])
def test_an_undefined_group_never_passes_unseen(underpowered: str, expected: Verdict) -> None:
    found = verdict_on(gap(), LARGE, [an_omission("x", n=7)], underpowered=underpowered)
    assert found.verdict is expected
    assert (found.assessed, found.comparisons) == (1, 3)
    assert "1 of 3 comparisons" in found.message


def test_one_group_has_nothing_to_be_compared_with() -> None:
    found = verdict_on(gap(), {"f": (50, 100)})
    assert found.verdict is Verdict.NOT_ASSESSED
    assert "1 group has nothing to be compared with" in found.message


def test_a_ratio_of_nothing_to_nothing_is_not_assessed_and_no_pass() -> None:
    found = verdict_on(share(), {"f": (0, 500), "m": (0, 500)})
    assert found.verdict is Verdict.NOT_ASSESSED


def test_a_ratio_of_negative_values_is_not_assessed() -> None:
    bases = {"f": mean_from_sums(100, -50, 60, -90), "m": mean_from_sums(100, 50, 60, 90)}
    found = [of_basis("accuracy", basis, 100, {"sex": level}) for level, basis in bases.items()]
    assert judge([share()], [a_record(found)], rules())[0].verdict is Verdict.NOT_ASSESSED


def test_groups_of_a_census_are_compared_whatever_their_size() -> None:
    found = [of_basis("overlap", exact(value), 5, {"sex": level}) for level, value in (("f", 0.1), ("m", 0.3))]
    for most, expected in ((0.25, Verdict.PASS), (0.15, Verdict.FAIL)):
        limit = a_limit("overlap", by=("sex",), compare="difference", max=most)
        assert judge([limit], [a_record(found)], rules())[0].verdict is expected


CONTRASTS: tuple[tuple[Literal["pairs", "reference", "rest", "overall"], int], ...] = (
    ("pairs", 3), ("reference", 2), ("rest", 3), ("overall", 3),
)  # fmt: skip


@pytest.mark.parametrize(("contrast", "comparisons"), CONTRASTS)
def test_each_contrast_makes_its_own_comparisons(contrast: Any, comparisons: int) -> None:
    cells: dict[str | None, tuple[float, float]] = {
        "": (4500, 9000), "f": (1500, 3000), "m": (1500, 3000), "x": (1500, 3000),
    }  # fmt: skip
    found = verdict_on(gap(contrast=contrast), cells)
    assert found.verdict is Verdict.PASS
    assert found.comparisons == comparisons


def test_the_reference_is_the_declared_group_else_the_largest() -> None:
    cells: dict[str | None, tuple[float, float]] = {"f": (100, 1000), "m": (600, 1200), "x": (900, 1000)}
    largest = verdict_on(gap(contrast="reference"), cells)
    declared = verdict_on(gap(contrast="reference"), cells, reference={"sex": "x"})
    assert isinstance(largest.subject, Measurement)
    assert isinstance(declared.subject, Measurement)
    assert largest.subject.value == pytest.approx(0.4)
    assert declared.subject.value == pytest.approx(0.8)


def test_the_order_of_the_records_changes_no_finding() -> None:
    found = measurements("accuracy", {"f": (400, 900), "m": (450, 900), "x": (3, 10)})
    one, other = (judge([gap(), share()], [a_record(order)], rules()) for order in (found, found[::-1]))
    assert [(f.id, f.verdict, f.message) for f in one] == [(f.id, f.verdict, f.message) for f in other]


@given(low=st.integers(100, 500), step=st.integers(0, 200))
def test_a_larger_gap_is_never_judged_better(low: int, step: int) -> None:
    order = [Verdict.PASS, Verdict.INCONCLUSIVE, Verdict.FAIL]
    near = verdict_on(gap(), {"f": (low, 1000), "m": (500, 1000)}).verdict
    far = verdict_on(gap(), {"f": (max(low - step, 0), 1000), "m": (500, 1000)}).verdict
    assert order.index(far) >= order.index(near)


def test_every_gap_says_what_its_rows_could_have_shown_and_how_far_it_leans_on_the_labels() -> None:
    found = verdict_on(gap(), LARGE, relabel=True)
    assert found.smallest_gap == pytest.approx(0.028, abs=0.001)
    assert "the smallest gap that these rows could have shown is 0.028" in found.message
    assert found.labels_to_flip == labels_to_flip(Tally(2510, 5000), Tally(2500, 5000), 0.1)
    assert f"{found.labels_to_flip} wrong group labels could turn the verdict" in found.message
    assert verdict_on(gap(source="default@1"), LARGE, relabel=True).labels_to_flip is None
    assert "the ratio nearest to 1 that these rows could have shown is 0.9" in verdict_on(share(), LARGE).message
