"""An armature's action becomes a Motion: evaluated poses in world space, joints at rest turned by the identity."""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence

import bpy
import numpy as np

from ..core.errors import ClipError
from ..core.feet import with_contacts, with_found_contacts
from ..core.motion import Motion, from_transforms
from ..core.rotation import Array
from ..core.skeleton import body_size, build_skeleton
from .actions import Source, armature_of, keyed_channels, keys_sum, slot_of, source_of
from .checks import check_object, check_poses
from .evaluate import Poses, Rest, read_rest, sample_steps
from .joints import world_transforms
from .roots import choose_root, joints_below
from .steps import STEP, run_through

_MOVES = 1e-5


def read_motion(
    armature_object: bpy.types.Object, action: bpy.types.Action | None = None,
    slot: bpy.types.ActionSlot | None = None, scene: bpy.types.Scene | None = None, *,
    root: str = "", feet: Sequence[str] | None = None, step: int = 1,
) -> Motion:  # fmt: skip
    """Read an action (the active one unless given) of an FK armature at the scene's rate, one row each `step` frames.

    World space, Z up; joints are the root and every bone below it; the bones `root` and `feet` are found where they are
    not given, feet are labelled. The scene, the armature and its actions stay as they are. Raises ClipError, naming
    object, bone, action or frame, for what cannot be read: no armature, no action or slot, no keyed bones, bones that
    are scaled unevenly or that do not follow their keys, an object that is scaled unevenly or carried by something
    else, values that are not numbers.
    """
    steps = read_steps(armature_object, action, slot, scene, root=root, feet=feet, step=step, seconds=math.inf)
    return run_through(steps)


def read_steps(
    armature_object: bpy.types.Object, action: bpy.types.Action | None = None,
    slot: bpy.types.ActionSlot | None = None, scene: bpy.types.Scene | None = None, *,
    root: str = "", feet: Sequence[str] | None = None, step: int = 1, seconds: float = STEP,
) -> Generator[float, None, Motion]:  # fmt: skip
    """What `read_motion` returns, in steps of about so many seconds; yields the share that is done.

    Between two steps nothing of Riff is in the file: it may be saved, undone or left. Raises ClipError as `read_motion`
    does, and where armature or action are removed or changed meanwhile.
    """
    armature_object = armature_of(armature_object)
    scene = scene or bpy.context.scene
    source = source_of(armature_object, action, slot)
    channels = keyed_channels(armature_object, source)
    if not channels:
        raise ClipError(f"The action “{source.action.name}” keys no bones of “{armature_object.name}”.")
    frames = source.frames()
    if len(frames) < 2:
        raise ClipError(f"The action “{source.action.name}” has fewer than two frames.")
    frames = frames[:: min(step, len(frames) - 1)]
    rest = read_rest(armature_object)
    top = _bone(armature_object, rest, root) if root else choose_root(armature_object, rest, channels)
    joints = joints_below(rest, top)
    keys_object = any(not curve.data_path.startswith("pose.bones") for curve in source.bag.fcurves)
    sliding = {bone for (bone, path), moves in channels.items() if path == "location" and moves}
    fps = scene.render.fps / scene.render.fps_base / frames.step
    what = f"The action “{source.action.name}” of “{armature_object.name}”"
    before = _state(armature_object, source) if math.isfinite(seconds) else ()
    action, handle = source.action, source.slot.handle
    try:
        poses = yield from sample_steps(armature_object, source, frames, scene, seconds=seconds)
        if before and before != _state(armature_object, source_of(armature_object, action, slot_of(action, handle))):
            raise ClipError(f"{what} was changed while it was read.")
        check_object(armature_object, poses.world, may_move=keys_object)
        yield 1.0
        check_poses(armature_object, rest, joints, poses, channels, frames)
    except ReferenceError as error:  # Blender's own word for a data-block that is gone
        raise ClipError(f"{what} was removed while it was read.") from error
    yield 1.0
    motion = _to_motion(rest, joints, poses, sliding, fps)
    yield 1.0
    if feet is None:
        return with_found_contacts(motion)
    return with_contacts(motion, sorted({_joint(motion, name) for name in feet}))


def _state(armature_object: bpy.types.Object, source: Source) -> tuple[object, ...]:
    """What tells whether anything that is read was edited: the bones' names and rest, and a sum over all keys."""
    rest = read_rest(armature_object)
    return rest.names, rest.parents, rest.matrices.tobytes(), keys_sum(source)


def _bone(armature_object: bpy.types.Object, rest: Rest, name: str) -> int:
    if name not in rest.names:
        raise ClipError(f"“{armature_object.name}” has no bone “{name}” to be the root; choose another.")
    return rest.names.index(name)


def _joint(motion: Motion, name: str) -> int:
    names = motion.skeleton.names
    if name not in names[1:]:
        raise ClipError(f"The foot “{name}” is no bone below the root “{names[0]}”; choose another.")
    return names.index(name)


def _to_motion(rest: Rest, joints: list[int], poses: Poses, sliding: set[str], fps: float) -> Motion:
    """`joints` index the bones, parents first; `sliding` names the bones whose keyed location moves."""
    names = [rest.names[bone] for bone in joints]
    parents = [joints.index(rest.parents[bone]) if k else -1 for k, bone in enumerate(joints)]
    turns, places = world_transforms(rest, joints, poses)
    rest_places = (poses.world[0] @ rest.matrices[joints])[:, :3, 3]
    above = [max(parent, 0) for parent in parents]
    rotations = turns[:, above].swapaxes(-1, -2) @ turns
    rotations[:, 0] = turns[:, 0]
    offsets = np.einsum("tjba,tjb->tja", turns[:, above], places - places[:, above])
    base = rest_places - rest_places[above]
    moving = _moving_offsets(names, offsets, sliding, body_size(rest_places))
    steady = offsets.mean(axis=0)
    steady[moving] = base[moving]
    steady[0] = rest_places[0]
    for joint in range(1, len(names)):
        rest_places[joint] = rest_places[above[joint]] + steady[joint]
    skeleton = build_skeleton(names, parents, rest_places, moving)
    return from_transforms(skeleton, rotations, places[:, 0] / skeleton.unit, fps, offsets / skeleton.unit)


def _moving_offsets(names: list[str], offsets: Array, sliding: set[str], size: float) -> list[int]:
    """Joints other than the root that slide against their parent by more than the noise of single precision."""
    spread = np.ptp(offsets, axis=0).max(axis=1)
    return [j for j in range(1, len(names)) if names[j] in sliding and spread[j] > _MOVES * size]
