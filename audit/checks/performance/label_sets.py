"""How well the labels of a row are decided taken together, where a row may have several.

Why it matters: a model that decides each of ten labels rightly in 95 of 100 rows gets the whole set right in six of ten
or fewer. Whoever acts on the set meets an error in every other case, and no figure of a single label shows it.

How it is measured: Hamming loss is the share of decisions about single labels that are wrong; micro precision, recall
and F1 count all decisions of all labels alike. The labels of one row are not independent, so each row is taken as a
cluster of decisions (or each patient, user or site, where a cluster column is named), with Wilson's interval on the
effective size. Subset accuracy is the share of rows whose set of labels is decided exactly; the samples precision,
recall, F1 and Jaccard index are means over rows of the value of one row's set, with Hall's interval. These five are
over rows whose labels are all known. A row without the label set that it is divided by has no value (scikit-learn:
``zero_division=nan``), and n says how many rows have one. A truth that is missing for one label leaves out that row for
that label only; the table counts these. Over all rows and for every group and crossing.

How to reduce the risk: Read the table for the label with the lowest recall or precision and give it a threshold of its
own. Look at pairs of labels that are missed together: a model of each label by itself does not know that they go
together.

Sources: Zhang & Zhou, IEEE TKDE 2014; Tsoumakas & Katakis, IJDWM 2007 (Hamming loss, example-based measures);
Liang & Zeger, Biometrika 1986, and Korn & Graubard, Survey Methodology 1998 (clusters); Hall, JRSS B 1992.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from audit.check import check
from audit.checks._support import Places, Sheet
from audit.errors import Unavailable
from audit.inputs.groups import Groups
from audit.inputs.multilabel import Multilabel
from audit.inputs.sampling import Sampling
from audit.results import Basis, Outcome, Table
from audit.stats import clustered_rate, f1_from_jaccard

MEASURES: dict[str, dict[str, object]] = {
    "hamming_loss": {"unit": "1", "better": "lower", "words": "share of labels decided wrongly"},
    "micro_precision": {"unit": "1", "better": "higher", "words": "precision over all labels"},
    "micro_recall": {"unit": "1", "better": "higher", "words": "recall over all labels"},
    "micro_f1": {"unit": "1", "better": "higher", "words": "F1 over all labels"},
    "subset_accuracy": {"unit": "1", "better": "higher", "words": "share of rows with all labels right"},
    "samples_precision": {"unit": "1", "better": "higher", "words": "mean precision of a row's labels"},
    "samples_recall": {"unit": "1", "better": "higher", "words": "mean recall of a row's labels"},
    "samples_f1": {"unit": "1", "better": "higher", "words": "mean F1 of a row's labels"},
    "samples_jaccard": {"unit": "1", "better": "higher", "words": "mean Jaccard index of a row's labels"},
}
Mask = NDArray[np.bool_]


@check(cost="predict")
def label_sets(multilabel: Multilabel, groups: Groups, sampling: Sampling, level: float) -> Outcome:
    sheet = Sheet(measures=MEASURES, level=level)
    complete = np.asarray(multilabel.known.all(axis=1))
    for group, at in groups.over(multilabel.rows):
        for name, (success, among, of) in cells(multilabel, at).items():
            build = partial(_of_cells, success, among, multilabel.rows[at], sampling, of)
            build = partial(_f1, build) if name == "micro_f1" else build
            sheet.add(name, build, n=int(among.sum()), rows=len(at), slice=group)
        whole = at[complete[at]]
        rows = multilabel.rows[whole]
        right = np.asarray(multilabel.truth[whole] == multilabel.chosen[whole]).all(axis=1)
        exact = partial(sampling.rate, right, rows, "known in all labels")
        sheet.add("subset_accuracy", exact, n=len(whole), rows=len(at), slice=group)
        for name, (hits, size, of) in samples(multilabel, whole).items():
            here = size > 0
            mean = partial(_mean, hits[here] / size[here], rows[here], sampling, of)
            sheet.add(name, mean, n=int(here.sum()), rows=len(at), slice=group)
    return sheet.outcome(_table(multilabel))


def cells(found: Multilabel, at: Places) -> dict[str, tuple[Mask, Mask, str]]:
    """By measure: the single decisions that are a success, those it is about, (rows, labels), and what these are."""
    truth, chosen, known = found.truth[at], found.chosen[at], found.known[at]
    both = truth & chosen
    return {
        "hamming_loss": (truth != chosen, known, "known"),
        "micro_precision": (both, known & chosen, "decided to have a label"),
        "micro_recall": (both, known & truth, "labelled"),
        "micro_f1": (both, known & (truth | chosen), "labelled, or decided to have a label"),
    }


def samples(found: Multilabel, at: Places) -> dict[str, tuple[NDArray[np.int64], NDArray[np.int64], str]]:
    """By measure: numerator and denominator of each row, and what rows without a denominator lack."""
    truth, chosen = found.truth[at], found.chosen[at]
    both, actual, decided = ((m.sum(axis=1)) for m in (truth & chosen, truth, chosen))
    return {
        "samples_precision": (both, decided, "decided to have a label"),
        "samples_recall": (both, actual, "labelled"),
        "samples_f1": (2 * both, actual + decided, "labelled, or decided to have a label"),
        "samples_jaccard": (both, actual + decided - both, "labelled, or decided to have a label"),
    }


def _of_cells(success: Mask, among: Mask, rows: Places, sampling: Sampling, of: str) -> Basis:
    """A share of single decisions; those of one row, or of one cluster of rows, belong together."""
    if not among.any():
        raise Unavailable("undefined", f"no row is {of}", f"give rows of this group that are {of}")
    row = np.nonzero(among)[0]
    unit = rows if sampling.cluster is None else sampling.cluster[rows]
    weight = None if sampling.weight is None else sampling.weight[rows][row]
    return clustered_rate(success[among], unit[row], weight)


def _f1(jaccard: partial[Basis]) -> Basis:
    return f1_from_jaccard(jaccard())


def _mean(values: NDArray[np.float64], rows: Places, sampling: Sampling, of: str) -> Basis:
    if not len(values):
        raise Unavailable("undefined", f"no row is {of}", f"give rows of this group that are {of}")
    return sampling.mean(values, rows)


def _table(found: Multilabel) -> Table:
    columns = ("label", "known", "not known", "labelled", "decided", "both")
    known = found.known
    counts = [known, found.truth & known, found.chosen & known, found.truth & found.chosen & known]
    sums = np.column_stack([part.sum(axis=0) for part in counts]).tolist()
    lines = [(name, k, found.n - k, y, d, b) for name, (k, y, d, b) in zip(found.labels, sums, strict=True)]
    note = "Rows of the data. Where a truth or a decision is not known, the row is left out for that label only."
    return Table(name="labels", title="The labels", columns=columns, rows=tuple(lines), note=note)
