"""T8: how easily are the inputs that a method asks about told from real ones?

A model that answers differently off the data can hide from methods that ask there (Slack et al., AIES 2020). The gap is
the ROC AUC of a classifier that separates perturbed from real rows, on rows that it was not fitted to: ridge-penalised
logistic regression on the values, their squares and products, so that a broken dependence between columns is seen.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from audit.counting import count
from audit.errors import Unavailable
from audit.results import Basis
from audit.stats import auc

Floats = NDArray[np.float64]

PRODUCTS = 400  # at most: a wide table is told apart by a seeded choice of its pairs
RIDGE = 1e-2
STEPS = 25
FEWEST = 20


def manifold_gap(real: Floats, perturbed: Floats, rng: np.random.Generator) -> Basis:
    """The out-of-fold ROC AUC, two folds, of rows (n, d) against rows (m, d); 0.5 where they cannot be told apart."""
    if min(len(real), len(perturbed)) < FEWEST:
        fewer = min(len(real), len(perturbed))
        raise Unavailable("insufficient_data", f"{count(fewer, 'row')} train no classifier", f"give at least {FEWEST}")
    rows = np.concatenate([real, perturbed])
    truth = np.repeat([0.0, 1.0], [len(real), len(perturbed)])
    fold = np.concatenate([rng.permutation(len(part)) % 2 for part in (real, perturbed)])
    pairs = _pairs(rows.shape[1], rng)
    score = np.empty(len(rows))
    for held in (0, 1):
        fit, test = fold != held, fold == held
        centre, scale = rows[fit].mean(axis=0), rows[fit].std(axis=0)
        z = np.clip((rows - centre) / np.where(scale > 0, scale, 1.0), -5, 5)
        features = np.column_stack([np.ones(len(z)), z, z[:, pairs[0]] * z[:, pairs[1]]])
        score[test] = features[test] @ logistic_weights(features[fit], truth[fit])
    # the two fits have scales of their own: only ranks within a fold are compared
    ranked = np.empty(len(rows))
    for held in (0, 1):
        at = fold == held
        ranked[at] = np.argsort(np.argsort(score[at], kind="stable"), kind="stable") / at.sum()
    return auc(ranked, truth)


def logistic_weights(features: Floats, truth: Floats) -> Floats:
    """Maximum of the mean log-likelihood less a ridge penalty, by Newton's method; the first column is the constant."""
    penalty = np.full(features.shape[1], RIDGE)
    penalty[0] = 1e-9
    weights = np.zeros(features.shape[1])
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-np.clip(features @ weights, -30, 30)))
        gradient = features.T @ (truth - p) / len(truth) - penalty * weights
        curvature = (features * (p * (1 - p))[:, None]).T @ features / len(truth) + np.diag(penalty)
        step = np.linalg.solve(curvature, gradient)
        weights = weights + step
        if np.abs(step).max() < 1e-8:
            break
    return weights


def _pairs(d: int, rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    first, second = np.triu_indices(d)
    chosen = np.sort(rng.permutation(len(first))[:PRODUCTS])
    return first[chosen], second[chosen]
