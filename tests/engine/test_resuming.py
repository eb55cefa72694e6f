"""An interrupted audit goes on from what it had, and only where nothing has changed since."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import skops.io
from sklearn.linear_model import LogisticRegression

from audit import resuming
from audit.cli.auditing import Options, audit_file
from audit.engine import Silent
from audit.errors import StoreError
from audit.record import AuditRun
from audit.store.journal import Journal

SPEC = """schema = 1
name = "credit"
[model]
path = "model.skops"
[data.test]
path = "test.csv"
target = "y"
positive = 1
groups = ["sex"]
features = ["a", "b"]
[evidence]
rows = "sample"
"""


class InterruptedAt:
    """Ctrl-C as soon as the audit comes to a check."""

    def __init__(self, name: str) -> None:
        self.name = name

    def start(self, total: int) -> None:
        """Nothing is shown."""

    def step(self, name: str) -> None:
        if name == self.name:
            raise KeyboardInterrupt


@pytest.fixture(autouse=True)
def everything_is_worth_keeping(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resuming, "WORTH_KEEPING", 0.0)
    monkeypatch.setattr(resuming, "TO_KEEP_ONE", 0.0)


def table(path: Path, *, rows: int = 120, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x, sex = rng.normal(size=(rows, 2)).round(3), rng.choice(["f", "m"], rows)
    y = (x[:, 0] + rng.normal(size=rows) > 0).astype(int)
    lines = [f"{a},{b},{s},{label}" for (a, b), s, label in zip(x, sex, y, strict=True)]
    path.write_text("a,b,sex,y\n" + "\n".join(lines) + "\n")
    return x, y


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    import pandas as pd

    x, y = table(tmp_path / "test.csv")
    model = LogisticRegression().fit(pd.DataFrame(x, columns=["a", "b"]), y)
    skops.io.dump(model, tmp_path / "model.skops")
    (tmp_path / "audit.toml").write_text(SPEC)
    return tmp_path / "audit.toml"


def finished(spec: Path, out: str = "audits") -> AuditRun:
    return audit_file(spec, Options(out=spec.parent / out), Silent())[1]


def interrupted(spec: Path, at: str = "performance.classification") -> None:
    with pytest.raises(KeyboardInterrupt):
        audit_file(spec, Options(out=spec.parent / "audits"), InterruptedAt(at))


def test_a_resumed_audit_is_the_one_that_nobody_interrupted(spec: Path) -> None:
    whole = finished(spec, "elsewhere")
    interrupted(spec)
    resumed = finished(spec)
    assert resumed.id == whole.id
    assert "predictions of test" in resumed.machine.resumed
    assert len(resumed.machine.resumed) > 10
    assert whole.machine.resumed == ()


def test_what_was_kept_is_gone_when_the_run_is_written(spec: Path) -> None:
    interrupted(spec)
    kept = list((spec.parent / "audits").glob(".unfinished-*"))
    assert len(kept) == 1
    assert kept[0].stat().st_mode & 0o077 == 0, "it may hold the predictions of single rows"
    finished(spec)
    assert not list((spec.parent / "audits").glob(".unfinished-*"))


def other_data(folder: Path) -> None:
    table(folder / "test.csv", seed=1)


def other_limits(folder: Path) -> None:
    (folder / "audit.toml").write_text(SPEC.replace('"sample"', '"none"'))


def other_model(folder: Path) -> None:
    x, y = table(folder / "again.csv")
    skops.io.dump(LogisticRegression(C=0.01).fit(x, y), folder / "model.skops")


@pytest.mark.parametrize("change", [other_data, other_limits, other_model])
def test_nothing_is_taken_over_where_an_input_has_changed(spec: Path, change: Callable[[Path], None]) -> None:
    interrupted(spec)
    change(spec.parent)
    assert finished(spec).machine.resumed == ()


@pytest.mark.parametrize("damage", [b"", b"{", b'{"record": {}}', b'{"record": 3, "seconds": "long"}'])
def test_a_damaged_entry_is_measured_again(spec: Path, damage: bytes) -> None:
    whole = finished(spec, "elsewhere")
    interrupted(spec)
    for file in (spec.parent / "audits").glob(".unfinished-*/*.json"):
        file.write_bytes(damage)
    again = finished(spec)
    assert again.id == whole.id
    assert again.machine.resumed == ()


def test_a_factory_that_builds_another_network_now_is_not_believed(tmp_path: Path) -> None:
    from safetensors.torch import save_file
    from torch import nn

    table(tmp_path / "test.csv")
    build = "from torch import nn\ndef build():\n    return nn.Sequential(nn.Linear(2, 1){})\n"
    (tmp_path / "net.py").write_text(build.format(""))
    save_file(nn.Linear(2, 1).state_dict(prefix="0."), tmp_path / "model.safetensors")
    model = 'path = "model.safetensors"\nfactory = "net.py:build"\noutput = "logit"\nclasses = ["0", "1"]'
    (tmp_path / "audit.toml").write_text(SPEC.replace('path = "model.skops"', model))
    options = Options(out=tmp_path / "audits", allow_code=True)
    with pytest.raises(KeyboardInterrupt):
        audit_file(tmp_path / "audit.toml", options, InterruptedAt("performance.classification"))
    (tmp_path / "net.py").write_text(build.format(", nn.Tanh()"))
    assert audit_file(tmp_path / "audit.toml", options, Silent())[1].machine.resumed == ()


def test_predictions_that_no_longer_come_out_so_discredit_all_that_was_kept(
    spec: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted(spec)
    real = LogisticRegression.predict_proba
    monkeypatch.setattr(LogisticRegression, "predict_proba", lambda self, x: real(self, x)[:, ::-1])
    assert finished(spec).machine.resumed == ()


def test_where_nothing_can_be_kept_the_audit_goes_on(spec: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise StoreError("no space left")

    whole = finished(spec, "elsewhere")
    monkeypatch.setattr(Journal, "keep_arrays", full)
    assert finished(spec).id == whole.id
