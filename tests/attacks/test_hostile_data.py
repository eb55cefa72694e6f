"""Names and values that attack whoever reads them, from the table through a whole audit into every file."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from audit.store import read, verify_integrity
from tests.attacks.audits import audited, run_folder, world

HOSTILE = [
    "<script>alert(1)</script>",
    "![x](https://evil.example/leak.png)",
    "a|b`x`",
    "%0A::error::owned",
    "\n::error file=x::owned",
    "\x00\x1b[31mred",
    "\u202etxt.exe",
    "=cmd()|'/c calc'!A0",
    ']]><!-- "onload="alert(1)',
    "javascript:alert(1)",
    "@team",
    "x" * 5000,
]


class Tags(HTMLParser):
    """What a browser would act on."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.handlers: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in {"src", "href", "action", "data"}]
        self.handlers += [name for name, _ in attrs if name.startswith("on")]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder of an audit in which group names, column names and the audit's own words are attacks."""
    base = tmp_path_factory.mktemp("hostile")
    spec = world(base / "in", HOSTILE, names=("<b>group</b>|\x1b", "=income()<img src=x>"), title="<i>%0A::error::</i>")
    done = audited(spec, base / "out")
    assert done.returncode in {0, 1, 3}, done.stderr
    assert "\x1b[31m" not in done.stdout
    assert "\n::error" not in done.stdout
    assert done.stderr == ""
    return run_folder(base / "out")


def test_every_file_is_there_and_the_result_is_whole(hostile: Path) -> None:
    names = {"result.json", "report.html", "summary.md", "junit.xml", "audit.sarif", "statement.json"}
    assert names <= {p.name for p in hostile.iterdir()}
    assert verify_integrity(hostile) == []
    run = read(hostile)
    assert {v for _, m in run.measurements() for v in m.slice.values()} >= {name for name in HOSTILE if len(name) < 100}


def test_the_report_holds_no_script_no_handler_and_no_address(hostile: Path) -> None:
    tags = Tags()
    text = (hostile / "report.html").read_text(encoding="utf-8")
    tags.feed(text)
    assert not {"script", "iframe", "object", "embed", "form", "img src=x"} & set(tags.tags)
    assert tags.handlers == []
    assert [link for link in tags.links if not link.startswith(("#", "data:image/"))] == []
    assert "\x00" not in text
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_the_summary_holds_no_picture_no_mention_and_no_command(hostile: Path) -> None:
    text = (hostile / "summary.md").read_text(encoding="utf-8")
    assert "![x](" not in text
    assert "<script" not in text
    assert "\n@team" not in text
    assert " @team" not in text
    assert not [line for line in text.splitlines() if line.lstrip().startswith("::")]
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_the_files_of_machines_are_well_formed_and_hold_no_control_characters(hostile: Path) -> None:
    ET.parse(hostile / "junit.xml")
    for name in ("audit.sarif", "statement.json", "result.json"):
        assert json.loads((hostile / name).read_text(encoding="utf-8"))
    for name in ("junit.xml", "audit.sarif", "statement.json"):
        text = (hostile / name).read_text(encoding="utf-8")
        assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", text)
        assert not [line for line in text.splitlines() if line.lstrip().startswith("::error")]
