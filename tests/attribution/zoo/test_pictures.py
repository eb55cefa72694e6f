"""Networks that read pictures: every map is right within 1e-3 of a slow reference, or refused or withheld."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from audit.attribution.images import explain_images
from audit.attribution.trust_grades import read_rules
from audit.attribution.untouched import state_hash
from audit.errors import ModelError, Unavailable
from tests.attribution.worlds import images, network

from .parts import Wrong, seeded
from .reference import double, expected_gradients

RULES = read_rules()
DATA = images(2, size=6)


def conv(*tail, classes=3, side=6):
    return nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), *tail, nn.Flatten(), nn.Linear(4 * side * side, classes)).eval()


class How(nn.Module):
    def __init__(self, how, **more):
        super().__init__()
        self.conv, self.head, self.how = nn.Conv2d(1, 4, 3, padding=1), nn.Linear(4, 3), how
        for name, part in more.items():
            setattr(self, name, part)

    def forward(self, x):
        return self.how(self, x)


def pooled(self, h):
    return self.head(h.mean(dim=(2, 3)))


def views(self, x):
    return self.head(torch.tanh(self.conv(x)).view(len(x), 4, -1).mean(dim=2))


def normalised_in_place(self, x):
    return pooled(self, torch.tanh(self.conv(x.sub_(0.5).mul_(2.0))))


class Patches(nn.Module):
    """A small vision transformer."""

    def __init__(self):
        super().__init__()
        self.patch = nn.Conv2d(1, 8, 2, stride=2)
        self.place = nn.Parameter(torch.randn(1, 9, 8) * 0.1)
        self.mix = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, activation="gelu")
        self.head = nn.Linear(8, 3)

    def forward(self, x):
        tokens = self.patch(x).flatten(2).transpose(1, 2) + self.place
        return self.head(self.mix(tokens).mean(dim=1))


RIGHT = {
    "tanh": lambda: conv(nn.Tanh()),
    "gelu": lambda: conv(nn.GELU()),
    "group norm": lambda: conv(nn.GroupNorm(2, 4), nn.Tanh()),
    "batch norm in train mode": lambda: conv(nn.BatchNorm2d(4), nn.Tanh()).train(),
    "dropout in train mode": lambda: conv(nn.Tanh(), nn.Dropout2d()).train(),
    "average pool": lambda: conv(nn.Tanh(), nn.AvgPool2d(2), side=3),
    "convolution twice": lambda: How(
        lambda s, x: pooled(s, torch.tanh(s.more(torch.tanh(s.more(s.conv(x)))))), more=nn.Conv2d(4, 4, 3, padding=1)
    ),
    "views that need one memory order": lambda: How(views),
    "overwrites its pictures": lambda: How(normalised_in_place),
    "channels last": lambda: conv(nn.Tanh()).to(memory_format=torch.channels_last),
    "vision transformer": lambda: Patches().eval(),
    "compiled": lambda: torch.compile(conv(nn.Tanh()), backend="eager"),
    "half precision": lambda: conv(nn.Tanh()).half(),
    "tanh in place": lambda: How(lambda s, x: pooled(s, s.conv(x).tanh_())),
}
REFUSED = {
    "batch norm without statistics": lambda: conv(nn.BatchNorm2d(4, track_running_stats=False), nn.Tanh()),
    "noise": lambda: How(lambda s, x: pooled(s, s.conv(x) + torch.randn_like(s.conv(x)))),
    "softmax said to be logits": lambda: nn.Sequential(conv(nn.Tanh()), nn.Softmax(dim=1)),
    "nan": lambda: How(lambda s, x: pooled(s, s.conv(x)) / 0 * 0),
    "no_grad": lambda: How(lambda s, x: pooled(s, s.conv(x)).detach()),
    "dict": lambda: How(lambda s, x: {"logits": pooled(s, s.conv(x))}),
    "another size": lambda: nn.Sequential(nn.Flatten(), nn.Linear(99, 3)),
}


def state(module):
    return state_hash(module), torch.get_rng_state().numpy().tobytes(), np.random.get_state()[1].tobytes()


def output_of(module, k):
    return lambda inputs: module(*inputs)[:, k]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", RIGHT)
def test_its_map_from_black_is_right_and_it_is_given_back_as_it_was(name):
    module = seeded(RIGHT[name])()
    encode = (lambda c: torch.from_numpy(c["scan"]).half()) if name == "half precision" else None
    model = network(module, classes=["a", "b", "c"], encode=encode)
    before, stored = state(module), DATA.features["scan"].copy()
    found = explain_images(model, DATA, rules=RULES, seed=0)
    assert state(module) == before
    np.testing.assert_array_equal(DATA.features["scan"], stored)
    reference = double(module)
    for row, target in enumerate(found.targets):
        x = (torch.from_numpy(stored[row : row + 1]),)
        x = (x[0].half().double(),) if name == "half precision" else x
        (truth,) = expected_gradients(output_of(reference, "abc".index(target)), x, (torch.zeros_like(x[0]),))
        np.testing.assert_allclose(found.maps[0].values[row], truth[0], atol=1e-3 * max(1.0, np.abs(truth).sum()))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_in_words_and_given_back_as_it_was(name):
    module = seeded(REFUSED[name])()
    before = state(module)
    with pytest.raises((Unavailable, ModelError)) as caught:
        explain_images(network(module, classes=["a", "b", "c"]), DATA, rules=RULES, seed=0)
    assert len(getattr(caught.value, "remedy", "") or str(caught.value)) > 20
    assert state(module) == before


def test_a_false_gradient_gives_maps_that_are_all_withheld():
    module = seeded(lambda: How(lambda s, x: pooled(s, Wrong.apply(s.conv(x)))))()
    found = explain_images(network(module, classes=["a", "b", "c"]), DATA, rules=RULES, seed=0)
    gradients = [t for t, m in zip(found.trust, found.maps, strict=True) if m.family == "gradients"]
    assert not any(grade.shown for trust in gradients for grade in trust.maps)
