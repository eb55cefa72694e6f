"""Borrow a module for an explanation and give it back as it was, also when an exception flies."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from audit.errors import ModelError

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

    Parameters are only compared: ModelError when a call of the model changed them, because a model that trains while it
    is examined cannot be audited.
    """
    weights = _parameter_hash(module)
    give_back = _remember(module)
    # a caller may stand inside inference_mode, in which gradients do not exist
    try:
        with torch.inference_mode(False), torch.enable_grad():
            module.eval()
            yield module
    finally:
        for put in give_back:
            put()
    if _parameter_hash(module) != weights:
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


def _remember(module: torch.nn.Module) -> list[Callable[[], None]]:
    on_cuda = any(parameter.is_cuda for parameter in module.parameters())
    return [*_remember_parts(module), *_remember_tensors(module), _remember_random_streams(on_cuda)]


def _remember_parts(module: torch.nn.Module) -> Iterator[Callable[[], None]]:
    for part in module.modules():
        mode = part.training
        hooks = [(kept, dict(kept)) for name in _HOOKS if (kept := getattr(part, name, None)) is not None]

        def put(part: torch.nn.Module = part, mode: bool = mode, hooks: list[Any] = hooks) -> None:
            part.training = mode
            for kept, before in hooks:
                kept.clear()
                kept.update(before)

        yield put


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


def _remember_random_streams(on_cuda: bool) -> Callable[[], None]:
    own, numpy_state, torch_state = random.getstate(), np.random.get_state(), torch.get_rng_state()
    devices = torch.cuda.get_rng_state_all() if on_cuda else []

    def put() -> None:
        random.setstate(own)
        np.random.set_state(numpy_state)
        torch.set_rng_state(torch_state)
        if devices:
            torch.cuda.set_rng_state_all(devices)

    return put
