"""A motion shown on an armature without any action: the pose is set frame by frame, and put back in the end."""

from __future__ import annotations

from typing import Any

import bpy

from ..core.errors import ClipError
from ..core.motion import Motion
from .actions import armature_of, source_of
from .write import plan_writing, written_values

Kept = dict[tuple[str, str], tuple[float, ...]]


class Preview:
    """Shows motions of one skeleton on one armature, known by its name; keeps no reference to Blender data."""

    def __init__(
        self, armature_object: bpy.types.Object, source_action: bpy.types.Action | None, motion: Motion,
    ) -> None:  # fmt: skip
        """Raises ClipError or ModelError where the motion cannot be shown on this armature."""
        armature_object = armature_of(armature_object)
        source = source_of(armature_object, source_action) if source_action else None
        self.plan = plan_writing(armature_object, motion, source)
        self.armature = armature_object.name
        self.shown: Motion | None = None
        self._scene = bpy.context.scene.name
        self._frame = bpy.context.scene.frame_current
        self._before = self._pose(armature_object)

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
            for bone, channel, values in written_values(ob, self.shown.slice(row, row + 1), self.plan):
                setattr(ob.pose.bones[bone], channel, values[0])
        except KeyError as error:
            raise ClipError("A bone of the previewed armature was deleted or renamed.") from error

    def end(self) -> None:
        """Put the pose back to what it was, or to what the frame says where that is another by now."""
        ob = self._object()
        if ob is None:
            return
        for (bone, channel), values in self._before.items():
            if bone in ob.pose.bones:
                setattr(ob.pose.bones[bone], channel, values)
        scene = bpy.data.scenes[self._scene]
        if scene.frame_current != self._frame:
            scene.frame_set(scene.frame_current, subframe=scene.frame_subframe)

    def _object(self) -> bpy.types.Object | None:
        scene: bpy.types.Scene | None = bpy.data.scenes.get(self._scene)
        ob: Any = scene.objects.get(self.armature) if scene else None
        return ob if ob is not None and ob.type == "ARMATURE" and ob.pose is not None else None

    def _pose(self, ob: bpy.types.Object) -> Kept:
        return {
            (bone, channel): tuple(getattr(ob.pose.bones[bone], channel)) for bone, channel in self.plan.channels
        }
