"""Run folders: written under a temporary name and renamed, read back whole, never half-written."""

from __future__ import annotations

import errno
import json
import math
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from audit.errors import StoreError
from audit.record import AuditRun
from audit.results import Array
from audit.store import arrays as array_file
from audit.store import tables
from audit.store.compact import compact
from audit.store.formats import v1

RESULT = "result.json"
# Only what json.dumps broke into lines itself: a string never holds a line break.
_NUMBERS = re.compile(r"\[\n\s*((?:[0-9.eE+-]+,\n\s*)*[0-9.eE+-]+)\n\s*\]")
_TEXT = r'(?:"(?:[^"\\]|\\.)*"|null)'
_GROUP = re.compile(rf"\[\n\s*((?:{_TEXT},\n\s*)*{_TEXT})\n\s*\](,?)\n\s*(?=[\[\]])")  # of a list of groups
ARRAYS = "evidence/arrays.safetensors"
GROUPS = "evidence/groups.parquet"
Writer = Callable[[AuditRun, Path], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEntry:
    """A run as a list shows it. ``fault`` says why it could not be read."""

    folder: Path
    id: str = ""
    name: str = ""
    created: str = ""
    verdict: str = ""
    exit_code: int = 2
    model: str = ""
    fault: str = ""


def write(run: AuditRun, parent: Path, writers: Mapping[str, Writer]) -> tuple[Path, AuditRun]:
    """Write ``run`` into a new folder of ``parent``; (the folder, the run as it can be read back from there).

    ``writers`` maps a file name to what writes it. StoreError when the disk is full or the folder cannot be made;
    nothing half-written is left behind.
    """
    try:
        parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=".writing-", dir=parent))
    except OSError as error:
        raise StoreError(f"cannot write runs to {parent}: {error.strerror}: name another folder with --out") from error
    try:
        stored = _fill(run, work)
        for name, writer in writers.items():
            writer(stored, work / name)
        return _moved(work, parent, stored), stored
    except OSError as error:
        raise StoreError(f"cannot write the run to {parent}: {error.strerror or error}: nothing was kept") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


def identified(run: AuditRun) -> AuditRun:
    """The run under its own id: the hash of all that was measured, every group included."""
    complete = replace(run, groups_sha256=tables.digest(run))
    content, _ = v1.dump(complete)
    return replace(complete, id=v1.identity(content))


def adopt(folder: Path, target: Path) -> None:
    """Copy what can be read of a run, and nothing written from it, to ``target``; a run that lay there is replaced.

    StoreError when the copy cannot be made; then ``target`` is as it was.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=".writing-", dir=target.parent))
    except OSError as error:
        raise StoreError(f"cannot write {target}: {error.strerror}: name another folder") from error
    try:
        new, old = work / "new", work / "old"
        for name in (RESULT, ARRAYS):
            if (folder / name).exists():
                (new / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(folder / name, new / name)
        _swap(new, target, old)
    except OSError as error:
        raise StoreError(f"cannot write {target}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _swap(new: Path, target: Path, old: Path) -> None:
    if target.exists():
        target.rename(old)
    try:
        new.rename(target)
    except OSError:
        if old.exists():
            old.rename(target)
        raise


def read(path: Path) -> AuditRun:
    """The run of a folder (or of the result.json in it). StoreError names what is wrong."""
    folder = path.parent if path.name == RESULT else path
    content = _content(folder / RESULT)
    if content.get("schema") != 1:
        raise StoreError(
            f"{folder / RESULT} has schema {content.get('schema')!r}, and this version of Assay reads 1: update Assay"
        )
    return v1.load(content, _opener(folder / ARRAYS))


def verify_integrity(path: Path) -> list[str]:
    """What has been changed in a run folder since it was written; empty when nothing has."""
    folder = path.parent if path.name == RESULT else path
    content = _content(folder / RESULT)
    faults = []
    if v1.identity(content) != content.get("id"):
        faults.append(f"{RESULT} was edited: its content does not hash to its id")
    try:
        run = read(folder)
        if tables.stored_digest(run, folder / GROUPS) != run.groups_sha256 and run.groups_sha256:
            faults.append(f"{GROUPS} is not the table that was measured")
    except StoreError as error:
        faults.append(str(error))
    return faults


def list_runs(parent: Path) -> list[RunEntry]:
    """Every run below ``parent``, newest first; a folder that cannot be read is listed with its fault."""
    if not parent.is_dir():
        return []
    folders = [parent] if (parent / RESULT).exists() else sorted(p.parent for p in parent.glob(f"*/{RESULT}"))
    entries = [_entry(folder) for folder in folders if not folder.name.startswith(".")]
    return sorted(entries, key=lambda entry: (entry.created, entry.folder.name), reverse=True)


def find_run(path: Path) -> Path:
    """The run folder that ``path`` means: itself, or the newest run in it."""
    if (path / RESULT).exists():
        return path
    if path.name == RESULT and path.exists():
        return path.parent
    runs = [entry for entry in list_runs(path) if not entry.fault]
    if not runs:
        raise StoreError(f"no run at {path}: name a run folder, or make one with 'audit run'")
    return runs[0].folder


def slug(name: str) -> str:
    """The name of an audit as a part of a file name."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip(".-")[:60] or "audit"


def folder_name(run: AuditRun) -> str:
    """``mortgage-20261122T101500Z-1a2b3c4d``."""
    stamp = re.sub(r"[-:]|\.\d+", "", run.machine.created).replace("+0000", "Z")
    return f"{slug(run.name)}-{stamp}-{run.id[:8]}"


def _fill(run: AuditRun, work: Path) -> AuditRun:
    (work / "evidence").mkdir()
    groups = tables.write_groups(run, work / GROUPS)
    content, kept = v1.dump(compact(replace(run, groups_sha256=groups)))
    content["id"] = v1.identity(content)
    array_file.write(kept, work / ARRAYS)
    write_json(content, work / RESULT)
    return read(work)


def write_json(content: Mapping[str, Any], path: Path) -> None:
    """Indented JSON that a diff can be read of; finite numbers only."""
    text = _one_line_grids(json.dumps(content, indent=1, ensure_ascii=True, allow_nan=False))
    with path.open("w", encoding="utf-8") as stream:
        stream.write(text + "\n")
        stream.flush()
        os.fsync(stream.fileno())


def _one_line_grids(text: str) -> str:
    """Lists of plain numbers, and of groups, on one line each: a table of 5,000 groups is no longer than it must be."""
    text = _GROUP.sub(lambda found: "[" + re.sub(r"\n\s*", "", found[1]) + "]" + found[2], text)
    return _NUMBERS.sub(lambda found: "[" + re.sub(r"\s+", "", found[1]) + "]", text)


def _moved(work: Path, parent: Path, run: AuditRun) -> Path:
    """``work`` under its own name. A folder of that name is another run of the same second: never overwritten."""
    name = folder_name(run)
    for attempt in range(1, 1000):
        target = parent / (name if attempt == 1 else f"{name}-{attempt}")
        if not target.exists():
            work.chmod(0o755)
            try:
                work.rename(target)
            except OSError as error:
                if error.errno in (errno.ENOTEMPTY, errno.EEXIST):  # another audit took the name in between
                    continue
                raise
            return target
    raise StoreError(f"{parent / name} exists a thousand times over: clear the folder")


def _content(path: Path) -> dict[str, Any]:
    if not path.exists():
        raise StoreError(f"no run at {path.parent}: it holds no {RESULT}")
    try:
        content = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refused, parse_float=_finite)
    except (OSError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise StoreError(f"{path} cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise StoreError(f"{path} does not hold a run")
    return content


def _refused(word: str) -> float:
    raise ValueError(f"it holds {word}, and a result holds finite numbers only")


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _refused(text)


def _opener(path: Path) -> Callable[[str], Array]:
    @cache
    def opened() -> Mapping[str, Array]:
        return array_file.read(path)

    def get(key: str) -> Array:
        if key not in opened():
            raise StoreError(f"{path} lacks the array {key}")
        return opened()[key]

    return get


def _entry(folder: Path) -> RunEntry:
    try:
        content = _content(folder / RESULT)
        return RunEntry(
            folder=folder,
            id=str(content["id"]),
            name=str(content["name"]),
            created=str(content["machine"]["created"]),
            verdict=str(content["verdict"]),
            exit_code=int(content["exit_code"]),
            model=str(content["model"]["name"]),
        )
    except (StoreError, KeyError, TypeError, ValueError) as error:
        return RunEntry(folder=folder, fault=str(error))
