"""Metal (`mps`) and Intel's cards (`xpu`) by a stand-in for them: a device that is neither the processor nor CUDA."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.errors import Cancelled, RiffError
from core.model.model_file import load_model
from core.model.recipe import FAST
from core.motion.motion import Motion
from core.runs.run import run_training
from core.system import devices
from core.system.convolution import convolution_problem
from core.system.lost_device import lost_device_sentence
from core.torch_trial.self_test import self_test
from core.training.checkpoint import begin, load_checkpoint
from core.training.train import train
from tests.support import stand_in_device
from tests.support.stand_in_device import NAME, kernels

TINY = replace(FAST, iterations=(1, 1, 1, 1), hidden=(16, 16, 16), batch=(4, 4, 4, 4), bank=8, calibrate=False)


@pytest.fixture(params=["xpu", "mps"])
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Name of a device that this machine seems to have; what it computes, the stand-in computes."""
    wanted: str = request.param
    module: Any = torch.xpu if wanted == "xpu" else torch.backends.mps
    if module.is_available():
        pytest.skip(f"this machine has {wanted}")
    monkeypatch.setattr(module, "is_available", lambda: True)
    monkeypatch.setattr(torch.xpu, "get_device_name", lambda device: "Intel Arc stand-in")
    device = stand_in_device.register_device()
    monkeypatch.setattr(torch, "tensor", stand_in_device.tensor)
    pick, named = devices.pick_device, devices.device_name

    def pick_stand_in(asked: str) -> torch.device:
        return device if pick(asked).type == wanted else pick(asked)

    def name_of(asked: str) -> str:
        return named(wanted if asked == NAME else asked)

    for name, user in list(sys.modules.items()):
        if name.startswith("core."):
            for attribute, stand_in in (("pick_device", pick_stand_in), ("device_name", name_of)):
                if getattr(user, attribute, None) in (pick, named):
                    monkeypatch.setattr(user, attribute, stand_in)
    kernels.clear()
    yield wanted
    stand_in_device.failure = None


def run(walker: Motion, folder: Path, device: str, stop_after: int | None = None) -> list[tuple[str, Any]]:
    """Train into a folder, from its state if there is one; the messages. Raises what the training raises."""
    said: list[tuple[str, Any]] = []
    state = folder / "state.safetensors"
    begun = load_checkpoint(state) if state.exists() else begin(walker, TINY, 1)

    def stop() -> bool:
        done = [value.step for word, value in said if word == "progress"]
        return stop_after is not None and bool(done) and done[-1] >= stop_after

    run_training(begun, folder / "model.safetensors", lambda *one: said.append(one), stop, keep=state, device=device)
    return said


@pytest.mark.parametrize("kind", ["xpu"], indirect=True)
def test_a_device_learns_what_the_processor_learns(walker: Motion, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = train(walker, TINY, seed=1, device=kind)
    assert kernels["aten::mm"] + kernels["aten::addmm_"] > 500, "it did not compute on the device"
    before = sum(kernels.values())
    session: Any = importlib.import_module("core.training.session")
    monkeypatch.setattr(session, "find_clusters", session.one_cluster)  # the processor's own packing of networks
    right = train(walker, TINY, seed=1, device="cpu", threads=1)
    assert sum(kernels.values()) == before
    for name, value in ours.weights.items():
        np.testing.assert_allclose(value, right.weights[name], atol=1e-5)


def test_a_training_is_estimated_stopped_resumed_and_saved(walker: Motion, kind: str, tmp_path: Path) -> None:
    with pytest.raises(Cancelled):
        run(walker, tmp_path, kind, stop_after=2)
    assert (tmp_path / "state.safetensors").exists()
    said = run(walker, tmp_path, kind)
    named = {"xpu": "Intel Arc stand-in", "mps": "Apple GPU"}[kind]
    assert ("device", named) in said
    assert any(word == "expected" and value >= 0 for word, value in said)
    assert load_model(tmp_path / "model.safetensors").quality
    assert not (tmp_path / "state.safetensors").exists()


def test_the_self_test_computes_on_it(kind: str) -> None:
    assert convolution_problem(NAME) == ""
    report = self_test(kind)
    assert report["device"] == {"xpu": "Intel Arc stand-in", "mps": "Apple GPU"}[kind]
    assert kernels["aten::convolution_backward"] == 2


def test_a_full_card_gets_smaller_batches_and_then_the_processor(walker: Motion, kind: str, tmp_path: Path) -> None:
    words = {"xpu": "XPU out of memory. Tried to allocate 2.00 GiB", "mps": "MPS backend out of memory (18.1 GB)"}[kind]
    times = {"xpu": 2, "mps": 3}[kind]
    stand_in_device.failure = stand_in_device.Failure(RuntimeError(words), times=times)
    said = run(walker, tmp_path, kind)
    told = [value for word, value in said if word == "device" and "memory" in value]
    assert (
        told
        == [
            "Graphics card, with batches of 2: more did not fit its memory",
            "Graphics card, with batches of 1: more did not fit its memory",
            "CPU: the graphics card's memory did not suffice",
        ][:times]
    )
    assert [value for word, value in said if word == "device"][-1] == told[-1], "the last word is the true one"
    assert load_model(tmp_path / "model.safetensors").weights


@pytest.mark.parametrize("count", [500, 6000])
def test_a_card_that_vanishes_leaves_the_state_and_a_true_sentence(
    walker: Motion, kind: str, tmp_path: Path, count: int
) -> None:
    words = {"xpu": "UR error: 20 (UR_RESULT_ERROR_DEVICE_LOST)", "mps": "MPS backend failed: IOGPU command buffer"}
    stand_in_device.failure = stand_in_device.Failure(RuntimeError(words[kind]), after=count)
    with pytest.raises(RiffError, match=r"graphics card stopped computing \((UR|MPS).*state is kept: resume it"):
        run(walker, tmp_path, kind)
    assert not (tmp_path / "model.safetensors").exists()
    assert load_checkpoint(tmp_path / "state.safetensors").recipe.batch == TINY.batch
    stand_in_device.failure = None
    run(walker, tmp_path, "cpu")
    assert load_model(tmp_path / "model.safetensors").weights


@pytest.mark.parametrize(
    "words",
    [
        "CUDA error: unspecified launch failure\nCUDA kernel errors might be asynchronously reported",
        "CUDA error: an illegal memory access was encountered",
        "CUDA error: the launch timed out and was terminated",
        "cuDNN error: CUDNN_STATUS_EXECUTION_FAILED",
        "HIP error: the operation cannot be performed in the present state",
        "No CUDA GPUs are available",
        "Native API failed. Native API returns: 20 (UR_RESULT_ERROR_DEVICE_LOST)",
    ],
)
def test_what_lost_cards_say_becomes_a_sentence(words: str) -> None:
    sentence = lost_device_sentence(RuntimeError(words))
    assert f"stopped computing ({words.splitlines()[0]})" in sentence
    assert lost_device_sentence(torch.AcceleratorError(words)).startswith("The graphics card")


@pytest.mark.parametrize("error", [RuntimeError("shapes do not fit"), ValueError("CUDA error"), Cancelled()])
def test_other_errors_are_no_lost_card(error: BaseException) -> None:
    assert lost_device_sentence(error) == ""


def test_a_tensor_of_the_processor_does_not_mix_with_the_stand_in() -> None:
    device = stand_in_device.register_device()
    one = torch.ones(3).to(device)
    with pytest.raises(RuntimeError, match="a tensor of the processor met one of the device"):
        one + torch.ones(3)
    with pytest.raises(RuntimeError, match="the processor's generator"):
        torch.empty(3, device=device).normal_(generator=torch.Generator())
    assert (one + 1.0).cpu().tolist() == [2.0, 2.0, 2.0]
