"""A letter for every map, A, B, C or withheld, with the reason. The bounds live in TOML, with a reason beside each."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit.errors import SpecError, Unavailable

Floats = NDArray[np.float64]

RULES = Path(__file__).parent.parent / "policies" / "grades" / "trust@1.toml"
LETTERS = ("A", "B", "C")
WITHHELD = "withheld"
_ORDER = (*LETTERS, WITHHELD)
_KEYS = frozenset({"test", "measure", "scope", "better", "beyond", "words", "why"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """``bounds`` from the best letter down; ``beyond`` where none of them holds."""

    test: str
    measure: str
    scope: str  # "map": each map by itself; "method": the mean of a method's maps; "both": each map, and the median
    higher: bool
    bounds: tuple[tuple[str, float], ...]
    beyond: str
    words: str

    def letter(self, value: float) -> str:
        held = (letter for letter, bound in self.bounds if (value >= bound if self.higher else value <= bound))
        return next(held, self.beyond)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    id: str
    rules: tuple[Rule, ...]

    @property
    def medians(self) -> frozenset[str]:
        """The measures of which one bad map must not condemn its method."""
        return frozenset(rule.measure for rule in self.rules if rule.scope == "both")

    def grade(self, values: Mapping[str, float], *, per_map: bool = False) -> Grade:
        """The worst letter over the rules whose measure is among ``values``; numbers that are NaN were not had."""
        left_out = "method" if per_map else "map"
        asked = (rule for rule in self.rules if rule.measure in values and rule.scope != left_out)
        return _worst(
            Grade(letter=letter, reasons=() if letter == "A" else (_reason(rule, letter, values[rule.measure]),))
            for rule in asked
            if not math.isnan(values[rule.measure])
            for letter in (rule.letter(values[rule.measure]),)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """``letter`` is A, B, C or withheld; ``reasons`` those of the worst letter."""

    letter: str = "A"
    reasons: tuple[str, ...] = field(default=())

    @property
    def shown(self) -> bool:
        return self.letter != WITHHELD

    @property
    def words(self) -> str:
        return f"{self.letter}: {'; '.join(self.reasons)}" if self.reasons else self.letter


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """What the tests of one method gave: a number a row (n,) by measure, NaN where a row has none.

    ``null`` is the likeness of two random networks' maps (T3), ``grade`` the method's and ``maps`` each map's own.
    """

    short: str
    numbers: Mapping[str, Floats]
    missing: tuple[tuple[str, Unavailable], ...]
    grade: Grade
    maps: tuple[Grade, ...]


def worse(first: Grade, second: Grade) -> Grade:
    return _worst((first, second))


def read_rules(path: Path = RULES) -> Rules:
    """The rules of a file. SpecError names what is wrong with it."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise SpecError(f"{path.name} cannot be read: {error}") from error
    rules = tuple(_rule(one, path.name) for one in raw.get("rule", ()))
    if not rules:
        raise SpecError(f"{path.name} holds no [[rule]]")
    return Rules(id=str(raw.get("rules", path.stem)), rules=rules)


def _rule(raw: Mapping[str, Any], where: str) -> Rule:
    missing, unknown = _KEYS - raw.keys(), raw.keys() - _KEYS - set(LETTERS)
    if missing or unknown:
        raise SpecError(
            f"{where}: a rule has {', '.join(sorted(_KEYS))} and A, B, C; fault: {sorted(missing | unknown)}"
        )
    if (
        raw["better"] not in {"higher", "lower"}
        or raw["scope"] not in {"map", "method", "both"}
        or raw["beyond"] not in _ORDER
    ):
        raise SpecError(
            f'{where}: "{raw["measure"]}": better is higher or lower, scope map, method or both, beyond a letter'
        )
    bounds = tuple((letter, float(raw[letter])) for letter in LETTERS if letter in raw)
    higher = raw["better"] == "higher"
    if not bounds or [b for _, b in bounds] != sorted((b for _, b in bounds), reverse=higher):
        raise SpecError(f'{where}: the bounds of "{raw["measure"]}" must grow weaker from A to C')
    return Rule(
        test=raw["test"],
        measure=raw["measure"],
        scope=raw["scope"],
        higher=higher,
        bounds=bounds,
        beyond=raw["beyond"],
        words=raw["words"],
    )


def _reason(rule: Rule, letter: str, value: float) -> str:
    """The rule's words where no bound holds; else what the letter lacks, as numbers: its fault would be too much."""
    if letter == rule.beyond:
        return f"{rule.words} ({rule.test}: {value:.2g})"
    measure = rule.measure.removeprefix("trust_").replace("_", " ")
    (_, best), *_ = rule.bounds
    return f"{measure} {value:.3g}, A asks {'at least' if rule.higher else 'at most'} {best:g} ({rule.test})"


def _worst(grades: Iterable[Grade]) -> Grade:
    found = list(grades)
    letter = max((g.letter for g in found), key=_ORDER.index, default="A")
    reasons = dict.fromkeys(reason for g in found if g.letter == letter for reason in g.reasons)
    return Grade(letter=letter, reasons=tuple(reasons))
