"""audit init: what it sees, what it leaves to a person, and what it never does."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.cli._candidates import groups_of, picture_of, target_of
from audit.cli._drafting import Seen, draft
from audit.cli.init import write
from audit.errors import StoreError
from tests.cli.conftest import Call, scores


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scores.csv").write_text(scores(200))
    return tmp_path


def test_the_written_file_passes_audit_check(here: Path, call: Call) -> None:
    found = call("init", "--data", "scores.csv")
    assert found.code == 0
    spec = tomllib.loads((here / "audit.toml").read_text())
    assert spec["data"]["test"] == {
        "path": "scores.csv",
        "score": "score",
        "target": "label",
        "positive": 1,
        "id": "id",
    }
    assert spec["evidence"] == {"rows": "none"}
    assert call("check").code == 0


def test_a_sensitive_column_is_listed_and_never_chosen(here: Path, call: Call) -> None:
    found = call("init", "--data", "scores.csv")
    written = (here / "audit.toml").read_text()
    assert "groups: none was chosen" in found.out
    assert "groups" not in tomllib.loads(written)["data"]["test"]
    assert '# groups    = ["race", "sex"]' in written


def test_an_existing_file_is_left_alone_without_force(here: Path, call: Call) -> None:
    (here / "audit.toml").write_text("mine")
    found = call("init", "--data", "scores.csv")
    assert found.code == 2
    assert "give --force to replace it, or -o FILE" in found.err
    assert (here / "audit.toml").read_text() == "mine"
    assert call("init", "--data", "scores.csv", "--force").code == 0
    assert "schema" in (here / "audit.toml").read_text()


def test_paths_are_written_relative_to_the_new_file(here: Path, call: Call) -> None:
    (here / "audits").mkdir()
    call("init", "--data", "scores.csv", "--train", "scores.csv", "-o", "audits/a.toml")
    data = tomllib.loads((here / "audits" / "a.toml").read_text())["data"]
    assert data["test"]["path"] == data["train"]["path"] == "../scores.csv"
    assert call("check", "audits/a.toml").code == 0


def test_two_values_of_which_neither_is_plainly_positive_are_left_to_the_user(here: Path, call: Call) -> None:
    (here / "t.csv").write_text("score,target\n" + "0.5,good\n0.4,bad\n" * 20)
    found = call("init", "--data", "t.csv")
    assert 'positive in [data.test]: "bad" or "good"' in found.out
    assert '# positive  = "good"' in (here / "audit.toml").read_text()


def test_a_target_that_cannot_be_told_is_left_with_its_candidates(here: Path, call: Call) -> None:
    (here / "t.csv").write_text("score,north,south\n" + "0.5,1,0\n0.4,0,1\n" * 20)
    found = call("init", "--data", "t.csv")
    assert 'target in [data.test]: candidates: "north", "south"' in found.out
    assert "target" not in tomllib.loads((here / "audit.toml").read_text())["data"]["test"]


def test_without_predictions_the_line_to_fill_is_named(here: Path, call: Call) -> None:
    (here / "t.csv").write_text("label,a\n" + "1,5\n0,6\n" * 20)
    assert "score or prediction in [data.test]" in call("init", "--data", "t.csv").out


def test_weights_need_a_factory_and_init_says_so(here: Path, call: Call) -> None:
    (here / "w.safetensors").write_bytes(b"\x02\x00\x00\x00\x00\x00\x00\x00{}")
    found = call("init", "--model", "w.safetensors", "--data", "scores.csv")
    assert "factory in [model]" in found.out
    assert '# factory   = "package.module:build"' in (here / "audit.toml").read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--data", "gone.csv"], "no data at gone.csv"),
        (["--data", "scores.csv", "--target", "lable"], 'did you mean "label"?'),
        (["--data", "scores.csv", "--model", "m.pkl"], "loading it would run code"),
        (["--data", "scores.csv", "--model", "gone.skops"], "does not exist"),
        (["--data", "empty.csv"], "empty.csv"),
    ],
)
def test_what_cannot_be_looked_at_is_refused_and_nothing_is_written(
    here: Path, call: Call, arguments: list[str], words: str
) -> None:
    (here / "empty.csv").write_text("a,b\n")
    found = call("init", *arguments)
    assert (found.code, words in found.err, len(found.err.splitlines())) == (2, True, 1)
    assert not (here / "audit.toml").exists()


def test_a_write_that_fails_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(source: object, target: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("audit.cli.init.os.replace", full)
    with pytest.raises(StoreError, match="No space left on device"):
        write(tmp_path / "audit.toml", "schema = 1")
    assert list(tmp_path.iterdir()) == []


def test_the_one_column_that_the_model_does_not_use_is_the_target() -> None:
    table = pa.table({"income": [1.0, 2.0], "debt": [3.0, 4.0], "repaid": ["yes", "no"]})
    found = target_of(table, ("income", "debt"), ("no", "yes"), ())
    assert (found.chosen, found.why) == ("repaid", "the column that the model does not use")


def test_a_model_that_cannot_be_opened_is_said_with_the_lines_to_paste(tmp_path: Path) -> None:
    table = pa.table({"a": [1.0, 2.0], "y": [0, 1]})
    seen = Seen(model=Path("m.skops"), data=Path("t.csv"), train=None, table=table, unopened='trust = ["x.Y"]')
    made = draft(seen, tmp_path / "audit.toml")
    assert '[model]: trust = ["x.Y"]' in made.to_fill
    assert tomllib.loads(made.text)["model"]["path"].endswith("m.skops")


def test_pixels_of_one_square_are_taken_for_a_picture() -> None:
    assert picture_of([f"pixel_{i}" for i in range(64)] + ["digit"]) == ("pixel_*", 8)
    assert picture_of([f"x{i}" for i in range(20)]) is None


names = st.text(min_size=1, max_size=12).filter(lambda name: "\ud800" not in name)


@given(columns=st.lists(names, min_size=1, max_size=5, unique=True))
def test_whatever_the_columns_are_called_the_file_is_toml_and_chooses_no_group(columns: list[str]) -> None:
    table = pa.table({name: [f"v{i % 2}" for i in range(6)] for name in columns})
    made = draft(Seen(model=None, data=Path("t.csv"), train=None, table=table), Path("audit.toml"))
    assert "groups" not in tomllib.loads(made.text)["data"]["test"]


def test_names_are_read_in_words_so_that_a_part_of_one_is_no_match() -> None:
    table = pa.table({"applicantSex": ["F", "M"], "sextant": [1.5, 2.5], "co_age": [30, 40], "page": [0.5, 1.5]})
    assert groups_of(table, ()).by_name == ("applicantSex", "co_age")
