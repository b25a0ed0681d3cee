"""Many small joints below one, such as the fingers of a hand, seen by the networks as one group.

Fingers move little and together: six principal components of all their rotations lose a thousandth of what they do, and
a character of 65 bones costs no more to learn than one of 27.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..files.fields import FieldError, Fields
from ..motion.motion import Motion
from ..motion.skeleton import BODY, GROUP, Skeleton
from ..numeric.rotation import Array

MIN_MEMBERS = 5
"""Joints below which folding is not worth it."""

REACH = 0.15 * BODY
"""Core units from the joint to the tips of what is folded: a hand, not a leg."""


@dataclass(frozen=True, eq=False)
class JointPCA:
    """The rotations of `members`, joints below `joint`, as components: (features - mean) @ basis.

    `mean` (6n,), `basis` (6n, 6); its columns are orthogonal and share one length, chosen so that a component has the
    size of one joint's numbers.
    """

    joint: int
    members: tuple[int, ...]
    mean: Array
    basis: Array

    @property
    def columns(self) -> np.ndarray:
        """Feature columns of the members."""
        return (np.asarray(self.members)[:, None] * GROUP + np.arange(GROUP)).reshape(-1)

    def encode(self, features: Array) -> Array:
        """Components (frames, 6) of features (frames, channels)."""
        return (features[:, self.columns] - self.mean) @ self.basis

    def decode(self, components: Array) -> Array:
        """The members' feature columns (frames, 6n) from components (frames, 6)."""
        return components @ self.basis.T / (self.basis[:, 0] ** 2).sum() + self.mean

    def to_json(self) -> dict[str, Any]:
        return {
            "joint": self.joint,
            "members": list(self.members),
            "mean": self.mean.tolist(),
            "basis": self.basis.tolist(),
        }

    @staticmethod
    def from_json(fields: Fields, joints: int) -> JointPCA:
        """A fold of joints of a skeleton of so many. Raises FieldError."""
        members = fields.wholes("members", 0, joints - 1, joints)
        if not members or len(set(members)) != len(members):
            raise FieldError("a fold has no members, or one twice")
        size = len(members) * GROUP
        fold = JointPCA(
            fields.whole("joint", 0, joints - 1),
            members,
            fields.array("mean", (size,)),
            fields.array("basis", (size, GROUP)),
        )
        if (fold.basis[:, 0] ** 2).sum() < 1e-12:
            raise FieldError("a fold's components have no length")
        return fold


def find_joint_pcas(motion: Motion, learned: Sequence[int]) -> list[JointPCA]:
    """Fold each bunch of at least FEWEST moving joints that hang close together below one joint.

    Contact joints and joints with moving offsets are never folded; neither is what hangs at the root.
    """
    skeleton = motion.skeleton
    moving = {g for g in learned if g < skeleton.joints}
    fixed = {*skeleton.contacts, *skeleton.translated}
    below = [skeleton.subtree(joint)[1:] for joint in range(skeleton.joints)]
    joint_pcas: list[JointPCA] = []
    for joint in range(1, skeleton.joints):
        members = [j for j in below[joint] if j in moving]
        taken = any(joint == fold.joint or joint in below[fold.joint] for fold in joint_pcas)
        if (
            not taken
            and len(members) >= MIN_MEMBERS
            and not fixed & set(below[joint])
            and _reach(skeleton, joint) < REACH
        ):
            joint_pcas.append(joint_pca_of(motion, joint, members))
    return joint_pcas


def _reach(skeleton: Skeleton, joint: int) -> float:
    """Rest distance from a joint to the farthest joint below it."""
    positions = skeleton.rest_positions()[skeleton.subtree(joint)]
    return float(np.linalg.norm(positions - positions[0], axis=1).max())


def joint_pca_of(motion: Motion, joint: int, members: Sequence[int]) -> JointPCA:
    """The fold of these members, whose components are those of this motion."""
    columns = (np.asarray(members)[:, None] * GROUP + np.arange(GROUP)).reshape(-1)
    values = motion.features[:, columns]
    mean = values.mean(0)
    _, _, rows = np.linalg.svd(values - mean, full_matrices=False)
    basis = np.zeros((len(columns), GROUP))
    found = rows[:GROUP].T
    basis[:, : found.shape[1]] = found * np.sign(found[np.abs(found).argmax(0), np.arange(found.shape[1])])
    return JointPCA(joint, tuple(members), mean, basis / np.sqrt(len(members)))
