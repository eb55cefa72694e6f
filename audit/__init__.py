"""Assay: responsible-AI audits for trained models.

>>> import audit
>>> run = audit.run(model, test, target="approve", groups=["race", "sex"], train=train)   # doctest: +SKIP
>>> run.verdict, run.save("audits"), run.to_html("report.html")                           # doctest: +SKIP
>>> audit.explain(model, test, target="approve", background=train).parts                  # doctest: +SKIP
>>> with audit.track("training.json"):                                                    # doctest: +SKIP
...     model.fit(X, y)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from audit.api import Run, explain, open_run, run
    from audit.energy.tracker import track
    from audit.models.torch import TorchModel

__all__ = ["Run", "TorchModel", "explain", "open_run", "run", "track"]

# Imported when first used: the command line and the tracker must start without torch, pandas or pydantic.
_HOMES = {
    "Run": "audit.api",
    "explain": "audit.api",
    "open_run": "audit.api",
    "run": "audit.api",
    "track": "audit.energy.tracker",
    "TorchModel": "audit.models.torch",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f'module "audit" has no attribute "{name}"')
    return getattr(importlib.import_module(_HOMES[name]), name)
