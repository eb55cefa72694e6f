"""Latency and throughput as an audit has them: on request, with intervals, and outside of a run's identity."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import audit
from audit.checks.efficiency import _timing, throughput
from audit.compute.latency import timed as timed_calls
from audit.compute.latency import usable_threads
from audit.errors import Unavailable
from audit.policy import Verdict
from audit.record import AuditRun
from audit.results import Reason
from audit.store.folder import identified
from tests.checks.efficiency.worlds import found, network, omitted, overall, pruned, table

FAST = {"seconds": 0.1}


def made(**more: Any) -> AuditRun:
    model = network()
    return audit.run(
        model, table(60), target="y", features=["x", "z"], classes=[0, 1], output="logit", device="cpu",
        variants={"pruned": pruned(model, 0.5)}, compute=FAST, use=(), **more,
    ).result  # fmt: skip


@pytest.fixture(scope="module")
def timed() -> AuditRun:
    return made(costs=["timing"])


def test_nothing_is_timed_unless_somebody_asks() -> None:
    run = made()
    records = [record for record in run.records if record.cost == "timing"]
    assert records
    for record in records:
        assert not record.outcome.measurements
        assert record.outcome.omissions[0].reason is Reason.SKIPPED


def test_a_limit_on_a_time_has_that_check_timed_and_no_other() -> None:
    run = made(limits=[{"measure": "latency_p50", "max": 1000, "why": "a second"}])
    assert overall(run, "latency_p50").value < 1000
    assert not found(run, "throughput")
    (finding,) = [f for f in run.findings if f.limit.measure == "latency_p50"]
    assert finding.verdict is Verdict.PASS


def test_quantiles_are_in_order_and_carry_interval_calls_and_badge(timed: AuditRun) -> None:
    p50, p95 = overall(timed, "latency_p50"), overall(timed, "latency_p95")
    assert 0 < p50.interval.lower <= p50.value <= p50.interval.upper
    assert p50.value <= p95.value
    assert p50.n >= 15 * 20
    assert "contended" in p50.method or "quiet" in p50.method


def test_a_variant_is_compared_in_the_same_run(timed: AuditRun) -> None:
    ratio = overall(timed, "relative_cpu_time", variant="pruned")
    assert 0.5 < ratio.value < 2  # the same work: zeros are multiplied like any number
    assert not found(timed, "relative_cpu_time")


def test_rows_a_second_at_the_best_batch_beat_single_rows(timed: AuditRun) -> None:
    assert overall(timed, "best_batch").value > 1
    assert overall(timed, "throughput").value > 1000 / overall(timed, "latency_p50").value


def test_all_threads_have_rows_of_their_own_that_say_how_many(timed: AuditRun) -> None:
    one, every = overall(timed, "latency_p50"), overall(timed, "latency_p50", threads="all")
    assert "one thread" in one.method
    assert usable_threads() == 1 or f"{usable_threads()} threads" in every.method
    assert overall(timed, "relative_latency", variant="pruned", threads="all").value > 0
    assert not found(timed, "latency_cpu_p50", threads="all")  # the calling thread alone says nothing of the others
    assert overall(timed, "best_batch", threads="all").value >= 1
    assert overall(timed, "throughput", threads="all").value > 0


def test_a_limit_names_the_threads_that_it_is_about() -> None:
    run = made(limits=[{"measure": "latency_p50", "max": 1000, "params": {"threads": "all"}, "why": "a second"}])
    (finding,) = [f for f in run.findings if f.limit.measure == "latency_p50"]
    assert finding.verdict is Verdict.PASS
    assert finding.id.startswith("latency_p50[threads=all]")
    assert dict(finding.subject.params) == {"threads": "all"}


def test_one_processor_is_all_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (_timing, throughput):
        monkeypatch.setattr(module, "usable_threads", lambda: 1)
    run = made(costs=["timing"])
    assert overall(run, "latency_p50", threads="all").value == overall(run, "latency_p50").value
    assert overall(run, "throughput", threads="all").value == overall(run, "throughput").value


def test_what_one_thread_does_is_told_where_all_threads_together_did_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(calls: Any, seconds: float, *, threads: int = 1) -> Any:
        if threads > 1:
            raise Unavailable("insufficient_data", "it did not fit", "give [compute] seconds = 9")
        return timed_calls(calls, seconds, threads=threads)

    for module in (_timing, throughput):
        monkeypatch.setattr(module, "usable_threads", lambda: 2)
    monkeypatch.setattr(_timing, "timed", slow)
    run = made(costs=["timing"])
    assert overall(run, "latency_p50").value > 0
    assert overall(run, "throughput").value > 0
    for name in ("latency_p50", "throughput", "best_batch"):
        assert omitted(run, name, threads="all").remedy == "give [compute] seconds = 9"


def test_two_runs_that_timed_have_one_id_although_their_times_differ(timed: AuditRun) -> None:
    again = made(costs=["timing"])
    assert overall(again, "latency_p50").value != overall(timed, "latency_p50").value
    assert again.id == timed.id == made().id


def test_a_limit_on_a_time_moves_neither_id_nor_what_else_was_judged() -> None:
    runs = [made(limits=[{"measure": "latency_p50", "max": bound, "why": "so"}]) for bound in (1e-9, 1e-9)]
    assert runs[0].id == runs[1].id
    assert runs[0].exit_code == 1
    other = replace(runs[0], exit_code=0)
    assert identified(other).id == runs[0].id  # it follows from a time
    assert identified(replace(made(), exit_code=3)).id != made().id
