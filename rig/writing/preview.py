"""A motion shown on an armature without any action: the pose is set frame by frame, and put back in the end."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import bpy

from ...core.errors import ClipError
from ...core.motion.motion import Motion
from ...core.motion.properties import AnimatedProperty
from ..reading.actions import armature_of, channel_owner, source_of
from ..reading.properties import owner_block, property_value, set_property
from .write import plan_writing, pose_values

PREVIEW_KEY = "riff_previewed"
"""Custom property of an armature object whose pose is a preview's: undo steps pushed meanwhile hold that pose too."""

MAX_REMEMBERED = 100
"""Previews whose poses before are remembered, for undo steps."""


@dataclass(frozen=True)
class PoseBefore:
    """What the channels of an armature and its properties were before a preview, and when that was."""

    channels: dict[tuple[str, str], tuple[float, ...]]
    properties: list[tuple[AnimatedProperty, Any]]
    scene: str
    frame: int

    def put_back(self, ob: bpy.types.Object) -> None:
        """Set it again; where the frame is another by now, what is keyed follows the frame."""
        for (bone, channel), values in self.channels.items():
            if not bone or bone in ob.pose.bones:
                setattr(channel_owner(ob, bone), channel, values)
        for one, value in self.properties:
            block = owner_block(ob, one.owner)
            if block is not None and property_value(block, one.path, one.index) is not None:
                set_property(block, one.path, one.index, value)
        scene = bpy.data.scenes.get(self.scene) or bpy.context.scene
        if scene.frame_current != self.frame:
            scene.frame_set(scene.frame_current, subframe=scene.frame_subframe)


_remembered: dict[int, PoseBefore] = {}


def put_back_previewed() -> None:
    """Give armatures that an undo step, or a file, has brought back with a preview's pose the pose from before it."""
    for ob in bpy.data.objects:
        mark = ob.get(PREVIEW_KEY)
        if mark is None:
            continue
        del ob[PREVIEW_KEY]
        before = _remembered.get(mark)
        if before is not None and ob.pose is not None:
            before.put_back(ob)
        else:  # of a Blender that ended without saving: what is keyed follows the frame
            scene = bpy.context.scene
            scene.frame_set(scene.frame_current, subframe=scene.frame_subframe)


class Preview:
    """Shows motions of one skeleton on one armature, known by its name; keeps no reference to Blender data."""

    def __init__(
        self, armature_object: bpy.types.Object, source_action: bpy.types.Action | None, motion: Motion
    ) -> None:
        """Raises ClipError or ModelError where the motion cannot be shown on this armature."""
        armature_object = armature_of(armature_object)
        source = source_of(armature_object, source_action) if source_action else None
        self.plan = plan_writing(armature_object, motion, source)
        self.armature, self._uid = armature_object.name, armature_object.session_uid
        self.shown: Motion | None = None
        self._scene = bpy.context.scene.name
        self._before = PoseBefore(
            self._pose(armature_object),
            self._properties(armature_object, motion),
            self._scene,
            bpy.context.scene.frame_current,
        )
        self._mark(armature_object)

    def show(self, motion: Motion) -> None:
        """Show a motion at the scene's rate, from the frame on at which the source begins. Raises ClipError."""
        self.shown = motion
        self.apply()

    def apply(self) -> None:
        """Set the pose of the scene's current frame. Raises ClipError where armature or bones are gone."""
        ob = self._object()
        if ob is None or self.shown is None:
            raise ClipError("The armature of the preview was deleted or renamed.")
        row = bpy.data.scenes[self._scene].frame_current - self.plan.first
        row = max(0, min(row, self.shown.frames - 1))
        try:
            for bone, channel, values in pose_values(ob, self.shown, row, self.plan):
                setattr(channel_owner(ob, bone), channel, values)
            self._set_properties(ob, row)
        except KeyError as error:
            raise ClipError("A bone of the previewed armature was deleted or renamed.") from error

    def end(self) -> None:
        """Put the pose back to what it was, or to what the frame says where that is another by now."""
        ob = self._owner()
        if ob is None:
            return
        if PREVIEW_KEY in ob:
            del ob[PREVIEW_KEY]
        self._before.put_back(ob)

    def _mark(self, ob: bpy.types.Object) -> None:
        # At random, since an automatic save may bring the mark of one Blender into another.
        ob[PREVIEW_KEY] = mark = random.getrandbits(30)
        _remembered[mark] = self._before
        while len(_remembered) > MAX_REMEMBERED:
            del _remembered[next(iter(_remembered))]

    def _object(self) -> bpy.types.Object | None:
        scene: bpy.types.Scene | None = bpy.data.scenes.get(self._scene)
        ob: Any = scene.objects.get(self.armature) if scene else None
        return ob if ob is not None and ob.type == "ARMATURE" and ob.pose is not None else None

    def _owner(self) -> Any:
        """The armature under whatever name it has now: a person who renames it must not lose its pose."""
        named = bpy.data.objects.get(self.armature)
        same = [ob for ob in [named, *bpy.data.objects] if ob is not None and ob.session_uid == self._uid]
        return same[0] if same and same[0].type == "ARMATURE" and same[0].pose is not None else None

    def _pose(self, ob: bpy.types.Object) -> dict[tuple[str, str], tuple[float, ...]]:
        return {
            (bone, channel): tuple(getattr(channel_owner(ob, bone), channel)) for bone, channel in self.plan.channels
        }

    def _properties(self, ob: bpy.types.Object, motion: Motion) -> list[tuple[AnimatedProperty, Any]]:
        """The properties that are there and what they are now."""
        found = []
        for one in motion.skeleton.properties:
            block = owner_block(ob, one.owner)
            value = property_value(block, one.path, one.index) if block is not None else None
            if value is not None:
                found.append((one, value))
        return found

    def _set_properties(self, ob: bpy.types.Object, row: int) -> None:
        if self.shown is None or not self._before.properties:
            return
        there = {one for one, _ in self._before.properties}
        values = self.shown.slice(row, row + 1).property_values()[0]
        for one, value in zip(self.shown.skeleton.properties, values, strict=True):
            block = owner_block(ob, one.owner)
            if one in there and block is not None:
                set_property(block, one.path, one.index, float(value))
