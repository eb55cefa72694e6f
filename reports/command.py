"""Write a stored run as HTML, Markdown, JUnit, SARIF or an in-toto statement.

The run is read, never measured again: a report is a function of what the run folder holds.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path

from audit.errors import UsageError
from audit.record import AuditRun

# Imported when chosen: drawing charts takes longer to import than all the rest together.
WRITERS: Mapping[str, tuple[str, str]] = {
    "html": ("reports.html.page", "report.html"),
    "markdown": ("reports.markdown", "summary.md"),
    "junit": ("reports.junit", "junit.xml"),
    "sarif": ("reports.sarif", "audit.sarif"),
    "statement": ("reports.attestation", "statement.json"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare ``audit report RUN [--as FORMAT] [--out FILE]``."""
    parser.add_argument("run", metavar="RUN", type=Path, help="a run folder, as audit run wrote it")
    parser.add_argument("--as", dest="format", choices=tuple(WRITERS), default="html", help="default: html")
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="default: the usual name in the run folder; - is stdout"
    )


def run(arguments: argparse.Namespace) -> int:
    """Write the report; 0 when it stands. Raises UsageError or StoreError where it cannot."""
    from audit import store

    stored: AuditRun = store.read(arguments.run)
    module, usual = WRITERS[arguments.format]
    writer = import_module(module)
    if str(arguments.out) == "-":
        render: Callable[[AuditRun], str] = writer.render
        sys.stdout.write(render(stored))
        return 0
    target = arguments.out or arguments.run / usual
    if target.is_dir():
        raise UsageError(f"--out {target} is a folder; give a file such as {target / usual}")
    writer.write(stored, target)
    sys.stdout.write(f"{target}\n")
    return 0
