"""A run over several labels as its report shows it: each label with its own limit, its own gaps, its own threshold."""

from __future__ import annotations

from functools import cache

from audit.engine import run_audit
from audit.record import AuditRun
from reports.grids import Grid, grids, left_out, limit_lines
from reports.provenance import facts
from tests.worlds.random_tables import LABELS, multilabel_case, multilabel_cells
from tests.worlds.tables import loaded, registry

LIMIT = {"measure": "accuracy", "params": {"class": "ice"}, "by": ["sex"], "min": 0.2}


@cache
def a_run() -> AuditRun:
    cells = multilabel_cells(1)
    cells["sun"][cells["sex"] == "f"] = None
    case = multilabel_case(cells, limits=[LIMIT], threshold=[0.4, 0.5, 0.65])
    return run_audit(case, loaded(case), registry())


def grid(label: str) -> Grid:
    wanted = ("accuracy", ("sex",), {"class": label})
    return next(g for g in grids(a_run()) if (g.name, g.columns, dict(g.first.params)) == wanted)


def test_the_limit_of_one_label_is_drawn_on_no_other() -> None:
    assert [[line.value for line in limit_lines(a_run(), grid(label))] for label in LABELS] == [[], [0.2], []]


def test_a_group_that_one_label_lacks_is_said_to_be_missing_there_only() -> None:
    lacking = [left_out(a_run(), ("sex",), grid(label)) for label in LABELS]
    assert lacking[:2] == [(), ()]
    assert lacking[2] == ("f (n = 0)",)


def test_the_threshold_of_each_label_stands_in_the_provenance() -> None:
    assert dict(facts(a_run()))["Decision threshold"] == "0.4 for fog, 0.5 for ice, 0.65 for sun"


def test_charts_bear_the_name_of_their_label() -> None:
    titles = {item.title for record, item in a_run().evidence() if record.check == "performance.discrimination"}
    assert {f"ROC curve: {label}" for label in LABELS} <= titles
