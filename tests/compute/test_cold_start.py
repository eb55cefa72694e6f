"""A cold start happens in a process of its own, and what fails there is said in words."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import skops.io
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from audit.compute import cold_start as starting
from audit.compute.cold_start import cold_start
from audit.errors import ModelError
from audit.spec import ModelSpec
from tests.checks.efficiency.worlds import table


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("cold")
    data = table(100)
    encode = make_column_transformer((OneHotEncoder(), ["group"]), remainder="passthrough")
    skops.io.dump(make_pipeline(encode, LogisticRegression()).fit(data[["x", "group"]], data["y"]), made / "m.skops")
    return made


def test_a_start_takes_longer_than_its_parts_and_uses_memory(folder: Path) -> None:
    row = {"x": np.array([0.5, 1.0]), "group": np.array(["a", "b"], dtype=object)}
    found = cold_start(ModelSpec(path="m.skops"), folder, row, batch=16, allow_code=False)
    assert found.total_s > found.import_s + found.load_s + found.first_s > 0
    if sys.platform == "linux":
        assert found.peak_bytes is not None
        assert found.model_bytes is not None
        assert found.peak_bytes > 20e6 > found.model_bytes


def test_a_model_that_does_not_load_there_is_an_error_in_one_line(folder: Path) -> None:
    with pytest.raises(ModelError, match=r"\A[^\n]*after a cold start: .*does not exist[^\n]*\Z"):
        cold_start(ModelSpec(path="gone.skops"), folder, {"x": np.zeros(1)}, batch=2, allow_code=False)


def test_a_start_that_hangs_is_given_up(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starting, "LIMIT_S", 0.01)
    with pytest.raises(ModelError, match="had not answered"):
        cold_start(ModelSpec(path="m.skops"), folder, {"x": np.zeros(1)}, batch=2, allow_code=False)


def test_memory_is_not_guessed_where_the_kernel_does_not_tell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(starting, "STATUS", tmp_path / "gone")
    assert starting._memory("VmRSS") is None
    assert starting._above(None, 5) is None
    assert starting._above(3, 5) == 0
