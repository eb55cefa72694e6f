"""Pictures that are files or bytes, as a model is given them."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray
from PIL import Image

from audit.data.opening import dataset_from_table
from audit.errors import DataError
from audit.spec import ColumnSpec, DataSpec

RAMP = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)


def saved(folder: Path, name: str, pixels: NDArray[np.uint8] = RAMP) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(folder / name)
    return name


def values(cells: list[str | bytes | None], home: Path, **column: object) -> NDArray[np.float32]:
    specs = {"scan": ColumnSpec.model_validate({"kind": "image", **column})}
    spec = DataSpec(path="t.csv", features=("scan",))
    return dataset_from_table("test", pa.table({"scan": cells}), spec, specs, root=home).values("scan")


def test_paths_are_relative_to_audit_toml_and_not_to_where_the_command_was_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved(tmp_path / "project" / "scans", "a.png")
    monkeypatch.chdir(tmp_path)
    expected = RAMP.transpose(2, 0, 1)[None] / np.float32(255)
    np.testing.assert_allclose(values(["scans/a.png"], tmp_path / "project"), expected)
    np.testing.assert_allclose(values(["a.png"], tmp_path / "project", root="scans"), expected)
    np.testing.assert_allclose(values(["a.png"], Path("project"), root="scans"), expected)


def test_a_shape_resizes_and_makes_grey_or_coloured_what_is_stored_otherwise(tmp_path: Path) -> None:
    flat = saved(tmp_path, "flat.png", np.full((6, 9), 51, dtype=np.uint8))
    assert values([flat], tmp_path).shape == (1, 1, 6, 9)
    coloured = values([flat, saved(tmp_path, "a.png")], tmp_path, shape=[3, 5, 7])
    assert coloured.shape == (2, 3, 5, 7)
    np.testing.assert_allclose(coloured[0], 0.2, atol=1e-6)


def test_bytes_are_read_as_the_file_is(tmp_path: Path) -> None:
    held = io.BytesIO()
    Image.fromarray(RAMP).save(held, "PNG")
    np.testing.assert_array_equal(values([held.getvalue()], tmp_path), values([saved(tmp_path, "a.png")], tmp_path))


def test_a_picture_outside_the_folder_is_refused_by_its_name(tmp_path: Path) -> None:
    saved(tmp_path, "secret.png")
    (tmp_path / "project").mkdir()
    with pytest.raises(DataError, match=r"secret\.png.*outside the folder.*set root"):
        values(["../secret.png"], tmp_path / "project")


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (["a.png", "b.png"], "different sizes.*shape = "),
        (["a.png", None], "row 1 has no picture"),
        (["a.png", "lost.png"], r"row 1: .*relative to audit\.toml"),
        (["a.png", "text.png"], "row 1: the picture cannot be read"),
    ],
)
def test_pictures_that_cannot_be_stacked_are_refused_in_words(
    tmp_path: Path, cells: list[str | bytes | None], words: str
) -> None:
    saved(tmp_path, "a.png")
    saved(tmp_path, "b.png", RAMP[:2])
    (tmp_path / "text.png").write_text("no picture", encoding="utf-8")
    with pytest.raises(DataError, match=words):
        values(cells, tmp_path)
