"""How many of what, in words: the one place that knows a singular from a plural. Standard library only."""

from __future__ import annotations


def count(total: int, singular: str, plural: str = "") -> str:
    """``1 limit``, ``1,989 limits``, ``2 boxes`` where the plural is given."""
    return f"{total:,} {singular if total == 1 else plural or singular + 's'}"
