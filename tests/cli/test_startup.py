"""What the first commands import: nothing that a newcomer would have to wait for. benchmarks/startup.py has figures."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pyarrow.csv
import pyarrow.parquet
import pytest

from audit.cli import COMMANDS, PLUGGED
from tests.cli.conftest import SPEC, Call, lay

HEAVY = ("torch", "captum", "pandas", "scipy", "sklearn", "fairlearn", "skops", "altair", "streamlit", "jinja2")
CODE = """
import sys
from audit.cli import main
code = main(sys.argv[1:])
print("imported", *sorted({{name.partition(".")[0] for name in sys.modules}} & set({heavy!r})))
sys.exit(code)
"""


def imported(folder: Path, *arguments: str) -> list[str]:
    """Which heavy packages ``audit ARGUMENTS`` has imported at its end, in a process of its own."""
    code = CODE.format(heavy=HEAVY)
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, cwd=folder, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1].split()[1:]


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["list"], ["list", "measures"], ["list", "packs"], ["explain", "fairness.group_rates"], ["check"]],
    ids=" ".join,
)
def test_nothing_heavy_is_imported(tmp_path: Path, arguments: list[str]) -> None:
    lay(tmp_path)
    assert imported(tmp_path, *arguments) == []


def test_check_reads_bins_and_missing_groups_of_parquet_without_pandas(tmp_path: Path) -> None:
    lay(tmp_path, SPEC + "\n[columns]\nid = { bins = [100, 300] }\n".replace("id", "race_code"))
    table = "score,label,race,sex,race_code\n" + "0.3,0,white,F,120\n0.7,1,,M,\n" * 50
    stored = pyarrow.csv.read_csv(io.BytesIO(table.encode()))
    pyarrow.parquet.write_table(stored, tmp_path / "scores.parquet")
    path = tmp_path / "audit.toml"
    path.write_text(path.read_text().replace('"race", "sex"', '"race", "race_code"').replace(".csv", ".parquet"))
    assert imported(tmp_path, "check") == []


def test_help_lists_every_command(call: Call) -> None:
    found = call("--help")
    assert found.code == 0
    assert all(f"  {name} " in found.out for name in (*COMMANDS, *PLUGGED))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_of_its_own(command: str, call: Call) -> None:
    found = call(command, "--help")
    assert found.code == 0
    assert f"usage: audit {command}" in found.out


def test_run_and_judge_show_the_table_of_exit_codes(call: Call) -> None:
    for command in ("run", "judge"):
        assert "3    no limit fails and one is inconclusive" in call(command, "--help").out


def test_no_command_at_all_shows_the_help_and_exits_2(call: Call) -> None:
    assert (call().code, "usage: audit COMMAND" in call().out) == (2, True)


def test_a_mistyped_command_is_answered_with_the_nearest(call: Call) -> None:
    found = call("chekc")
    assert (found.code, 'did you mean "check"?' in found.err) == (2, True)
