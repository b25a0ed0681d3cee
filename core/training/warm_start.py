"""Warm start: training begins from the weights of a model of the same skeleton.

Each stage's generator and critic start from those of the same stage of the model. Groups, gains and principal
components of channels are the model's too, since its weights have meaning only with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelError
from ..files.fields import MAX_MAGNITUDE, FieldError, Fields
from ..model.channels import Channels
from ..model.hand_pca import joint_pca_of
from ..model.model import Model
from ..model.recipe import Recipe, take_fields
from ..motion.motion import Motion, learned_groups
from ..motion.skeleton import Skeleton

SHAPE_FIELDS = ("stages", "hidden", "kernel", "distance")
"""Numbers of a recipe on which the sizes of the networks depend."""


@dataclass(frozen=True, eq=False)
class WarmStart:
    """Groups, folds (joint and members of each) and gains of a model, and its weights by their names in the model.

    `shape` holds the numbers of its recipe that the new recipe must share.
    """

    groups: tuple[int, ...]
    joint_pcas: tuple[tuple[int, tuple[int, ...]], ...]
    gains: tuple[float, ...]
    height_gain: float
    shape: dict[str, Any]
    weights: dict[str, NDArray[Any]]

    def channels(self, source: Motion) -> Channels:
        """The model's channels for another clip; the components of folded hands are the new clip's own.

        Raises ModelError where the clip moves what the model has not learned.
        """
        skeleton = source.skeleton
        known = {*self.groups, *(member for _, members in self.joint_pcas for member in members)}
        unknown = [group for group in learned_groups(source) if group not in known]
        if unknown:
            name = skeleton.group_names()[unknown[0]]
            raise ModelError(f"The model to start from has not learned to move “{name}”, which moves in this clip.")
        joint_pcas = tuple(joint_pca_of(source, joint, members) for joint, members in self.joint_pcas)
        return Channels(skeleton, self.groups, joint_pcas, source.features.mean(0), self.gains, self.height_gain)

    def has_stage(self, stage: int) -> bool:
        """Return whether the model has weights of a stage, which another may have matched."""
        return f"stage{stage}.layer0.weight" in self.weights

    def to_json(self) -> dict[str, Any]:
        """All but the weights."""
        joint_pcas = [{"joint": joint, "members": list(members)} for joint, members in self.joint_pcas]
        gains = {"gains": list(self.gains), "height_gain": self.height_gain}
        return {"groups": list(self.groups), "folds": joint_pcas, **gains, "shape": self.shape}

    @staticmethod
    def from_json(fields: Fields, weights: dict[str, NDArray[Any]], skeleton: Skeleton) -> WarmStart:
        """Read the warm start that a checkpoint of a clip of this skeleton keeps. Raises FieldError."""
        joints = skeleton.joints
        joint_pcas = tuple(
            (fold.whole("joint", 0, joints - 1), fold.wholes("members", 0, joints - 1, joints))
            for fold in fields.parts("folds", joints)
        )
        most = skeleton.groups + len(joint_pcas)
        groups, gains = fields.wholes("groups", 0, most - 1, most), fields.numbers("gains", 1e-6, MAX_MAGNITUDE, most)
        if not groups or len(groups) != len(gains) or not all(members for _, members in joint_pcas):
            raise FieldError("what the training started from does not fit its skeleton")
        shape = fields.part("shape")
        kept: dict[str, Any] = take_fields(shape, SHAPE_FIELDS)
        return WarmStart(
            groups, joint_pcas, gains, fields.number("height_gain", 1e-6, MAX_MAGNITUDE), _shape(kept), weights
        )


def warm_start_from(model: Model, skeleton: Skeleton, recipe: Recipe) -> WarmStart:
    """Take the weights and channels of a model for a training of `recipe` on a clip of `skeleton`.

    Stages that the model matches have no weights. Raises ModelError where the model is of another skeleton, has no
    weights at all, or its networks are of other sizes.
    """
    if not model.skeleton.same_structure(skeleton):
        raise ModelError(f"Training cannot start from “{model.name}”: {_difference(model.skeleton, skeleton)}.")
    if not model.trained_stages:
        raise ModelError(f"Training cannot start from “{model.name}”: it is matched and has no networks; train anew.")
    shape = _shape(model.recipe.to_json())
    if shape != _shape(recipe.to_json()):
        raise ModelError(f"Training cannot start from “{model.name}”: its networks are not of the recipe's size.")
    channels = model.channels
    joint_pcas = tuple((fold.joint, fold.members) for fold in channels.joint_pcas)
    weights: dict[str, NDArray[Any]] = {**model.weights, **model.critics}
    return WarmStart(channels.groups, joint_pcas, channels.gains, channels.height_gain, shape, weights)


def _difference(known: Skeleton, new: Skeleton) -> str:
    """Half a sentence on how two skeletons differ."""
    odd = [name for name in new.names if name not in known.names]
    missing = [name for name in known.names if name not in new.names]
    if odd or missing:
        return f"it does not know “{odd[0]}”" if odd else f"this skeleton has no “{missing[0]}”"
    if known.parents != new.parents:
        return "its joints hang together in another way"
    return (
        "its contacts are others"
        if _names(known, known.contacts) != _names(new, new.contacts)
        else ("its moving offsets are others")
    )


def _names(skeleton: Skeleton, joints: Sequence[int]) -> list[str]:
    return [skeleton.names[joint] for joint in joints]


def _shape(recipe: dict[str, Any]) -> dict[str, Any]:
    """The numbers named in SHAPE_FIELDS, sequences as lists so that JSON gives back the same."""
    return {key: np.asarray(recipe[key]).tolist() for key in SHAPE_FIELDS}
