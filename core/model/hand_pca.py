"""PCA of a bunch of small joints, such as the fingers of a hand, which the networks see as one group.

Fingers move little and together: six principal components of their rotations lose a thousandth of the variance, and a
character of 65 bones costs no more to learn than one of 27.
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

MIN_BUNCH_JOINTS = 5
"""Smallest number of joints that are replaced by components."""

MAX_BUNCH_REACH = 0.15 * BODY
"""Largest rest distance in core units from the joint to the tips of its bunch: a hand, not a leg."""


@dataclass(frozen=True, eq=False)
class JointPCA:
    """Principal components of the rotations of `members`, joints below `joint`: (features - mean) @ basis.

    `mean` is (6n,), `basis` (6n, 6). The columns of `basis` are orthogonal and of one length, chosen so that a
    component has the size of one joint's channels.
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
        """Return components (frames, 6) of features (frames, channels)."""
        return (features[:, self.columns] - self.mean) @ self.basis

    def decode(self, components: Array) -> Array:
        """Return the members' feature columns (frames, 6n) from components (frames, 6)."""
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
        """Parse a joint PCA of a skeleton with this number of joints. Raises FieldError."""
        members = fields.wholes("members", 0, joints - 1, joints)
        if not members or len(set(members)) != len(members):
            raise FieldError("a fold has no members, or one twice")
        size = len(members) * GROUP
        pca = JointPCA(
            fields.whole("joint", 0, joints - 1),
            members,
            fields.array("mean", (size,)),
            fields.array("basis", (size, GROUP)),
        )
        if (pca.basis[:, 0] ** 2).sum() < 1e-12:
            raise FieldError("a fold's components have no length")
        return pca


def find_joint_pcas(motion: Motion, learned: Sequence[int]) -> list[JointPCA]:
    """Fit a PCA to each bunch of at least MIN_BUNCH_JOINTS moving joints within MAX_BUNCH_REACH below one joint.

    Bunches with contact joints or moving offsets, and the joints below the root joint, are left as they are.
    """
    skeleton = motion.skeleton
    moving = {g for g in learned if g < skeleton.joints}
    fixed = {*skeleton.contacts, *skeleton.translated}
    below = [skeleton.subtree(joint)[1:] for joint in range(skeleton.joints)]
    joint_pcas: list[JointPCA] = []
    for joint in range(1, skeleton.joints):
        members = [j for j in below[joint] if j in moving]
        taken = any(joint == pca.joint or joint in below[pca.joint] for pca in joint_pcas)
        if (
            not taken
            and len(members) >= MIN_BUNCH_JOINTS
            and not fixed & set(below[joint])
            and _reach(skeleton, joint) < MAX_BUNCH_REACH
        ):
            joint_pcas.append(joint_pca_of(motion, joint, members))
    return joint_pcas


def _reach(skeleton: Skeleton, joint: int) -> float:
    """Return the rest distance from a joint to the farthest joint below it."""
    positions = skeleton.rest_positions()[skeleton.subtree(joint)]
    return float(np.linalg.norm(positions - positions[0], axis=1).max())


def joint_pca_of(motion: Motion, joint: int, members: Sequence[int]) -> JointPCA:
    """Fit a PCA to the rotations of these members in a motion."""
    columns = (np.asarray(members)[:, None] * GROUP + np.arange(GROUP)).reshape(-1)
    values = motion.features[:, columns]
    mean = values.mean(0)
    _, _, rows = np.linalg.svd(values - mean, full_matrices=False)
    basis = np.zeros((len(columns), GROUP))
    components = rows[:GROUP].T
    largest = components[np.abs(components).argmax(0), np.arange(components.shape[1])]
    basis[:, : components.shape[1]] = components * np.sign(largest)
    return JointPCA(joint, tuple(members), mean, basis / np.sqrt(len(members)))
