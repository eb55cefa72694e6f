"""How many rows there are of each group.

Why it matters: the rows of a group decide what can be known of it. A group of twelve can be treated very badly without
any table of rates being able to show it, and a group that is absent from the test data has not been tested.

How it is measured: rows are counted for every value of every sensitive column and every crossing of them, a missing
value being a group of its own. The count is exact. It says nothing about how large the groups are where the model is
used.

How to reduce the risk: Collect rows of the smallest groups until a gap of the size that matters could be seen. Compare
these counts with the population that the model is used for; where they differ, say so beside every overall figure.

Sources: Buolamwini & Gebru, FAccT 2018 (crossings of groups); Gebru et al., Datasheets for Datasets, CACM 2021.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from audit.check import check
from audit.checks._support import Sheet
from audit.errors import Unavailable
from audit.inputs.groups import Groups
from audit.results import Outcome
from audit.stats import exact

MEASURES = {
    "group_rows": {"unit": "rows", "better": "none", "words": "rows of a group"},
}


@check(cost="instant")
def group_sizes(groups: Groups, level: float) -> Outcome:
    if not groups.sets:
        raise Unavailable("missing_input", "no sensitive column was named", "give groups in [data.test]")
    sheet = Sheet(measures=MEASURES, level=level)
    for group, at in groups.over(np.arange(groups.n)):
        sheet.add("group_rows", partial(exact, len(at)), n=groups.n, slice=group)
    return sheet.outcome()
