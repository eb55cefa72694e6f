"""Stored runs for the pages, and one page at a time as Streamlit would run it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from audit import store
from audit.record import AuditRun
from tests.reports.hostile import HOSTILE, hostile
from tests.reports.runs import rich

Page = Callable[..., AppTest]
STORABLE = tuple(name for name in HOSTILE if name.isascii() or name.encode(errors="ignore").decode() == name)


def written(run: AuditRun, parent: Path, created: str = "") -> Path:
    """``run`` as a folder of ``parent``; a small text stands for the report, which has tests of its own."""
    if created:
        run = replace(run, machine=replace(run.machine, created=created))
    folder, _ = store.write(run, parent, {"report.html": _small_report})
    return folder


def _small_report(run: AuditRun, path: Path) -> None:
    path.write_text(f"<html><title>{len(run.findings)} findings</title></html>")


@pytest.fixture(scope="session")
def one_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    parent = tmp_path_factory.mktemp("one")
    written(rich(), parent)
    return parent


@pytest.fixture(scope="session")
def hostile_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    parent = tmp_path_factory.mktemp("hostile")
    written(hostile(STORABLE), parent, "2026-11-21T10:00:00Z")
    written(hostile(STORABLE), parent, "2026-11-22T10:00:00Z")
    return parent


def _script(folder: str, page: str) -> None:
    from pathlib import Path

    from dashboard import app

    state = app.choose(Path(folder))
    if state is not None:
        app.PAGES[page][1](state)


@pytest.fixture
def page() -> Page:
    """``page(folder, "groups", by="race")``: the page as a link with these parameters opens it."""

    def opened(folder: Path, name: str, **parameters: str) -> AppTest:
        test = AppTest.from_function(_script, args=(str(folder), name), default_timeout=30)
        for key, value in parameters.items():
            test.query_params[key] = value
        return test.run()

    return opened
