"""PyTorch from the preferences: what is offered, refused and said."""

from __future__ import annotations

import importlib
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import pytest

EXTENSION = "bl_ext.user_default.riff"


@pytest.fixture
def install(riff: ModuleType) -> Iterator[Any]:
    """The module of the operators; what a test leaves in the private folder goes."""
    module = importlib.import_module(f"{riff.__name__}.state.pytorch.installation")
    module.refresh()
    before = bpy.context.preferences.system.use_online_access
    yield module
    bpy.context.preferences.system.use_online_access = before
    if bpy.ops.riff.remove_torch.poll():
        bpy.ops.riff.remove_torch()
    module.torch_state.problem = ""


def wait(riff: ModuleType, seconds: float = 120.0) -> None:
    tick = importlib.import_module(f"{riff.__name__}.state.timer").tick
    deadline = time.monotonic() + seconds
    while tick():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def preferences() -> Any:
    return bpy.context.preferences.addons[EXTENSION].preferences


def test_what_would_be_fetched_is_known_without_fetching(install: Any) -> None:
    assert install.torch_state.plans[0].backend == "cpu"
    assert install.chosen_plan("auto") is not None
    assert install.chosen_plan("cuda").download > 1000
    assert Path(install.torch_state.root).is_dir()
    assert EXTENSION.split(".")[-1] in Path(install.torch_state.root).parts, "in the extension's own folder"
    assert [item[0] for item in install.backend_items(None, None)][:2] == ["auto", "cpu"]


def test_offline_it_is_refused_with_what_to_do(install: Any) -> None:
    bpy.context.preferences.system.use_online_access = False
    with pytest.raises(RuntimeError, match=r"may not go online; allow it .* folder of wheels"):
        bpy.ops.riff.install_torch()
    assert not install.torch_state.working


def test_wheels_for_another_python_are_refused(riff: ModuleType, install: Any, tmp_path: Path) -> None:
    bpy.context.preferences.system.use_online_access = False
    (tmp_path / "torch-2.13.0-cp39-cp39-win_amd64.whl").touch()
    assert bpy.ops.riff.install_torch(source="WHEELS", directory=str(tmp_path)) == {"FINISHED"}
    assert not bpy.ops.riff.install_torch.poll(), "one at a time"
    wait(riff)
    assert f"this Blender has Python {sys.version_info[0]}.{sys.version_info[1]}" in install.torch_state.problem
    assert install.torch_state.job.state.value == "failed"


def test_cancelling_leaves_a_marker_and_nothing_else(riff: ModuleType, install: Any) -> None:
    bpy.context.preferences.system.use_online_access = True
    if not bpy.app.online_access:
        pytest.skip("Blender was started offline")
    assert bpy.ops.riff.install_torch() == {"FINISHED"}
    bpy.ops.riff.cancel_install()
    wait(riff)
    assert install.torch_state.job.state.value == "cancelled"
    assert install.torch_state.problem == ""
    assert install.torch_state.standing.value == "incomplete"
    assert bpy.ops.riff.remove_torch() == {"FINISHED"}
    assert install.torch_state.standing.value == "not installed"
    assert list(Path(install.torch_state.root).iterdir()) == []


def test_a_finished_installation_is_found_again(riff: ModuleType, install: Any) -> None:
    core = f"{riff.__name__}.core"
    folders, plan = importlib.import_module(f"{core}.torch_install.folder"), install.chosen_plan("cpu")
    python = importlib.import_module(f"{core}.torch_install.plan").python_tag()
    folder = folders.TorchFolder(Path(install.torch_state.root), python, "cpu")
    folder.begin()
    folder.finish({"torch": plan.torch, "device": "CPU, 2 cores", "fingerprint": plan.fingerprint})
    install.refresh()
    assert install.torch_state.standing.value == "ready"
    assert install.torch_state.facts["device"] == "CPU, 2 cores"
    assert install._finder.folder == folder.packages
    assert str(folder.packages) not in sys.path
    folder.record.write_text(json.dumps({"torch": "1", "fingerprint": "old"}))
    install.refresh()
    assert install.torch_state.standing.value == "update required"


@pytest.fixture
def trial(riff: ModuleType) -> Iterator[Any]:
    """The module of the trial; the preferences name no Python afterwards."""
    module = importlib.import_module(f"{riff.__name__}.state.pytorch.trial")
    yield module
    preferences().python = ""
    wait(riff)


def test_trying_what_is_there_names_the_device(riff: ModuleType, trial: Any) -> None:
    pytest.importorskip("torch")
    trial.refresh()
    assert bpy.ops.riff.try_torch() == {"FINISHED"}
    assert not bpy.ops.riff.try_torch.poll(), "one at a time"
    wait(riff, 300)
    assert trial.trial_state.problem == ""
    assert trial.trial_state.facts["device"]
    assert trial.can_train()


def test_a_python_is_tried_once_it_is_named(riff: ModuleType, trial: Any, tmp_path: Path) -> None:
    preferences().python = str(tmp_path / "no-python")
    assert trial.trial_state.working
    wait(riff)
    assert "cannot be started" in trial.trial_state.problem
    assert not trial.can_train()
    preferences().python = str(tmp_path)
    wait(riff)
    assert "is a folder; choose the interpreter in it" in trial.trial_state.problem
    preferences().python = ""
    assert trial.trial_state.problem == ""
    assert trial.can_train() == trial.trial_state.importable


def test_a_named_python_is_asked_at_the_start_without_loading_pytorch(
    riff: ModuleType, trial: Any, tmp_path: Path
) -> None:
    python = tmp_path / "python-elsewhere"
    answer = json.dumps({"version": [3, 12], "missing": []})
    python.write_text(f"#!/bin/sh\necho '{answer}'\n")
    python.chmod(0o755)
    preferences().python = str(python)
    bpy.ops.riff.cancel_trial()
    wait(riff)
    assert trial.trial_state.tried is None
    trial.refresh()
    wait(riff)
    assert trial.trial_state.facts == {"version": "3.12"}
    assert trial.can_train()


def test_a_test_can_be_cancelled(riff: ModuleType, trial: Any, tmp_path: Path) -> None:
    python = tmp_path / "python-that-sleeps"
    python.write_text("#!/bin/sh\nsleep 60\n")
    python.chmod(0o755)
    assert not bpy.ops.riff.cancel_trial.poll()
    preferences().python = str(python)
    assert bpy.ops.riff.cancel_trial() == {"FINISHED"}
    wait(riff, 10)
    assert trial.trial_state.job.state.value == "cancelled"
    assert trial.trial_state.problem == ""


def test_trainings_go_to_the_device_of_the_preferences(riff: ModuleType, install: Any) -> None:
    module = importlib.import_module(f"{riff.__name__}.state.preferences")
    assert module.training_device() == "auto"
    preferences().device = "cpu"
    try:
        assert module.training_device() == "cpu"
    finally:
        preferences().device = "auto"


def test_a_failed_training_names_the_file_that_is_gone(riff: ModuleType, install: Any, tmp_path: Path) -> None:
    core, jobs = f"{riff.__name__}.core", importlib.import_module(f"{riff.__name__}.rig.background.jobs")
    python = importlib.import_module(f"{core}.torch_install.plan").python_tag()
    folder = importlib.import_module(f"{core}.torch_install.folder").TorchFolder(
        Path(install.torch_state.root), python, "cpu"
    )
    folder.begin()
    record = folder.packages / "torch-2.0.dist-info/RECORD"
    record.parent.mkdir()
    record.write_text("torch/_tensor.py,,\ntorch-2.0.dist-info/RECORD,,\n")
    folder.finish({"torch": "2.0", "fingerprint": ""})
    install.refresh()
    job = jobs.TrainingJob(tmp_path / "state.safetensors", tmp_path / "model.safetensors")
    job.state, job.error = jobs.State.FAILED, "Training failed: No module named 'torch._tensor'."
    install._job_ended(job)
    assert job.error.startswith("“torch/_tensor.py” of PyTorch is gone")
    assert "Reinstall" in job.error


def test_the_card_is_read_before_anything_is_fetched(
    riff: ModuleType, install: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    core = f"{riff.__name__}.core.torch_install"
    hardware, nvidia = importlib.import_module(f"{core}.hardware"), importlib.import_module(f"{core}.nvidia")
    job = importlib.import_module(f"{riff.__name__}.rig.background.install_job")
    monkeypatch.setattr(install, "find_device", lambda: hardware.Device("NVIDIA", "NVIDIA GeForce GTX 1080"))
    monkeypatch.setattr(job, "named_cards", lambda maker: ["NVIDIA GeForce GTX 1080"])

    def read(known: list[str]) -> list[Any]:
        time.sleep(0.3)
        return [nvidia.NvidiaCard(known[0], (6, 1), 581, 8192)]

    monkeypatch.setattr(job, "read_cards", read)
    install.torch_state.cards = None
    try:
        install.refresh()
        assert install.torch_state.reading
        assert not bpy.ops.riff.install_torch.poll(), "not before it is known which build"
        wait(riff)
        assert bpy.ops.riff.install_torch.poll()
        assert install.chosen_plan("auto").backend == "cuda12"
        assert "leaves out this card" in install.torch_state.build.reason
    finally:
        install.torch_state.cards = None
        monkeypatch.undo()
        install.refresh()
    assert install.torch_state.build.backend == install.torch_state.device.backend
