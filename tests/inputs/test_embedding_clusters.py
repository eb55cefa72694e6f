"""Clusters of embeddings: they follow the rows, not their order, and what cannot be clustered is said."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from audit.attribution.hidden import last_hidden
from audit.errors import Unavailable
from audit.inputs.embedding_clusters import LAYER, EmbeddingClusters, clustered, embedding_clusters
from audit.models.torch import TorchClassifier, TorchModel, adapt
from tests.worlds.tables import make_case

N, BLOBS = 800, 8


def blobs(seed: int, n: int = N, width: int = 6) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Points around eight centres, and whose they are."""
    rng = np.random.default_rng(seed)
    own = rng.integers(0, BLOBS, n)
    return 6 * rng.normal(size=(BLOBS, width))[own] + rng.normal(size=(n, width)), own


def found(columns: dict[str, Any], described: dict[str, Any], **given: Any) -> EmbeddingClusters:
    n = len(next(iter(columns.values())))
    columns = {"y": np.arange(n) % 2, "d": np.arange(n) % 2, **columns}
    case = make_case(columns, target="y", positive=1, prediction="d", described=described, **given)
    return embedding_clusters(case, case.datasets["test"], 1)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1000))
def test_the_order_of_rows_changes_no_rows_cluster(seed: int) -> None:
    vectors, _ = blobs(seed)
    order = np.random.default_rng(seed).permutation(N)
    one, other = clustered(vectors, 3)[0], clustered(vectors[order], 3)[0]
    assert one.levels == other.levels
    assert np.array_equal(one.codes[order], other.codes)


def test_there_is_a_cluster_for_each_hundred_rows_up_to_twenty_the_largest_first() -> None:
    for n, clusters in ((200, 2), (850, 8), (3000, 20)):
        codes, nearest = clustered(blobs(1, n)[0], 0)
        counts = np.bincount(codes.codes)
        assert len(counts) == len(nearest) == clusters
        assert np.all(np.diff(counts) <= 0)
        assert codes.levels[2 % clusters] == f"embedding cluster {2 % clusters + 1} of {clusters}"


def test_each_planted_group_of_rows_is_a_cluster_and_its_nearest_rows_are_its_own() -> None:
    vectors, own = blobs(4)
    codes, nearest = clustered(vectors, 0)
    for blob in range(BLOBS):
        held = np.bincount(codes.codes[own == blob], minlength=BLOBS).max()
        assert held >= 0.9 * (own == blob).sum()
    for level, rows in enumerate(nearest):
        assert len(rows) == 5
        assert np.all(codes.codes[list(rows)] == level)


def test_rows_without_an_embedding_are_missing_and_not_in_a_cluster() -> None:
    vectors = blobs(5)[0]
    vectors[[3, 7], 0] = np.nan
    codes = clustered(vectors, 0)[0]
    assert codes.levels[-1] is None
    assert np.flatnonzero(codes.codes == len(codes.levels) - 1).tolist() == [3, 7]


@pytest.mark.parametrize(("vectors", "why"), [(blobs(1, 150)[0], "150 rows"), (np.ones((400, 3)), "1 different")])
def test_too_few_rows_or_rows_that_are_all_alike_are_no_clusters(vectors: NDArray[np.float64], why: str) -> None:
    with pytest.raises(Unavailable, match=why):
        clustered(vectors, 0)
    skipped = found({"v": vectors.tolist()}, {"v": {"kind": "embedding"}}).skipped
    assert len(skipped) == 1
    assert why in skipped[0]


def test_a_list_column_and_a_block_of_columns_are_the_same_embedding_and_no_feature() -> None:
    vectors = np.round(blobs(6)[0], 3)
    lists = pa.array(vectors.astype(np.float32).tolist(), pa.list_(pa.float32()))
    one = found({"v": lists}, {"v": {"kind": "embedding"}})
    block = {f"emb_{i}": vectors[:, i] for i in range(vectors.shape[1])}
    other = found(block, {"v": {"kind": "embedding", "from": "emb_*"}})
    assert one.names == other.names == ("v", "v (coarse)")
    assert np.array_equal(one.columns[0].codes, other.columns[0].codes)
    columns = {"y": [0, 1], "d": [0, 1], "age": [1, 2], **{name: values[:2] for name, values in block.items()}}
    case = make_case(
        columns, target="y", prediction="d", described={"v": {"kind": "embedding", "from": "emb_*"}}, positive=1
    )
    assert case.datasets["test"].roles.features == ("age",)


class Tokens(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.table, self.head = torch.nn.Embedding(9, 4), torch.nn.Linear(4, 2)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return torch.as_tensor(self.head(self.table(ids)).mean(dim=1))


def adapted(module: torch.nn.Module, encode: Callable[[Any], torch.Tensor]) -> TorchClassifier:
    model = adapt(TorchModel(module, encode, [0, 1], "logit"), device="cpu")
    assert isinstance(model, TorchClassifier)
    return model


def test_what_enters_the_last_linear_layer_is_returned_in_any_batches_with_tokens_averaged() -> None:
    torch.manual_seed(0)
    module = torch.nn.Sequential(
        torch.nn.Linear(3, 5), torch.nn.Tanh(), torch.nn.Dropout(), torch.nn.Linear(5, 2), torch.nn.Softmax(dim=1)
    )
    x = np.random.default_rng(0).normal(size=(70, 3)).astype(np.float32)
    given = {"x": x}
    hidden = last_hidden(adapted(module, lambda c: torch.from_numpy(c["x"])), given, 32)
    assert module.training
    assert not module[3]._forward_pre_hooks
    assert hidden == pytest.approx(torch.tanh(module[0](torch.from_numpy(x))).detach().numpy(), abs=1e-6)
    words = Tokens()
    ids = np.random.default_rng(1).integers(0, 9, (40, 6))
    found = last_hidden(adapted(words, lambda c: torch.from_numpy(c["x"])), {"x": ids}, 16)
    assert found == pytest.approx(words.table(torch.from_numpy(ids)).mean(dim=1).detach().numpy(), abs=1e-6)
    with pytest.raises(Unavailable, match="no linear layer"):
        last_hidden(adapted(torch.nn.Identity(), lambda c: torch.from_numpy(c["x"])), given, 32)


def test_a_network_that_reads_pictures_gives_its_last_layer_and_one_that_reads_a_table_does_not() -> None:
    rng = np.random.default_rng(2)
    pixels = {f"p{i}": rng.random(300) for i in range(4)}
    label = {"y": (pixels["p0"] > 0.5).astype(int)}
    model = TorchModel(torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(4, 2)), classes=[0, 1], output="logit")
    described = {"scan": {"kind": "image", "from": "p?", "shape": [1, 2, 2]}}
    for features, names in ((["scan"], (LAYER,)), (list(pixels), ())):
        case = make_case(pixels | label, target="y", positive=1, features=features, described=described, model=model)
        assert embedding_clusters(case, case.datasets["test"], 1).names == names
