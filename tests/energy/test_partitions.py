"""MIG: the sensors are of the whole board, and a program that had a part of it is not billed as if measured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from audit.energy.evidence import PARTITION_LOWER, gpu_counter, gpu_rating, gpu_sampled, gpu_utilisation
from audit.energy.ladder import from_record
from audit.energy.nvml import open_nvml
from audit.energy.plausible import refuse_implausible
from audit.energy.record import Gpu, TrainingRecord
from audit.energy.tracker import Sources, track
from audit.errors import DataError
from audit.inputs.training_record import read_record
from tests.energy.trees import HOST, FakeGpu, FakeNvml, FakePartition, a_record, proc_tree, until

PARTS = (FakePartition("MIG-a", 1), FakePartition("MIG-b", 3))
WHOLE = Gpu(
    name="NVIDIA A100-SXM4-80GB", covered_s=3600.0, samples=3600, counter_j=7e5, polled_j=7e5, utilisation=None,
    limit_w=400.0,
)  # fmt: skip


def board(name: str = "NVIDIA A100-SXM4-80GB", parts: tuple[FakePartition, ...] | None = PARTS) -> FakeGpu:
    return FakeGpu(name=name, uuid="GPU-1", utilisation=None, mig=parts)


def shares(fake: FakeNvml, listed: str | None = None) -> list[float]:
    environment = {} if listed is None else {"CUDA_VISIBLE_DEVICES": listed}
    return [device.share for device in open_nvml(now_s=0.0, load=lambda: fake, environment=environment).devices]


def with_gpu(gpu: Gpu) -> TrainingRecord:
    return replace(a_record(host=HOST), gpus=(gpu,), gpus_status="read")


@pytest.mark.parametrize(
    ("fake", "listed", "share"),
    [
        (board(), None, 1 / 7),  # a program sees the first partition where none is named
        (board(), "0", 1 / 7),
        (board(), "MIG-a", 1 / 7),
        (board(), "MIG-b", 3 / 7),
        (board("NVIDIA A30", (FakePartition("MIG-a", 2),)), "MIG-a", 2 / 4),
        (board(parts=None), None, 1.0),
        (board(parts=()), None, 1.0),  # MIG is on and nothing was made of it
        (board("NVIDIA GeForce RTX 4090", None), "GPU-1", 1.0),
    ],
)
def test_the_share_of_a_board_is_that_of_its_slices(fake: FakeGpu, listed: str | None, share: float) -> None:
    assert shares(FakeNvml([fake]), listed) == [pytest.approx(share)]


def test_a_uuid_chooses_its_board_and_an_unknown_one_is_noted() -> None:
    fake = FakeNvml([FakeGpu(uuid="GPU-1"), FakeGpu(uuid="GPU-2")])
    nvml = open_nvml(now_s=0.0, load=lambda: fake, environment={"CUDA_VISIBLE_DEVICES": "GPU-2"})
    assert [device.index for device in nvml.devices] == [1]
    assert nvml.notes == []
    assert len(shares(fake, "MIG-none")) == 2


def test_a_partition_is_an_estimate_between_a_part_of_its_share_and_the_whole_board() -> None:
    whole, part = gpu_counter(with_gpu(WHOLE)), gpu_counter(with_gpu(replace(WHOLE, share=1 / 7)))
    assert whole is not None
    assert part is not None
    assert (whole.rung, part.rung) == ("counter", "utilisation")
    assert part.term.value == pytest.approx(whole.term.value / 7)
    assert part.term.value * part.term.range.upper >= whole.term.value
    assert part.term.range.lower <= PARTITION_LOWER
    assert part.assumptions == (
        "the sensor is of the whole board, and the program had a partition (MIG): 14% of NVIDIA A100-SXM4-80GB",
    )


def test_no_rung_of_a_partition_counts_as_measured() -> None:
    gpu = replace(WHOLE, share=3 / 7, utilisation=0.5)
    for found in (gpu_counter, gpu_sampled, gpu_utilisation, gpu_rating):
        part = found(with_gpu(gpu))
        assert part is not None
        assert part.rung in ("utilisation", "duration_x_rating")
        assert part.term.range.upper >= 7 / 3
    assert {estimate.rung for estimate in from_record(with_gpu(gpu))} <= {"utilisation", "duration_x_rating"}


def test_the_record_of_a_partition_says_so(tmp_path: Path) -> None:
    fake = FakeNvml([board()])
    proc = proc_tree(tmp_path, gpus=("NVIDIA A100-SXM4-80GB",))
    path = tmp_path / "training.json"
    with track(path, sources=Sources(proc=proc, powercap=tmp_path, nvml=lambda: fake)) as tracker:
        until(lambda: bool(tracker.record().gpus))
    assert [gpu.share for gpu in read_record(path).gpus] == [pytest.approx(1 / 7)]


@pytest.mark.parametrize("share", [0.0, -1.0, 1.5])
def test_a_share_that_no_board_has_is_refused(share: float) -> None:
    with pytest.raises(DataError, match="share of a GPU must lie in"):
        refuse_implausible(with_gpu(replace(WHOLE, share=share)), "t.json")


def test_a_counter_that_was_seen_for_a_moment_of_the_run_is_not_stretched_over_it() -> None:
    assert gpu_counter(with_gpu(replace(WHOLE, covered_s=3500.0))) is not None
    assert gpu_counter(with_gpu(replace(WHOLE, covered_s=0.01, samples=2))) is None
