"""Reading and round trip of every armature and action of animation files, without training."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from .cases import IMPORTERS, part
from .round_trip import last_bit, played

SUFFIXES = (".bvh", ".fbx", ".glb", ".gltf", ".blend")

UNKNOWN = "—"
"""Text of a column that nothing fills yet."""


@dataclass(frozen=True)
class Row:
    """Line of the table for one armature and action; `problem` is the sentence of a refusal.

    `rotation` in radians and `place` in body heights are the largest differences of any bone in any frame between the
    source and what was written, as Blender plays both.
    """

    file: str
    action: str
    problem: str = ""
    kind: str = ""
    joints: int = 0
    root: str = ""
    feet: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    rotation: float = 0.0
    place: float = 0.0
    floor: float = 0.0
    seconds: float = 0.0
    cycle: str = UNKNOWN
    learned: bool = False
    hints: str = UNKNOWN

    @property
    def legs(self) -> int:
        return sum(part.endswith("Leg") for part in self.parts)


def rows_of_file(path: Path) -> list[Row]:
    """Read every armature of a file with every action that keys its bones."""
    try:
        load(path)
    except RuntimeError as error:
        return [Row(path.name, "", str(error).strip().splitlines()[-1])]
    rows = [measured(path.name, rig, action) for rig, action in played_pairs()]
    return rows or [Row(path.name, "", "The file has no armature with an action.")]


def load(path: Path) -> None:
    """Open or import a file in an empty scene, at its own rate."""
    bpy.ops.wm.read_homefile(use_empty=True)
    for addon in IMPORTERS:
        importlib.import_module("addon_utils").enable(addon, default_set=True)
    readers: dict[str, Callable[[], object]] = {
        ".bvh": lambda: bpy.ops.import_anim.bvh(filepath=str(path), update_scene_fps=True, update_scene_duration=True),
        ".fbx": lambda: bpy.ops.import_scene.fbx(filepath=str(path)),
        ".blend": lambda: bpy.ops.wm.open_mainfile(filepath=str(path), load_ui=False, use_scripts=False),
    }
    readers.get(path.suffix.casefold(), lambda: bpy.ops.import_scene.gltf(filepath=str(path)))()


def played_pairs() -> Iterator[tuple[Any, Any]]:
    """Iterate over armatures in the scene and actions that key bones of theirs, each in the pose before all of them."""
    for rig in [ob for ob in bpy.data.objects if ob.type == "ARMATURE" and ob.users_scene]:
        bpy.context.view_layer.update()
        data = rig.animation_data_create()
        for track in data.nla_tracks:
            track.mute = True
        data.action = None
        before = [bone.matrix_basis.copy() for bone in rig.pose.bones], rig.matrix_basis.copy()
        for action in [one for one in bpy.data.actions if keys_bones(rig, one)]:
            for bone, matrix in zip(rig.pose.bones, before[0], strict=True):
                bone.matrix_basis = matrix
            rig.matrix_basis = before[1]
            yield rig, action


def keys_bones(rig: Any, action: Any) -> bool:
    actions = part("rig.reading.actions")
    try:
        return bool(actions.keyed_channels(rig, actions.source_of(rig, action)))
    except part("core.errors").ClipError:
        return False


def hints_of(rig: Any, action: Any, motion: Any) -> str:
    """Return the kinds of the hints that show for an action, in lower case, separated by commas."""
    hints, data = part("rig.hints.find"), rig.animation_data
    before = data.action
    part("rig.compat").assign_action(rig, action)
    try:
        found = part("rig.steps").run_through(hints.find_hints(hints.Look(rig, bpy.context.scene, motion)))
    except part("core.errors").ClipError:
        found = []
    data.action = before
    return ", ".join(hint.kind.value.lower() for hint in found) or "none"


def measured(file: str, rig: Any, action: Any) -> Row:
    """Read one action, write it again and compare as Blender plays both."""
    begun = time.perf_counter()
    try:
        motion = part("rig.reading.read").read_motion(rig, action)
        seconds = time.perf_counter() - begun
        written = part("rig.writing.write").write_motion(rig, motion, "Written", source_action=action)
    except part("core.errors").RiffError as error:
        return Row(file, action.name, str(error), hints=hints_of(rig, action, None))
    skeleton = motion.skeleton
    frames = part("rig.reading.actions").source_of(rig, action).frames()
    nudged = last_bit(action)
    (axes, places), (new_axes, new_places), (bit, _) = (played(rig, one, frames) for one in (action, written, nudged))
    turned, floor = (part("core.numeric.rotation").angle_between(axes, one) for one in (new_axes, bit))
    for made in (written, nudged):
        bpy.data.actions.remove(made)
    return Row(
        file,
        action.name,
        "",
        "controls" if skeleton.reference_frames else "bones",
        skeleton.joints,
        skeleton.names[0],
        tuple(skeleton.names[joint] for joint in skeleton.contacts),
        tuple(one.name for one in part("core.motion.body_parts").find_parts(skeleton)),
        float(np.nanmax(turned)),
        float(np.abs(places - new_places).max() / (1.8 * skeleton.unit)),
        float(np.nanmax(floor)),
        seconds,
        cycle=cycle_of(motion),
        learned=learns(motion),
        hints=hints_of(rig, action, motion),
    )


def cycle_of(motion: Any) -> str:
    """Return the length of the cycle that a motion is, or “none”."""
    cycle = part("core.cycles.find").find_cycle(motion)
    return f"{cycle.rows / motion.fps:.2f} s" if cycle else "none"


def learns(motion: Any) -> bool:
    """Return whether a motion can be learned by itself."""
    try:
        part("core.cycles.unroll").learnable(motion)
    except part("core.errors").ClipError:
        return False
    return True
