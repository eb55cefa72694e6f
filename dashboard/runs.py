"""Which runs there are below a folder, and each of them read once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from audit import store, wording
from audit.errors import StoreError
from audit.record import AuditRun
from audit.suppression import shown
from dashboard.folders import RESULT, find_folders


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
    return shown(store.read(Path(folder)))
