"""Bad input, at the command line: one line that names the file, column or key and the fix; exit 2; nothing written."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import ONLY_OWN, SPEC, Answer, Call, lay, scores

HEAD = "id,score,label,race,sex\n"


def runs_in(folder: Path) -> list[Path]:
    """What lies among the runs, but for what an interrupted audit may go on from."""
    return [path for path in folder.glob("audits/*") if not path.name.startswith(".unfinished-")]


def refused(found: Answer, words: str, folder: Path) -> None:
    """What every refusal is: exit 2, one line, no traceback, no run and no half of one."""
    assert found.code == 2, found
    assert words in found.err
    assert len(found.err.splitlines()) == 1
    assert found.err.startswith("audit: ")
    assert "Traceback" not in found.err
    assert runs_in(folder) == []


SPECS = [
    ("gone", None, "audit.toml does not exist: write one with 'audit init'"),
    ("not TOML", "schema = = 1", "audit.toml is not valid TOML"),
    ("missing file", SPEC.replace("scores.csv", "gone.csv"), "no data at"),
    ("missing column", SPEC.replace('target = "label"', 'target = "lable"'), '(did you mean "label"?)'),
    ("missing group", SPEC.replace('"race", "sex"', '"race", "sexx"'), '(did you mean "sex"?)'),
    ("unknown key", SPEC.replace("target", "traget", 1), 'unknown key "data.test.traget" (did you mean "target"?)'),
    ("unknown table", SPEC + "\n[stat]\nseed = 1\n", 'unknown key "stat" (did you mean "stats"?)'),
    ("wrong type", SPEC.replace("max = 0.10", 'max = "low"'), '"limit[0].max" must be a valid number'),
    ("wrong dtype", SPEC.replace('score = "score"', 'score = "race"'), "race"),
    ("nothing to audit", SPEC.replace('score = "score"\n', ""), "say where the predictions come from"),
    ("unsafe model", SPEC.replace('score = "score"\n', "") + '[model]\npath = "m.pkl"\n', "loading it would run code"),
    ("no model", SPEC.replace('score = "score"\n', "") + '[model]\npath = "m.skops"\n', "m.skops does not exist"),
    ("own code", SPEC.replace("schema = 1", 'schema = 1\nchecks = ["mine"]'), "mine"),
    ("measure by another name", SPEC.replace("true_positive_rate", "recall"), 'it is called "true_positive_rate" here'),
    ("limit without bound", SPEC.replace("max = 0.10\n", ""), "needs min, max or regress"),
    ("limit twice", SPEC + SPEC[SPEC.index("[[limit]]") :], "twice (lines 11, 17)"),
    ("no positive", SPEC.replace("positive = 1", "positive = 3"), 'is no value of "label"'),
]


@pytest.mark.parametrize("command", ["check", "run"])
@pytest.mark.parametrize(("spec", "words"), [case[1:] for case in SPECS], ids=[case[0] for case in SPECS])
def test_a_spec_that_cannot_be_audited_is_refused_alike_by_check_and_by_run(
    vendor: Path, call: Call, command: str, spec: str | None, words: str
) -> None:
    if spec is None:
        (vendor / "audit.toml").unlink()
    else:
        (vendor / "audit.toml").write_text(spec)
    refused(call(command), words, vendor)


TABLES = [
    ("empty file", "", "is empty: it must hold at least a header line"),
    ("no rows", HEAD, "has no rows"),
    ("two columns of one name", "score,score,label,race,sex\n0.5,0.5,1,white,F\n", 'two columns named "score"'),
    ("a ragged line", HEAD + "1,0.5,1,white,F\n2,0.5\n", "cannot be read as CSV"),
    ("scores that are words", HEAD + "1,high,1,white,F\n2,low,0,black,M\n", "must hold numbers"),
]


@pytest.mark.parametrize("command", ["check", "run"])
@pytest.mark.parametrize(("table", "words"), [case[1:] for case in TABLES], ids=[case[0] for case in TABLES])
def test_a_table_that_cannot_be_audited_is_refused_alike_by_check_and_by_run(
    vendor: Path, call: Call, command: str, table: str, words: str
) -> None:
    lay(vendor, SPEC, table)
    found = call(command)
    refused(found, words, vendor)
    assert "scores.csv" in found.err or "label" in found.err or "score" in found.err


@pytest.mark.parametrize(("label", "words"), [("1", "holds one value (1)"), ("", "holds no value")])
def test_decisions_about_one_class_are_refused(vendor: Path, call: Call, label: str, words: str) -> None:
    lay(
        vendor,
        SPEC.replace('score = "score"', 'prediction = "score"'),
        HEAD + f"1,1,{label},white,F\n2,0,{label},black,M\n",
    )
    for command in ("check", "run"):
        refused(call(command), f'target "label" {words}', vendor)


def test_scores_of_one_class_are_measured_as_far_as_they_can_be(vendor: Path, call: Call) -> None:
    lay(vendor, ONLY_OWN, HEAD + "".join(f"{i},0.{1 + i % 9},1,{'ab'[i % 2]},F\n" for i in range(80)))
    assert 'target "label" holds fewer than two values' in call("check").out
    records = {record["check"]: record["outcome"] for record in call("run", "--json").json()["records"]}
    ranking = records["performance.discrimination"]
    assert "roc_auc" not in {measurement["name"] for measurement in ranking["measurements"]}
    assert all(omission["remedy"] for omission in ranking["omissions"] if omission["name"] == "roc_auc")
    assert "roc_auc" in {omission["name"] for omission in ranking["omissions"]}
    assert records["fairness.selection"]["measurements"]


def test_a_file_of_another_format_under_the_name_of_parquet_is_refused(vendor: Path, call: Call) -> None:
    (vendor / "scores.parquet").write_text(scores(10))
    (vendor / "audit.toml").write_text(SPEC.replace("scores.csv", "scores.parquet"))
    for command in ("check", "run"):
        refused(call(command), "scores.parquet cannot be read as PARQUET", vendor)


def test_a_sensitive_column_with_one_value_is_an_omission_and_not_the_end(vendor: Path, call: Call) -> None:
    lay(vendor, ONLY_OWN.replace('by = "race"', 'by = "sex"'), scores().replace(",F\n", ",M\n"))
    result = call("run", "--json")
    (finding,) = result.json()["findings"]
    assert (result.code, finding["verdict"]) == (2, "not_assessed")  # a limit of audit.toml must be answered
    assert "nothing to be compared with" in finding["message"]
    assert finding["remedy"]


def test_scores_that_are_not_numbers_are_counted_and_the_rest_is_measured(vendor: Path, call: Call) -> None:
    rows = scores().splitlines()
    rows[1] = rows[1].replace(rows[1].split(",")[1], "nan", 1)
    lay(vendor, ONLY_OWN, "\n".join(rows) + "\n")
    records = {record["check"]: record for record in call("run", "--json").json()["records"]}
    (failures,) = records["performance.failures"]["outcome"]["measurements"]
    assert failures["value"] == 1
    assert records["performance.classification"]["outcome"]["measurements"]


def test_scores_outside_0_to_1_are_no_probabilities_and_what_needs_them_says_so(vendor: Path, call: Call) -> None:
    table = scores().replace(",0.", ",7.")
    lay(vendor, ONLY_OWN.replace('score = "score"', 'score = "score"\nthreshold = 7.5'), table)
    records = {record["check"]: record for record in call("run", "--json").json()["records"]}
    omissions = records["calibration.calibration"]["outcome"]["omissions"]
    assert omissions
    assert all(omission["remedy"] for omission in omissions)
    assert records["performance.discrimination"]["outcome"]["measurements"]


NETWORK = """import torch


def build() -> torch.nn.Module:
    module = torch.nn.Linear(2, 2)
    torch.nn.init.constant_(module.weight, 5.0)
    return module
"""


@pytest.fixture
def network(vendor: Path) -> str:
    """A network beside audit.toml that takes two features; the spec that audits it."""
    torch = pytest.importorskip("torch")
    save = pytest.importorskip("safetensors.torch").save_file
    save({"weight": torch.full((2, 2), 5.0), "bias": torch.zeros(2)}, str(vendor / "model.safetensors"))
    (vendor / "model.py").write_text(NETWORK)
    model = (
        '[model]\npath = "model.safetensors"\nfactory = "model.py:build"\noutput = "probability"\nclasses = [0, 1]\n'
    )
    features = 'target = "label"\nfeatures = ["score", "id"]'
    return SPEC.replace('score = "score"\n', "").replace('target = "label"', features) + model


def test_probabilities_outside_0_to_1_are_refused_with_the_key_that_mends_them(
    vendor: Path, call: Call, network: str
) -> None:
    (vendor / "audit.toml").write_text(network)
    refused(call("run", "--allow-code"), 'if they are logits, say output = "logit" in [model]', vendor)


def test_a_model_that_does_not_fit_its_data_is_refused(vendor: Path, call: Call, network: str) -> None:
    (vendor / "audit.toml").write_text(network.replace('features = ["score", "id"]', 'features = ["score"]'))
    refused(call("run", "--allow-code"), "Linear", vendor)


def test_code_beside_the_spec_runs_only_when_allowed(vendor: Path, call: Call, network: str) -> None:
    (vendor / "audit.toml").write_text(network)
    refused(call("run"), "run with --allow-code to let its code run", vendor)
    assert "runs only with --allow-code" in call("check").out


def test_a_run_folder_that_exists_is_never_written_over(
    two_runs: tuple[Path, Path], tmp_path: Path, call: Call
) -> None:
    for _ in range(2):
        call("judge", two_runs[0], "--out", tmp_path)
    first, second = sorted(folder.name for folder in tmp_path.iterdir())
    assert second == f"{first}-2"


def test_a_full_disk_ends_in_one_line_and_leaves_nothing(
    vendor: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    (vendor / "audit.toml").write_text(ONLY_OWN)
    monkeypatch.setattr("audit.store.folder.write_json", full)
    refused(call("run"), "No space left on device: nothing was kept", vendor)


def test_a_folder_for_runs_that_is_a_file_is_refused_before_anything_is_measured(vendor: Path, call: Call) -> None:
    (vendor / "out").write_text("")
    refused(call("run", "--out", "out"), "is a file, not a folder", vendor)


@pytest.mark.parametrize("stage", ["audit.engine.Runner.run", "audit.store.folder.write_json"])
def test_ctrl_c_exits_130_and_leaves_nothing(
    vendor: Path, call: Call, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    (vendor / "audit.toml").write_text(ONLY_OWN)
    monkeypatch.setattr(stage, interrupted)
    found = call("run")
    assert (found.code, found.err) == (
        130,
        "audit: interrupted; nothing half-written was left, and the same command goes on from what was measured\n",
    )
    assert runs_in(vendor) == []


INTERRUPTED = """
import os, signal, sys
import audit.spec
from audit.cli import main
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell that starts jobs in the background ignores it
audit.spec.load = lambda path: os.kill(os.getpid(), signal.SIGINT)
sys.exit(main(["check"]))
"""


def test_a_real_interrupt_ends_the_process_with_130(vendor: Path) -> None:
    done = subprocess.run([sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, check=False)
    assert done.returncode == 130
    assert "Traceback" not in done.stderr


def test_debug_shows_the_traceback_that_is_otherwise_kept_back(vendor: Path, call: Call) -> None:
    (vendor / "audit.toml").unlink()
    with pytest.raises(Exception, match="does not exist"):
        call("check", "--debug")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["judge", "gone"], "no run at gone"),
        (["diff", "gone", "gone"], "no run at gone"),
        (["verify", "gone"], "no run at gone"),
        (["run", "--baseline", "gone"], "no run at gone"),
        (["check", "--policy", "gone.toml"], "gone.toml does not exist"),
        (["check", "audits"], "audits does not exist"),
        (["explain", "nothing"], 'no check or measure "nothing"'),
    ],
)
def test_a_name_that_leads_nowhere_is_refused(vendor: Path, call: Call, arguments: list[str], words: str) -> None:
    refused(call(*arguments), words, vendor)


def test_a_crash_of_our_own_is_one_line_too(vendor: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr("audit.spec.reading.parse_toml", broken)
    refused(call("check"), "a defect of Assay: run again with --debug and report it", vendor)


@pytest.mark.parametrize("task", ["clustering"])
def test_a_task_that_no_check_can_answer_is_refused_and_never_passed(tmp_path: Path, call: Call, task: str) -> None:
    lay(tmp_path, SPEC + f'\n[model]\npath = "m.skops"\ntask = "{task}"\n')
    found = call("run", "--out", str(tmp_path / "audits"), str(tmp_path / "audit.toml"))
    assert found.code == 2
    assert '"model.task" must be' in found.err
    assert f"got '{task}'" in found.err
    assert not (tmp_path / "audits").exists()
