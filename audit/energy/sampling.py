"""What is seen of one GPU while a program runs: its energy counter, its sampled power, how busy it was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(slots=True, kw_only=True)
class Device:
    """One device and what was seen of it. Energies are joules since the first reading."""

    index: int
    name: str
    handle: Any
    source: str = "nvml"  # who told: "nvml", "amdgpu", "i915", "xe"
    share: float = 1.0  # of the board that the program was given; below 1 for a partition of it
    limit_w: float = 0.0  # enforced power limit, 0 if unknown
    first_s: float | None = None
    last_s: float = 0.0
    counter_first_j: float | None = None
    counter_last_j: float = 0.0
    power_integral_j: float = 0.0
    last_w: float = 0.0
    busy_s: float = 0.0  # utilisation integrated over time
    samples: int = 0
    power_samples: int = 0
    utilisation_samples: int = 0
    trouble: str = ""  # why the counter must not be used

    def add(self, now_s: float, *, joules: float | None, watts: float | None, busy: float | None) -> None:
        """One reading: what the counter shows, the power, the share of time in use (0 to 1); None: it does not tell."""
        step_s = now_s - self.last_s if self.first_s is not None else 0.0
        self._count(joules)
        if busy is not None:
            self.busy_s += step_s * busy
            self.utilisation_samples += 1
        if watts is not None:
            self.power_integral_j += step_s * (watts + self.last_w) / 2
            self.last_w = watts
            self.power_samples += 1
        self.first_s = now_s if self.first_s is None else self.first_s
        self.last_s = now_s
        self.samples += 1

    def _count(self, joules: float | None) -> None:
        if joules is None:
            if self.counter_first_j is not None:
                self.trouble = f"energy counter of GPU {self.index} stopped answering"
            return
        if self.counter_first_j is None and self.samples == 0:
            self.counter_first_j = self.counter_last_j = joules
        if joules < self.counter_last_j:
            self.trouble = f"energy counter of GPU {self.index} went back, as after a reset of the driver"
        self.counter_last_j = joules

    @property
    def covered_s(self) -> float:
        return 0.0 if self.first_s is None else self.last_s - self.first_s

    @property
    def counter_j(self) -> float | None:
        usable = self.counter_first_j is not None and not self.trouble
        return self.counter_last_j - (self.counter_first_j or 0.0) if usable else None

    @property
    def polled_j(self) -> float | None:
        """Trapezoid over the sampled power; None where a sample is missing."""
        return self.power_integral_j if self.power_samples == self.samples else None

    @property
    def utilisation(self) -> float | None:
        """Share of the time in which a kernel ran, 0 to 1; None where a sample is missing."""
        known = self.utilisation_samples == self.samples and self.covered_s > 0
        return self.busy_s / self.covered_s if known else None
