"""CSV and Parquet with the quirks that real files have."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from audit.data.reading import digest, read_table, table_digest
from audit.errors import DataError


def written(folder: Path, content: str | bytes, name: str = "t.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("a,b\n1,x\n2,\n", {"a": [1, 2], "b": ["x", None]}),
        (b"\xef\xbb\xbfa,b\r\n1,x\r\n", {"a": [1], "b": ["x"]}),
        ('a,b\n1,"x, ""y"""\n2,"NA"\n', {"a": [1, 2], "b": ['x, "y"', "NA"]}),
        ("a,b\n1.5,NaN\n,2\n", {"a": [1.5, None], "b": [None, 2]}),
        ("a\ntrue\nfalse\n", {"a": [True, False]}),
        ("é,b\n1,2\n", {"é": [1], "b": [2]}),
    ],
)
def test_a_csv_is_read_as_it_was_meant(tmp_path: Path, content: str | bytes, expected: dict[str, object]) -> None:
    assert read_table(written(tmp_path, content)).to_pydict() == expected


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "is empty: it must hold at least a header line"),
        ("a,b\n1\n", "cannot be read as CSV"),
        ("a,a\n1,2\n", 'two columns named "a"'),
        (b"a,b\n1,caf\xe9\n", 'column "b" is not UTF-8 text: save the file as UTF-8'),
    ],
)
def test_a_broken_csv_is_told_with_its_name(tmp_path: Path, content: str | bytes, words: str) -> None:
    path = written(tmp_path, content)
    with pytest.raises(DataError) as error:
        read_table(path)
    assert str(path) in str(error.value)
    assert words in str(error.value)


@pytest.mark.parametrize("name", ["t.xlsx", "t.pkl", "t.json", "t"])
def test_other_formats_are_refused_with_what_to_do(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match=r"neither \.csv nor \.parquet"):
        read_table(written(tmp_path, "a\n1\n", name))


def test_a_parquet_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read as PARQUET"):
        read_table(written(tmp_path, "no", "t.parquet"))


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no data at .*none\.csv"):
        read_table(tmp_path / "none.csv")


def test_a_folder_and_a_glob_are_read_in_the_order_of_names(tmp_path: Path) -> None:
    for name, value in (("b", 2), ("a", 1)):
        pyarrow.parquet.write_table(pa.table({"x": [value]}), tmp_path / f"{name}.parquet")
    for path in (tmp_path, tmp_path / "*.parquet"):
        assert read_table(path).to_pydict() == {"x": [1, 2]}
    assert digest(tmp_path) == digest(tmp_path / "*.parquet")


def test_files_with_other_types_are_told(tmp_path: Path) -> None:
    pyarrow.parquet.write_table(pa.table({"x": [1]}), tmp_path / "a.parquet")
    pyarrow.parquet.write_table(pa.table({"x": ["y"]}), tmp_path / "b.parquet")
    with pytest.raises(DataError, match="do not have the same columns and types"):
        read_table(tmp_path)


def test_a_link_to_data_elsewhere_is_followed_and_hashed_as_what_it_names(tmp_path: Path) -> None:
    """Data are read, never run, and a path may be absolute anyway: the hash in the result says what was audited."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "inside").mkdir()
    real = written(tmp_path / "outside", "a\n1\n")
    link = tmp_path / "inside" / "t.csv"
    os.symlink(real, link)
    assert read_table(link).to_pydict() == {"a": [1]}
    assert digest(link) == digest(real)


def test_the_digest_of_a_table_is_that_of_its_values_whatever_its_chunks() -> None:
    whole = pa.table({"x": [1, 2, 3], "y": ["a", None, "b"]})
    parts = pa.concat_tables([whole.slice(0, 1), whole.slice(1)])
    assert table_digest(whole) == table_digest(parts)
    for other in (pa.table({"x": [1, 2, 4], "y": ["a", None, "b"]}), whole.rename_columns(["x", "z"])):
        assert table_digest(other) != table_digest(whole)
