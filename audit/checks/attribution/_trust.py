"""The trust of maps in words: what is withheld and why, and the table of all methods."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from audit.attribution.maps import MapExplanation
from audit.attribution.trust_grades import Trust, read_rules
from audit.results import Measurement, Omission, Reason, Table


def withheld_maps(found: MapExplanation) -> Iterator[Omission]:
    """One line for a method that is withheld, else one for each of its maps that is."""
    for trust in found.trust:
        held = [(i, grade) for i, grade in enumerate(trust.maps) if not grade.shown]
        whole = [(-1, trust.grade)] if not trust.grade.shown else held
        for i, grade in whole:
            which = "all its maps are withheld" if i < 0 else f"its map {i + 1} is withheld"
            yield Omission(
                name="trust_withheld_share",
                reason=Reason.WITHHELD,
                detail=f"{trust.short}: {which}: {'; '.join(grade.reasons)}",
                remedy="rely on a method that passes, or on the output of the model for a changed row",
                n=len(held),
            )


def rows_table(method: str, measurements: Sequence[Measurement]) -> Table:
    """The tests of a table's contributions over all rows, the letter of each and what follows."""
    rules = read_rules()
    overall = {one.name: one.value for one in measurements if not one.slice}
    grade = rules.grade(overall)
    why = f"Not better because {'; '.join(grade.reasons)}. " if grade.reasons else ""
    tested = [rule for rule in rules.rules if rule.measure in overall]
    rows = tuple(
        (
            rule.test,
            rule.measure.removeprefix("trust_").replace("_", " "),
            overall[rule.measure],
            rule.letter(overall[rule.measure]),
        )
        for rule in tested
    )
    return Table(
        name="trust_of_contributions",
        title=f"Can the contributions be trusted? Grade {grade.letter}",
        columns=("test", "what", "over all rows", "grade"),
        rows=rows,
        note=f"{method}. {why}The grade is the worst letter of the tests, by {rules.id}.",
    )


def trust_table(found: MapExplanation, measures: Mapping[str, Mapping[str, object]]) -> Table:
    """A method a row: its grade, the mean of each test, and why it is not better."""
    tests = [name for name in measures if any(name in trust.numbers for trust in found.trust)]
    rows = [
        (trust.short, trust.grade.letter, *(_mean(trust, name) for name in tests), "; ".join(trust.grade.reasons))
        for trust in found.trust
    ]
    names = (str(measures[name]["words"]).split(",")[0] + " " + name.removeprefix("trust_") for name in tests)
    columns = ("method", "grade", *(name.replace("_", " ") for name in names), "why not better")
    note = (
        "T0 is passed, or there would be no maps. Means over the rows; an empty cell is a test that does not apply. "
        "T8 is asked of tables alone: a covered picture, text or sound is told at sight, so that it would always "
        "fail; two fills (T4) and two baselines (T7) stand in for it."
    )
    return Table(name="trust_of_maps", title="Which maps can be trusted?", columns=columns, rows=tuple(rows), note=note)


def _mean(trust: Trust, name: str) -> float | None:
    known = trust.numbers[name][~np.isnan(trust.numbers[name])] if name in trust.numbers else np.array([])
    return float(known.mean()) if len(known) else None
