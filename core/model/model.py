"""A trained model as data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..motion.motion import Motion
from ..motion.skeleton import Skeleton
from .channels import Channels
from .matched import Matched
from .recipe import Recipe


@dataclass(eq=False)
class Model:
    """The pyramid of one clip, trained as far as it is and matched above.

    `weights` holds, for trained stage i and layer j, `stage{i}.layer{j}.weight` (P, outside, inside, kernel) for the P
    pairs of neighbouring groups and `.bias`; `code` is z*_1 scaled (1, C, T_1); `channels` what the networks see;
    `source` the clip at 30 frames/s, `source_fps` the rate it came with.
    """

    name: str
    channels: Channels
    recipe: Recipe
    source: Motion
    source_fps: float
    amplitudes: tuple[float, ...]
    code: NDArray[np.float32]
    weights: dict[str, NDArray[np.float32]]
    seed: int = 0
    seconds: float = 0.0
    device: str = "cpu"
    history: list[dict[str, float]] = field(default_factory=list)
    quality: dict[str, float] = field(default_factory=dict)
    """Figures of a few variations, measured when the training ended; empty where nobody measured."""
    rig: str = ""
    """What the armature was called whose action was learned."""
    critics: dict[str, NDArray[np.float16]] = field(default_factory=dict)
    """What only a training that starts from this model needs, `stage{i}.critic{j}.weight` and `.bias`; may be empty."""
    matched: Matched | None = None
    """How stages that have no weights are matched; None where all are trained."""

    @property
    def skeleton(self) -> Skeleton:
        return self.source.skeleton

    @property
    def trained_stages(self) -> int:
        """Stages from the first on that have weights; those above are matched."""
        return self.recipe.stage_count if self.matched is None else self.matched.first

    @property
    def lengths(self) -> list[int]:
        """Frames of each stage for the source clip."""
        return self.recipe.lengths(self.source.frames)

    def info(self) -> dict[str, Any]:
        """What a list of models shows; every value fits JSON."""
        skeleton = self.skeleton
        return {
            "name": self.name,
            "recipe": self.recipe.name,
            "joints": skeleton.joints,
            "contacts": [skeleton.names[j] for j in skeleton.contacts],
            "frames": self.source.frames,
            "duration": self.source.duration,
            "source_fps": self.source_fps,
            "seed": self.seed,
            "training_seconds": self.seconds,
            "device": self.device,
            "iterations": list(self.recipe.iterations),
            "quality": self.quality,
            "rig": self.rig,
        }
