"""Audits here run the checks against a baseline alone: the others would take most of the time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from audit import api
from audit.cli import auditing
from audit.registry import Registry, find


@pytest.fixture(scope="package", autouse=True)
def only_baseline() -> Iterator[None]:
    every = find()
    checks = {name: info for name, info in every.checks.items() if info.family == "baseline"}
    slim: Registry = replace(
        every, checks=checks, measures={name: check for name, check in every.measures.items() if check in checks}
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(api, "find", lambda: slim)
        patch.setattr(auditing, "registry_of", lambda *_, **__: slim)
        yield
