"""Names from the data inside Markdown: every character shows as itself, and nothing is fetched, linked or styled."""

from __future__ import annotations

import re

from audit import wording

_JOINER = "\u2060"  # zero width: breaks what is recognised after backslashes are gone
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
# Links, e-mail addresses, emoji and icon codes and arrows are found in the finished text, so a backslash is no help.
_FOUND_LATE = re.compile(r"(?<=:)(?=\S)|(?=://)|(?<=www)(?=\.)|(?=@)|(?<=[<>=-])(?=[<>=-])", re.IGNORECASE)


def inert(words: str, length: int = wording.TEXT_LENGTH) -> str:
    """``words`` as Markdown that reads exactly like them, on one line."""
    if not words:
        return ""
    broken = _FOUND_LATE.sub(_JOINER, wording.label(words, length))
    return _PUNCTUATION.sub(r"\\\1", broken)
