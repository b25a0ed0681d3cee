"""Joints where parts of the body meet, told against the heading while parts are searched for one by one.

In a clip the chest undoes what the hips do. A chest from another time would not fit the hips, and all above it would
shake; told against the heading it stays as steady as it was.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..model.channels import Channels
from ..motion.motion import Motion
from ..motion.skeleton import GROUP
from ..numeric.rotation import Array, axis_rotation, matrix_to_six, six_to_matrix


class Boundaries:
    """The rows of some joints of a model, told against the heading instead of their parents and back again.

    Rows are (T, C). A rig of controls has no such joints: its controls are not told against each other.
    """

    def __init__(self, channels: Channels, source: Motion, joints: Sequence[int]) -> None:
        self._channels = channels
        skeleton = channels.skeleton
        self._joints = () if skeleton.reference_frames else tuple(sorted(joints))
        places = {group: place * GROUP for place, group in enumerate(channels.groups)}
        self._own = {
            joint: slice(places[joint], places[joint] + GROUP) for joint in range(skeleton.joints) if joint in places
        }
        needed = {0} | {above for joint in self._joints for above in (joint, *skeleton.ancestors(joint))}
        self._chain = sorted(needed)
        still = six_to_matrix(channels.still[: skeleton.joints * GROUP].reshape(-1, GROUP))
        self._still = {joint: still[joint] for joint in self._chain if joint not in self._own}
        roots = six_to_matrix(source.features[:, :GROUP])
        self._axis = int(np.linalg.norm(roots[:, :2], axis=1).mean(0).argmax())

    def seen(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Rows with the joints' rotations as they are against the heading."""
        if not self._joints:
            return rows
        result, world = rows.copy(), dict[int, Array]()
        back = self._headings(rows).swapaxes(-1, -2)
        for joint in self._chain:
            world[joint] = self._turned(world, joint, self._turns(rows, joint))
            if joint in self._joints:
                result[:, self._own[joint]] = matrix_to_six(back @ world[joint])
        return result

    def told(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Rows with the joints' rotations against their parents, from what `seen` gave for the same or other hips."""
        if not self._joints:
            return rows
        result, world = rows.copy(), dict[int, Array]()
        headings = self._headings(rows)
        for joint in self._chain:
            if joint not in self._joints:
                world[joint] = self._turned(world, joint, self._turns(rows, joint))
                continue
            world[joint] = headings @ six_to_matrix(rows[:, self._own[joint]].astype(np.float64))
            under = world[self._channels.skeleton.parents[joint]].swapaxes(-1, -2) @ world[joint]
            middle, gain = self._scale(joint)
            result[:, self._own[joint]] = middle + (matrix_to_six(under) - middle) * gain
        return result

    def _turned(self, world: dict[int, Array], joint: int, local: Array) -> Array:
        return local if joint == 0 else world[self._channels.skeleton.parents[joint]] @ local

    def _turns(self, rows: NDArray[np.float32], joint: int) -> Array:
        """Rotations (T, 3, 3) of a joint against its parent."""
        if joint in self._still:
            return np.broadcast_to(self._still[joint], (len(rows), 3, 3))
        middle, gain = self._scale(joint)
        return six_to_matrix(middle + (rows[:, self._own[joint]] - middle) / gain)

    def _scale(self, joint: int) -> tuple[Array, Array]:
        own = self._own[joint]
        return self._channels.middle[own], self._channels.gain[own]

    def _headings(self, rows: NDArray[np.float32]) -> Array:
        """Turns about the vertical (T, 3, 3) that the root makes, by its axis that is most level in the clip."""
        axis = self._turns(rows, 0)[:, :, self._axis]
        return axis_rotation(2, np.arctan2(axis[:, 1], axis[:, 0]))
