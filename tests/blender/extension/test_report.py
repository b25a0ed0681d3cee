"""Unforeseen errors: a sentence for the person, the details in the log, and a report that names nobody."""

from __future__ import annotations

import getpass
import importlib
import platform
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import pytest

from tests.support.rigs.biped import add_dancing_biped

FILE, RIG, BONE, ACTION, SLOT = "Kundin Grün", "Jane Doe Rig", "Geheimbein.L", "Secret Client Walk", "OB Slotty"


@pytest.fixture
def planted(riff: ModuleType, tmp_path: Path) -> bpy.types.Object:
    """A file whose rig, bones, action and path have names that nobody else must see."""
    ob = add_dancing_biped()
    ob.name = ob.data.name = RIG
    ob.data.bones[1].name = BONE
    ob.animation_data.action.name = ACTION
    folder = tmp_path / FILE
    folder.mkdir()
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / f"{ACTION}.blend"))
    return ob


@pytest.fixture
def log(riff: ModuleType) -> Iterator[Any]:
    """The extension's log, empty."""
    module = importlib.import_module(f"{riff.__name__}.core.system.log")
    importlib.import_module(f"{riff.__name__}.state.guard").prepare_log()
    for path in (module.log.path, module.set_aside(module.log.path)):
        path.unlink(missing_ok=True)
    yield module.log
    bpy.context.window_manager.riff.problem = ""


def report(riff: ModuleType) -> str:
    module = importlib.import_module(f"{riff.__name__}.operators.report")
    return str(module.text_of_report(bpy.context))


def names(tmp_path: Path) -> list[str]:
    return [FILE, RIG, BONE, ACTION, getpass.getuser(), platform.node(), str(Path.home()), tmp_path.name]


def test_a_job_that_fails_is_logged_and_reported_without_names(
    riff: ModuleType, planted: bpy.types.Object, log: Any, tmp_path: Path
) -> None:
    jobs = importlib.import_module(f"{riff.__name__}.rig.background.jobs")

    class Odd(jobs.BackgroundJob):  # type: ignore[name-defined, misc]
        def _work(self) -> None:
            raise KeyError(f"{BONE} of {RIG} in {bpy.data.filepath} by {getpass.getuser()} at {platform.node()}")

    job = Odd("Training")
    job.start()
    job.join()
    importlib.import_module(f"{riff.__name__}.state.timer").tick()
    assert job.state is jobs.State.FAILED
    assert "did not foresee (KeyError" in job.error
    assert "\n" not in job.error
    assert BONE in "\n".join(log.last_lines(20))
    text = report(riff)
    assert "Training: KeyError: " in text
    assert "at rig/background/jobs.py:" in text
    for name in names(tmp_path):
        assert name not in text, text


def test_the_report_says_what_helps(riff: ModuleType, planted: bpy.types.Object) -> None:
    text = report(riff)
    for part in (
        "Riff: 0.",
        f"Blender: {bpy.app.version_string}",
        "Python: 3.",
        "numpy: ",
        "System: ",
        "Device: wanted auto",
        "Recipe: fast",
        "Last lines of the log:",
    ):
        assert part in text
    bpy.context.scene.riff.recipe = "custom"
    assert "Recipe: custom of fast, effort 1" in report(riff)


def test_an_operator_that_fails_says_so_in_a_sentence(
    riff: ModuleType, planted: bpy.types.Object, log: Any, tmp_path: Path
) -> None:
    guard = importlib.import_module(f"{riff.__name__}.state.guard").wrap_operator

    class RIFF_OT_odd(bpy.types.Operator):
        """Fail in a way that nobody foresaw"""

        bl_idname = "riff.odd"
        bl_label = "Odd"

        def execute(self, context: bpy.types.Context) -> Any:
            return {"FINISHED"} if context.object.data.bones["none of this name"] else {"CANCELLED"}

    guard(RIFF_OT_odd)
    bpy.utils.register_class(RIFF_OT_odd)
    try:
        with pytest.raises(RuntimeError, match=r"Odd failed for a reason that Riff did not foresee \(KeyError"):
            bpy.ops.riff.odd()
    finally:
        bpy.utils.unregister_class(RIFF_OT_odd)
    assert "Odd failed" in bpy.context.window_manager.riff.problem
    assert any("test_report.py" in line or "at …" in line for line in log.last_lines(20))
    assert bpy.ops.riff.copy_report() == {"FINISHED"}
    assert bpy.context.window_manager.riff.problem == ""
    for name in names(tmp_path):
        assert name not in report(riff)


def test_every_operator_is_guarded(riff: ModuleType) -> None:
    classes = importlib.import_module(f"{riff.__name__}.operators").CLASSES
    operators = [cls for cls in classes if issubclass(cls, bpy.types.Operator)]
    assert len(operators) > 40
    for cls in operators:
        methods = [getattr(cls, name) for name in ("execute", "invoke", "modal") if hasattr(cls, name)]
        assert methods, cls
        assert all(hasattr(method, "__wrapped__") for method in methods), cls


def test_a_failing_training_in_another_process_is_in_the_log(
    riff: ModuleType, planted: bpy.types.Object, log: Any, tmp_path: Path
) -> None:
    """The state that the worker is to go on with is damaged: it says so in a sentence, and the log has it."""
    jobs = importlib.import_module(f"{riff.__name__}.rig.background.jobs")
    state = tmp_path / f"{ACTION}.safetensors"
    state.write_bytes(b"no state")
    job = jobs.TrainingJob(state, tmp_path / "model.safetensors", keep=state)
    job.start()
    while job.running:
        time.sleep(0.02)
        job.tick()
    assert job.state is jobs.State.FAILED
    assert "is damaged or not a Riff training" in job.error
    assert "is damaged or not a Riff training" in log.last_lines(5)[-1]
    assert ACTION not in report(riff)


def test_the_log_lies_in_riffs_own_folder(riff: ModuleType, log: Any) -> None:
    assert log.path.parent.parent == Path(bpy.utils.extension_path_user(riff.__name__))
    log.note("one line")
    assert log.path.read_text().endswith("one line\n")
