"""Export of actions by Blender's own exporters, one file for each; the file in Blender is left as it was."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import bpy

from ...core.errors import RiffError
from ...core.files.paths import written_beside
from ..reading.actions import range_of
from ..reading.properties import OWN_ACTION_KEY, deformed_meshes
from .play import play

SUFFIXES = {"FBX": ".fbx", "GLTF": ".glb", "BVH": ".bvh"}
"""Suffix of the files of each format."""

ADD_ONS = {"FBX": "FBX format", "GLTF": "glTF 2.0 format", "BVH": "BioVision Motion Capture (BVH) format"}
"""Name of Blender's add-on that writes each format."""


@contextmanager
def on_stage(armature_object: bpy.types.Object, scene: bpy.types.Scene) -> Iterator[list[bpy.types.Object]]:
    """Select an armature and the meshes that it deforms, and return them; restore everything at the end.

    That is: actions, pose, selection, active object, frame and range of the scene. Raises RiffError for a hidden
    armature.
    """
    layer = bpy.context.view_layer
    if not armature_object.visible_get(view_layer=layer):
        raise RiffError(f"“{armature_object.name}” is hidden; show it to export its variations.")
    meshes = [ob for ob in layer.objects if _is_body(ob, armature_object) and ob.visible_get(view_layer=layer)]
    selected = [ob for ob in layer.objects if ob.select_get(view_layer=layer)]
    active, frame, subframe = layer.objects.active, scene.frame_current, scene.frame_subframe
    span = scene.frame_start, scene.frame_end
    actions = [_Assigned(block) for block in _animated_blocks(armature_object)]
    poses = [_Posed(owner) for owner in (armature_object, *armature_object.pose.bones)]
    try:
        for ob in selected:
            ob.select_set(False, view_layer=layer)
        for ob in (armature_object, *meshes):
            ob.select_set(True, view_layer=layer)
        layer.objects.active = armature_object
        yield [armature_object, *meshes]
    finally:
        for ob in (armature_object, *meshes):
            ob.select_set(False, view_layer=layer)
        for ob in selected:
            ob.select_set(True, view_layer=layer)
        layer.objects.active = active
        for assigned in actions:
            assigned.restore()
        scene.frame_start, scene.frame_end = span
        scene.frame_set(frame, subframe=subframe)
        for posed in poses:  # after the frame: what was posed and not keyed comes back, too
            posed.restore()


def _is_body(ob: bpy.types.Object, armature_object: bpy.types.Object) -> bool:
    """Return whether an object is a mesh that an armature deforms or carries."""
    bound = any(getattr(modifier, "object", None) == armature_object for modifier in ob.modifiers)
    return ob.type == "MESH" and (bound or ob.parent == armature_object)


def _animated_blocks(armature_object: bpy.types.Object) -> list[Any]:
    """Return the armature, its data and the shape keys of its meshes: all that `play` assigns actions to."""
    keys: list[Any] = [ob.data.shape_keys for ob in deformed_meshes(armature_object)]
    return [armature_object, armature_object.data, *keys]


CHANNELS = ("location", "rotation_quaternion", "rotation_axis_angle", "rotation_euler", "scale")
"""Channels of objects and pose bones."""


class _Posed:
    """Channels of an object or pose bone, to restore them."""

    def __init__(self, owner: Any) -> None:
        self._owner, self._mode = owner, owner.rotation_mode
        self._values = {name: tuple(getattr(owner, name)) for name in CHANNELS}

    def restore(self) -> None:
        self._owner.rotation_mode = self._mode
        for name, values in self._values.items():
            if tuple(getattr(self._owner, name)) != values:
                setattr(self._owner, name, values)


class _Assigned:
    """Action, slot and mark of a data-block, to restore them."""

    def __init__(self, block: Any) -> None:
        self._block, data = block, block.animation_data
        self._had_data = data is not None
        self._action, self._slot = (data.action, data.action_slot) if data is not None else (None, None)
        self._own = block.get(OWN_ACTION_KEY)
        self._kept = self._action.use_fake_user if self._action is not None else False

    def restore(self) -> None:
        block, data = self._block, self._block.animation_data
        if data is not None and data.action != self._action:
            data.action = self._action
            if self._slot is not None:
                data.action_slot = self._slot
        if not self._had_data and data is not None:
            block.animation_data_clear()
        if self._own is None and OWN_ACTION_KEY in block:
            del block[OWN_ACTION_KEY]
        elif self._own is not None:
            block[OWN_ACTION_KEY] = self._own
        if self._action is not None:
            self._action.use_fake_user = self._kept


def export_action(
    armature_object: bpy.types.Object, action: bpy.types.Action, path: Path, kind: str, scene: bpy.types.Scene
) -> None:
    """Play an action on an armature that is on stage and write it as a file of a kind of SUFFIXES.

    Raises RiffError where Blender's exporter is missing or fails; a file that was there before is then as it was.
    """
    play(armature_object, action)
    first, last = range_of(action)
    scene.frame_start, scene.frame_end = first, max(last, first)
    scene.frame_set(first)
    try:
        with written_beside(path) as part:
            if _export(part, kind, first, last) != {"FINISHED"} or not part.exists():
                raise FileNotFoundError(errno.ENOENT, "no file was written")
        return
    except AttributeError:
        problem = f"switch the add-on {ADD_ONS[kind]} on in the preferences"
    except OSError as error:
        problem = error.strerror or str(error)
    except RuntimeError as error:
        problem = _last_line(error)
    raise RiffError(f"“{action.name}” cannot be exported: {problem.rstrip('.')}.")


def _last_line(error: RuntimeError) -> str:
    """Return what an exporter that failed says, without its traceback and the place that called it."""
    lines = [line for line in str(error).strip().removeprefix("Error: ").splitlines() if line.strip()]
    said = [line for line in lines if not line.startswith("Location:")]
    return (said or lines or ["no reason is known"])[-1]


def _export(path: Path, kind: str, first: int, last: int) -> Any:
    """Call Blender's exporter for the selected objects. Raises AttributeError where it is not there."""
    operators: Any = bpy.ops
    if kind == "BVH":
        return operators.export_anim.bvh(filepath=str(path), frame_start=first, frame_end=last, check_existing=False)
    if kind == "GLTF":
        return operators.export_scene.gltf(
            filepath=str(path),
            export_format="GLB",
            use_selection=True,
            export_animation_mode="ACTIVE_ACTIONS",
            export_frame_range=True,
            export_negative_frame="SLIDE",
            export_anim_slide_to_zero=True,
            check_existing=False,
        )
    return operators.export_scene.fbx(
        filepath=str(path),
        use_selection=True,
        object_types={"ARMATURE", "MESH"},
        add_leaf_bones=False,
        bake_anim_use_nla_strips=False,
        bake_anim_use_all_actions=False,
        bake_anim_simplify_factor=0.0,
        check_existing=False,
    )
