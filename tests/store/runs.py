"""Generated runs: whatever the types allow, a store must give back."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from audit.record import AuditRun
from audit.results import (
    Array,
    Contribution,
    Curve,
    ImageMap,
    Measurement,
    Omission,
    Outcome,
    RankedItem,
    Ranking,
    Reason,
    Record,
    Series,
    Table,
    Waterfall,
)
from audit.stats import assumption_range, auc, difference, exact, measured, normal, rate
from tests.reports.runs import rich

TEXT = st.text(max_size=12)  # lone surrogates and control characters included
NUMBER = st.floats(-1e9, 1e9)
SLICE = st.dictionaries(TEXT, st.none() | TEXT, max_size=2)
PARAMS = st.dictionaries(TEXT, TEXT | NUMBER | st.booleans() | st.integers(-(2**53), 2**53), max_size=2)
BASIS = st.one_of(
    st.integers(0, 50).map(lambda k: rate(k, 50)),
    NUMBER.map(exact),
    NUMBER.map(lambda x: normal(x, 0.5)),
    st.floats(1, 1e6).map(lambda x: assumption_range(x, x / 2, x * 3, 0.9)),
    st.integers(1, 49).map(lambda k: difference(rate(k, 50), rate(25, 60))),
    st.lists(st.booleans(), min_size=8, max_size=20).filter(lambda y: 2 < sum(y) < len(y) - 2).map(
        lambda y: auc(list(range(len(y))), [int(v) for v in y])
    ),
)  # fmt: skip
OMISSIONS = st.builds(
    Omission, name=TEXT, reason=st.sampled_from(Reason), detail=TEXT, remedy=TEXT, slice=SLICE, params=PARAMS,
    n=st.integers(0, 9),
)  # fmt: skip
SERIES = st.builds(
    Series, label=TEXT, x=st.just((0.0, 1.0)), y=st.tuples(NUMBER, NUMBER), n=st.just((3, 4)) | st.just(())
)
PIXELS = st.binary(min_size=4, max_size=4).map(lambda data: Array(shape=(2, 2, 1), dtype="uint8", data=data))
MAPS = st.lists(st.floats(-1, 1, width=32), min_size=4, max_size=4).map(
    lambda values: Array(shape=(2, 2), dtype="float32", data=_float32(values))
)
EVIDENCE = st.one_of(
    st.builds(Curve, name=TEXT, title=TEXT, x_label=TEXT, y_label=TEXT, series=st.tuples(SERIES), note=TEXT),
    st.builds(
        Table, name=TEXT, title=TEXT, columns=st.just(("a", "b")), rows=st.tuples(st.tuples(TEXT, st.none() | NUMBER))
    ),
    st.builds(
        Ranking, name=TEXT, title=TEXT, unit=TEXT, level=st.just(0.95), method=TEXT, n=st.just(5),
        items=st.tuples(st.builds(RankedItem, label=TEXT, value=NUMBER, lower=NUMBER, upper=NUMBER)),
    ),
    st.builds(
        Waterfall, name=TEXT, title=TEXT, unit=TEXT, base=NUMBER, output=NUMBER, completeness=NUMBER, method=TEXT,
        items=st.tuples(st.builds(Contribution, label=TEXT, shown=TEXT, value=NUMBER)),
    ),
    st.builds(
        ImageMap, name=TEXT, title=TEXT, pixels=PIXELS, attributions=MAPS, method=TEXT, target=TEXT,
        completeness=st.none() | NUMBER,
    ),
)  # fmt: skip


def _float32(values: list[float]) -> bytes:
    import numpy as np

    return np.asarray(values, dtype="<f4").tobytes()


@st.composite
def measurements(draw: st.DrawFn) -> Measurement:
    basis = draw(BASIS)
    level = draw(st.sampled_from([0.9, 0.95]))
    return measured(
        name=draw(TEXT), basis=basis, level=level, n=draw(st.integers(0, 99)), unit=draw(TEXT), slice=draw(SLICE),
        params=draw(PARAMS), columns=draw(st.tuples(TEXT) | st.just(())),
    )  # fmt: skip


@st.composite
def records(draw: st.DrawFn) -> Record:
    outcome = Outcome(
        measurements=tuple(draw(st.lists(measurements(), max_size=4))),
        omissions=tuple(draw(st.lists(OMISSIONS, min_size=1, max_size=2))),
        evidence=tuple(draw(st.lists(EVIDENCE, max_size=2))),
    )
    return Record(
        check=draw(TEXT), family=draw(TEXT), on=draw(TEXT), cost="predict", outcome=outcome, params=draw(PARAMS)
    )


@st.composite
def runs(draw: st.DrawFn) -> AuditRun:
    """A rich run whose records, names and words are generated."""
    more: dict[str, Any] = {
        "records": tuple(draw(st.lists(records(), max_size=3))),
        "name": draw(TEXT),
        "purpose": draw(TEXT),
        "docs": draw(st.dictionaries(TEXT, TEXT, max_size=2)),
        "spec": draw(st.dictionaries(TEXT, st.recursive(TEXT | NUMBER, lambda x: st.lists(x, max_size=2)), max_size=2)),
    }
    return rich(**more)
