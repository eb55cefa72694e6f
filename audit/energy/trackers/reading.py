"""Which tracker wrote a file, by its content and never by its name."""

from __future__ import annotations

from audit.energy.record import FORMAT
from audit.energy.trackers import carbontracker, codecarbon, zeus
from audit.energy.trackers.log import TrackerLog
from audit.errors import DataError


def is_ours(text: str) -> bool:
    """Whether a text is, or was meant to be, a record of audit.track."""
    return text.lstrip().startswith("{") and (FORMAT in text or "gpu_energy" not in text)


def read_log(text: str, name: str) -> TrackerLog:
    """The run that another tracker's file holds. DataError where no known tracker wrote it."""
    header = text.partition("\n")[0]
    if codecarbon.MARK in header or "energy_consumed" in header:
        return codecarbon.read(text, name)
    if carbontracker.MARK in text:
        return carbontracker.read(text, name)
    if header.startswith(zeus.MARK) or "gpu_energy" in text:
        return zeus.read(text, name)
    raise DataError(
        f"{name} is no record of a training that Assay reads: give audit.track's JSON, codecarbon's emissions.csv, "
        "the _carbontracker.log of carbontracker, or Zeus's CSV or JSON"
    )
