"""Motion tensor (Roditakis et al. 2024): joint rotations, contact labels and root velocity, one row per frame."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..errors import ClipError
from ..numeric.rotation import Array, matrix_to_six, six_to_matrix
from .skeleton import GROUP, PROPERTY_SPAN, Skeleton, body_size
from .treadmill import belt_velocity, moves_with

RATE = 30.0
"""Frames per second at which models are trained; root velocities are always in core units per 1/30 s."""

MAX_POSED_SHARE = 1.6
"""Largest size of a body in motion relative to its size at rest; more, and the rest pose is no pose to measure in."""

MIN_SECONDS = 2.0
"""Shortest clip to learn from, in seconds."""


@dataclass(frozen=True, eq=False)
class Motion:
    """Clip with `features` (frames, channels) in the layout of `skeleton`, Z up, lengths in core units.

    `fps` is the rate of the rows; `origin` (2,) is the root's first position on the ground. Root channels are planar
    velocity in core units per 1/30 s whatever `fps` is (frame 0 repeats frame 1) and the height of the root joint.
    `cycle_seconds` is the length of the cycle that the clip is or repeats; 0 for a clip that is none.
    """

    features: Array
    skeleton: Skeleton
    fps: float
    origin: Array
    cycle_seconds: float = 0.0

    @property
    def frames(self) -> int:
        return len(self.features)

    @property
    def duration(self) -> float:
        """Seconds from the first row to the last."""
        return (self.frames - 1) / self.fps

    @property
    def repeats(self) -> bool:
        """Return whether the clip is a cycle several times over."""
        return 0.0 < self.cycle_seconds < 0.6 * self.duration

    @property
    def is_long_enough(self) -> bool:
        """Return whether the clip lasts MIN_SECONDS, give or take half a frame."""
        return self.frames - 0.5 >= MIN_SECONDS * self.fps

    def rotations(self) -> Array:
        """Return local joint rotations (frames, J, 3, 3)."""
        joints = self.skeleton.joints
        return six_to_matrix(self.features[:, : joints * GROUP].reshape(self.frames, joints, GROUP))

    def root_positions(self) -> Array:
        """Return world positions of the root joint (frames, 3); velocities are summed from the second row on."""
        root = self.features[:, self.skeleton.root_channel : self.skeleton.root_channel + 3]
        steps = root[1:, :2] * (RATE / self.fps)
        plane = np.concatenate([np.zeros((1, 2)), np.cumsum(steps, axis=0)]) + self.origin
        return np.concatenate([plane, root[:, 2:3]], axis=1)

    def local_offsets(self) -> Array:
        """Return each joint's position in its parent's frame (frames, J, 3); kinematics does not use joint 0."""
        offsets = np.broadcast_to(self.skeleton.offsets, (self.frames, self.skeleton.joints, 3)).copy()
        for joint, channel in zip(self.skeleton.translated, self.skeleton.translated_channels, strict=True):
            offsets[:, joint] += self.features[:, channel : channel + 3]
        return offsets

    def property_values(self) -> Array:
        """Return values (frames, P) of the skeleton's properties, clipped to their ranges; switches snap to steps."""
        channels = self.features[:, self.skeleton.property_channels]
        values = np.empty_like(channels)
        for k, one in enumerate(self.skeleton.properties):
            values[:, k] = (one.low + channels[:, k] / PROPERTY_SPAN * (one.high - one.low)).clip(one.low, one.high)
            if one.steps:
                values[:, k] = _snap_to_steps(values[:, k], np.asarray(one.steps))
        return values

    def contact_labels(self) -> Array:
        """Return contact labels (frames, K), about 0 or 1."""
        return self.features[:, self.skeleton.contact_channels]

    def positions(self) -> Array:
        """Return world joint positions (frames, J, 3) by forward kinematics."""
        return forward_kinematics(self.skeleton, self.rotations(), self.root_positions(), self.local_offsets())[0]

    def slice(self, start: int, stop: int) -> Motion:
        """Return rows [start, stop) as a motion; its origin is the root's position at `start`."""
        features = self.features[start:stop].copy()
        return Motion(features, self.skeleton, self.fps, self.root_positions()[start, :2])


def from_transforms(
    skeleton: Skeleton, rotations: Array, root: Array, fps: float, offsets: Array | None = None
) -> Motion:
    """Build a motion from local rotations (T, J, 3, 3) and root positions (T, 3) in core units.

    `offsets` (T, J, 3) gives the moving offsets of `skeleton.translated`. Contact labels are computed from foot speed.
    Raises ClipError for fewer than two rows or numbers that are not finite, naming the joint and row.
    """
    frames = len(rotations)
    if frames < 2:
        raise ClipError("The action has fewer than two frames.")
    _check_finite(skeleton, rotations, root)
    features = np.zeros((frames, skeleton.channels))
    features[:, : skeleton.joints * GROUP] = matrix_to_six(rotations).reshape(frames, -1)
    velocity = np.diff(root[:, :2], axis=0) * (fps / RATE)
    channel = skeleton.root_channel
    features[:, channel : channel + 2] = np.concatenate([velocity[:1], velocity])
    features[:, channel + 2] = root[:, 2]
    if offsets is not None:
        for joint, column in zip(skeleton.translated, skeleton.translated_channels, strict=True):
            features[:, column : column + 3] = offsets[:, joint] - skeleton.offsets[joint]
    return with_contact_labels(Motion(features, skeleton, fps, root[0, :2].copy()))


def _check_finite(skeleton: Skeleton, rotations: Array, root: Array) -> None:
    bad = ~np.isfinite(rotations).all(axis=(2, 3))
    bad[:, 0] |= ~np.isfinite(root).all(axis=1)
    if bad.any():
        frame, joint = (int(i[0]) for i in np.nonzero(bad))
        raise ClipError(f"“{skeleton.names[joint]}” has no valid value at frame {frame} of the clip.")


def _snap_to_steps(values: Array, steps: Array) -> Array:
    """Snap values (T,) to the nearest step; keep the previous step while the nearest is less than twice as near as the
    second nearest, which avoids flicker."""
    distance = np.abs(values[:, None] - steps)
    nearest = distance.argmin(1)
    clear = 2.0 * np.partition(distance, 0, axis=1)[:, 0] < np.partition(distance, 1, axis=1)[:, 1]
    clear[0] = True
    rows = np.maximum.accumulate(np.where(clear, np.arange(len(values)), 0))
    return steps[nearest[rows]]


def with_properties(motion: Motion, values: Array) -> Motion:
    """Return the motion with values (frames, P) for its skeleton's properties."""
    features = motion.features.copy()
    for k, (one, channel) in enumerate(zip(motion.skeleton.properties, motion.skeleton.property_channels, strict=True)):
        features[:, channel] = (values[:, k] - one.low) / (one.high - one.low) * PROPERTY_SPAN
    return replace(motion, features=features)


def with_contact_labels(motion: Motion, positions: Array | None = None) -> Motion:
    """Label each contact joint 1 where it stands, by its speed in the world, else 0.

    On a treadmill, where the body stays in place and feet slide under it, a foot stands that moves with the belt.
    `positions` (T, J, 3) are the motion's positions, if known already.
    """
    if not motion.skeleton.contacts:
        return motion
    feet = (motion.positions() if positions is None else positions)[:, list(motion.skeleton.contacts)]
    velocity = np.diff(feet, axis=0) * (motion.fps / RATE)
    velocity = np.concatenate([velocity[:1], velocity])
    root = motion.features[:, motion.skeleton.root_channel : motion.skeleton.root_channel + 2]
    belt = belt_velocity(velocity, feet[..., 2], root.mean(axis=0))
    features = motion.features.copy()
    features[:, motion.skeleton.contact_channels] = moves_with(velocity, belt)
    return replace(motion, features=features)


def forward_kinematics(skeleton: Skeleton, rotations: Array, root: Array, offsets: Array) -> tuple[Array, Array]:
    """Compute world positions (..., J, 3) and rotations (..., J, 3, 3) from local ones; `root` is (..., 3)."""
    world_positions, world_rotations = [root], [rotations[..., 0, :, :]]
    for joint in range(1, skeleton.joints):
        parent = skeleton.parents[joint]
        world_positions.append(
            world_positions[parent] + np.einsum("...ij,...j->...i", world_rotations[parent], offsets[..., joint, :])
        )
        world_rotations.append(world_rotations[parent] @ rotations[..., joint, :, :])
    return np.stack(world_positions, axis=-2), np.stack(world_rotations, axis=-3)


def posed_size(rest: Array, positions: Array) -> float:
    """Return a body's size from positions (J, 3) at rest, or the median over positions (T, J, 3) in motion.

    Some captures have all bones along one axis at rest, legs and spine side by side: the posed body is larger.
    """
    size = body_size(rest)
    sizes = [body_size(row) for row in positions]
    posed = float(np.median(sizes))
    return posed if np.isfinite(posed) and posed > MAX_POSED_SHARE * size else size


def told_seconds(seconds: float, least: float) -> str:
    """Format a duration below `least` with one decimal, or with as many as show that it is less."""
    texts = (f"{seconds:.{digits}f}" for digits in (1, 2, 3))
    return next((text for text in texts if float(text) < least), f"{seconds}")


def learned_groups(motion: Motion, tolerance: float = 1e-4) -> list[int]:
    """Return the groups to learn: root, contacts and every other group with a channel range above `tolerance`.

    Raises ClipError for a clip that is more than half a frame under two seconds, or in which no joint turns.
    """
    if not motion.is_long_enough:
        lasts = told_seconds(motion.duration, MIN_SECONDS)
        raise ClipError(f"The action lasts {lasts} s; Riff learns from at least {MIN_SECONDS:g} s.")
    skeleton = motion.skeleton
    spread = np.ptp(motion.features, axis=0).reshape(skeleton.groups, GROUP).max(1)
    fixed = range(skeleton.joints, skeleton.joints + len(skeleton.contacts) + 1)
    if not (np.delete(spread, fixed) > tolerance).any():
        raise ClipError("No bone rotates in this action, so there is nothing to learn.")
    return [g for g in range(skeleton.groups) if g in fixed or spread[g] > tolerance]
