"""Undo and other edits between two steps of *Amount of Variation*, *Export Takes*, *Mark as Asset*, *Mark Kept*."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import addon_utils
import bpy
import pytest

from tests.support.editing.beside import Beside, Context
from tests.support.traces import digest

STEPS = (0, 1, 5, 30, 70)
"""Steps that are taken before the edit; an operator that has ended by then is not edited."""


def _possible(operator: Any) -> bool:
    """Return whether an operator can run now: at its ends the history of undo has no further step."""
    return bool(operator.poll())


def undo() -> None:
    if _possible(bpy.ops.ed.undo):
        bpy.ops.ed.undo()


def redo() -> None:
    if _possible(bpy.ops.ed.redo):
        bpy.ops.ed.redo()


def undo_and_redo() -> None:
    undo()
    redo()


def undo_and_go_on() -> None:
    undo()
    bpy.context.object.location.x = 2.0
    bpy.ops.ed.undo_push(message="Other")


def undo_twice() -> None:
    undo()
    undo()


def variations() -> list[Any]:
    return [action for action in bpy.data.actions if action.get("riff_model") is not None]


def rename_all() -> None:
    for action in variations():
        action.name = f"Mine {action.name}"


def delete_all() -> None:
    for action in variations():
        bpy.data.actions.remove(action)


def unlink() -> None:
    bpy.context.scene.collection.objects.unlink(bpy.data.objects["Dancer"])


EDITS: dict[str, Callable[[], Any]] = {
    "undo": undo,
    "undo twice": undo_twice,
    "undo and redo": undo_and_redo,
    "undo and another step": undo_and_go_on,
    "rename the variations": rename_all,
    "delete the variations": delete_all,
    "delete the source": lambda: bpy.data.actions.remove(bpy.data.actions["Sample Dance"]),
    "delete the armature": lambda: bpy.data.objects.remove(bpy.data.objects["Dancer"]),
    "unlink the armature": unlink,
    "rename a bone": lambda: setattr(bpy.data.objects["Dancer"].data.bones[3], "name", "Other"),
}
OPERATORS: dict[str, dict[str, Any]] = {
    "set_amount": {"amount": 0.5},
    "export_takes": {"kind": "BVH", "which": "ALL"},
    "mark_asset": {},
    "mark_kept": {},
}


@pytest.fixture
def dancer(riff: ModuleType, short_dancer: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The sample dancer with two kept variations, and two steps of undo behind it; a pulse is a single step."""
    addon_utils.enable("io_anim_bvh")
    monkeypatch.setattr(importlib.import_module(f"{riff.__name__}.operators.runs.stepwise"), "STEP_SECONDS", 1e-5)
    bpy.ops.ed.undo_push(message="One")
    assert bpy.ops.riff.generate("EXEC_DEFAULT", True, count=2, frames=60) == {"FINISHED"}
    for action in variations():
        assert bpy.ops.riff.keep_variation(action=action.name) == {"FINISHED"}
    bpy.ops.ed.undo_push(message="Kept")
    ob: Any = bpy.context.object
    ob.location.x = 1.0
    bpy.ops.ed.undo_push(message="Moved")
    return ob


def begun(operator: str, folder: Path) -> Beside:
    """An operator at work, as after its dialog or file browser."""
    settings = {**OPERATORS[operator], "directory": str(folder), "action": variations()[0].name}
    beside = Beside(operator, **settings)
    if operator in ("set_amount", "export_takes"):
        beside._take(beside.operator.begin_modal(Context()))
    else:
        beside.click()
    return beside


def finish(beside: Beside) -> None:
    until = time.monotonic() + 60.0
    while beside.running and time.monotonic() < until:
        beside.pulse()
        time.sleep(0.0005)
    assert not beside.running


@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize("operator", OPERATORS)
def test_an_edit_between_two_steps(
    dancer: Any, tmp_path: Path, operator: str, edit: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """It finishes or ends in a sentence; actions of the user keep their keys, files are whole, undo and redo go on."""
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "before.blend"), check_existing=False)
    problems = []
    for steps in STEPS:
        folder = tmp_path / str(steps)
        folder.mkdir()
        beside = begun(operator, folder)
        for _ in range(steps):
            if beside.running:
                beside.pulse()
        if not beside.running:
            break
        EDITS[edit]()
        known = {action.name: digest(action) for action in bpy.data.actions}
        finish(beside)
        words = beside.words
        if len(words) != 1 or "did not foresee" in words[0]:
            problems.append((steps, words))
        left = {action.name: digest(action) for action in bpy.data.actions}
        if not {name: keys for name, keys in known.items() if name in left}.items() <= left.items():
            problems.append((steps, "keys changed"))
        lost = known.keys() - left.keys()
        if lost:
            problems.append((steps, f"lost {lost}"))
        if words and words[0].startswith("Made") and not any(name in words[0] for name in left):
            problems.append((steps, f"untrue: {words}, {list(left)}"))
        if any(".part" in path.name for path in folder.iterdir()):
            problems.append((steps, "half a file"))
        for _ in range(3):
            undo()
        for _ in range(3):
            redo()
        if [scene.name for scene in bpy.data.scenes] != ["Scene"]:
            problems.append((steps, "scenes"))
        restore(tmp_path)
    assert problems == []
    assert "Traceback" not in capfd.readouterr().err


def restore(tmp_path: Path) -> None:
    """Open the file again as it was before, with its steps of undo."""
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "before.blend"))
    ob: Any = bpy.context.object
    ob.location.x = 0.0
    bpy.ops.ed.undo_push(message="One")
    ob.location.x = 1.0
    bpy.ops.ed.undo_push(message="Two")


def test_a_file_that_appears_while_takes_are_exported_stays(dancer: Any, tmp_path: Path) -> None:
    """Asked before the first file, whether there is one, is not asked for the last."""
    beside = begun("export_takes", tmp_path)
    while not list(tmp_path.glob("*.bvh")):
        beside.pulse()
    mine = tmp_path / f"{variations()[1].name}.bvh"
    assert not mine.exists()
    mine.write_text("mine")
    finish(beside)
    assert beside.words == [f"“{mine.name}” exists already; choose another folder, or switch Overwrite on."]
    assert mine.read_text() == "mine"
