"""Verify that a run folder, its model and its data are as they were, and, if asked, that measuring again agrees."""

from __future__ import annotations

import argparse
from pathlib import Path

from audit import store
from audit.cli._verifying import file_faults, measured_again, root_of, spec_to_measure, stored_faults, written_faults
from audit.errors import StoreError
from audit.record import AuditRun

EPILOG = """exit codes:
  0    everything that could be verified is as it was
  1    something has changed
  2    the run could not be read, or not be measured again"""
MARKS = {True: "✓", False: "✗", None: "–"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=Path, metavar="RUN", help="a run folder, or a folder of runs (the newest)")
    parser.add_argument("--remeasure", action="store_true", help="run the audit again and compare every number")
    parser.add_argument("--spec", type=Path, metavar="FILE", help="its audit.toml; default: looked for around the run")
    parser.add_argument("--policy", type=Path, metavar="FILE", help="the --policy that the run was made with")
    parser.add_argument("--baseline", type=Path, metavar="RUN", help="the --baseline that the run was made with")
    parser.add_argument("--allow-code", action="store_true", help="let Python files beside audit.toml run")


def run(arguments: argparse.Namespace) -> int:
    folder = store.find_run(arguments.run)
    stored = _readable(folder)
    if stored is None:
        return 1
    root = root_of(stored, folder, arguments.spec)
    lines = [
        *stored_faults(stored, folder),
        *written_faults(stored, folder),
        *file_faults(stored, root, arguments.spec),
    ]
    if arguments.remeasure:
        lines += measured_again(stored, _again(spec_to_measure(stored, root, arguments.spec), arguments))
    width = max(len(line.what) for line in lines) + 2
    for line in lines:
        print(f"{MARKS[line.same]} {line.what:<{width}}{line.detail}")
    changed = sum(line.same is False for line in lines)
    print(f"\n{folder}: {'nothing has changed' if not changed else f'{changed} of {len(lines)} have changed'}")
    return 1 if changed else 0


def _readable(folder: Path) -> AuditRun | None:
    """The stored run; None, with the reason printed, where somebody has edited it so that it is none any more."""
    try:
        return store.read(folder)
    except StoreError:
        faults = store.verify_integrity(folder)
        if not any("was edited" in fault for fault in faults):
            raise
        print("\n".join(f"✗ {fault}" for fault in faults))
        return None


def _again(spec: Path, arguments: argparse.Namespace) -> AuditRun:
    from audit.cli.auditing import Options, measured
    from audit.cli.progress import progress

    options = Options(
        out=Path(),
        policy=arguments.policy,
        baseline=arguments.baseline,
        allow_code=arguments.allow_code,
        command="audit verify --remeasure",
    )
    with progress(quiet=False, title="measuring again") as shown:
        return measured(spec, options, shown)
