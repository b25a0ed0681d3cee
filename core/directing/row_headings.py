"""Yaw of network rows: measure it, and turn rows about the vertical.

The absolute yaw of a clip is irrelevant to how movements continue each other, so rows are compared, and stretches of a
sample placed, by relative yaw.
"""

from __future__ import annotations

import numpy as np

from ..model.channels import Channels
from ..motion.motion import Motion
from ..motion.skeleton import GROUP
from ..numeric.rotation import Array, axis_rotation, matrix_to_six, six_to_matrix, yaw_of


class RowHeadings:
    """Yaw of a model's network rows; `learned` is false if its root never turns.

    Yaw is measured from the source frame whose up-vector is closest to the mean up-vector.
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
        """Return the yaw (T,) of network rows (C, T) in radians, unwrapped."""
        if not self.learned:
            return np.zeros(rows.shape[1])
        return np.asarray(np.unwrap(yaw_of(self._rotations(rows) @ self._upright)))

    def turned(self, rows: Array, angles: Array) -> Array:
        """Turn each of rows (C, T) about the vertical by `angles` (T,) in radians."""
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
        """Return the planar velocity (T, 2) of the root in network rows (C, T); 0 if it is not learned."""
        return self._decoded(rows, self.travel) if len(self.travel) == 2 else np.zeros((rows.shape[1], 2))

    def _rotations(self, rows: Array) -> Array:
        return six_to_matrix(self._decoded(rows, self.turn))

    def _decoded(self, rows: Array, columns: np.ndarray) -> Array:
        middle, gain = self._channels.middle[columns], self._channels.gain[columns]
        return np.asarray(middle + (rows[columns].T - middle) / gain)

    def _encoded(self, values: Array, columns: np.ndarray) -> Array:
        middle, gain = self._channels.middle[columns], self._channels.gain[columns]
        return np.asarray((middle + (values - middle) * gain).T)
