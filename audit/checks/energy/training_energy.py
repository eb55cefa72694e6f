"""Energy, CPU time and, where the grid is known, carbon of one training run.

Why it matters: a review asks what a model cost to make, and the EU AI Act's Annex XI asks providers of general-purpose
models for computing resources, training time and known or estimated energy. Trackers disagree by a factor of eight on
one run, so a figure that does not say how it is known is not evidence.

How it is measured: the record of the run gives time and CPU seconds exactly. Energy is taken from the best rung of
evidence: a meter, counters of CPU and GPU, sampled power, load times rating, duration times rating, the operations of
the network on known hardware, or a declared figure. Files of codecarbon, carbontracker and Zeus are read and graded.
Every rung is shown with its boundary (chips, whole machine, building) and a 90 % range from published comparisons with
meters; figures at different boundaries must not be compared. Carbon is energy times the yearly production mix of the
region, given only where the region is; its range holds the uncertainty of that table too. On a virtual machine without
counters expect a range of three times in either direction: that is what is known there.

How to reduce the risk: train where counters can be read, or note a wall meter; stop early, tune with fewer trials,
begin from a smaller or a pre-trained model; train where and when the grid is clean, and say which grid it was. Where
two rungs disagree, find out which is wrong before either is quoted.

Sources: Fischer 2025, arXiv 2509.22092 (318 runs with a wall meter); Yang 2024, arXiv 2312.02741 (GPU sensors);
Ember (2026) via Our World in Data, CC-BY-4.0 (grid intensity); ISO/IEC 21031:2024; Regulation (EU) 2024/1689, Annex XI.
"""

from __future__ import annotations

from audit.check import check
from audit.checks.energy._figures import (
    carbon_measured,
    energy_measured,
    gaps_table,
    grid_table,
    rungs,
    what_if,
)
from audit.energy.estimate import EnergyEstimate, carbon, largest_miss
from audit.energy.intensity import intensity
from audit.energy.training import TrainingEvidence
from audit.results import Evidence, Measurement, Omission, Outcome, Reason
from audit.stats import exact, measured

MEASURES = {
    "training_energy": {"unit": "kWh", "better": "lower", "words": "energy used in training"},
    "training_carbon": {"unit": "kgCO2e", "better": "lower", "words": "greenhouse gases from the energy of training"},
    "training_energy_disagreement": {
        "unit": "1",
        "better": "lower",
        "words": "factor by which the ranges of two rungs miss each other",
    },
    "training_cpu_time": {"unit": "h", "better": "lower", "words": "CPU time used in training"},
    "training_time": {"unit": "h", "better": "lower", "words": "time that training took"},
}

GIVE_REGION = 'give [training] region, such as "DE": the country whose grid fed the training'
INSTALL_GPU = 'record the training with pip install "assay[gpu]", or with meter_kwh from a wall meter'
OTHER_MODEL = "the record is of another model: the hash of its file is not that of the audited model"
GIVE_OWN = "give the record of this model's own training, or record it again with --model"
GIVE_RECORD = 'give [training] record = "training.json", written by audit.track'


@check(cost="predict")
def training_energy(training_evidence: TrainingEvidence, level: float) -> Outcome:
    times, unknown = _times(training_evidence, level)
    estimates = training_evidence.estimates
    if not estimates:
        missing = [_no_energy(training_evidence, name) for name in ("training_energy", "training_carbon")]
        return Outcome(measurements=times, omissions=(*missing, *unknown), evidence=gaps_table(training_evidence.gaps))
    energies, carbon_gap, tables = _energies(estimates[0], training_evidence.told.region, level)
    agreement, alone = _agreement(estimates, level)
    return Outcome(
        measurements=(*energies, *agreement, *times),
        omissions=(*carbon_gap, *alone, *unknown),
        evidence=(rungs(estimates), *tables, *gaps_table(training_evidence.gaps)),
        notices=_attributions(training_evidence.told.region),
    )


def _attributions(region: str | None) -> tuple[str, ...]:
    """The table of grids may be used where its source and its licence are named (CC-BY-4.0)."""
    return () if region is None else (intensity(region).attribution,)


def _no_energy(found: TrainingEvidence, name: str) -> Omission:
    withheld = [flag for flag in found.flags if flag.severity == "withhold" or found.record is not None]
    if withheld:
        detail = "; ".join(flag.words for flag in withheld)
        return Omission(name=name, reason=Reason.WITHHELD, detail=detail, remedy=withheld[0].remedy)
    if found.record is not None:
        devices = ", ".join(found.record.host.unmeasured_gpus) or "a GPU"
        detail = f"{devices} was there and its energy was not measured ({found.record.gpus_status})"
        return Omission(name=name, reason=Reason.MISSING_INPUT, detail=detail, remedy=INSTALL_GPU)
    detail = "; ".join(gap.why for gap in found.gaps) or "nothing tells the energy"
    remedy = found.gaps[0].remedy if found.gaps else GIVE_RECORD
    return Omission(name=name, reason=Reason.MISSING_INPUT, detail=detail, remedy=remedy)


def _energies(
    best: EnergyEstimate, region: str | None, level: float
) -> tuple[tuple[Measurement, ...], tuple[Omission, ...], tuple[Evidence, ...]]:
    energy = energy_measured("training_energy", best, level)
    if region is None:
        detail = "no region was given, so the carbon intensity of the electricity is not known"
        gap = Omission(name="training_carbon", reason=Reason.MISSING_INPUT, detail=detail, remedy=GIVE_REGION)
        return (energy,), (gap,), (what_if(best),)
    emitted = carbon(best, intensity(region))
    return (energy, carbon_measured("training_carbon", emitted, level)), (), (grid_table(emitted),)


def _agreement(
    estimates: tuple[EnergyEstimate, ...], level: float
) -> tuple[tuple[Measurement, ...], tuple[Omission, ...]]:
    name, miss = "training_energy_disagreement", largest_miss(estimates)
    if miss is None:
        detail = "no two kinds of evidence share a boundary, so there is nothing to compare"
        return (), (Omission(name=name, reason=Reason.NOT_APPLICABLE, detail=detail, remedy="give a second kind"),)
    return (measured(name=name, basis=exact(miss), level=level, n=len(estimates), unit="1"),), ()


def _times(found: TrainingEvidence, level: float) -> tuple[tuple[Measurement, ...], tuple[Omission, ...]]:
    if found.of_another_model:
        return (), _withheld_times()
    seconds = {
        "training_cpu_time": found.record.cpu_s if found.record else None,
        "training_time": found.seconds,
    }
    times = [
        measured(name=name, basis=exact(value / 3600), level=level, n=1, unit="h")
        for name, value in seconds.items()
        if value is not None
    ]
    unknown = [
        Omission(name=name, reason=Reason.MISSING_INPUT, detail="no record tells it", remedy=GIVE_RECORD)
        for name, value in seconds.items()
        if value is None
    ]
    return tuple(times), tuple(unknown)


def _withheld_times() -> tuple[Omission, ...]:
    """The times of a record of another model are exact, and not about this one."""
    return tuple(
        Omission(name=name, reason=Reason.WITHHELD, detail=OTHER_MODEL, remedy=GIVE_OWN)
        for name in ("training_cpu_time", "training_time")
    )
