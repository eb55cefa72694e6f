"""``track``: record what a training run used, from the standard library alone.

    with track("training.json", samples=len(X)) as tracker:
        model.fit(X, y)
        save(model, "model.skops")
        tracker.describe(model="model.skops")

CPU seconds come from ``getrusage`` and ``/proc`` and need no sampling. A thread wakes after 1, 2, 4 ... seconds, then
once in ``Sources.checkpoint_s``, to add a line to the record on disk and to see a counter before it wraps; it wakes
once a second only where a GPU must be sampled.
The tracked program is never stopped by its tracker: after the start, what goes wrong becomes a note or a warning.
"""

from __future__ import annotations

import os
import sys
import threading
import time
import warnings
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from audit.digests import model_digest
from audit.energy.drm import Drm, open_drm
from audit.energy.host import (
    PROC,
    MachineTime,
    fingerprint,
    is_wsl,
    machine_time,
    nvidia_devices,
    own_threads,
    tree_cpu_seconds,
)
from audit.energy.journal import READING, Journal
from audit.energy.nvml import Loader, Nvml, load_pynvml, open_nvml
from audit.energy.rapl import POWERCAP, Rapl, open_rapl
from audit.energy.record import Counter, Gpu, Reading, TrainingRecord, stated_sha256, to_text, write_atomically
from audit.energy.sampling import Device
from audit.errors import StoreError, UsageError

FIRST_CHECKPOINT_S = 1.0  # doubled each time up to Sources.checkpoint_s: a kill costs at most half of a short run
WSL_NOTE = "WSL shows no energy counter of the processor: it is taken from its load; track on Linux itself for more"
MOST_READINGS = 256  # then every second one is dropped: a week of training stays a small file


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where the tracker looks and how often; tests point it at trees of their own."""

    proc: Path = PROC
    powercap: Path = POWERCAP
    nvml: Loader = load_pynvml
    checkpoint_s: float = 30.0
    sample_s: float = 1.0


@dataclass(slots=True)
class _Facts:
    """What the user tells about the run."""

    samples: int | None = None
    steps: int | None = None
    model: Path | None = None
    meter_kwh: float | None = None
    meter_error: float = 0.03


def _suspended_clock() -> float:
    """Seconds that the machine has slept since it started; 0 where the system does not tell."""
    if sys.platform != "linux":
        return 0.0
    return time.clock_gettime(time.CLOCK_BOOTTIME) - time.monotonic()


def _utc(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")


def _tool() -> str:
    from importlib.metadata import PackageNotFoundError, version  # 25 ms: after the run, never at its start

    try:
        return f"assay {version('assay')}"
    except PackageNotFoundError:
        return "assay"


def _gpu(device: Device) -> Gpu:
    return Gpu(
        name=device.name,
        covered_s=device.covered_s,
        samples=device.samples,
        counter_j=device.counter_j,
        polled_j=device.polled_j,
        utilisation=device.utilisation,
        limit_w=device.limit_w,
        source=device.source,
        share=device.share,
    )


def _status(error: BaseException | None) -> str:
    """The type of what ended the run; not its message, which may quote a row of the data."""
    if error is None or (isinstance(error, SystemExit) and error.code in (None, 0)):
        return "finished"
    return f"failed: {type(error).__name__}"


class Tracker:
    """Records one run while its ``with`` block is open. Made by :func:`track`."""

    def __init__(self, path: Path, facts: _Facts, sources: Sources) -> None:
        self.path = path
        self._facts, self._sources = facts, sources
        self._status = "running"
        self._readings: list[Reading] = []
        self._notes: list[str] = []
        self._pid = 0
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._rapl, self._nvml, self._drm = Rapl("absent"), Nvml("absent"), Drm()
        self._journal: Journal | None = None
        self._written: tuple[object, ...] = ()  # what a line of the journal cannot change

    def __enter__(self) -> Self:
        if self._pid:
            raise UsageError(f"the tracker of {self.path} has run already: make a new one with track(...)")
        self._pid = os.getpid()
        self._began, self._began_clock, self._began_suspended = time.monotonic(), time.time(), _suspended_clock()
        self._began_cpu, self._began_machine = tree_cpu_seconds(self._sources.proc), machine_time(self._sources.proc)
        self._rapl = open_rapl(self._sources.powercap)
        self._host = fingerprint(self._sources.proc)
        self._notes += [WSL_NOTE] if is_wsl(self._sources.proc) else []
        self._take_reading()
        self._write_first()
        self._thread = threading.Thread(target=self._watch, name="audit-energy", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if os.getpid() != self._pid:
            return  # a forked child that leaves the block must not write its parent's record
        self.finish(_status(error))

    def finish(self, status: str) -> None:
        """End the recording with this status and write the record; the end of the block does it otherwise."""
        if self._status != "running":
            return
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        self._sample()
        self._take_reading()
        self._nvml.close()
        self._status = status
        self._write(durable=True)

    def describe(
        self,
        *,
        samples: int | None = None,
        steps: int | None = None,
        model: str | os.PathLike[str] | None = None,
        meter_kwh: float | None = None,
        meter_error: float | None = None,
    ) -> None:
        """Add what only the program knows, inside the block or after it.

        After the block the record is written again at once, inside it with the next reading.

        ``samples`` rows seen over all epochs, ``steps`` updates, ``model`` the saved file or folder (its hash ties
        the record to the model), ``meter_kwh`` what a wall meter showed, ``meter_error`` that meter's class as a share.
        """
        told = _told(samples, steps, model, meter_kwh, meter_error)
        for name, value in told.items():
            setattr(self._facts, name, value)
        if self._status != "running":
            self._write(durable=True)

    def _elapsed(self) -> float:
        return time.monotonic() - self._began

    def _take_reading(self) -> None:
        now = self._elapsed()
        self._rapl.read(now)
        last = self._readings[-1] if self._readings else Reading(wall_s=0.0, clock_s=0.0, suspended_s=0.0, cpu_s=0.0)
        asleep = round(_suspended_clock() - self._began_suspended, 3)  # two clocks, read a microsecond apart
        counters = [device.counter_j for device in self._devices]
        reading = Reading(
            wall_s=now,
            clock_s=time.time() - self._began_clock,
            suspended_s=max(last.suspended_s, asleep),
            # a child that is never waited for takes its seconds with it, a counter may drop out: totals never fall
            cpu_s=max(last.cpu_s, tree_cpu_seconds(self._sources.proc) - self._began_cpu),
            rapl_j=max(last.rapl_j, self._rapl.joules),
            gpu_j=max(last.gpu_j, sum(joules or 0.0 for joules in counters)),
        )
        if len(self._readings) >= MOST_READINGS:
            self._readings = self._readings[::2]
        self._readings.append(reading)

    def _watch(self) -> None:
        """The thread: find the GPUs (too slow for the caller's start), then sample and keep the record."""
        self._drm = open_drm(self._sources.proc.parent / "sys/class/drm", now_s=self._elapsed())
        if nvidia_devices(self._sources.proc):
            self._nvml = open_nvml(now_s=self._elapsed(), load=self._sources.nvml)
        most_s = min(self._sources.checkpoint_s, self._rapl.longest_gap_s / 2)
        gap_s = min(FIRST_CHECKPOINT_S, most_s)
        due = self._elapsed() + gap_s
        while not self._stop.wait(self._pause(due)):
            now = self._elapsed()
            self._sample()
            if now >= due:
                self._take_reading()
                self._keep()
                gap_s = min(2 * gap_s, most_s)
                due = now + gap_s

    def _pause(self, due: float) -> float:
        left = max(0.0, due - self._elapsed())
        return min(self._sources.sample_s, left) if self._devices else left

    @property
    def _devices(self) -> list[Device]:
        return [*self._nvml.devices, *self._drm.devices]

    def _sample(self) -> None:
        now = self._elapsed()
        self._nvml.read(now)
        self._drm.read(now)

    def _model_sha256(self) -> tuple[str, tuple[str, ...]]:
        model = self._facts.model
        if model is None or self._status == "running":
            return "", ()
        try:
            return model_digest(model), ()
        except OSError as error:
            return "", (f"the model file {model.name} could not be read: {type(error).__name__}",)

    def record(self) -> TrainingRecord:
        """What is known up to the last reading."""
        last, machine, proc = self._readings[-1], self._machine_time(), self._sources.proc
        digest, notes = self._model_sha256()
        listed = () if self._nvml.status in ("read", "absent") else self._host.unmeasured_gpus
        there = self._nvml.status if self._nvml.status != "absent" or not self._drm.devices else "read"
        return TrainingRecord(
            status=self._status,
            started=_utc(self._began_clock),
            wall_s=last.wall_s,
            suspended_s=last.suspended_s,
            cpu_s=last.cpu_s,
            machine_busy_s=machine.busy_s,
            steal_s=machine.steal_s,
            threads=own_threads(proc),
            host=replace(self._host, unmeasured_gpus=(*listed, *self._drm.unmeasured)),
            counters=tuple(Counter(name=zone.key, joules=zone.joules) for zone in self._rapl.counted()),
            counters_status=self._rapl.troubles[0] if self._rapl.troubles else self._rapl.status,
            gpus=tuple(_gpu(device) for device in self._devices),
            gpus_status=there,
            samples=self._facts.samples,
            steps=self._facts.steps,
            model_sha256=digest,
            meter_kwh=self._facts.meter_kwh,
            meter_error=self._facts.meter_error,
            readings=tuple(self._readings),
            notes=(*self._notes, *self._nvml.notes, *self._drm.notes, *notes),
            tool="assay" if self._status == "running" else _tool(),
        )

    def _fixed(self) -> tuple[object, ...]:
        found = (self._nvml.status, self._nvml.notes, self._drm.notes, self._drm.unmeasured, self._rapl.troubles)
        return (replace(self._facts), len(self._devices), *map(tuple, found))

    def _changed(self) -> dict[str, object]:
        """What a reading changes of the record on disk; the reading itself is added to the others."""
        last, machine = self._readings[-1], self._machine_time()
        return {
            READING: asdict(last),
            "wall_s": last.wall_s,
            "suspended_s": last.suspended_s,
            "cpu_s": last.cpu_s,
            "machine_busy_s": machine.busy_s,
            "steal_s": machine.steal_s,
            "threads": own_threads(self._sources.proc),
            "counters": [{"name": zone.key, "joules": zone.joules} for zone in self._rapl.counted()],
            "gpus": [asdict(_gpu(device)) for device in self._devices],
        }

    def _machine_time(self) -> MachineTime:
        now = machine_time(self._sources.proc)
        return MachineTime(
            busy_s=max(0.0, now.busy_s - self._began_machine.busy_s),
            steal_s=max(0.0, now.steal_s - self._began_machine.steal_s),
        )

    def _write_first(self) -> None:
        """Fail before the training, not after it, where the record cannot be written."""
        try:
            self._begin_journal()
        except OSError as error:
            raise StoreError(f"cannot write the training record {self.path}: {error.strerror or error}") from None

    def _begin_journal(self) -> None:
        """The whole record as it is now; later readings are lines after it."""
        self._end_journal()
        self._written = self._fixed()  # first: what changes in between is written once more, not lost
        text = to_text(self.record())
        write_atomically(self.path, text, durable=False)
        self._journal = Journal(self.path, stated_sha256(text))

    def _end_journal(self) -> None:
        if self._journal is not None:
            self._journal.close()
            self._journal = None

    def _keep(self) -> None:
        """Put the last reading on the disk."""
        try:
            if self._journal is None or self._journal.full or self._written != self._fixed():
                self._begin_journal()
            else:
                self._journal.add(self._changed())
        except OSError as error:
            self._end_journal()  # a line may have been cut off: the next reading writes the whole anew
            self._warn(error)

    def _write(self, *, durable: bool) -> None:
        try:
            self._end_journal()
            write_atomically(self.path, to_text(self.record()), durable=durable)
        except OSError as error:
            self._warn(error)

    def _warn(self, error: OSError) -> None:
        warnings.warn(f"the training record {self.path} could not be written: {error.strerror or error}", stacklevel=4)


def _told(
    samples: int | None,
    steps: int | None,
    model: str | os.PathLike[str] | None,
    meter_kwh: float | None,
    meter_error: float | None,
) -> dict[str, object]:
    numbers = {"samples": samples, "steps": steps, "meter_kwh": meter_kwh, "meter_error": meter_error}
    for name, number in numbers.items():
        if number is not None and not number > 0:
            raise UsageError(f"{name} must be a number above 0, got {number}")
    told: dict[str, object] = {name: number for name, number in numbers.items() if number is not None}
    return told if model is None else {**told, "model": Path(model)}


def track(
    path: str | os.PathLike[str],
    *,
    samples: int | None = None,
    steps: int | None = None,
    model: str | os.PathLike[str] | None = None,
    sources: Sources = Sources(),  # frozen: one shared default is safe
) -> Tracker:
    """A context manager that writes the training record ``path`` (JSON) while its block runs.

    ``samples`` rows seen over all epochs, ``steps`` updates, ``model`` the file or folder that the block saves. It
    starts in under 5 ms, needs no root and no network. Raises UsageError for a number that is not above 0 and
    StoreError where the record cannot be written; once the block has begun it raises nothing of its own.
    """
    facts = _Facts()
    for name, value in _told(samples, steps, model, None, None).items():
        setattr(facts, name, value)
    return Tracker(Path(path), facts, sources)
