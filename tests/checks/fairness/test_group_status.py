"""What can be said of each group: exact rows and denominators, and a status for every group."""

from __future__ import annotations

from typing import Any

import numpy as np

from audit.results import Table
from tests.worlds.random_tables import binary_case, binary_cells, slices
from tests.worlds.tables import evidence, make_case, run_check


def status(case: Any, name: str) -> dict[str, tuple[Any, ...]]:
    table = evidence(run_check(case, "fairness.group_status"), f"status by {name}")
    assert isinstance(table, Table)
    return {str(row[0]): row[1:] for row in table.rows}


def test_every_group_has_its_rows_what_was_left_out_and_its_denominators() -> None:
    cells = binary_cells(1)
    found = status(binary_case(cells), "race and sex")
    usable = np.isfinite(cells["s"]) & np.array([v is not None for v in cells["y"]])
    crossings = [(group, mask) for group, mask in slices(cells) if len(group) == 2]
    assert len(found) == len(crossings)
    for group, mask in crossings:
        words = ", ".join(f"{c} = {v or '(missing)'}" for c, v in group.items())
        mine = mask & usable
        counts = (
            mask.sum(), (mask & ~usable).sum(), (mine & (cells["y"] == 1)).sum(), (mine & (cells["y"] == 0)).sum(),
            (cells["s"][mine] >= 0.5).sum(),
        )  # fmt: skip
        assert found[words][1:] == counts


def test_a_group_is_ok_underpowered_or_undefined_and_never_gone() -> None:
    sizes = {"large": 200, "small": 20, "one sided": 40}
    group = [name for name, n in sizes.items() for _ in range(n)]
    label = [int(i % 2 and name != "one sided") for name, n in sizes.items() for i in range(n)]
    case = make_case({"g": group, "y": label, "d": label}, target="y", positive=1, prediction="d", groups=["g"])
    found = {words: line[0] for words, line in status(case, "g").items()}
    assert found == {
        "g = large": "ok",
        "g = small": "underpowered",
        "g = one sided": "undefined",
    }


def test_several_classes_are_counted_by_the_class_with_the_fewest_rows() -> None:
    group = ["a"] * 90 + ["b"] * 50 + ["c"] * 40
    label = ["x", "y", "z"] * 30 + ["x", "y", "z"] * 15 + ["x"] * 5 + ["x", "y"] * 20
    cells = {"g": group, "y": label, "d": label}
    found = status(make_case(cells, target="y", prediction="d", groups=["g"]), "g")
    assert found == {
        "g = a": ("ok", 90, 0, 90, 30),
        "g = b": ("underpowered", 50, 0, 50, 15),
        "g = c": ("undefined", 40, 0, 40, 0),
    }


def test_a_quantity_is_counted_by_rows_and_says_who_was_left_out() -> None:
    y = [0.5 * i for i in range(40)] + [None] * 5
    found = status(
        make_case({"g": ["a"] * 35 + ["b"] * 10, "y": y, "d": [1.5] * 45}, target="y", prediction="d", groups=["g"]),
        "g",
    )
    assert found == {"g = a": ("ok", 35, 0, 35), "g = b": ("underpowered", 10, 5, 5)}


def test_rows_of_a_ranking_count_whether_somebody_judged_them_or_not() -> None:
    cells = {"g": ["a"] * 40 + ["b"] * 20, "y": [1.0, None] * 30, "s": [0.1 * i for i in range(60)], "q": ["one"] * 60}
    found = status(make_case(cells, target="y", score="s", query="q", groups=["g"]), "g")
    assert found == {"g = a": ("ok", 40, 0, 40, 20), "g = b": ("underpowered", 20, 0, 20, 10)}
