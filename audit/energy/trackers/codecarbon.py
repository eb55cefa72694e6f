"""codecarbon's emissions.csv, versions 2 and 3: one row a run, cumulative where a run was written more than once."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from itertools import pairwise

from audit.energy.trackers.log import TrackerLog, amount, elapsed, number, optional_amount
from audit.errors import DataError

MARK = "codecarbon_version"
NEEDED = ("duration", "energy_consumed", "cpu_energy", "gpu_energy", "ram_energy", "emissions", MARK)
VERSIONS = ("2", "3")
TOTALS = ("duration", "energy_consumed", "cpu_energy", "gpu_energy", "ram_energy", "emissions")
DEFAULT_INTERVAL_S = 15.0  # measure_power_secs, which the file does not hold
Row = dict[str, str]


def _rows(text: str, name: str) -> list[Row]:
    reader = csv.DictReader(io.StringIO(text))
    missing = [key for key in NEEDED if key not in (reader.fieldnames or ())]
    if missing:
        raise DataError(
            f"{name} lacks {', '.join(missing)}, so it is not codecarbon's file of version 2 or 3: "
            "give emissions.csv as codecarbon wrote it"
        )
    rows = []
    for line, row in enumerate(reader, start=2):
        if None in row or any(value is None for value in row.values()):
            raise DataError(f"{name} line {line} does not have the {len(row)} columns of its header: it is truncated")
        rows.append(row)
    if not rows:
        raise DataError(f"{name} holds no run, only its header: training had not finished when it was written")
    return rows


def _version(row: Row, name: str) -> str:
    version = row[MARK].strip()
    if version.split(".")[0] not in VERSIONS:
        raise DataError(
            f'{name} was written by codecarbon "{version}", this Assay reads versions {" and ".join(VERSIONS)}: '
            "give the file of such a version, or declare the energy with declared_kwh"
        )
    return version


def _last_run(rows: Sequence[Row], name: str) -> tuple[Row, tuple[str, ...]]:
    """The last run, and what to say where there are others. Its rows must never fall."""
    last = rows[-1]
    same = [row for row in rows if row.get("run_id") == last.get("run_id")] if last.get("run_id") else [last]
    for earlier, later in pairwise(same):
        for key in TOTALS:
            if number(later[key], key, name) < number(earlier[key], key, name):
                raise DataError(
                    f"{name}: {key} falls from {earlier[key]} to {later[key]} within one run, a total cannot"
                )
    others = len({row.get("run_id") for row in rows}) - 1
    return last, (
        (f"{name} holds {others} other runs, which are not counted: the last one was taken",) if others else ()
    )


def _optional(row: Row, key: str, name: str) -> float | None:
    return number(row[key], key, name) if row.get(key) not in (None, "", "None") else None


def _count(row: Row, key: str, name: str) -> int:
    return int(optional_amount(row, key, name) or 0)


def read(text: str, name: str) -> TrackerLog:
    """The last run of an emissions.csv. DataError for another version, a truncated row, totals that fall."""
    rows = _rows(text, name)
    row, notes = _last_run(rows, name)
    version = _version(row, name)
    pue = optional_amount(row, "pue", name) or 1.0
    load = optional_amount(row, "cpu_utilization_percent", name)
    energies = {key: amount(row[f"{key}_energy"], f"{key}_energy", name) / pue for key in ("cpu", "gpu", "ram")}
    if pue > 1:
        notes = (*notes, f"the file's energies hold PUE {pue:g}, which was taken out")
    return TrackerLog(
        tool="codecarbon",
        version=version,
        seconds=elapsed(row["duration"], "duration", name),
        kwh=amount(row["energy_consumed"], "energy_consumed", name) / pue,
        cpu_kwh=energies["cpu"],
        gpu_kwh=energies["gpu"],
        ram_kwh=energies["ram"],
        cpu_w=optional_amount(row, "cpu_power", name),
        gpu_w=optional_amount(row, "gpu_power", name),
        ram_w=optional_amount(row, "ram_power", name),
        cpu=(row.get("cpu_model") or "").strip(),
        threads=_count(row, "cpu_count", name) or None,
        cpu_load=load / 100 if load else None,
        gpu=(row.get("gpu_model") or "").strip(),
        gpus=_count(row, "gpu_count", name),
        kgco2e=amount(row["emissions"], "emissions", name),
        country=(row.get("country_iso_code") or row.get("country_name") or "").strip(),
        region=(row.get("region") or "").strip(),
        latitude=_optional(row, "latitude", name),
        longitude=_optional(row, "longitude", name),
        process_only=(row.get("tracking_mode") or "").strip() == "process",
        cloud=(row.get("on_cloud") or "").strip() == "Y",
        interval_s=DEFAULT_INTERVAL_S,
        notes=notes,
    )
