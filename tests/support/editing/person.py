"""Edits of a person in Blender at any moment, as rules of a state machine; none of them is Riff's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bpy
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from tests.support.traces import digest

PICKS = st.integers(0, 5)
NAMES = st.sampled_from(["Other", "Dancer", "hips", "Ünïcode 💃", 'a"b\\c', "x" * 63, "Sample Dance"])


def pick(found: Any, number: int) -> Any:
    """One of some data-blocks, in the order of their names; None where there are none."""
    ordered = sorted(found, key=lambda block: block.name)
    return ordered[number % len(ordered)] if ordered else None


class Person(RuleBasedStateMachine):
    """Edits the file; `known` are the digests that a person's own actions have had."""

    def __init__(self) -> None:
        super().__init__()
        self.known: set[str] = set()

    def said(self, what: Callable[..., Any], *arguments: Any, **settings: Any) -> None:
        """Do what may be refused in a sentence, but not fail otherwise."""
        try:
            what(*arguments, **settings)
        except RuntimeError as refusal:
            if "Traceback" in str(refusal):
                raise

    def edited(self, step: str) -> None:
        """A person has changed something: it can be undone, and what actions key now is right."""
        self.said(bpy.ops.ed.undo_push, message=step)
        self.remember()

    def remember(self) -> None:
        self.known |= {digest(action) for action in bpy.data.actions if action.get("riff_model") is None}

    def armature(self, number: int) -> Any:
        return pick((ob for ob in bpy.data.objects if ob.type == "ARMATURE"), number)

    @precondition(lambda self: len(bpy.data.objects) < 24)
    @rule()
    def add_dancer(self) -> None:
        self.said(bpy.ops.object.mode_set, mode="OBJECT")
        self.said(bpy.ops.riff.add_sample_dancer)  # type: ignore[attr-defined]
        self.edited("Dancer")

    @rule(times=st.integers(1, 4))
    def undo(self, times: int) -> None:
        for _ in range(times):
            self.said(bpy.ops.ed.undo)

    @rule(times=st.integers(1, 4))
    def redo(self, times: int) -> None:
        for _ in range(times):
            self.said(bpy.ops.ed.redo)

    @rule(mode=st.sampled_from(["OBJECT", "POSE", "EDIT"]))
    def change_mode(self, mode: str) -> None:
        self.said(bpy.ops.object.mode_set, mode=mode)
        self.edited("Mode")

    @rule(number=PICKS)
    def select(self, number: int) -> None:
        ob = pick(bpy.context.view_layer.objects, number)
        if ob is not None and bpy.context.mode == "OBJECT":
            for other in bpy.context.view_layer.objects:
                other.select_set(other == ob)
            bpy.context.view_layer.objects.active = ob
            self.edited("Select")

    @rule()
    def deselect(self) -> None:
        if bpy.context.mode == "OBJECT":
            bpy.context.view_layer.objects.active = None
            self.edited("Deselect")

    @rule(number=PICKS)
    def delete_object(self, number: int) -> None:
        ob = pick(bpy.data.objects, number)
        if ob is not None and bpy.context.mode == "OBJECT":
            bpy.data.objects.remove(ob)
            self.edited("Delete")

    @rule(number=PICKS, name=NAMES)
    def rename_armature(self, number: int, name: str) -> None:
        ob = self.armature(number)
        if ob is not None:
            ob.name, ob.data.name = name, f"{name} data"
            self.edited("Rename")

    @rule(number=PICKS, bone=st.integers(0, 30), name=NAMES)
    def rename_bone(self, number: int, bone: int, name: str) -> None:
        ob = self.armature(number)
        if ob is not None and ob.data.bones and ob.mode != "EDIT":
            ob.data.bones[bone % len(ob.data.bones)].name = name
            self.edited("Rename Bone")

    @rule(bone=st.integers(0, 30))
    def delete_bone(self, bone: int) -> None:
        ob = bpy.context.object
        if ob is not None and ob.mode == "EDIT" and ob.data.edit_bones:
            ob.data.edit_bones.remove(ob.data.edit_bones[bone % len(ob.data.edit_bones)])
            self.edited("Delete Bone")

    @rule(number=PICKS, name=NAMES)
    def rename_action(self, number: int, name: str) -> None:
        action = pick(bpy.data.actions, number)
        if action is not None:
            action.name = name
            self.edited("Rename Action")

    @rule(number=PICKS)
    def delete_action(self, number: int) -> None:
        action = pick(bpy.data.actions, number)
        if action is not None:
            bpy.data.actions.remove(action)
            self.edited("Delete Action")

    @rule(number=PICKS, other=PICKS)
    def assign_action(self, number: int, other: int) -> None:
        ob, action = self.armature(number), pick(bpy.data.actions, other)
        if ob is not None and ob.animation_data is not None and action is not None:
            ob.animation_data.action = action
            self.edited("Assign Action")

    @rule(number=PICKS)
    def unassign_action(self, number: int) -> None:
        ob = self.armature(number)
        if ob is not None and ob.animation_data is not None:
            ob.animation_data.action = None
            self.edited("Unassign Action")

    @rule(number=PICKS, remove=st.booleans())
    def edit_slot(self, number: int, remove: bool) -> None:
        action = pick(bpy.data.actions, number)
        if action is not None and len(action.slots):
            if remove:
                action.slots.remove(action.slots[0])
            else:
                action.slots[0].name_display = "Another"
            self.edited("Slot")

    @rule(number=PICKS, shift=st.floats(-1.0, 1.0))
    def pose_bone(self, number: int, shift: float) -> None:
        ob = self.armature(number)
        if ob is not None and ob.pose and len(ob.pose.bones):
            ob.pose.bones[0].location.x = shift
            self.edited("Pose")

    @rule(frame=st.integers(-10, 700))
    def show_frame(self, frame: int) -> None:
        bpy.context.scene.frame_set(frame)
        self.edited("Frame")

    @rule(frames=st.integers(1, 12))
    def play(self, frames: int) -> None:
        """Play: one frame after the other, no undo step."""
        scene = bpy.context.scene
        for _ in range(frames):
            scene.frame_set(scene.frame_current + 1)

    @rule(number=PICKS)
    def rename_scene(self, number: int) -> None:
        bpy.context.scene.name = f"Scene {number}"
        self.edited("Rename Scene")
