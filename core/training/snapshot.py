"""The state of a training between two iterations, as arrays and back, so that it goes on as if it had never stopped."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ..errors import ModelError
from .checkpoint import Checkpoint
from .divergence import check_state, check_weights
from .level import FrozenLevels, LevelRun
from .progress_reporter import ProgressReporter
from .session import Session
from .stage import Stage
from .stage_io import StageInputs

Arrays = dict[str, NDArray[Any]]
SNAPSHOT_SECONDS = 3.0
"""Seconds between copies of the state of the training: at most this much work is lost when it is stopped."""

MOMENTS = ("step", "exp_avg", "exp_avg_sq")
"""State of Adam for each weight."""


def take(session: Session, finished: Sequence[Stage], run: LevelRun) -> tuple[dict[str, Any], Arrays]:
    """Everything that the next iteration of a level depends on: a part that fits JSON, and arrays by name."""
    arrays: Arrays = {"random": _copy(session.random.get_state())}
    for stage in finished:
        arrays |= _kept_networks(stage) | {f"stage{stage.index}.random": _copy(stage.random.get_state())}
    for stage in run.stages:
        arrays |= _networks(stage, _networks_at_work(stage)) | _moments(stage)
        arrays[f"stage{stage.index}.random"] = _copy(stage.random.get_state())
        arrays[f"stage{stage.index}.rebuilt"] = _shared(stage.rebuilt)
        if stage.pool:
            arrays[f"stage{stage.index}.pool"] = _copy(stage.pool.samples[: stage.pool.filled])
    # The first stage draws anew what it starts from; the second one starts from what the first has made.
    random = [[], *(inputs.random for inputs in run.inputs[1:])]
    for number, inputs in enumerate(run.inputs):
        arrays[f"feed{number}.code"] = _shared(inputs.code)
        arrays |= {f"feed{number}.random{k}": _shared(base) for k, base in enumerate(random[number])}
    if run.frozen.bank is not None:
        arrays["bank"] = _shared(run.frozen.bank)
    stages = [{"steps": s.steps, "losses": s.losses} for s in run.stages]
    return {"level": run.level, "stages": stages, "draws": [len(bases) for bases in random]}, arrays


def restore(session: Session, state: dict[str, Any], arrays: Arrays) -> tuple[list[Stage], LevelRun]:
    """The finished stages of lower levels and the level at work, as they were when `take` copied them.

    Raises ModelError where the state is not one of a training like this.
    """
    try:
        return _restore(session, state, arrays)
    except (KeyError, IndexError, TypeError, ValueError, RuntimeError) as error:
        raise ModelError(f"The state of the training is damaged: {error}.") from error


def _restore(session: Session, state: dict[str, Any], arrays: Arrays) -> tuple[list[Stage], LevelRun]:
    level, device = int(state["level"]), session.device
    finished = session.new_stages(range(session.recipe.first_stage(level)))
    for stage in finished:
        _load_networks(stage, _networks_of_finished(stage), arrays)
    stages = session.new_stages(session.stages_of_level(level))
    for stage, kept in zip(stages, state["stages"], strict=True):
        _load_networks(stage, _networks_at_work(stage), arrays)
        _load_moments(stage, arrays)
        prefix = f"stage{stage.index}"
        stage.rebuilt = _tensor(arrays[f"{prefix}.rebuilt"], device)
        if stage.pool:
            past = _tensor(arrays[f"{prefix}.pool"], device)
            stage.pool.filled = len(past)
            stage.pool.samples[: len(past)] = past
        stage.steps, stage.losses = int(kept["steps"]), dict(kept["losses"])
    bank = _tensor(arrays["bank"], device) if "bank" in arrays else None
    inputs = [
        StageInputs(
            [_tensor(arrays[f"feed{n}.random{k}"], device) for k in range(count)],
            _tensor(arrays[f"feed{n}.code"], device),
        )
        for n, count in enumerate(state["draws"])
    ]
    run = LevelRun(stages, FrozenLevels(session, finished, level, bank), inputs)
    # last: what was made on the way has drawn random numbers
    session.random.set_state(_tensor(arrays["random"], torch.device("cpu")))
    for stage in (*finished, *stages):
        stage.random.set_state(_tensor(arrays[f"stage{stage.index}.random"], torch.device("cpu")))
    return finished, run


class Snapshots:
    """Copies of the state of a training every few seconds, between two iterations, handed on as checkpoints.

    `good` holds the last two states, or what the training began with, the older one first. `seconds` lie between two
    snapshots, SNAPSHOT_SECONDS if None.
    """

    def __init__(
        self,
        begun: Checkpoint,
        reporter: ProgressReporter,
        on_snapshot: Callable[[Checkpoint], None] | None,
        good: deque[Checkpoint],
        seconds: float | None = None,
    ) -> None:
        self.seconds = SNAPSHOT_SECONDS if seconds is None else seconds
        self.begun, self.reporter, self.on_snapshot, self.good = begun, reporter, on_snapshot, good
        self.taken_at = time.perf_counter()

    def offer(self, session: Session, finished: Sequence[Stage], run: LevelRun) -> None:
        """Take a snapshot if one is due, or if it is the last of the training. Raises Diverged for an unsound state."""
        now, reporter = time.perf_counter(), self.reporter
        if now - self.taken_at < self.seconds and reporter.step < sum(reporter.iterations):
            return
        check_weights(finished)  # those at work are checked in the state itself
        state, arrays = take(session, finished, run)
        check_state(arrays)
        self.good.append(
            replace(
                self.begun,
                step=reporter.step,
                fraction=reporter.fraction,
                seconds=now - reporter.started,
                history=list(reporter.history),
                state=state,
                arrays=arrays,
            )
        )
        if self.on_snapshot is not None:
            self.on_snapshot(self.good[-1])
        self.taken_at = time.perf_counter()


def _networks_of_finished(stage: Stage) -> dict[str, nn.Module]:
    return {"averaged": stage.averaged, "critic": stage.critic}


def _networks_at_work(stage: Stage) -> dict[str, nn.Module]:
    networks: dict[str, nn.Module] = {"generator": stage.generator, "critic": stage.critic}
    return networks if stage.averaged is stage.generator else {**networks, "averaged": stage.averaged}


def _networks(stage: Stage, networks: dict[str, nn.Module]) -> Arrays:
    return {
        f"stage{stage.index}.{name}{k}": _copy(parameter)
        for name, network in networks.items()
        for k, parameter in enumerate(network.parameters())
    }


def _kept_networks(stage: Stage) -> Arrays:
    """Return a copy of the networks of a finished stage, made once: no state is harmed by what befalls the stage."""
    if stage not in _kept:
        _kept[stage] = _networks(stage, _networks_of_finished(stage))
    return _kept[stage]


_kept: WeakKeyDictionary[Stage, Arrays] = WeakKeyDictionary()


def _load_networks(stage: Stage, networks: dict[str, nn.Module], arrays: Arrays) -> None:
    for name, network in networks.items():
        for k, parameter in enumerate(network.parameters()):
            parameter.data.copy_(torch.from_numpy(arrays[f"stage{stage.index}.{name}{k}"]))


def _optimised(stage: Stage) -> Iterator[tuple[str, torch.optim.Adam, Tensor]]:
    for name, network, optimiser in (
        ("generator", stage.generator, stage.generator_optimiser),
        ("critic", stage.critic, stage.critic_optimiser),
    ):
        for k, parameter in enumerate(network.parameters()):
            yield f"stage{stage.index}.{name}{k}", optimiser, parameter


def _moments(stage: Stage) -> Arrays:
    return {
        f"{prefix}.{moment}": _copy(optimiser.state[parameter][moment])
        for prefix, optimiser, parameter in _optimised(stage)
        for moment in (MOMENTS if optimiser.state[parameter] else ())
    }


def _load_moments(stage: Stage, arrays: Arrays) -> None:
    for prefix, optimiser, parameter in _optimised(stage):
        if f"{prefix}.step" in arrays:
            optimiser.state[parameter] = {
                moment: _tensor(arrays[f"{prefix}.{moment}"], parameter.device) for moment in MOMENTS
            }


def _copy(tensor: Tensor) -> NDArray[Any]:
    return np.array(tensor.detach().cpu().numpy(), copy=True)


def _shared(tensor: Tensor) -> NDArray[Any]:
    """The numbers of a tensor that is only ever replaced, never changed: on a CPU they need no copy."""
    kept: NDArray[Any] = tensor.detach().cpu().numpy()
    return kept


def _tensor(array: NDArray[Any], device: torch.device) -> Tensor:
    return torch.from_numpy(np.array(array, copy=True)).to(device)
