"""The files of a run folder beside result.json, found through the entry-point group ``audit.writers``.

They are made of what may be shown of the run; result.json alone holds every number.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable
from pathlib import Path

from audit.errors import UsageError, nearest
from audit.record import AuditRun
from audit.suppression import shown

Writer = Callable[[AuditRun, Path], None]

FILES = {
    "html": "report.html",
    "markdown": "summary.md",
    "junit": "junit.xml",
    "sarif": "audit.sarif",
    "statement": "statement.json",
}


def writer(name: str) -> Writer:
    """The writer of that name. UsageError names the nearest one."""
    points = {point.name: point for point in importlib.metadata.entry_points(group="audit.writers")}
    if name not in points:
        raise UsageError(f'no writer "{name}"{nearest(name, points)}: there are {", ".join(sorted(points))}')
    write: Writer = points[name].load()
    return lambda run, path: write(shown(run), path)


def of_a_run() -> dict[str, Writer]:
    """File name -> writer, for every file that a run folder holds."""
    return {file: writer(name) for name, file in FILES.items()}
