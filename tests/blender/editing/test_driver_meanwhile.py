"""Edits of a driver, its data and the armature between two steps of *Follow Driver* and *Pair by Name*."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import bpy
import pytest

from tests.support.editing.beside import Beside
from tests.support.rigs.beast import PAIRS
from tests.support.traces import digest


def enter_edit_mode() -> None:
    bpy.context.view_layer.objects.active = bpy.data.objects["Beast"]
    bpy.ops.object.mode_set(mode="EDIT")
    bpy.context.view_layer.objects.active = bpy.data.objects["Biped"]


def take_names() -> None:
    bpy.data.objects["Biped"].name = "Another"
    bpy.data.objects["Beast"].name = "Biped"


def undo_and_redo() -> None:
    bpy.ops.ed.undo()
    bpy.ops.ed.redo()


EDITS: dict[str, Callable[[], Any]] = {
    "the driver is deleted": lambda: bpy.data.objects.remove(bpy.data.objects["Beast"]),
    "its data is deleted": lambda: bpy.data.armatures.remove(bpy.data.armatures["Beast"]),
    "its action is deleted": lambda: bpy.data.actions.remove(bpy.data.actions["Prowl"]),
    "its slot is deleted": lambda: bpy.data.actions["Prowl"].slots.remove(bpy.data.actions["Prowl"].slots[0]),
    "it is renamed": lambda: setattr(bpy.data.objects["Beast"], "name", "Other"),
    "its action is renamed": lambda: setattr(bpy.data.actions["Prowl"], "name", "Other"),
    "its bone is renamed": lambda: setattr(bpy.data.armatures["Beast"].bones["Skull"], "name", "Other"),
    "it is unlinked": lambda: bpy.context.scene.collection.objects.unlink(bpy.data.objects["Beast"]),
    "it is edited": enter_edit_mode,
    "it takes the armature's name": take_names,
    "the armature is deleted": lambda: bpy.data.objects.remove(bpy.data.objects["Biped"]),
    "the armature's action is deleted": lambda: bpy.data.actions.remove(bpy.data.actions["Step"]),
    "undone": lambda: bpy.ops.ed.undo(),
    "undone and redone": undo_and_redo,
}


@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize("operator", ["drive", "pair_bones"])
@pytest.mark.parametrize("steps", [1, 2])
def test_an_edit_between_two_steps(
    bodies: tuple[Any, Any], operator: str, steps: int, edit: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """The operator finishes or ends in a sentence; actions of the user that are left have the keys that they had."""
    bodies[0].riff_driving.driver = bodies[1]
    bpy.ops.ed.undo_push(message="One")
    bodies[1].location.x = 1.0
    bpy.ops.ed.undo_push(message="Two")
    choices = {"armature": "Beast", "pairs": PAIRS, "scale": 1.0} if operator == "drive" else {}
    beside = Beside(operator, **choices)
    beside.click()
    for _ in range(steps):
        beside.pulse()
    if not beside.running:
        pytest.skip("it has finished by then")
    EDITS[edit]()
    known = {action.name: digest(action) for action in bpy.data.actions}
    until = time.monotonic() + 60.0
    while beside.running and time.monotonic() < until:
        beside.pulse()
        time.sleep(0.005)
    assert len(beside.words) == 1
    assert "did not foresee" not in beside.words[0]
    left = {action.name: digest(action) for action in bpy.data.actions if action.get("riff_model") is None}
    assert left.items() <= known.items()
    assert [scene.name for scene in bpy.data.scenes] == ["Scene"]
    assert "Traceback" not in capfd.readouterr().err
