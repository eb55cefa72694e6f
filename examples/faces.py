"""Audit a pretrained network that somebody else made: O-Net of MTCNN, which says whether a crop is a face.

Nothing is fetched. The weights and the pictures come out of two wheels of the Python package index, unpacked (a wheel
is a zip file) into one folder:

    facenet_pytorch-2.6.0-py3-none-any.whl   MIT; holds facenet_pytorch/data/onet.pt
    scikit_image-0.26.0-*.whl                BSD-3-Clause; holds skimage/data/: lfw_subset.npy (100 faces out of
                                             Labeled Faces in the Wild and 100 pieces of their backgrounds, 25 x 25,
                                             grey), and photographs, all CC0 or in the public domain

The 200 crops are told apart without a mistake. Beside them stand crops of photographs, among them three that the
network takes for a face and that are none: the maps of the audit show what it saw in them. At last the maps of twelve
faces are held against where the network itself says that eyes, nose and mouth are.

    python examples/faces.py WHEELS [FOLDER]
"""

from __future__ import annotations

import csv
import hashlib
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from face_network import ONet, build
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import load_file, save_file

import audit
from audit.attribution.images import ImageExplanation
from audit.cli import main

WEIGHTS, CROPS = "facenet_pytorch/data/onet.pt", "skimage/data/lfw_subset.npy"
LOOKED_AT = {  # sha256 of the files that docs/explain.md speaks of
    WEIGHTS: "165bfbe42940416ccfb977545cf0e976d5bf321f67083ae2aaaa5c764280118d",
    CROPS: "9560ec2f5edfac01973f63a8a99d00053fecd11e21877e18038fbe500f8e872c",
    "skimage/data/astronaut.png": "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
    "skimage/data/camera.png": "b0793d2adda0fa6ae899c03989482bff9a42d3d5690fc7e3648f2795d730c23a",
    "skimage/data/chelsea.png": "596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb",
    "skimage/data/coffee.png": "cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7",
    "skimage/data/rocket.jpg": "c2dd0de7c538df8d111e479619b129464d0269d0ae5fd18ca91d33a7fdfea95c",
}
FACES = 100  # of the stored crops the first ones
PHOTOGRAPHS = (  # file, left, top, side, what it shows
    ("astronaut.png", 170, 70, 120, "face"),
    ("camera.png", 180, 120, 90, "face"),
    ("chelsea.png", 20, 0, 260, "other"),
    ("coffee.png", 180, 80, 300, "other"),
    ("rocket.jpg", 300, 100, 80, "other"),
    ("chelsea.png", 120, 60, 120, "other"),
    ("astronaut.png", 300, 300, 120, "other"),
    ("coffee.png", 0, 0, 160, "other"),
)
COLUMNS = {"crop": {"kind": "image", "shape": [3, 48, 48]}}
NEAR = 0.12  # of the side, around a landmark
SPEC = """schema  = 1
name    = "faces"
purpose = "Find faces, as the last stage of a detector"

[model]
path    = "model.safetensors"
factory = "model.py:build"          # the network's code lies beside this file: --allow-code
output  = "logit"
classes = ["other", "face"]

[data.test]
path     = "test.csv"
target   = "label"
positive = "face"
features = ["crop"]

[columns]
crop = { kind = "image", shape = [3, 48, 48] }

[[limit]]
measure = "accuracy"
min     = 0.90
why     = "a detector that errs more often is retrained"

[[limit]]
measure = "layer_strongest_unit_share"
params  = { layer = "prelu5" }
max     = 0.50
why     = "no single unit decides"

[evidence]
rows = "sample"
"""


def sources(wheels: Path) -> dict[str, Path]:
    """The files by name. FileNotFoundError names the first that is not there; others than those known are told."""
    found = {name: wheels / name for name in LOOKED_AT}
    for name, path in found.items():
        if not path.is_file():
            raise FileNotFoundError(
                f"{path} does not exist: unpack the wheels of facenet-pytorch 2.6.0 and scikit-image 0.26.0 "
                f'into "{wheels}"'
            )
        if hashlib.sha256(path.read_bytes()).hexdigest() != LOOKED_AT[name]:
            print(f"{name} is another version than the one that was looked at: expect other numbers", file=sys.stderr)
    return found


def pictures(found: dict[str, Path]) -> list[tuple[str, Image.Image, str]]:
    """Name, picture and label of every crop."""
    stored = (255 * np.load(found[CROPS], allow_pickle=False)).round().astype(np.uint8)
    crops = [(f"lfw_{i}.png", Image.fromarray(crop), "face" if i < FACES else "other") for i, crop in enumerate(stored)]
    for file, left, top, side, label in PHOTOGRAPHS:
        whole = Image.open(found[f"skimage/data/{file}"]).convert("RGB")
        name = f"{Path(file).stem}_{left}_{top}.png"
        crops.append((name, whole.crop((left, top, left + side, top + side)), label))
    return crops


def write(wheels: Path, folder: Path) -> Path:
    """Pictures, weights, code and audit.toml in ``folder``; the path of the last."""
    found = sources(wheels)
    (folder / "crops").mkdir(parents=True, exist_ok=True)
    rows = pictures(found)
    for name, picture, _ in rows:
        picture.save(folder / "crops" / name)
    with (folder / "test.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("crop", "label"), *((f"crops/{name}", label) for name, _, label in rows)])
    state = torch.load(found[WEIGHTS], weights_only=True, map_location="cpu")
    save_file({name: tensor.contiguous() for name, tensor in state.items()}, folder / "model.safetensors")
    shutil.copyfile(Path(__file__).parent / "face_network.py", folder / "model.py")
    (folder / "audit.toml").write_text(SPEC, encoding="utf-8")
    return folder / "audit.toml"


def on_features(folder: Path, rows: list[int]) -> dict[str, float]:
    """How much more of each method's positive evidence lies near eyes, nose and mouth than chance would put there."""
    table = pd.read_csv(folder / "test.csv")
    table["crop"] = [str((folder / crop).resolve()) for crop in table["crop"]]
    network = build()
    network.load_state_dict(load_file(folder / "model.safetensors"))
    found = audit.explain(
        network.eval(),
        table.iloc[rows],
        background=table,
        features=["crop"],
        columns={"crop": {**COLUMNS["crop"], "root": str(folder.resolve())}},
        classes=["other", "face"],
        output="logit",
    )
    if not isinstance(found, ImageExplanation):
        raise TypeError(f"pictures have maps, got {type(found).__name__}")
    near = landmark_masks(network, found.pixels)
    return {maps.short: float(np.mean(concentration(maps.values, near))) for maps in found.maps}


def landmark_masks(network: ONet, pixels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Pixels (n, 48, 48) within 0.12 of the side of a landmark that the network itself gives."""
    with torch.no_grad():
        points = network.landmarks(torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255).numpy()
    height, width = pixels.shape[1:3]
    y, x = (np.arange(height) + 0.5) / height, (np.arange(width) + 0.5) / width
    across = x[None, None, None, :] - points[:, :, 0, None, None]
    down = y[None, None, :, None] - points[:, :, 1, None, None]
    return np.asarray((across**2 + down**2 < NEAR**2).any(axis=1))


def concentration(values: NDArray[np.float32], near: NDArray[np.bool_], patch: int = 6) -> NDArray[np.float64]:
    """Share of the positive evidence, patch by patch, that lies near, over the share of the area; 1 is chance, (n,)."""

    def patches(whole: NDArray[np.float64]) -> NDArray[np.float64]:
        n, height, width = whole.shape
        return np.asarray(whole.reshape(n, height // patch, patch, width // patch, patch).mean(axis=(2, 4)))

    evidence, area = np.maximum(patches(values.astype(np.float64)), 0), patches(near.astype(np.float64))
    share = (evidence * area).sum(axis=(1, 2)) / np.maximum(evidence.sum(axis=(1, 2)), 1e-12)
    return np.asarray(share / area.mean(axis=(1, 2)))


def run(wheels: Path, folder: Path) -> int:
    """The audit's exit code; 2 where a file is not there."""
    try:
        spec = write(wheels, folder)
    except FileNotFoundError as error:
        print(error, file=sys.stderr)
        return 2
    code = main(["run", str(spec), "--allow-code", "--out", str(folder / "audits")])
    print("\nPositive evidence near eyes, nose and mouth, in multiples of chance (the network's own landmarks):")
    for method, times in on_features(folder, [*range(0, FACES, 10), FACES * 2, FACES * 2 + 1]).items():
        print(f"  {method:<44} {times:.2f}")
    return code


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: python examples/faces.py WHEELS [FOLDER]")
    sys.exit(run(Path(sys.argv[1]), Path(sys.argv[2] if len(sys.argv) > 2 else "faces")))
