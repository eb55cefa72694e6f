"""Variants: paired against an independent count, quiet under no change, loud where a group is harmed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

import audit
from audit.checks._pair_table import detectable
from audit.errors import ModelError
from audit.policy import Verdict
from audit.record import AuditRun
from audit.results import Reason, Table
from audit.stats import interval, paired_difference
from tests.checks.efficiency.worlds import found, network, omitted, overall, pruned, quantised, table

GIVEN = {"target": "y", "groups": ["group"], "features": ["x", "z"], "classes": [0, 1], "output": "logit", "use": ()}


def run(variants: dict[str, Any], **more: Any) -> AuditRun:
    return audit.run(network(), table(), variants=variants, device="cpu", **{**GIVEN, **more}).result


@pytest.fixture(scope="module")
def made() -> AuditRun:
    model = network()
    small = {"int8": quantised(model), "pruned": pruned(model, 0.9), "seed2": network(seed=1)}
    return run(small, limits=[{"measure": "variant_accuracy_change", "params": {"variant": "int8"}, "min": -0.02,
                               "max": 0.02, "why": "equal within two points"}])  # fmt: skip


def decide(module: Any, data: Any) -> np.ndarray:
    with torch.inference_mode():
        return np.asarray(module(torch.tensor(data[["x", "z"]].to_numpy(), dtype=torch.float32))[:, 0] > 0)


@pytest.mark.parametrize("group", [None, "a", "b"])
def test_the_change_of_every_group_is_that_of_its_rows_counted_by_hand(made: AuditRun, group: str | None) -> None:
    data = table()
    data = data if group is None else data[data["group"] == group]
    model, form, label = decide(network(), data), decide(pruned(network(), 0.9), data), data["y"].to_numpy() == 1
    about = {} if group is None else {"group": group}
    by_hand = {
        "variant_churn": (model != form).mean(),
        "variant_accuracy_change": (form == label).mean() - (model == label).mean(),
        "variant_true_positive_rate_change": form[label].mean() - model[label].mean(),
        "variant_false_positive_rate_change": form[~label].mean() - model[~label].mean(),
        "variant_selection_rate_change": form.mean() - model.mean(),
    }
    for name, expected in by_hand.items():
        (m,) = [m for m in found(made, name, variant="pruned") if dict(m.slice) == about]
        assert m.value == pytest.approx(expected, abs=1e-12), name
        assert m.interval.lower <= expected <= m.interval.upper


def test_int8_is_shown_equal_and_pruning_of_nine_tenths_is_shown_to_harm(made: AuditRun) -> None:
    (finding,) = [f for f in made.findings if f.limit.measure == "variant_accuracy_change"]
    assert finding.verdict is Verdict.PASS
    assert overall(made, "variant_equivalence_margin", variant="int8").value < 0.02
    assert overall(made, "variant_accuracy_change", variant="pruned").interval.upper < 0


def test_excess_churn_is_held_against_another_seed_on_the_same_rows(made: AuditRun) -> None:
    data = table()
    model, form, seed = (decide(m, data) for m in (network(), pruned(network(), 0.9), network(seed=1)))
    excess = overall(made, "variant_excess_churn", variant="pruned")
    assert excess.value == pytest.approx((form != model).mean() - (seed != model).mean(), abs=1e-12)
    assert not found(made, "variant_excess_churn", variant="seed2")


def test_without_a_second_seed_the_baseline_is_unknown_and_said_so() -> None:
    alone = run({"int8": quantised(network())})
    assert omitted(alone, "variant_excess_churn", variant="int8").reason is Reason.MISSING_INPUT
    tables = [e for _, e in alone.evidence() if isinstance(e, Table) and e.name == "variant_int8"]
    assert "second training" in tables[0].note
    assert tables[0].rows[0][0] == "all rows"
    assert len(tables[0].rows) == 3


def test_the_same_model_as_its_variant_changes_nothing_and_claims_no_certainty() -> None:
    same = run({"copy": network()})
    assert overall(same, "variant_churn", variant="copy").value == 0
    assert overall(same, "variant_churn", variant="copy").interval.upper > 0
    assert overall(same, "variant_detectable_change", variant="copy").value == pytest.approx(2.8 / 600)
    assert overall(same, "variant_equivalence_margin", variant="copy").value > 0


def test_a_variant_of_other_classes_is_refused_by_name() -> None:
    data = table()
    other = LogisticRegression().fit(data[["x", "z"]], np.where(data["y"] == 1, "yes", "no"))
    with pytest.raises(ModelError, match='"other" decides between no, yes, the model between 0, 1'):
        run({"other": other})


def test_a_change_of_the_detectable_size_is_found_in_about_eight_of_ten_tries() -> None:
    rng, n, churn, hits = np.random.default_rng(4), 1000, 0.05, 0
    size = detectable(churn, n)
    for _ in range(400):
        lost, won = rng.multinomial(n, [(churn + size) / 2, (churn - size) / 2, 1 - churn])[:2]
        hits += interval(paired_difference(n - lost - won, won, lost, 0), 0.95).upper < 0
    assert 0.72 < hits / 400 < 0.88
