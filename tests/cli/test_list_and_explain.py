"""audit list and audit explain say what the registry and the packs hold, and nothing that they do not."""

from __future__ import annotations

from pathlib import Path

import pytest

from audit.policy.packs import load_pack
from audit.registry import find
from tests.cli.conftest import Call

REGISTRY = find()


def test_every_check_is_listed_with_its_summary(call: Call) -> None:
    rows = {row["check"]: row for row in call("list", "--json").json()}
    assert rows.keys() == REGISTRY.checks.keys()
    assert all(rows[name]["summary"] == info.summary for name, info in REGISTRY.checks.items())


def test_every_measure_is_listed_with_the_check_that_owns_it(call: Call) -> None:
    rows = {row["measure"]: row["check"] for row in call("list", "measures", "--json").json()}
    assert rows == dict(REGISTRY.measures)


def test_every_input_is_listed(call: Call) -> None:
    assert {row["input"] for row in call("list", "inputs", "--json").json()} == REGISTRY.inputs.keys()


def test_a_pack_is_listed_with_the_number_of_its_limits(call: Call) -> None:
    (row,) = [row for row in call("list", "packs", "--json").json() if row["pack"] == "default@1"]
    levels = [limit.level for limit in load_pack("default@1").limits]
    assert (row["fail"], row["warn"]) == (str(levels.count("fail")), str(levels.count("warn")))


def test_runs_are_listed_and_one_that_cannot_be_read_is_listed_with_its_fault(
    two_runs: tuple[Path, Path], tmp_path: Path, call: Call
) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "result.json").write_text("{")
    (row,) = call("list", "runs", tmp_path, "--json").json()
    assert (row["verdict"], "cannot be read" in row["folder"]) == ("unreadable", True)
    (good,) = call("list", "runs", two_runs[0].parent, "--json").json()
    assert good["name"] == "vendor"


def test_the_table_is_no_wider_than_the_terminal(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "140")
    assert max(map(len, call("list").out.splitlines())) <= 140


def test_only_runs_lie_in_a_folder(call: Call, tmp_path: Path) -> None:
    found = call("list", "checks", tmp_path)
    assert (found.code, 'only "audit list runs DIR" takes one' in found.err) == (2, True)


def test_a_folder_of_runs_that_does_not_exist_is_refused(call: Call, tmp_path: Path) -> None:
    found = call("list", "runs", tmp_path / "gone")
    assert (found.code, "is no folder of runs" in found.err) == (2, True)


@pytest.mark.parametrize("check", sorted(REGISTRY.checks))
def test_every_check_is_explained_with_all_its_measures(check: str, call: Call) -> None:
    found = call("explain", check)
    assert found.code == 0
    assert REGISTRY.checks[check].summary in found.out
    assert all(f"  {measure}: " in found.out for measure in REGISTRY.checks[check].measures)


def test_a_limit_is_explained_by_its_id_and_with_the_reason_of_the_pack(call: Call) -> None:
    found = call("explain", "true_positive_rate/difference@race*sex#train")
    assert "the absolute gap between groups, by race and sex, on the train data" in found.out
    (limit,) = [limit for limit in load_pack("default@1").limits if limit.measure == "true_positive_rate"]
    assert limit.why in found.out


def test_a_mistyped_measure_is_answered_with_the_nearest(call: Call) -> None:
    found = call("explain", "tru_positive_rate/ratio@sex")
    assert (found.code, 'did you mean "true_positive_rate"?' in found.err) == (2, True)
