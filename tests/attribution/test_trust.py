"""The trust checks: what each measures, on worlds where the answer is known, and the grades that follow."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.attribution.images import explain_images, picture_subject
from audit.attribution.maps import Maps
from audit.attribution.network import Network
from audit.attribution.subject import grid
from audit.attribution.trust import assess
from audit.attribution.trust_faithfulness import faithful
from audit.attribution.trust_grades import Grade, read_rules, worse
from audit.attribution.trust_manifold import manifold_gap
from audit.attribution.trust_randomisation import random_copies, randomised, reinitialised
from audit.attribution.trust_stability import stable
from audit.attribution.untouched import state_hash
from audit.errors import SpecError, Unavailable
from audit.stats import value

from .maps_worlds import as_method, digits, good_methods, grad_cam_method, planted, subject
from .worlds import cnn, images, network

RULES = read_rules()


def linear_subject():
    """A network that adds up pixels with known weights, so that the true map is weight times pixel."""
    about = subject(slice(0, 6))
    weights = torch.linspace(-1, 1, 64).reshape(1, 64)
    module = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 10, bias=False))
    module[1].weight.data[:] = 0
    module[1].weight.data[3] = weights
    targets = torch.full((about.n,), 3)
    net = replace(about.network, module=module)
    fills = (torch.zeros_like(about.inputs), torch.zeros_like(about.inputs))
    linear = replace(about, network=net, targets=targets, fills=fills)
    return linear, (about.inputs[:, 0] * weights.reshape(8, 8)).numpy()


def test_the_true_map_of_a_linear_network_is_perfectly_faithful_and_its_negative_perfectly_wrong():
    linear, truth = linear_subject()
    right, wrong = faithful(linear, [linear.by_unit(truth), linear.by_unit(-truth)], np.random.default_rng(0))
    np.testing.assert_allclose(right.correlation, 1, atol=1e-5)
    np.testing.assert_allclose(wrong.correlation, -1, atol=1e-5)
    assert (right.deletion == 1).all()
    assert (right.insertion == 1).all()
    assert (wrong.deletion == 0).all()
    assert (right.p < 0.02).all()
    assert (wrong.p > 0.98).all()


def test_faithfulness_equals_its_definition_written_out():
    linear, _ = linear_subject()
    values = np.random.default_rng(1).normal(size=(linear.n, linear.count))
    (found,) = faithful(linear, [values], np.random.default_rng(5))
    rng = np.random.default_rng(5)
    for row in range(linear.n):
        orders = np.argsort(rng.random((18, 64)), axis=1)
        taken, fell = [], []
        for size in (6, 19):  # a tenth and three tenths
            hidden = orders < size
            kept = torch.from_numpy(~hidden).reshape(-1, 1, 8, 8)
            mixed = torch.where(kept, linear.inputs[row], torch.zeros(1))
            output = linear.network.module(mixed)[:, 3].detach().numpy().astype(float)
            sums = hidden @ values[row]
            taken.append(sums - sums.mean())
            fell.append(output.mean() - output)
        expected = np.corrcoef(np.ravel(taken), np.ravel(fell))[0, 1]
        assert found.correlation[row] == pytest.approx(expected, abs=1e-5)


def test_a_map_against_another_baseline_is_held_to_the_fill_that_it_speaks_of():
    linear, against_black = linear_subject()
    white = replace(linear, fills=(torch.zeros_like(linear.inputs), torch.ones_like(linear.inputs)))
    against_white = against_black - linear.network.module[1].weight.detach()[3].reshape(8, 8).numpy()
    for found in faithful(white, [white.by_unit(m) for m in (against_black, against_white)], np.random.default_rng(0)):
        np.testing.assert_allclose(found.correlation, 1, atol=1e-5)


class Gives(torch.nn.Module):
    """Adds up pixels by their weights, with the other sign as soon as most of the picture is covered."""

    def forward(self, x):
        weights = torch.linspace(-1, 1, 64)
        score = (x.flatten(1) * weights).sum(dim=1)
        seen = (x != 0).flatten(1).float().mean(dim=1)
        return torch.where(seen > 0.5, score, -score)[:, None].expand(-1, 10)


def test_what_a_map_says_of_parts_is_not_judged_by_what_is_left_when_most_is_covered():
    linear, _ = linear_subject()
    ones = replace(linear, inputs=torch.ones_like(linear.inputs), network=replace(linear.network, module=Gives()))
    truth = np.tile(np.linspace(-1, 1, 64), (ones.n, 1))
    (found,) = faithful(ones, [truth], np.random.default_rng(0))
    np.testing.assert_allclose(found.correlation, 1, atol=1e-5)


def test_a_flat_map_has_no_faithfulness_and_a_random_one_beats_half_of_the_orders():
    about = subject(slice(0, 30))
    flat, random = np.zeros((30, 64)), np.random.default_rng(0).normal(size=(30, 64))
    nothing, chance = faithful(about, [flat, random], np.random.default_rng(0))
    assert np.isnan(nothing.correlation).all()
    assert abs(chance.correlation.mean()) < 0.12
    assert 0.3 < chance.deletion.mean() < 0.7


def test_a_map_that_ignores_the_network_equals_its_map_on_untrained_networks():
    about = subject(slice(0, 6))
    edges = planted(lambda s: s.inputs[:, 0].numpy())["edges"]
    copies = random_copies(about.network, (1, 2))

    def of(make):
        return about.by_unit(make(about))

    np.testing.assert_allclose(randomised(about, as_method(edges), copies, of(edges)).trained[:4], 1)
    gradients = good_methods(about)["gradients from black"]
    assert np.nanmean(randomised(about, as_method(gradients), copies, of(gradients)).trained) < 0.3


def test_drawing_parameters_anew_leaves_the_network_as_it_was_and_is_repeatable():
    module, _ = digits()
    before, stream = state_hash(module), torch.get_rng_state()
    first, second, third = (reinitialised(module, seed) for seed in (1, 1, 2))
    assert state_hash(module) == before
    assert torch.equal(torch.get_rng_state(), stream)
    assert state_hash(first) == state_hash(second) != state_hash(third)
    assert all(not torch.equal(a, b) for a, b in zip(first.parameters(), module.parameters(), strict=True))


def test_parameters_of_modules_that_cannot_reset_are_shuffled():
    class Scale(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = torch.nn.Parameter(torch.arange(100.0))

    fresh = reinitialised(Scale(), 0)
    assert not torch.equal(fresh.scale, torch.arange(100.0))
    assert torch.equal(fresh.scale.sort().values, torch.arange(100.0))
    with pytest.raises(Unavailable, match="no parameters"):
        reinitialised(torch.nn.ReLU(), 0)


def test_a_map_that_noise_overturns_is_unstable_and_a_constant_one_is_not():
    about = subject(slice(0, 5))
    chaotic = as_method(lambda s: np.sin(1e6 * s.inputs[:, 0].numpy()))
    steady = as_method(lambda s: np.tile(np.arange(64, dtype=np.float32).reshape(8, 8), (s.n, 1, 1)))

    def noisy(method):
        return stable(about, method, about.by_unit(method.make(about)), 0)

    assert noisy(chaotic).correlation.max() < 0.5
    np.testing.assert_allclose(noisy(steady).correlation, 1)
    np.testing.assert_allclose(noisy(steady).change, 0)


def test_rows_of_the_same_distribution_cannot_be_told_apart_and_broken_dependence_is_seen():
    rng = np.random.default_rng(0)
    x = rng.normal(size=400)
    real = np.column_stack([x, x + 0.3 * rng.normal(size=400)])
    again = np.column_stack([x[::-1], x[::-1] + 0.3 * rng.normal(size=400)])
    hybrids = np.column_stack([real[:, 0], rng.permutation(real[:, 1])])
    assert value(manifold_gap(real, again, rng)) < 0.6
    assert value(manifold_gap(real, hybrids, rng)) > 0.8
    with pytest.raises(Unavailable, match="5 rows train no classifier"):
        manifold_gap(real[:5], hybrids, rng)


def test_trust_of_pictures_is_repeatable_and_each_map_has_a_grade():
    model = network(cnn(), classes=["a", "b", "c"])
    first, second = (explain_images(model, images(4), rules=RULES, seed=3) for _ in range(2))
    assert [t.grade for t in first.trust] == [t.grade for t in second.trust]
    assert all(len(t.maps) == 4 for t in first.trust)
    assert [t.short for t in first.trust] == [m.short for m in first.maps]
    for a, b in zip(first.trust, second.trust, strict=True):
        assert all(a.numbers[name].tobytes() == b.numbers[name].tobytes() for name in a.numbers)


def test_good_maps_of_a_trained_network_are_shown():
    about = subject(slice(0, 8))
    for short, make in good_methods(about).items():
        maps = Maps(method=short, short=short, family="f", values=make(about), signed=True)
        (trust,) = assess(about, [as_method(make)], [maps], RULES, seed=0)
        assert trust.grade.letter in {"A", "B"}, trust.grade.words
    assert grad_cam_method()(about).shape == (8, 8, 8)


def test_a_map_whose_sum_is_off_is_withheld_alone():
    about = subject(slice(0, 8))
    make = good_methods(about)["gradients from black"]
    errors = np.full(8, 0.001)
    errors[5] = 0.2
    maps = Maps(method="m", short="m", family="f", values=make(about), signed=True, completeness=errors)
    (trust,) = assess(about, [as_method(make)], [maps], RULES, seed=0)
    assert [grade.shown for grade in trust.maps] == [True] * 5 + [False] + [True] * 2
    assert "T1: 0.2" in trust.maps[5].words


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted({r.measure for r in RULES.rules})), st.floats(-1, 1), max_size=6))
def test_a_grade_is_the_worst_of_its_rules_and_never_better_for_more_tests(numbers):
    whole = RULES.grade(numbers)
    alone = [RULES.grade({name: number}) for name, number in numbers.items()]
    assert whole.letter == max((g.letter for g in alone), key=["A", "B", "C", "withheld"].index, default="A")
    assert (whole.letter == "A") == (not whole.reasons)


def test_what_a_lower_letter_lacks_is_said_in_numbers_and_a_fault_only_where_no_bound_holds():
    (lacking,) = RULES.grade({"trust_faithfulness": 0.4989}).reasons
    assert lacking == "faithfulness 0.499, A asks at least 0.5 (T4)"
    (lacking,) = RULES.grade({"trust_randomisation": 0.3}).reasons
    assert lacking == "randomisation 0.3, A asks at most 0.2 (T3)"
    (fault,) = RULES.grade({"trust_stability": 0.1}).reasons
    assert fault == "noise that changes nothing changes it (T5: 0.1)"
    (fault,) = RULES.grade({"trust_faithfulness": 0.1}).reasons
    assert fault == "the output hardly follows it when parts are covered (T4: 0.1)"


def test_numbers_that_were_not_had_do_not_count():
    assert RULES.grade({"trust_faithfulness": float("nan")}) == Grade()
    assert worse(Grade(letter="B", reasons=("x",)), Grade()).letter == "B"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("rules = 1", "no \\[\\[rule\\]\\]"),
        ("[[rule]]\ntest = 'T1'", "fault"),
        (
            "[[rule]]\ntest='T1'\nmeasure='m'\nscope='map'\nbetter='lower'\nA=2\nC=1\nbeyond='C'\nwords=''\nwhy=''",
            "grow weaker",
        ),
        ("[[rule]]\ntest='T1'\nmeasure='m'\nscope='all'\nbetter='lower'\nA=2\nbeyond='C'\nwords=''\nwhy=''", "scope"),
        ("[[rule", "cannot be read"),
    ],
)
def test_rules_that_make_no_sense_are_refused(tmp_path, text, fault):
    (tmp_path / "r.toml").write_text(text)
    with pytest.raises(SpecError, match=fault):
        read_rules(tmp_path / "r.toml")


@pytest.mark.parametrize(("height", "width"), [(1, 1), (8, 8), (7, 3), (28, 28), (224, 100)])
def test_patches_cover_every_pixel_in_nearly_equal_parts(height, width):
    places = grid(height, width)
    sizes = np.bincount(places.reshape(-1))
    assert len(sizes) == min(8, height) * min(8, width)
    assert sizes.min() > 0
    assert sizes.max() <= 4 * sizes.min()


def test_a_network_without_parameters_has_no_randomisation_test_but_a_grade():
    class Sum(torch.nn.Module):
        def forward(self, x):
            score = x.sum(dim=(1, 2, 3))
            return torch.stack([score, -score], dim=1)

    found = explain_images(network(Sum(), classes=["a", "b"]), images(3), rules=RULES, seed=0)
    assert [name for name, _ in found.trust[0].missing] == ["trust_randomisation"]


class Seeing(torch.nn.Module):
    """Two numbers of a colour picture; notes the memory order that pictures come in."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def forward(self, x):
        self.seen.append(x.is_contiguous(memory_format=torch.channels_last))
        return x.mean(dim=(2, 3))[:, :2]


@pytest.mark.parametrize("fill", [0, 1])
def test_covered_pictures_keep_the_memory_order_in_which_the_network_is_fast(fill):
    module, kept = Seeing(), np.tile(np.arange(64) % 2 == 0, (3, 1))
    net = Network(module=module, output="logit", classes=("a", "b"))
    pictures, smooth = torch.rand(3, 3, 16, 16), torch.rand(3, 3, 16, 16)
    turned = pictures.contiguous(memory_format=torch.channels_last)
    plain, fast = (
        picture_subject(net, x, torch.zeros(3, dtype=torch.int64), pictures, smooth) for x in (pictures, turned)
    )
    found = fast.covered(np.arange(3), kept, fill)
    assert module.seen == [True]
    assert found == pytest.approx(plain.covered(np.arange(3), kept, fill), abs=1e-6)
    assert torch.equal(turned, pictures)
