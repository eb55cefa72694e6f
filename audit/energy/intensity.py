"""Yearly carbon intensity of electricity by country: Ember via Our World in Data, CC-BY-4.0."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from audit.energy.hardware import near, table
from audit.energy.ranges import Range
from audit.errors import SpecError

# Five tools of the field, 212 countries: the largest of their figures is 1.25 times the smallest in the typical case.
# A log-normal with sigma = ln(1.25) / 1.645 has these bounds at 90 %.
TABLE_RANGE = Range(lower=1 / 1.25, upper=1.25)


@dataclass(frozen=True, slots=True, kw_only=True)
class GridIntensity:
    """Production mix of one country in one year, location based: imports and contracts are not in it."""

    region: str  # ISO 3166-1 alpha-2
    name: str
    g_per_kwh: float
    year: int
    source: str
    licence: str
    attribution: str

    @property
    def lower_g_per_kwh(self) -> float:
        return self.g_per_kwh * TABLE_RANGE.lower

    @property
    def upper_g_per_kwh(self) -> float:
        return self.g_per_kwh * TABLE_RANGE.upper


@cache
def _by_code() -> Mapping[str, GridIntensity]:
    content = table("intensity")
    shared = {key: content[key] for key in ("source", "licence", "attribution")}
    rows = {
        alpha2: GridIntensity(region=alpha2, name=name, g_per_kwh=grams, year=year, **shared)
        for alpha2, _, name, grams, year, _ in content["rows"]
    }
    return MappingProxyType(rows)


@cache
def _codes() -> Mapping[str, str]:
    """Every code and name that is understood, in lower case, to its alpha-2 code."""
    rows = table("intensity")["rows"]
    names = {word.casefold(): row[0] for row in rows for word in (row[0], row[1], row[2], *row[5])}
    return MappingProxyType(names)


def regions() -> tuple[str, ...]:
    """The alpha-2 codes of all countries of the table."""
    return tuple(_by_code())


def intensity(region: str) -> GridIntensity:
    """The latest yearly figure of a country, by ISO 3166-1 alpha-2 or alpha-3 code or its exact English name.

    Raises SpecError for another text, with the nearest names.
    """
    code = _codes().get(region.strip().casefold())
    if code is None:
        hint = near(region.strip().title(), [grid.name for grid in _by_code().values()])
        raise SpecError(
            f'region must be a country of the table, as "DE", "DEU" or "Germany", got "{region}"{hint}: '
            "give the country whose grid fed the training, or leave region out for energy only"
        )
    return _by_code()[code]
