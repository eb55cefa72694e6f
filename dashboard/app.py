"""The frame of the dashboard, run by Streamlit on every click: navigation above, the chosen run, then one page."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import streamlit as st

from audit import store, wording
from audit.errors import StoreError
from dashboard import runs, widgets
from dashboard.folders import FOLDER
from dashboard.views import attributions, compare, energy, findings, groups, overview, provenance

Show = Callable[[runs.Runs], None]
PAGES: Mapping[str, tuple[str, Show]] = {  # path in the URL: (title, what draws it)
    "overview": ("Overview", overview.show),
    "findings": ("Findings", findings.show),
    "groups": ("Groups", groups.show),
    "attributions": ("Attributions", attributions.show),
    "energy": ("Energy", energy.show),
    "compare": ("Compare", compare.show),
    "provenance": ("Data & provenance", provenance.show),
}


def main(root: Path) -> None:
    """Icon, the chosen run, navigation, the page."""
    icon = Path(__file__).parent / "icon.png"  # a named icon would load a font from the network
    st.set_page_config(page_icon=str(icon), layout="wide")
    # Chosen outside the pages, so that the choice stays when the page changes.
    state = choose(root)
    pages = [
        st.Page(partial(draw, state) if state else _blank, title=title, url_path=path, default=path == "overview")
        for path, (title, draw) in PAGES.items()
    ]
    st.navigation(pages, position="top").run()


def choose(root: Path) -> runs.Runs | None:
    """The run that the selector names; or, where no run can be read, None, having said why."""
    try:
        named, damaged = runs.split(runs.entries_below(root))
        if not named:
            _nothing(root, damaged)
            return None
        chosen = widgets.pick("Run", list(named), "run")
        run = runs.load(named[chosen])
    except StoreError as error:
        st.title("This run cannot be read", anchor=False)
        st.text(str(error))
        return None
    return runs.Runs(root=root, named=named, damaged=damaged, chosen=chosen, run=run)


def _blank() -> None:
    """A page without a run: why has been said already."""


def _nothing(root: Path, damaged: tuple[store.RunEntry, ...]) -> None:
    st.title("No run to show", anchor=False)
    st.text(f"No run below {wording.text(str(root))} can be read. Make one with: audit run")
    widgets.damaged(damaged)


if __name__ == "__main__":
    main(Path(os.environ.get(FOLDER, "audits")))
