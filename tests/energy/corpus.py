"""A seeded corpus of codecarbon files: honest ones, and ones with a planted defect."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from audit.energy.hardware import cpu
from audit.energy.intensity import intensity

V2 = """
    timestamp project_name run_id duration emissions emissions_rate cpu_power gpu_power ram_power cpu_energy
    gpu_energy ram_energy energy_consumed country_name country_iso_code region cloud_provider cloud_region os
    python_version codecarbon_version cpu_count cpu_model gpu_count gpu_model longitude latitude
    ram_total_size tracking_mode on_cloud pue
""".split()  # noqa: SIM905  # a header reads better unquoted
V3 = """
    timestamp project_name run_id experiment_id duration emissions emissions_rate cpu_power gpu_power
    ram_power cpu_energy gpu_energy ram_energy energy_consumed water_consumed country_name country_iso_code
    region cloud_provider cloud_region os python_version codecarbon_version cpu_count cpu_model gpu_count
    gpu_model longitude latitude ram_total_size tracking_mode cpu_utilization_percent gpu_utilization_percent
    ram_utilization_percent ram_used_gb on_cloud pue wue
""".split()  # noqa: SIM905  # a header reads better unquoted
CPUS = (
    "AMD EPYC 7763 64-Core Processor",
    "Intel(R) Xeon(R) Gold 6248 CPU @ 2.50GHz",
    "Intel(R) Xeon(R) Platinum 8480+",
    "13th Gen Intel(R) Core(TM) i9-13900K",
    "AMD Ryzen 9 5950X 16-Core Processor",
    "a processor that no table knows",
)
GPUS = {"NVIDIA A100-SXM4-80GB": 400.0, "Tesla T4": 70.0, "NVIDIA GeForce RTX 4090": 450.0, "": 300.0}
COUNTRIES = ("DEU", "FRA", "USA", "POL", "SWE", "IND", "JPN")
Row = dict[str, object]
Generator = np.random.Generator


@dataclass(frozen=True)
class Defect:
    """How a defect is planted, and the flags of which one must show."""

    plant: Callable[[Row, Generator], None]
    shows: frozenset[str]


def honest(rng: Generator) -> Row:
    """A run with counters: power varies, so the last reading is not the mean, and nothing is round."""
    model = str(rng.choice(CPUS))
    part = cpu(model)
    threads = part.threads if part else int(rng.choice([8, 16, 32]))
    rated = part.tdp_w if part else 6.0 * threads
    seconds, load = float(rng.lognormal(8, 1.2)) + 60, float(rng.uniform(0.15, 0.95))
    cpu_w = rated * float(rng.uniform(0.35, 1.0))
    gpus = int(rng.choice([0, 1, 4]))
    gpu = str(rng.choice(list(GPUS)))
    gpu_w = gpus * GPUS[gpu] * float(rng.uniform(0.2, 0.9))
    memory = float(rng.choice([32, 64, 128, 256]))
    third = bool(rng.random() < 0.5)
    ram_w = 5.0 * max(2, memory // 32) if third else memory * 3 / 8
    ram_w = min(ram_w, 0.3 * (cpu_w + gpu_w))
    country = str(rng.choice(COUNTRIES))
    grams = intensity(country).g_per_kwh * float(rng.uniform(0.75, 1.35))
    energies = {"cpu": cpu_w * seconds / 3.6e6, "gpu": gpu_w * seconds / 3.6e6, "ram": ram_w * seconds / 3.6e6}
    total = sum(energies.values())
    row: Row = dict.fromkeys(V3 if third else V2, "")
    row |= {
        "timestamp": "2026-10-01T12:00:00",
        "project_name": "training",
        "run_id": f"run-{rng.integers(1 << 30)}",
        "duration": seconds,
        "emissions": total * grams / 1000,
        "emissions_rate": total * grams / 1000 / seconds,
        "cpu_power": cpu_w * float(rng.uniform(0.6, 1.25)),
        "gpu_power": gpu_w * float(rng.uniform(0.5, 1.2)),
        "ram_power": ram_w,
        **{f"{name}_energy": value for name, value in energies.items()},
        "energy_consumed": total,
        "country_name": intensity(country).name,
        "country_iso_code": country,
        "codecarbon_version": "3.2.1" if third else "2.8.4",
        "cpu_count": threads,
        "cpu_model": model,
        "gpu_count": gpus or "",
        "gpu_model": f"{gpus} x {gpu}" if gpus and gpu else "",
        "longitude": 8.7,
        "latitude": 50.1,
        "ram_total_size": memory,
        "tracking_mode": "machine",
        "on_cloud": "N",
        "pue": 1.0,
    }
    return row | ({"cpu_utilization_percent": 100 * load, "water_consumed": 0.0} if third else {})


def _retotalled(row: Row) -> None:
    """Total and emissions follow from the parts, as the tool would have written them."""
    before = float(str(row["energy_consumed"]))
    total = sum(float(str(row[f"{name}_energy"])) for name in ("cpu", "gpu", "ram"))
    row["emissions"] = float(str(row["emissions"])) * total / before
    row["energy_consumed"] = total


def _set_cpu(row: Row, watts: float, last: float) -> None:
    row["cpu_energy"] = watts * float(str(row["duration"])) / 3.6e6
    row["cpu_power"] = last
    _retotalled(row)


def quebec(row: Row, rng: Generator) -> None:
    row |= {
        "country_name": "Canada",
        "country_iso_code": "CAN",
        "region": "Quebec",
        "latitude": 46.8,
        "longitude": -71.2,
    }
    row["emissions"] = float(str(row["energy_consumed"])) * 3.94e-3


def rating_for_a_counter(row: Row, rng: Generator) -> None:
    part = cpu(str(row["cpu_model"]))
    watts = (part.tdp_w if part else 85.0) * float(rng.choice([0.5, 1.0]))
    _set_cpu(row, watts * float(rng.uniform(0.995, 1.0)), watts)


def load_curve(row: Row, rng: Generator) -> None:
    row["cpu_model"], row["cpu_count"] = CPUS[0], 128
    load = float(rng.uniform(0.2, 0.95))
    row |= {"codecarbon_version": "3.3.2", "cpu_utilization_percent": 100 * load}
    watts = 280 * (0.1 + 0.9 * load**3) if rng.random() < 0.5 else 280 * load
    _set_cpu(row, watts * float(rng.uniform(0.7, 1.1)), watts)


def mirrored_dies(row: Row, rng: Generator) -> None:
    row["cpu_model"], row["cpu_count"] = str(rng.choice(CPUS[:3])), ""
    part = cpu(str(row["cpu_model"]))
    row["cpu_count"] = part.threads if part else ""
    watts = 2 * (part.tdp_w if part else 0.0) * float(rng.uniform(0.7, 0.98))
    _set_cpu(row, watts, watts * float(rng.uniform(0.9, 1.1)))


def memory_dominates(row: Row, rng: Generator) -> None:
    others = float(str(row["cpu_energy"])) + float(str(row["gpu_energy"]))
    row["ram_energy"] = others * float(rng.uniform(0.75, 4.0))
    row["ram_power"] = float(str(row["ram_energy"])) * 3.6e6 / float(str(row["duration"]))
    _retotalled(row)


def thousandfold_total(row: Row, rng: Generator) -> None:
    row["energy_consumed"] = float(str(row["energy_consumed"])) * float(rng.choice([1000.0, 0.001, 3.6e6]))


def thousandfold_parts(row: Row, rng: Generator) -> None:
    factor = float(rng.choice([1000.0, 0.001]))
    for name in ("cpu", "gpu", "ram"):
        row[f"{name}_energy"] = float(str(row[f"{name}_energy"])) * factor
    _retotalled(row)


def gpu_without_energy(row: Row, rng: Generator) -> None:
    row |= {"gpu_count": int(rng.choice([1, 2, 8])), "gpu_model": "2 x Tesla T4", "gpu_energy": 0.0, "gpu_power": 0.0}
    _retotalled(row)


def wrapped(row: Row, rng: Generator) -> None:
    row["duration"] = float(str(row["duration"])) + 7200
    last = float(str(row["cpu_power"]))
    _set_cpu(row, last * float(rng.uniform(0.005, 0.15)), last)


def short(row: Row, rng: Generator) -> None:
    factor = float(rng.uniform(3, 28)) / float(str(row["duration"]))
    for name in ("duration", "cpu_energy", "gpu_energy", "ram_energy", "energy_consumed", "emissions"):
        row[name] = float(str(row[name])) * factor


def grams_for_kilograms(row: Row, rng: Generator) -> None:
    row["emissions"] = float(str(row["emissions"])) * float(rng.choice([1000.0, 0.001]))


def another_country(row: Row, rng: Generator) -> None:
    row |= {"country_iso_code": "POL", "country_name": "Poland"}
    row["emissions"] = float(str(row["energy_consumed"])) * 0.040


def no_country(row: Row, rng: Generator) -> None:
    row |= {"country_iso_code": "", "country_name": "None"}


DEFECTS = {
    "quebec": Defect(quebec, frozenset({"default_country"})),
    "rating": Defect(rating_for_a_counter, frozenset({"constant_tdp", "fallback_curve"})),
    "load curve": Defect(load_curve, frozenset({"fallback_curve"})),
    "mirrored dies": Defect(mirrored_dies, frozenset({"double_counting"})),
    "memory": Defect(memory_dominates, frozenset({"ram_dominated"})),
    "total x1000": Defect(thousandfold_total, frozenset({"unit"})),
    "parts x1000": Defect(thousandfold_parts, frozenset({"unit"})),
    "idle GPU": Defect(gpu_without_energy, frozenset({"gpu_idle"})),
    "wrapped counter": Defect(wrapped, frozenset({"counter_wrap"})),
    "short run": Defect(short, frozenset({"short_run"})),
    "grams": Defect(grams_for_kilograms, frozenset({"emissions_mismatch"})),
    "another country": Defect(another_country, frozenset({"emissions_mismatch"})),
    "no country": Defect(no_country, frozenset({"no_country"})),
}


def as_csv(*rows: Row) -> str:
    """The file as codecarbon writes it."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
