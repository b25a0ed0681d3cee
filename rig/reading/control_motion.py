"""Conversion between keyed controls and the joints of a Motion, in both directions."""

from __future__ import annotations

from collections.abc import Collection, Generator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...core.motion.motion import Motion, from_transforms
from ...core.motion.skeleton import Space, build_skeleton
from ...core.numeric.rotation import Array, axis_rotation, held_yaw
from ..steps import run_through
from .controls import OBJECT, Control, Frames, relative_zero
from .evaluate import Poses, Rest, rotation_part

_STEP_JOINTS = 10
"""Joints that are converted in one step."""

_SLIDE_SHARE = 1e-5
"""Smallest spread of a joint's offset that counts as sliding, relative to the armature's size."""


def control_motion(
    rest: Rest,
    poses: Poses,
    controls: Sequence[Control],
    frames: Frames,
    names: Sequence[str],
    sliding: Collection[str],
    size: float,
    fps: float,
) -> Generator[float, None, Motion]:
    """Build the motion of controls, without contacts and properties, in steps.

    `sliding` names the controls whose keyed location moves; `size` is the armature's height in its own units. World
    positions are those that Blender evaluates, except for the root's, which follow from its keys.
    """
    world_rotations, world_positions = yield from _world_transforms(rest, poses, controls, frames)
    above = [max(control.parent, 0) for control in controls]
    rotations = world_rotations[:, above].swapaxes(-1, -2) @ world_rotations
    yield 1.0
    offsets = np.einsum(
        "tjba,tja->tjb", world_rotations[:, above].swapaxes(-1, -2), world_positions - world_positions[:, above]
    )
    yield 1.0
    rests = _rest_positions(rest, poses.world[0], controls)
    base = rests - rests[above]
    _tell_by_own_channels(rotations, offsets, base, rest, poses.world[0], controls, frames)
    rotations[:, 0] = world_rotations[:, 0]
    yield 1.0
    size *= _scale(poses.world[0])
    spread = np.ptp(offsets, axis=0).max(axis=1)
    moving = [j for j, one in enumerate(controls) if names[j] in sliding and j and one.base != Space.TILT]
    # a control of the world that keeps its offset to the root has to move along with it
    moving = [j for j in moving if controls[j].base == Space.WORLD or spread[j] > _SLIDE_SHARE * size]
    steady = np.array([offsets[0, j] if one.base == Space.PARENT else base[j] for j, one in enumerate(controls)])
    steady[moving], steady[0] = base[moving], rests[0]
    standing = rests.copy()
    for joint in range(1, len(controls)):
        standing[joint] = standing[above[joint]] + steady[joint]
    skeleton = build_skeleton(names, [one.parent for one in controls], standing, moving, size)
    skeleton = replace(skeleton, reference_frames=tuple(one.base for one in controls))
    return from_transforms(skeleton, rotations, world_positions[:, 0] / skeleton.unit, fps, offsets / skeleton.unit)


def _world_transforms(
    rest: Rest, poses: Poses, controls: Sequence[Control], frames: Frames
) -> Generator[float, None, tuple[Array, Array]]:
    """Compute world rotations from rest (T, J, 3, 3) and positions (T, J, 3) in steps; joints with a rigid carrier
    follow their keys.

    Blender evaluates the same in single precision at the control's position. A few metres from the origin that error is
    enough to rotate a two-centimetre lip bone, which points at another bone, by more than 1e-4.
    """
    world = poses.world
    turned = rotation_part(world[:, :3, :3])
    local_turns, local_places = yield from _armature_transforms(controls, frames)
    rotations, positions = np.empty_like(local_turns), np.empty_like(local_places)
    for joint, control in enumerate(controls):
        if control.bone == OBJECT:
            rotations[:, joint], positions[:, joint] = turned @ turned[0].T, world[:, :3, 3]
            continue
        rotations[:, joint] = turned @ local_turns[:, joint] @ rest.matrices[control.bone, :3, :3].T @ turned[0].T
        positions[:, joint] = (world[:, :3, :3] @ local_places[:, joint, :, None])[..., 0] + world[:, :3, 3]
        if joint % _STEP_JOINTS == 0:
            yield 1.0
    if controls[0].base == Space.YAW:
        rotations[:, 0] = axis_rotation(2, held_yaw(rotations[:, 0]))
    return rotations, positions


def _armature_transforms(controls: Sequence[Control], frames: Frames) -> Generator[float, None, tuple[Array, Array]]:
    """Compute rotations (T, J, 3, 3) and positions (T, J, 3) in armature space; the object itself is the identity."""
    count = len(frames.basis)
    rotations, positions = np.tile(np.eye(3), (count, len(controls), 1, 1)), np.zeros((count, len(controls), 3))
    for joint, control in enumerate(controls):
        if control.bone == OBJECT:
            continue
        own = frames.column[control.bone]
        if control.base == Space.LOCAL:
            rotations[:, joint], positions[:, joint] = frames.rotations[:, own], frames.positions[:, own]
            continue
        axes, origin = relative_zero(frames, control.bone, carrier_of(controls, joint), 0)
        turn = rotation_part(axes) @ rotation_part(frames.basis[:, own, :3, :3])
        place = frames.basis[:, own, :3, 3] @ axes.T + origin
        if control.base == Space.PARENT and control.parent >= 0:
            above = rotations[:, control.parent]
            turn, place = above @ turn, (above @ place[..., None])[..., 0] + positions[:, control.parent]
        rotations[:, joint], positions[:, joint] = turn, place
        if joint % _STEP_JOINTS == 0:
            yield 1.0
    return rotations, positions


def carrier_of(controls: Sequence[Control], joint: int) -> int:
    """Return the bone that is the reference frame of a joint; OBJECT for the armature and the world."""
    control = controls[joint]
    return controls[control.parent].bone if control.base == Space.PARENT and control.parent >= 0 else OBJECT


def _rest_positions(rest: Rest, world: Array, controls: Sequence[Control]) -> Array:
    heads = np.array([rest.matrices[one.bone, :3, 3] if one.bone != OBJECT else np.zeros(3) for one in controls])
    return heads @ world[:3, :3].T + world[:3, 3]


def _tell_by_own_channels(
    rotations: Array, offsets: Array, base: Array, rest: Rest, world: Array, controls: Sequence[Control], frames: Frames
) -> None:
    """Replace rotations and offsets of controls in Space.LOCAL by their own channels, in their axes at rest in the
    world.
    """
    for joint, control in enumerate(controls):
        if control.base == Space.LOCAL:
            axes = rotation_part(world[:3, :3]) @ rest.matrices[control.bone, :3, :3]
            own = frames.basis[:, frames.column[control.bone]]
            rotations[:, joint] = axes @ rotation_part(own[:, :3, :3]) @ axes.T
            offsets[:, joint] = base[joint] + _scale(world) * own[:, :3, 3] @ axes.T


def standing_offsets(
    rest: Rest, poses: Poses, controls: Sequence[Control], frames: Frames, translated: Collection[int]
) -> tuple[Array, Array]:
    """Return a skeleton's offsets (J, 3) and its root position (3,), in file units, for the armature as it is now."""
    rotations, positions = run_through(_world_transforms(rest, poses, controls, frames))
    above = [max(control.parent, 0) for control in controls]
    rests = _rest_positions(rest, poses.world[0], controls)
    now = rests - rests[above]
    stiff = [j for j, one in enumerate(controls) if j and one.base == Space.PARENT and j not in translated]
    carriers = [above[j] for j in stiff]
    now[stiff] = np.einsum("jba,jb->ja", rotations[0, carriers], (positions[:, stiff] - positions[:, carriers])[0])
    return now, rests[0]


def _scale(world: Array) -> float:
    return float(np.linalg.norm(world[:3, 0]))


@dataclass(frozen=True, eq=False)
class Rigging:
    """The relation of a skeleton's controls to an armature in the source's first frame.

    `zero` holds each joint's axes (3, 3) and position (3,) without its own channels, seen from its unscaled carrier
    (Space.PARENT) or in armature space. `own` (4, 4) are the object's own channels, `delta` (4, 4) the deltas among
    them. `world` (4, 4) is the object's matrix that motions are meant for. Bones in `unturned` have locations in the
    armature's axes. `on_deltas` names the deltas of the object that are written instead of its location or rotation.
    """

    controls: tuple[Control, ...]
    zero: tuple[tuple[Array, Array], ...]
    rest: Rest
    world: Array
    own: Array
    delta: Array
    unturned: frozenset[int] = frozenset()
    on_deltas: frozenset[str] = frozenset()


def rigging_of(
    controls: Sequence[Control],
    frames: Frames,
    rest: Rest,
    poses: Poses,
    world: Array,
    on_deltas: frozenset[str] = frozenset(),
) -> Rigging:
    """Build the Rigging; `frames` and `poses` hold one row, `world` (4, 4) is the object's matrix that motions are
    meant for. `on_deltas` names the deltas of the object to write.
    """
    zero = []
    for joint, control in enumerate(controls):
        if control.bone == OBJECT:
            zero.append((np.eye(3), np.zeros(3)))
            continue
        zero.append(relative_zero(frames, control.bone, carrier_of(controls, joint), 0))
    own, delta = poses.own[0], poses.delta[0]
    return Rigging(tuple(controls), tuple(zero), rest, world, own, delta, frames.unturned, on_deltas)


def own_channels(motion: Motion, rigging: Rigging) -> tuple[Array, Array]:
    """Return rotations (T, J, 3, 3) and locations (T, J, 3) to write to the controls' own channels.

    The row of Space.TILT holds the whole root; the row of Space.YAW is empty.
    """
    skeleton, local = motion.skeleton, motion.rotations()
    offsets = motion.local_offsets() * skeleton.unit
    root = motion.root_positions() * skeleton.unit
    rotations, positions = np.zeros_like(local), np.zeros_like(offsets)
    for joint, control in enumerate(rigging.controls):
        if control.bone == OBJECT:
            rotations[:, joint], positions[:, joint] = _object_channels(rigging, local[:, joint], root)
        elif control.base == Space.LOCAL:
            axes = _rest_axes(rigging, control.bone)
            rotations[:, joint] = axes.T @ local[:, joint] @ axes
            positions[:, joint] = (offsets[:, joint] - _base(rigging, joint)) @ axes / _scale(rigging.world)
        elif control.base == Space.PARENT and joint:
            rotations[:, joint], positions[:, joint] = _carried_channels(
                rigging, joint, local[:, joint], offsets[:, joint]
            )
        elif control.base != Space.YAW:
            turn, place = local[:, joint], root
            if control.base in (Space.TILT, Space.WORLD):
                turn = local[:, 0] @ turn
            if control.base == Space.WORLD:
                place = root + (local[:, 0] @ offsets[:, joint, :, None])[..., 0]
            rotations[:, joint], positions[:, joint] = _world_channels(rigging, joint, turn, place)
        if control.bone in rigging.unturned:
            positions[:, joint] = positions[:, joint] @ rigging.rest.matrices[control.bone, :3, :3].T
    return rotations, positions


def _rest_axes(rigging: Rigging, bone: int) -> Array:
    turned: Array = rotation_part(rigging.world[:3, :3])
    return turned if bone == OBJECT else turned @ rigging.rest.matrices[bone, :3, :3]


def _base(rigging: Rigging, joint: int) -> Array:
    control = rigging.controls[joint]
    pair = [rigging.controls[control.parent], control]
    above, own = _rest_positions(rigging.rest, rigging.world, pair)
    return np.asarray(own - above)


def _world_channels(rigging: Rigging, joint: int, turn: Array, place: Array) -> tuple[Array, Array]:
    axes, origin = rigging.zero[joint]
    inverse = np.linalg.inv(rigging.world)
    here = place @ inverse[:3, :3].T + inverse[:3, 3]
    pose = rotation_part(rigging.world[:3, :3]).T @ turn @ _rest_axes(rigging, rigging.controls[joint].bone)
    return rotation_part(axes).T @ pose, (here - origin) @ np.linalg.inv(axes).T


def _carried_channels(rigging: Rigging, joint: int, turn: Array, offset: Array) -> tuple[Array, Array]:
    control = rigging.controls[joint]
    axes, origin = rigging.zero[joint]
    carrier = _rest_axes(rigging, rigging.controls[control.parent].bone)
    here = offset @ carrier / _scale(rigging.world)
    pose = carrier.T @ turn @ _rest_axes(rigging, control.bone)
    return rotation_part(axes).T @ pose, (here - origin) @ np.linalg.inv(axes).T


def _object_channels(rigging: Rigging, turn: Array, place: Array) -> tuple[Array, Array]:
    moved = np.tile(np.eye(4), (len(turn), 1, 1))
    moved[:, :3, :3], moved[:, :3, 3] = turn @ rigging.world[:3, :3], place
    channels = rigging.own @ np.linalg.inv(rigging.world) @ moved
    turns, places = rotation_part(channels[:, :3, :3]), channels[:, :3, 3]
    delta_turn, shift = rigging.delta[:3, :3], rigging.delta[:3, 3]
    places = places - (rigging.own[:3, 3] - shift if "delta_location" in rigging.on_deltas else shift)
    if rigging.on_deltas - {"delta_location"}:
        plain = delta_turn.T @ rotation_part(rigging.own[:3, :3])
        return turns @ plain.T, places
    return delta_turn.T @ turns, places
