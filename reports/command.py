"""Write a stored run as HTML, Markdown, JUnit, SARIF or an in-toto statement.

The run is read, never measured again: a report is a function of what the run folder holds.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from audit import store, writers
from audit.errors import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare ``audit report RUN [--as FORMAT] [--out FILE]``."""
    parser.add_argument("run", metavar="RUN", type=Path, help="a run folder, as audit run wrote it")
    parser.add_argument("--as", dest="format", choices=tuple(writers.FILES), default="html", help="default: html")
    parser.add_argument("--out", type=Path, metavar="FILE", help="default: the usual name, in the run folder")


def run(arguments: argparse.Namespace) -> int:
    """Write the report and print where it is; 0 when it stands. UsageError or StoreError where it cannot."""
    usual = writers.FILES[arguments.format]
    target: Path = arguments.out or arguments.run / usual
    if arguments.out and target.is_dir():
        raise UsageError(f"--out {target} is a folder; give a file such as {target / usual}")
    stored = store.read(arguments.run)
    writers.writer(arguments.format)(stored, target)
    sys.stdout.write(f"{target}\n")
    return 0
