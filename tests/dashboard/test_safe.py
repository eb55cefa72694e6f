"""Names from the data stay text."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import wording
from dashboard.safe import inert
from tests.reports.hostile import HOSTILE

JOINER = "\u2060"


def read(markdown: str) -> str:
    """What a reader sees: Markdown takes a backslash before punctuation away, and the joiner has no width."""
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", markdown).replace(JOINER, "")


@given(st.text(max_size=200))
def test_an_inert_text_reads_like_its_label(text: str) -> None:
    assert read(inert(text)) == (wording.label(text, wording.TEXT_LENGTH).replace(JOINER, "") if text else "")


@given(st.text(alphabet="![]()<>`*_~|$:@w.h/-=# a\\", max_size=60))
def test_no_punctuation_is_left_that_markdown_would_read(text: str) -> None:
    bare = re.sub(r"\\[!-/:-@\[-`{-~]", "", inert(text))
    assert not re.search(r"[!-/:-@\[-`{-~]", bare)


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_is_found_late_in_a_hostile_name(name: str) -> None:
    # Auto-links, e-mail addresses, emoji and icon codes are found after the backslashes are gone.
    shown = re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", inert(name))
    assert not re.search(r"://|www\.|:\w|\w@\w|->|<-|=>", shown)
    assert "\n" not in shown


def test_a_text_that_is_too_long_is_cut() -> None:
    assert len(read(inert("x" * 10_000, 50))) == 50
