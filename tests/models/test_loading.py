"""Loading a model never runs what is in its file: every payload here would leave a marker."""

from __future__ import annotations

import hashlib
import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
import safetensors.torch
import skops.io
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import FunctionTransformer

from audit.cli import main
from audit.errors import ModelError, UnsafeModelError
from audit.models import Predictor
from audit.models.loading import PICKLES, load_model
from audit.spec import ModelSpec


class Payload:
    """Creates a file when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.marker,)


def payloads(marker: Path) -> dict[str, bytes]:
    """The formats that run code, as bytes."""
    made = {"pickle": pickle.dumps(Payload(marker)), "old pickle": pickle.dumps(Payload(marker), protocol=0)}
    for name, dump in (("joblib", joblib.dump), ("torch", torch.save)):
        stream = io.BytesIO()
        dump(Payload(marker), stream)
        made[name] = stream.getvalue()
    script = io.BytesIO()
    torch.jit.save(torch.jit.script(torch.nn.Linear(1, 1)), script)
    made["torchscript"] = script.getvalue()
    return made


def load(folder: Path, content: bytes, name: str, *, allow_code: bool = False, **more: Any) -> Any:
    (folder / name).write_bytes(content)
    return load_model(ModelSpec(path=name, **more), folder, allow_code=allow_code)


@pytest.mark.parametrize("suffix", PICKLES)
def test_a_format_that_runs_code_is_refused_by_its_name(tmp_path: Path, suffix: str) -> None:
    marker = tmp_path / "marker"
    for content in payloads(marker).values():
        with pytest.raises(UnsafeModelError, match="loading it would run code"):
            load(tmp_path, content, f"model{suffix}", allow_code=True, factory="a:b", output="logit")
    assert not marker.exists()


@pytest.mark.parametrize("suffix", [".skops", ".safetensors", ".onnx", ".SKOPS"])
@pytest.mark.parametrize("kind", ["pickle", "old pickle", "joblib", "torch", "torchscript"])
def test_a_payload_under_a_safe_name_is_refused_and_not_run(tmp_path: Path, suffix: str, kind: str) -> None:
    marker = tmp_path / "marker"
    with pytest.raises(ModelError):
        load(tmp_path, payloads(marker)[kind], f"model{suffix}", factory="a:b", output="logit", classes=(0, 1))
    assert not marker.exists()


@pytest.mark.parametrize("name", ["model", "model.doc", "model.exe", "model.skops.gz"])
def test_an_unknown_format_is_refused_with_those_there_are(tmp_path: Path, name: str) -> None:
    with pytest.raises(ModelError, match=r"use \.skops, \.safetensors, \.onnx"):
        load(tmp_path, b"x", name)


def fitted() -> LogisticRegression:
    return LogisticRegression().fit(np.array([[0.0], [1.0], [2.0], [3.0]]), [0, 0, 1, 1])


def test_a_skops_file_is_loaded_with_its_hash(tmp_path: Path) -> None:
    content = skops.io.dumps(fitted())
    loaded = load(tmp_path, content, "m.skops")
    assert (loaded.model.classes, loaded.bytes) == (("0", "1"), len(content))
    assert loaded.sha256 == hashlib.sha256(content).hexdigest()
    assert isinstance(loaded.model, Predictor)
    assert load(tmp_path, content, "m.skops", sha256=loaded.sha256).sha256 == loaded.sha256
    with pytest.raises(ModelError, match="is not the model that sha256 in"):
        load(tmp_path, content, "m.skops", sha256="0" * 64)


def dangerous(marker: Path) -> bytes:
    return skops.io.dumps(  # type: ignore[no-any-return]
        FunctionTransformer(func=Path.touch, kw_args={"self": str(marker)})
    )


@pytest.mark.parametrize("trust", [(), ("sklearn",), ("pathlib",), ("pathlib.Path",), ("pathlib.touchy",)])
def test_a_skops_type_that_is_not_known_is_refused_with_the_line_to_paste(tmp_path: Path, trust: Any) -> None:
    with pytest.raises(UnsafeModelError, match=r'trust = \["pathlib\.touch"\]'):
        load(tmp_path, dangerous(tmp_path / "marker"), "m.skops", trust=trust)
    assert not (tmp_path / "marker").exists()


@pytest.mark.parametrize("trust", ["*", "pathlib.*", "pathlib.Path.[a-z]*", "", "pathlib.Path touch"])
def test_trust_takes_exact_names_only(tmp_path: Path, trust: str) -> None:
    with pytest.raises(ModelError, match="trust takes exact type names"):
        load(tmp_path, dangerous(tmp_path / "marker"), "m.skops", trust=(trust,))


def zipped(entries: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return stream.getvalue()


BROKEN = {
    "no archive": b"PK\x03\x04 nothing",
    "an empty archive": zipped({}),
    "no schema": zipped({"x": b"1"}),
    "a schema that is no JSON": zipped({"schema.json": b"{"}),
    "a schema of another kind": zipped({"schema.json": b"[]"}),
    "a deep schema": zipped({"schema.json": b"[" * 200_000}),
    "a bomb": zipped({"schema.json": b"0" * 120_000_000}),
    "a type that is not there": zipped(
        {"schema.json": b'{"__module__": "nowhere", "__class__": "X", "__loader__": "ObjectNode", "protocol": 2}'}
    ),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_skops_file_is_told_in_words(tmp_path: Path, kind: str) -> None:
    with pytest.raises(ModelError):
        load(tmp_path, BROKEN[kind], "m.skops")


WEIGHTS = safetensors.torch.save(torch.nn.Linear(2, 1).state_dict())
FACTORY = "import torch\nopen({marker!r}, 'w').close()\ndef build(): return torch.nn.Linear(2, 1)\n"


@pytest.mark.parametrize(
    "content", [(2**60).to_bytes(8, "little") + b"{}", (2**64 - 1).to_bytes(8, "little") + b"{}", b"", WEIGHTS[:-1]]
)
def test_a_broken_safetensors_file_is_told_in_words(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ModelError):
        load(tmp_path, content, "m.safetensors", factory="audit.demo.networks:mortgage_mlp", output="logit")


@pytest.mark.parametrize(
    ("factory", "words"),
    [
        (None, "holds weights only"),
        ("os:system", "standard library"),
        ("subprocess:run", "standard library"),
        ("builtins:exec", "standard library"),
        ("no_such_package:build", "install the package"),
        ("audit.demo.networks:mortgage_ml", 'did you mean "mortgage_mlp"'),
        ("audit.demo.networks", 'must read "package.module:build"'),
        ("build.py:build", "run with --allow-code"),
        ("../build.py:build", "run with --allow-code"),
        ("audit.registry:find", r"must return a torch\.nn\.Module"),
    ],
)
def test_a_factory_that_may_not_run_does_not_run(tmp_path: Path, factory: str | None, words: str) -> None:
    marker = tmp_path / "marker"
    (tmp_path / "build.py").write_text(FACTORY.format(marker=str(marker)))
    with pytest.raises(ModelError, match=words):
        load(tmp_path, WEIGHTS, "m.safetensors", factory=factory, output="value")
    assert not marker.exists()


def test_a_factory_file_runs_with_allow_code(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    (tmp_path / "build.py").write_text(FACTORY.format(marker=str(marker)))
    loaded = load(tmp_path, WEIGHTS, "m.safetensors", factory="build.py:build", output="value", allow_code=True)
    assert (loaded.model.kind, loaded.model.name) == ("torch", "Linear")
    assert marker.exists()


def test_weights_that_do_not_fit_are_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="does not fit what factory"):
        load(tmp_path, WEIGHTS, "m.safetensors", factory="audit.demo.networks:mortgage_mlp", output="logit")


@pytest.mark.parametrize(
    ("path", "words"),
    [("modle.skops", 'did you mean "model.skops"'), ("https://example.org/m.onnx", "does not exist"), (".", "unknown")],
)
def test_a_path_that_is_no_file_is_told(tmp_path: Path, path: str, words: str) -> None:
    (tmp_path / "model.skops").touch()
    with pytest.raises(ModelError, match=words):
        load_model(ModelSpec(path=path), tmp_path)


@pytest.mark.parametrize("name", ["m.pkl", "m.skops"])
def test_the_command_ends_with_2_and_runs_nothing(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    marker = tmp_path / "marker"
    (tmp_path / name).write_bytes(pickle.dumps(Payload(marker)))
    (tmp_path / "t.csv").write_text("a,y\n1,0\n2,1\n")
    spec = tmp_path / "audit.toml"
    spec.write_text(f'name = "x"\n[model]\npath = "{name}"\n[data.test]\npath = "t.csv"\ntarget = "y"\n')
    assert main(["run", str(spec), "--out", str(tmp_path / "out")]) == 2
    told = capsys.readouterr()
    assert (told.out, told.err.count("\n")) == ("", 1)
    assert "would run code" in told.err
    assert not marker.exists()
    assert not (tmp_path / "out").exists()
