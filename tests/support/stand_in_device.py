"""A device of PyTorch that is not the processor, on a machine without one: its tensors lie in the processor's memory.

As on a real card, a tensor of the processor does not mix with one of the device, random numbers for the device do not
come from the processor's generator, and every kernel that is asked for is counted. PyTorch knows it by the name `NAME`,
so code that asks for “cpu” or “cuda” takes the way that it takes for Metal (`mps`) and Intel's cards (`xpu`).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils import _pytree as pytree
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

NAME = "standin"


@dataclass
class Failure:
    """An error of the device: it is raised a number of `times`, in kernels after a number of them."""

    error: Exception
    after: int = 0
    times: float = math.inf


failure: Failure | None = None
"""Error that the device has, if any."""

kernels: Counter[str] = Counter()
"""Number of runs of each operation on the device."""

_library: list[torch.library.Library] = []


class DeviceTensor(torch.Tensor):
    """Tensor of the device; `raw` has its numbers."""

    raw: torch.Tensor

    @staticmethod
    def __new__(cls: type[DeviceTensor], raw: torch.Tensor) -> DeviceTensor:
        made: DeviceTensor = torch.Tensor._make_wrapper_subclass(
            cls, raw.shape, raw.stride(), raw.storage_offset(), dtype=raw.dtype, device=torch.device(NAME, 0)
        )
        made.raw = raw
        return made

    def __init__(self, raw: torch.Tensor) -> None:
        """`raw` was taken by __new__."""

    def __repr__(self, **_: Any) -> str:  # type: ignore[override]
        return f"DeviceTensor({self.raw!r})"

    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]
        cls, op: Any, types: Any, arguments: Sequence[Any] = (), options: Mapping[str, Any] | None = None
    ) -> Any:
        return _run(op, arguments, options or {})


def register_device() -> torch.device:
    """Let PyTorch know the device, once in a process; return it."""
    if not _library:
        _setup_privateuseone_for_python_backend(NAME)
        own = torch.library.Library("aten", "IMPL")
        own.impl("empty.memory_format", _empty, "PrivateUse1")
        own.impl("empty_strided", _empty_strided, "PrivateUse1")
        every = torch.library.Library("_", "IMPL")
        every.fallback(lambda op, *arguments, **options: _run(op, arguments, options), "PrivateUse1")
        _library.extend((own, every))
    return torch.device(NAME)


_tensor_of_pytorch = torch.tensor


def tensor(data: Any, *, device: Any = None, **options: Any) -> torch.Tensor:
    """Return `torch.tensor(data, …)`; PyTorch's own makes none on a device that is written in Python."""
    made = _tensor_of_pytorch(data, **options)
    return made if device is None else made.to(device)


def _empty(size: Sequence[int], *, dtype: Any = None, **_: Any) -> torch.Tensor:
    return DeviceTensor(torch.empty(size, dtype=dtype or torch.get_default_dtype(), device="cpu"))


def _empty_strided(size: Sequence[int], stride: Sequence[int], *, dtype: Any = None, **_: Any) -> torch.Tensor:
    return DeviceTensor(torch.empty_strided(size, stride, dtype=dtype or torch.get_default_dtype(), device="cpu"))


def _fail_if_asked() -> None:
    if failure is not None and failure.times > 0 and sum(kernels.values()) > failure.after:
        failure.times -= 1
        raise failure.error


COPIES = ("aten::copy_", "aten::_to_copy", "aten::_local_scalar_dense")
"""Operations that bring numbers from one device to the other."""


def _run(op: Any, arguments: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """Run an operation on the numbers, and return its results as tensors of the device."""
    name = op._schema.name
    kernels[name] += 1
    _fail_if_asked()
    flat, shape = pytree.tree_flatten((tuple(arguments), dict(options)))
    for value in flat:
        foreign = isinstance(value, torch.Tensor) and not isinstance(value, DeviceTensor) and value.dim()
        if foreign and name not in COPIES:
            raise RuntimeError(f"{name}: a tensor of the processor met one of the device")
        if isinstance(value, torch.Generator) and value.device.type == "cpu":
            raise RuntimeError(f"{name}: the processor's generator cannot draw on the device")
    known = {id(value.raw): value for value in flat if isinstance(value, DeviceTensor)}
    inner, words = pytree.tree_unflatten([_on_processor(value) for value in flat], shape)
    result = op(*inner, **words)
    if name == "aten::copy_" and not isinstance(arguments[0], DeviceTensor):
        return arguments[0]
    if name == "aten::_to_copy" and torch.device(options.get("device") or NAME).type == "cpu":
        return result
    return pytree.tree_map_only(
        torch.Tensor, lambda one: known[id(one)] if id(one) in known else DeviceTensor(one), result
    )


def _on_processor(value: Any) -> Any:
    if isinstance(value, torch.device):
        return torch.device("cpu")
    return value.raw if isinstance(value, DeviceTensor) else value
