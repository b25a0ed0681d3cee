"""Where a motion faces: turning rows of the networks about the vertical, and seeing them as if nobody turned.

Which way a clip happens to face says nothing about how one movement goes on from another, so content is compared, and
stretches of a sample are placed, with headings relative to each other.
"""

from __future__ import annotations

import numpy as np

from ..model.channels import Channels
from ..motion.headings import yaw_of
from ..motion.motion import Motion
from ..motion.skeleton import GROUP
from ..numeric.rotation import Array, axis_rotation, matrix_to_six, six_to_matrix


class RowHeadings:
    """Headings in network rows of a model; `learned` says whether its root turns at all.

    A heading is the turn about the vertical from the pose in which the `source` stands most as it does on the whole.
    """

    def __init__(self, channels: Channels, source: Motion) -> None:
        columns = channels.columns
        root = source.skeleton.root_channel
        self.turn = np.array([row for k in range(GROUP) for row in np.flatnonzero(columns == k)], dtype=np.int64)
        self.travel = np.array([row for k in (0, 1) for row in np.flatnonzero(columns == root + k)], dtype=np.int64)
        self.learned = len(self.turn) == GROUP
        self.gain = float(channels.gain[self.turn[0]]) if self.learned else 0.0
        self._channels = channels
        rotations = six_to_matrix(source.features[:, :GROUP])
        up = rotations[:, 2]
        self._upright = rotations[(up @ up.mean(0)).argmax()].T

    def headings(self, rows: Array) -> Array:
        """Heading (T,) in radians of network rows (C, T), without jumps from one round to the next."""
        if not self.learned:
            return np.zeros(rows.shape[1])
        return np.asarray(np.unwrap(yaw_of(self._rotations(rows) @ self._upright)))

    def turned(self, rows: Array, angles: Array) -> Array:
        """Rows (C, T) with each turned about the vertical by an angle (T,) in radians."""
        result = rows.copy()
        if not self.learned:
            return result
        spin = axis_rotation(2, angles)
        result[self.turn] = self._encoded(matrix_to_six(spin @ self._rotations(rows)), self.turn)
        if len(self.travel) == 2:
            velocity = self._decoded(rows, self.travel)
            result[self.travel] = self._encoded(np.einsum("tij,tj->ti", spin[:, :2, :2], velocity), self.travel)
        return result

    def velocities(self, rows: Array) -> Array:
        """Planar velocity (T, 2) of the root in network rows (C, T); 0 where it is not learned."""
        return self._decoded(rows, self.travel) if len(self.travel) == 2 else np.zeros((rows.shape[1], 2))

    def _rotations(self, rows: Array) -> Array:
        return six_to_matrix(self._decoded(rows, self.turn))

    def _decoded(self, rows: Array, own: np.ndarray) -> Array:
        middle, gain = self._channels.middle[own], self._channels.gain[own]
        return np.asarray(middle + (rows[own].T - middle) / gain)

    def _encoded(self, values: Array, own: np.ndarray) -> Array:
        middle, gain = self._channels.middle[own], self._channels.gain[own]
        return np.asarray((middle + (values - middle) * gain).T)
