"""Progress on stderr, only where somebody watches."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from audit.engine import Progress, Silent


@contextmanager
def progress(*, quiet: bool, title: str = "") -> Iterator[Progress]:
    """A bar on a terminal, nothing in a pipe or with -q."""
    if quiet or not sys.stderr.isatty():
        yield Silent()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description:<42}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        yield _Bar(bars, title)


class _Bar:
    def __init__(self, bars: object, title: str) -> None:
        from rich.progress import Progress as Bars

        if not isinstance(bars, Bars):
            raise TypeError(f"bars must be rich's Progress, got {type(bars).__name__}")
        self._bars, self._title = bars, title
        self._task = bars.add_task(title or "reading", total=None)
        self._begun = False

    def start(self, total: int) -> None:
        self._bars.update(self._task, total=total)

    def step(self, name: str) -> None:
        words = f"{self._title}: {name}" if self._title else name
        self._bars.update(self._task, description=words, advance=int(self._begun))
        self._begun = True
