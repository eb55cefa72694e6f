"""The rich and the hostile page, rendered once for all tests of this folder."""

from __future__ import annotations

import pytest

from reports.html import page
from tests.reports.hostile import hostile
from tests.reports.runs import rich


@pytest.fixture(scope="session")
def rich_page() -> str:
    return page.render(rich())


@pytest.fixture(scope="session")
def hostile_page() -> str:
    return page.render(hostile())
