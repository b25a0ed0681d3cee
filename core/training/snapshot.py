"""The state of a training between two iterations, as arrays and back, so that it goes on as if it had never stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ..errors import ModelError
from .stage import Stage
from .stage_io import StageInputs

if TYPE_CHECKING:
    from .level import LevelRun
    from .train import Training

Arrays = dict[str, NDArray[Any]]
MOMENTS = ("step", "exp_avg", "exp_avg_sq")
"""What Adam remembers of each weight."""


def take(training: Training, level: int, run: LevelRun) -> tuple[dict[str, Any], Arrays]:
    """All that the next iteration of `level` depends on, as it is now: a part that fits JSON, and arrays by name."""
    arrays: Arrays = {"random": _copy(training.random.get_state())}
    for stage in training.stages:
        arrays |= _networks(stage, _finished(stage), _kept)
    for stage in run.stages:
        arrays |= _networks(stage, _at_work(stage), _copy) | _moments(stage)
        arrays[f"stage{stage.index}.rebuilt"] = _kept(stage.rebuilt)
        if stage.pool:
            arrays[f"stage{stage.index}.pool"] = _copy(stage.pool.samples[: stage.pool.filled])
    # The first stage draws anew what it starts from; the second one starts from what the first has made.
    random = [[], *(feed.random for feed in run.feeds[1:])]
    for number, feed in enumerate(run.feeds):
        arrays[f"feed{number}.code"] = _kept(feed.code)
        arrays |= {f"feed{number}.random{k}": _kept(base) for k, base in enumerate(random[number])}
    if run.supply.bank is not None:
        arrays["bank"] = _kept(run.supply.bank)
    stages = [{"steps": s.steps, "losses": s.losses} for s in run.stages]
    return {"level": level, "stages": stages, "draws": [len(bases) for bases in random]}, arrays


def put_back(training: Training, state: dict[str, Any], arrays: Arrays) -> LevelRun:
    """The level at work as it was when `take` looked; the lower ones are finished stages of the training.

    Raises ModelError where the state is not one of a training like this.
    """
    try:
        return _put_back(training, state, arrays)
    except (KeyError, IndexError, TypeError, ValueError, RuntimeError) as error:
        raise ModelError(f"The state of the training is damaged: {error}.") from error


def _put_back(training: Training, state: dict[str, Any], arrays: Arrays) -> LevelRun:
    level, device = int(state["level"]), training.device
    training.stages = training.fresh_stages(range(training.recipe.first_stage(level)))
    for stage in training.stages:
        _load_networks(stage, _finished(stage), arrays)
    first = training.recipe.first_stage(level)
    stages = training.fresh_stages(range(first, first + training.recipe.stages[level]))
    for stage, kept in zip(stages, state["stages"], strict=True):
        _load_networks(stage, _at_work(stage), arrays)
        _load_moments(stage, arrays)
        prefix = f"stage{stage.index}"
        stage.rebuilt = _tensor(arrays[f"{prefix}.rebuilt"], device)
        if stage.pool:
            past = _tensor(arrays[f"{prefix}.pool"], device)
            stage.pool.filled = len(past)
            stage.pool.samples[: len(past)] = past
        stage.steps, stage.losses = int(kept["steps"]), dict(kept["losses"])
    bank = _tensor(arrays["bank"], device) if "bank" in arrays else None
    feeds = [
        StageInputs(
            [_tensor(arrays[f"feed{n}.random{k}"], device) for k in range(count)],
            _tensor(arrays[f"feed{n}.code"], device),
        )
        for n, count in enumerate(state["draws"])
    ]
    run = training.restored_level(level, stages, bank, feeds)
    # last: what was made on the way has drawn random numbers
    training.random.set_state(_tensor(arrays["random"], torch.device("cpu")))
    for stage in (*training.stages, *stages):
        stage.random.set_state(_tensor(arrays[f"stage{stage.index}.random"], torch.device("cpu")))
    return run


def _finished(stage: Stage) -> dict[str, nn.Module]:
    return {"averaged": stage.averaged, "critic": stage.critic}


def _at_work(stage: Stage) -> dict[str, nn.Module]:
    networks: dict[str, nn.Module] = {"generator": stage.generator, "critic": stage.critic}
    return networks if stage.averaged is stage.generator else {**networks, "averaged": stage.averaged}


def _networks(stage: Stage, networks: dict[str, nn.Module], read: Callable[[Tensor], NDArray[Any]]) -> Arrays:
    arrays = {f"stage{stage.index}.random": _copy(stage.random.get_state())}
    for name, network in networks.items():
        for k, parameter in enumerate(network.parameters()):
            arrays[f"stage{stage.index}.{name}{k}"] = read(parameter)
    return arrays


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


def _kept(tensor: Tensor) -> NDArray[Any]:
    """The numbers of what is never changed, only replaced: on a CPU they need no copy, as large as all the rest."""
    kept: NDArray[Any] = tensor.detach().cpu().numpy()
    return kept


def _tensor(array: NDArray[Any], device: torch.device) -> Tensor:
    return torch.from_numpy(np.array(array, copy=True)).to(device)
