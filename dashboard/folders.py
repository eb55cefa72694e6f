"""Where runs lie below a folder. Looks at names only: the command asks before it starts a server."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

RESULT = "result.json"
DEEPEST = 3  # audit demo leaves assay-demo/<case>/audits/<run>
FOLDER = "ASSAY_DASHBOARD_FOLDER"  # environment variable from the command to the pages


def find_folders(root: Path) -> Iterator[Path]:
    """Every run folder at ``root`` or at most three folders below it. Links are not followed."""
    return _folders(root, DEEPEST)


def _folders(folder: Path, depth: int) -> Iterator[Path]:
    """Run folders, each without a look inside: a run holds no other run."""
    result = folder / RESULT
    if result.is_file() and not result.is_symlink():
        yield folder
        return
    if depth == 0:
        return
    try:
        with os.scandir(folder) as found:
            inner = sorted(e.name for e in found if e.is_dir(follow_symlinks=False) and not e.name.startswith("."))
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return  # gone since it was seen, or closed to this user: no run is to be had there
    for name in inner:
        yield from _folders(folder / name, depth - 1)
