"""Timing: the interval holds the median, a burst does not move it, and a tail is not given away."""

from __future__ import annotations

import gc
import time

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.compute.latency import BLOCKS, Load, Times, held_to, median_of, timed
from audit.errors import Unavailable
from audit.models.calling import ready
from audit.models.wrapping import wrap
from audit.stats import interval, value


@pytest.mark.parametrize("blocks", [15, 20])
@pytest.mark.parametrize("bursts", [0.0, 0.2])
def test_the_interval_of_a_median_holds_it_in_95_of_100(blocks: int, bursts: float) -> None:
    rng = np.random.default_rng(5)
    truth = np.median(rng.lognormal(0, 0.1, 200_000) * np.where(rng.random(200_000) < bursts, 3, 1))
    held = 0
    for _ in range(600):
        found = interval(median_of(rng.lognormal(0, 0.1, blocks) * np.where(rng.random(blocks) < bursts, 3, 1)), 0.95)
        held += found.lower <= truth <= found.upper
    assert 0.92 <= held / 600 <= 0.995


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(1e-6, 1e3), min_size=6, max_size=40), st.floats(0.1, 100))
def test_the_median_scales_with_its_unit_and_lies_in_its_interval(blocks: list[float], unit: float) -> None:
    basis, scaled = median_of(np.array(blocks)), median_of(unit * np.array(blocks))
    found = interval(basis, 0.95)
    assert value(basis) == pytest.approx(float(np.median(blocks)))
    assert found.lower <= value(basis) <= found.upper
    assert value(scaled) == pytest.approx(unit * value(basis))


def test_a_burst_in_a_quarter_of_the_blocks_moves_the_median_little() -> None:
    blocks = np.random.default_rng(1).lognormal(0, 0.02, 20)
    burst = blocks * np.where(np.arange(20) < 5, 10, 1)
    assert value(median_of(burst)) == pytest.approx(value(median_of(blocks)), rel=0.03)


@pytest.mark.parametrize("blocks", [np.ones(5), np.array([1.0, 1, 1, 1, 1, 1, 0])])
def test_too_few_blocks_or_a_clock_that_did_not_move_have_no_interval(blocks: np.ndarray) -> None:
    with pytest.raises(Unavailable, match="too few, or the clock too coarse"):
        median_of(blocks)


def test_a_slower_caller_is_found_slower_block_by_block() -> None:
    slow, fast = timed([lambda: sum(range(1500)), lambda: sum(range(1000))], 0.4)
    ratio = interval(median_of(slow.quantile(0.5, cpu=True) / fast.quantile(0.5, cpu=True)), 0.95)
    assert 1.3 < ratio.lower <= ratio.upper < 1.7
    assert len(slow.wall) == len(fast.wall) >= 15


def test_a_call_that_takes_too_long_is_refused_with_the_time_that_it_needs() -> None:
    with pytest.raises(Unavailable, match=r"do not fit into 0\.01 s") as refused:
        timed([lambda: time.sleep(0.02)], 0.01)
    assert "[compute] seconds" in refused.value.remedy


def test_a_99th_percentile_takes_many_calls_that_agree() -> None:
    rng = np.random.default_rng(2)
    steady = rng.lognormal(0, 0.05, (BLOCKS, 500))
    uneven = steady * np.linspace(1, 3, BLOCKS)[:, None]
    assert Times(wall=steady, cpu=steady).settles_p99()
    assert not Times(wall=uneven, cpu=uneven).settles_p99()
    assert not Times(wall=steady[:, :400], cpu=steady[:, :400]).settles_p99()


@pytest.mark.parametrize(
    ("load", "words"),
    [
        (Load(wall_over_cpu=1.0, stolen=0.0, load_average=0.5), ()),
        (Load(wall_over_cpu=1.4, stolen=0.0, load_average=0.5), ("waited",)),
        (Load(wall_over_cpu=1.0, stolen=0.02, load_average=2.0), ("stolen", "processes")),
    ],
)
def test_a_machine_with_other_work_is_called_contended_and_why(load: Load, words: tuple[str, ...]) -> None:
    assert len(load.reasons) == len(words)
    assert all(word in reason for word, reason in zip(words, load.reasons, strict=True))


def test_timing_leaves_threads_and_the_garbage_collector_as_they_were() -> None:
    threads = torch.get_num_threads()
    with pytest.raises(ZeroDivisionError):
        timed([lambda: 1 / 0], 0.1)
    assert (torch.get_num_threads(), gc.isenabled()) == (threads, True)
    with held_to(1):
        assert torch.get_num_threads() == 1


@pytest.mark.parametrize("name", ["cuda", "mps"])
def test_a_call_on_a_gpu_ends_when_the_gpu_has_finished(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    order = list[str]()
    model = wrap(torch.nn.Linear(1, 1), classes=[0, 1], output="logit", device="cpu")
    model.module.register_forward_hook(lambda *_: order.append("given"))
    monkeypatch.setattr(getattr(torch, name), "synchronize", lambda *_: order.append("done"))
    with ready(model, {"x": np.zeros(1)}) as on_cpu:
        on_cpu()
    monkeypatch.setattr(model, "device", torch.device(name))
    monkeypatch.setattr(model, "encode", lambda _: torch.zeros(1, 1))
    with ready(model, {"x": np.zeros(1)}) as on_gpu:
        on_gpu()
    assert order == ["given", "given", "done"]


def test_calls_are_timed_on_as_many_threads_as_are_asked_for() -> None:
    seen, before = set[int](), torch.get_num_threads()
    timed([lambda: seen.add(torch.get_num_threads())], 0.05, threads=3)
    assert seen == {3}
    assert torch.get_num_threads() == before


def test_a_network_is_timed_in_evaluation_mode_and_put_back() -> None:
    module = torch.nn.Sequential(torch.nn.Linear(1, 1), torch.nn.Dropout()).train()
    modes = []
    module[1].register_forward_hook(lambda layer, _, out: modes.append(layer.training))
    with ready(wrap(module, classes=[0, 1], output="logit", device="cpu"), {"x": np.zeros(1)}) as call:
        call()
    assert modes == [False]
    assert all(part.training for part in module.modules())
