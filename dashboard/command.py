"""Explore and compare stored runs in the browser, on this machine.

The pages only read run folders: nothing is measured again, no model is loaded and nothing leaves the machine.
"""

from __future__ import annotations

import argparse
import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

from audit.errors import UsageError
from dashboard.folders import FOLDER, find_folders

LOOPBACK = ("127.0.0.1", "localhost", "::1")
FIRST_PORT = 8501
MOST_PORTS = 100  # to try after the first
_HERE = Path(__file__).parent


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare ``audit dashboard [DIR] [--port PORT] [--host HOST] [--no-browser]``."""
    parser.add_argument(
        "folder",
        metavar="DIR",
        nargs="?",
        type=Path,
        default=Path("audits"),
        help="a run folder, or a folder with runs at most three levels below it; default: audits",
    )
    parser.add_argument("--port", type=int, help=f"default: the first free one from {FIRST_PORT} on")
    parser.add_argument("--host", default=LOOPBACK[0], help="default: 127.0.0.1, which only this machine can reach")
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser")


def run(arguments: argparse.Namespace) -> int:
    """Serve until interrupted. Raises UsageError when there is no run to show or the port is taken."""
    folder = arguments.folder.resolve()
    if next(find_folders(folder), None) is None:
        raise UsageError(_nothing_in(arguments.folder))
    port = free_port(arguments.host, arguments.port)
    if arguments.host not in LOOPBACK:
        _say(f"audit: warning: {arguments.host} can be reached by others, and the dashboard asks for no password")
    os.environ[FOLDER] = str(folder)
    _say(f"Dashboard of {arguments.folder} on http://{_shown(arguments.host)}:{port}, until Ctrl-C")
    _serve(server_config(arguments.host, port, open_browser=not arguments.no_browser))
    return 0


def server_config(host: str, port: int, *, open_browser: bool = True) -> Mapping[str, object]:
    """The settings of the server, each unlike the default of Streamlit, which is made for apps on the open web."""
    return {
        "server.address": host,  # the default binds every interface
        "server.port": port,
        "server.headless": not open_browser,
        "server.allowedHosts": ["localhost", "127.0.0.1", "[::1]"] if host in LOOPBACK else [],
        "server.fileWatcherType": "none",
        "server.showEmailPrompt": False,
        "logger.hideWelcomeMessage": True,  # and with it the card that offers to install skills; we say the address
        "browser.gatherUsageStats": False,
        "client.toolbarMode": "minimal",
        "client.showErrorDetails": "none",
        "theme.base": str(_HERE / "theme.toml"),
    }


def free_port(host: str, wanted: int | None) -> int:
    """``wanted`` if nobody listens there, else UsageError; without a wish the first free one from 8501 on."""
    if wanted is not None:
        if not 1 <= wanted <= 65_535:
            raise UsageError(f"--port must lie between 1 and 65535, got {wanted}")
        if not _free(host, wanted):
            raise UsageError(f"port {wanted} of {host} is taken: give another --port, or none to have a free one found")
        return wanted
    for port in range(FIRST_PORT, FIRST_PORT + MOST_PORTS):
        if _free(host, port):
            return port
    raise UsageError(f"no free port from {FIRST_PORT} to {FIRST_PORT + MOST_PORTS - 1} on {host}: give one with --port")


def _free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except socket.gaierror as error:
            raise UsageError(f"--host {host} is no address of this machine: leave it out, or give 0.0.0.0") from error
        except OSError:
            return False
    return True


def _serve(config: Mapping[str, object]) -> None:
    import streamlit as st

    from dashboard.headers import middleware

    st.App(_HERE / "app.py", middleware=[middleware()]).run(config=config)


def _nothing_in(folder: Path) -> str:
    if not folder.exists():
        found = f"there is no folder {folder}"
    else:
        found = f"{folder} holds no run, nor do the folders up to three levels below it"
    return f'{found}: make a run with "audit run" or "audit demo", then name its folder: audit dashboard DIR'


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
