"""Planted bad maps that are withheld, good maps that are withheld by mistake, and what the tests cost.

Six ways to plant: random, edges of the picture, shuffled, sign-flipped, of another class, of another network; each on
sets of eight pictures of digits, for two baselines of integrated gradients and for occlusion. The sums (T1) are not
looked at, so that what is found is found by the other tests.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import torch

from audit.attribution.images import explain_images
from audit.attribution.maps import Maps
from audit.attribution.subject import Subject
from audit.attribution.trust import assess
from audit.attribution.trust_grades import Trust, read_rules
from audit.data import Dataset
from audit.data.dataset import Column, Roles
from audit.models import Model
from benchmarks._figures import Result, cpu_seconds, result
from tests.attribution.maps_worlds import Make, as_method, digits, good_methods, planted, subject
from tests.attribution.worlds import images, network

SETS, ROWS = 12, 8


def main() -> Result:
    torch.set_num_threads(1)
    bad: list[bool] = []
    good: list[bool] = []
    for k in range(SETS):
        about = subject(slice(ROWS * k, ROWS * k + ROWS))
        for make in good_methods(about).values():
            good += [not grade.shown for grade in graded(about, make).maps]
            bad += [not grade.shown for wrong in planted(make).values() for grade in graded(about, wrong).maps]
    figures = {
        "planted maps": len(bad),
        "share of planted maps that are withheld": float(np.mean(bad)),
        "good maps": len(good),
        "share of good maps that are withheld": float(np.mean(good)),
        "trust tests over the maps that they test, network of digits, CPU s": overhead(*of_digits()),
        "trust tests over the maps that they test, 3 x 32 x 32, CPU s": overhead(*of_colours()),
    }
    targets = {"share of planted maps that are withheld": ">= 1", "share of good maps that are withheld": "<= 0.05"}
    targets |= {name: "<= 2" for name in figures if name.startswith("trust tests")}
    return result("attribution_trust", figures, targets)


def graded(about: Subject, make: Make) -> Trust:
    maps = Maps(method="m", short="m", family="f", values=np.asarray(make(about), dtype=np.float32), signed=True)
    (trust,) = assess(about, [as_method(make)], [maps], read_rules(), seed=0)
    return trust


def overhead(model: Model, data: Dataset) -> float:
    """CPU seconds of T0 to T7 for eight rows over those of making their maps by every method."""
    rows = data.take(np.arange(ROWS))
    maps = cpu_seconds(lambda: explain_images(model, rows, background=data, seed=0))
    return cpu_seconds(lambda: explain_images(model, rows, background=data, rules=read_rules(), seed=0)) / maps - 1


def of_digits() -> tuple[Model, Dataset]:
    module, pictures = digits()
    pixels = pictures.reshape(len(pictures), -1).numpy()
    sources = tuple(f"p{j}" for j in range(pixels.shape[1]))
    stored = pa.table({name: pixels[:, j] for j, name in enumerate(sources)})
    columns = {"scan": Column(name="scan", kind="image", sources=sources, shape=(1, 8, 8))}
    data = Dataset(name="test", table=stored, columns=columns, roles=Roles(features=("scan",)))
    return network(module, classes=[str(i) for i in range(10)]), data


def of_colours() -> tuple[Model, Dataset]:
    """Three convolutions of 32 to 64 channels."""
    torch.manual_seed(0)
    layers: list[torch.nn.Module] = []
    for before, after in ((3, 32), (32, 64), (64, 64)):
        layers += [torch.nn.Conv2d(before, after, 3, padding=1), torch.nn.ReLU(), torch.nn.MaxPool2d(2)]
    module = torch.nn.Sequential(*layers, torch.nn.Flatten(), torch.nn.Linear(64 * 4 * 4, 3)).eval()
    return network(module, classes=["a", "b", "c"]), images(60, size=32, channels=3)
