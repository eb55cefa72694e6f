"""The ratio of two energies holds whatever the machine draws, and is told for variants alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import audit
from audit.compute.latency import Times, energy_ratio
from audit.errors import Unavailable
from audit.policy import Verdict
from audit.record import AuditRun
from audit.results import Reason
from audit.stats import interval
from tests.checks.efficiency.worlds import found, network, overall, pruned, table

watts, seconds = st.floats(0.01, 500.0), st.floats(1e-4, 10.0)


def steady(wall_s: float, cpu_s: float) -> Times:
    return Times(wall=np.full((20, 30), wall_s), cpu=np.full((20, 30), cpu_s))


def made(**more: Any) -> AuditRun:
    model = network()
    return audit.run(
        model, table(60), target="y", features=["x", "z"], classes=[0, 1], output="logit", device="cpu",
        compute={"seconds": 0.1}, use=(), **more,
    ).result  # fmt: skip


@given(idle_w=watts, busy_w=watts, wall=st.tuples(seconds, seconds), cpu=st.tuples(seconds, seconds))
def test_the_range_holds_the_true_ratio_for_any_two_powers(
    idle_w: float, busy_w: float, wall: tuple[float, float], cpu: tuple[float, float]
) -> None:
    one, other = (idle_w * w + busy_w * c for w, c in zip(wall, cpu, strict=True))
    around = interval(energy_ratio(steady(wall[0], cpu[0]), steady(wall[1], cpu[1])), 0.9)
    assert around.lower * (1 - 1e-9) <= one / other <= around.upper * (1 + 1e-9)


def test_the_figure_is_the_ratio_of_processor_times_and_noise_widens_its_range() -> None:
    rng = np.random.default_rng(4)
    noise = rng.uniform(0.8, 1.25, (20, 1)) * np.ones((20, 30))
    noisy = Times(wall=0.5 * noise, cpu=0.5 * noise)
    basis = energy_ratio(noisy, steady(1.0, 1.0))
    assert basis.numbers["value"] == pytest.approx(0.5 * float(np.median(noise[:, 0])))
    around = interval(basis, 0.9)
    assert around.lower < basis.numbers["value"] < around.upper
    assert around.kind == "range"


def test_too_few_blocks_give_no_ratio() -> None:
    few = Times(wall=np.ones((3, 30)), cpu=np.ones((3, 30)))
    with pytest.raises(Unavailable):
        energy_ratio(few, few)


def test_a_limit_on_it_times_the_variant_and_says_how_it_is_known() -> None:
    limit = {"measure": "relative_inference_energy", "max": 50, "params": {"variant": "pruned"}, "why": "to save"}
    run = made(limits=[limit], variants={"pruned": pruned(network(), 0.5)})
    ratio = overall(run, "relative_inference_energy", variant="pruned")
    assert ratio.interval.lower <= ratio.value <= ratio.interval.upper
    assert "duration x rating rung, chip boundary" in ratio.method
    (finding,) = [f for f in run.findings if f.limit.measure == "relative_inference_energy"]
    assert finding.verdict is Verdict.PASS


def test_a_model_alone_has_nothing_to_be_compared_with() -> None:
    run = made(costs=["timing"])
    assert not found(run, "relative_inference_energy")
    reasons = {o.reason for r in run.records if r.check == "efficiency.relative_energy" for o in r.outcome.omissions}
    assert reasons == {Reason.MISSING_INPUT}
