"""Counted operations against 2 x multiply-adds written down from shapes, for every kind of layer that carries cost."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from math import prod

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from audit.energy.flops import count_flops
from audit.errors import Unavailable

B = 3  # rows
Case = tuple[nn.Module, tuple[torch.Tensor, ...], int]  # layer, inputs, operations of one forward


class Call(nn.Module):
    """A plain function as a layer."""

    def __init__(self, function: Callable[..., torch.Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        return self.function(*inputs)


class Scaled(nn.Module):
    """The layer behind a trainable scale of its inputs, so that the gradient of the inputs is needed as well."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.scale, self.layer = nn.Parameter(torch.ones(1)), layer

    def forward(self, *inputs: torch.Tensor) -> object:
        return self.layer(*(x * self.scale for x in inputs))


class SelfAttention(nn.Module):
    def __init__(self, *, need_weights: bool) -> None:
        super().__init__()
        self.attention, self.need_weights = nn.MultiheadAttention(16, 4, batch_first=True), need_weights

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.attention(x, x, x, need_weights=self.need_weights)[0]


def linear(width: int, out: int, *lead: int, bias: bool = True) -> Case:
    return nn.Linear(width, out, bias=bias), (torch.randn(B, *lead, width),), 2 * B * prod(lead) * width * out


def conv(rank: int, channels: int, out: int, kernel: int, *, groups: int = 1, stride: int = 1, pad: int = 0) -> Case:
    kind = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[rank - 1]
    layer = kind(channels, out, kernel, groups=groups, stride=stride, padding=pad)
    side = (7 + 2 * pad - kernel) // stride + 1
    return layer, (torch.randn(B, channels, *[7] * rank),), 2 * B * side**rank * out * channels // groups * kernel**rank


def transposed(rank: int, channels: int, out: int, kernel: int, *, groups: int = 1, stride: int = 1) -> Case:
    kind = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)[rank - 1]
    layer = kind(channels, out, kernel, groups=groups, stride=stride)
    return layer, (torch.randn(B, channels, *[5] * rank),), 2 * B * 5**rank * channels * out // groups * kernel**rank


def depthwise_separable() -> Case:
    layer = nn.Sequential(nn.Conv2d(8, 8, 3, groups=8, padding=1), nn.ReLU(), nn.Conv2d(8, 12, 1))
    return layer, (torch.randn(B, 8, 7, 7),), 2 * B * 49 * (8 * 9 + 8 * 12)


def attention(heads: int, queries: int, keys: int, width: int) -> Case:
    sizes = [(B, heads, queries, width), (B, heads, keys, width), (B, heads, keys, width)]
    layer = Call(functional.scaled_dot_product_attention)
    return layer, tuple(map(torch.randn, sizes)), 2 * 2 * B * heads * queries * keys * width


def product(words: str, *sizes: tuple[int, ...], flops: int) -> Case:
    return Call(lambda *x: torch.einsum(words, *x)), tuple(map(torch.randn, sizes)), flops


def call(function: Callable[..., torch.Tensor], *sizes: tuple[int, ...], flops: int) -> Case:
    return Call(function), tuple(map(torch.randn, sizes)), flops


def bilinear() -> Case:
    return nn.Bilinear(4, 5, 6), (torch.randn(B, 4), torch.randn(B, 5)), 3 * B * 4 * 5 * 6


LAYERS: dict[str, Callable[[], Case]] = {
    "linear": lambda: linear(5, 7),
    "linear without bias": lambda: linear(5, 7, bias=False),
    "linear over a sequence": lambda: linear(5, 7, 4),
    "linear over a grid": lambda: linear(5, 7, 4, 2),
    "conv1d": lambda: conv(1, 4, 6, 3),
    "conv1d, stride and padding": lambda: conv(1, 4, 6, 3, stride=2, pad=1),
    "conv1d, groups": lambda: conv(1, 4, 6, 3, groups=2),
    "conv1d, depthwise": lambda: conv(1, 4, 4, 3, groups=4),
    "conv2d": lambda: conv(2, 3, 8, 3),
    "conv2d, pointwise": lambda: conv(2, 3, 8, 1),
    "conv2d, stride and padding": lambda: conv(2, 3, 8, 3, stride=2, pad=1),
    "conv2d, 2 groups": lambda: conv(2, 8, 16, 3, groups=2),
    "conv2d, 8 groups": lambda: conv(2, 8, 16, 3, groups=8),
    "conv2d, depthwise 64": lambda: conv(2, 64, 64, 3, groups=64),
    "conv3d": lambda: conv(3, 2, 4, 3),
    "conv3d, groups": lambda: conv(3, 4, 4, 3, groups=2),
    "transposed 1d": lambda: transposed(1, 4, 6, 3),
    "transposed 2d": lambda: transposed(2, 4, 6, 3, stride=2),
    "transposed 2d, groups": lambda: transposed(2, 8, 4, 3, groups=4),
    "transposed 3d": lambda: transposed(3, 2, 4, 2),
    "depthwise separable": depthwise_separable,
    "attention": lambda: attention(2, 6, 6, 8),
    "cross-attention": lambda: attention(4, 5, 9, 8),
    "einsum": lambda: product("bij,bjk->bik", (B, 4, 5), (B, 5, 6), flops=2 * B * 4 * 5 * 6),
    "einsum over heads": lambda: product("bhid,bhjd->bhij", (B, 2, 4, 5), (B, 2, 6, 5), flops=2 * B * 2 * 4 * 5 * 6),
    "bmm": lambda: call(torch.bmm, (B, 4, 5), (B, 5, 6), flops=2 * B * 4 * 5 * 6),
    "matmul": lambda: call(torch.matmul, (B, 4, 5), (5, 6), flops=2 * B * 4 * 5 * 6),
    "baddbmm": lambda: call(torch.baddbmm, (B, 4, 6), (B, 4, 5), (B, 5, 6), flops=2 * B * 4 * 5 * 6),
    "addmm": lambda: call(torch.addmm, (B, 6), (B, 5), (5, 6), flops=2 * B * 5 * 6),
}
"""The gradient of each operand costs one forward."""


@pytest.mark.parametrize("name", LAYERS)
def test_the_forward_is_two_operations_for_each_multiply_add(name: str) -> None:
    layer, inputs, flops = LAYERS[name]()
    for backward in (False, True):
        count = count_flops(layer, inputs, backward=backward)
        assert (count.forward, count.uncounted, count.rows) == (flops, (), B)


@pytest.mark.parametrize("name", [name for name in LAYERS if name.startswith(("linear", "conv", "transposed"))])
def test_a_first_layer_has_the_gradient_of_its_weight_alone(name: str) -> None:
    layer, inputs, flops = LAYERS[name]()
    assert count_flops(layer, inputs, backward=True).backward == flops


@pytest.mark.parametrize("name", [name for name in LAYERS if name != "depthwise separable"])
def test_an_inner_layer_costs_twice_its_forward_backward_whatever_its_groups(name: str) -> None:
    layer, inputs, flops = LAYERS[name]()
    assert count_flops(Scaled(layer), inputs, backward=True).backward == 2 * flops


def test_a_stack_with_depthwise_convolution_costs_the_sum_of_its_gradients() -> None:
    layer, inputs, _ = depthwise_separable()
    first, second = 2 * B * 49 * 8 * 9, 2 * B * 49 * 8 * 12
    assert count_flops(layer, inputs, backward=True).backward == first + 2 * second


def encoder(*, train: bool) -> tuple[nn.Module, tuple[torch.Tensor, ...], int]:
    layer = nn.TransformerEncoderLayer(16, 4, 32, batch_first=True)
    module = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False).train(train)
    length, width, inner = 6, 16, 32
    each = 4 * width * width + 2 * width * inner + 2 * length * width  # projections, feed-forward, two products
    return module, (torch.randn(B, length, width),), 2 * 2 * B * length * each


@pytest.mark.parametrize("train", [False, True])
@pytest.mark.parametrize("backward", [False, True])
def test_a_transformer_encoder_is_exact_in_both_modes(train: bool, backward: bool) -> None:
    module, inputs, flops = encoder(train=train)
    count = count_flops(module, inputs, backward=backward)
    assert (count.forward, count.uncounted) == (flops, ())
    # the first projection needs no gradient of the input, but the residual beside it does not either
    assert count.backward == (2 * flops - 2 * B * 6 * 16 * 48 if backward else 0)


def test_a_transformer_without_gradients_at_all_still_has_its_forward() -> None:
    module, inputs, flops = encoder(train=False)
    module.requires_grad_(False)
    with torch.inference_mode():
        assert count_flops(module, inputs, backward=False).forward == flops


@pytest.mark.parametrize("need_weights", [False, True])
def test_multi_head_attention_is_projections_and_two_products(need_weights: bool) -> None:
    layer = SelfAttention(need_weights=need_weights)
    flops = 2 * B * 6 * (4 * 16 * 16 + 2 * 6 * 16)
    assert count_flops(layer, torch.randn(B, 6, 16), backward=False).forward == flops


def recurrent(kind: type[nn.Module], gates: int, layers: int, both: bool) -> tuple[nn.Module, int]:
    module = kind(5, 7, layers, bidirectional=both, batch_first=True)  # type: ignore[call-arg]
    ways = 2 if both else 1
    widths = [5] + [7 * ways] * (layers - 1)
    return module, sum(2 * B * 4 * ways * gates * 7 * (width + 7) for width in widths)


RECURRENT = [(k, g, n, b) for k, g in ((nn.LSTM, 4), (nn.GRU, 3), (nn.RNN, 1)) for n in (1, 2) for b in (False, True)]


@pytest.mark.parametrize(("kind", "gates", "layers", "both"), RECURRENT)
def test_a_recurrent_layer_is_exact(kind: type[nn.Module], gates: int, layers: int, both: bool) -> None:
    module, flops = recurrent(kind, gates, layers, both)
    count = count_flops(module, torch.randn(B, 4, 5), backward=False)
    assert (count.forward, count.uncounted) == (flops, ())


@pytest.mark.parametrize(("kind", "gates"), [(nn.LSTM, 4), (nn.GRU, 3), (nn.RNN, 1)])
def test_the_backward_of_a_recurrent_layer_has_no_gradient_of_its_first_state(
    kind: type[nn.Module], gates: int
) -> None:
    module, flops = recurrent(kind, gates, 1, False)
    into_earlier_states = 2 * B * 3 * gates * 7 * 7
    assert count_flops(module, torch.randn(B, 4, 5), backward=True).backward == flops + into_earlier_states


@pytest.mark.parametrize(("kind", "gates"), [(nn.LSTMCell, 4), (nn.GRUCell, 3), (nn.RNNCell, 1)])
def test_a_recurrent_cell_is_exact(kind: type[nn.Module], gates: int) -> None:
    count = count_flops(kind(5, 7), torch.randn(B, 5), backward=False)  # type: ignore[call-arg]
    assert (count.forward, count.uncounted) == (2 * B * gates * 7 * 12, ())


def test_a_bilinear_layer_is_two_products_and_a_sum_for_each_weight_and_row() -> None:
    layer, inputs, flops = bilinear()
    count = count_flops(layer, inputs, backward=False)
    assert (count.forward, count.uncounted) == (flops, ())


def quantised(module: nn.Module, kinds: set[type[nn.Module]]) -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch announces that this will move to another package
        found: nn.Module = torch.ao.quantization.quantize_dynamic(module.eval(), kinds)  # type: ignore[attr-defined]
        return found


def test_a_quantised_network_counts_as_its_float_twin() -> None:
    network = nn.Sequential(nn.Linear(5, 7), nn.ReLU(), nn.Linear(7, 2))
    for backward in (False, True):
        twin = count_flops(network, torch.randn(B, 5), backward=backward)
        count = count_flops(quantised(network, {nn.Linear}), torch.randn(B, 5), backward=backward)
        assert (count.forward, count.backward) == (twin.forward, twin.backward)
        assert any("2 quantised layers" in note for note in count.notes)


def test_a_quantised_lstm_counts_as_its_float_twin() -> None:
    network = nn.LSTM(5, 7, 2, bidirectional=True, batch_first=True)
    count = count_flops(quantised(nn.Sequential(network), {nn.LSTM}), torch.randn(B, 4, 5), backward=False)
    assert count.forward == count_flops(network, torch.randn(B, 4, 5), backward=False).forward > 0


def test_an_embedding_costs_nothing_and_says_so() -> None:
    count = count_flops(nn.Embedding(10, 4), torch.randint(0, 10, (B, 3)), backward=True)
    assert (count.total, count.uncounted) == (0, ())
    assert any("looks up" in note for note in count.notes)


@pytest.mark.parametrize(
    "function", [torch.linalg.inv, torch.linalg.eigvalsh, lambda x: torch.fft.fft(x).real, torch.linalg.qr]
)
def test_an_operation_without_a_formula_is_named_and_the_count_understates(function: Callable[..., object]) -> None:
    count = count_flops(Call(function), torch.randn(B, 4, 4), backward=False)  # type: ignore[arg-type]
    assert count.understated
    assert any("linalg" in name or "fft" in name for name in count.uncounted)


def common() -> nn.Module:
    return nn.Sequential(
        *(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.SiLU(), nn.MaxPool2d(2), nn.GroupNorm(2, 4), nn.Dropout2d()),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.LayerNorm(4), nn.GELU(), nn.Linear(4, 2), nn.LogSoftmax(1)),
    )


def test_what_is_linear_in_the_elements_is_free_and_not_reported() -> None:
    count = count_flops(common(), torch.randn(B, 3, 9, 9), backward=True)
    assert count.forward == 2 * B * (49 * 4 * 27 + 8)
    assert count.uncounted == ()


def test_the_network_itself_is_neither_run_nor_changed() -> None:
    network = common().eval()
    before = copy.deepcopy(network.state_dict())
    count_flops(network, torch.randn(B, 3, 9, 9), backward=True)
    assert not any(layer.training or layer._forward_hooks for layer in network.modules())
    assert all(parameter.grad is None and parameter.device.type == "cpu" for parameter in network.parameters())
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


def test_frozen_layers_have_no_gradient_of_their_weights() -> None:
    network = nn.Sequential(nn.Linear(5, 7), nn.Linear(7, 2))
    network[0].requires_grad_(False)
    assert count_flops(network, torch.randn(B, 5), backward=True).backward == 2 * B * 14


def test_a_network_that_branches_on_values_is_an_omission_with_a_remedy() -> None:
    with pytest.raises(Unavailable, match="cannot be counted") as caught:
        count_flops(Call(lambda x: x if x.sum() > 0 else -x), torch.randn(B, 5), backward=False)
    assert "audit.track" in caught.value.remedy


def test_shared_weights_are_one_tensor_in_the_copy_and_count_each_time_they_are_used() -> None:
    layer = nn.Linear(5, 5)
    assert count_flops(nn.Sequential(layer, layer), torch.randn(B, 5), backward=False).forward == 2 * 2 * B * 25


@settings(max_examples=25, deadline=None)
@given(
    st.integers(1, 3),
    st.integers(1, 4),
    st.integers(1, 4),
    st.sampled_from([1, 2, 4]),
    st.integers(1, 3),
    st.booleans(),
)
def test_any_grouped_convolution_is_exact_both_ways(
    rank: int, inner: int, outer: int, groups: int, kernel: int, turned: bool
) -> None:
    make = transposed if turned else conv
    layer, inputs, flops = make(rank, inner * groups, outer * groups, kernel, groups=groups)
    count = count_flops(Scaled(layer), inputs, backward=True)
    assert (count.forward, count.backward) == (flops, 2 * flops)
