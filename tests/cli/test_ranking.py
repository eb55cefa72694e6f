"""task = "ranking" from audit.toml to the verdict, and what is refused on the way."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

import audit
from audit.errors import ModelError
from tests.cli.conftest import Call

SPEC = """schema = 1
name = "search"

[data.test]
path = "rows.csv"
target = "relevance"
score = "score"
query = "query"
groups = ["sex"]

[[limit]]
measure = "ndcg"
params = { k = 5 }
min = 0.5
why = "what is asked for stands at the top"

[[limit]]
measure = "exposure_to_relevance"
by = "sex"
min = 0.2
max = 5
why = "seen as it is earned"
"""


def rows(*, relevance: str = "", seed: int = 4) -> str:
    """60 lists of 12 rows; the score finds relevance fairly well."""
    stream = random.Random(seed)
    lines = ["query,sex,relevance,score,x"]
    for query in range(60):
        for _ in range(12):
            grade = stream.choices([0, 1, 2, 3], [6, 2, 1, 1])[0]
            score = grade + stream.gauss(0, 1)
            lines.append(f"q{query},{stream.choice('FM')},{relevance or grade},{score:.2f},{score + 1:.2f}")
    return "\n".join(lines) + "\n"


@pytest.fixture
def search(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "audit.toml").write_text(SPEC)
    (tmp_path / "rows.csv").write_text(rows())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_query_says_ranking_and_the_lists_are_judged(search: Path, call: Call) -> None:
    checked = call("check")
    assert checked.code == 0
    assert "task     ranking, target relevance" in checked.out
    assert "lists    one for each query" in checked.out
    found = call("run", "--json", "--out", str(search / "audits"))
    assert found.code == 0, found.err
    findings = {finding["id"]: finding for finding in found.json()["findings"]}
    assert findings["ndcg[k=5]"]["verdict"] == "pass"
    assert findings["ndcg[k=5]"]["n"] <= 60
    assert findings["exposure_to_relevance@sex"]["verdict"] == "pass"


def test_without_a_query_the_table_is_one_list_and_ndcg_is_not_assessed(search: Path, call: Call) -> None:
    (search / "audit.toml").write_text(SPEC.replace('query = "query"', 'task = "ranking"'))
    found = call("run", "--json", "--out", str(search / "audits"))
    assert found.code == 2
    findings = {finding["id"]: finding for finding in found.json()["findings"]}
    assert findings["ndcg[k=5]"]["verdict"] == "not_assessed"
    assert "give query" in findings["ndcg[k=5]"]["remedy"]
    assert findings["exposure_to_relevance@sex"]["verdict"] == "pass"


def test_a_limit_on_decisions_is_not_assessed_and_says_what_to_do(search: Path, call: Call) -> None:
    limit = '\n[[limit]]\nmeasure = "true_positive_rate"\nby = "sex"\ncompare = "difference"\nmax = 0.1\nwhy = "x"\n'
    (search / "audit.toml").write_text(SPEC + limit)
    found = call("check")
    assert found.code == 2
    assert (
        "true_positive_rate/difference@sex cannot be assessed: it is for binary tasks; this one is ranking" in found.err
    )
    assert "give them as prediction in a second file" in found.err


BAD = [
    ("prediction", SPEC.replace('score = "score"', 'score = "score"\nprediction = "x"'), rows(), "prediction decides"),
    ("threshold", SPEC.replace('score = "score"', 'score = "score"\nthreshold = 1'), rows(), "threshold decides"),
    ("no score", SPEC.replace('score = "score"', 'prediction = "x"'), rows(), "prediction decides"),
    ("task twice", SPEC + '[data.train]\npath = "rows.csv"\ntask = "ranking"\n', rows(),
     "data.train.task is not where the task is said: put it into [data.test]"),
    ("no such query", SPEC.replace('query = "query"', 'query = "qery"'), rows(), '(did you mean "query"?)'),
    ("negative", SPEC, rows(relevance="-1"), 'target "relevance" of rows.csv holds -1 in row 1 and 720 such values'),
    ("infinite", SPEC, rows(relevance="inf"), "relevance is a finite number of at least 0"),
    ("words", SPEC, rows(relevance="good"), 'column "relevance" of rows.csv must hold numbers'),
]  # fmt: skip


@pytest.mark.parametrize(("spec", "table", "words"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_what_cannot_be_ranked_is_refused_in_one_line(
    search: Path, call: Call, spec: str, table: str, words: str
) -> None:
    (search / "audit.toml").write_text(spec)
    (search / "rows.csv").write_text(table)
    found = call("run", "--out", str(search / "audits"))
    assert found.code == 2
    assert words in found.err
    assert len(found.err.splitlines()) == 1


def test_three_grades_without_a_task_are_told_of_ranking(search: Path, call: Call) -> None:
    (search / "audit.toml").write_text(SPEC.replace('query = "query"\n', ""))
    assert 'or task = "ranking" where the score only sorts' in call("check").err


@pytest.mark.parametrize("kind", ["regressor", "classifier"])
def test_a_model_that_gives_one_number_sorts(kind: str) -> None:
    rng = np.random.default_rng(1)
    x, query = rng.normal(size=(300, 2)), np.repeat(np.arange(30), 10)
    relevant = (x[:, 0] + rng.normal(size=300) > 0.5).astype(int)
    columns = {"a": x[:, 0], "b": x[:, 1], "q": query, "rel": relevant, "sex": rng.choice(["f", "m"], 300)}
    fitted = (LinearRegression() if kind == "regressor" else LogisticRegression()).fit(x, relevant)
    made = audit.run(fitted, columns, target="rel", query="q", groups="sex", features=["a", "b"], use=[])
    names = {m.name for record in made.result.records for m in record.outcome.measurements}
    crashed = [o.detail for record in made.result.records for o in record.outcome.omissions if o.reason == "error"]
    assert crashed == []
    assert made.result.model.task == "ranking"
    assert {"ndcg", "precision_at_k", "recall_at_k", "exposure", "top_k_rate", "mean_absolute_attribution"} <= names
    assert not {"accuracy", "selection_rate"} & names


def test_a_model_of_three_classes_is_refused_with_what_to_give() -> None:
    rng = np.random.default_rng(1)
    x, grade = rng.normal(size=(90, 2)), np.arange(90) % 3
    columns = {"a": x[:, 0], "b": x[:, 1], "rel": grade}
    with pytest.raises(ModelError, match="a ranking sorts by one number"):
        audit.run(
            LogisticRegression().fit(x, grade), columns, target="rel", task="ranking", features=["a", "b"], use=[]
        )
