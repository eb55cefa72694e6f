"""What the units of a hidden layer gave to the output, by Captum's layer methods behind the same guards as maps.

Integrated gradients of the activations (Captum's LayerIntegratedGradients, with nodes doubled until a row adds up),
LayerConductance (Dhamdhere et al., ICLR 2019), LayerGradientXActivation and the activations. The path of the first
starts from the activations at the mean of the background; what by-passes the layer stays as the row has it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from audit.data import Dataset
from audit.errors import Unavailable
from audit.models import Differentiable, Embedder, Model
from audit.models.portions import in_calls
from audit.stats import generator

from .captum_door import LayerConductance, LayerGradientXActivation
from .explanation import AMBER, completeness_error
from .joint import joint
from .layer_names import chosen_layer, unit_numbers
from .maps import Floats, MapExplanation, Maps
from .network import BATCHED, Network, Tensors, preflight, rows_per_call
from .path_maps import integrated, path_from, quick
from .replaced import Replaced, given_by
from .several import joint_subject
from .subject import Method, Subject
from .trust import assess
from .trust_grades import Rules
from .untouched import untouched

BACKGROUND_ROWS = 100
STEPS, MOST_STEPS = 64, 1024  # of the conductance, along the path of the inputs: its differences converge slowly
MARGIN = 1.25  # the error of a row falls as one over its steps, and not evenly
PREFIX = "module."  # the user's module inside what joins its inputs, and inside what is given its embeddings


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerExplanation(MapExplanation):
    """Maps (n, ...) in the shape that the layer gives, and its ``activations``; ``units`` (...) numbers the unit of
    every place: a neuron, a channel, a number of the embedding. ``trust`` is that of the first method."""

    activations: NDArray[np.float32]
    units: NDArray[np.int64]

    def by_unit(self, method: int = 0) -> Floats:
        """A method's values added up over each unit, (n, units)."""
        sums = np.zeros((len(self.targets), int(self.units.max()) + 1))
        values = self.maps[method].values.reshape(len(sums), -1).astype(np.float64)
        np.add.at(sums.T, self.units.reshape(-1), values.T)
        return sums


def explain_layer(
    model: Model,
    data: Dataset,
    *,
    layer: str = "",
    background: Dataset | None = None,
    rules: Rules | None = None,
    seed: int,
) -> LayerExplanation:
    """For every row of ``data``, what each unit of the named layer gave to the predicted class.

    ``layer`` is a name of ``module.named_modules()`` (default: the module in the middle of the forward pass). With
    ``rules`` the trust checks of the first method are run. Unavailable names the layers where there is no such one,
    and says why another cannot be read.
    """
    if not isinstance(model, Differentiable):
        raise Unavailable("not_applicable", f"{model.name} has no layers", "give the torch module itself")
    source = background or data
    order = generator(seed, "attribution.layer_background").permutation(source.n)[:BACKGROUND_ROWS]
    usual = source.take(np.sort(order))
    with untouched(model.module):
        given = _given(model, data, usual)
        name = chosen_layer(given.network, given.inputs, layer, given.prefix, given.embedding)
        subject, typical = _subject(given, name), _typical(given)
        along = path_from(subject, subject.fills[0], typical)
        path = integrated(subject, along, typical, "integrated gradients of the layer")
        maps = (path, _conductance(given, name, subject, typical), _gradient_by_activation(given, name))
        method = Method(short=path.short, family=path.family, make=quick(0))
        trust = () if rules is None else assess(subject, [method], [path], rules, seed)
        output = subject.outputs().numpy()
    network = given.network
    return LayerExplanation(
        targets=tuple(network.classes[t] if network.classes else "value" for t in given.targets.tolist()),
        scalar=network.words[0].replace("target", "predicted"),
        maps=maps,
        trust=trust,
        evaluations=sum(own.evaluations for own in maps),
        modality="layer",
        feature=name.removeprefix(given.prefix),
        unit=network.words[1],
        output=output,
        value_function=f"straight path of the layer from its values at the mean of {usual.n} rows of {source.name}",
        background_n=usual.n,
        seed=seed,
        activations=subject.inputs.cpu().float().numpy(),
        units=subject.places,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Given:
    """The network's inputs for the rows, at the baseline (like them) and for the background, the numbers that may run
    along a path first; ``prefix`` stands before the user's own names of layers."""

    network: Network
    inputs: Tensors
    baseline: Tensors
    usual: Tensors
    prefix: str
    embedding: str  # the layer that texts are looked up in; its output is an input here
    targets: torch.Tensor

    def scalar(self) -> Callable[..., torch.Tensor]:
        """The explained scalar of inputs that Captum gives, the targets last."""
        return lambda *given: self.network.scalar(given[:-1], given[-1])


def _given(model: Differentiable, data: Dataset, usual: Dataset) -> _Given:
    found = joint(model, data, usual, apart=False)
    kinds = {name: data.column(name).kind for name in data.roles.features}
    mean = joint_subject(found, data.n, kinds)[0].fills[0]
    fixed = tuple(t[: data.n] for t in found.fixed)
    inputs = (found.numbers[: data.n], *fixed)
    return _Given(
        network=found.network,
        inputs=inputs,
        baseline=(mean, *fixed),
        usual=(found.numbers[data.n :], *(t[data.n :] for t in found.fixed)),
        prefix=f"{PREFIX}{PREFIX if found.text else ''}",
        embedding=model.embedding if isinstance(model, Embedder) and found.text else "",
        targets=found.network.predicted(preflight(found.network, inputs)),
    )


def _typical(given: _Given) -> torch.Tensor:
    return given.network.usual(given.network.answers(given.usual), given.targets)[1]


def _subject(given: _Given, name: str) -> Subject:
    """The layer's activations as the input of what follows it."""
    network = given.network
    activations = given_by(network, name, given.inputs)
    known = given_by(network, name, given.usual)
    places = unit_numbers(network.module.get_submodule(name), activations.shape[1:])
    same = known.shape[1:] == activations.shape[1:]  # texts of another length have no spread place by place
    return Subject(
        network=replace(network, module=Replaced(network.module, name)),
        inputs=activations,
        targets=given.targets,
        units=torch.from_numpy(places),
        places=places,
        fills=(given_by(network, name, given.baseline), torch.zeros_like(activations)),
        spread=known.std(dim=0, correction=0) if same else torch.zeros_like(activations[0]),
        live=np.ones((len(activations), int(places.max()) + 1), dtype=bool),
        others=given.inputs,
    )


def _conductance(given: _Given, name: str, subject: Subject, typical: torch.Tensor) -> Maps:
    """Promises to add up only where all that reaches the output passes the layer; a row takes more nodes until so."""
    at_layer = subject.values(subject.fills[0], torch.arange(subject.n))
    base = given.network.scalar_of(given.network.answers(given.baseline), given.targets).cpu().double()
    cut, change = torch.allclose(at_layer, base, rtol=BATCHED, atol=BATCHED), subject.outputs() - base
    rows, evaluations, steps = torch.arange(subject.n), 0, torch.full((subject.n,), STEPS)
    values = torch.zeros(subject.inputs.shape, dtype=torch.float64)
    error = np.zeros(subject.n)
    while len(rows):
        for count in steps[rows].unique().tolist():
            same = rows[steps[rows] == count]
            values[same] = _conducted(given, name, same, count)
            evaluations += count * len(same)
        total = values.reshape(len(values), -1).sum(dim=1)
        error = completeness_error(total.numpy(), change.numpy(), typical.numpy())
        rows = rows[torch.from_numpy(error > AMBER)[rows] & (steps[rows] < MOST_STEPS) & cut]
        steps[rows] = _more_steps(steps[rows], torch.from_numpy(error)[rows])
    words = "layer conductance (Captum)"
    return Maps(
        method=words if cut else f"{words}; inputs by-pass the layer, so that no sum is promised",
        short="layer conductance",
        family="gradients",
        values=values.float().numpy(),
        signed=True,
        completeness=error if cut else None,
        base=base.numpy() if cut else None,
        evaluations=evaluations,
    )


def _more_steps(steps: torch.Tensor, error: torch.Tensor) -> torch.Tensor:
    """Multiples of 64, more than there were, that should make the errors (n,) small enough."""
    wanted = (MARGIN * steps * error / AMBER / STEPS).clamp(max=MOST_STEPS / STEPS).ceil()
    return wanted.long() * STEPS


def _conducted(given: _Given, name: str, rows: torch.Tensor, steps: int) -> torch.Tensor:
    method = LayerConductance(given.scalar(), given.network.module.get_submodule(name))
    size = rows_per_call(given.inputs)

    def call(at: slice) -> torch.Tensor:
        chosen = rows[at].to(given.targets.device)
        inputs, baseline = (tuple(t[chosen] for t in ends) for ends in (given.inputs, given.baseline))
        found: Any = method.attribute(
            inputs[:1],
            baselines=baseline[:1],
            additional_forward_args=(*inputs[1:], given.targets[chosen]),
            n_steps=steps,
            internal_batch_size=max(size, len(chosen)),
        )
        return _one(found, name).double()

    return torch.cat(in_calls(len(rows), max(1, size // steps), call))


def _gradient_by_activation(given: _Given, name: str) -> Maps:
    method = LayerGradientXActivation(given.scalar(), given.network.module.get_submodule(name))

    def call(at: slice) -> torch.Tensor:
        inputs = tuple(t[at] for t in given.inputs)
        found: Any = method.attribute(inputs[:1], additional_forward_args=(*inputs[1:], given.targets[at]))
        return _one(found, name)

    values = torch.cat(in_calls(len(given.targets), rows_per_call(given.inputs), call))
    return Maps(
        method="gradient times activation at the row itself (Captum); promises no sum",
        short="gradient x activation",
        family="gradients",
        values=values.float().numpy(),
        signed=True,
        evaluations=len(values),
    )


def _one(found: Any, name: str) -> torch.Tensor:
    """The attributions of a layer that gives one tensor, on the CPU."""
    tensor = found[0] if isinstance(found, tuple) else found
    if not bool(torch.isfinite(tensor).all()):
        raise Unavailable("not_applicable", f"the gradients at layer {name} are NaN or infinite", "name another layer")
    return torch.as_tensor(tensor).detach().cpu()
