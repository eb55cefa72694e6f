"""How often each group gets the positive and the favourable decision.

Why it matters: a group that is selected less often is shut out, whatever the reason. Employment law in the United
States looks at the ratio of these rates first (the four-fifths rule); the European AI Act asks for them by group as
well.

How it is measured: the share of rows that are decided for the positive class (selection rate) and for the outcome that
people want (favourable rate; the same where the positive class is the favourable one), with Wilson's interval, over
all rows with a decision and for every group and crossing of groups. No label is needed. Differences and ratios between
groups are formed where limits are judged. A gap says that the rates differ, not why, and not that it is unjustified.

How to reduce the risk: Look at which columns move the decisions of the group that is selected least, and whether each
of them is needed for the task. Compare the error rates too: equal selection with unequal errors only moves the harm.
Collect more rows of groups whose interval is wide.

Sources: Wilson 1927, JASA 22; 29 CFR 1607.4(D), Uniform Guidelines on Employee Selection Procedures; Barocas, Hardt &
Narayanan, Fairness and Machine Learning, chapter 3 (independence).
"""

from __future__ import annotations

from functools import partial

from audit.check import check
from audit.checks._support import Sheet
from audit.inputs.decisions import Decisions
from audit.inputs.groups import Groups
from audit.inputs.sampling import Sampling
from audit.results import Outcome

MEASURES: dict[str, dict[str, object]] = {
    "selection_rate": {"unit": "1", "better": "none", "words": "share selected"},
    "favourable_rate": {"unit": "1", "better": "none", "words": "share with the favourable decision"},
    "demographic_parity_difference": {"words": "demographic parity, share selected", "of": ["selection_rate"]},
    "demographic_parity_ratio": {"words": "demographic parity, share selected", "of": ["selection_rate"]},
    "statistical_parity_difference": {
        "words": "statistical parity, share with the favourable decision",
        "of": ["favourable_rate"],
    },
    "disparate_impact_ratio": {
        "words": "disparate impact, share with the favourable decision",
        "of": ["favourable_rate"],
    },
}


@check(cost="predict")
def selection(decisions: Decisions, groups: Groups, sampling: Sampling, level: float) -> Outcome:
    sheet = Sheet(measures=MEASURES, level=level)
    decided = {"selection_rate": decisions.positive, "favourable_rate": decisions.favourable}
    for group, at in groups.over(decisions.rows):
        for name, chosen in decided.items():
            rate = partial(sampling.rate, chosen[at], decisions.rows[at], "decided")
            sheet.add(name, rate, n=len(at), slice=group)
    return sheet.outcome()
