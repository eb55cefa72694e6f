"""Shares of modalities: exact on worlds where each kind of input's part is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from audit.attribution.multimodal import modalities, modality_values, shapley_weights
from audit.checks.attribution.modality_share import modality_share
from audit.data import Dataset
from audit.data.dataset import Column, Roles
from audit.errors import Unavailable
from audit.inputs.groups import Groups, GroupSet
from audit.results import Ranking

from .worlds import Value, numbers, table
from .zoo.reference import shapley


def ward(n=40, seed=0):
    """A picture of four pixels, a note and two numbers."""
    rng = np.random.default_rng(seed)
    pixels = rng.random((n, 4)).astype(np.float32)
    cells = {f"p{j}": pixels[:, j] for j in range(4)}
    cells |= {"note": rng.choice(["ill", "well"], n), "age": rng.normal(size=n), "dose": rng.normal(size=n)}
    columns = {
        "scan": Column(name="scan", kind="image", sources=("p0", "p1", "p2", "p3"), shape=(1, 2, 2)),
        "note": Column(name="note", kind="text"),
        "age": Column(name="age", kind="number"),
        "dose": Column(name="dose", kind="number"),
    }
    roles = Roles(features=("scan", "note", "age", "dose"))
    return Dataset(name="test", table=pa.table(cells), columns=columns, roles=roles)


def three_parts(c):
    return 2 * c["scan"].sum(axis=(1, 2, 3)) + (c["note"] == "ill") * 1.5 + c["age"] * c["dose"]


def test_numbers_are_one_modality_and_every_picture_and_text_its_own():
    assert modalities(ward()) == {"scan": ("scan",), "note": ("note",), "table": ("age", "dose")}


def test_an_additive_model_gives_each_modality_its_own_part():
    data, rest = ward(), ward(15, seed=1).features
    found = modality_values(Value(three_parts), data, rest, None)
    f = data.features
    for name, part in {
        "scan": lambda c: 2 * c["scan"].sum(axis=(1, 2, 3)),
        "note": lambda c: (c["note"] == "ill") * 1.5,
        "table": lambda c: c["age"] * c["dose"],
    }.items():
        got = found.values[:, found.names.index(name)]
        np.testing.assert_allclose(got, part(f) - part(rest).mean(), atol=1e-5)


def test_interacting_modalities_share_as_the_definition_says_and_add_up():
    data, rest = ward(5), ward(7, seed=1).features
    model = Value(lambda c: three_parts(c) * (1 + (c["note"] == "ill")) + c["scan"][:, 0, 0, 0] * c["age"])
    found = modality_values(model, data, rest, None)
    members = list(modalities(data).values())
    for row in range(5):
        one = {k: np.repeat(v[row : row + 1], 7, axis=0) for k, v in data.features.items()}

        def worth(coalitions, one=one):
            mixed = [
                {n: one[n] if kept[j] else rest[n] for j, names in enumerate(members) for n in names}
                for kept in coalitions
            ]
            return np.array([model.predict_value({n: m[n] for n in one}).mean() for m in mixed])

        np.testing.assert_allclose(found.values[row], shapley(worth, 3), atol=1e-6)
    change = model.predict_value(data.features) - model.predict_value(rest).mean()
    np.testing.assert_allclose(found.values.sum(axis=1), change, atol=1e-5)


def test_weights_of_every_size_add_up_to_the_difference_of_the_ends():
    for m in range(2, 7):
        coalitions = (np.arange(2**m)[:, None] >> np.arange(m)[None, :]) & 1 == 1
        total = shapley_weights(coalitions).sum(axis=1)
        np.testing.assert_allclose(total[[0, -1]], [-1, 1])
        np.testing.assert_allclose(total[1:-1], 0, atol=1e-12)


def test_one_modality_is_refused_and_flat_rows_have_no_share():
    with pytest.raises(Unavailable, match="1 modality,"):
        modality_values(Value(lambda c: c["x0"]), table(numbers(3, 2)), table(numbers(3, 2)).features, None)
    found = modality_values(Value(lambda c: np.ones(len(c["age"]))), ward(4), ward(3).features, None)
    assert np.isnan(found.shares).all()


def test_the_check_measures_shares_overall_and_by_group():
    from types import SimpleNamespace

    data = ward(80)
    sex = GroupSet(columns=("sex",), codes=(np.arange(80) % 2).astype(np.int32), levels=({"sex": "f"}, {"sex": "m"}))
    case = SimpleNamespace(datasets={"train": replace(ward(60, seed=2), name="train")}, positive=None)
    model = Value(lambda c: c["scan"].sum(axis=(1, 2, 3)))
    outcome = modality_share(model, data, SimpleNamespace(decided=None), Groups(n=80, sets=(sex,)), case, 1, 0.95)
    shares = {(m.params["modality"], m.slice.get("sex")): m for m in outcome.measurements}
    assert shares["scan", None].value == pytest.approx(1)
    assert shares["table", "f"].value == pytest.approx(0)
    assert shares["scan", "m"].n == 40
    (ranking,) = [item for item in outcome.evidence if isinstance(item, Ranking)]
    assert ranking.items[0].label == "scan"
