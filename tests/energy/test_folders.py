"""A model of several files is tied to its record by the hash of its folder."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from audit.digests import folder_digest, model_digest
from audit.energy.ladder import from_record
from audit.energy.tracker import track
from audit.inputs.training_record import read_record

FILES = {
    "config.json": b"{}",
    "model-00001-of-00002.safetensors": b"first half",
    "model-00002-of-00002.safetensors": b"second half",
    "vocab.txt": b"a b c",
}


def a_folder(path: Path) -> Path:
    path.mkdir()
    for name, content in FILES.items():
        (path / name).write_bytes(content)
    return path


def recorded(tmp_path: Path, model: Path) -> Path:
    path = tmp_path / "training.json"
    with track(path, model=model):
        pass
    return path


def test_the_hash_of_a_folder_is_that_of_the_names_sizes_and_bytes_of_its_files(tmp_path: Path) -> None:
    folder = a_folder(tmp_path / "bert")
    slow = hashlib.sha256(b"".join(f"{n}\0{len(c)}\0".encode() + c for n, c in sorted(FILES.items())))
    assert folder_digest(folder) == (slow.hexdigest(), sum(map(len, FILES.values())))
    assert model_digest(folder) == slow.hexdigest()
    assert model_digest(folder / "vocab.txt") == hashlib.sha256(b"a b c").hexdigest()


def test_a_record_of_a_folder_is_of_the_same_model_until_one_byte_differs(tmp_path: Path) -> None:
    folder = a_folder(tmp_path / "bert")
    path = recorded(tmp_path, folder)
    record = read_record(path, model_sha256=model_digest(folder))
    assert record.model_match == "same"
    (folder / "model-00002-of-00002.safetensors").write_bytes(b"second halF")
    other = read_record(path, model_sha256=model_digest(folder))
    assert other.model_match == "other"
    assert {estimate.rung for estimate in from_record(other)} == {"declared"}


@pytest.mark.parametrize("name", ["README.md", "optimizer.pt", ".gitattributes"])
def test_what_is_no_part_of_the_model_does_not_change_its_hash(tmp_path: Path, name: str) -> None:
    folder = a_folder(tmp_path / "bert")
    before = model_digest(folder)
    (folder / name).write_bytes(b"anything")
    assert model_digest(folder) == before


@pytest.mark.parametrize(("old", "new"), [("vocab.txt", "words.txt"), ("config.json", "config.txt")])
def test_a_file_of_another_name_is_another_model(tmp_path: Path, old: str, new: str) -> None:
    folder = a_folder(tmp_path / "bert")
    before = model_digest(folder)
    (folder / old).rename(folder / new)
    assert model_digest(folder) != before


def test_bytes_that_move_from_one_file_to_the_next_are_another_model(tmp_path: Path) -> None:
    folder = a_folder(tmp_path / "bert")
    before = model_digest(folder)
    (folder / "model-00001-of-00002.safetensors").write_bytes(b"first ")
    (folder / "model-00002-of-00002.safetensors").write_bytes(b"halfsecond half")
    assert model_digest(folder) != before


def test_a_folder_without_a_model_is_a_note_and_no_hash(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    record = read_record(recorded(tmp_path, tmp_path / "empty"), model_sha256="ab")
    assert record.notes == ("the model file empty could not be read: FileNotFoundError",)
    assert record.model_match == "unknown"
