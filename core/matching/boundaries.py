"""Rotations of the joints where body parts meet, relative to the heading during the search.

In a clip the chest compensates for the hips. A chest from another time does not fit the hips of this one: with
parent-relative rotations everything above the hips would shake. Heading-relative rotations stay as steady as in the
clip. The heading is smoothed: in a clip the chest also undoes how the hips sway from step to step.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..model.channels import Channels
from ..motion.motion import Motion
from ..motion.skeleton import GROUP
from ..numeric.rotation import Array, axis_rotation, matrix_to_six, six_to_matrix
from ..numeric.smoothing import smooth

HEADING_FRAMES = 6.0
"""Standard deviation of the Gaussian that smooths the heading, in frames."""


class Boundaries:
    """Conversion of rows (T, C) between parent-relative and heading-relative rotations of some joints.

    A rig of controls has no such joints, because its controls do not rotate relative to each other: its rows stay as
    they are.
    """

    def __init__(self, channels: Channels, source: Motion, joints: Sequence[int]) -> None:
        self._channels = channels
        skeleton = channels.skeleton
        self._joints = () if skeleton.reference_frames else tuple(sorted(joints))
        starts = {group: index * GROUP for index, group in enumerate(channels.groups)}
        self._slices = {
            joint: slice(starts[joint], starts[joint] + GROUP) for joint in range(skeleton.joints) if joint in starts
        }
        needed = {0} | {above for joint in self._joints for above in (joint, *skeleton.ancestors(joint))}
        self._chain = sorted(needed)
        still = six_to_matrix(channels.still[: skeleton.joints * GROUP].reshape(-1, GROUP))
        self._constant_rotations = {joint: still[joint] for joint in self._chain if joint not in self._slices}
        roots = six_to_matrix(source.features[:, :GROUP])
        self._root_axis = int(np.linalg.norm(roots[:, :2], axis=1).mean(0).argmax())

    def to_heading_relative(
        self, rows: NDArray[np.float32], share: float = 1.0, circle: bool = False
    ) -> NDArray[np.float32]:
        """Return parent-relative rows (..., T, C) with the joints' rotations relative to the heading.

        There are `share` rows for each frame; the heading goes on round a `circle`.
        """
        if not self._joints:
            return rows
        result, world = rows.copy(), dict[int, Array]()
        inverse_yaw = self._yaw_rotations(rows, share, circle).swapaxes(-1, -2)
        for joint in self._chain:
            world[joint] = self._world_rotations(world, joint, self._local_rotations(rows, joint))
            if joint in self._joints:
                result[..., self._slices[joint]] = matrix_to_six(inverse_yaw @ world[joint])
        return result

    def to_parent_relative(
        self, rows: NDArray[np.float32], share: float = 1.0, circle: bool = False
    ) -> NDArray[np.float32]:
        """Return heading-relative rows (..., T, C) with the joints' rotations relative to their parents.

        The hips may be of another time than the joints. There are `share` rows for each frame; the heading goes on
        round a `circle`.
        """
        if not self._joints:
            return rows
        result, world = rows.copy(), dict[int, Array]()
        yaw = self._yaw_rotations(rows, share, circle)
        for joint in self._chain:
            if joint not in self._joints:
                world[joint] = self._world_rotations(world, joint, self._local_rotations(rows, joint))
                continue
            world[joint] = yaw @ six_to_matrix(rows[..., self._slices[joint]].astype(np.float64))
            local = world[self._channels.skeleton.parents[joint]].swapaxes(-1, -2) @ world[joint]
            middle, gain = self._scale(joint)
            result[..., self._slices[joint]] = middle + (matrix_to_six(local) - middle) * gain
        return result

    def _world_rotations(self, world: dict[int, Array], joint: int, local: Array) -> Array:
        return local if joint == 0 else world[self._channels.skeleton.parents[joint]] @ local

    def _local_rotations(self, rows: NDArray[np.float32], joint: int) -> Array:
        """Return the rotations (..., T, 3, 3) of a joint relative to its parent."""
        if joint in self._constant_rotations:
            return np.broadcast_to(self._constant_rotations[joint], (*rows.shape[:-1], 3, 3))
        middle, gain = self._scale(joint)
        return six_to_matrix(middle + (rows[..., self._slices[joint]] - middle) / gain)

    def _scale(self, joint: int) -> tuple[Array, Array]:
        channels = self._slices[joint]
        return self._channels.middle[channels], self._channels.gain[channels]

    def _yaw_rotations(self, rows: NDArray[np.float32], share: float, circle: bool) -> Array:
        """Return the root's smoothed rotations about the vertical (..., T, 3, 3), by its axis that is most level in the
        clip.
        """
        axis, length = self._local_rotations(rows, 0)[..., self._root_axis], rows.shape[-2]
        margin = min(int(4 * HEADING_FRAMES * share) + 1, length) if circle else 0
        around = np.arange(-margin, length + margin) % length
        yaw = np.unwrap(np.arctan2(axis[..., around, 1], axis[..., around, 0]), axis=-1)
        smoothed = np.moveaxis(smooth(np.moveaxis(yaw, -1, 0), HEADING_FRAMES * share, "repeat"), 0, -1)
        return axis_rotation(2, smoothed[..., margin : margin + length])
