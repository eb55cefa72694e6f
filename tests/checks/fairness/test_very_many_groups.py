"""A column of very many levels: what takes all rows for every group is measured for the largest, and says so."""

from __future__ import annotations

import numpy as np

from audit.checks.fairness.score_gaps import DISTANCES, MOST
from audit.results import Outcome
from tests.worlds.tables import make_case, measurement, omission, run_check


def found(sizes: list[int]) -> Outcome:
    rng = np.random.default_rng(5)
    place = np.repeat([f"p{i:03}" for i in range(len(sizes))], sizes)
    cells = {"g": place, "y": np.arange(place.size) % 2, "s": rng.random(place.size)}
    case = make_case(cells, target="y", positive=1, score="s", groups=["g"])
    return run_check(case, "fairness.score_gaps")


def test_of_more_than_100_groups_the_largest_have_distances_and_every_other_one_says_why_not() -> None:
    outcome = found([5] * MOST + [4, 4, 4])
    for name in DISTANCES:
        measured = [m for m in outcome.measurements if m.name == name]
        left_out = [o for o in outcome.omissions if o.name == name]
        assert (len(measured), len(left_out)) == (MOST, 3)
        assert measurement(outcome, name, by={"g": "p001"}).n == 5
        assert "the largest alone" in omission(outcome, name, by={"g": "p102"}).detail
    assert sum(m.name == "mean_score" and bool(m.slice) for m in outcome.measurements) == MOST + 3


def test_groups_as_large_as_one_that_is_left_out_are_left_out_whatever_their_names() -> None:
    outcome = found([6] + [5] * MOST)
    assert {m.slice["g"] for m in outcome.measurements if m.name == "abroca"} == {"p000"}


def test_of_100_groups_all_have_distances() -> None:
    assert not [o for o in found([4] * MOST).omissions if o.name in DISTANCES]
