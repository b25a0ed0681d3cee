"""Every number of a training run, as data that can be printed, compared and saved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from ..errors import ModelError
from ..files.fields import Fields
from . import recipe_ranges

Levels = tuple[float, ...]


@dataclass(frozen=True)
class Recipe:
    """Numbers of one training; per-level values have one entry for each level (`paper.md`, Table 1)."""

    name: str
    iterations: tuple[int, ...]
    """Joint iterations of each level: critic, generator and reconstruction steps of all its stages."""
    batch: tuple[int, ...]
    adversarial: Levels
    """λ_adv of each level ("stage-based linear annealing")."""
    reconstruction: Levels
    """λ_rec of each level."""
    crop: tuple[int, ...] = (0, 0, 0, 0)
    """Rows that each stage of a level trains on at a time; 0 for the whole clip."""
    stages: tuple[int, ...] = (2, 2, 2, 1)
    first_length: float = 0.2
    growth: float = 4 / 3
    hidden: tuple[int, ...] = (128, 256, 256)
    sampling_noise: Levels = (1.0, 1.0, 1.0, 1.0)
    """What each level's amplitudes σ_i are multiplied with when motions are generated; training uses σ_i itself."""
    calibrate: bool = False
    """Whether a finished model chooses its `sampling_noise` by the roughness that it leads to."""
    kernel: int = 5
    distance: int = 2
    """Edges of the skeleton graph that a convolution sees."""
    gradient_penalty: float = 1.0
    penalty_share: float = 1.0
    """Part of a batch on which the gradient penalty is measured: at least one sample, and one of each half where two
    cores share a stage, since the core without one would wait for the other anyway."""
    contact: float = 5.0
    contact_squared: bool = True
    timed_root: bool = False
    """Whether a coarse level knows that its frames are further apart when it judges foot speed."""
    fold_hands: bool = True
    """Whether bunches of small joints, like fingers, are learned as their principal components."""
    even_joints: float = 0.0
    """How far joints that turn little are raised towards a typical one for the networks: 0 not at all, 1 fully."""
    root_gain: float = 1.0
    """What root channels and moving offsets are multiplied with before the networks see them."""
    critic_steps: int = 5
    reconstruct_every: int = 1
    """Iterations from one reconstruction loss to the next, which weighs that many times as much."""
    joint_steps: bool = False
    """Whether reconstruction shares the generator's optimiser step instead of taking its own."""
    generator_rate: float = 1e-4
    critic_rate: float = 1e-4
    final_rate: float = 1.0
    """Share of both rates that is left at the end of a level, reached along half a cosine."""
    beta1: float = 0.9
    pool: int = 50
    """Past samples kept for the critic; 0 shows it only fresh ones."""
    transfer: int = 2
    """First layers of a generator that start from those of the generator a level below."""
    average: float = 0.0
    """Decay of the exponential moving average of generator weights; 0 keeps the last weights."""
    bank: int = 0
    """Outputs of the frozen levels made in advance; 0 makes fresh ones in every iteration."""

    warm_share: float = 0.4
    """Share of the iterations that a training takes which starts from a model instead of from nothing."""

    @property
    def levels(self) -> int:
        return len(self.stages)

    @property
    def stage_count(self) -> int:
        return sum(self.stages)

    def level_of(self, stage: int) -> int:
        """The level, from 0, that trains `stage`, from 0."""
        for level, count in enumerate(self.stages):
            if stage < count:
                return level
            stage -= count
        raise IndexError("The recipe has fewer stages.")

    def first_stage(self, level: int) -> int:
        return sum(self.stages[:level])

    def rows(self, lengths: Sequence[int], stage: int) -> int:
        """Rows of the samples that a stage is trained on, where the stages have these lengths."""
        return min(self.crop[self.level_of(stage)] or lengths[stage], lengths[stage])

    def scaled(self, factor: float) -> Recipe:
        """The same recipe with `factor` times the iterations, at least one a level."""
        return replace(self, iterations=tuple(max(1, round(count * factor)) for count in self.iterations))

    def warmed(self) -> Recipe:
        """The same recipe for a training that starts from a model."""
        return self.scaled(self.warm_share)

    def lengths(self, frames: int) -> list[int]:
        """Frames of each stage for a clip of `frames`: T/5 first, each next 4/3 longer, the last T."""
        lengths = [max(4, int(frames * self.first_length))]
        while len(lengths) < self.stage_count:
            lengths.append(max(lengths[-1] + 1, int(lengths[-1] * self.growth)))
        return [*(min(length, frames) for length in lengths[:-1]), frames]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_json(data: Any) -> Recipe:
        """Raises ModelError where a number is missing or unknown, FieldError where one is not what it may be."""
        known = {field.name for field in fields(Recipe)}
        if not isinstance(data, dict) or set(data) - known:
            raise ModelError("The model was trained with a recipe that this version of Riff does not know.")
        try:
            given = Fields(data, "recipe")
            values = {name: recipe_ranges.take(name, given) for name in data}
            recipe_ranges.check_together(values)
            return Recipe(**values)
        except TypeError as error:
            raise ModelError("The model's recipe is incomplete.") from error


PAPER = Recipe(
    name="paper",
    iterations=(1875, 1875, 938, 625),
    batch=(16, 16, 16, 16),
    adversarial=(5.0, 5.0, 2.5, 1.0),
    reconstruction=(50.0, 75.0, 100.0, 100.0),
)
"""Table 1, row 9; "iterations" counted as samples (15,000 a stage and level at 105k), divided by the batch."""

GANIMATOR = Recipe(
    name="ganimator",
    iterations=(15000, 15000, 15000, 15000),
    batch=(1, 1, 1, 1),
    adversarial=(1.0, 1.0, 1.0, 1.0),
    reconstruction=(50.0, 50.0, 50.0, 50.0),
    transfer=0,
    contact_squared=False,
    gradient_penalty=2.0,
)
"""The baseline: batch 1, no annealing, no transfer; GANimator's code halves the critic's gap, hence the 2."""

FAST = Recipe(
    name="fast",
    iterations=(2000, 500, 360, 400),
    batch=(2, 3, 3, 2),
    crop=(128, 160, 192, 256),
    adversarial=(4.0, 1.0, 1.0, 1.0),
    reconstruction=(50.0, 50.0, 50.0, 50.0),
    contact=20.0,
    sampling_noise=(1.0, 0.45, 0.45, 0.45),
    calibrate=True,
    even_joints=0.5,
    contact_squared=False,
    timed_root=True,
    root_gain=10.0,
    critic_steps=2,
    penalty_share=0.5,
    reconstruct_every=2,
    joint_steps=True,
    generator_rate=2e-3,
    critic_rate=2e-3,
    final_rate=0.1,
    beta1=0.5,
    pool=0,
    average=0.99,
    bank=48,
)
"""Ours: the same pyramid for a small part of the work; `bench/lab.md` has the measurement behind each number."""

INSTANT = replace(
    FAST,
    name="instant",
    iterations=(0, 0, 0, 0),
    crop=(0, 0, 0, 0),
    sampling_noise=(1.0, 1.0, 1.0, 1.0),
    calibrate=False,
    bank=0,
)
"""Nothing is trained: all stages are matched (`core/matching`), at lengths that are chosen for each clip. It is no
way of training and none of RECIPES."""

RECIPES: dict[str, Recipe] = {recipe.name: recipe for recipe in (FAST, PAPER, GANIMATOR)}


def rows_an_iteration(recipe: Recipe, lengths: list[int], stage: int) -> float:
    """Frames that pass forward once through a stage's networks in one iteration, backward passes counted as two."""
    level = recipe.level_of(stage)
    rows, batch = recipe.rows(lengths, stage), recipe.batch[level]
    critic = 7.0 * batch + 5.0 * max(1, round(recipe.penalty_share * batch))
    return rows * (critic * recipe.critic_steps + 6.0 * batch) + 3.0 * lengths[stage] / recipe.reconstruct_every


def rows_a_training(recipe: Recipe, lengths: list[int]) -> float:
    """The frames of all iterations of a training on a clip whose stages have these lengths."""
    stages = range(recipe.stage_count)
    return sum(recipe.iterations[recipe.level_of(k)] * rows_an_iteration(recipe, lengths, k) for k in stages)
