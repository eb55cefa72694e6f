"""The blocks that a regulator or a report asks for, from one set of estimates.

EU AI Act (Regulation (EU) 2024/1689): Annex XI section 1 point 2 (d) and (e) for general-purpose models, Annex IV point
2 (c) for high-risk systems. Software Carbon Intensity, ISO/IEC 21031:2024: ``SCI = (E x I + M) per R``, offsets out.
What is not known is said to be not given: nothing here is filled in by a default.
"""

from __future__ import annotations

from dataclasses import dataclass

from audit.energy.estimate import CarbonEstimate, EnergyEstimate, carbon
from audit.energy.evidence import RUNGS
from audit.energy.intensity import intensity
from audit.energy.training import TrainingEvidence

NOT_GIVEN = "not given"
NOT_APPLICABLE = "not applicable"
ESTIMATED_FROM = RUNGS.index("utilisation")  # this rung and those after it are estimates, those before are measured


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of a block: the item as the text names it, its value in words, and how it is known."""

    item: str
    value: str
    basis: str


def _figure(value: float, unit: str) -> str:
    return f"{value:.3g} {unit}"


def ranged(energy: EnergyEstimate) -> str:
    """An energy with its range; two significant digits and more, in the unit that reads best."""
    scale, unit = next((pair for pair in ((1e3, "MWh"), (1.0, "kWh")) if energy.value_kwh >= pair[0]), (1e-3, "Wh"))
    value, lower, upper = (part / scale for part in (energy.value_kwh, energy.lower_kwh, energy.upper_kwh))
    return f"{value:.3g} {unit} ({energy.level:.0%} range {lower:.3g} to {upper:.3g})"


def _known(energy: EnergyEstimate) -> str:
    kind = "estimated" if RUNGS.index(energy.rung) >= ESTIMATED_FROM else "measured"
    return f"{kind}: {energy.rung} rung, {energy.boundary} boundary; {energy.method}"


def _energy(found: TrainingEvidence) -> Entry:
    item = "known or estimated energy consumption"
    if not found.estimates:
        remedy = found.gaps[0].remedy if found.gaps else "record the training with audit.track"
        return Entry(item=item, value=NOT_GIVEN, basis=remedy)
    return Entry(item=item, value=ranged(found.estimates[0]), basis=_known(found.estimates[0]))


def _compute(found: TrainingEvidence) -> Entry:
    item = "training compute, floating-point operations"
    if found.work is None:
        why = next((gap.why for gap in found.gaps if gap.rung == "flops"), "not counted")
        if found.kind == "sklearn":
            return Entry(item=item, value=NOT_APPLICABLE, basis=f"{why}; time and energy tell what it took")
        return Entry(item=item, value=NOT_GIVEN, basis=why)
    basis = f"counted, forward and backward; {'; '.join(found.work.assumptions)}"
    return Entry(item=item, value=_figure(found.work.flops, "FLOP"), basis=basis)


def _time(found: TrainingEvidence) -> Entry:
    if found.seconds is None:
        return Entry(item="training time", value=NOT_GIVEN, basis="give [training] hours or a record")
    basis = "recorded" if found.record or found.log else "as stated in audit.toml"
    basis = warned(basis, found)
    return Entry(item="training time", value=_figure(found.seconds / 3600, "h"), basis=basis)


def warned(basis: str, found: TrainingEvidence) -> str:
    """The basis of what a record tells, with the warning where that record is of another model."""
    return f"{basis}, of another model: its file's hash differs" if found.of_another_model else basis


def _resources(found: TrainingEvidence) -> Entry:
    value, basis = hardware_words(found) or NOT_GIVEN, warned("as recorded or stated", found)
    return Entry(item="computational resources", value=value, basis=basis)


def _cpu_time(found: TrainingEvidence) -> Entry:
    item = "CPU time of training"
    if found.record is None:
        return Entry(item=item, value=NOT_GIVEN, basis="give a record of audit.track")
    basis = warned("process tree, by the kernel", found)
    return Entry(item=item, value=_figure(found.record.cpu_s / 3600, "h"), basis=basis)


def hardware_words(found: TrainingEvidence) -> str:
    """The machine that trained, as it is known; empty where it is not."""
    if found.record is not None:
        gpus = ", ".join(gpu.name for gpu in found.record.gpus) or "no GPU"
        host = found.record.host
        return f"{host.vcpus} x {host.cpu or 'CPU without a name'}, {gpus}, {host.memory_gb:g} GB memory"
    if found.log is not None:
        return ", ".join(part for part in (found.log.cpu, found.log.gpu) if part)
    return f"{found.told.devices} x {found.told.hardware}" if found.told.hardware else ""


def annex_xi(found: TrainingEvidence) -> tuple[Entry, ...]:
    """Annex XI section 1 point 2 (d) computational resources and training time, (e) energy."""
    if found.estimates and found.estimates[0].rung in ("flops", "duration_x_rating"):
        note = "based on information about computational resources used, as point 2 (e) allows"
    else:
        note = "point 2 (e) allows an estimate from computational resources where the energy is not known"
    return (
        _compute(found),
        _time(found),
        _resources(found),
        _energy(found),
        Entry(item="basis of the energy", value=note, basis="Regulation (EU) 2024/1689, Annex XI, section 1, 2 (e)"),
    )


def annex_iv(found: TrainingEvidence) -> tuple[Entry, ...]:
    """Annex IV point 2 (c): computational resources used to develop, train, test and validate."""
    return (
        _resources(found),
        _time(found),
        _cpu_time(found),
        _compute(found),
        _energy(found),
        Entry(item="development, testing, validation", value="outside this evidence", basis="it is of training alone"),
    )


def _emitted(found: TrainingEvidence) -> CarbonEstimate | None:
    """At the widest boundary of the best rung: SCI counts all energy that the software causes."""
    region = found.told.region
    if region is None or not found.estimates:
        return None
    best = [item for item in found.estimates if item.rung == found.estimates[0].rung]
    return carbon(best[-1], intensity(region))


def _score(emitted: CarbonEstimate, embodied_kg: float) -> Entry:
    figures = [part + embodied_kg for part in (emitted.value_kg, emitted.lower_kg, emitted.upper_kg)]
    value = f"{figures[0]:.3g} kgCO2e a training ({emitted.level:.0%} range {figures[1]:.3g} to {figures[2]:.3g})"
    return Entry(item="SCI = (E x I + M) per R", value=value, basis="the range is that of E and I")


def sci(found: TrainingEvidence) -> tuple[Entry, ...]:
    """Software Carbon Intensity of one training run: E, I, M and R, and the score only where all are given."""
    emitted, embodied = _emitted(found), found.told.embodied_kg
    energy = emitted.energy if emitted else (found.estimates[0] if found.estimates else None)
    lines = [
        Entry(item="E, energy", value=ranged(energy) if energy else NOT_GIVEN, basis=_known(energy) if energy else ""),
        Entry(
            item="I, carbon intensity",
            value=f"{emitted.grid.g_per_kwh:g} g/kWh" if emitted else NOT_GIVEN,
            basis=f"location based; {emitted.grid.attribution}" if emitted else "give [training] region",
        ),
        Entry(
            item="M, embodied emissions",
            value=NOT_GIVEN if embodied is None else f"{embodied:g} kgCO2e",
            basis="give [training] embodied_kgco2e" if embodied is None else "as stated in audit.toml",
        ),
        Entry(item="R, functional unit", value="one training of this model", basis="ISO/IEC 21031:2024"),
    ]
    if emitted is None or embodied is None:
        missing = " and ".join(name for name, part in (("E x I", emitted), ("M", embodied)) if part is None)
        return (*lines, Entry(item="SCI = (E x I + M) per R", value=NOT_GIVEN, basis=f"{missing} not given"))
    return (*lines, _score(emitted, embodied))
