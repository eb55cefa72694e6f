"""The one place that turns numbers, names and verdicts into words, for every writer and every page.

"0.083 (95 % CI 0.004 to 0.161, n = 640, Newcombe)": a number is never shown without its interval, its n and its
method, and never with more decimals than the interval supports.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from audit import counting
from audit.results import Interval, Measurement, Omission, Reason, Scalar

MINUS = "\u2212"
MISSING = "(missing)"
ALL_ROWS = "all rows"
_LEAST = 1e-6  # of a cell: what is smaller is an error of computation
MAX_DECIMALS = 3  # of a proportion: a fourth one says nothing at the sizes of test sets
LABEL_LENGTH = 80
TEXT_LENGTH = 4000
CELL_LENGTH = 400

# Not strftime: its names follow the locale of the machine.
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

count = counting.count  # "1 limit", "1,989 limits"

Status = Literal["pass", "fail", "inconclusive", "not_assessed", "waived"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusWords:
    """A verdict as a reader meets it: the word carries the meaning, the glyph only repeats it."""

    key: Status
    word: str
    glyph: str
    meaning: str


STATUSES: Mapping[str, StatusWords] = {
    words.key: words
    for words in (
        StatusWords(key="fail", word="Fails", glyph="✗", meaning="the interval lies wholly outside the limit"),
        StatusWords(key="inconclusive", word="Inconclusive", glyph="?", meaning="the interval includes the limit"),
        StatusWords(key="not_assessed", word="Not assessed", glyph="–", meaning="it could not be measured"),
        StatusWords(key="waived", word="Waived", glyph="⚠", meaning="somebody answers for it until a date"),
        StatusWords(key="pass", word="Passes", glyph="✓", meaning="the whole interval lies inside the limit"),
    )
}

REASONS: Mapping[Reason, str] = {
    Reason.ERROR: "A check crashed",
    Reason.MISSING_INPUT: "The case does not hold what is needed",
    Reason.INSUFFICIENT_DATA: "Too few rows",
    Reason.UNDEFINED: "The measure is not defined here",
    Reason.UNSUPPORTED: "There is no interval for rows drawn like these",
    Reason.SUPPRESSED: "Too few people to show without naming them",
    Reason.WITHHELD: "Measured, and not trustworthy enough to show",
    Reason.SKIPPED: "Left out of the plan",
    Reason.NOT_APPLICABLE: "The question does not apply to this model",
}

BETTER: Mapping[str, str] = {
    "higher": "higher is better",
    "lower": "lower is better",
    "zero": "best at 0",
    "one": "best at 1",
    "none": "neither high nor low is better",
}


def status(verdict: str, *, waived: bool = False) -> StatusWords:
    """The words of a verdict (``"pass"``, ``"fail"``, ...); a waiver covers whatever has not passed."""
    return STATUSES["waived" if waived and verdict != "pass" else verdict]


# Units ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Scale:
    """How a unit is written for numbers of one size."""

    factor: float
    symbol: str


_PLAIN: Mapping[str, str] = {"1": "", "kgCO2e": "kg CO₂e", "usd": "US$"}
_SCALES: Mapping[str, tuple[tuple[float, _Scale], ...]] = {  # (from this size on, scale), largest first
    "kWh": ((0.1, _Scale(1, "kWh")), (1e-4, _Scale(1e3, "Wh")), (0, _Scale(1e6, "mWh"))),
    "kgCO2e": ((0.1, _Scale(1, "kg CO₂e")), (1e-4, _Scale(1e3, "g CO₂e")), (0, _Scale(1e6, "mg CO₂e"))),
    "h": ((1, _Scale(1, "h")), (1 / 60, _Scale(60, "min")), (1e-3 / 3.6, _Scale(3600, "s")), (0, _Scale(3.6e6, "ms"))),
    "s": ((1, _Scale(1, "s")), (0, _Scale(1e3, "ms"))),
}
_COUNTS = frozenset({"rows", "columns", "groups", "people", "bytes", "features", "slices", "numbers", "count"})
_ONE: Mapping[str, str] = {
    "rows": "row",
    "columns": "column",
    "groups": "group",
    "people": "person",
    "bytes": "byte",
    "features": "feature",
    "slices": "slice",
    "numbers": "number",
}


def is_unit(words: str) -> bool:
    """Whether a heading such as ``kWh`` is a unit that numbers are written in."""
    return words in _SCALES or words in _PLAIN or words in _COUNTS


def scale(value: float, unit: str) -> tuple[float, str]:
    """``(factor, symbol)`` in which a number of this size is best read: 0.0004 kWh as 0.4 Wh."""
    for least, best in _SCALES.get(unit, ()):
        if abs(value) >= least and value != 0:
            return best.factor, best.symbol
    return 1.0, _PLAIN.get(unit, unit)


# Numbers -------------------------------------------------------------------------------------------------------------


def decimals(value: float, half_width: float, unit: str) -> int:
    """Decimals that the interval supports: two significant digits of its half width, else three of the value."""
    if unit in _COUNTS and value == round(value):
        return 0
    basis, digits = (half_width, 2) if half_width > 0 else (abs(value), 3)
    wanted = digits - 1 - math.floor(math.log10(basis)) if basis > 0 else 0
    return max(0, min(wanted, MAX_DECIMALS if unit == "1" else 9))


def _write(value: float, places: int) -> str:
    """Fixed decimals, thousands separators, a true minus and no rounding to a false zero or a false one."""
    text = f"{value:,.{places}f}"
    if value != 0 and places and float(text.replace(",", "")) == 0:
        least = f"{10.0**-places:.{places}f}"
        return f"<{least}" if value > 0 else f">{MINUS}{least}"
    if places == MAX_DECIMALS and value < 1 and text == "1.000":
        return ">0.999"
    return "0" if text.strip("-0.") == "" and places == 0 else text.replace("-", MINUS)


def number(value: float, unit: str, se: float | None = None) -> str:
    """One number with its unit; ``se`` is its standard error or half width, in the same unit, and limits the decimals.

    >>> number(0.0831, "1", 0.04), number(1989, "rows"), number(1, "rows"), number(-0.5, "log-odds", 0.2)
    ('0.083', '1,989\xa0rows', '1\xa0row', '−0.50\xa0log-odds')
    """
    factor, symbol = scale(value, unit)
    places = decimals(value * factor, (se or 0.0) * factor, unit)
    return _join(_write(value * factor, places), symbol)


def _join(text: str, symbol: str) -> str:
    symbol = _ONE.get(symbol, symbol) if text in {"1", f"{MINUS}1"} else symbol
    return f"{text}\u00a0{symbol}" if symbol else text


def interval(bounds: Interval, unit: str, at: float | None = None) -> str:
    """``95 % CI 0.004 to 0.161``, ``90 % range 0.2 to 0.8 Wh`` or ``exact``; ``at`` is the value it belongs to."""
    if bounds.kind == "exact":
        return "exact"
    label = "CI" if bounds.kind == "sample" else "range"
    return f"{level(bounds.level)} {label} {span(bounds.lower, bounds.upper, unit, at)}"


def span(lower: float, upper: float, unit: str, at: float | None = None) -> str:
    """``0.004 to 0.161``: both ends in the scale and with the decimals of the value between them."""
    middle = (lower + upper) / 2 if at is None else at
    factor, symbol = scale(middle, unit)
    places = decimals(middle * factor, (upper - lower) / 2 * factor, unit)
    return _join(f"{_write(lower * factor, places)} to {_write(upper * factor, places)}", symbol)


def level(share: float) -> str:
    """``95 %`` with a no-break space."""
    return f"{share * 100:.4g}\u00a0%"


def share(part: float) -> str:
    """A share of rows in whole per cent, with no false 0 % and no false 100 %."""
    if 0 < part <= 0.005:
        return "under 1\u00a0%"
    if 0.995 <= part < 1:
        return "over 99\u00a0%"
    return f"{part * 100:.0f}\u00a0%"


def cell(content: Scalar | None) -> str:
    """A cell of a table as it is read: 1,989, 0.0123, yes, a name; an empty one stays empty."""
    if content is None:
        return ""
    if isinstance(content, bool):
        return "yes" if content else "no"
    if isinstance(content, int):
        return f"{content:,}".replace("-", MINUS)
    if isinstance(content, float):
        if 0 < abs(content) < _LEAST:
            return f"<{_LEAST:.6f}" if content > 0 else f">{MINUS}{_LEAST:.6f}"
        return bound(float(f"{content:.4g}"), "1")
    return label(content, CELL_LENGTH)


def value(m: Measurement) -> str:
    """The measured number alone, with unit and the decimals of its interval."""
    return number(m.value, m.unit, m.interval.half_width)


def uncertainty(m: Measurement) -> str:
    """``95 % CI 0.004 to 0.161, n = 640, Newcombe``: what must stand beside the value."""
    named = short_method(m.interval.method or m.method)
    method = "" if named in {"exact", "range"} else named
    parts = (interval(m.interval, m.unit, m.value), f"n\u00a0=\u00a0{m.n:,}", method)
    return ", ".join(part for part in parts if part)


def measurement(m: Measurement) -> str:
    """``0.083 (95 % CI 0.004 to 0.161, n = 640, Newcombe)``."""
    return f"{value(m)} ({uncertainty(m)})"


def short_method(method: str) -> str:
    """The name of a method without what explains it: ``Wilson`` for ``Wilson score interval (Wilson 1927)``."""
    name = text(method).partition(" (")[0].partition("; ")[0]
    name = name.partition(" interval")[0].removesuffix(" score") or name
    return label(name.replace("_", " "))


def moment(iso: str) -> str:
    """``22 Nov 2026, 18:04 UTC`` for an ISO 8601 time in UTC; what cannot be read stays as it is."""
    try:
        at = datetime.fromisoformat(iso)
    except ValueError:
        return label(iso)
    return f"{at.day} {_MONTHS[at.month - 1]} {at.year}, {at:%H:%M} UTC"


# Names ---------------------------------------------------------------------------------------------------------------


def label(text: object, length: int = LABEL_LENGTH) -> str:
    """A name from the data, fit to be read: one line, no control or direction characters, at most ``length`` long.

    What cannot be shown is replaced by U+FFFD, so that a hostile name is seen to be odd and can do nothing.
    """
    raw = str(text)
    head = raw[: length * 4]  # enough to fill the label, whatever is collapsed
    clean = "".join("\ufffd" if _unfit(character) else character for character in head)
    clean = re.sub(r"[^\S\u00a0]+", " ", clean).strip() or "(blank)"
    return clean if len(clean) <= length and len(raw) <= len(head) else clean[: length - 1] + "…"


def sentence(words: str) -> str:
    """The same words with a capital at their head, unless the head is a symbol such as ``p-value`` or ``t``."""
    return words if words[1:2] in {"", "-", " ", "_"} else words[:1].upper() + words[1:]


def _unfit(character: str) -> bool:
    # The two joiners are letters of Persian and of many emoji; every other format character can only mislead.
    return character not in "\n\t\u200c\u200d" and unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn"}


def text(words: str) -> str:
    """A sentence that may hold names from the data: control and direction characters out, one line, 4,000 at most."""
    return label(words, length=min(max(len(words), LABEL_LENGTH), TEXT_LENGTH)) if words else ""


def slice_words(columns: Mapping[str, str | None]) -> str:
    """``sex = F, age = (missing)``; ``all rows`` for the empty slice."""
    if not columns:
        return ALL_ROWS
    return ", ".join(f"{label(k)} = {group_value(v)}" for k, v in columns.items())


def group_value(shown: str | None) -> str:
    """The value of a group as a label; a missing one is named, for it is a group too."""
    return MISSING if shown is None else label(shown)


def group_words(columns: Mapping[str, str | None]) -> str:
    """``F, (missing)``: the values alone, where a heading already names the columns."""
    return ", ".join(group_value(v) for v in columns.values()) or ALL_ROWS


def contrast_words(groups: Sequence[Mapping[str, str | None]]) -> str:
    """``race: black against white``; one group as a slice; several columns joined by a comma."""
    if len(groups) < 2:
        return slice_words(groups[0]) if groups else ALL_ROWS
    first, second = groups[0], groups[1]
    if first and not second:
        return f"{slice_words(first)} against all rows"
    names = ", ".join(label(column) for column in first or second)
    return f"{names}: {group_words(first)} against {group_words(second)}"


def params_words(params: Mapping[str, Scalar]) -> str:
    """``k = 10, threshold = 0.5``."""
    return ", ".join(f"{label(k)} = {label(v)}" for k, v in sorted(params.items()))


def measure_words(name: str, words: str = "", params: Mapping[str, Scalar] | None = None) -> str:
    """``share selected`` or, where a measure has no words of its own, its name with spaces."""
    base = label(words or name.replace("_", " "), 2 * LABEL_LENGTH)
    return f"{base} ({params_words(params)})" if params else base


# Limits and omissions ------------------------------------------------------------------------------------------------


def bound(value: float, unit: str) -> str:
    """A limit as it was written: no digit added, no digit lost."""
    factor, symbol = scale(value, unit)
    written = f"{value * factor:,.12f}".rstrip("0").rstrip(".") if abs(value) < 1e12 else f"{value * factor:.4g}"
    return _join(written.replace("-", MINUS), symbol)


def limit_words(unit: str, *, lowest: float | None, highest: float | None, regress: float | None = None) -> str:
    """``at most 0.10``, ``at least 0.8``, ``0.8 to 1.25``; with ``regress``, the worsening that is allowed."""
    parts: list[str] = []
    if lowest is not None and highest is not None:
        parts.append(f"{bound(lowest, unit)} to {bound(highest, unit)}")
    elif lowest is not None:
        parts.append(f"at least {bound(lowest, unit)}")
    elif highest is not None:
        parts.append(f"at most {bound(highest, unit)}")
    if regress is not None:
        parts.append(f"at most {bound(regress, unit)} worse than the baseline")
    return " and ".join(parts) or "recorded, no limit"


def sight(seen: float | None, unit: str, compare: str) -> str:
    """The smallest gap, the ratio nearest to 1 or the smallest distance from a limit that the rows could have shown."""
    if seen is None:
        return ""
    what = {"difference": "smallest gap", "ratio": "ratio nearest to 1"}.get(
        compare, "smallest distance from the limit"
    )
    return f"the {what} that these rows could have shown is {number(seen, '1' if compare == 'ratio' else unit)}"


def rows_enough(some: int, of: int, share_of_rows: float | None = None, *, ahead: bool = False) -> str:
    """``13 of 38 comparisons, 97 % of rows, had rows enough to pass``; before a run (``ahead``) they have them."""
    rows = "" if share_of_rows is None else f", {share(share_of_rows)} of rows,"
    have = ("has" if of == 1 else "have") if ahead else "had"
    return f"{some:,} of {count(of, 'comparison')}{rows} {have} rows enough to pass"


def unknown_words(rows: int, *, assigned: bool) -> str:
    """What a comparison makes of rows whose group is not known: ``assigned`` in the worst way, or a group apart."""
    they = f"{count(rows, 'row')} of unknown group"
    if assigned:
        return f"the bounds hold whoever the {they} are"
    return f"the {they} count as a group of their own: bounds are known for plain rates only"


def omission(o: Omission) -> str:
    """``Too few rows: race = Asian has 3 rows, fewer than 30``."""
    return f"{REASONS[o.reason]}: {text(o.detail)}"


def listed(words: Iterable[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    items = list(words)
    return " and ".join([", ".join(items[:-1]), items[-1]]) if len(items) > 1 else "".join(items)


def first_sentence(words: str) -> str:
    """The first sentence of a paragraph, on one line."""
    paragraph = re.sub(r"\s+", " ", words.strip().split("\n\n")[0])
    return re.split(r"(?<=[.!?]) (?=[A-Z])", paragraph)[0].rstrip(".")
