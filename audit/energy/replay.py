"""Energy of a training that nobody recorded: do some of it again, measure that, and scale up.

A network's recipe is a generator that yields after every training step; a scikit-learn model is cloned and fitted
again. What ran is recorded by our own tracker, so a replay is as good as the counters of this machine, times the range
of the scaling. It stands for a training on this class of machine and says so.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from audit.energy.estimate import EnergyEstimate
from audit.energy.ladder import from_record
from audit.energy.ranges import Range, combined
from audit.energy.record import TrainingRecord
from audit.energy.tracker import track
from audit.errors import ModelError, Unavailable

BUDGET_S = 10.0
WARM_UP = 3  # the first steps allocate, compile and fill caches
# 40 steps against the whole training: 0.96 to 1.12 (MLP), 0.77 to 0.85 (CNN, busy machine), 0.95 to 1.02 (Transformer)
STEPS_RANGE = Range(lower=0.75, upper=1.3)
WHOLE_RANGE = Range(lower=0.9, upper=1.1)  # run-to-run variation where all of it was run again
Recipe = Callable[[Any], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """A part of the training that was run again: ``record`` of the part, ``scale`` parts in the whole."""

    record: TrainingRecord
    scale: float
    range: Range
    method: str
    assumptions: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        return self.range == WHOLE_RANGE

    @property
    def cpu_s(self) -> float:
        """CPU seconds of the whole training, on this machine."""
        return self.record.cpu_s * self.scale


def recorded(run: Callable[[], object]) -> TrainingRecord:
    """The record of one call, and of what it left to be done on a GPU."""
    with tempfile.TemporaryDirectory(prefix="assay-replay-") as folder:
        with track(Path(folder) / "replay.json") as tracker:
            run()
            wait_for_devices()
        return tracker.record()


def wait_for_devices() -> None:
    """A GPU is given work and answers before it is done: end with the work, where torch is in use."""
    torch = sys.modules.get("torch")
    for name in ("cuda", "mps", "xpu"):
        runtime = getattr(torch, name, None)
        if runtime is not None and runtime.is_available() and getattr(runtime, "is_initialized", lambda: True)():
            runtime.synchronize()


def _steps(running: Generator[object, None, object], until: Callable[[int], bool]) -> tuple[int, bool]:
    """(steps done, whether the training ended) of a recipe that runs while ``until`` allows another step."""
    done = 0
    while until(done):
        try:
            next(running)
        except StopIteration:
            return done, True
        done += 1
    return done, False


def _started(recipe: Recipe, columns: Any, name: str) -> Generator[object, None, object]:
    running = recipe(columns)
    if not isinstance(running, Generator):
        raise ModelError(
            f'recipe "{name}" must be a generator that yields after each training step, got {type(running).__name__}: '
            'put "yield" after optimiser.step()'
        )
    return running


def replay_steps(
    recipe: Recipe, columns: Any, name: str, *, total_steps: float | None, trials: int = 1, budget_s: float = BUDGET_S
) -> Replay:
    """Run steps of a recipe for ``budget_s`` after a warm-up and scale to ``total_steps``.

    Raises ModelError where the recipe is no generator, Unavailable where it neither ends within the budget nor the
    number of its steps is known, or where it makes no step.
    """
    running = _started(recipe, columns, name)
    warmed, ended = _steps(running, lambda done: done < WARM_UP)
    if ended:
        running, warmed = _started(recipe, columns, name), 0
    wait_for_devices()  # the warm-up's work is not billed to the steps
    outcome: list[tuple[int, bool]] = []
    deadline = time.monotonic() + budget_s
    record = recorded(lambda: outcome.append(_steps(running, lambda done: done == 0 or time.monotonic() < deadline)))
    running.close()
    done, ended = outcome[0]
    if not done:
        raise Unavailable("undefined", f'recipe "{name}" made no step', "yield after each training step")
    steps = float(done + warmed) if ended else total_steps
    if steps is None:
        raise Unavailable(
            "missing_input",
            f"{done} steps ran in {budget_s:g} s and how many the training had is not known",
            "give [training] epochs and batch, and samples or [data.train]",
        )
    return Replay(
        record=record,
        scale=steps / done * trials,
        range=WHOLE_RANGE if ended else STEPS_RANGE,
        method=f"{done} of {steps:.0f} training steps run again",
        assumptions=(f'recipe "{name}"', *([f"{trials} trainings of this size"] if trials > 1 else [])),
    )


def replayed(replay: Replay, *, rest_w: float | None = None) -> tuple[EnergyEstimate, ...]:
    """The energy of the whole training, one estimate for each boundary that the record of the part supports."""
    best: dict[str, EnergyEstimate] = {}
    for estimate in from_record(replay.record, rest_w=rest_w):
        best.setdefault(estimate.boundary, _scaled(estimate, replay))
    return tuple(best.values())


def _scaled(part: EnergyEstimate, replay: Replay) -> EnergyEstimate:
    value, around = part.value_kwh * replay.scale, combined([part.range, replay.range])
    here = f'the training ran on a machine like this one (CPU "{replay.record.host.cpu or "without a name"}")'
    return replace(
        part,
        value_kwh=value,
        lower_kwh=value * around.lower,
        upper_kwh=value * around.upper,
        rung="replayed",
        method=f"{replay.method}, times {replay.scale:.4g}; {part.rung}: {part.method}",
        assumptions=(
            here,
            *replay.assumptions,
            *part.assumptions,
        ),
        sources=(*part.sources, "this audit's own run"),
    )
