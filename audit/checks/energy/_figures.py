"""Measurements and tables of energies: the rung, the boundary and the range go where the figure goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from audit.energy.estimate import CarbonEstimate, EnergyEstimate, disagreements
from audit.energy.training import Gap
from audit.results import Measurement, Table
from audit.stats import assumption_range, measured

RUNG_COLUMNS = ("rung", "boundary", "kWh", "lower", "upper", "level", "method", "assumptions", "sources")


def known(measurement: Measurement, energy: EnergyEstimate) -> Measurement:
    """How the figure is known goes where its method goes: it must not travel without."""
    short = f"{energy.rung} rung, {energy.boundary} boundary"
    return replace(
        measurement, method=f"{short}: {energy.method}", interval=replace(measurement.interval, method=short)
    )


def energy_measured(name: str, energy: EnergyEstimate, level: float) -> Measurement:
    basis = assumption_range(energy.value_kwh, energy.lower_kwh, energy.upper_kwh, energy.level)
    return known(measured(name=name, basis=basis, level=level, n=energy.observations, unit="kWh"), energy)


def carbon_measured(name: str, emitted: CarbonEstimate, level: float) -> Measurement:
    basis = assumption_range(emitted.value_kg, emitted.lower_kg, emitted.upper_kg, emitted.level)
    n = emitted.energy.observations
    found = known(measured(name=name, basis=basis, level=level, n=n, unit="kgCO2e"), emitted.energy)
    grid = emitted.grid
    return replace(found, method=f"{found.method}; {grid.g_per_kwh:g} g/kWh, {grid.name} {grid.year}, {grid.source}")


def rungs(estimates: Sequence[EnergyEstimate], *, name: str = "training_energy_rungs") -> Table:
    """Every estimate, best first."""
    apart = [f"{one.rung} and {other.rung} ({one.boundary})" for one, other in disagreements(estimates)]
    note = "Best evidence first; the first row is the figure of this audit. Compare rows of one boundary only."
    return Table(
        name=name,
        title="What is known of the energy of training, and how",
        columns=RUNG_COLUMNS,
        rows=tuple(_rung(estimate) for estimate in estimates),
        note=note + (f" Ranges that do not meet, so one is wrong: {'; '.join(apart)}." if apart else ""),
    )


def _rung(energy: EnergyEstimate) -> tuple[str | float, ...]:
    figures = (energy.value_kwh, energy.lower_kwh, energy.upper_kwh, energy.level)
    words = (energy.method, "; ".join(energy.assumptions), "; ".join(energy.sources))
    return (energy.rung, energy.boundary, *figures, *words)


def gaps_table(gaps: Sequence[Gap]) -> tuple[Table, ...]:
    """The rungs that could not be had; no table where there is none."""
    if not gaps:
        return ()
    return (
        Table(
            name="training_energy_gaps",
            title="Evidence that could not be used",
            columns=("rung", "why", "what would help"),
            rows=tuple((gap.rung, gap.why, gap.remedy) for gap in gaps),
        ),
    )


def grid_table(emitted: CarbonEstimate) -> Table:
    grid = emitted.grid
    figures = (grid.g_per_kwh, grid.lower_g_per_kwh, grid.upper_g_per_kwh, grid.year)
    return Table(
        name="training_carbon_grid",
        title="The grid that the carbon rests on",
        columns=("region", "country", "g/kWh", "lower", "upper", "year", "attribution"),
        rows=((grid.region, grid.name, *figures, grid.attribution),),
        note="Location based: the yearly production mix of the country; imports, contracts and offsets are not in it.",
    )


WHAT_IF = (("hydropower and nuclear", 20.0), ("world mean", 445.0), ("mostly coal", 700.0))


def what_if(energy: EnergyEstimate) -> Table:
    """The carbon on three kinds of grid, where the region is not known."""
    kwh = (energy.value_kwh, energy.lower_kwh, energy.upper_kwh)
    return Table(
        name="training_carbon_what_if",
        title="What the carbon would be on three kinds of grid",
        columns=("grid", "g/kWh", "kgCO2e", "lower", "upper", "rung", "boundary"),
        rows=tuple(
            (name, grams, *(part * grams / 1000 for part in kwh), energy.rung, energy.boundary)
            for name, grams in WHAT_IF
        ),
        note="Not a measurement: the region of the training is not known. Ranges are those of the energy alone.",
    )
