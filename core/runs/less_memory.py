"""Training with less memory: on a graphics card smaller batches, then the processor, then a sentence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from ..system.devices import pick_device
from ..system.memory import is_out_of_memory
from ..training.checkpoint import Checkpoint
from ..training.progress import Send

Result = TypeVar("Result")


def retry_with_less_memory(
    call: Callable[[Checkpoint, str], Result], begun: Checkpoint, device: str, send: Send
) -> Result:
    """`call(begun, device)`; where the card's memory does not suffice, again with half the batch, then on the CPU.

    A training that has a state already keeps its batch, which its state was made with, and goes on on the CPU. Each
    change is told as (“device”, a sentence). Raises MemoryError where the CPU's memory does not suffice either.
    """
    while True:
        try:
            return call(begun, device)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            if _computes_on_cpu(device):
                raise MemoryError(str(error)) from error
            _empty_cache()
        smaller = smaller_batch(begun)
        if smaller is not None:
            begun = smaller
            send("device", f"Graphics card, with batches of {max(begun.recipe.batch)}: more did not fit its memory")
        else:
            device = "cpu"
            send("device", "CPU: the graphics card's memory did not suffice")


def smaller_batch(begun: Checkpoint) -> Checkpoint | None:
    """Return the training with half the batch; None where it has begun or the batch cannot be smaller."""
    batch = tuple(max(1, size // 2) for size in begun.recipe.batch)
    if begun.state or batch == begun.recipe.batch:
        return None
    return replace(begun, recipe=replace(begun.recipe, batch=batch))


def _computes_on_cpu(device: str) -> bool:

    return device == "cpu" or (device == "auto" and pick_device(device).type == "cpu")


def _empty_cache() -> None:
    """Give back what PyTorch keeps of the card for later."""
    import torch  # late: PyTorch takes seconds to load

    for kind in ("cuda", "xpu", "mps"):
        backend = getattr(torch, kind, None)  # PyTorch before 2.3 has no xpu
        if backend is not None and getattr(backend, "is_available", torch.backends.mps.is_available)():
            backend.empty_cache()
