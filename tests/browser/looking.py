"""A page as a browser shows it: what it asked for, what it complained about, what axe finds."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, Route

Scheme = Literal["light", "dark"]
# Streamlit asks every folder of a deep link whether the server lies there; the answer is no, and that is no fault.
_PROBE = re.compile(r"/[a-z]+/_stcore/(health|host-config)$")


@dataclass(kw_only=True)
class Seen:
    """What happened while a page was open."""

    page: Page
    outside: list[str] = field(default_factory=list)  # requests for anything but the page's own origin
    complaints: list[str] = field(default_factory=list)  # console errors and uncaught exceptions

    def violations(self) -> list[str]:
        """Rules of axe that the page breaks, each with its first element."""
        found: list[dict[str, Any]] = Axe().run(self.page).response["violations"]
        return [f"{rule['id']} ({len(rule['nodes'])}): {rule['nodes'][0]['html'][:200]}" for rule in found]

    def keep(self, path: Path) -> None:
        """A screenshot of the whole page."""
        height = self.page.evaluate(
            "() => Math.max(document.body.scrollHeight, "
            "document.querySelector('[data-testid=stMain]')?.scrollHeight ?? 0)"
        )
        self.page.set_viewport_size({"width": 1366, "height": max(900, min(int(height) + 60, 8000))})
        self.page.wait_for_timeout(300)  # what was outside the window is drawn now
        self.page.screenshot(path=str(path), full_page=True)


def look(browser: Browser, address: str, scheme: Scheme) -> Seen:
    """The page at ``address``, in a context that lets no request out."""
    context = browser.new_context(color_scheme=scheme, viewport={"width": 1366, "height": 900})
    seen = Seen(page=context.new_page())
    origin = re.match(r"https?://[^/]+/", address)
    allowed = (origin.group(), "data:", "blob:") if origin else ("file:", "data:")

    def guard(route: Route) -> None:
        if route.request.url.startswith(allowed):
            route.continue_()
        else:
            seen.outside.append(route.request.url)
            route.abort()

    def complain(message: ConsoleMessage) -> None:
        if message.type == "error" and not _PROBE.search(message.location.get("url", "")):
            seen.complaints.append(message.text)

    def refuse(dialog: Dialog) -> None:
        seen.complaints.append(f"a dialog opened: {dialog.message}")
        dialog.dismiss()

    context.route("**/*", guard)
    seen.page.on("console", complain)
    seen.page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    seen.page.on("dialog", refuse)
    seen.page.goto(address)
    return seen
