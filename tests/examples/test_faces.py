"""The example of a pretrained network, on a stand-in: random weights of the same shapes, pictures of nothing."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from PIL import Image

from audit import store


@pytest.fixture(scope="module")
def faces() -> ModuleType:
    """As ``python examples/faces.py`` finds it: the network's file lies beside it."""
    folder = str(Path(__file__).parents[2] / "examples")
    sys.path.insert(0, folder)
    try:
        import faces
    finally:
        sys.path.remove(folder)
    return faces


@pytest.fixture(scope="module")
def wheels(faces: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheels")
    rng = np.random.default_rng(0)
    for name in faces.LOOKED_AT:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    torch.save(faces.build().state_dict(), folder / faces.WEIGHTS)
    np.save(folder / faces.CROPS, rng.random((200, 25, 25)))
    for file in {photograph[0] for photograph in faces.PHOTOGRAPHS}:
        noise = rng.integers(0, 255, (512, 512, 3), dtype=np.uint8)
        Image.fromarray(noise).save(folder / "skimage" / "data" / file)
    return folder


def test_what_is_not_there_is_named_with_what_to_unpack_and_nothing_is_written(
    faces: ModuleType, wheels: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert faces.run(tmp_path / "nowhere", tmp_path / "out") == 2
    assert "onet.pt does not exist: unpack the wheels of facenet-pytorch" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_other_files_than_those_that_were_looked_at_are_told(
    faces: ModuleType, wheels: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert set(faces.sources(wheels)) == set(faces.LOOKED_AT)
    assert capsys.readouterr().err.count("another version") == len(faces.LOOKED_AT)


def test_weights_that_would_run_code_are_refused(faces: ModuleType, wheels: Path, tmp_path: Path) -> None:
    for name, path in faces.sources(wheels).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(path.read_bytes())
    torch.save({"conv1.weight": print}, tmp_path / faces.WEIGHTS)
    with pytest.raises(Exception, match="Weights only load failed"):
        faces.write(tmp_path, tmp_path / "out")


def test_the_audit_maps_the_pictures_that_its_folder_holds(
    faces: ModuleType, wheels: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from audit.cli import main

    spec = faces.write(wheels, tmp_path / "out")
    lines = (tmp_path / "out" / "test.csv").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 1 + 200 + len(faces.PHOTOGRAPHS)
    assert sum(line.endswith(",face") for line in lines) == faces.FACES + 2
    assert main(["check", str(spec)]) == 0
    assert "208 rows" in capsys.readouterr().out


@pytest.mark.slow
def test_the_whole_example_runs_and_weighs_every_method(
    faces: ModuleType, wheels: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert faces.run(wheels, tmp_path / "out") == 1  # nobody learnt anything: the limit on accuracy fails
    run = store.read(store.find_run(tmp_path / "out" / "audits"))
    assert {m.name for _, m in run.measurements()} >= {"accuracy", "map_rank_agreement", "layer_strongest_unit_share"}
    told = capsys.readouterr().out
    assert all(short in told for short in ("integrated gradients from black", "GradCAM", "occlusion"))


def test_evidence_on_the_features_alone_is_as_concentrated_as_can_be_and_evenly_spread_is_chance(
    faces: ModuleType,
) -> None:
    near = np.zeros((1, 48, 48), dtype=bool)
    near[:, 6:18, 12:24] = True
    only = near.astype(np.float32)
    np.testing.assert_allclose(faces.concentration(only, near), 48 * 48 / 144)
    np.testing.assert_allclose(faces.concentration(np.ones((1, 48, 48), dtype=np.float32), near), 1)
    np.testing.assert_allclose(faces.concentration(only - 2 * ~near, near), 48 * 48 / 144)


def test_masks_lie_where_the_network_says_the_landmarks_are(faces: ModuleType) -> None:
    network = faces.build()
    for parameter in network.parameters():
        torch.nn.init.zeros_(parameter)
    with torch.no_grad():  # x of the five landmarks, then y
        network.dense6_3.bias.copy_(torch.tensor([0.25, 0.75, 0.5, 0.25, 0.75, 0.25, 0.25, 0.5, 0.75, 0.75]))
    (mask,) = faces.landmark_masks(network, np.zeros((1, 48, 48, 3), dtype=np.uint8))
    assert mask[12, 12] and mask[12, 36] and mask[24, 24] and mask[36, 12] and mask[36, 36]  # noqa: PT018
    assert not mask[24, 5] and not mask[2, 24]  # noqa: PT018
    assert mask.mean() == pytest.approx(5 * np.pi * 0.12**2, rel=0.1)
