"""Loading a model file without running what is in it.

A file is read once; its hash and its model come from the same bytes, so it cannot be swapped in between.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import io
import sys
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audit.digests import folder_digest
from audit.errors import ModelError, UnsafeModelError, nearest
from audit.models.base import Model
from audit.models.inert import INERT_TYPES
from audit.spec import ModelSpec, relative

if TYPE_CHECKING:
    import torch

    from audit.models.torch import TorchModel

SAFE = (".skops", ".safetensors", ".onnx", ".ubj", ".json", ".txt")
PICKLES = {
    ".pkl": "a pickle",
    ".pickle": "a pickle",
    ".joblib": "a joblib pickle",
    ".pt": "a torch pickle",
    ".pth": "a torch pickle",
    ".bin": "a torch pickle",
    ".ckpt": "a torch pickle",
    ".pt2": "a torch.export archive, whose loader evaluates code",
    ".ts": "a TorchScript program",
    ".npy": "a NumPy file",
    ".h5": "a Keras file",
    ".keras": "a Keras file",
}
HOW = (
    "save the model in a format that cannot run code: skops.io.dump(model, 'model.skops') for scikit-learn, "
    "safetensors.torch.save_file(module.state_dict(), 'model.safetensors') with factory = \"package.module:build\" "
    "for torch, save_model('model.ubj') for XGBoost, save_model('model.txt') for LightGBM, torch.onnx.export or "
    "skl2onnx for .onnx; or audit a column of its predictions without the model"
)

MOST_UNPACKED = 64 * 2**20
MOST_TIMES = 200
"""Bytes that an archive may unpack to: so many, and so many times its own size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedModel:
    model: Model
    sha256: str
    bytes: int
    path: str


def load_model(spec: ModelSpec, root: Path, *, allow_code: bool = False) -> LoadedModel:
    """The model that ``[model]`` names. ModelError or UnsafeModelError says what is wrong and what to do."""
    if ((folder := relative(root, spec.path)) / "config.json").is_file():
        return _load_folder(folder, spec)
    content = read_model_file(spec.path, root)
    sha256 = hashlib.sha256(content).hexdigest()
    if spec.sha256 is not None and spec.sha256 != sha256:
        raise ModelError(f"{spec.path} is not the model that sha256 in [model] names: it has {sha256}")
    model = _read(content, spec, root, allow_code=allow_code)
    return LoadedModel(model=model, sha256=sha256, bytes=len(content), path=spec.path)


def _load_folder(folder: Path, spec: ModelSpec) -> LoadedModel:
    from audit.models.transformers import load_folder

    sha256, size = folder_digest(folder)
    if spec.sha256 is not None and spec.sha256 != sha256:
        raise ModelError(f"{spec.path} is not the model that sha256 in [model] names: it has {sha256}")
    several = spec.task == "multilabel"
    model = load_folder(folder, classes=spec.classes, output=spec.output, device=spec.device, multilabel=several)
    return LoadedModel(model=model, sha256=sha256, bytes=size, path=spec.path)


def _read(content: bytes, spec: ModelSpec, root: Path, *, allow_code: bool) -> Model:
    """The model in the bytes of a file; the library of its format is imported here and nowhere before."""
    suffix = Path(spec.path).suffix.lower()
    if suffix == ".skops":
        return _load_skops(content, spec)
    if suffix == ".safetensors":
        return _load_safetensors(content, spec, root, allow_code=allow_code)
    if suffix == ".onnx":
        from audit.models.onnx import adapt

        return adapt(content, spec.classes, spec.output, multilabel=spec.task == "multilabel")
    if spec.task == "multilabel":
        raise ModelError(
            f"{spec.path} gives one answer a row as far as Assay reads it: save the model of several labels as .skops "
            "(its scikit-learn wrapper) or .onnx, or audit columns of its scores without the model"
        )
    from audit.models import boosters

    load = boosters.load_lightgbm if suffix == ".txt" else boosters.load_xgboost
    return load(content, spec.path, spec.classes)


def read_model_file(path: str, root: Path) -> bytes:
    """The bytes of a model file of a safe format; everything else is refused before it is opened."""
    content = model_file(path, root).read_bytes()
    _refuse_pickle(content, path)
    return content


def model_file(path: str, root: Path) -> Path:
    """The file of a safe format that ``path`` names, not opened yet. ModelError or UnsafeModelError otherwise."""
    suffix = Path(path).suffix.lower()
    if suffix in PICKLES:
        raise UnsafeModelError(f"{path} is {PICKLES[suffix]}: loading it would run code. To audit it, {HOW}")
    if suffix not in SAFE:
        raise ModelError(f'{path}: unknown model format "{suffix or "none"}"; use {", ".join(SAFE)}')
    file = relative(root, path)
    if not file.exists():
        beside = [p.name for p in file.parent.glob("*") if p.suffix in SAFE] if file.parent.is_dir() else []
        raise ModelError(f"[model] path: {path} does not exist{nearest(file.name, beside)}")
    if not file.is_file():
        raise ModelError(f"[model] path: {path} is not a file")
    return file


def glance(path: str, root: Path) -> Path:
    """As ``model_file``, and its first bytes are what the name promises; the rest is not read."""
    if ((folder := relative(root, path)) / "config.json").is_file():
        return folder
    file = model_file(path, root)
    with file.open("rb") as stream:
        head = stream.read(16)
    _refuse_pickle(head, path)
    suffix = file.suffix.lower()
    if (suffix == ".skops" and head[:2] != b"PK") or (suffix == ".safetensors" and head[8:9] != b"{"):
        raise ModelError(f"{path} is not a readable {suffix[1:]} file: its first bytes are of another format")
    return file


def _refuse_pickle(head: bytes, path: str) -> None:
    # A safetensors file begins with the length of its header, whose low byte may be 0x80 as well.
    weights = path.lower().endswith(".safetensors") and head[8:9] == b"{"
    if head[:1] == b"\x80" and not weights:
        raise UnsafeModelError(f"{path} is a pickle whatever its name says: loading it would run code. {HOW}")


def _load_skops(content: bytes, spec: ModelSpec) -> Model:
    import skops.io

    from audit.models.sklearn import adapt, adapt_labels

    for name in spec.trust:
        if "*" in name or not name.replace(".", "").replace("_", "").isalnum():
            raise ModelError(f'trust takes exact type names, got "{name}": copy them from the error message')
    try:
        _refuse_bomb(content, spec.path)
        untrusted = set(skops.io.get_untrusted_types(data=content))
        refused = sorted(untrusted - INERT_TYPES - set(spec.trust))
        if refused:
            lines = ", ".join(f'"{name}"' for name in refused)
            raise UnsafeModelError(
                f"{spec.path} holds types that Assay does not know to be harmless. If you trust them, add to [model]: "
                f"trust = [{lines}]"
            )
        estimator = skops.io.loads(content, trusted=sorted(untrusted))
        return adapt_labels(estimator, tuple(map(str, spec.classes))) if spec.task == "multilabel" else adapt(estimator)
    except (zipfile.BadZipFile, zlib.error, KeyError, ValueError, EOFError, TypeError, RecursionError) as error:
        raise ModelError(f"{spec.path} is not a readable skops file: {error}") from error
    except (ImportError, AttributeError) as error:
        raise ModelError(f"{spec.path} needs something that is not installed here ({error}): install it") from error


def _refuse_bomb(content: bytes, path: str) -> None:
    """ModelError for an archive that says it unpacks to far more than a model of its size does."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        unpacked = sum(entry.file_size for entry in archive.infolist())
    if unpacked > MOST_UNPACKED + MOST_TIMES * len(content):
        raise ModelError(
            f"{path} unpacks to {unpacked:,} bytes from {len(content):,}: save the model without compression"
        )


def _load_safetensors(content: bytes, spec: ModelSpec, root: Path, *, allow_code: bool) -> Model:
    import safetensors.torch
    from safetensors import SafetensorError

    from audit.models.torch import TorchModel, adapt

    if spec.factory is None:
        raise ModelError(f'{spec.path} holds weights only: add factory = "package.module:build" to [model]')
    try:
        state = safetensors.torch.load(content)
    except SafetensorError as error:
        raise ModelError(f"{spec.path} is not a readable safetensors file: {error}") from error
    built = _call_factory(factory(spec.factory, root, allow_code=allow_code), spec.factory)
    module = built.module if isinstance(built, TorchModel) else built
    _fill(module, state, spec)
    several = spec.task == "multilabel"
    return adapt(built, classes=spec.classes, output=spec.output, device=spec.device, multilabel=several)


def _call_factory(build: Callable[[], Any], name: str) -> torch.nn.Module | TorchModel:
    import torch

    from audit.models.torch import TorchModel

    built = build()
    if not isinstance(built, torch.nn.Module | TorchModel):
        raise ModelError(
            f'factory "{name}" must return a torch.nn.Module or audit.TorchModel, got {type(built).__name__}'
        )
    return built


def _fill(module: torch.nn.Module, state: dict[str, torch.Tensor], spec: ModelSpec) -> None:
    try:
        module.load_state_dict(state, strict=True)
    except RuntimeError as error:
        faults = " ".join(line.strip() for line in str(error).splitlines()[1:3])
        raise ModelError(f'{spec.path} does not fit what factory "{spec.factory}" builds: {faults}') from error


def factory(name: str, root: Path, *, allow_code: bool) -> Callable[..., Any]:
    """The function that ``package.module:build`` names; a file beside audit.toml only with ``allow_code``."""
    where, _, function = name.partition(":")
    if not where or not function:
        raise ModelError(f'factory must read "package.module:build", got "{name}"')
    if where.endswith(".py"):
        if not allow_code:
            raise UnsafeModelError(f'factory "{name}" is a file: run with --allow-code to let its code run')
        module = _import_file(relative(root, where))
    else:
        if where.split(".")[0] in sys.stdlib_module_names:
            raise UnsafeModelError(f'factory "{name}" is part of Python\'s standard library, which builds no model')
        module = _import_installed(where, name)
    if not callable(found := getattr(module, function, None)):
        raise ModelError(f'factory "{name}": no function {function} there{nearest(function, dir(module))}')
    return found  # type: ignore[no-any-return]


def _import_installed(where: str, name: str) -> Any:
    try:
        return importlib.import_module(where)
    except ImportError as error:
        raise ModelError(f'factory "{name}" cannot be imported ({error}): install the package it is in') from error


def _import_file(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(f"audited_{path.stem}", path)
    if spec is None or spec.loader is None or not path.exists():
        raise ModelError(f"{path} does not exist")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
