"""A graphics card without memory: a smaller batch, then the processor, each told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from core.model.recipe import RECIPES
from core.motion.motion import Motion
from core.runs.less_memory import retry_with_less_memory, smaller_batch
from core.system.memory import is_out_of_memory
from core.training.checkpoint import Checkpoint, begin


class OutOfMemoryError(RuntimeError):
    """PyTorch's own class has this name."""


@pytest.fixture
def begun(walker: Motion) -> Checkpoint:
    return begin(walker, RECIPES["paper"].scaled(0.001), 0, None)


def test_the_batch_is_halved_until_it_fits(begun: Checkpoint) -> None:
    told: list[str] = []
    asked: list[tuple[int, str]] = []

    def train(checkpoint: Checkpoint, device: str) -> str:
        asked.append((max(checkpoint.recipe.batch), device))
        if max(checkpoint.recipe.batch) > 4:
            raise OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return "model"

    assert retry_with_less_memory(train, begun, "cuda", lambda kind, value: told.append(value)) == "model"
    assert asked == [(16, "cuda"), (8, "cuda"), (4, "cuda")]
    assert ["batches of 8" in told[0], "batches of 4" in told[1], len(told)] == [True, True, 2]


def test_the_processor_comes_last(begun: Checkpoint) -> None:
    told: list[str] = []
    devices: list[str] = []

    def train(checkpoint: Checkpoint, device: str) -> str:
        devices.append(device)
        if device != "cpu":
            raise RuntimeError("CUDA error: out of memory")
        return "model"

    assert retry_with_less_memory(train, begun, "cuda", lambda kind, value: told.append(value)) == "model"
    assert devices == ["cuda"] * 5 + ["cpu"], "16, 8, 4, 2, 1"
    assert told[-1].startswith("CPU")


def test_a_training_with_a_state_keeps_its_batch(begun: Checkpoint) -> None:
    under_way = replace(begun, state={"level": 0})
    assert smaller_batch(under_way) is None
    assert smaller_batch(begun) is not None


def test_other_errors_and_a_full_processor_are_passed_on(begun: Checkpoint) -> None:
    def fail(checkpoint: Checkpoint, device: str) -> Any:
        raise error

    error: Exception = ValueError("something else")
    with pytest.raises(ValueError, match="something else"):
        retry_with_less_memory(fail, begun, "cuda", lambda *_: None)
    for words in ("out of memory", "DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes"):
        error = RuntimeError(words)
        with pytest.raises(MemoryError, match=words):
            retry_with_less_memory(fail, begun, "cpu", lambda *_: None)
    assert not is_out_of_memory(error=ValueError("no memory of it"))
