"""The model under review, where there is one."""

from __future__ import annotations

from audit.case import Case
from audit.errors import Unavailable
from audit.models import Model

REQUIRES = {"model": True}


def model(case: Case) -> Model:
    if case.model is None:
        raise Unavailable("missing_input", "only predictions were given, no model", "give [model] path")
    return case.model
