"""audit.explain as docs/explain.md shows it: every example runs, and gives what its comment says."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.ensemble import RandomForestClassifier
from torch import nn

import audit
from audit.errors import AuditError
from audit.models.torch import TorchModel

from .one_call_worlds import CLASSES, Reads, Recurrent, as_table
from .worlds import cnn

PAGE = Path(__file__).parents[2] / "docs" / "explain.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


class Head(Recurrent):
    def __init__(self):
        super().__init__(nn.GRU)
        self.head = nn.Linear(5, 2)


def names():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"income": rng.normal(size=40), "age": rng.normal(size=40)})
    forest = RandomForestClassifier(5, random_state=0).fit(frame, frame["income"] > 0)
    pixels = {f"px_{j}": rng.random(6) for j in range(64)}
    south = rng.integers(0, 2, 30)
    visits = pd.DataFrame(
        {"region_south": south, "region_north": 1 - south, **dict.fromkeys(("weight", "height", "age"))}
    )
    visits[["weight", "height", "age"]] = rng.normal(size=(30, 3))
    clinic = RandomForestClassifier(5, random_state=0).fit(visits, visits["weight"] * visits["height"] > south)
    encode = lambda columns: (torch.from_numpy(columns["scan"]), as_table(columns))  # noqa: E731
    return {
        "audit": audit,
        "forest": forest,
        "frame": frame.assign(approve=1),
        "train": frame.assign(approve=0),
        "cnn": cnn(classes=2),
        "scans": pd.DataFrame(pixels),
        "sentiment": lambda frame: frame["note"].str.contains("good").to_numpy() * 0.8 + 0.1,
        "recurrent": Head().eval(),
        "signals": {"signal": [rng.normal(size=24) for _ in range(4)]},
        "wards": pd.DataFrame({**pixels, "age": rng.normal(size=6), "town": ["east", "west"] * 3}),
        "clinic": clinic,
        "visits": visits,
        "ward": TorchModel(Reads(note=False), encode, CLASSES, "logit", features=["scan", "age", "town"]),
    }


SHAPES = [
    {"income": (40,), "age": (40,)},
    {"scan": (6, 8, 8)},
    {"note": (2, 4)},
    {"signal": (4, 12, 2)},
    {"scan": (6, 8, 8), "age": (6,), "town": (6,)},
    {"head": (4, 2)},
    {"region": (30,), "body": (30,), "age": (30,)},
]


@pytest.mark.parametrize(("example", "shapes"), list(zip(EXAMPLES, SHAPES, strict=True)))
def test_every_example_of_the_page_is_short_runs_and_gives_these_shapes(example, shapes):
    assert len(example.strip().splitlines()) <= 5
    space = names()
    exec(example, space)
    found = space["found"]
    assert {name: part.shape for name, part in found.parts.items()} == shapes
    total = sum(np.asarray(p).reshape(len(found.output), -1).sum(axis=1) for p in found.parts.values())
    np.testing.assert_allclose(total, found.output - found.base, atol=0.02)


def test_a_function_of_pictures_is_given_the_array():
    seen = []

    def bright(pictures):
        seen.append(pictures.shape[1:])
        return pictures.mean(axis=(1, 2, 3))

    columns = {"scan": {"kind": "image", "from": "px_*", "shape": [1, 8, 8]}}
    found = audit.explain(bright, names()["scans"], columns=columns, output="value")
    assert set(seen) == {(1, 8, 8)}
    np.testing.assert_allclose(found.parts["scan"].sum(axis=(1, 2)), found.output - found.base, atol=1e-6)


def test_what_cannot_be_explained_is_an_error_in_words():
    space = names()
    with pytest.raises(AuditError, match="is not in the network: name one of head"):
        audit.explain(
            space["recurrent"],
            space["signals"],
            columns={"signal": {"kind": "series", "shape": [12, 2]}},
            classes=["a", "b"],
            output="logit",
            layer="encoder",
        )
    with pytest.raises(AuditError, match="say what the function returns"):
        audit.explain(lambda frame: frame, space["frame"])
    with pytest.raises(AuditError, match="pixels"):
        audit.explain(space["cnn"], space["scans"], columns={"scan": {"kind": "image", "from": "pixels_*"}})
