"""The power plan against every pair written out, and against the kernel that the verdicts use."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from math import log, sqrt
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.case import Question
from audit.cli._power import POWERED, LimitPower, _compared, denominators, plan_power
from audit.data.memory import as_table
from audit.data.opening import dataset_from_table
from audit.policy.limits import Limit
from audit.results import MeasureNote
from audit.spec import DataSpec
from audit.stats import compare_groups, rate

BINARY = Question(task="binary", classes=("0", "1"), positive="1", favourable="1")


def data(groups: list[str | None], labels: list[int | None]):  # type: ignore[no-untyped-def]
    table = as_table({"g": groups, "y": labels}, "test")
    return dataset_from_table("test", table, DataSpec(path="", target="y", groups=("g",)), {}, root=Path())


@given(
    sizes=st.lists(st.integers(0, 800), min_size=2, max_size=8),
    tolerance=st.floats(0.02, 0.5),
    base=st.floats(0.05, 0.95),
    ratio=st.booleans(),
)
def test_powered_comparisons_are_those_of_the_definition(
    sizes: list[int], tolerance: float, base: float, ratio: bool
) -> None:
    gap = -log(1 - tolerance) if ratio else tolerance
    variance = (1 - base) / base if ratio else base * (1 - base)
    pairs = list(combinations(range(len(sizes)), 2))

    def fits(i: int, j: int) -> bool:
        a, b = sizes[i], sizes[j]
        return min(a, b) >= 30 and POWERED * sqrt(variance * (1 / a + 1 / b)) <= gap

    most = (gap / POWERED) ** 2 / variance
    short, powered = _compared(np.array(sizes), "pairs", most, 30)
    assert powered == sum(fits(i, j) for i, j in pairs)
    for i in range(len(sizes)):
        if short[i]:
            assert not all(fits(*pair) for pair in pairs if i in pair)
    assert short.any() == (powered < len(pairs))


def test_3_29_standard_errors_are_meant() -> None:
    assert pytest.approx(3.29, abs=1e-3) == POWERED


@pytest.mark.parametrize(("compare", "bound"), [("difference", {"max": 0.1}), ("ratio", {"min": 0.8})])
def test_the_plan_agrees_with_the_kernel_once_the_rates_are_the_base_rate(
    compare: str, bound: dict[str, float]
) -> None:
    rows = {"a": 4000, "b": 1000, "c": 100}
    groups = [name for name, n in rows.items() for _ in range(n)]
    labels: list[int | None] = [i % 2 for i in range(len(groups))]
    limit = Limit(measure="selection_rate", by=("g",), compare=compare, **bound)  # type: ignore[arg-type]
    (plan,) = plan_power([limit], data(list(groups), labels), BINARY, min_n=30, underpowered="block")
    kernel = compare_groups(
        [rate(n / 2, n) for n in rows.values()],
        compare=compare,  # type: ignore[arg-type]
        contrast="pairs",
        reference=None,
        overall=None,
        tolerance=next(iter(bound.values())),
        level=0.95,
        alpha=0.05,
    )
    assert plan.powered == int(kernel.powered.sum())
    assert plan.needed == pytest.approx(int(kernel.needed_n.max()), abs=2)


def test_rows_without_a_label_count_in_no_rate_of_errors() -> None:
    counted = denominators(data(["a"] * 4, [1, 0, None, 1]), BINARY)
    assert {name: int(mask.sum()) for name, mask in counted.masks.items()} == {
        "rows": 4,
        "labelled rows": 3,
        "positives": 2,
        "negatives": 1,
    }
    assert counted.base_rate == pytest.approx(2 / 3)


def test_a_limit_that_lists_small_groups_can_pass_on_the_others_and_one_that_blocks_cannot() -> None:
    groups = ["a"] * 3000 + ["b"] * 3000 + ["c"] * 10
    held = data(list(groups), [i % 2 for i in range(len(groups))])
    limit = Limit(measure="true_positive_rate", by=("g",), compare="difference", max=0.1)
    (listing,) = plan_power([limit], held, BINARY, min_n=30, underpowered="list")
    (blocking,) = plan_power([limit], held, BINARY, min_n=30, underpowered="block")
    assert (listing.can_pass, blocking.can_pass) == (True, False)
    assert [group.n for group in listing.groups if group.short] == [5]
    alone = replace(listing.groups[0], n=1)
    assert f"has 1 {listing.denominator.removesuffix('s')};" in listing.words(alone)
    assert "it will be listed with too few rows to tell below about" in listing.words(listing.groups[0])


def test_a_measure_that_is_no_rate_is_not_planned() -> None:
    limit = Limit(measure="roc_auc", by=("g",), compare="difference", max=0.1)
    assert plan_power([limit], data(["a", "b"], [0, 1]), BINARY, min_n=30, underpowered="block") == []


@pytest.mark.parametrize(("contrast", "comparisons"), [("pairs", 3), ("reference", 2), ("rest", 3), ("overall", 3)])
def test_every_contrast_counts_its_own_comparisons(contrast: str, comparisons: int) -> None:
    held = data(["a"] * 5000 + ["b"] * 5000 + ["c"] * 5000, [i % 2 for i in range(15000)])
    limit = Limit(
        measure="accuracy",
        by=("g",),
        compare="difference",
        max=0.1,
        contrast=contrast,  # type: ignore[arg-type]
    )
    (plan,) = plan_power([limit], held, BINARY, min_n=30, underpowered="block")
    assert (plan.powered, plan.comparisons, plan.can_pass) == (comparisons, comparisons, True)


def note(*of: str, combine: str = "worst") -> MeasureNote:
    return MeasureNote(unit="1", better="lower", words="x", check="x", of=of, compare="difference", combine=combine)  # type: ignore[arg-type]


NOTES = {
    "demographic_parity_difference": note("selection_rate"),
    "equalized_odds_difference": note("true_positive_rate", "false_positive_rate"),
    "average_odds_difference": note("true_positive_rate", "false_positive_rate", combine="mean"),
    "predictive_parity_difference": note("positive_predictive_value"),
}


def planned(measure: str, *, bounds: bool = False, groups: list[str | None] | None = None) -> list[LimitPower]:
    names = groups or [*"a" * 3000, *"b" * 600]
    held = data(names, [int(i % 10 == 0) for i in range(len(names))])
    limit = Limit(measure=measure, by=("g",), compare="difference", max=0.1)
    return plan_power([limit], held, BINARY, min_n=30, underpowered="block", notes=NOTES, bounds=bounds)


def test_a_named_comparison_is_planned_as_the_rate_that_it_stands_for() -> None:
    (named,), (plain,) = planned("demographic_parity_difference"), planned("selection_rate")
    assert replace(named, limit=plain.limit) == plain
    assert named.powered == 1


def test_a_named_comparison_of_two_rates_is_planned_for_the_rows_of_each() -> None:
    positives, negatives = planned("equalized_odds_difference")
    assert (positives.of, negatives.of) == ("positives", "negatives")
    assert [group.n for group in positives.groups] == [60, 300]
    assert (positives.powered, negatives.powered) == (0, 1)


def test_the_mean_of_two_rates_is_planned_on_the_harmonic_mean_of_their_rows() -> None:
    (mean,) = planned("average_odds_difference")
    assert [group.n for group in mean.groups] == [int(2 / (1 / 60 + 1 / 540)), int(2 / (1 / 300 + 1 / 2700))]
    assert mean.denominator == "positives and negatives"


def test_a_rate_whose_rows_only_the_model_decides_is_not_planned_under_any_name() -> None:
    assert planned("predictive_parity_difference") == []


def test_under_bounds_rows_of_unknown_group_are_no_group() -> None:
    names: list[str | None] = [*"a" * 500, *"b" * 500, *[None] * 40]
    (with_group,), (without,) = (planned("selection_rate", bounds=bounds, groups=names) for bounds in (False, True))
    assert (with_group.comparisons, without.comparisons) == (3, 1)


def test_a_ranking_has_no_rates_to_plan() -> None:
    ranking = Question(task="ranking", classes=(), positive=None, favourable=None)
    limit = Limit(measure="selection_rate", by=("g",), compare="difference", max=0.1)
    assert plan_power([limit], data(["a", "b"], [0, 1]), ranking, min_n=30, underpowered="block") == []
