"""report.html of every demonstration run, opened as a reader would open it."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.looking import Scheme, look

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_report_is_offline_silent_and_accessible(
    demo: Path, browser: Browser, artifacts: Path, scheme: Scheme
) -> None:
    reports = sorted(demo.glob("*/audits/*/report.html"))
    assert reports, "the demonstration left no report.html"
    for report in reports:
        seen = look(browser, report.as_uri(), scheme)
        violations = seen.violations()
        seen.keep(artifacts / f"report-{report.parents[2].name}-{scheme}.png")
        assert violations == []
        assert seen.outside == []
        assert seen.complaints == []
        seen.page.context.close()


def test_a_report_runs_no_script_that_is_put_into_it(demo: Path, browser: Browser, tmp_path: Path) -> None:
    report = next(demo.glob("*/audits/*/report.html"))
    attacked = tmp_path / "attacked.html"
    attack = "<main><script>document.title = 'owned'</script><img src='https://evil.example/x'>"
    attacked.write_text(report.read_text(encoding="utf-8").replace("<main>", attack, 1), encoding="utf-8")
    seen = look(browser, attacked.as_uri(), "light")
    assert seen.page.title() != "owned"
    assert seen.outside == []
    seen.page.context.close()
