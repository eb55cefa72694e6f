"""audit check: what it accepts, what it refuses, and what it says the data could show."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from tests.cli.conftest import ONLY_OWN, SPEC, Call, lay, scores


def test_a_sound_file_exits_0_and_says_what_comes_next(vendor: Path, call: Call) -> None:
    found = call("check")
    assert found.code == 0
    assert "600 rows" in found.out
    assert "binary, target label, positive = 1" in found.out
    assert "next: audit run audit.toml" in found.out
    assert found.err == ""


def test_a_group_too_small_for_a_limit_is_named_with_the_number_it_needs(vendor: Path, call: Call) -> None:
    (vendor / "audit.toml").write_text(ONLY_OWN)
    found = call("check", "--json").json()
    power = found["power"][0]
    rate = power["assumed_rate"]
    assert power["limit"] == "true_positive_rate/difference@race"
    assert power["denominator"] == "positives"
    assert power["needed"] == pytest.approx(2 * rate * (1 - rate) * (3.29 / 0.10) ** 2, rel=1e-3)
    small = {group["slice"]["race"]: group for group in power["groups"]}["hispanic"]
    rows = [line.split(",") for line in (vendor / "scores.csv").read_text().splitlines()[1:]]
    assert small["n"] == sum(race == "hispanic" and label == "1" for _, _, label, race, _ in rows)
    assert small["short"] is True
    text = call("check").out
    needed = f"{power['needed']:,}"
    assert f"race = hispanic has {small['n']} positives; this limit cannot pass below about {needed}" in text


def test_with_enough_rows_no_group_is_called_too_small(vendor: Path, call: Call) -> None:
    table = "score,label,race\n" + "\n".join(f"0.5,{i % 2},{'ab'[i % 4 // 2]}" for i in range(4000)) + "\n"
    lay(vendor, ONLY_OWN.replace('groups = ["race", "sex"]', 'groups = ["race"]'), table)
    (power,) = call("check", "--json").json()["power"]
    assert power["can_pass"] is True
    assert power["powered"] == power["comparisons"] == 1


def test_a_check_that_cannot_run_is_listed_with_why_and_the_remedy(vendor: Path, call: Call) -> None:
    checks = {item["check"]: item for item in call("check", "--json").json()["checks"]}
    assert checks["attribution.global_importance"]["runs"] is False
    assert checks["attribution.global_importance"]["remedy"] == "give [model] path"
    assert checks["fairness.group_rates"]["runs"] is True


def test_the_plan_is_the_one_that_the_run_carries_out(vendor: Path, call: Call) -> None:
    (vendor / "audit.toml").write_text(ONLY_OWN)
    planned = call("check", "--json").json()["checks"]
    result = call("run", "--json").json()
    left_out = {item["check"] for item in planned if not item["runs"]}
    silent = {r["check"] for r in result["records"] if not r["outcome"]["measurements"] and not r["outcome"]["grids"]}
    assert {r["check"] for r in result["records"]} == {item["check"] for item in planned}
    assert left_out <= silent


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('measure = "true_positive_rate"', 'measure = "true_positve_rate"', 'did you mean "true_positive_rate"?'),
        ('by = "race"', 'by = "rase"', 'by = "rase": no such column in scores.csv (did you mean "race"?)'),
        ("max = 0.10", 'max = 0.10\non = "train"', "there is no [data.train]"),
        ("max = 0.10", 'max = 0.10\non = "trian"', 'did you mean "train"?'),
        ("max = 0.10", "max = 0.10\nparams = { k = 10 }", 'has no parameter "k"'),
        ('target = "label"', 'target = "lable"', 'did you mean "label"?'),
        ('score = "score"', 'score = "sex"', '"sex" of scores.csv must hold numbers'),
        ('score = "score"', 'score = "label"', 'score = "label": this column is named as target already'),
        (
            'score = "score"',
            'score = "score"\nweight = "score"',
            'weight = "score": this column is named as score already',
        ),
        ("positive = 1", "positive = 2", "positive = 2 is no value of"),
        ('groups = ["race", "sex"]', 'groups = ["race", "gender"]', 'groups = "gender": no such column'),
        ("schema = 1", 'schema = 1\nuse = ["defualt@1"]', 'did you mean "default@1"?'),
    ],
)
def test_what_a_run_could_not_answer_is_refused_in_one_line(
    vendor: Path, call: Call, old: str, new: str, words: str
) -> None:
    (vendor / "audit.toml").write_text(SPEC.replace(old, new))
    found = call("check")
    assert found.code == 2
    assert words in found.err
    assert len(found.err.splitlines()) == 1


def test_a_limit_by_a_column_that_the_policy_names_and_the_audit_does_not_is_refused(vendor: Path, call: Call) -> None:
    policy = '[[limit]]\nmeasure = "accuracy"\nby = "id"\ncompare = "difference"\nmax = 0.1\n'
    (vendor / "house.toml").write_text('pack = "house"\ntitle = "House rules"\n' + policy)
    found = call("check", "--policy", "house.toml")
    assert found.code == 2
    assert 'needs the groups of "id": add it to groups' in found.err


def test_a_waiver_that_fits_no_limit_is_said_and_does_not_stop_the_audit(vendor: Path, call: Call) -> None:
    waiver = '[[waive]]\nlimit = "accuracy@rase"\nreason = "a mistyped key"\nowner = "me"\nexpires = 2026-12-01\n'
    (vendor / "audit.toml").write_text(SPEC + waiver)
    found = call("check")
    assert found.code == 0
    assert 'the waiver of "accuracy@rase" fits no limit' in found.out


def test_a_waiver_that_runs_too_long_is_refused(vendor: Path, call: Call) -> None:
    waiver = '[[waive]]\nlimit = "roc_auc"\nreason = "for ever and ever"\nowner = "me"\nexpires = 2099-12-01\n'
    (vendor / "audit.toml").write_text(SPEC + waiver)
    found = call("check")
    assert found.code == 2
    assert "max_waiver_days allows 180 days" in found.err


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("model.pkl", b"\x80\x04", "loading it would run code"),
        ("model.skops", b"\x80\x04K\x01.", "is a pickle whatever its name says"),
        ("model.skops", b"not a zip archive", "is not a readable skops file"),
        ("model.safetensors", b"\x80\x00\x00\x00\x00\x00\x00\x00{}", 'add factory = "package.module:build"'),
        ("model.onnx", b"\x08\x07", "say what the ONNX model returns"),
        ("model.h6", b"", "unknown model format"),
    ],
)
def test_a_model_that_could_not_be_loaded_is_refused_unopened(
    vendor: Path, call: Call, name: str, content: bytes, words: str
) -> None:
    (vendor / name).write_bytes(content)
    spec = SPEC.replace('score = "score"\n', "") + f'\n[model]\npath = "{name}"\n'
    (vendor / "audit.toml").write_text(spec)
    found = call("check")
    assert (found.code, words in found.err) == (2, True)


def test_binned_labelled_and_parquet_groups_are_counted_as_the_run_counts_them(vendor: Path, call: Call) -> None:
    n = 300
    table = pa.table(
        {
            "score": [0.5] * n,
            "label": [i % 2 for i in range(n)],
            "race": pa.array([None if i % 10 == 0 else i % 3 for i in range(n)]).cast(pa.float64()),
            "age": [float(20 + i % 50) for i in range(n)],
        }
    )
    pa.parquet.write_table(table, vendor / "scores.parquet")
    spec = ONLY_OWN.replace("scores.csv", "scores.parquet").replace('"race", "sex"', '"race", "age"')
    columns = '\n[columns]\nage = { bins = [40] }\nrace = { labels = { 0 = "white", 1 = "black", 2 = "asian" } }\n'
    by_age = '\n[[limit]]\nmeasure = "selection_rate"\nby = "age"\ncompare = "ratio"\nmin = 0.8\n'
    (vendor / "audit.toml").write_text(spec + by_age + columns)
    races, ages = call("check", "--json").json()["power"]
    assert {group["slice"]["race"] for group in races["groups"]} == {"white", "black", "asian", None}
    assert {g["slice"]["age"]: g["n"] for g in ages["groups"]} == {"under 40": 120, "40 or more": 180}


def test_a_case_without_groups_says_so(vendor: Path, call: Call) -> None:
    (vendor / "audit.toml").write_text(SPEC.split("[[limit]]", maxsplit=1)[0].replace('groups = ["race", "sex"]\n', ""))
    found = call("check")
    assert found.code == 0
    assert "no group is named" in found.out


def test_a_column_with_one_group_is_said_to_have_nothing_to_compare(vendor: Path, call: Call) -> None:
    lay(vendor, SPEC, scores().replace(",F\n", ",M\n"))
    assert "every row has the same sex: there is nothing to compare" in call("check").out


@pytest.mark.parametrize(
    ("region", "near"), [("Germny", '"Germany"'), ("Guinea-Bisau", '"Guinea-Bissau" or'), ("eu-west-1", "")]
)
def test_a_region_without_a_grid_is_refused_with_the_names_near_it(
    vendor: Path, call: Call, region: str, near: str
) -> None:
    (vendor / "audit.toml").write_text(f'{ONLY_OWN}\n[training]\nregion = "{region}"\n')
    for command in (["check"], ["run", "--quiet"]):
        found = call(*command)
        assert found.code == 2
        assert f'got "{region}"' in found.err
        assert near in found.err
    assert not (vendor / "audits").exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"format": "assay-training-record", "version": 1, "stat', "training.json is truncated or not JSON"),
        ("start_time,window_name,elapsed_time,gpu0_energy\n1,a,60.0,-5\n", "gpu0_energy must be 0 or more, got -5"),
        ("name,energy\na,1\n", "training.json is no record of a training that Assay reads"),
    ],
)
def test_a_training_record_that_cannot_be_evidence_ends_the_audit_before_it_begins(
    vendor: Path, call: Call, content: str, said: str
) -> None:
    (vendor / "training.json").write_text(content)
    (vendor / "audit.toml").write_text(f'{ONLY_OWN}\n[training]\nrecord = "training.json"\n')
    for command in (["check"], ["run", "--quiet"]):
        found = call(*command)
        assert found.code == 2
        assert said in found.err
    assert not list((vendor / "audits").glob("*/result.json"))


@pytest.mark.parametrize(
    ("hardware", "near"),
    [("A100-SXM4", '"NVIDIA A100-SXM4-40GB" or "NVIDIA A100-SXM4-80GB"'), ("EPYC 7763", '"AMD EPYC 7763 64-Core')],
)
def test_hardware_that_is_in_no_table_is_said_before_the_run(
    vendor: Path, call: Call, hardware: str, near: str
) -> None:
    (vendor / "audit.toml").write_text(f'{ONLY_OWN}\n[training]\nhardware = "{hardware}"\nhours = 2\n')
    found = call("check")
    assert found.code == 0
    assert f'! [training] hardware "{hardware}" is in no table (did you mean {near}' in found.out


def test_known_hardware_and_a_known_region_need_no_word(vendor: Path, call: Call) -> None:
    (vendor / "audit.toml").write_text(f'{ONLY_OWN}\n[training]\nhardware = "Tesla T4"\nhours = 2\nregion = "DE"\n')
    found = call("check")
    assert (found.code, "[training]" in found.out) == (0, False)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("p_b", "p_c", "p_a"), 'write scores = ["p_a", "p_b", "p_c"]'),
        (("p_c", "p_b", "p_a"), 'write scores = ["p_a", "p_b", "p_c"]'),
        (("p_a", "p_b", "p_c"), ""),
        (("third", "first", "p_c"), ""),  # names that say nothing of the order are taken as they stand
    ],
)
def test_columns_of_probability_named_in_another_order_than_the_classes_are_refused(
    vendor: Path, call: Call, names: tuple[str, ...], said: str
) -> None:
    table = "y," + ",".join(names) + "\n" + "a,.7,.2,.1\nb,.1,.7,.2\nc,.2,.1,.7\n" * 10
    (vendor / "three.csv").write_text(table)
    listed = ", ".join(f'"{name}"' for name in names)
    (vendor / "audit.toml").write_text(
        f'name = "three"\nuse = []\n[data.test]\npath = "three.csv"\ntarget = "y"\nscores = [{listed}]\n'
    )
    found = call("check")
    assert found.code == (2 if said else 0)
    assert said in found.err
