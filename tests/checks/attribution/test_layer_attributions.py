"""The check of layers: a unit that decides alone is seen, and a layer that does not exist is named."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from audit.checks.attribution.layer_attributions import Params, layer_attributions
from audit.errors import Unavailable
from audit.results import Ranking
from tests.attribution.worlds import Value, network, numbers, table

CASE, ALL = SimpleNamespace(datasets={}), SimpleNamespace(decided=None)
DATA = table(numbers(150, 3))


class Switch(nn.Module):
    """Of the six units of ``hidden``, the output reads the fourth alone."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.hidden, self.bend, self.head = nn.Linear(3, 6), nn.Tanh(), nn.Linear(6, 2)
        self.head.weight.data[:] = 0
        self.head.weight.data[:, 3] = torch.tensor([1.0, -1.0])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.bend(self.hidden(x)))


def made(layer, model=None):
    params = Params(layer=layer)
    return layer_attributions(model or network(Switch()), DATA, ALL, CASE, 1, 0.95, params)


def test_a_unit_that_decides_alone_holds_everything_and_stands_first():
    outcome = made("hidden")
    found = {m.name: m for m in outcome.measurements}
    assert found["layer_strongest_unit_share"].value == pytest.approx(1)
    assert found["layer_strongest_unit_share"].n == 100
    assert found["layer_method_agreement"].value == pytest.approx(1, abs=1e-6)
    assert found["layer_completeness_error"].value < 0.01
    (ranking,) = [item for item in outcome.evidence if isinstance(item, Ranking)]
    assert ranking.items[0].label == "unit 3"
    assert ranking.items[0].lower > 0
    assert ranking.items[1].value == pytest.approx(0, abs=1e-9)


def test_without_a_name_it_is_the_module_in_the_middle():
    (ranking,) = [item for item in made("").evidence if isinstance(item, Ranking)]
    assert ranking.title == "Which units of bend move the output?"


def test_a_layer_that_is_not_there_is_refused_with_those_that_are():
    with pytest.raises(Unavailable) as caught:
        made("hiden")
    assert 'did you mean "hidden"' in str(caught.value)
    assert caught.value.remedy == "name one of hidden, bend, head"
    with pytest.raises(Unavailable, match="has no layers"):
        made("hidden", Value(lambda c: c["x0"]))
