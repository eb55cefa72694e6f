"""A few rows whose answers are known, which the loaded model must reproduce."""

from __future__ import annotations

from audit.case import Case
from audit.data import Dataset
from audit.errors import Unavailable

REQUIRES = {"known": True}


def known(case: Case) -> Dataset:
    if "known" not in case.datasets:
        raise Unavailable("missing_input", "no rows with known answers were given", "give [data.known] path")
    if case.model is None:
        raise Unavailable(
            "missing_input", "stored predictions have no model that could reproduce them", "give [model] path"
        )
    return case.datasets["known"]
