"""The demonstration's runs, a served dashboard and a browser that can reach nothing else.

ASSAY_DEMO names the folder that audit demo has left; it is ./assay-demo otherwise.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
START = 60.0  # seconds that the server may take on a busy machine


@pytest.fixture(scope="session")
def demo() -> Path:
    """The folder of demonstration runs. Fails, never skips: a check that did not run is not a pass."""
    folder = Path(os.environ.get("ASSAY_DEMO", "assay-demo")).resolve()
    if not list(folder.glob("*/audits/*/result.json")):
        pytest.fail(f"{folder} holds no demonstration: run 'audit demo', or name its folder in ASSAY_DEMO")
    return folder


@pytest.fixture(scope="session")
def artifacts() -> Path:
    """Where screenshots stay for whoever looks at a failure."""
    folder = Path("artifacts")
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Headless Chromium, as Debian packages it."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.fail("no Chromium: install it with 'apt-get install chromium'")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def dashboard(demo: Path) -> Iterator[str]:
    """The address of a dashboard over the demonstration."""
    with served(demo) as address:
        yield address


@contextmanager
def served(
    folder: Path, *, options: tuple[str, ...] = ("--no-browser",), environment: Mapping[str, str] | None = None
) -> Iterator[str]:
    """The address of a dashboard over ``folder``, served by the command itself."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = ["dashboard", str(folder), *options, "--port", str(port)]
    command = [str(Path(sys.executable).with_name("audit")), *words]
    process = subprocess.Popen(command, env={**os.environ, **(environment or {})})
    address = f"http://127.0.0.1:{port}/"
    try:
        _wait(address, process)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=20)


def _wait(address: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}_stcore/health", timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"the dashboard ended or did not answer within {START:.0f} s")
