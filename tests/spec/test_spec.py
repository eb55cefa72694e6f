"""audit.toml: every fault names its key and the fix."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import SpecError
from audit.spec import limit_lines, load, parse_toml

HEAD = 'name = "x"\n[data.test]\npath = "t.csv"\nscore = "s"\n'


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "audit.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def fault(folder: Path, text: str | bytes) -> str:
    with pytest.raises(SpecError) as error:
        load(written(folder, text))
    return str(error.value)


def test_the_shortest_file_is_read_with_every_default(tmp_path: Path) -> None:
    loaded = load(written(tmp_path, HEAD))
    spec = loaded.spec
    assert (spec.use, spec.stats.confidence, spec.gate.inconclusive) == (("default@1",), 0.95, "block")
    assert (spec.evidence.rows, spec.stats.min_n, spec.stats.intersections) == ("none", 30, 2)
    assert loaded.root == tmp_path


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('nmae = "x"\n' + HEAD, 'unknown key "nmae" (did you mean "name"?)'),
        (HEAD + 'taget = "y"\n', 'unknown key "data.test.taget" (did you mean "target"?)'),
        (HEAD + 'sensitive = ["race"]\n', 'unknown key "data.test.sensitive" (did you mean "groups"?)'),
        ('positive = 1\n' + HEAD, 'unknown key "positive" (it is a key of [data.test])'),
        (HEAD + '[columns.race]\nlables = {}\n', 'unknown key "columns.race.lables" (did you mean "labels"?)'),
        (HEAD + '[[limit]]\nmeasure = "a"\nmax = 1\nwhi = "b"\n', 'unknown key "limit[0].whi" (did you mean "why"?)'),
        (HEAD + '[gate]\ninconclusiv = "warn"\n', 'unknown key "gate.inconclusiv" (did you mean "inconclusive"?)'),
        (HEAD + '[model]\npath = "a.onnx"\nclases = []\n', 'unknown key "model.clases" (did you mean "classes"?)'),
        ('name = "x"\n', '"data" is missing'),
        ('name = "x"\n[data]\n', '"data.test" is missing'),
        ("[data.test]\npath = 't.csv'\nscore = 's'\n", '"name" is missing'),
        ('name = "x"\n[data.test]\npath = "t.csv"\n', "say where the predictions come from"),
        (HEAD + '[model]\npath = "a.onnx"\n', "[model] and data.test.score both give predictions"),
        (HEAD + "positive = nan\n", '"data.test.positive" must be text, a finite number, true or false, got nan'),
        (HEAD + "threshold = inf\n", '"data.test.threshold" must be a finite number, got inf'),
        (HEAD + "positive = [1]\n", '"data.test.positive" must be text, a finite number, true or false, got [1]'),
        (HEAD + "groups = 5\n", '"data.test.groups" must be a list, got 5'),
        (HEAD + 'groups = ["a", "b", "a"]\n', '"data.test.groups": "a" stands there twice'),
        (HEAD + "[columns]\nage = { bins = [1, nan] }\n", '"columns.age.bins[1]" must be a finite number, got nan'),
        (HEAD + "[columns]\nage = { bins = [] }\n", '"columns.age.bins" must have at least 1 item'),
        (HEAD + "[columns]\nscan = { shape = [1, -8, 8] }\n", '"columns.scan.shape[1]" must be greater than 0'),
        (HEAD + '[[limit]]\nmeasure = "a"\nmax = inf\n', '"limit[0].max" must be a finite number, got inf'),
        (HEAD + '[[limit]]\nmeasure = "a"\nmin = nan\n', '"limit[0].min" must be a finite number, got nan'),
        (HEAD + '[[limit]]\nmeasure = "a"\nmax = 1\nparams = { k = nan }\n', '"limit[0].params.k" must be text'),
        (HEAD + '[[limit]]\nmeasure = "a"\n', 'the limit on "a" needs min, max or regress'),
        (HEAD + '[[limit]]\nmeasure = "a"\nmin = 1\nmax = 0\n', 'the limit on "a" has min 1.0 above max 0.0'),
        (HEAD + '[[limit]]\nmeasure = "a"\nregress = -1\n', '"limit[0].regress" must be greater than or equal to 0'),
        (HEAD + '[[limit]]\nmeasure = "a"\nmax = 1\ncompare = "difference"\n', 'needs by = ["column"]'),
        (HEAD + '[[limit]]\nmeasure = "a"\nmax = 1\ncompare = "diff"\nby = "s"\n', "must be 'each', 'difference'"),
        (HEAD + '[[limit]]\nmeasure = "a"\nmin = 0.1\ncompare = "difference"\nby = "s"\n', "give max, 0 or more"),
        (HEAD + '[[limit]]\nmeasure = "a"\nmin = 1.2\ncompare = "ratio"\nby = "s"\n', "above 0 and at most 1"),
        (HEAD + '[[limit]]\nmeasure = "a"\nmax = 1.2\ncompare = "ratio"\nby = "s"\n', "and no max"),
        (HEAD + '[[limit]]\nmeasure = "a"\nmin = 0.8\ncompare = "ratio"\nby = "s"\nregress = 0.1\n', "has regress"),
        (HEAD + '[[limit]]\nmeasure = "a"\nmin = 0.8\nby = "s"\ncontrast = "rest"\n', 'has contrast = "rest"'),
        (HEAD + '[[limit]]\nmeasure = "a"\nmin = 0.8\nby = ["*", "s"]\n', '"*" alone'),
        (HEAD + '[[waive]]\nlimit = "a"\nreason = "no"\nowner = "k"\nexpires = 2027-01-01\n', "at least 10 characters"),
        (HEAD + '[[waive]]\nlimit = "a"\nreason = "long enough"\nowner = "k"\n', '"waive[0].expires" is missing'),
        (HEAD + "[stats]\nconfidence = 95\n", '"stats.confidence" must be less than 1, got 95'),
        ("schema = 2\n" + HEAD, '"schema" must be 1, got 2'),
        (HEAD + "[data.test]\n", "is not valid TOML: Cannot declare ('data', 'test') twice (at line 5"),
        (HEAD + "x = \n", "is not valid TOML: Invalid value (at line 5"),
        (b"name = '\xff'", "is not UTF-8 text (byte 8): save it as UTF-8"),
    ],
)  # fmt: skip
def test_a_fault_names_its_key_and_the_fix(tmp_path: Path, text: str | bytes, words: str) -> None:
    assert words in fault(tmp_path, text)


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    told = fault(tmp_path, 'nmae = "x"\n[data.test]\npth = "t.csv"\n')
    assert all(key in told for key in ('"nmae"', '"data.test.pth"', '"name" is missing', '"data.test.path" is missing'))


def test_a_file_that_is_not_there_or_is_a_folder_says_what_to_do(tmp_path: Path) -> None:
    for path, words in ((tmp_path / "no.toml", "audit init"), (tmp_path, "name the file")):
        with pytest.raises(SpecError, match=words):
            load(path)


def test_a_byte_order_mark_and_windows_lines_change_nothing(tmp_path: Path) -> None:
    text = HEAD + '[[limit]]\nmeasure = "a"\nmax = 1\n'
    plain, marked = (load(written(tmp_path, t)) for t in (text, b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode()))
    assert plain.spec == marked.spec
    assert plain.limit_lines == marked.limit_lines == (5,)


def test_one_name_may_stand_for_a_list_of_one(tmp_path: Path) -> None:
    spec = load(written(tmp_path, 'use = "default@1"\n' + HEAD + 'groups = "sex"\n')).spec
    assert (spec.use, spec.data.test.groups) == (("default@1",), ("sex",))


@given(st.lists(st.sampled_from(["[[limit]]", "  [[ limit ]]  # x", "# [[limit]]", "max = 1", "", "[[limits]]"])))
def test_a_limit_is_found_on_its_line(lines: list[str]) -> None:
    expected = tuple(i for i, line in enumerate(lines, 1) if line.strip().startswith("[[") and "s]]" not in line)
    assert limit_lines("\n".join(lines)) == expected


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_in_one_line(text: str) -> None:
    with suppress(SpecError):
        assert isinstance(parse_toml(text, Path("audit.toml")), dict)
