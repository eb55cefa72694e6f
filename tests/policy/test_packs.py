"""Packs, policies, and how limits of several files become one law."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import SpecError
from audit.policy import Limit, measure_id
from audit.policy.limits import demanded
from audit.policy.packs import Pack, expanded, gathered, load_pack, own_limits, pack_names, read_pack
from audit.registry import find
from audit.spec import load
from tests.policy.worlds import a_limit

NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)


def a_pack(*limits: Limit) -> Pack:
    return Pack(id="house@1", title="", sha256="", limits=limits)


def law(*own: Limit, pack: tuple[Limit, ...] = (), policy: tuple[Limit, ...] | None = None) -> dict[str, Limit]:
    rules = None if policy is None else a_pack(*policy)
    return {limit.id: limit for limit in gathered([a_pack(*pack)], rules, own, ("race", "sex"), 2)}


@given(a=NAMES, b=NAMES)
def test_two_limits_have_one_id_only_when_they_ask_the_same(a: str, b: str) -> None:
    ids = {
        measure_id(a, (b,), "each", {}, "test"),
        measure_id(a, (b,), "difference", {}, "test"),
        measure_id(a, (), "each", {b: 1}, "test"),
        measure_id(a, (b,), "each", {}, "train"),
        measure_id(a, (b, "+"), "each", {}, "test"),
        measure_id(a, (), "each", {}, "test"),
    }
    assert len(ids) == 6
    assert all(i.isascii() and " " not in i for i in ids)


@pytest.mark.parametrize(
    ("limit", "text"),
    [
        (a_limit("true_positive_rate", by=("sex", "age_band"), compare="difference"),
         "true_positive_rate/difference@sex*age_band"),
        (a_limit("recall", params={"k": 10}, by=("sex",), compare="ratio", on="train"),
         "recall[k=10]/ratio@sex#train"),
        (a_limit("recall", params={"b": 0.5, "a": "x,y"}), "recall[a=x%2Cy,b=0.5]"),
        (a_limit("recall", by=("age band*",)), "recall@age%20band%2A"),
        (a_limit("acme.loss", by=("\udc80",)), "acme.loss@%ED%B2%80"),
    ],
)  # fmt: skip
def test_an_id_reads_as_the_design_says(limit: Limit, text: str) -> None:
    assert limit.id == text


def test_a_star_is_each_sensitive_column_and_each_crossing() -> None:
    limit = a_limit(by=("*",), max=1)
    assert [x.by for x in expanded([limit], ("race", "sex"), 2)] == [("race",), ("sex",), ("race", "sex")]
    assert [x.by for x in expanded([limit], ("race", "sex"), 1)] == [("race",), ("sex",)]
    assert expanded([limit], (), 2) == []


def test_the_files_own_limit_replaces_the_packs() -> None:
    found = law(a_limit(max=0.5, why="ours"), pack=(a_limit(max=0.1, source="house@1"), a_limit("error", max=0.2)))
    assert (found["accuracy"].max, found["accuracy"].why) == (0.5, "ours")
    assert found["error"].max == 0.2


def test_it_replaces_it_also_with_the_columns_in_another_order() -> None:
    own, theirs = a_limit(by=("sex", "race"), max=0.5), a_limit(by=("race", "sex"), max=0.1, source="house@1")
    assert list(law(own, pack=(theirs,)).values()) == [own]


def test_a_pack_lists_what_it_could_not_see_and_a_file_blocks_as_the_gate_says() -> None:
    found = law(a_limit(max=0.5), pack=(a_limit("error", max=1), a_limit("recall", max=1, underpowered="block")))
    assert [found[name].underpowered for name in ("error", "recall", "accuracy")] == ["list", "block", None]


@pytest.mark.parametrize("twin", [a_limit(by=("sex", "race"), min=0.2), a_limit(by=("race", "sex"), max=0.1)])
def test_one_limit_twice_in_a_file_is_an_error(twin: Limit) -> None:
    with pytest.raises(SpecError, match="twice"):
        law(a_limit(by=("sex", "race"), max=0.5), twin)


@pytest.mark.parametrize(
    ("own", "policy"),
    [
        ({"max": 0.2}, {"max": 0.1}),
        ({"min": 0.1}, {"min": 0.2}),
        ({"regress": 0.2}, {"regress": 0.1}),
        ({"max": 0.1, "level": "warn"}, {"max": 0.1}),
        ({"max": 0.1, "level": "record"}, {"max": 0.1, "level": "warn"}),
    ],
)
def test_a_policy_may_not_be_loosened(own: dict[str, Any], policy: dict[str, Any]) -> None:
    with pytest.raises(SpecError, match=r"audit\.toml may"):
        law(a_limit(**own), policy=(a_limit(**policy),))


def test_a_policy_may_be_tightened() -> None:
    own = a_limit(max=0.05, min=0.01, level="fail", required=True)
    tight = law(own, policy=(a_limit(max=0.1, level="warn", why="law"),))["accuracy"]
    assert (tight.max, tight.min, tight.level, tight.required, tight.why) == (0.05, 0.01, "fail", True, "law")


def test_doubt_blocks_under_a_policy_whatever_the_gate_of_the_file_says() -> None:
    own = a_limit(max=0.05, inconclusive="warn", underpowered="list")
    tight = law(own, policy=(a_limit(max=0.1),))["accuracy"]
    assert (tight.inconclusive, tight.underpowered) == ("block", "block")
    meant = law(policy=(a_limit(max=0.1, inconclusive="warn", underpowered="list"),))["accuracy"]
    assert (meant.inconclusive, meant.underpowered) == ("warn", "list")


def test_an_unknown_pack_is_an_error_with_the_nearest_one() -> None:
    with pytest.raises(SpecError, match=r'did you mean "default@1"'):
        load_pack("defualt@1")


@pytest.mark.parametrize("name", pack_names())
def test_every_pack_names_measures_that_exist_and_gives_reasons(name: str) -> None:
    pack, known = load_pack(name), find().notes
    assert pack.id == name
    assert [x.measure for x in pack.limits if x.measure not in known] == []
    assert [x.measure for x in pack.limits if not x.why] == []
    assert all(x.line > 0 and not demanded(x) for x in pack.limits)


def test_a_policy_is_demanded_whatever_its_file_is_called(tmp_path: Path) -> None:
    path = tmp_path / "bank@2.toml"
    path.write_text('pack = "bank@2"\ntitle = "x"\n[[limit]]\nmeasure = "accuracy"\nmin = 0.5\n')
    (limit,) = read_pack(path, path.name).limits
    assert demanded(limit)
    assert limit.line == 3


def test_limits_know_their_lines_or_that_they_have_none(tmp_path: Path) -> None:
    path = tmp_path / "audit.toml"
    head = 'name = "x"\n[data.test]\npath = "t.csv"\nscore = "s"\n'
    path.write_text(head + '[[limit]]\nmeasure = "a"\nmax = 1\nwhy = "\u2028"\n  [[ limit ]]\nmeasure = "b"\nmax = 1\n')
    assert [x.line for x in own_limits(load(path))] == [5, 9]
    path.write_text('limit = [{ measure = "a", max = 1 }]\n' + head)
    assert [x.line for x in own_limits(load(path))] == [0]
    path.write_text(head + '[[limit]]\nmeasure = "a"\nmax = 1\nwhy = """\n[[limit]]\n"""\n')
    assert [x.line for x in own_limits(load(path))] == [0]
