"""Borrow a module for an explanation and give it back as it was, also when an exception flies."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch

from audit.errors import ModelError

from .streams import remember_random_streams

MOST_KEPT = 1 << 24  # parameters of which a copy is kept, 64 MB in single precision
_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")


def state_hash(module: torch.nn.Module) -> str:
    """Digest of everything that an audit must not change: parameters, buffers, modes, flags, hooks."""
    digest = hashlib.sha256(_parameter_hash(module).encode())
    for name, buffer in module.named_buffers():
        _feed(digest, name, buffer)
    for name, part in module.named_modules():
        hooks = [list(getattr(part, hook, ())) for hook in _HOOKS]
        digest.update(f"{name} {part.training} {hooks}".encode())
    for name, parameter in module.named_parameters():
        digest.update(f"{name} {parameter.requires_grad} {parameter.grad is None}".encode())
    return digest.hexdigest()


@contextmanager
def untouched(module: torch.nn.Module) -> Iterator[torch.nn.Module]:
    """The module in evaluation mode with gradients on; modes, buffers, flags, hooks and random streams are put back.

    So are attributes that a call sets anew (what it keeps for the next call); what it changes inside of them is not.
    Parameters are compared: ModelError when a call of the model changed them, because a model that trains while it is
    examined cannot be audited. Those of all but large models are put back then too.
    """
    weights = _parameter_hash(module)
    give_back, put_weights = _remember(module), _remember_weights(module)
    # a caller may stand inside inference_mode, in which gradients do not exist
    try:
        with torch.inference_mode(False), torch.enable_grad():
            module.eval()
            yield module
    finally:
        for put in give_back:
            put()
    if _parameter_hash(module) != weights:
        put_weights()
        raise ModelError(
            f"{type(module).__name__} changes its own parameters when it is called: "
            "give a model whose forward pass in evaluation mode only computes"
        )


def _parameter_hash(module: torch.nn.Module) -> str:
    digest = hashlib.sha256()
    for name, parameter in module.named_parameters():
        _feed(digest, name, parameter)
    return digest.hexdigest()


def _feed(digest: Any, name: str, tensor: torch.Tensor) -> None:
    digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
    digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())


@contextmanager
def given_back(module: torch.nn.Module) -> Iterator[None]:
    """As :func:`untouched` for a block that may change no weights: nothing is compared, and no mode set."""
    give_back = _remember(module)
    try:
        yield
    finally:
        for put in give_back:
            put()


def _remember(module: torch.nn.Module) -> list[Callable[[], None]]:
    on_cuda = any(parameter.is_cuda for parameter in module.parameters())
    return [*_remember_parts(module), *_remember_tensors(module), remember_random_streams(on_cuda)]


def _remember_weights(module: torch.nn.Module) -> Callable[[], None]:
    """Nothing is kept of a model whose second copy would be large."""
    parameters = list(module.parameters())
    if sum(p.numel() for p in parameters) > MOST_KEPT:
        return lambda: None
    copies = [p.detach().clone() for p in parameters]

    def put() -> None:
        for parameter, copy in zip(parameters, copies, strict=True):
            parameter.data.copy_(copy)

    return put


def _remember_parts(module: torch.nn.Module) -> Iterator[Callable[[], None]]:
    for part in module.modules():
        mode = part.training
        held = [getattr(part, name, None) for name in (*_HOOKS, "_buffers", "_parameters")]
        before = [(own, dict(own)) for own in (vars(part), *held) if own is not None]

        def put(part: torch.nn.Module = part, mode: bool = mode, before: list[Any] = before) -> None:
            for own, then in before:
                if not _same(own, then):
                    own.clear()
                    own.update(then)
            part.training = mode

        yield put


def _same(now: Mapping[str, object], then: Mapping[str, object]) -> bool:
    """Whether both hold the same objects in the same order."""
    return list(now) == list(then) and all(now[name] is then[name] for name in then)


def _remember_tensors(module: torch.nn.Module) -> Iterator[Callable[[], None]]:
    for buffer in module.buffers():
        copy = buffer.detach().clone()

        def put_buffer(buffer: torch.Tensor = buffer, copy: torch.Tensor = copy) -> None:
            if not torch.equal(buffer, copy):
                buffer.data.copy_(copy)

        yield put_buffer
    for parameter in module.parameters():
        flag, gradient = parameter.requires_grad, parameter.grad

        def put(p: torch.nn.Parameter = parameter, flag: bool = flag, gradient: torch.Tensor | None = gradient) -> None:
            p.requires_grad_(flag)
            p.grad = gradient

        yield put
