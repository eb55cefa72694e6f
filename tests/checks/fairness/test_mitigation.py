"""What would help: fairlearn's remedies, run only when asked, judged on the test rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from audit import plan
from audit.case import Case
from audit.engine import facts_of
from audit.results import Reason, Table
from tests.worlds.tables import evidence, make_case, registry, run_check


def cells(seed: int, n: int = 1500) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    g = rng.integers(0, 2, n)
    x, z = rng.normal(size=n) + g, rng.normal(size=n)
    y = (x + z + rng.normal(size=n) > 0.5).astype(int)
    return {"x": x, "z": z, "y": y, "g": np.array(["a", "b"], dtype=object)[g]}


def case() -> Case:
    train = cells(1)
    model = LogisticRegression().fit(np.column_stack([train["x"], train["z"]]), train["y"])
    return make_case(cells(2), target="y", positive=1, groups=["g"], features=["x", "z"], model=model, train=train)


@pytest.fixture(scope="module")
def table() -> Table:
    found = evidence(run_check(case(), "fairness.mitigation"), "mitigation by g")
    assert isinstance(found, Table)
    return found


def test_each_remedy_narrows_the_gap_that_it_is_about_and_costs_some_accuracy(table: Table) -> None:
    before, rest = table.rows[0], {(str(row[0]).split(" (")[0], row[1]): row for row in table.rows[1:]}
    assert len(rest) == 4
    for (_, constraint), row in rest.items():
        gaps = (3,) if constraint == "demographic_parity" else (4, 5)
        assert all(float(row[at] or 0) < float(before[at] or 0) - 0.05 for at in gaps)  # type: ignore[arg-type]
        assert float(row[2] or 0) < float(before[2] or 0) + 0.02  # type: ignore[arg-type]


def test_the_table_warns_that_thresholds_by_group_can_be_unlawful(table: Table) -> None:
    assert "unlawful" in table.note


def test_it_runs_only_when_asked() -> None:
    items = plan.make(registry(), facts_of(case()), (), ("instant", "predict", "gradient"))
    (item,) = [item for item in items if item.check.id == "fairness.mitigation"]
    assert item.omission is not None
    assert item.omission.reason is Reason.SKIPPED
