"""audit verify: every edit of a run, its statement, its data or its model is found, and a second measurement agrees."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet
import pytest

from tests.cli.conftest import Call

Runs = tuple[Path, Path]


@pytest.fixture
def stored(two_runs: Runs, tmp_path: Path) -> Path:
    """A copy of a run with the files it was made from: ``audits/<run>`` beside audit.toml and scores.csv."""
    shutil.copytree(two_runs[0].parent.parent, tmp_path / "vendor")
    return next((tmp_path / "vendor" / "audits").iterdir())


def test_a_run_that_nobody_touched_is_as_it_was(stored: Path, call: Call) -> None:
    found = call("verify", stored)
    assert (found.code, "nothing has changed" in found.out) == (0, True)


def test_measuring_again_gives_the_same_numbers_and_verdicts(stored: Path, call: Call) -> None:
    found = call("verify", stored, "--remeasure")
    assert found.code == 0
    assert "measurements came out the same" in found.out


def edit_value(folder: Path) -> None:
    content = json.loads((folder / "result.json").read_text())
    content["exit_code"] = 0
    (folder / "result.json").write_text(json.dumps(content))


def edit_headline(folder: Path) -> None:
    content = json.loads((folder / "result.json").read_text())
    content["findings"][0]["verdict"] = "pass"
    (folder / "result.json").write_text(json.dumps(content))


def edit_statement(folder: Path) -> None:
    content = json.loads((folder / "statement.json").read_text())
    content["predicate"]["result"] = "PASSED"
    (folder / "statement.json").write_text(json.dumps(content))


def swap_subject(folder: Path) -> None:
    content = json.loads((folder / "statement.json").read_text())
    content["subject"][0]["digest"]["sha256"] = "0" * 64
    (folder / "statement.json").write_text(json.dumps(content))


def spoil_statement(folder: Path) -> None:
    (folder / "statement.json").write_text("{")


def lose_statement(folder: Path) -> None:
    (folder / "statement.json").unlink()


def edit_data(folder: Path) -> None:
    with (folder.parent.parent / "scores.csv").open("a") as stream:
        stream.write("9999,0.5,1,white,F\n")


def lose_data(folder: Path) -> None:
    (folder.parent.parent / "scores.csv").unlink()


def edit_spec(folder: Path) -> None:
    with (folder.parent.parent / "audit.toml").open("a") as stream:
        stream.write("# looser\n")


def edit_report(folder: Path) -> None:
    text = (folder / "report.html").read_text()
    (folder / "report.html").write_text(text.replace("Inconclusive", "Passes").replace("Fails", "Passes"))


def edit_summary(folder: Path) -> None:
    with (folder / "summary.md").open("a") as stream:
        stream.write("All is well.\n")


def edit_groups(folder: Path) -> None:
    path = folder / "evidence" / "groups.parquet"
    table = pyarrow.parquet.read_table(path)
    pyarrow.parquet.write_table(table.set_column(6, "value", [[0.5] * table.num_rows]), path)


def lose_groups(folder: Path) -> None:
    (folder / "evidence" / "groups.parquet").unlink()


def spoil_groups(folder: Path) -> None:
    (folder / "evidence" / "groups.parquet").write_bytes(b"PAR1")


EDITS: list[tuple[Callable[[Path], None], str]] = [
    (edit_value, "result.json was edited"),
    (edit_headline, "result.json was edited"),
    (edit_statement, "predicate not as the run says"),
    (swap_subject, "subject not as the run says"),
    (spoil_statement, "subject and predicate not as"),
    (lose_statement, "is gone"),
    (edit_data, "is another file now"),
    (lose_data, "does not exist any more"),
    (edit_spec, "is another file now"),
    (edit_report, "report.html"),
    (edit_summary, "summary.md"),
    (edit_groups, "groups.parquet is not the table that was measured"),
    (lose_groups, "groups.parquet is not the table that was measured"),
    (spoil_groups, "groups.parquet is no table of groups"),
]


@pytest.mark.parametrize(("edit", "words"), EDITS, ids=[edit.__name__ for edit, _ in EDITS])
def test_an_edit_is_found_and_exits_1(stored: Path, call: Call, edit: Callable[[Path], None], words: str) -> None:
    edit(stored)
    found = call("verify", stored)
    assert found.code == 1
    assert words in found.out


def test_a_report_of_another_version_is_not_called_edited(
    stored: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("audit.cli._verifying.version", lambda package: "0.0.0")
    edit_summary(stored)
    found = call("verify", stored)
    assert found.code == 0
    assert "– summary.md" in found.out
    assert "this version differs" in found.out


def test_other_data_measured_again_is_told_measure_by_measure(stored: Path, call: Call) -> None:
    table = stored.parent.parent / "scores.csv"
    table.write_text("\n".join(table.read_text().splitlines()[:400]) + "\n")
    found = call("verify", stored, "--remeasure")
    assert found.code == 1
    assert " was " in found.out
    assert " and is " in found.out


def test_measuring_again_without_the_spec_says_to_name_it(
    stored: Path, call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    moved = shutil.move(stored, tmp_path / "alone")
    (tmp_path / "vendor" / "audit.toml").unlink()
    found = call("verify", moved, "--remeasure")
    assert found.code == 2
    assert 'no audit.toml of "vendor" was found: name it with --spec' in found.err


@pytest.mark.parametrize("content", ["{", "[]"])
def test_a_folder_that_holds_no_readable_run_exits_2(tmp_path: Path, call: Call, content: str) -> None:
    (tmp_path / "result.json").write_text(content)
    found = call("verify", tmp_path)
    assert (found.code, len(found.err.splitlines())) == (2, 1)
