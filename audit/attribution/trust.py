"""The trust checks that accompany maps (T1 to T7) and the grade that follows; T0 is the preflight of the network.

A test that cannot be made for a method (no promise to add up, no second baseline) leaves no number, and no grade rests
on it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np

from audit.errors import Unavailable
from audit.stats import seed_for

from .agreement import top_overlap
from .maps import Maps
from .network import Network
from .subject import Floats, Method, Subject
from .trust_faithfulness import Faithful, faithful
from .trust_grades import Rules, Trust, worse
from .trust_randomisation import COPIES, likeness, random_copies, randomised
from .trust_stability import stable


def assess(
    subject: Subject, methods: Sequence[Method], maps: Sequence[Maps], rules: Rules, seed: int
) -> tuple[Trust, ...]:
    """The tests of each of these maps; ``methods`` makes them anew on other inputs and networks.

    The module of the subject must be borrowed by :func:`untouched`.
    """
    units = [subject.by_unit(m.values) for m in maps]
    alike = _alike(subject, maps, units)
    tested = faithful(subject, units, np.random.default_rng(seed_for(seed, "trust.covers")))
    copies = _copies(subject, seed)
    trusts = []
    for i, (own, method) in enumerate(zip(maps, methods, strict=True)):
        numbers = dict(_errors(own)) | _covered(tested[i])
        numbers |= _agreements(subject, i, maps, units, alike)
        missing: list[tuple[str, Unavailable]] = []
        numbers |= _repeated(subject, method, units[i], copies, seed)
        if isinstance(copies, Unavailable):
            missing.append(("trust_randomisation", copies))
        trusts.append(_graded(own.short, numbers, tuple(missing), rules))
    return tuple(trusts)


def _errors(maps: Maps) -> Mapping[str, Floats]:
    """T1 and T2, made with the map itself."""
    both = {"trust_completeness_error": maps.completeness, "trust_numerical_error": maps.numerical}
    return {name: values for name, values in both.items() if values is not None}


def _covered(found: Faithful) -> dict[str, Floats]:
    """T4."""
    return {
        "trust_faithfulness": found.correlation,
        "trust_faithfulness_p": found.p,
        "trust_deletion": found.deletion,
        "trust_insertion": found.insertion,
    }


def _copies(subject: Subject, seed: int) -> tuple[Network, ...] | Unavailable:
    try:
        return random_copies(subject.network, [seed_for(seed, f"trust.copy.{i}") for i in range(COPIES)])
    except Unavailable as why:
        return why


def _repeated(
    subject: Subject, method: Method, own: Floats, copies: tuple[Network, ...] | Unavailable, seed: int
) -> dict[str, Floats]:
    """T3 and T5: the method again, on networks that learnt nothing and on noisy rows."""
    numbers: dict[str, Floats] = {}
    if not isinstance(copies, Unavailable):
        random = randomised(subject, method, copies, own)
        numbers |= {"trust_randomisation": random.trained, "trust_randomisation_null": random.null}
    if not bool(subject.spread.any()):  # words that are there or not: there is no noise that leaves them what they are
        return numbers
    noisy = stable(subject, method, own, seed_for(seed, "trust.noise"))
    return numbers | {"trust_stability": noisy.correlation, "trust_max_sensitivity": noisy.change}


def _alike(subject: Subject, maps: Sequence[Maps], units: Sequence[Floats]) -> dict[tuple[int, int], Floats]:
    """How alike the maps of two methods of different families are, (n,), for both orders of every pair."""
    pairs = [(i, k) for i, k in combinations(range(len(maps)), 2) if maps[i].family != maps[k].family]
    found = {(i, k): likeness(subject, units[i], units[k]) for i, k in pairs}
    return found | {(k, i): rho for (i, k), rho in found.items()}


def _agreements(
    subject: Subject, i: int, maps: Sequence[Maps], units: Sequence[Floats], alike: Mapping[tuple[int, int], Floats]
) -> dict[str, Floats]:
    """T6: with the family that agrees most, row by row; T7: the top tenth shared with another baseline."""
    numbers: dict[str, Floats] = {}
    found = [rho for (own, _), rho in alike.items() if own == i]
    if found:
        numbers["trust_agreement"] = np.fmax.reduce(found)
    twins = [k for k, other in enumerate(maps) if k != i and other.family == maps[i].family]
    if twins:
        numbers["trust_baseline_overlap"] = _overlap(subject, units[i], units[twins[0]])
    return numbers


def _overlap(subject: Subject, first: Floats, second: Floats) -> Floats:
    rows = zip(first, second, subject.live, strict=True)
    found = [top_overlap(a[live], b[live]) for a, b, live in rows]
    return np.array([np.nan if share is None else share for share in found])


def _graded(
    short: str, numbers: Mapping[str, Floats], missing: tuple[tuple[str, Unavailable], ...], rules: Rules
) -> Trust:
    known = {name: values[~np.isnan(values)] for name, values in numbers.items()}
    # one bad map must not condemn its method: what is judged map by map counts here by its median
    usual = {name: float((np.median if name in rules.medians else np.mean)(v)) for name, v in known.items() if len(v)}
    grade = rules.grade(usual)
    n = max((len(values) for values in numbers.values()), default=0)
    rows = ({name: float(values[i]) for name, values in numbers.items()} for i in range(n))
    each = tuple(worse(grade, rules.grade(row, per_map=True)) for row in rows)
    return Trust(short=short, numbers=numbers, missing=missing, grade=grade, maps=each)
