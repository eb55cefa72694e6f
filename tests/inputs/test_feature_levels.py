"""Features as levels: bins hold about equal rows and cover every value, missing values stay visible."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from audit.inputs.feature_levels import FeatureLevels, feature_levels, quantile_bins
from tests.worlds.tables import make_case

N = 200


def levels(described: dict[str, Any] | None = None, **columns: Any) -> FeatureLevels:
    given = {"y": np.arange(N) % 2, "d": np.arange(N) % 2, **columns}
    case = make_case(
        given, target="y", positive=1, prediction="d", features=list(columns), described=described, groups=["y"]
    )
    return feature_levels(case.datasets["test"])


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=80), st.integers(0, 5))
def test_every_value_lies_in_the_bin_that_names_it(values: list[float], missing: int) -> None:
    there = np.array(values)
    found = quantile_bins(np.append(there, np.full(missing, np.nan)), there)
    assert (found.levels[-1] is None) == (missing > 0)
    assert np.all(found.codes[len(values) :] == len(found.levels) - 1) or not missing
    order = np.argsort(there, kind="stable")
    assert np.all(np.diff(found.codes[: len(values)][order]) >= 0)


def test_distinct_numbers_are_cut_into_fifths_and_few_stay_as_they_are() -> None:
    found = levels(age=np.arange(N), rooms=np.arange(N) % 4)
    age, rooms = found.columns[:2]
    assert np.bincount(age.codes).tolist() == [40] * 5
    assert age.levels[0] == "up to 39"
    assert age.levels[4] == "above 159"
    assert rooms.levels == ("0", "1", "2", "3")


def test_own_bins_and_categories_stand_and_the_sensitive_column_joins() -> None:
    found = levels({"age": {"bins": [50, 100]}}, age=np.arange(N), job=["a", None] * (N // 2))
    assert found.names == ("age", "job", "y")
    assert found.columns[0].levels == ("under 50", "50 to under 100", "100 or more")
    assert found.columns[1].levels == ("a", None)


def test_a_constant_is_skipped_and_said_so() -> None:
    assert levels(same=np.ones(N), other=np.arange(N) % 3).skipped == ("same",)
