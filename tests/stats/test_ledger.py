import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import StoreError
from audit.stats import Ledger, difference, rate, read_ledger, spent_alpha, write_ledger
from audit.stats.bases import evaluate

names = st.lists(st.sampled_from("abcdefgh"), max_size=12)


def test_all_looks_together_spend_no_more_than_alpha() -> None:
    spent = [spent_alpha(0.05, k) for k in range(1, 100_001)]
    assert sum(spent) < 0.05
    assert sum(spent) == pytest.approx(0.05, rel=1e-4)
    assert spent[0] == pytest.approx(0.3 / math.pi**2)


@given(names)
def test_a_model_keeps_its_place_and_looking_again_is_free(models: list[str]) -> None:
    ledger, first = Ledger(), {}
    for model in models:
        ledger, look = ledger.spend("set", model)
        assert first.setdefault(model, look) == look
    assert ledger.looks.get("set", ()) == tuple(dict.fromkeys(models))
    assert [first[m].index for m in dict.fromkeys(models)] == list(range(1, len(first) + 1))
    assert ledger.index("another set", "a") == 1


def test_the_level_of_a_look_rises_with_its_place() -> None:
    _, one = Ledger().spend("set", "a")
    _, third = Ledger(looks={"set": ("a", "b")}).spend("set", "c")
    assert one.confidence(0.95) == pytest.approx(1 - 0.05 * 6 / math.pi**2)
    assert third.confidence(0.95) == pytest.approx(1 - 0.05 * 6 / (3 * math.pi) ** 2)
    assert one.before_sha256 != third.before_sha256


@given(st.dictionaries(st.text(min_size=1, max_size=5), names.map(lambda x: tuple(dict.fromkeys(x))), max_size=4))
def test_a_written_ledger_reads_as_it_was(tmp_path_factory: pytest.TempPathFactory, looks: dict[str, tuple]) -> None:
    path = tmp_path_factory.mktemp("ledger") / "audits" / "ledger.json"
    assert read_ledger(path) == Ledger()
    write_ledger(path, Ledger(looks=looks))
    assert read_ledger(path) == Ledger(looks=looks)
    assert [file.name for file in path.parent.iterdir()] == ["ledger.json"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"schema": 2, "looks": {}}',
        '{"schema": 1}',
        '{"schema": 1, "looks": []}',
        '{"schema": 1, "looks": {"a": "b"}}',
        '{"schema": 1, "looks": {"a": [1]}}',
        '{"schema": 1, "looks": {"a": ["m", "m"]}}',
        "[" * 100_000,
    ],
)
def test_a_broken_ledger_is_refused_and_never_taken_for_an_empty_one(tmp_path: Path, text: str) -> None:
    path = tmp_path / "ledger.json"
    path.write_text(text)
    with pytest.raises(StoreError, match="is no ledger"):
        read_ledger(path)


def test_a_ledger_that_cannot_be_written_or_read_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(StoreError, match="cannot write"):
        write_ledger(tmp_path / "folder", Ledger())
    with pytest.raises(StoreError, match="cannot read"):
        read_ledger(tmp_path / "folder")
    assert [file.name for file in tmp_path.iterdir()] == ["folder"]


def test_the_file_is_text_that_merges_by_line() -> None:
    text = Ledger(looks={"b": ("m",), "a": ("x", "y")}).text
    assert json.loads(text) == {"schema": 1, "looks": {"a": ["x", "y"], "b": ["m"]}}
    assert len(text.splitlines()) >= 8


def test_retraining_until_green_gets_a_bad_model_through_in_at_most_5_percent() -> None:
    rng, audits = np.random.default_rng(3), 400
    through, careless = np.zeros(audits, dtype=bool), np.zeros(audits, dtype=bool)
    for index in range(1, 21):
        bases = [difference(rate(a, 500), rate(b, 500)) for a, b in rng.binomial(500, (0.3, 0.4), (audits, 2)).tolist()]
        spending, fixed = evaluate(bases, spent_alpha(0.05, index)), evaluate(bases, 0.05)
        through |= (spending.lower > -0.1) & (spending.upper < 0.1)
        careless |= (fixed.lower > -0.1) & (fixed.upper < 0.1)
    assert through.mean() <= 0.06
    assert careless.mean() > 0.4
