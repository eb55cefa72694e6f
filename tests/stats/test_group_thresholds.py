"""Thresholds by group: chosen on one half, judged on the other, with intervals that cover what they do."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from audit.errors import Unavailable
from audit.stats import frontier, generator, interval, value
from audit.stats.frontier import Constraint
from audit.stats.group_thresholds import (
    Halves,
    accuracy_cost,
    accuracy_gain,
    gap_removed,
    gap_under,
    halved,
    own_accuracy,
    own_rates,
    smallest_gap_without_loss,
    thresholds,
)

BINS = 64
CONSTRAINTS: tuple[Constraint, ...] = ("selection_rate", "true_positive_rate", "false_positive_rate")


def counts(seed: int, n: int) -> NDArray[np.int64]:
    """Three groups whose scores differ, judged by one threshold that suits none."""
    rng = np.random.default_rng(seed)
    group, table = rng.integers(0, 3, n), np.zeros((3, 2, 2, BINS), dtype=np.int64)
    score = np.clip(rng.beta(2 + group, 3, n), 0, 0.999)
    label = rng.random(n) < np.clip(score + 0.08 * (group - 1), 0, 1)
    np.add.at(table, (group, label * 1, (score > 0.55) * 1, (score * BINS).astype(int)), 1)
    return table


@settings(max_examples=30)
@given(st.integers(0, 1000), st.integers(2, 400))
def test_the_halves_hold_every_row_once_and_are_named_after_no_group(seed: int, n: int) -> None:
    table = counts(seed, n)
    halves = halved(table, generator(seed, "halves"))
    assert sorted(one.tobytes() for one in halves.chosen + halves.judged) == sorted(one.tobytes() for one in table)
    assert min(halves.chosen.min(), halves.judged.min()) >= 0
    assert halves.chosen.sum() == n // 2
    turned = halved(table[[2, 0, 1]], generator(seed, "halves"))
    assert np.array_equal(turned.chosen, halves.chosen)


@pytest.mark.parametrize("constraint", CONSTRAINTS)
@pytest.mark.parametrize("eps", [0.0, 0.07, 1.0])
def test_on_the_rows_that_chose_the_thresholds_reach_the_frontier_and_keep_the_gap(
    constraint: Constraint, eps: float
) -> None:
    table = counts(1, 4000)
    select = thresholds(table, constraint, eps)
    gained = value(accuracy_gain(table, select))
    best = frontier(table.sum(axis=2), constraint, [eps]).accuracy[0]
    assert own_accuracy(table) + gained == pytest.approx(best, abs=1e-9)
    assert value(accuracy_cost(table, select)) == pytest.approx(-gained)
    about = {"selection_rate": (1, 1), "true_positive_rate": (0, 1), "false_positive_rate": (1, 0)}[constraint]
    rows = table * np.array(about)[None, :, None, None]
    rates = (rows * select[:, None, None, :]).sum(axis=(1, 2, 3)) / rows.sum(axis=(1, 2, 3))
    assert np.ptp(rates) <= eps + 1e-9


def test_the_gap_that_goes_is_the_difference_of_the_gaps_before_and_after() -> None:
    halves = halved(counts(2, 3000), generator(1, "halves"))
    least = smallest_gap_without_loss(halves.chosen, "selection_rate", (0.0, 0.1, 0.2, 0.4, 1.0))
    select = thresholds(halves.chosen, "selection_rate", least)
    before, after = gap_under(halves, select, "selection_rate")
    assert value(gap_removed(halves, select, "selection_rate")) == pytest.approx(before - after)
    assert before == pytest.approx(np.ptp(own_rates(halves.judged, "selection_rate")), abs=0.1)
    assert value(accuracy_gain(halves.chosen, select)) >= -1e-12


def test_intervals_cover_what_the_chosen_thresholds_do_to_all_rows_nineteen_times_in_twenty() -> None:
    everybody, covered = counts(3, 1_000_000), []
    for seed in range(150):
        sample = counts(100 + seed, 1200)
        halves = halved(sample, generator(seed, "halves"))
        names = [one.tobytes() for one in sample]
        all_rows = everybody[[names.index(one.tobytes()) for one in halves.chosen + halves.judged]]
        select = thresholds(halves.chosen, "selection_rate", 0.1)
        whole = Halves(halves.chosen, all_rows)
        for found, true in (
            (accuracy_gain(halves.judged, select), accuracy_gain(all_rows, select)),
            (gap_removed(halves, select, "selection_rate"), gap_removed(whole, select, "selection_rate")),
        ):
            bounds = interval(found, 0.95)
            covered.append(bounds.lower <= value(true) <= bounds.upper)
    assert 0.91 <= np.mean(covered) <= 0.985


def test_a_group_without_the_rows_that_a_rate_is_about_is_undefined() -> None:
    table = counts(4, 400)
    table[0, 1] = 0
    with pytest.raises(Unavailable, match="true_positive_rate"):
        own_rates(table, "true_positive_rate")
