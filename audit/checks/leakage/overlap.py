"""Test rows that the model was trained on.

Why it matters: a model that has seen the test rows is graded on its memory. Overlap of train and test is the commonest
reason for results that do not hold in use; it was found in hundreds of published studies.

How it is measured: a test row overlaps when some training row has exactly the same features, groups and target
(missing equals missing; id columns are left out). The share is a census of the test rows, so exact. Where an id column
is named, ids that stand in both are counted too: the same person may appear with other values. Near copies, and
pictures stored twice under two names, are not found. In a table with few columns of few values, equal rows may be
different cases: the share of training rows that repeat another training row says how often that happens here, and the
excess of the overlap over that share is what chance does not explain.

How to reduce the risk: Remove from the test data every row that the model was trained on, and measure again. Split by
person, site or time, before anything else is done with the data, so that it cannot come back.

Sources: Kapoor & Narayanan, Patterns 2023 (leakage and the reproducibility crisis); Kaufman et al., ACM TKDD 2012.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from audit.case import Case
from audit.check import check
from audit.checks._rows import example_columns, row_keys
from audit.checks._support import Sheet
from audit.data import Dataset
from audit.errors import Unavailable
from audit.results import Outcome
from audit.stats import difference, exact, rate

MEASURES = {
    "train_test_overlap": {"unit": "1", "better": "lower", "words": "share of test rows that are in the training data"},
    "train_test_overlap_rows": {"unit": "rows", "better": "lower", "words": "test rows that are in the training data"},
    "train_repeats_share": {"unit": "1", "better": "none", "words": "share of training rows that repeat another"},
    "train_test_overlap_excess": {"unit": "1", "better": "lower", "words": "overlap beyond what repeats explain"},
    "id_overlap": {"unit": "1", "better": "lower", "words": "share of test rows whose id is in the training data"},
}


@check(cost="instant")
def overlap(case: Case, data: Dataset, train: Dataset, level: float) -> Outcome:
    if data.name == train.name:
        raise Unavailable("not_applicable", "the training data are what is examined", "examine other data")
    sheet = Sheet(measures=MEASURES, level=level)
    columns = example_columns(data, within=train.table.column_names)
    if columns:
        _compare(sheet, data, train, columns)
    else:
        why = Unavailable("missing_input", "no column is a feature, so rows cannot be compared", "give features")
        for name in sorted(MEASURES.keys() - {"id_overlap"}):
            sheet.omit(name, why, n=0, rows=data.n)
    _compare_ids(sheet, data, train)
    return sheet.outcome()


def _compare(sheet: Sheet, data: Dataset, train: Dataset, columns: tuple[str, ...]) -> None:
    tested, trained = row_keys([data.table, train.table], columns)
    seen = int(np.isin(tested, trained).sum())
    _, counts = np.unique(trained, return_counts=True)
    repeats = int(counts[counts > 1].sum())
    beyond = partial(difference, rate(seen, data.n), rate(repeats, train.n))
    sheet.add("train_test_overlap", partial(exact, seen / data.n), n=data.n)
    sheet.add("train_test_overlap_rows", partial(exact, seen), n=data.n)
    sheet.add("train_repeats_share", partial(exact, repeats / train.n), n=train.n)
    sheet.add("train_test_overlap_excess", beyond, n=data.n)


def _compare_ids(sheet: Sheet, data: Dataset, train: Dataset) -> None:
    name = data.roles.id
    if not name or name not in train.table.column_names:
        found = f"the training data have no column {name}" if name else "no id column was named"
        sheet.omit("id_overlap", Unavailable("missing_input", found, "give id in [data.test]"), n=0, rows=data.n)
        return
    tested, trained = row_keys([data.table, train.table], [name])
    present = data.table.column(name).is_valid().to_numpy()
    if not present.any():
        why = Unavailable("undefined", f"every {name} is missing", "fill the id column")
        sheet.omit("id_overlap", why, n=0, rows=data.n)
        return
    seen = int(np.isin(tested[present], trained).sum())
    n = int(present.sum())
    sheet.add("id_overlap", partial(exact, seen / n), n=n, columns=(name,))
