"""How the true classes are distributed.

Why it matters: accuracy, precision and log loss all depend on how frequent the classes are. With 1 % positives, a
model that always says no is right 99 % of the time, and a few rows decide every rate about the positives.

How it is measured: the share and the number of labelled rows of each class, and the rows without a label. Counted over
the table given, so exact; rates by group, with their intervals as estimates of a population, are base rates.

How to reduce the risk: Judge by measures that do not reward the commonest class, such as balanced accuracy or average
precision. Add rows of a class that has only a handful.

Sources: He & Garcia, IEEE Transactions on Knowledge and Data Engineering 2009 (imbalanced classes).
"""

from __future__ import annotations

from functools import partial

import numpy as np

from audit.check import check
from audit.checks._support import Sheet
from audit.data import Dataset
from audit.inputs.labels import Labels
from audit.results import Outcome
from audit.stats import exact

MEASURES: dict[str, dict[str, object]] = {
    "class_rows": {"unit": "rows", "better": "none", "words": "rows of a class", "params": {"class": "each"}},
    "class_share": {"unit": "1", "better": "none", "words": "share of a class", "params": {"class": "each"}},
    "unlabelled_rows": {"unit": "rows", "better": "lower", "words": "rows without a label"},
}


@check(cost="instant")
def class_balance(labels: Labels, data: Dataset, level: float) -> Outcome:
    sheet = Sheet(measures=MEASURES, level=level)
    labelled = len(labels.rows)
    sheet.add("unlabelled_rows", partial(exact, data.n - labelled), n=data.n)
    counts = np.bincount(labels.label, minlength=len(labels.classes)).tolist()
    for name, count in zip(labels.classes, counts, strict=True):
        about = {"class": name}
        sheet.add("class_rows", partial(exact, count), n=labelled, params=about)
        sheet.add("class_share", partial(exact, count / labelled), n=labelled, params=about)
    return sheet.outcome()
