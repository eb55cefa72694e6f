"""audit dashboard: what it serves, where, and what it says when there is nothing to serve."""

from __future__ import annotations

import argparse
import asyncio
import socket
from pathlib import Path

import pytest
from starlette.types import Message, Send

from audit.cli import main
from audit.errors import UsageError
from dashboard import command, folders, headers


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return parser.parse_args(words)


def test_the_server_is_reached_from_this_machine_only() -> None:
    config = command.server_config(parsed().host, 8501)
    assert config["server.address"] == "127.0.0.1"
    assert config["server.allowedHosts"] == ["localhost", "127.0.0.1", "[::1]"]


def test_nothing_is_reported_to_anyone() -> None:
    config = command.server_config("127.0.0.1", 8501)
    assert config["browser.gatherUsageStats"] is False
    assert config["server.showEmailPrompt"] is False
    assert config["client.showErrorDetails"] == "none"


def test_nothing_is_offered_to_be_installed_whether_a_browser_is_opened_or_not(
    one_run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # Streamlit shows its card and its advice where neither setting holds; headless is False for who opens a browser.
    for words in ((), ("--no-browser",)):
        config = command.server_config("127.0.0.1", 8501, open_browser=not words)
        assert config["logger.hideWelcomeMessage"] is True
    # The setting also silences the address, so that the command itself must say it.
    monkeypatch.setattr(command, "_serve", lambda config: None)
    monkeypatch.setenv(folders.FOLDER, "")
    assert command.run(parsed(str(one_run))) == 0
    assert "http://127.0.0.1:" in capsys.readouterr().err


def test_every_setting_is_known_to_the_server() -> None:
    from streamlit import config as streamlit_config

    known = streamlit_config.get_config_options()
    assert set(command.server_config("127.0.0.1", 8501)) <= set(known)


def test_the_theme_file_is_there() -> None:
    assert Path(str(command.server_config("127.0.0.1", 1)["theme.base"])).is_file()


def test_no_browser_means_headless() -> None:
    assert command.server_config("127.0.0.1", 1, open_browser=False)["server.headless"] is True
    assert command.server_config("127.0.0.1", 1)["server.headless"] is False


def test_a_folder_without_a_run_exits_2_and_says_what_to_type(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["dashboard", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert "holds no run" in said
    assert "audit run" in said
    assert "audit demo" in said


def test_a_folder_that_is_not_there_exits_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dashboard", str(tmp_path / "nowhere")]) == 2
    assert "there is no folder" in capsys.readouterr().err


def test_another_host_is_warned_about(
    one_run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    served: list[object] = []
    monkeypatch.setattr(command, "_serve", served.append)
    monkeypatch.setenv(folders.FOLDER, "")
    assert command.run(parsed(str(one_run), "--host", "0.0.0.0", "--no-browser")) == 0
    assert "asks for no password" in capsys.readouterr().err
    assert served
    assert command.run(parsed(str(one_run), "--no-browser")) == 0
    assert "password" not in capsys.readouterr().err


def test_a_port_that_is_taken_is_passed_over_and_refused_when_asked_for() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match="is taken"):
            command.free_port("127.0.0.1", port)
    assert command.free_port("127.0.0.1", None) >= command.FIRST_PORT


@pytest.mark.parametrize("port", [0, -1, 65_536])
def test_a_port_out_of_range_is_refused(port: int) -> None:
    with pytest.raises(UsageError, match="between 1 and 65535"):
        command.free_port("127.0.0.1", port)


def test_runs_are_found_three_levels_deep_and_no_deeper(tmp_path: Path) -> None:
    for place in ("a", "b/c", "d/e/f", "g/h/i/j", ".hidden"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "result.json").write_text("{}")
    found = [str(folder.relative_to(tmp_path)) for folder in folders.find_folders(tmp_path)]
    assert found == ["a", "b/c", "d/e/f"]
    assert list(folders.find_folders(tmp_path / "a")) == [tmp_path / "a"]


def test_no_link_is_followed_out_of_the_folder(tmp_path: Path) -> None:
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    outside.mkdir()
    (outside / "result.json").write_text("{}")
    (inside / "run").mkdir(parents=True)
    (inside / "linked").symlink_to(outside)
    (inside / "run" / "result.json").symlink_to(outside / "result.json")
    assert list(folders.find_folders(inside)) == []


def test_every_answer_forbids_what_would_leave_this_machine() -> None:
    sent: list[Message] = []

    async def app(scope: object, receive: object, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x", b"y")]})

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(headers.SafeHeaders(app)({"type": "http"}, None, send))  # type: ignore[arg-type]
    policy = dict(sent[0]["headers"])[b"content-security-policy"].decode()
    assert "default-src 'self'" in policy
    assert "http:" not in policy
    assert "https:" not in policy
    assert dict(sent[0]["headers"])[b"x"] == b"y"


def test_the_command_does_not_import_the_server_to_say_that_there_is_no_run() -> None:
    import subprocess
    import sys

    code = "import sys, dashboard.command; sys.exit(any(m in sys.modules for m in ('streamlit', 'pandas', 'torch')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_no_folder_beside_the_app_is_taken_for_pages_of_its_own() -> None:
    # Streamlit serves the files of a folder "pages" to whoever opens a link first, without the frame of the app.
    assert not (Path(command.__file__).parent / "pages").exists()
