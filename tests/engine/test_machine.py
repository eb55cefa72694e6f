"""Two runs are of one machine when a time means the same in both."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from audit.machine import apart, apart_from, describe
from audit.record import Machine

LINUX, NEWER, MAC = "Linux-6.8.0-x86_64-with-glibc2.36", "Linux-6.9.1-x86_64-with-glibc2.36", "macOS-15.1-arm64"


def ran_on(system: str, cpu: str) -> Machine:
    return Machine(created="", seconds=1.0, timings={}, tool="", python="", platform=system, packages={}, cpu=cpu)


def test_another_processor_or_system_is_another_machine_and_a_newer_kernel_is_not() -> None:
    assert apart(LINUX, "A", ran_on(LINUX, "A")) == apart(NEWER, "A", ran_on(LINUX, "A")) == ""
    assert apart(LINUX, "A", ran_on(LINUX, "B")) == f"B, {LINUX}; this run on A, {LINUX}"
    assert apart(MAC, "A", ran_on(LINUX, "A"))


def test_where_a_processor_is_not_known_the_whole_system_decides() -> None:
    assert apart(LINUX, "A", ran_on(LINUX, "")) == ""
    assert apart(NEWER, "A", ran_on(LINUX, ""))


def test_a_run_of_this_machine_is_not_apart_from_it(tmp_path: Path) -> None:
    here = describe(datetime.now(UTC), 1.0, {}, "", tmp_path)
    assert apart_from(here) == ""
    assert apart_from(replace(here, platform="Plan9-4", cpu="Z80"))
