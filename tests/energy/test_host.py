"""What the kernel says, read from trees of our own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from audit.energy.host import fingerprint, machine_time, nvidia_devices, tree_cpu_seconds
from tests.energy.trees import proc_tree


def test_the_fingerprint_is_what_the_kernel_says(tmp_path: Path) -> None:
    proc = proc_tree(tmp_path, virtual=True, gpus=("NVIDIA L4",))
    for cpu, package in enumerate((0, 0, 1)):
        topology = tmp_path / f"sys/devices/system/cpu/cpu{cpu}/topology"
        topology.mkdir(parents=True)
        (topology / "physical_package_id").write_text(f"{package}\n")
    battery = tmp_path / "sys/class/power_supply/BAT0"
    battery.mkdir(parents=True)
    (battery / "type").write_text("Battery\n")
    host = fingerprint(proc)
    assert (host.cpu, host.sockets, host.memory_gb) == ("AMD EPYC 7763 64-Core Processor", 2, 16.0)
    assert (host.virtualised, host.battery, host.unmeasured_gpus) == (True, True, ("NVIDIA L4",))


def test_what_the_kernel_does_not_say_is_empty_and_never_guessed(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    host = fingerprint(tmp_path / "proc")
    assert (host.cpu, host.virtualised, host.memory_gb, host.unmeasured_gpus) == ("", None, 0.0, ())


def test_a_driver_that_lists_no_device_is_still_an_unknown_device(tmp_path: Path) -> None:
    proc = proc_tree(tmp_path)
    assert nvidia_devices(proc) == ()
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/nvidiactl").touch()
    assert nvidia_devices(proc) == ("unknown NVIDIA device",)


def test_busy_time_leaves_out_idle_waiting_and_steal(tmp_path: Path) -> None:
    tick = os.sysconf("SC_CLK_TCK")
    time = machine_time(proc_tree(tmp_path))
    assert time.busy_s == pytest.approx(160 / tick)
    assert time.steal_s == pytest.approx(40 / tick)


def test_a_machine_without_stat_has_zero_and_no_error(tmp_path: Path) -> None:
    assert machine_time(tmp_path).busy_s == 0.0


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="the children of a process are read from /proc")
def test_a_child_that_still_runs_is_counted_before_it_is_waited_for() -> None:
    spend = "import time\nwhile time.process_time() < 0.3: pass\nprint('spent', flush=True)\ninput()"
    before = tree_cpu_seconds()
    command = [sys.executable, "-c", spend]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "spent\n"
        running = tree_cpu_seconds() - before
        child.communicate("\n")
    waited = tree_cpu_seconds() - before
    assert running >= 0.25
    assert waited >= running - 0.05  # neither lost nor counted twice when it ends
    assert waited < 2 * running
