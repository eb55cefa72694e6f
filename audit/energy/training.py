"""All that is known of one training's energy: every rung of evidence, best first, and what could not be used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from audit.energy.ceiling import held
from audit.energy.claims import Bound, Claim, as_estimate, emissions_bound, evidence_bounds, floor, power_bounds
from audit.energy.devices import Device, device, device_of
from audit.energy.estimate import BOUNDARIES, EnergyEstimate, at_the_facility
from audit.energy.evidence import RUNGS, Rung
from audit.energy.hardware import Precision, accelerators, cpus, near
from audit.energy.intensity import intensity
from audit.energy.ladder import from_record
from audit.energy.record import TrainingRecord
from audit.energy.trackers.forensics import examine
from audit.energy.trackers.grading import from_log
from audit.energy.trackers.log import Flag, TrackerLog
from audit.energy.work import SMALL_PARAMETERS, Work, from_flops, from_hours
from audit.errors import Unavailable

# The smallest of the metered networks has 3.5 million parameters. On one thread smaller ones took from 0.1 % of the
# peak (one row a step) to 28 % (512 rows): a factor of 300, which is no estimate.
SMALL_NETWORK = "below a million a device mostly waits, at 0.1 to 30 % of its peak"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What audit.toml says of the training, beyond the file of a record."""

    region: str | None = None
    hardware: str | None = None
    devices: int = 1
    hours: float | None = None
    precision: Precision | None = None
    claim: Claim | None = None
    rest_w: float | None = None
    pue: float | None = None
    embodied_kg: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A rung that cannot be had."""

    rung: Rung
    why: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingEvidence:
    """Estimates best first, what they rest on, and what is missing. ``bounds`` are those of the claim."""

    told: Told
    estimates: tuple[EnergyEstimate, ...] = ()
    gaps: tuple[Gap, ...] = ()
    record: TrainingRecord | None = None
    log: TrackerLog | None = None
    flags: tuple[Flag, ...] = ()
    work: Work | None = None
    bounds: tuple[Bound, ...] = ()
    rows_seen: float | None = None  # over all epochs and trials
    kind: str = ""  # of the audited model: "sklearn", "torch", "onnx", "callable"; "" where only answers are given

    @property
    def of_another_model(self) -> bool:
        """Whether the record names a model whose file is not the audited one."""
        return self.record is not None and self.record.model_match == "other"

    @property
    def seconds(self) -> float | None:
        """Time that training took, by the clock."""
        if self.record is not None:
            return self.record.wall_s
        if self.log is not None:
            return self.log.seconds
        return self.told.hours * 3600 if self.told.hours else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where evidence comes from: a record of ours or another tracker's log, and the work of the network, if told."""

    told: Told = field(default_factory=Told)
    record: TrainingRecord | None = None
    log: TrackerLog | None = None
    rows_seen: float | None = None
    count_work: Callable[[float], Work] | None = None  # of rows seen; Unavailable where it cannot be counted
    kind: str = ""  # of the audited model, as in TrainingEvidence


def ordered(estimates: Sequence[EnergyEstimate]) -> tuple[EnergyEstimate, ...]:
    """Best rung first, then from the chips outwards."""
    return tuple(sorted(estimates, key=lambda item: (RUNGS.index(item.rung), BOUNDARIES.index(item.boundary))))


def _hardware(sources: Sources) -> str | None:
    """The accelerator: as told, else as recorded where there was one kind of it."""
    names = {gpu.name for gpu in sources.record.gpus} if sources.record else set()
    return sources.told.hardware or (names.pop() if len(names) == 1 else None)


def _work(sources: Sources, *, told_otherwise: bool) -> tuple[Work | None, Gap | None]:
    if sources.count_work is None:
        return None, _uncounted(sources, told_otherwise=told_otherwise)
    if sources.rows_seen is None:
        remedy = "give [training] epochs, and samples or [data.train]"
        return None, Gap(rung="flops", why="the rows seen in training are not known", remedy=remedy)
    try:
        return sources.count_work(sources.rows_seen), None
    except Unavailable as reason:
        return None, Gap(rung="flops", why=reason.detail, remedy=reason.remedy)


def _uncounted(sources: Sources, *, told_otherwise: bool) -> Gap:
    """There is no network whose operations could be counted: more rows or epochs would not help."""
    what = "this model is none" if sources.kind else "no model was given, only its answers"
    why = f"operations are counted for torch networks alone, and {what}"
    if told_otherwise:
        remedy = "nothing to do: the energy is told by the record"
    elif sources.kind in ("sklearn", "torch"):
        remedy = "record the training, or replay it with --cost retrain"
    else:
        remedy = 'give [training] record = "training.json", written by audit.track'
    return Gap(rung="flops", why=why, remedy=remedy)


def _device(sources: Sources) -> Device | None:
    """What computed: the accelerator, else the processor that was told or recorded."""
    name, record = _hardware(sources), sources.record
    if name is not None:
        return device(name)
    gpus = record is not None and bool(record.gpus or record.host.unmeasured_gpus)
    return device_of(record.host) if record is not None and not gpus else None


def _no_device(sources: Sources) -> Gap:
    name = _hardware(sources)
    named = f'"{name}" is in no table of peak rates' if name else "what computed is not named"
    remedy = 'give [training] hardware exactly as its driver or its system prints it, such as "NVIDIA A100-SXM4-80GB"'
    return Gap(rung="flops", why=f"{named}: unknown", remedy=remedy)


def _by_flops(sources: Sources, work: Work) -> EnergyEstimate | Gap:
    found = _device(sources)
    if found is None:
        return _no_device(sources)
    if work.flops <= 0:
        return Gap(rung="flops", why="no operation of the network has a cost", remedy="record the training")
    if work.parameters < SMALL_PARAMETERS:
        why = (
            f"{work.parameters:,} parameters: {SMALL_NETWORK}, so the operations give a floor of "
            f"{floor(work, found).lower:.3g} kWh ({found.words}) and no estimate"
        )
        return Gap(rung="flops", why=why, remedy="record the training, or replay it with --cost retrain")
    return from_flops(work, found)


def _by_hours(told: Told) -> EnergyEstimate | Gap | None:
    if told.hours is None:
        return None
    if told.hardware is None:
        why, remedy = "hours are told and the hardware is not", "give [training] hardware"
        return Gap(rung="duration_x_rating", why=why, remedy=remedy)
    found = from_hours(told.hours, told.hardware, told.devices)
    remedy = "give its name exactly as the driver or the operating system prints it"
    unknown = f'"{told.hardware}" is in no table{near(told.hardware, [*accelerators(), *cpus()])}: unknown'
    return found or Gap(rung="duration_x_rating", why=unknown, remedy=remedy)


def _bounds(sources: Sources, work: Work | None, estimates: Sequence[EnergyEstimate]) -> tuple[Bound, ...]:
    told = sources.told
    if told.claim is None:
        return ()
    name, found_on, bounds = _hardware(sources), _device(sources), list[Bound]()
    if work is not None and work.flops > 0 and found_on is not None:
        bounds.append(floor(work, found_on))
    hours = told.hours or (sources.record.wall_s / 3600 if sources.record else None)
    if hours and name and (found := power_bounds(hours, name, told.devices, told.claim.boundary)) is not None:
        bounds.append(found)
    if told.region and (stated := emissions_bound(told.claim, intensity(told.region))) is not None:
        bounds.append(stated)
    return (*bounds, *evidence_bounds(told.claim, estimates))


def _measured(sources: Sources, flags: Sequence[Flag]) -> list[EnergyEstimate]:
    rest_w = sources.told.rest_w
    if sources.record is not None:
        return list(from_record(sources.record, rest_w=rest_w))
    return list(from_log(sources.log, flags, rest_w=rest_w)) if sources.log is not None else []


def gather(sources: Sources) -> TrainingEvidence:
    """Every rung that the sources support. What an estimate lacks becomes a gap with a remedy."""
    told, flags = sources.told, examine(sources.log) if sources.log is not None else ()
    if sources.record is not None:
        record, flags = held(sources.record)
        sources = replace(sources, record=record)
    estimates = _measured(sources, flags)
    work, gap = _work(sources, told_otherwise=bool(estimates))
    tried: list[EnergyEstimate | Gap | None] = [gap, _by_hours(told)]
    tried.append(_by_flops(sources, work) if work is not None else None)
    estimates += [item for item in tried if isinstance(item, EnergyEstimate)]
    bounds = _bounds(sources, work, estimates)
    if told.claim is not None:
        estimates.append(as_estimate(told.claim))
    if told.pue is not None:
        estimates += [at_the_facility(item, pue=told.pue) for item in estimates if item.boundary == "system"]
    return TrainingEvidence(
        told=told,
        estimates=ordered(estimates),
        gaps=tuple(item for item in tried if isinstance(item, Gap)),
        record=sources.record,
        log=sources.log,
        flags=flags,
        work=work,
        bounds=bounds,
        rows_seen=sources.rows_seen,
        kind=sources.kind,
    )
