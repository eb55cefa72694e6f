"""Which runs there are below a folder, and each of them read once."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from audit import store, wording
from audit.errors import StoreError
from audit.record import AuditRun

RESULT = "result.json"
DEEPEST = 3  # audit demo leaves assay-demo/<case>/audits/<run>
FOLDER = "ASSAY_DASHBOARD_FOLDER"  # environment variable from the command to the pages


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """What the pages show: the readable runs by their name in the selector, the damaged ones, and the chosen one."""

    root: Path
    named: Mapping[str, store.RunEntry]  # newest first
    damaged: tuple[store.RunEntry, ...]  # with their fault
    chosen: str
    run: AuditRun

    @property
    def entry(self) -> store.RunEntry:
        return self.named[self.chosen]


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
    except PermissionError:
        return  # a folder that may not be read holds no run for this user
    for name in inner:
        yield from _folders(folder / name, depth - 1)


def split(entries: Iterable[store.RunEntry]) -> tuple[dict[str, store.RunEntry], tuple[store.RunEntry, ...]]:
    """(readable runs by a name that is unique, newest first; damaged ones with their fault)."""
    named: dict[str, store.RunEntry] = {}
    for entry in sorted(entries, key=lambda entry: (entry.created, str(entry.folder)), reverse=True):
        if not entry.fault:
            named[_unique(wording.label(entry.folder.name), named)] = entry
    return named, tuple(entry for entry in entries if entry.fault)


def _unique(name: str, taken: Mapping[str, object]) -> str:
    """Two folders of one name, in different cases, stay two."""
    number, fresh = 1, name
    while fresh in taken:
        number += 1
        fresh = f"{name} ({number})"
    return fresh


def load(entry: store.RunEntry) -> AuditRun:
    """The run, read again only when its file has changed. StoreError when it is damaged."""
    return _read(str(entry.folder), changed(entry.folder))


def entries_below(root: Path) -> list[store.RunEntry]:
    """Every run below ``root`` as a list shows it; a damaged one with its fault."""
    return [_entry(folder, changed(Path(folder))) for folder in _looked_up(str(root))]


def changed(folder: Path) -> int:
    """When the result was last written, as a key of what was read from it."""
    try:
        return (folder / RESULT).stat().st_mtime_ns
    except OSError as error:
        raise StoreError(f"{folder} is gone: reload the page") from error


@st.cache_data(ttl=5, max_entries=4, show_spinner=False)
def _looked_up(root: str) -> list[str]:
    # Every click runs the page again: the folders are walked at most every five seconds.
    return [str(folder) for folder in find_folders(Path(root))]


@st.cache_resource(max_entries=2048, show_spinner=False)
def _entry(folder: str, changed: int) -> store.RunEntry:
    return store.list_runs(Path(folder))[0]


@st.cache_resource(max_entries=64, show_spinner=False)
def _read(folder: str, changed: int) -> AuditRun:
    return store.read(Path(folder))
