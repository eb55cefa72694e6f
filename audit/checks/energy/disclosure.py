"""Compute and energy in the blocks that the EU AI Act and ISO/IEC 21031 ask for.

Why it matters: providers of general-purpose models state training compute, time and energy (Annex XI, section 1, point
2 (d) and (e)); providers of high-risk systems the computational resources (Annex IV, point 2 (c)); reports of software
carbon intensity follow ISO/IEC 21031. The same estimates fill all three, so that they cannot contradict each other.

How it is measured: nothing new is measured. Each line takes the best rung of evidence with its range and says whether
it was measured or estimated. Where the energy is not known Annex XI allows an estimate from computational resources,
which is what the rungs "flops" and "duration x rating" are. What is not known is "not given". Whether these duties
apply to a model is for its provider to decide. Beside them the same figures stand as the fields of a BoAmps report,
which only its publisher can complete; its missing fields are not counted.

How to reduce the risk: record the training, name region and hardware, and give the hardware's embodied emissions.

Sources: Regulation (EU) 2024/1689, Annexes IV and XI; ISO/IEC 21031:2024, Software Carbon Intensity;
Boavizta, BoAmps data model, https://github.com/Boavizta/BoAmps.
"""

from __future__ import annotations

from collections.abc import Sequence

from audit.check import check
from audit.energy.boamps import SCHEMAS, boamps
from audit.energy.disclosure import NOT_GIVEN, Entry, annex_iv, annex_xi, sci
from audit.energy.training import TrainingEvidence
from audit.results import Outcome, Table
from audit.stats import exact, measured

MEASURES = {
    "disclosure_gaps": {"unit": "1", "better": "lower", "words": "lines of the disclosure blocks that are not given"},
}


BOAMPS_NOTE = f"Names and units of {SCHEMAS}; audit.energy.boamps.report gives the same as JSON. No law asks for it."


@check(cost="predict")
def disclosure(training_evidence: TrainingEvidence, level: float) -> Outcome:
    blocks = {
        "annex_xi": ("EU AI Act, Annex XI, section 1, point 2 (d) and (e)", annex_xi(training_evidence)),
        "annex_iv": ("EU AI Act, Annex IV, point 2 (c)", annex_iv(training_evidence)),
        "sci": ("Software Carbon Intensity of the training, ISO/IEC 21031:2024", sci(training_evidence)),
    }
    lines = [entry for _, entries in blocks.values() for entry in entries]
    missing = sum(entry.value == NOT_GIVEN for entry in lines)
    return Outcome(
        measurements=(measured(name="disclosure_gaps", basis=exact(missing), level=level, n=len(lines), unit="1"),),
        evidence=(
            *(_table(name, title, entries) for name, (title, entries) in blocks.items()),
            _table("boamps", "BoAmps, report of one AI task, field by field", boamps(training_evidence), BOAMPS_NOTE),
        ),
    )


def _table(name: str, title: str, entries: Sequence[Entry], note: str = "") -> Table:
    return Table(
        name=f"disclosure_{name}",
        title=title,
        columns=("item", "value", "how it is known"),
        rows=tuple((entry.item, entry.value, entry.basis) for entry in entries),
        note=note,
    )
