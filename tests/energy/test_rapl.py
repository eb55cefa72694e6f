"""CPU energy counters: every trap of a powercap tree."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.energy.rapl import Rapl, Zone, open_rapl
from tests.energy.trees import set_joules, zone

RANGE_J = 262_143.0


def test_package_and_memory_are_added_and_core_uncore_and_psys_are_not(tmp_path: Path) -> None:
    parts = {
        "intel-rapl:0": "package-0",
        "intel-rapl:0:0": "core",
        "intel-rapl:0:1": "uncore",
        "intel-rapl:0:2": "dram",
        "intel-rapl:1": "psys",
    }
    paths = [zone(tmp_path, folder, name, 100.0) for folder, name in parts.items()]
    rapl = open_rapl(tmp_path)
    for path, joules in zip(paths, (40.0, 30.0, 5.0, 7.0, 60.0), strict=True):
        set_joules(path, 100.0 + joules)
    rapl.read(10.0)
    assert rapl.status == "read"
    assert rapl.joules == pytest.approx(47.0)


def test_two_sockets_are_both_counted(tmp_path: Path) -> None:
    paths = [zone(tmp_path, f"intel-rapl:{i}", f"package-{i}", 1000.0) for i in range(2)]
    rapl = open_rapl(tmp_path)
    for path in paths:
        set_joules(path, 1100.0)
    rapl.read(10.0)
    assert rapl.joules == pytest.approx(200.0)


def test_a_counter_that_wraps_between_readings_is_carried_over(tmp_path: Path) -> None:
    path = zone(tmp_path, "intel-rapl:0", "package-0", RANGE_J - 10.0)
    rapl = open_rapl(tmp_path)
    set_joules(path, 25.0)
    rapl.read(1.0)
    assert rapl.joules == pytest.approx(35.0)
    assert rapl.troubles == ()


@given(st.lists(st.floats(0.001, 900.0), min_size=1, max_size=40), st.floats(0.0, RANGE_J))
def test_any_sequence_of_steps_and_wraps_sums_to_what_was_drawn(steps: list[float], start: float) -> None:
    counter = Zone(key="package-0", path=Path("unused"), mmio=False, range_j=RANGE_J, first_j=start, last_j=start)
    drawn = 0.0
    for second, step in enumerate(steps, start=1):
        drawn += step
        counter.add((start + drawn) % RANGE_J, float(second))
    assert counter.joules == pytest.approx(drawn, abs=1e-4)
    assert counter.trouble == ""


def test_a_gap_in_which_a_whole_turn_could_hide_makes_the_counter_unusable(tmp_path: Path) -> None:
    path = zone(tmp_path, "intel-rapl:0", "package-0", 10.0, range_j=65_532.0)
    rapl = open_rapl(tmp_path)
    assert rapl.longest_gap_s == pytest.approx(65.532)
    set_joules(path, 20.0)
    rapl.read(66.0)
    assert "may have wrapped unseen" in rapl.troubles[0]


def test_a_counter_that_goes_back_without_a_range_is_unusable(tmp_path: Path) -> None:
    path = zone(tmp_path, "intel-rapl:0", "package-0", 500.0, range_j=None)
    rapl = open_rapl(tmp_path)
    set_joules(path, 10.0)
    rapl.read(1.0)
    assert "went back from 500 to 10 J" in rapl.troubles[0]


def test_the_mmio_copy_of_a_package_is_not_counted_twice(tmp_path: Path) -> None:
    folders = ("intel-rapl-mmio:0", "intel-rapl:0")
    paths = [zone(tmp_path, folder, "package-0", 7.0 if "mmio" in folder else 9000.0) for folder in folders]
    rapl = open_rapl(tmp_path)
    set_joules(paths[0], 7.0 + 99.0)
    set_joules(paths[1], 9000.0 + 100.0)
    rapl.read(1.0)
    assert rapl.joules == pytest.approx(100.0)


def test_the_mmio_zone_counts_where_there_is_no_other(tmp_path: Path) -> None:
    path = zone(tmp_path, "intel-rapl-mmio:0", "package-0", 7.0)
    rapl = open_rapl(tmp_path)
    set_joules(path, 8.0)
    rapl.read(1.0)
    assert rapl.joules == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("offset", "expected"), [(0.4, 100.0), (3000.0, 200.0)], ids=["mirrored", "counters of their own"]
)
def test_dies_that_mirror_their_package_count_once_and_real_die_counters_count_each(
    tmp_path: Path, offset: float, expected: float
) -> None:
    starts = (50_000.0, 50_000.0 + offset)
    paths = [zone(tmp_path, f"intel-rapl:{i}", f"package-0-die-{i}", start) for i, start in enumerate(starts)]
    rapl = open_rapl(tmp_path)
    for path, start in zip(paths, starts, strict=True):
        set_joules(path, start + 100.0)
    rapl.read(1.0)
    assert rapl.joules == pytest.approx(expected)


def test_memory_of_a_die_is_no_mirror_of_the_die(tmp_path: Path) -> None:
    die = zone(tmp_path, "intel-rapl:0", "package-0-die-0", 10.0)
    dram = zone(tmp_path, "intel-rapl:0:0", "dram", 10.0)
    rapl = open_rapl(tmp_path)
    set_joules(die, 14.0)
    set_joules(dram, 13.0)
    rapl.read(1.0)
    assert rapl.joules == pytest.approx(7.0)


def test_two_packages_with_equal_counters_are_two_packages(tmp_path: Path) -> None:
    paths = [zone(tmp_path, f"intel-rapl:{i}", f"package-{i}-die-0", 10.0) for i in range(2)]
    rapl = open_rapl(tmp_path)
    for path in paths:
        set_joules(path, 20.0)
    rapl.read(1.0)
    assert rapl.joules == pytest.approx(20.0)


def test_a_machine_without_counters_is_absent_and_one_with_psys_alone_too(tmp_path: Path) -> None:
    assert open_rapl(tmp_path / "nothing").status == "absent"
    zone(tmp_path, "intel-rapl:0", "psys", 10.0)
    assert open_rapl(tmp_path).status == "absent"


def test_counters_that_only_root_may_read_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    zone(tmp_path, "intel-rapl:0", "package-0", 10.0)
    real = Path.read_text

    def refused(self: Path, encoding: str | None = None, errors: str | None = None) -> str:
        if self.name == "energy_uj":
            raise PermissionError(13, "Permission denied")
        return real(self, encoding=encoding, errors=errors)

    monkeypatch.setattr(Path, "read_text", refused)
    rapl = open_rapl(tmp_path)
    assert rapl.status == "unreadable: only root may read energy_uj on this machine"
    assert rapl.zones == []


def test_a_counter_that_vanishes_during_the_run_is_unusable_and_stops_nothing(tmp_path: Path) -> None:
    path = zone(tmp_path, "intel-rapl:0", "package-0", 10.0)
    rapl: Rapl = open_rapl(tmp_path)
    (path / "energy_uj").unlink()
    rapl.read(1.0)
    assert "could not be read any more: FileNotFoundError" in rapl.troubles[0]
