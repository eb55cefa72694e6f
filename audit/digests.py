"""The hash that ties a record to a model: of one file, or of the files of a folder."""

from __future__ import annotations

import hashlib
from pathlib import Path

MODEL_FILES = frozenset({".json", ".safetensors", ".txt", ".model"})  # what a transformers folder is read from
CHUNK = 1 << 20


def folder_digest(folder: Path) -> tuple[str, int]:
    """sha256 over the names and bytes of the model's files in a folder, by name, and how many bytes they are.

    Raises OSError where a file cannot be read, and FileNotFoundError where the folder holds none.
    """
    digest, size = hashlib.sha256(), 0
    found = sorted(path for path in folder.iterdir() if path.suffix in MODEL_FILES and path.is_file())
    if not found:
        raise FileNotFoundError(f"{folder} holds no file of a model ({', '.join(sorted(MODEL_FILES))})")
    for path in found:
        length = path.stat().st_size
        digest.update(f"{path.name}\0{length}\0".encode())
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):  # weights may be larger than the memory that is left
                digest.update(chunk)
        size += length
    return digest.hexdigest(), size


def model_digest(path: Path) -> str:
    """sha256 of a model's file, or of its folder. Raises OSError."""
    if path.is_dir():
        return folder_digest(path)[0]
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
