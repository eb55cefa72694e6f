"""audit doctor: what is there, what is not, and the line that mends it."""

from __future__ import annotations

import importlib.metadata
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Call


def by_name(call: Call, *arguments: object) -> dict[str, dict[str, str]]:
    return {item["name"]: item for item in call("doctor", "--json", *arguments).json()}


def test_versions_are_those_that_are_installed(call: Call) -> None:
    found = by_name(call)
    assert found["numpy"]["detail"] == importlib.metadata.version("numpy")
    assert found["torch"]["state"] == "ok"
    assert call("doctor").code == 0


def test_an_optional_extra_that_is_absent_comes_with_the_line_that_installs_it(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("audit.cli.doctor._version", lambda name: "" if name == "onnxruntime" else "1.0")
    onnx = by_name(call)["onnxruntime"]
    assert (onnx["state"], onnx["remedy"]) == ("absent", 'pip install "assay[onnx]"')


def test_what_every_audit_needs_and_is_not_there_exits_2(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audit.cli.doctor._version", lambda name: "" if name == "pyarrow" else "1.0")
    found = call("doctor")
    assert found.code == 2
    assert "pip install pyarrow" in found.out


def test_a_folder_that_cannot_be_written_is_found_by_trying(
    call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refused(**options: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("audit.cli.doctor.tempfile.NamedTemporaryFile", refused)
    found = by_name(call, "--out", tmp_path / "audits")["writing runs"]
    assert (found["state"], "Read-only file system" in found["detail"]) == ("broken", True)


def test_energy_counters_that_may_not_be_read_come_with_the_command_that_opens_them(
    call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    zone = tmp_path / "intel-rapl:0"
    zone.mkdir()
    (zone / "energy_uj").write_text("1")
    monkeypatch.setattr("audit.energy.rapl.POWERCAP", tmp_path)
    assert by_name(call)["energy of CPUs"]["state"] == "ok"
    monkeypatch.setattr("audit.cli.doctor.os.access", lambda path, mode: False)
    assert "sudo chmod a+r" in by_name(call)["energy of CPUs"]["remedy"]


def test_a_library_that_ends_its_process_does_not_end_this_one(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audit.cli.doctor.TRY_TORCH", "import os; os.abort()")
    monkeypatch.setattr("audit.cli.doctor.TRY_ONNX", "print('1.0 CPU')")
    found = by_name(call, "--deep")
    assert found["torch runs"]["state"] == "broken"
    assert found["onnxruntime runs"]["detail"] == "1.0 CPU"


def test_torch_is_not_imported_unless_asked(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "torch"]:
        monkeypatch.delitem(sys.modules, name)
    call("doctor")
    assert "torch" not in sys.modules
