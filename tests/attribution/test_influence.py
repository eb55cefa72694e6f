"""Self-influence: the closed form and plain autograd as oracles, and mislabelled rows that are found."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from captum.influence import TracInCPFast
from torch import nn

from audit.attribution.influence import self_influence
from audit.attribution.network import Network
from audit.attribution.untouched import state_hash, untouched
from audit.checks.attribution.training_influence import training_influence
from audit.data.dataset import Column, Roles
from audit.errors import Unavailable

from .worlds import Value, mlp, network, numbers, table

CLASSES = ["0", "1", "2"]


def three(module):
    return Network.of(network(module, classes=CLASSES))


def by_autograd(module, x, y):
    """The squared gradient of each row's own loss by the last layer's parameters."""
    last, found = module[-1], []
    for row, label in zip(x, y, strict=True):
        out = module(row[None])
        loss = (
            nn.functional.cross_entropy(out, label[None])
            if out.shape[1] > 1
            else nn.functional.binary_cross_entropy_with_logits(out[0], label[None].float())
        )
        gradients = torch.autograd.grad(loss, list(last.parameters()))
        found.append(sum(float((g**2).sum()) for g in gradients))
    return found


@pytest.mark.parametrize(("outputs", "classes"), [(3, CLASSES), (1, ["no", "yes"]), (2, ["no", "yes"])])
@pytest.mark.parametrize("bias", [True, False])
def test_the_closed_form_is_the_squared_gradient_of_a_rows_own_loss(outputs, classes, bias):
    module = mlp(4, outputs=outputs)
    if not bias:
        module[-1].bias = None
    x, y = torch.randn(9, 4), torch.arange(9) % max(outputs, 2)
    found = self_influence(Network.of(network(module, classes=classes)), (x,), y.numpy())
    np.testing.assert_allclose(found, by_autograd(module, x, y), rtol=1e-4)


@pytest.mark.parametrize(("outputs", "bias"), [(3, True), (3, False), (1, True), (1, False)])
def test_it_is_the_closed_form_in_double_precision_at_rows_of_every_size(outputs, bias):
    module = mlp(4, outputs=outputs)
    if not bias:
        module[-1].bias = None
    x, y = torch.randn(1500, 4) * torch.logspace(-3, 3, 1500)[:, None], torch.arange(1500) % max(outputs, 2)
    logits, hidden = module(x).detach().double(), torch.tanh(module[0](x)).detach().double()
    wanted = nn.functional.one_hot(y, 3) if outputs == 3 else y[:, None]
    p = logits.softmax(1) if outputs == 3 else logits.sigmoid()
    slow = ((p - wanted) ** 2).sum(1) * ((hidden**2).sum(1) + bias)
    own = Network.of(network(module, classes=CLASSES if outputs == 3 else ["no", "yes"]))
    np.testing.assert_allclose(self_influence(own, (x,), y.numpy()), slow.numpy(), rtol=1e-4)


def test_captum_given_the_whole_network_leaves_the_bias_out_and_is_right_without_one(tmp_path):
    x, y = torch.randn(30, 4), torch.arange(30) % 3
    for bias in (True, False):
        module = mlp(4, outputs=3)
        if not bias:
            module[-1].bias = None
        data = torch.utils.data.TensorDataset(x, y)
        loss = nn.CrossEntropyLoss(reduction="sum")
        peer = TracInCPFast(module, module[-1], data, ["now"], lambda *_: 1.0, loss, batch_size=10)
        theirs = peer.self_influence().detach().numpy()
        ours = self_influence(three(module), (x,), y.numpy())
        assert np.allclose(ours, theirs, rtol=1e-4) == (not bias)


def test_the_network_is_given_back_as_it_was_and_the_same_rows_give_the_same_bytes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    module = mlp(4, outputs=3)
    x, y = torch.randn(300, 4), np.arange(300) % 3
    before = state_hash(module), torch.get_rng_state().numpy().tobytes()
    with untouched(module):
        first, second = (self_influence(three(module), (x,), y) for _ in range(2))
    assert first.tobytes() == second.tobytes()
    assert before == (state_hash(module), torch.get_rng_state().numpy().tobytes())
    assert not list(tmp_path.iterdir())


def world(n=600, wrong=12):
    """Three clear classes; twelve labels are wrong."""
    cells = numbers(n, 4)
    label = np.arange(n) % 3
    for j in range(3):
        cells[f"x{j}"] = cells[f"x{j}"] * 0.5 + 4 * (label == j)
    given = label.copy()
    given[:wrong] = (given[:wrong] + 1) % 3
    data = table({**cells, "y": given.astype(float)}, roles=Roles(target="y", features=tuple(cells)))
    data = replace(data, columns={**data.columns, "y": Column(name="y", kind="category")})
    x = torch.from_numpy(np.column_stack(list(cells.values())).astype(np.float32))
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 3))
    optimiser = torch.optim.Adam(module.parameters(), lr=0.02)
    for _ in range(80):
        optimiser.zero_grad()
        nn.functional.cross_entropy(module(x), torch.from_numpy(given)).backward()
        optimiser.step()
    return network(module.eval(), classes=CLASSES), data, x, given


def test_mislabelled_rows_are_the_strongest():
    model, _, x, given = world()
    influence = self_influence(Network.of(model), (x,), given)
    assert set(np.argsort(influence)[-12:]) == set(range(12))


def test_the_check_says_how_much_the_strongest_hundredth_holds():
    model, data, _, _ = world()
    outcome = training_influence(model, data, 1, 0.95)
    found = {(m.name, m.params.get("class")): m for m in outcome.measurements}
    assert found["top_influence_share", None].value > 0.2
    assert found["top_influence_share", None].n == 600
    shares = [found["relative_self_influence", name].value for name in CLASSES]
    assert np.mean(shares) == pytest.approx(1)


def test_the_interval_of_a_class_whose_influence_one_row_holds_stays_above_0(monkeypatch):
    model, data, _, given = world()
    influence = np.where(np.arange(600) == np.flatnonzero(given == 0)[0], 1e4, np.linspace(0.1, 1, 600))
    monkeypatch.setattr("audit.checks.attribution.training_influence.self_influence", lambda *_: influence)
    outcome = training_influence(model, data, 1, 0.95)
    of_class = next(m for m in outcome.measurements if m.params.get("class") == "0")
    assert 0 < of_class.interval.lower < of_class.value < of_class.interval.upper


def test_what_has_no_last_layer_of_logits_is_refused():
    with pytest.raises(Unavailable, match="linear layer of logits"):
        self_influence(three(nn.Sequential(mlp(4, outputs=3), nn.Tanh())), (torch.randn(2, 4),), np.array([0, 1]))
    model, data, _, _ = world(60)
    with pytest.raises(Unavailable, match="60 labelled rows"):
        training_influence(model, data, 1, 0.95)
    with pytest.raises(Unavailable, match="no gradients"):
        training_influence(Value(lambda c: c["x0"]), data, 1, 0.95)
