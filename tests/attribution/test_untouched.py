"""The audited model is given back as it was, also when an exception flies."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.attribution.untouched import state_hash, untouched
from audit.errors import ModelError


def fresh():
    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Dropout(0.3))
    module[1].eval()
    module[0].weight.requires_grad_(False)
    module[0].register_forward_hook(lambda *_: None)
    return module.train(True)


def train_call(module):
    module.train()
    module(torch.randn(8, 3))


def add_hook(module):
    module[1].register_forward_hook(lambda *_: None)
    module[2].register_full_backward_hook(lambda *_: None)


def drop_hook(module):
    module[0]._forward_hooks.clear()


def flags(module):
    module.requires_grad_(True)
    module(torch.randn(8, 3)).sum().backward()


def streams(module):
    torch.rand(3)
    np.random.rand(3)
    random.random()


HARM = [train_call, add_hook, drop_hook, flags, streams]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(HARM), max_size=4), st.booleans())
def test_whatever_is_done_to_the_module_it_comes_back_the_same(harm, raises):
    module = fresh()
    before = (state_hash(module), torch.get_rng_state().tolist(), random.getstate(), np.random.get_state()[1].tolist())
    try:
        with untouched(module) as borrowed:
            assert not any(part.training for part in borrowed.modules())
            for act in harm:
                act(borrowed)
            if raises:
                raise KeyError("flies")
    except KeyError:
        assert raises
    after = (state_hash(module), torch.get_rng_state().tolist(), random.getstate(), np.random.get_state()[1].tolist())
    assert after == before


@pytest.mark.parametrize("harm", [train_call, add_hook, drop_hook, flags])
def test_the_state_hash_sees_every_harm(harm):
    module = fresh()
    before = state_hash(module)
    harm(module)
    assert state_hash(module) != before


def test_a_model_that_trains_while_it_is_examined_is_refused():
    module = fresh()
    with pytest.raises(ModelError, match="changes its own parameters"), untouched(module), torch.no_grad():
        module[0].weight += 1


def test_gradients_exist_inside_even_when_the_caller_forbids_them():
    module = torch.nn.Linear(2, 1)
    with torch.inference_mode(), untouched(module):
        x = torch.ones(1, 2, requires_grad=True)
        (gradient,) = torch.autograd.grad(module(x).sum(), x)
    np.testing.assert_allclose(gradient.numpy(), module.weight.detach().numpy())
