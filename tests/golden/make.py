"""Made the stored run of this folder once. It is kept as it is: a new format gets a folder of its own."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from audit import store
from tests.store.test_format import with_groups

HERE = Path(__file__).parent


def main() -> None:
    with tempfile.TemporaryDirectory() as work:
        folder, _ = store.write(with_groups(), Path(work), {})
        shutil.copytree(folder, HERE / "v1", dirs_exist_ok=True)


if __name__ == "__main__":
    main()
