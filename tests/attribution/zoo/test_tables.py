"""Every animal is explained rightly, within 1e-3 of an independent reference, or refused in words.

Whatever happens, it is given back as it was: weights, buffers, mode, hooks, gradients and random streams.
"""

from __future__ import annotations

import random
import warnings

import numpy as np
import pytest
import torch

from audit.attribution import explain
from audit.attribution.untouched import state_hash
from audit.errors import ModelError, Unavailable
from tests.attribution.worlds import network, numbers, table

from .reference import double, expected_gradients, shapley
from .tables import ANIMALS, Animal, stacked

ROWS, BACKGROUND = 3, 6
DATA = table(numbers(ROWS, 4, seed=1))
REST = table(numbers(BACKGROUND, 4, seed=2))
MATRIX = np.column_stack(list(REST.features.values()))


def state(module):
    streams = torch.get_rng_state().numpy().tobytes(), random.getstate(), np.random.get_state()[1].tobytes()
    return state_hash(module), streams


def scalar_of(model, module, row):
    """The explained scalar from the module's outputs, written out again."""
    classes = model.classes

    def scalar(inputs):
        out = module(*inputs).reshape(len(inputs[0]), -1)
        if not classes:
            return out[:, 0]
        p = out.clamp(1e-6, 1 - 1e-6)
        if len(classes) == 2 and out.shape[1] == 1:
            return torch.log(p / (1 - p))[:, 0] if model.output == "probability" else out[:, 0]
        if len(classes) == 2:
            return torch.log(p[:, 1] / (1 - p[:, 1])) if model.output == "probability" else out[:, 1] - out[:, 0]
        target = row_target(model, row)
        return torch.log(p[:, target]) if model.output == "probability" else out[:, target]

    return scalar


def row_target(model, row):
    return int(model.predict_proba(DATA.take([row]).features)[0].argmax())


def tensors(model, data):
    encoded = model.encode(data.features)
    return encoded if isinstance(encoded, tuple) else (encoded,)


def by_gradients(model, animal, row):
    module = double(model.module) if animal.name != "cannot be copied" else model.module.double()
    x, b = tensors(model, DATA.take([row])), tensors(model, REST)
    return np.concatenate([p.reshape(-1) for p in expected_gradients(scalar_of(model, module, row), x, b)])


def by_shapley(model, row):
    def worth(coalitions):
        values = []
        for kept in coalitions:
            mixed = np.where(kept, [v[row] for v in DATA.features.values()], MATRIX)
            # a row a call: what company a row is in must not matter, and in int8 it does
            rows = [dict(zip(DATA.features, one[:, None], strict=True)) for one in mixed]
            p = np.concatenate([model.predict_proba(one)[:, 1] for one in rows]).clip(1e-6, 1 - 1e-6)
            values.append(np.mean(np.log(p) - np.log1p(-p)))
        return np.array(values)

    return shapley(worth, 4)


def explained(animal: Animal, model):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return explain(model, DATA, background=REST, seed=0)


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


@pytest.mark.parametrize("animal", ANIMALS, ids=lambda a: a.name)
@pytest.mark.filterwarnings("ignore")
def test_it_is_right_or_refused_and_given_back_as_it_was(animal):
    module = animal.build()
    model = network(module, **animal.options)
    before = state(module)
    if animal.expect in {"refused", "error"}:
        with pytest.raises(Unavailable if animal.expect == "refused" else ModelError) as caught:
            explained(animal, model)
        assert len(getattr(caught.value, "remedy", "") or str(caught.value)) > 20
        if animal.name != "learns while asked":
            assert state(module) == before
        return
    found = explained(animal, model)
    assert state(module) == before
    assert ("gradients" in found.method.split(":")[0]) == (animal.expect == "gradients"), found.note or found.method
    for row in range(ROWS):
        truth = by_gradients(model, animal, row) if animal.expect == "gradients" else by_shapley(model, row)
        np.testing.assert_allclose(found.values[row], truth, atol=1e-3 * max(1.0, np.abs(truth).sum()))


def test_there_are_at_least_sixty_animals_and_no_two_share_a_name():
    assert len({animal.name for animal in ANIMALS}) == len(ANIMALS) >= 60


def test_the_reference_itself_is_right_for_a_product():
    x, b = (torch.tensor([[2.0, 3.0]]),), (torch.zeros(1, 2),)
    (found,) = expected_gradients(lambda t: t[0].prod(dim=1), x, b)
    np.testing.assert_allclose(found, [3.0, 3.0], atol=1e-9)
    np.testing.assert_allclose(shapley(lambda z: z.all(axis=1) * 6.0, 2), [3.0, 3.0])
    assert stacked({"a": np.ones(2)}).shape == (2, 1)
