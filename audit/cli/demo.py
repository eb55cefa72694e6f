"""Train and audit three real models, offline: a lending pipeline, a lending network, a network that reads digits."""

from __future__ import annotations

import argparse
import os
import shutil
import time
from pathlib import Path

from audit.errors import UsageError

MARK = ".assay-demo"
EPILOG = """The demonstration exits 0 when it worked, whatever the verdicts, and says how `audit run` would end.
Everything that was audited stays in the folder: data, models, audit.toml and the run."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", nargs="?", type=Path, default=Path("assay-demo"), help="default: assay-demo")
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress")


def run(arguments: argparse.Namespace) -> int:
    # Models this small are slowed down by threads, the more so on a machine with other work to do.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from audit.cli.auditing import Options, audit_file
    from audit.cli.progress import progress
    from audit.cli.summary import screen
    from audit.demo.making import CASES, make

    folder: Path = arguments.folder
    _claim(folder)
    begun = time.monotonic()
    told = []
    for name in CASES:
        with progress(quiet=arguments.quiet, title=name) as shown:
            shown.step("training")
            make(name, folder / name)
            options = Options(out=folder / name / "audits", command=f"audit run {folder / name / 'audit.toml'}")
            run_folder, result = audit_file(folder / name / "audit.toml", options, shown)
        print(screen(result, run_folder), end="\n\n", flush=True)
        told.append((name, result.exit_code))
    print(_next(folder, told, time.monotonic() - begun))
    return 0


def _claim(folder: Path) -> None:
    """A folder that the demonstration made is made anew; any other that holds something is left alone."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file: name a folder for the demonstration")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MARK).exists():
        raise UsageError(f"{folder} holds files that the demonstration did not make: name another folder")
    if (folder / MARK).exists():
        for made in (child for child in folder.iterdir() if (child / MARK).exists()):
            for inside in (p for p in made.iterdir() if p.name != "audits"):
                shutil.rmtree(inside) if inside.is_dir() else inside.unlink()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARK).touch()


def _next(folder: Path, told: list[tuple[str, int]], seconds: float) -> str:
    codes = "\n".join(f"  audit run {folder / name / 'audit.toml'}   would exit {code}" for name, code in told)
    first = folder / told[0][0]
    return f"""The demonstration worked ({seconds:.0f} s). In CI:
{codes}

What to type next:
  audit dashboard {folder}          # explore and compare the three runs
  audit run {first / "audit.toml"} --out {first / "audits"}      # after changing a line of it
  audit explain fairness.group_rates        # what a check measures, and how
  audit init --model MODEL --data TABLE     # an audit.toml for a model of your own"""
