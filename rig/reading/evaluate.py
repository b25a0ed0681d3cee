"""Evaluation of an armature's poses while it plays an action, on a temporary copy in a temporary scene."""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix

from ...core.errors import ClipError
from ...core.numeric.rotation import Array, matrix_to_six, six_to_matrix
from ...core.numeric.tree import Tree
from ..stage.own_scene import copy_in_own_scene
from ..steps import run_through
from .actions import Source, slot_of, switched_modes
from .object_scale import held_scale


@dataclass(frozen=True)
class Poses:
    """Blender's evaluation of T frames, for all n pose bones in the order of `pose.bones`.

    `world` (T, 4, 4) is the object's matrix, `own` (T, 4, 4) its own channels as a matrix. `pose` (T, n, 4, 4) are the
    bones in armature space, `basis` (T, n, 4, 4) their own channels. `delta` (T, 4, 4) are the object's delta location
    and rotation, which `own` includes. `numbers` (T, m) are the values of the m object properties at the paths and
    indices `watched`.
    """

    world: Array
    pose: Array
    basis: Array
    own: Array
    delta: Array
    watched: tuple[tuple[str, int], ...] = ()
    numbers: Array = field(default_factory=lambda: np.empty((0, 0)))


@dataclass(frozen=True)
class Rest(Tree):
    """An armature's n bones at rest, in the order of `pose.bones`: `matrices` (n, 4, 4) in its own space, `lengths`."""

    names: tuple[str, ...]
    parents: tuple[int, ...]
    matrices: Array
    lengths: tuple[float, ...] = ()

    @property
    def relative(self) -> Array:
        """Return each bone's rest matrix (n, 4, 4) in its parent's space."""
        parents = np.array([m if p < 0 else self.matrices[p] for m, p in zip(self.matrices, self.parents, strict=True)])
        relative = np.linalg.inv(parents) @ self.matrices
        relative[np.array(self.parents) < 0] = self.matrices[np.array(self.parents) < 0]
        return relative


def read_rest(armature_object: bpy.types.Object) -> Rest:
    """Read the rest pose of an armature."""
    bones = [pose_bone.bone for pose_bone in armature_object.pose.bones]
    index = {bone.name: k for k, bone in enumerate(bones)}
    parents = tuple(index[bone.parent.name] if bone.parent else -1 for bone in bones)
    matrices = np.array([bone.matrix_local for bone in bones], dtype=np.float64)
    matrices[:, :3, :3] = rotation_part(matrices[:, :3, :3])
    return Rest(tuple(index), parents, matrices, tuple(bone.length for bone in bones))


def rotation_part(linear: Array) -> Array:
    """Return the orthonormal rotations (..., 3, 3) of matrices that rotate and scale but do not shear."""
    return six_to_matrix(matrix_to_six(unit_columns(linear)))


def unit_columns(linear: Array) -> Array:
    """Normalise the columns of matrices (..., 3, 3), which are otherwise as orthogonal as before (single precision:
    1e-6).
    """
    return linear / np.maximum(column_lengths(linear), 1e-30)[..., None, :]


def column_lengths(linear: Array) -> Array:
    """Return the lengths (..., 3) of the columns of matrices (..., 3, 3); numpy's norm takes four times as long."""
    x, y, z = (linear[..., row, :] for row in range(3))
    return np.asarray(np.sqrt(x * x + y * y + z * z))


def sample_poses(
    armature_object: bpy.types.Object, source: Source | None, frames: Sequence[int], scene: bpy.types.Scene
) -> Poses:
    """Evaluate the armature at each frame as it plays `source` alone (or no action), without
    changing the user's scene.
    """
    return run_through(sample_steps(armature_object, take_of(armature_object, source), frames, scene))


@dataclass(frozen=True)
class Take:
    """A source as it is evaluated over several steps: Python notices when Blender frees its action, unlike its curves.

    `handle` is the slot's. `stacked` plays the NLA instead. The object's scale is `held`, if it is keyed. If rotation
    modes are keyed, the take is `switching`.
    """

    action: bpy.types.Action | None
    handle: int
    stacked: bool
    held: float | None
    switching: bool


def take_of(armature_object: bpy.types.Object, source: Source | None) -> Take:
    """Return the take of a source, or of no action. Raises ClipError for an uneven scale of the object."""
    if source is None:
        return Take(None, 0, False, None, False)
    held = held_scale(armature_object, source)
    return Take(source.action, source.slot.handle, source.span is not None, held, bool(switched_modes(source)))


def sample_steps(
    armature_object: bpy.types.Object,
    take: Take,
    frames: Sequence[int],
    scene: bpy.types.Scene,
    *,
    seconds: float = math.inf,
    watched: Sequence[tuple[str, int]] = (),
) -> Generator[float, None, Poses]:
    """Evaluate like `sample_poses`, in steps of about `seconds`; yield the fraction of frames done.

    Between two steps the file holds nothing of Riff's: it may be saved, undone or left. Raises ClipError if the
    armature or the action was replaced by then, ReferenceError if it is gone.
    """
    bones, action = len(armature_object.pose.bones), take.action
    record = _Record(len(frames), bones, watched)
    while record.done < len(frames):
        begun = time.monotonic()
        slot = slot_of(action, take.handle) if action else None
        if armature_object.pose is None or len(armature_object.pose.bones) != bones or (action and slot is None):
            raise ClipError(f"“{armature_object.name}” or its action was changed while it was read.")
        with copy_in_own_scene(armature_object, action, slot, scene, take.stacked, take.held) as (copy, own):
            layer = own.view_layers[0]
            # preparing the copy takes a part of the step, of a heavy action most of it; a quarter is left at least
            ready = time.monotonic()
            until = max(begun + seconds, ready + min(max((ready - begun) / 3.0, seconds / 4.0), seconds))
            while True:
                own.frame_set(frames[record.done])
                if take.switching:  # a change of the mode converts the rotation, which overrules its keys at that frame
                    own.frame_set(frames[record.done])
                record.take(copy.evaluated_get(layer.depsgraph))
                if record.done == len(frames) or time.monotonic() >= until:
                    break
        yield record.done / len(frames)
    return record.poses()


class _Record:
    """Poses of an armature, collected frame by frame."""

    def __init__(self, frames: int, bones: int, watched: Sequence[tuple[str, int]]) -> None:
        self.done, self._bones, self._watched = 0, bones, tuple(watched)
        self._world: list[float] = []
        self._own: list[float] = []
        self._delta: list[float] = []
        self._pose, self._basis = np.empty((2, frames, bones * 16), dtype=np.float32)
        self._numbers = np.zeros((frames, len(watched)))

    def take(self, evaluated: bpy.types.Object) -> None:
        matrices: Any = (evaluated.matrix_world, evaluated.matrix_basis, delta_matrix(evaluated))
        for matrix, numbers in zip(matrices, (self._world, self._own, self._delta), strict=True):
            for row in matrix:  # numpy takes six times as long to read a Matrix
                numbers.extend(row)
        bones = evaluated.pose.bones
        bones.foreach_get("matrix", self._pose[self.done])
        bones.foreach_get("matrix_basis", self._basis[self.done])
        if self._watched:
            self._numbers[self.done] = [_number(evaluated, path, index) for path, index in self._watched]
        self.done += 1

    def poses(self) -> Poses:
        world, own, delta = (np.array(rows).reshape(-1, 4, 4) for rows in (self._world, self._own, self._delta))
        pose, basis = (_from_columns(rows, self._bones) for rows in (self._pose, self._basis))
        return Poses(world, pose, basis, own, delta, self._watched, self._numbers)


def delta_matrix(ob: Any) -> Matrix:
    """Return an object's delta location and rotation as a matrix: its channels are added to the former and turned by
    the latter.
    """
    mode = ob.rotation_mode
    turn: Any = Matrix.Identity(3)  # there is no delta of an axis and angle
    if mode == "QUATERNION":
        turn = ob.delta_rotation_quaternion.to_matrix()
    elif mode != "AXIS_ANGLE":
        turn = ob.delta_rotation_euler.to_matrix()
    matrix: Any = turn.to_4x4()
    matrix.translation = ob.delta_location
    return matrix


def _number(evaluated: bpy.types.Object, path: str, index: int) -> float:
    """Return a property's value, or 0 for a path that leads nowhere; `property_value` finds that out later."""
    try:
        value: Any = evaluated.path_resolve(path)
        return float(value[index] if hasattr(value, "__len__") else value)
    except (ValueError, IndexError, TypeError):
        return 0.0


def _from_columns(rows: np.ndarray, bones: int) -> Array:
    """Reshape the matrices of `foreach_get`, which come column by column."""
    return rows.reshape(len(rows), bones, 4, 4).swapaxes(-1, -2).astype(np.float64)


def world_transforms(rest: Rest, joints: list[int], poses: Poses, rows: slice = slice(None)) -> tuple[Array, Array]:
    """Return world rotations from rest (T, J, 3, 3) and world positions (T, J, 3) of the joints, in some rows or all.

    Rest is the armature's rest pose with the object as in the first frame, so a keyed object moves the root.
    """
    world = poses.world[rows, None]
    turned = rotation_part(poses.world[rows, :3, :3])
    rest_turns = rotation_part(poses.world[0, :3, :3]) @ rest.matrices[joints][:, :3, :3]
    pose = poses.pose[rows][:, joints]
    rotations = turned[:, None] @ unit_columns(pose[..., :3, :3]) @ rest_turns.swapaxes(-1, -2)
    positions = np.einsum("tjab,tjb->tja", world[..., :3, :3], pose[..., :3, 3]) + world[..., :3, 3]
    return rotations, positions
