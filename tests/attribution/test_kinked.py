"""Midpoint rules for networks with kinks: right, with an error that is what it says, for each row by itself."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.attribution import kinked
from audit.attribution.explanation import completeness_error
from audit.attribution.kinked import has_kinks, midpoints, path_integral

from .worlds import cnn, mlp


def wide(d, width=48):
    layers = [torch.nn.Linear(d, width), torch.nn.ReLU(), torch.nn.Linear(width, width), torch.nn.ReLU()]
    return torch.nn.Sequential(*layers, torch.nn.Linear(width, 1)).eval()


def scalar_of(module):
    return lambda inputs, _: module(*inputs)[:, 0]


def change_of(scalar, x, b):
    rows = torch.arange(len(x))
    with torch.no_grad():
        return (scalar((x,), rows) - scalar((b,), rows)).double()


def found_by(module, x, b, accuracy=0.02):
    scalar = scalar_of(module)
    change = change_of(scalar, x, b)
    return midpoints(scalar, (x,), (b,), change, change.abs().median().expand(len(x)), accuracy)


def truth_of(module, x, b):
    """Two thousand midpoints of each row, one row at a time."""
    at = (torch.arange(2000)[:, None] + 0.5) / 2000
    found = []
    for row, start in zip(x, b, strict=True):
        points = (start + at * (row - start)).requires_grad_()
        (gradient,) = torch.autograd.grad(module(points)[:, 0].sum(), points)
        found.append((gradient.mean(dim=0) * (row - start)).double())
    return torch.stack(found)


def l1(found, truth):
    return (found - truth).abs().flatten(1).sum(1) / truth.abs().flatten(1).sum(1)


class Called(torch.nn.Module):
    """A ReLU that no layer shows."""

    def forward(self, x):
        return torch.relu(x - 0.2).sum(dim=1, keepdim=True)


@pytest.mark.parametrize(
    ("module", "kinks"),
    [
        (mlp(3, activation=torch.nn.ReLU), True),
        (mlp(3, activation=torch.nn.LeakyReLU), True),
        (mlp(3, activation=torch.nn.ReLU6), True),
        (Called(), True),
        (torch.nn.Sequential(torch.nn.Unflatten(1, (1, 3)), torch.nn.MaxPool1d(3), torch.nn.Flatten()), True),
        (mlp(3, activation=torch.nn.GELU), False),
        (mlp(3, activation=torch.nn.Tanh), False),
        (torch.nn.Linear(3, 1), False),
    ],
)
def test_kinks_are_found_however_they_were_written(module, kinks):
    assert has_kinks(scalar_of(module), (torch.randn(4, 3),)) is kinks


def test_the_error_that_is_said_is_that_of_kinks_anywhere():
    at = torch.rand(400, 2, generator=torch.Generator().manual_seed(0))

    def scalar(inputs, rows):
        bent = torch.relu(inputs[0] - at[rows])
        return bent[:, 0] - bent[:, 1]

    x, b = torch.ones(400, 2), torch.zeros(400, 2)
    change = (at[:, 1] - at[:, 0]).double()
    found = midpoints(scalar, (x,), (b,), change, torch.ones(400), accuracy=1.0)
    off = (found.values[0] - (1 - at) * torch.tensor([1.0, -1.0])).abs()
    # jumps of one that lie anywhere in cells of 1/24
    kept = np.array(found.nodes) == 24
    assert found.moved[0][kept].mean() == pytest.approx(np.sqrt(2 / np.pi / 12) / 24, rel=0.05)
    assert 0.3 * float(found.moved[0].mean()) <= float(off.mean()) <= float(found.moved[0].mean())


def test_where_one_column_alone_bends_the_sum_tells_its_value_exactly():
    at = torch.linspace(0.03, 0.97, 50)[:, None]

    def scalar(inputs, rows):
        return torch.relu(inputs[0] - at[rows])[:, 0]

    x, b = torch.ones(50, 1), torch.zeros(50, 1)
    found = midpoints(scalar, (x,), (b,), (1 - at[:, 0]).double(), torch.ones(50), accuracy=1.0)
    np.testing.assert_allclose(found.values[0], 1 - at, atol=1e-6)


def test_gradients_that_leave_something_out_still_show_in_the_sum():
    torch.manual_seed(0)
    module = wide(6)

    class Blind(torch.nn.Module):
        def forward(self, x):
            return module(torch.cat([x[:, :1].detach(), x[:, 1:]], dim=1))

    x = torch.randn(30, 6)
    for network, most in ((module, 0.01), (Blind(), np.inf)):
        found = found_by(network, x, torch.zeros_like(x))
        total, change = found.values[0].sum(dim=1), change_of(scalar_of(network), x, torch.zeros_like(x))
        off = completeness_error(total.numpy(), change.numpy(), change.abs().median().numpy())
        assert np.median(off) <= most
    assert np.median(off) > 0.05


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_values_are_as_accurate_as_was_asked(seed):
    torch.manual_seed(seed)
    module = wide(6)
    x, b = torch.randn(12, 6), torch.randn(12, 6) * 0.1
    found, truth = found_by(module, x, b), truth_of(module, x, b)
    assert l1(found.values[0], truth).median() <= 0.02
    assert found.numerical.max() <= 0.02 or max(found.nodes) == 504


def test_the_expected_error_is_the_mean_error_of_a_rough_network():
    torch.manual_seed(1)
    module = wide(20, 300)
    x, b = torch.randn(60, 20), torch.zeros(60, 20)
    found = found_by(module, x, b, accuracy=0.05)
    ratio = l1(found.values[0], truth_of(module, x, b)).mean() / found.numerical.mean()
    assert 0.6 <= float(ratio) <= 1.3


def test_more_accuracy_costs_more_nodes_and_only_the_rows_that_need_them():
    torch.manual_seed(0)
    module = wide(6)
    x = torch.randn(20, 6)
    x[0] = 1e-3  # hardly a path, and hardly a kink on it
    loose, strict = (found_by(module, x, torch.zeros_like(x), accuracy) for accuracy in (0.05, 0.004))
    assert strict.evaluations > loose.evaluations
    assert strict.nodes[0] == 24
    assert max(strict.nodes) > 24
    assert all(nodes % 16 == 8 for nodes in strict.nodes)


def test_a_row_is_explained_alike_alone_and_beside_others_and_in_small_blocks(monkeypatch):
    torch.manual_seed(0)
    module, x = cnn(channels=2), torch.rand(5, 2, 8, 8)
    together = found_by(module, x, torch.zeros_like(x)).values[0]
    alone = found_by(module, x[3:4], torch.zeros_like(x[3:4])).values[0]
    np.testing.assert_allclose(alone[0], together[3], rtol=1e-4, atol=1e-6)
    monkeypatch.setattr(kinked, "NUMBERS_KEPT", 504 * 128)
    np.testing.assert_allclose(found_by(module, x, torch.zeros_like(x)).values[0], together, rtol=1e-4, atol=1e-6)


def test_channels_last_and_usual_order_give_the_same_values_in_the_same_shape():
    torch.manual_seed(0)
    module, x = cnn(channels=3), torch.rand(4, 3, 8, 8)
    plain = found_by(module, x, torch.zeros_like(x))
    turned = x.contiguous(memory_format=torch.channels_last)
    other = found_by(module, turned, torch.zeros_like(turned))
    np.testing.assert_allclose(other.values[0], plain.values[0], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(other.moved[0], plain.moved[0], rtol=1e-3, atol=1e-6)


def test_a_narrow_step_between_the_first_nodes_is_not_missed():
    def scalar(inputs, _):
        steep = torch.relu(10 * (inputs[0] - 0.32)) - torch.relu(10 * (inputs[0] - 0.42))
        return steep[:, 0] - steep[:, 1]  # the sum is right without any node on the step

    x = torch.ones(1, 2)
    found = path_integral(scalar, (x,), (0 * x,), torch.zeros(1, dtype=torch.float64), torch.ones(1))
    np.testing.assert_allclose(found.values[0].numpy(), [[1.0, -1.0]], atol=0.05)


def test_inputs_too_large_to_hold_their_gradients_are_integrated_by_rules_that_add_up(monkeypatch):
    torch.manual_seed(0)
    module, x = mlp(6, activation=torch.nn.ReLU), torch.randn(3, 6)
    scalar = scalar_of(module)
    change = change_of(scalar, x, 0 * x)
    monkeypatch.setattr(kinked, "NUMBERS_KEPT", 100)
    found = path_integral(scalar, (x,), (0 * x,), change, change.abs().median().expand(3))
    assert found.nodes[0] in {17, 33, 65, 128, 256, 512}
    assert l1(found.values[0], truth_of(module, x, 0 * x)).max() <= 0.05


def test_several_inputs_and_one_that_is_not_used_are_integrated_together():
    class Two(torch.nn.Module):
        def forward(self, a, b):
            return torch.relu(a) @ torch.ones(2, 1)

    ends = (torch.tensor([[1.0, -1.0]]), torch.ones(1, 3)), (torch.zeros(1, 2), torch.zeros(1, 3))
    found = midpoints(scalar_of(Two()), *ends, torch.ones(1, dtype=torch.float64), torch.ones(1))
    np.testing.assert_allclose(found.values[0], [[1.0, 0.0]], atol=1e-6)
    assert not found.values[1].any()
