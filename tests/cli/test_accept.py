"""audit accept: a run becomes the baseline by a person's decision, and later runs are held against it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from audit import store
from tests.cli.conftest import ONLY_OWN, Call, lay, scores

REGRESS = '\n[[limit]]\nmeasure = "accuracy"\nregress = 0.5\nwhy = "no worse than what is in use"\n'
NAMED = ONLY_OWN + REGRESS + '\n[gate]\nbaseline = "baseline"\nunderpowered = "list"\n'
LENIENT = NAMED.replace("max = 0.10", "max = 0.90")


@pytest.fixture
def folder(tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run that passes, made before there was a baseline."""
    lay(tmp_path, LENIENT.replace('baseline = "baseline"\n', ""), scores())
    monkeypatch.chdir(tmp_path)
    call("run", "-q")
    return tmp_path


def test_an_accepted_run_is_what_regress_limits_compare_with(folder: Path, call: Call) -> None:
    accepted = store.read(store.find_run(folder / "audits"))
    assert call("accept", "audits", "--failing").code == 0
    (folder / "audit.toml").write_text(LENIENT)
    call("run", "-q", "--out", "later")
    run = store.read(store.find_run(folder / "later"))
    assert run.baseline == accepted.id
    assert [f.verdict for f in run.findings if f.limit.regress] == ["pass"]


def test_a_baseline_that_audit_toml_names_and_nobody_accepted_stops_check_and_run(folder: Path, call: Call) -> None:
    (folder / "audit.toml").write_text(LENIENT)
    for command in ("check", "run"):
        found = call(command)
        assert found.code == 2
        assert "baseline does not exist" in found.err
        assert "audit accept" in found.err


def test_a_failing_run_is_accepted_only_by_its_name(
    tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    lay(tmp_path, ONLY_OWN.replace("max = 0.10", "max = 0.001") + REGRESS, scores())
    call("run", "-q")
    refused = call("accept", "audits")
    assert refused.code == 2
    assert "--failing" in refused.err
    assert not (tmp_path / "baseline").exists()
    assert call("accept", "audits", "--failing").code == 0


def test_an_edited_run_is_refused(folder: Path, call: Call) -> None:
    path = store.find_run(folder / "audits") / "result.json"
    content = json.loads(path.read_text())
    content["purpose"] = "something else"
    path.write_text(json.dumps(content))
    found = call("accept", "audits", "--failing")
    assert found.code == 2
    assert "was edited" in found.err


def test_a_folder_that_is_no_baseline_is_never_replaced(folder: Path, call: Call) -> None:
    (folder / "baseline").mkdir()
    (folder / "baseline" / "thesis.txt").write_text("years of work")
    found = call("accept", "audits", "--failing")
    assert found.code == 2
    assert (folder / "baseline" / "thesis.txt").read_text() == "years of work"


def test_replacing_a_baseline_says_which_verdicts_changed(folder: Path, call: Call) -> None:
    call("accept", "audits", "--failing")
    (folder / "audit.toml").write_text(LENIENT.replace("max = 0.90", "max = 0.0001"))
    call("run", "-q", "--out", "later")
    told = call("accept", "later", "--failing")
    assert told.code == 0
    assert "true_positive_rate/difference@race: pass → " in told.out
    assert sorted(p.name for p in (folder / "baseline").iterdir()) == ["result.json"]


def test_the_baseline_of_another_model_is_not_replaced(folder: Path, call: Call) -> None:
    call("accept", "audits", "--failing")
    (folder / "audit.toml").write_text(
        LENIENT.replace('name = "vendor"', 'name = "other"').replace('baseline = "baseline"\n', "")
    )
    call("run", "-q", "--out", "later")
    found = call("accept", "later", "--failing")
    assert found.code == 2
    assert '"vendor"' in found.err


def test_what_cannot_be_copied_leaves_the_old_baseline(
    folder: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    call("accept", "audits", "--failing")
    before = (folder / "baseline" / "result.json").read_bytes()

    def full(source: object, target: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("audit.store.folder.shutil.copyfile", full)
    found = call("accept", "audits", "--failing")
    assert found.code == 2
    assert "No space left" in found.err
    assert (folder / "baseline" / "result.json").read_bytes() == before
    assert not list(folder.glob(".writing-*"))
