"""Writing a report: whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from audit.errors import StoreError


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 beside the target and rename: a reader never meets half a report.

    Raises StoreError, naming the path, where the folder is missing, not writable or full.
    """
    data = text.encode("utf-8", errors="replace")
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror or error}; choose another --out") from error
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError as error:
        raise StoreError(
            f"{path} cannot be written: {error.strerror or error}; free space or choose another"
        ) from error
    finally:
        temporary.unlink(missing_ok=True)
