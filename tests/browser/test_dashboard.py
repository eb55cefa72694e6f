"""Every page of the dashboard over every demonstration run, as a reader meets it."""

from __future__ import annotations

import http.client
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page

from dashboard.app import PAGES
from tests.browser.conftest import served
from tests.browser.looking import Scheme, look
from tests.dashboard.conftest import STORABLE, written
from tests.reports.hostile import hostile

pytestmark = pytest.mark.browser
SLOWEST = 60_000  # ms that a page may take on a busy machine


def settled(page: Page) -> None:
    """Until the script of the page has run and its elements stand."""
    page.wait_for_selector("h1", timeout=SLOWEST)
    page.wait_for_function(
        "() => !document.querySelector('[data-testid=stStatusWidget], [data-testid=stSkeleton], [data-stale=true]')",
        timeout=SLOWEST,
    )
    page.wait_for_timeout(800)  # charts fade in; axe would measure their contrast half-way


def address_of(dashboard: str, path: str, **parameters: str) -> str:
    query = "&".join(f"{key}={quote(value)}" for key, value in parameters.items())
    return f"{dashboard}{'' if path == 'overview' else path}?{query}"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", list(PAGES))
def test_a_page_is_offline_silent_and_accessible_for_every_run(
    demo: Path, dashboard: str, browser: Browser, artifacts: Path, path: str, scheme: Scheme
) -> None:
    results = sorted(demo.glob("*/audits/*/result.json"))
    # The dark screen differs in its colours only: one run with pictures and one with groups show them all.
    for result in results if scheme == "light" else {results[0], results[-1]}:
        seen = look(browser, address_of(dashboard, path, run=result.parent.name), scheme)
        settled(seen.page)
        violations = seen.violations()
        seen.keep(artifacts / f"dashboard-{path}-{result.parents[2].name}-{scheme}.png")
        assert violations == []
        assert seen.page.title() == PAGES[path][0]
        assert seen.page.locator("[data-testid=stException]").count() == 0
        assert seen.outside == []
        assert seen.complaints == []
        seen.page.context.close()


def test_a_link_into_the_dashboard_works_as_the_first_thing_that_is_opened(demo: Path, browser: Browser) -> None:
    with served(demo) as address:
        seen = look(browser, address_of(address, "energy"), "light")
        settled(seen.page)
        assert seen.page.locator("h1").inner_text() == "Energy"
        seen.page.context.close()


def test_no_page_offers_to_install_anything_where_a_coding_assistant_lives(
    demo: Path, browser: Browser, tmp_path: Path
) -> None:
    # Streamlit shows its card where it finds the folder of an assistant and was not told that no browser opens.
    (tmp_path / ".claude").mkdir()
    environment = {"HOME": str(tmp_path), "BROWSER": "true"}
    with served(demo, options=(), environment=environment) as address:
        for path in PAGES:
            seen = look(browser, address_of(address, path), "light")
            settled(seen.page)
            assert seen.page.get_by_test_id("stSkillsNudge").count() == 0
            assert seen.page.get_by_role("button", name="Install").count() == 0
            seen.page.context.close()


def test_the_verdict_and_the_worst_finding_stand_on_the_first_screen(
    demo: Path, dashboard: str, browser: Browser
) -> None:
    run = sorted(demo.glob("mortgage*/audits/*/result.json"))[0].parent.name
    seen = look(browser, address_of(dashboard, "overview", run=run), "light")
    settled(seen.page)
    for found in (seen.page.locator("[data-testid=stAlert]").first, seen.page.get_by_text("Worst finding").first):
        box = found.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 900
    seen.page.context.close()


def test_a_link_reopens_the_state_and_the_run_stays_chosen_from_page_to_page(
    demo: Path, dashboard: str, browser: Browser
) -> None:
    run = sorted(demo.glob("mortgage-pipeline*/audits/*/result.json"))[0].parent.name
    seen = look(browser, address_of(dashboard, "overview", run=run), "light")
    settled(seen.page)
    seen.page.get_by_role("link", name="Groups").click()
    seen.page.wait_for_selector("h1:has-text('Groups')", timeout=SLOWEST)
    settled(seen.page)
    before = seen.page.locator("table").first.inner_text()
    seen.page.get_by_text("Intersections").click()
    seen.page.wait_for_url("**crossed=true**", timeout=SLOWEST)
    changed = "before => document.querySelector('table')?.innerText.trim() !== before.trim()"
    seen.page.wait_for_function(changed, arg=before, timeout=SLOWEST)
    settled(seen.page)
    assert f"run={quote(run)}" in seen.page.url
    shown = seen.page.locator("table").first.inner_text()
    again = look(browser, seen.page.url, "light")
    settled(again.page)
    assert again.page.locator("table").first.inner_text() == shown
    for opened in (seen, again):
        opened.page.context.close()


@pytest.mark.parametrize(("host", "status"), [("evil.example", 403), ("127.0.0.1", 101)])
def test_data_goes_to_a_page_of_this_machine_only(dashboard: str, host: str, status: int) -> None:
    # A foreign name that resolves to this machine would otherwise let a foreign page read the audits.
    port = int(dashboard.rstrip("/").rpartition(":")[2])
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    key = {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
    connection.request("GET", "/_stcore/stream", headers={"Host": f"{host}:{port}", **upgrade, **key})
    assert connection.sock is not None
    assert int(connection.sock.recv(64).split()[1]) == status
    connection.close()


def test_hostile_names_make_the_browser_fetch_and_run_nothing(tmp_path: Path, browser: Browser) -> None:
    written(hostile(STORABLE), tmp_path, "2026-11-21T10:00:00Z")
    written(hostile(STORABLE), tmp_path, "2026-11-22T10:00:00Z")
    with served(tmp_path) as address:
        for path in PAGES:
            seen = look(browser, address_of(address, path), "light")
            settled(seen.page)
            assert seen.outside == []
            assert seen.complaints == []
            assert seen.page.locator("[data-testid=stMain] a[href*=evil]").count() == 0
            assert seen.page.locator("[data-testid=stException]").count() == 0
            seen.page.context.close()
