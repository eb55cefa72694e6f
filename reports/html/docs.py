"""A check's docstring as blocks of plain text: headings, paragraphs and lists, for the method notes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from audit import wording

HEADINGS = ("Why it matters", "How it is measured", "How to reduce the risk", "Sources")
_RULE = re.compile(r"^\s*[-=~]{3,}\s*$")
_BULLET = re.compile(r"^\s*[-*]\s+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One block of a docstring; a list has its items in ``lines``, the others have one line."""

    kind: Literal["heading", "paragraph", "list"]
    lines: tuple[str, ...]


def blocks(docstring: str) -> tuple[Block, ...]:
    """The docstring in order. Headings are the four of a check, however they are marked up."""
    return tuple(block for chunk in re.split(r"\n\s*\n", docstring.strip()) for block in _blocks(chunk))


def _blocks(chunk: str) -> Iterator[Block]:
    lines = [line for line in chunk.split("\n") if line.strip() and not _RULE.match(line)]
    if lines and _heading(lines[0]):
        heading, rest = _heading(lines[0]), _after_heading(lines[0])
        yield Block(kind="heading", lines=(heading,))
        lines = [*([rest] if rest else []), *lines[1:]]
    if lines and all(_BULLET.match(line) or line[:1] in {" ", "\t"} for line in lines) and _BULLET.match(lines[0]):
        yield Block(kind="list", lines=tuple(_items(lines)))
    elif lines:
        yield Block(kind="paragraph", lines=(wording.text(" ".join(lines)),))


def _heading(line: str) -> str:
    bare = re.sub(r"^[\s*#:]+", "", line).lower()
    return next((heading for heading in HEADINGS if re.match(rf"{heading.lower()}\s*(?:[*:.]|$)", bare)), "")


def _after_heading(line: str) -> str:
    bare = re.sub(r"^[\s*#:]+", "", line)
    return re.sub(r"^[\s*:.]+", "", bare[len(_heading(line)) :]).strip()


def _items(lines: list[str]) -> Iterator[str]:
    """A bullet and the indented lines that go on with it."""
    item: list[str] = []
    for line in lines:
        if _BULLET.match(line) and item:
            yield wording.text(" ".join(item))
            item = []
        item.append(_BULLET.sub("", line).strip())
    yield wording.text(" ".join(item))
