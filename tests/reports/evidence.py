"""Measurements and evidence of every kind, for the runs that the tests of the writers use."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from audit.results import (
    Array,
    Basis,
    Contribution,
    Curve,
    Evidence,
    ImageMap,
    Interval,
    Measurement,
    Omission,
    Outcome,
    RankedItem,
    Ranking,
    Reason,
    Series,
    Table,
    Waterfall,
)

Groups = Mapping[str, str | None]


def measurement(
    name: str, value: float, half: float, n: int, groups: Groups | None = None, **more: object
) -> Measurement:
    unit = str(more.get("unit", "1"))
    lower, upper = (max(0.0, value - half), value + half) if unit != "log-odds" else (value - half, value + half)
    if unit == "1" and more.get("folded", True):
        upper = min(1.0, upper) if value <= 1 else upper
    kind = more.get("kind", "exact" if half == 0 else "sample")
    interval = Interval(
        lower=lower,
        upper=max(upper, value),
        level=0.9 if kind == "range" else 0.95,
        method=str(more.get("method", "Wilson score interval (Wilson 1927)")),
        kind=kind,  # type: ignore[arg-type]
    )
    return Measurement(
        name=name,
        value=value,
        interval=interval,
        basis=Basis(method="wilson", numbers={"k": value * n, "n": float(n)}),
        n=n,
        unit=unit,
        method=interval.method,
        slice=groups or {},
        compare=more.get("compare", "each"),  # type: ignore[arg-type]
    )


def curves() -> tuple[Evidence, ...]:
    xs = tuple(i / 10 for i in range(1, 10))
    ys = tuple(min(1.0, x**1.12) for x in xs)
    reliability = Curve(
        name="reliability",
        title="Reliability diagram",
        x_label="predicted probability",
        y_label="share approved",
        diagonal=True,
        series=(
            Series(
                label="all rows",
                x=xs,
                y=ys,
                lower=tuple(max(0.0, y - 0.06) for y in ys),
                upper=tuple(min(1.0, y + 0.06) for y in ys),
                n=(60, 70, 80, 110, 190, 240, 300, 420, 519),
            ),
        ),
        note="Points on the diagonal are well calibrated. It does not show whether single groups are.",
    )
    fpr = tuple(i / 60 for i in range(61))
    roc = Curve(
        name="roc",
        title="ROC curve by race",
        x_label="false positive rate",
        y_label="true positive rate",
        diagonal=True,
        series=tuple(
            Series(label=name, x=fpr, y=tuple(f**power for f in fpr))
            for name, power in (("white", 0.25), ("black", 0.33), ("hispanic", 0.4))
        ),
        note="The further to the upper left, the better the score ranks. It does not show where the threshold lies.",
    )
    return reliability, roc


FEATURES = ("credit history", "loan to value", "debt ratio", "unverified income", "self employed", "married", "rooms")


def attributions() -> tuple[Evidence, ...]:
    ranking = Ranking(
        name="global_importance",
        title="What the model relies on over all rows",
        unit="log-odds",
        level=0.95,
        method="mean |Shapley value| (Lundberg & Lee 2017)",
        n=500,
        items=tuple(
            RankedItem(label=f, value=1.2 / (i + 1), lower=1.1 / (i + 1), upper=1.31 / (i + 1))
            for i, f in enumerate(FEATURES)
        ),
        note="Further from zero: the output moves more with it. It does not show that it causes anything.",
    )
    values = (-1.31, 0.62, -0.44, 0.21, -0.12, 0.07, 0.02)
    waterfall = Waterfall(
        name="row_1",
        title="Row 3f9a: refused",
        unit="log-odds",
        base=1.92,
        output=1.92 + sum(values),
        items=tuple(
            Contribution(label=f, shown=s, value=v)
            for f, s, v in zip(FEATURES, ("bad", "0.62", "0.48", "yes", "no", "no", "5"), values, strict=True)
        ),
        completeness=2.2e-16,
        method="exact Shapley values",
        note="Bars add up to the output. It does not show what would change the decision.",
    )
    return ranking, waterfall


def image_map(digit: int = 3) -> ImageMap:
    grid = np.indices((8, 8)).sum(axis=0)
    pixels = (((grid * digit) % 9) * 28).astype(np.uint8)[:, :, None]
    values = (np.sin(grid * digit / 3) * np.linspace(0.2, 1, 8)[:, None] * 0.3).astype("<f4")
    return ImageMap(
        name=f"digit_{digit}",
        title=f"A {digit}, read as {digit}",
        pixels=Array(shape=(8, 8, 1), dtype="uint8", data=pixels.tobytes()),
        attributions=Array(shape=(8, 8), dtype="float32", data=values.tobytes()),
        method="integrated gradients (Sundararajan et al. 2017)",
        target=f"class {digit}",
        completeness=0.004,
        note="Orange pixels raise the output. It does not show that the model sees a stroke.",
    )


def energy() -> Outcome:
    return Outcome(
        measurements=(
            measurement("training_energy", 0.00034, 0.00014, 61, unit="kWh", kind="range", method="CPU time x watts"),
        ),
        omissions=(
            Omission(
                name="training_carbon",
                reason=Reason.MISSING_INPUT,
                detail="no region is given, so no grid intensity applies",
                remedy='give [training] region = "US"',
            ),
        ),
        evidence=(
            Table(
                name="what_if",
                title="CO₂e if the training had run elsewhere",
                columns=("grid", "g CO2e/kWh", "kg CO2e"),
                rows=(("mostly hydro", 20, 0.0000068), ("world mean", 445, 0.000151), ("mostly coal", 700, 0.00024)),
                note="The energy times an intensity that was not given: an illustration, not a measurement.",
            ),
        ),
    )
