"""Steps that a CUDA device plays back from a recording: a graph of thousands of small kernels costs one launch.

Nothing here decides what is computed. A step is run plainly a few times, recorded once, and played back from then on;
where there is nothing to record with, or recording fails, it is run plainly for ever.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

WARM_UP = 3
"""Plain runs before a step is recorded: libraries choose their kernels and optimisers make their state in them."""

Step = Callable[[Sequence[Tensor]], list[Tensor]]

log = logging.getLogger("riff.training")


@dataclass
class Allowed:
    """Optimisations of a CUDA device: recorded graphs, and TF32 products. Benchmarks switch them off to compare."""

    graphs: bool = True
    tf32: bool = True


ALLOWED = Allowed()


class Recorder(Protocol):
    """Records what a call does, without doing it, and does it again on the same memory."""

    def capture(self, call: Callable[[], None]) -> None: ...

    def replay(self) -> None: ...


class CudaRecorder:
    """A CUDA graph; those of one training share their memory, since they are never played at the same time."""

    def __init__(self, pool: Any) -> None:
        self.graph, self.pool = torch.cuda.CUDAGraph(), pool

    def capture(self, call: Callable[[], None]) -> None:
        torch.cuda.synchronize()
        with torch.cuda.graph(self.graph, pool=self.pool):
            call()

    def replay(self) -> None:
        self.graph.replay()


def recorder_for(device: torch.device) -> Callable[[], Recorder] | None:
    """Return a maker of recorders for a device; None on the CPU, `mps` and AMD's ROCm, which calls itself CUDA."""
    if device.type != "cuda" or torch.version.hip is not None or not ALLOWED.graphs:
        return None
    pool = torch.cuda.graph_pool_handle()
    return lambda: CudaRecorder(pool)


class RecordedStep:
    """A step on tensors of fixed sizes: called with inputs, it gives the outputs, recorded as soon as that is possible.

    The step may change tensors of its own in place, as an optimiser does, but must need nothing from the CPU.
    """

    def __init__(self, step: Step, new_recorder: Callable[[], Recorder] | None) -> None:
        self.step, self.new_recorder = step, new_recorder
        self.calls = 0
        self.recorder: Recorder | None = None
        self.inputs: list[Tensor] = []
        self.outputs: list[Tensor] = []

    def __call__(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        self.calls += 1
        if self.new_recorder is None or self.calls <= WARM_UP:
            return self.step(inputs)
        if self.recorder is None and not self._record(inputs, self.new_recorder):
            return self.step(inputs)
        assert self.recorder is not None
        for own, given in zip(self.inputs, inputs, strict=True):
            own.copy_(given)
        self.recorder.replay()
        # The next recording that is played may use the memory of these again.
        return [output.clone() for output in self.outputs]

    def _record(self, inputs: Sequence[Tensor], new_recorder: Callable[[], Recorder]) -> bool:
        self.inputs = [given.clone() for given in inputs]
        recorder = new_recorder()
        try:
            recorder.capture(self._run)
        except RuntimeError as error:
            log.warning("Riff trains without CUDA graphs, which takes longer: %s", str(error).partition("\n")[0])
            self.new_recorder, self.inputs, self.outputs = None, [], []
            return False
        self.recorder = recorder
        return True

    def _run(self) -> None:
        self.outputs = self.step(self.inputs)
