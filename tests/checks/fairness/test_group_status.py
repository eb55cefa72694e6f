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


def test_a_group_is_ok_underpowered_undefined_or_suppressed_and_never_gone() -> None:
    sizes = {"large": 200, "small": 20, "one sided": 40, "two people": 2}
    group = [name for name, n in sizes.items() for _ in range(n)]
    label = [int(i % 2 and name != "one sided") for name, n in sizes.items() for i in range(n)]
    case = make_case({"g": group, "y": label, "d": label}, target="y", positive=1, prediction="d", groups=["g"])
    found = {words: line[0] for words, line in status(case, "g").items()}
    assert found == {
        "g = large": "ok",
        "g = small": "underpowered",
        "g = one sided": "undefined",
        "g = two people": "suppressed",
    }
    assert status(case, "g")["g = two people"][1:] == (None,) * 5
