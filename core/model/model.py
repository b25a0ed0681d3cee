"""Trained model as data."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..motion.motion import Motion
from ..motion.skeleton import Skeleton
from .channels import Channels
from .learned_clips import LearnedClip
from .matched import Matched
from .recipe import Recipe


@dataclass(eq=False)
class Model:
    """Pyramid of one clip: trained stages, and matched stages above them.

    `weights` holds, for trained stage i and layer j, `stage{i}.layer{j}.weight` (P, outside, inside, kernel) for the P
    pairs of neighbouring groups and `.bias`; `code` is the reconstruction noise z*_1 (1, C, T_1), scaled
    by σ_1; `channels` maps features to network rows; `source` is the clip at 30 fps, `source_fps` its original rate.
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
    """Figures of a few variations, measured at the end of training; empty if not measured."""
    rig: str = ""
    """Name of the armature whose action was learned."""
    critics: dict[str, NDArray[np.float16]] = field(default_factory=dict)
    """Critics `stage{i}.critic{j}.weight` and `.bias`, for a warm start from this model only; may be empty."""
    matched: Matched | None = None
    """Settings of the stages without weights, which are matched; None where all are trained."""
    sampling_noise: tuple[float, ...] = ()
    """Factor of σ_i in generation for each level, chosen by calibration; empty for 1. Training uses σ_i itself."""
    fraction: float = 1.0
    """Share of the training that is done; below 1 for the model so far of one that runs."""
    clips: tuple[LearnedClip, ...] = ()
    """Clips that were learned together; empty for a single one."""

    def __post_init__(self) -> None:
        self.sampling_noise = self.sampling_noise or (1.0,) * self.recipe.levels

    @property
    def skeleton(self) -> Skeleton:
        return self.source.skeleton

    @property
    def trained_stages(self) -> int:
        """Stages from the first on that have weights; those above are matched."""
        return self.recipe.stage_count if self.matched is None else self.matched.first

    @property
    def trained_levels(self) -> int:
        """Levels from the first on whose stages all have weights."""
        return self.recipe.whole_levels(self.trained_stages)

    @property
    def lengths(self) -> list[int]:
        """Frames of each stage for the source clip."""
        return self.recipe.lengths(self.source.frames)

    @property
    def clip_rows(self) -> int:
        """Rows of the learned clip; of a cycle that was repeated to learn it, as many cycles as last a second."""
        source = self.source
        if not source.repeats:
            return source.frames
        return round(math.ceil(1.0 / source.cycle_seconds) * source.cycle_seconds * source.fps) + 1

    def info(self) -> dict[str, Any]:
        """Return the summary shown in lists of models; all values fit JSON."""
        skeleton = self.skeleton
        return {
            "name": self.name,
            "recipe": self.recipe.name,
            "joints": skeleton.joints,
            "contacts": [skeleton.names[j] for j in skeleton.contacts],
            "frames": self.source.frames,
            "duration": self.source.duration,
            "cycle": self.source.cycle_seconds if self.source.repeats else 0.0,
            "source_fps": self.source_fps,
            "seed": self.seed,
            "training_seconds": self.seconds,
            "device": self.device,
            "iterations": list(self.recipe.iterations),
            "levels": [self.trained_levels, self.recipe.levels],
            "fraction": self.fraction,
            "quality": self.quality,
            "rig": self.rig,
            "clips": [clip.name for clip in self.clips],
        }
