"""One call for every family of models and every modality, and one shape of answer."""

from __future__ import annotations

import numpy as np
import pytest

from audit.attribution import explain
from audit.attribution.explanation import RED
from audit.errors import Unavailable, UsageError
from audit.models import ProbabilisticClassifier, Regressor

from .one_call_worlds import WORLDS, people, signals
from .worlds import Classes, images, network, numbers, table

MODALITIES = {"table", "image", "text", "audio", "series", "several"}


def test_the_worlds_cover_twelve_families_and_six_modalities():
    assert {name.split("/")[0] for name in WORLDS} == MODALITIES
    assert len({name.split("/")[1] for name in WORLDS}) >= 12
    for modality in MODALITIES:
        assert sum(name.startswith(f"{modality}/") for name in WORLDS) >= 3


def scalar(found, model, data):
    """What the answer says that it explains, from the model's own predictions."""
    if isinstance(model, Regressor) and not model.classes:
        return model.predict_value(data.features)
    assert isinstance(model, ProbabilisticClassifier)
    p = np.clip(model.predict_proba(data.features), 1e-6, 1 - 1e-6)
    mine = p[np.arange(len(p)), [model.classes.index(t) for t in found.targets]]
    return {"log-odds": np.log(mine / (1 - mine)), "log-probability": np.log(mine), "probability": mine}.get(found.unit)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", WORLDS)
def test_every_model_is_explained_by_the_same_call_in_the_same_shape(name):
    model, data = WORLDS[name]()
    found = explain(model, data)
    n, modality = data.n, name.split("/")[0]
    assert found.modality == (modality if name != "several/function" else "table")
    assert set(found.parts) == set(data.roles.features)
    total = sum(np.asarray(part, dtype=np.float64).reshape(n, -1).sum(axis=1) for part in found.parts.values())
    np.testing.assert_allclose(total, found.output - found.base, atol=RED * (1 + np.abs(found.output).max()))
    assert found.completeness.shape == found.numerical.shape == found.output.shape == found.base.shape == (n,)
    assert np.median(found.completeness) <= RED
    assert len(found.targets) == n
    assert min(found.evaluations, found.background_n) >= 1
    assert all([found.scalar, found.unit, found.method, found.value_function])
    expected = scalar(found, model, data)
    if expected is not None:  # logits of several classes are the network's own
        np.testing.assert_allclose(found.output, expected, atol=1e-4)
    assert dict(found.facts)["model evaluations"] == found.evaluations


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "name", ["table/nearest neighbours", "image/function", "text/TF-IDF pipeline", "series/GRU", "several/function"]
)
def test_the_same_seed_gives_the_same_numbers(name):
    model, data = WORLDS[name]()
    first, second = (explain(model, data, seed=3) for _ in range(2))
    for key in first.parts:
        np.testing.assert_array_equal(first.parts[key], second.parts[key])


def test_sound_is_explained_on_the_bands_of_its_spectrogram():
    model, data = WORLDS["audio/log-mel convolutions"]()
    assert explain(model, data).parts["signal"].shape[:2] == (4, 12)


def test_a_network_without_gradients_is_asked_as_a_black_box_and_the_answer_says_so():
    import torch

    class Detached(torch.nn.Module):
        def forward(self, x):
            return torch.stack([x.mean(dim=(1, 2, 3)), 0 * x.mean(dim=(1, 2, 3))], dim=1).detach()

    found = explain(network(Detached()), images(3))
    assert "gradients cannot be used here" in found.note
    assert "Shapley" in found.method


def test_any_model_can_be_asked_as_a_black_box():
    model, data = WORLDS["image/convolutions"]()
    assert "Shapley values of patches" in explain(model, data, method="shapley").method
    model, data = WORLDS["several/picture and table"]()
    assert set(explain(model, data, method="shapley").parts) == {"scan", "age", "town"}


def test_every_method_of_tables_explains_one_hot_columns_as_the_users_column():
    model, data = WORLDS["table/pipeline with one-hot columns"]()
    exact, shapley = (explain(model, data, method=m) for m in ("exact", "shapley"))
    assert tuple(exact.parts) == tuple(shapley.parts) == tuple(people().features)
    np.testing.assert_allclose(exact.parts["town"], shapley.parts["town"], atol=1e-6)


def test_what_cannot_be_explained_is_said_in_words():
    class Decides:
        kind, name, classes, features = "callable", "decides", ("no", "yes"), None

        def predict(self, columns):
            return np.array(["no"] * len(next(iter(columns.values()))))

    for data in (images(2), signals(2), table(numbers(2, 2))):
        with pytest.raises(Unavailable, match="gives no probabilities"):
            explain(Decides(), data)
    with pytest.raises(Unavailable, match="no layers"):
        explain(Classes(lambda c: np.ones((2, 2)) / 2), table(numbers(2, 2)), layer="encoder")
    with pytest.raises(UsageError, match="method must be one of"):
        explain(Decides(), images(2), method="magic")
    with pytest.raises(Unavailable, match="no rows"):
        explain(Decides(), images(2).take([]))


def test_gradients_that_do_not_add_up_are_no_answer():
    """A false gradient is seen in its sums: the other baseline answers where it is sound, else a black box is asked."""
    import torch

    from .zoo.parts import Wrong

    class False_(torch.nn.Module):  # noqa: N801  # what it returns is right, its gradient is not
        def forward(self, x):
            bright = Wrong.apply(x * 2).mean(dim=(1, 2, 3))
            return torch.stack([bright, -bright], dim=1)

    found = explain(network(False_()), images(3))
    assert "off by" in found.note
    assert "Shapley" in found.method
    assert found.completeness.max() < 0.01
