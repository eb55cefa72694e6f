"""T3: does a map depend on what the network has learnt? (Adebayo et al., NeurIPS 2018, model parameter randomisation.)

The same method maps the same rows on copies of the network whose parameters were drawn anew. A map that looks the same
then shows the input, not the model. How alike two random networks' maps are to each other is the null beside it.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from audit.errors import Unavailable

from .agreement import rank_correlation
from .network import Network
from .subject import Floats, Method, Subject

COPIES = 2
ROWS = 4  # the test judges a method and not single maps, and a map that shows the input does so in every row


@dataclass(frozen=True, slots=True, kw_only=True)
class Randomised:
    """Spearman's rho of each row, (n,), NaN where a map is flat or the row was not used: trained against random, and
    random against random."""

    trained: Floats
    null: Floats


def randomised(subject: Subject, method: Method, copies: Sequence[Network], own: Floats) -> Randomised:
    """Of the first four rows: ``own`` unit values (n, units) against those of networks that learnt nothing."""
    few = subject.first(ROWS)
    maps = [few.by_unit(method.make(replace(few, network=copy))) for copy in copies]
    trained = [likeness(few, own[:ROWS], other) for other in maps]
    unused = np.full(max(subject.n - ROWS, 0), np.nan)
    both = _mean(trained), likeness(few, maps[0], maps[-1])
    return Randomised(
        **{name: np.concatenate([rho, unused]) for name, rho in zip(("trained", "null"), both, strict=True)}
    )


def random_copies(network: Network, seeds: Sequence[int]) -> tuple[Network, ...]:
    """The network with parameters drawn anew. Unavailable when it has none or cannot be copied."""
    return tuple(replace(network, module=reinitialised(network.module, seed)) for seed in seeds)


def reinitialised(module: torch.nn.Module, seed: int) -> torch.nn.Module:
    """A copy whose layers are initialised again as their classes do; parameters of other modules are shuffled."""
    if next(module.parameters(), None) is None:
        raise Unavailable("not_applicable", "the network has no parameters to draw anew", "nothing to do")
    try:
        fresh = copy.deepcopy(module)
    except (RuntimeError, TypeError) as error:
        first = str(error).splitlines()[0]
        raise Unavailable("not_applicable", f"the network cannot be copied: {first}", "nothing to do") from error
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed % 2**63)
        done: set[int] = set()
        for part in fresh.modules():
            own = list(part.parameters(recurse=False))
            reset = getattr(part, "reset_parameters", None)
            if own and callable(reset):
                reset()
                done |= {id(parameter) for parameter in own}
        for parameter in fresh.parameters():
            if id(parameter) not in done:
                flat = parameter.reshape(-1)
                parameter.copy_(flat[torch.randperm(flat.numel()).to(flat.device)].reshape(parameter.shape))
    return fresh


def likeness(subject: Subject, first: Floats, second: Floats) -> Floats:
    """Spearman's rho (n,) of two sets of unit values (n, units) over the units that each row has."""
    rows = zip(first, second, subject.live, strict=True)
    found = [rank_correlation(a[live], b[live]) for a, b, live in rows]
    return np.array([np.nan if rho is None else rho for rho in found])


def _mean(found: list[Floats]) -> Floats:
    stacked = np.stack(found)
    known = ~np.isnan(stacked)
    sums = np.where(known, stacked, 0.0).sum(axis=0)
    return np.where(known.any(axis=0), sums / np.maximum(known.sum(axis=0), 1), np.nan)
