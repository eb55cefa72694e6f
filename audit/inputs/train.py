"""The data that the model was trained on, where it was given."""

from __future__ import annotations

from audit.case import Case
from audit.data import Dataset
from audit.errors import Unavailable

REQUIRES = {"train": True}


def train(case: Case) -> Dataset:
    if "train" not in case.datasets:
        raise Unavailable("missing_input", "no training data was given", "give [data.train] path")
    return case.datasets["train"]
