"""Preview of a motion on an armature without an action: the pose is set frame by frame and restored at the end."""

from __future__ import annotations

import random
import threading
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from typing import Any

import bpy

from ...core.errors import ClipError
from ...core.motion.motion import Motion
from ...core.motion.properties import AnimatedProperty
from ..reading.actions import armature_of, channel_owner, source_of
from ..reading.properties import owner_block, property_value, set_property
from ..unseen import unseen
from .write import plan_writing, pose_values

PREVIEW_KEY = "riff_previewed"
"""Id-property of an armature object in a preview's pose; undo steps made meanwhile hold that pose, too."""

MAX_REMEMBERED = 100
"""Number of previews whose original poses are remembered, for undo steps."""


@dataclass(frozen=True)
class PoseBefore:
    """The channels and properties of an armature before a preview, and the scene's frame then."""

    channels: dict[tuple[str, str], tuple[float, ...]]
    properties: list[tuple[AnimatedProperty, Any]]
    scene: str
    frame: int

    def put_back(self, ob: bpy.types.Object, *, follow_frame: bool = True) -> None:
        """Restore the pose; if the frame has changed, keyed channels follow the new frame, unless not `follow_frame`.

        A property that is no longer what it was keeps what it is.
        """
        for (bone, channel), values in self.channels.items():
            if not bone or bone in ob.pose.bones:
                setattr(channel_owner(ob, bone), channel, values)
        for one, value in self.properties:
            block = owner_block(ob, one.owner)
            if block is not None and property_value(block, one.path, one.index) is not None:
                with suppress(ClipError, LookupError, TypeError, ValueError):
                    set_property(block, one.path, one.index, value)
        scene = bpy.data.scenes.get(self.scene) or bpy.context.scene
        if follow_frame and scene.frame_current != self.frame:
            scene.frame_set(scene.frame_current, subframe=scene.frame_subframe)


_remembered: dict[int, PoseBefore] = {}


def put_back_previewed() -> None:
    """Restore the pose of armatures that an undo step or a file brought back in a preview's pose."""
    marked = [ob for ob in bpy.data.objects if ob.get(PREVIEW_KEY) is not None and ob.library is None]
    previewed = [ob for ob in marked if ob.users_scene]  # one in no scene cannot follow its keys yet
    if not previewed:
        return
    with unseen():
        for ob in previewed:
            mark = ob[PREVIEW_KEY]
            before = _remembered.get(mark) if isinstance(mark, int) else None
            del ob[PREVIEW_KEY]
            if before is not None and ob.pose is not None:
                before.put_back(ob)
            else:  # left by a Blender that ended early: let keyed channels follow the frame
                scene = bpy.context.scene
                scene.frame_set(scene.frame_current, subframe=scene.frame_subframe)


class Preview:
    """Shows motions of one skeleton on one armature, known by name; keeps no reference to Blender data."""

    def __init__(
        self,
        armature_object: bpy.types.Object,
        source_action: bpy.types.Action | None,
        motion: Motion,
        stepped: bool = True,
    ) -> None:
        """Remember the armature's pose; hold poses as the source does if it is stepped, unless `stepped` is False.

        Raises ClipError or ModelError if the motion does not fit this armature.
        """
        armature_object = armature_of(armature_object)
        source = source_of(armature_object, source_action) if source_action else None
        self.plan = plan_writing(armature_object, motion, source)
        self._spacing = source.spacing() if source is not None and stepped else 1
        self.armature, self._uid = armature_object.name, armature_object.session_uid
        self.shown: Motion | None = None
        self._scene = bpy.context.scene.name
        self._before = PoseBefore(
            self._pose(armature_object),
            self._properties(armature_object, self.plan.match.onto_rig(motion)),
            self._scene,
            bpy.context.scene.frame_current,
        )
        with unseen():
            self._mark(armature_object)

    def show(self, motion: Motion) -> None:
        """Show a motion at the scene's rate, starting at the source's first frame, unseen by the user's handlers.

        Raises ClipError.
        """
        self.shown = self.plan.match.onto_rig(motion)
        with unseen():
            self.apply()

    def apply(self) -> None:
        """Set the pose of the scene's current frame, as part of the user's own change of frame. Raises ClipError if the
        armature or a bone is gone.
        """
        ob = self._object()
        if ob is None or self.shown is None:
            raise ClipError("The previewed armature was deleted or renamed.")
        row = bpy.data.scenes[self._scene].frame_current - self.plan.first
        row = max(0, min(row, self.shown.frames - 1)) // self._spacing * self._spacing
        try:
            for bone, channel, values in pose_values(ob, self.shown, row, self.plan):
                setattr(channel_owner(ob, bone), channel, values)
            self._set_properties(ob, row)
        except (LookupError, ValueError) as error:
            raise ClipError("A bone or property of the previewed armature was deleted or renamed.") from error

    def rest(self) -> None:
        """Restore the pose from before until `wake`, for what looks at the file itself, such as a render.

        In a render's own thread neither the frame nor the handlers can be changed; it evaluates the keys itself.
        """
        ob = self._owner()
        if ob is None:
            return
        with unseen() if threading.current_thread() is threading.main_thread() else nullcontext():
            if PREVIEW_KEY in ob:
                del ob[PREVIEW_KEY]
            self._before.put_back(ob, follow_frame=threading.current_thread() is threading.main_thread())

    def wake(self) -> None:
        """Show the motion again after a rest. Raises ClipError."""
        ob = self._owner()
        if ob is None:
            raise ClipError("The previewed armature was deleted or renamed.")
        with unseen():
            self._mark(ob)
            if self.shown is not None:
                self.apply()

    def end(self) -> None:
        """Restore the pose from before; if the frame has changed, keyed channels follow the new frame."""
        ob = self._owner()
        if ob is None:
            return
        with unseen():
            if PREVIEW_KEY in ob:
                del ob[PREVIEW_KEY]
            self._before.put_back(ob)

    def _mark(self, ob: bpy.types.Object) -> None:
        # random, since an automatic save may carry the mark of one Blender into another
        ob[PREVIEW_KEY] = mark = random.getrandbits(30)
        _remembered[mark] = self._before
        while len(_remembered) > MAX_REMEMBERED:
            del _remembered[next(iter(_remembered))]

    def _object(self) -> bpy.types.Object | None:
        scene: bpy.types.Scene | None = bpy.data.scenes.get(self._scene)
        ob: Any = scene.objects.get(self.armature) if scene else None
        return ob if ob is not None and ob.type == "ARMATURE" and ob.pose is not None else None

    def _owner(self) -> Any:
        """Return the armature even if it was renamed, so that it gets its pose back."""
        named = bpy.data.objects.get(self.armature)
        same = [ob for ob in [named, *bpy.data.objects] if ob is not None and ob.session_uid == self._uid]
        return same[0] if same and same[0].type == "ARMATURE" and same[0].pose is not None else None

    def _pose(self, ob: bpy.types.Object) -> dict[tuple[str, str], tuple[float, ...]]:
        return {
            (bone, channel): tuple(getattr(channel_owner(ob, bone), channel)) for bone, channel in self.plan.written()
        }

    def _properties(self, ob: bpy.types.Object, motion: Motion) -> list[tuple[AnimatedProperty, Any]]:
        """Return the properties that exist on this rig, with their values."""
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
        existing = {one for one, _ in self._before.properties}
        values = self.shown.slice(row, row + 1).property_values()[0]
        for one, value in zip(self.shown.skeleton.properties, values, strict=True):
            block = owner_block(ob, one.owner)
            if one in existing and block is not None:
                set_property(block, one.path, one.index, float(value))
