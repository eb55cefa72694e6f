"""Test rows in the training data are found whatever the types, chunks and order of the two tables."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.checks._rows import row_keys
from audit.results import Outcome, Reason
from tests.worlds.tables import Columns, make_case, measurement, omission, run_check, table

ID = "leakage.overlap"


def overlap(test: Columns, train: Columns, **roles: object) -> Outcome:
    case = make_case(test, train=train, target="y", positive=1, score="s", **roles)  # type: ignore[arg-type]
    return run_check(case, ID)


def cells(x: list[object], y: list[int], **more: list[object]) -> dict[str, list[object]]:
    return {"x": x, "y": list(y), "s": [0.5] * len(x), **more}


def test_the_share_counts_test_rows_whose_features_and_target_are_both_there() -> None:
    outcome = overlap(cells([1, 2, 3, 3], [0, 1, 0, 1]), cells([3, 2, 9], [0, 0, 1]))
    share = measurement(outcome, "train_test_overlap")
    assert (share.value, share.n, share.interval.kind) == (0.25, 4, "exact")
    assert measurement(outcome, "train_test_overlap_rows").value == 1


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_count_equals_a_search_row_by_row(seed: int) -> None:
    rng = np.random.default_rng(seed)

    def draw(n: int) -> dict[str, list[object]]:
        names = rng.choice(np.array(["a", "b", None], dtype=object), n).tolist()
        return cells([float(v) for v in rng.integers(0, 3, n)], rng.integers(0, 2, n).tolist(), t=names)

    test, train = draw(30), draw(20)
    rows = list(zip(train["x"], train["t"], train["y"], strict=True))
    expected = sum(row in rows for row in zip(test["x"], test["t"], test["y"], strict=True))
    repeats = sum(rows.count(row) > 1 for row in rows)
    outcome = overlap(test, train)
    assert measurement(outcome, "train_test_overlap_rows").value == expected
    assert measurement(outcome, "train_repeats_share").value == pytest.approx(repeats / 20, abs=1e-12)


@pytest.mark.parametrize(
    ("test", "train"),
    [
        ([1, 2], [1.0, np.nan, 2.0]),
        (pa.array(["u", "v"]).dictionary_encode(), ["v", "u", "w"]),
        (pa.array([True, False]), [0, 1, 2]),
        ([None, 2], pa.array([np.nan, 2.0, 4.0])),
        ([0.0, 2.0], [-0.0, 2.0, 5.0]),
        (pa.array([[1], [2, 3]]), pa.array([[2, 3], [1], []])),
        (pa.array([b"p", b"q"]), pa.array([b"q", b"p", b"r"], pa.large_binary())),
        (pa.array(["1", "2"]), [2, 1, 3]),
    ],
)
def test_equal_cells_are_found_although_the_tables_store_them_differently(test: object, train: object) -> None:
    outcome = overlap({"x": test, "y": [1, 1], "s": [0.1, 0.2]}, {"x": train, "y": [1, 1, 1], "s": [0.1] * 3})
    assert measurement(outcome, "train_test_overlap").value == 1.0


def test_ids_are_left_out_of_the_rows_and_compared_on_their_own() -> None:
    test, train = cells([1, 2], [0, 1], id=["p", "q"]), cells([1, 5, 6], [0, 1, 1], id=["r", "q", "s"])
    outcome = overlap(test, train, id="id", features=["x", "id"])
    assert measurement(outcome, "train_test_overlap").value == 0.5
    found = measurement(outcome, "id_overlap")
    assert (found.value, found.columns) == (0.5, ("id",))


def test_a_missing_id_is_nobodys() -> None:
    test, train = cells([1, 2], [0, 1], id=["p", None]), cells([3, 4], [0, 1], id=[None, "q"])
    found = measurement(overlap(test, train, id="id"), "id_overlap")
    assert (found.value, found.n) == (0.0, 1)


def test_without_training_data_or_ids_the_omission_says_what_to_give() -> None:
    case = make_case(cells([1, 2], [0, 1]), target="y", positive=1, score="s")
    assert run_check(case, ID).omissions[0].remedy == "give [data.train] path"
    assert omission(overlap(cells([1, 2], [0, 1]), cells([1], [0])), "id_overlap").remedy == "give id in [data.test]"


def test_tables_without_features_are_not_compared_by_their_answers_alone() -> None:
    bare = {"y": [0, 1], "s": [0.1, 0.9]}
    assert omission(overlap(bare, bare), "train_test_overlap").reason is Reason.MISSING_INPUT


def test_the_training_data_are_not_compared_with_themselves() -> None:
    case = make_case(cells([1, 2], [0, 1]), train=cells([1, 2], [0, 1]), target="y", positive=1, score="s")
    assert [o.reason for o in run_check(case, ID, on="train").omissions] == [Reason.NOT_APPLICABLE]


def test_rows_get_the_same_key_exactly_when_all_their_cells_are_equal() -> None:
    rng = np.random.default_rng(1)
    columns = {f"c{j}": rng.integers(0, 3, 2000) for j in range(6)}
    (keys,) = row_keys([table(columns)], list(columns))
    rows = list(zip(*columns.values(), strict=True))
    assert len(set(keys.tolist())) == len(set(rows)) == len(set(zip(rows, keys.tolist(), strict=True)))


def test_a_table_of_few_values_overlaps_by_chance_and_has_no_excess_while_a_copied_one_has() -> None:
    rng = np.random.default_rng(7)

    def draw(values: int) -> dict[str, list[object]]:
        return cells(rng.integers(0, values, 400).tolist(), rng.integers(0, 2, 400).tolist())

    by_chance = overlap(draw(60), draw(60))
    assert measurement(by_chance, "train_test_overlap").value > 0.9
    assert measurement(by_chance, "train_test_overlap_excess").interval.lower < 0.05
    train = draw(10**9)
    copied = overlap(cells(train["x"][:200] + draw(10**9)["x"][:200], train["y"][:200] + [0] * 200), train)  # type: ignore[arg-type]
    assert measurement(copied, "train_test_overlap_excess").interval.lower > 0.4
