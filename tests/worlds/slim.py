"""Audits that run the checks of one family alone: the others would take most of the time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from audit import api
from audit.cli import auditing
from audit.registry import Registry, find


def only_family(family: str) -> Callable[[], Iterator[None]]:
    """A fixture for the audits of a package of tests, from Python and from the command line."""

    @pytest.fixture(scope="package", autouse=True)
    def only() -> Iterator[None]:
        every = find()
        checks = {name: info for name, info in every.checks.items() if info.family == family}
        slim: Registry = replace(
            every, checks=checks, measures={name: check for name, check in every.measures.items() if check in checks}
        )
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(api, "find", lambda: slim)
            patch.setattr(auditing, "registry_of", lambda *_, **__: slim)
            yield

    return only
