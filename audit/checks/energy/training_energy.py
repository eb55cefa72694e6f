"""Energy, CPU time and, where the grid is known, carbon of one training run.

Why it matters: a review asks what a model cost to make, and the EU AI Act's Annex XI asks providers of general-purpose
models for computing resources, training time and known or estimated energy. Trackers disagree by a factor of eight on
one run, so a figure that does not say how it is known is not evidence.

How it is measured: the record of the run gives time and CPU seconds exactly. Energy is taken from the best rung that
the record supports: a meter, counters of CPU and GPU, sampled power, load times rating, or duration times rating.
Every rung is shown with its boundary (chips, whole machine, building) and a 90 % range from published comparisons with
meters; figures at different boundaries must not be compared. Carbon is energy times the yearly production mix of the
region, given only where the region is; its range holds the uncertainty of that table too. On a virtual machine without
counters expect a range of three times in either direction: that is what is known there.

How to reduce the risk: train where counters can be read, or note a wall meter; stop early, tune with fewer trials,
begin from a smaller or a pre-trained model; train where and when the grid is clean, and say which grid it was.

Sources: Fischer 2025, arXiv 2509.22092 (318 runs with a wall meter); Yang 2024, arXiv 2312.02741 (GPU sensors);
Ember (2026) via Our World in Data, CC-BY-4.0 (grid intensity); ISO/IEC 21031:2024; Regulation (EU) 2024/1689, Annex XI.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from audit.check import check
from audit.energy.estimate import CarbonEstimate, EnergyEstimate, carbon, disagreements, from_record
from audit.energy.intensity import intensity
from audit.inputs.training_record import TrainingRecord
from audit.results import Measurement, Omission, Outcome, Reason, Table
from audit.stats import assumption_range, exact, measured

MEASURES = {
    "training_energy": {"unit": "kWh", "better": "lower", "words": "energy used in training"},
    "training_carbon": {"unit": "kgCO2e", "better": "lower", "words": "greenhouse gases from the energy of training"},
    "training_cpu_time": {"unit": "h", "better": "lower", "words": "CPU time used in training"},
    "training_time": {"unit": "h", "better": "lower", "words": "time that training took"},
}

WHAT_IF = (("hydropower and nuclear", 20.0), ("world mean", 445.0), ("mostly coal", 700.0))
GIVE_REGION = 'give [training] region, such as "DE": the country whose grid fed the training'
INSTALL_GPU = 'record the training with pip install "assay[gpu]", or with meter_kwh from a wall meter'


@check(cost="instant")
def training_energy(training_record: TrainingRecord, level: float) -> Outcome:
    times = _times(training_record, level)
    estimates = from_record(training_record)
    if not estimates:
        devices = ", ".join(training_record.host.unmeasured_gpus) or "a GPU"
        detail = f"{devices} was there and its energy was not measured ({training_record.gpus_status})"
        names = ("training_energy", "training_carbon")
        missing = [
            Omission(name=name, reason=Reason.MISSING_INPUT, detail=detail, remedy=INSTALL_GPU) for name in names
        ]
        return Outcome(measurements=times, omissions=tuple(missing))
    best, region = estimates[0], training_record.region
    energy, rungs = _energy(best, level), _rungs(estimates)
    if region is None:
        detail = "no region was given, so the carbon intensity of the electricity is not known"
        gap = Omission(name="training_carbon", reason=Reason.MISSING_INPUT, detail=detail, remedy=GIVE_REGION)
        return Outcome(measurements=(energy, *times), omissions=(gap,), evidence=(rungs, _what_if(best)))
    emitted = carbon(best, intensity(region))
    return Outcome(
        measurements=(energy, _carbon(emitted, level), *times),
        evidence=(rungs, _grid(emitted)),
        notices=(emitted.grid.attribution,),
    )


def _times(record: TrainingRecord, level: float) -> tuple[Measurement, ...]:
    seconds = {"training_cpu_time": record.cpu_s, "training_time": record.wall_s}
    return tuple(
        measured(name=name, basis=exact(value / 3600), level=level, n=1, unit="h") for name, value in seconds.items()
    )


def _known(measurement: Measurement, energy: EnergyEstimate) -> Measurement:
    """How the figure is known goes where its method goes: it must not travel without."""
    short = f"{energy.rung} rung, {energy.boundary} boundary"
    return replace(
        measurement, method=f"{short}: {energy.method}", interval=replace(measurement.interval, method=short)
    )


def _energy(energy: EnergyEstimate, level: float) -> Measurement:
    basis = assumption_range(energy.value_kwh, energy.lower_kwh, energy.upper_kwh, energy.level)
    n = energy.observations
    return _known(measured(name="training_energy", basis=basis, level=level, n=n, unit="kWh"), energy)


def _carbon(emitted: CarbonEstimate, level: float) -> Measurement:
    basis = assumption_range(emitted.value_kg, emitted.lower_kg, emitted.upper_kg, emitted.level)
    n = emitted.energy.observations
    known = _known(measured(name="training_carbon", basis=basis, level=level, n=n, unit="kgCO2e"), emitted.energy)
    grid = emitted.grid
    return replace(known, method=f"{known.method}; {grid.g_per_kwh:g} g/kWh, {grid.name} {grid.year}, {grid.source}")


def _rungs(estimates: Sequence[EnergyEstimate]) -> Table:
    apart = [f"{one.rung} and {other.rung} ({one.boundary})" for one, other in disagreements(estimates)]
    note = "Best evidence first; the first row is the figure of this audit. Compare rows of one boundary only."
    return Table(
        name="training_energy_rungs",
        title="What is known of the energy of training, and how",
        columns=("rung", "boundary", "kWh", "lower", "upper", "level", "method", "assumptions", "sources"),
        rows=tuple(_rung(estimate) for estimate in estimates),
        note=note + (f" Ranges that do not meet, so one is wrong: {'; '.join(apart)}." if apart else ""),
    )


def _rung(energy: EnergyEstimate) -> tuple[str | float, ...]:
    figures = (energy.value_kwh, energy.lower_kwh, energy.upper_kwh, energy.level)
    words = (energy.method, "; ".join(energy.assumptions), "; ".join(energy.sources))
    return (energy.rung, energy.boundary, *figures, *words)


def _what_if(energy: EnergyEstimate) -> Table:
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


def _grid(emitted: CarbonEstimate) -> Table:
    grid = emitted.grid
    return Table(
        name="training_carbon_grid",
        title="The grid that the carbon rests on",
        columns=("region", "country", "g/kWh", "lower", "upper", "year", "attribution"),
        rows=(
            (
                grid.region,
                grid.name,
                grid.g_per_kwh,
                grid.lower_g_per_kwh,
                grid.upper_g_per_kwh,
                grid.year,
                grid.attribution,
            ),
        ),
        note="Location based: the yearly production mix of the country; imports, contracts and offsets are not in it.",
    )
