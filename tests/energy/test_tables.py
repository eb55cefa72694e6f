"""The tables: exact names only, sane numbers, a licence in every file."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.energy.hardware import accelerator, accelerators, cpu, cpus, table, unknown_vcpu
from audit.energy.intensity import intensity, regions
from audit.errors import SpecError

TABLES = ("cpus", "cpu_rates", "accelerators", "intensity", "vcpu_watts")


@pytest.mark.parametrize("name", TABLES)
def test_every_table_has_a_licence_a_source_and_no_row_twice(name: str) -> None:
    content = table(name)
    assert content["licence"]
    assert content.get("source") or content.get("sources")
    keys = [row[0] for row in content["rows"]]
    assert len(keys) == len(set(keys))
    assert all(len(row) == len(content["columns"]) for row in content["rows"])


def test_the_notice_carries_the_attribution_of_the_tables_that_ask_for_it() -> None:
    notice = (Path(__file__).parents[2] / "NOTICE").read_text(encoding="utf-8")
    grid = table("intensity")
    assert grid["licence"] in notice
    assert grid["source"] in notice
    assert grid["url"] in notice
    assert "Cloud Carbon Footprint" in notice


def test_no_file_of_data_is_left_out_of_these_tests() -> None:
    found = {Path(item.name).stem for item in (files("audit.energy") / "data").iterdir()}
    assert found == set(TABLES)


def test_the_table_of_processors_is_large_and_plausible() -> None:
    assert len(cpus()) >= 150
    for part in cpus().values():
        assert 10 <= part.tdp_w <= 500
        assert part.cores <= part.threads <= 2 * part.cores
        assert 0.7 <= part.tdp_w / part.threads <= 25
        assert part.source.endswith(tuple("abcdefghijklmnopqrstuvwxyz/"))


def test_the_table_of_accelerators_is_large_and_plausible() -> None:
    assert len(accelerators()) >= 60
    assert all(60 <= part.board_w <= 1000 for part in accelerators().values())


def test_known_parts_have_the_ratings_of_their_data_sheets() -> None:
    assert [cpu(name).tdp_w for name in ("AMD EPYC 7763 64-Core Processor", "Intel(R) Xeon(R) Platinum 8480+")] == [  # type: ignore[union-attr]
        280,
        350,
    ]
    assert accelerator("NVIDIA H100 80GB HBM3").board_w == 700  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "name", ["AMD EPYC", "EPYC 7763", "amd epyc 7763 64-core processor", "AMD EPYC 7763", "", "Intel"]
)
def test_a_name_that_is_only_near_is_unknown(name: str) -> None:
    assert cpu(name) is None
    assert accelerator(name) is None


@given(st.sampled_from(sorted(cpus())), st.text(min_size=1, max_size=3).filter(lambda text: text.strip() != ""))
def test_a_name_with_anything_more_is_unknown(name: str, more: str) -> None:
    assert cpu(f"{name}{more}") is None


def test_padding_of_the_kernel_is_no_part_of_a_name() -> None:
    assert cpu("  AMD EPYC 7763  64-Core Processor ") is cpus()["AMD EPYC 7763 64-Core Processor"]


def test_an_unknown_vcpu_draws_less_idle_than_busy_and_lies_among_known_servers() -> None:
    typical = unknown_vcpu()
    assert 0.46 < typical.idle_w < 1.04
    assert 2 < typical.busy_w < 9


def test_more_than_two_hundred_countries_have_a_plausible_recent_figure() -> None:
    assert len(regions()) > 200
    for code in regions():
        grid = intensity(code)
        assert 10 <= grid.g_per_kwh <= 1400
        assert 2022 <= grid.year <= 2026
        assert grid.lower_g_per_kwh < grid.g_per_kwh < grid.upper_g_per_kwh
        assert grid.licence == "CC-BY-4.0"


@pytest.mark.parametrize("region", ["DE", "DEU", "Germany", "germany", " de "])
def test_a_country_is_known_by_both_codes_and_its_name(region: str) -> None:
    assert (intensity(region).region, intensity(region).name) == ("DE", "Germany")


@pytest.mark.parametrize(("region", "code"), [("Czech Republic", "CZ"), ("Turkey", "TR"), ("Korea, Republic of", "KR")])
def test_a_country_is_known_by_its_other_names(region: str, code: str) -> None:
    assert intensity(region).region == code


def test_no_name_means_two_countries() -> None:
    names = [word.casefold() for row in table("intensity")["rows"] for word in (row[0], row[1], row[2], *row[5])]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("region", "hint"), [("Germny", '"Germany"'), ("Unted States", '"United States"'), ("eu-west-1", "")]
)
def test_an_unknown_region_is_an_error_with_the_nearest_name(region: str, hint: str) -> None:
    with pytest.raises(SpecError, match=f'got "{region}".*{hint}'):
        intensity(region)


def test_the_figures_are_those_of_the_source() -> None:
    known = {"US": 384.4, "GB": 217.41, "IN": 670.0}
    found = {code: intensity(code).g_per_kwh for code in known}
    assert found == pytest.approx(known, rel=0.01)
    assert json.dumps(table("intensity"))  # plain JSON all through
