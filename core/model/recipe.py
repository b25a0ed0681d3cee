"""Recipes: all hyperparameters of a training run, as data that can be printed, compared and saved."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from ..errors import ModelError
from ..files.fields import FieldError, Fields
from ..files.ranges import ranged

Levels = tuple[float, ...]
"""One number for each level."""

MAX_FIRST_SHARE = 0.85
"""Share of a clip's rows that the first stage has at most when a recipe is fitted to the clip."""

MIN_GROWTH = 1.1
"""Least ratio of the lengths of successive stages when a recipe is fitted to a clip, unless a level has one stage."""

MAX_LEVELS, MAX_STAGES = 16, 32
"""Largest number of levels, and of stages of all levels."""

MAX_ITERATIONS = 1e9
"""Largest number of iterations of a level."""

OLD_NAMES = {"sampling_noise"}
"""Numbers that recipes of earlier versions had and that are the model's now."""


@dataclass(frozen=True)
class Recipe:
    """Hyperparameters of one training; tuples have one entry for each level (Roditakis et al. 2024, Table 1)."""

    name: str
    iterations: tuple[int, ...] = field(metadata=ranged(0, MAX_ITERATIONS, whole=True, max_count=MAX_LEVELS))
    """Joint iterations of each level: critic, generator and reconstruction steps of all its stages."""
    batch: tuple[int, ...] = field(metadata=ranged(1, 4096, whole=True, max_count=MAX_LEVELS))
    """Samples of a batch at each level."""
    adversarial: Levels = field(metadata=ranged(0, 1e6, max_count=MAX_LEVELS))
    """λ_adv of each level ("stage-based linear annealing")."""
    reconstruction: Levels = field(metadata=ranged(0, 1e6, max_count=MAX_LEVELS))
    """λ_rec of each level."""
    crop: tuple[int, ...] = field(default=(0, 0, 0, 0), metadata=ranged(0, 1e6, whole=True, max_count=MAX_LEVELS))
    """Rows that each stage of a level trains on at a time; 0 for the whole clip."""
    stages: tuple[int, ...] = field(
        default=(2, 2, 2, 1), metadata=ranged(1, MAX_STAGES, whole=True, max_count=MAX_LEVELS)
    )
    """Stages of each level."""
    first_length: float = field(default=0.2, metadata=ranged(1e-3, 1))
    """Length of the first stage as a share of the clip's."""
    growth: float = field(default=4 / 3, metadata=ranged(0, 100))
    """Ratio of the lengths of successive stages."""
    first_rows: int = field(default=0, metadata=ranged(0, 1e6, whole=True))
    """Least rows of the first stage, see `fitted`; 0 for any."""
    hidden: tuple[int, ...] = field(default=(128, 256, 256), metadata=ranged(1, 8192, whole=True, max_count=16))
    """Channels of each hidden layer, before rounding up to whole groups."""
    calibrate: bool = False
    """Choose the sampling noise of the model after training by the roughness of samples."""
    kernel: int = field(default=5, metadata=ranged(1, 99, whole=True))
    """Taps of a convolution over time; odd."""
    distance: int = field(default=2, metadata=ranged(0, 4096, whole=True))
    """Largest distance, in edges of the skeleton graph, between groups that a convolution connects."""
    gradient_penalty: float = field(default=1.0, metadata=ranged(0, 1e6))
    """λ_gp."""
    penalty_share: float = field(default=1.0, metadata=ranged(0, 1))
    """Share of a batch on which the gradient penalty is computed, at least one sample. Where two cores share a stage,
    at least one of each half, since the core without one would only wait for the other."""
    contact: float = field(default=5.0, metadata=ranged(0, 1e6))
    """λ_con."""
    contact_squared: bool = True
    """Penalise the squared foot speed (Roditakis et al. 2024, eq. 4), else the speed."""
    timed_root: bool = False
    """Account for the longer time between the rows of coarse stages in foot speed."""
    fold_hands: bool = True
    """Learn bunches of small joints, such as fingers, as their principal components."""
    even_joints: float = field(default=0.0, metadata=ranged(0, 10))
    """Exponent of the gain that scales joints that turn little towards a typical joint: 0 none, 1 full."""
    root_gain: float = field(default=1.0, metadata=ranged(0, 1e6))
    """Gain of the root channels and moving offsets."""
    critic_steps: int = field(default=5, metadata=ranged(1, 1000, whole=True))
    """Critic steps of an iteration."""
    reconstruct_every: int = field(default=1, metadata=ranged(1, 1e6, whole=True))
    """Iterations between two reconstruction losses; each is weighted by this number."""
    joint_steps: bool = False
    """Add the reconstruction loss to the generator's optimiser step instead of taking a separate step."""
    generator_rate: float = field(default=1e-4, metadata=ranged(0, 10))
    """Learning rate of the generators."""
    critic_rate: float = field(default=1e-4, metadata=ranged(0, 10))
    """Learning rate of the critics."""
    final_rate: float = field(default=1.0, metadata=ranged(0, 10))
    """Share of both learning rates at the end of a level, reached along half a cosine."""
    beta1: float = field(default=0.9, metadata=ranged(0, 1))
    """Adam's β1."""
    pool: int = field(default=50, metadata=ranged(0, 1e5, whole=True))
    """Past samples in the critic's replay buffer; 0 for none."""
    transfer: int = field(default=2, metadata=ranged(0, 17, whole=True))
    """Number of first layers of a generator that are initialised from the generator a level below."""
    average: float = field(default=0.0, metadata=ranged(0, 1))
    """Decay of the exponential moving average of generator weights; 0 keeps the last weights."""
    bank: int = field(default=0, metadata=ranged(0, 1e5, whole=True))
    """Outputs of the frozen levels computed in advance; 0 computes new ones in every iteration."""
    warm_share: float = field(default=0.4, metadata=ranged(0, 1))
    """Share of the iterations that a warm start takes."""

    @property
    def levels(self) -> int:
        return len(self.stages)

    @property
    def stage_count(self) -> int:
        return sum(self.stages)

    def level_of(self, stage: int) -> int:
        """Return the level of a stage, both counted from 0."""
        for level, count in enumerate(self.stages):
            if stage < count:
                return level
            stage -= count
        raise IndexError("The recipe has fewer stages.")

    def first_stage(self, level: int) -> int:
        """Return the first stage of a level, both counted from 0."""
        return sum(self.stages[:level])

    def whole_levels(self, stages: int) -> int:
        """Return the number of levels, from the first on, that the first `stages` stages make up."""
        return sum(self.first_stage(level + 1) <= stages for level in range(self.levels))

    def rows(self, lengths: Sequence[int], stage: int) -> int:
        """Return the rows of a stage's training samples, for stages of these lengths."""
        return min(self.crop[self.level_of(stage)] or lengths[stage], lengths[stage])

    def scaled(self, factor: float) -> Recipe:
        """Return the recipe with `factor` times the iterations, at least one per level that has any.

        Raises ModelError for more than MAX_ITERATIONS in a level.
        """
        counts = [count and max(1.0, count * factor) for count in self.iterations]
        if not max(counts) <= MAX_ITERATIONS:
            raise ModelError(
                f"{max(counts):.3g} iterations in a level are more than a training can have; choose a smaller scale."
            )
        return replace(self, iterations=tuple(map(round, counts)))

    def fitted(self, frames: int) -> Recipe:
        """Return the recipe for a clip of T frames: its first stage has `first_rows` at least.

        Where that is more than the share `first_length`, the stages between it and the whole clip lie closer together,
        and there are fewer of them.
        """
        share = min(self.first_rows / frames, MAX_FIRST_SHARE)
        if share <= self.first_length:
            return self
        count = max(self.levels, min(self.stage_count, 1 + int(math.log(1.0 / share) / math.log(MIN_GROWTH))))
        stages = list(self.stages)
        while sum(stages) > count:
            stages[max(range(self.levels), key=lambda level: (stages[level], level))] -= 1
        return replace(self, first_length=share).with_stages(tuple(stages))

    def with_stages(self, stages: tuple[int, ...]) -> Recipe:
        """Return the recipe with other numbers of stages, which lie evenly between the first and the whole clip."""
        growth = (1.0 / self.first_length) ** (1.0 / max(sum(stages) - 1, 1))
        return replace(self, stages=stages, growth=growth)

    def until(self, level: int) -> Recipe:
        """Return the recipe with no iterations above a level, counted from 1; the levels above are matched.

        Raises ModelError for a level that there is not.
        """
        if not 1 <= level <= self.levels:
            raise ModelError(f"The recipe {self.name} has levels 1 to {self.levels}.")
        return replace(self, iterations=(*self.iterations[:level], *(0 for _ in self.iterations[level:])))

    def warmed(self) -> Recipe:
        """Return the recipe for a warm start."""
        return self.scaled(self.warm_share)

    def lengths(self, frames: int) -> list[int]:
        """Return the length of each stage for a clip of T frames; by default T/5, each next 4/3 longer, last T."""
        lengths = [max(4, int(frames * self.first_length))]
        while len(lengths) < self.stage_count:
            lengths.append(max(lengths[-1] + 1, int(lengths[-1] * self.growth)))
        return [*(min(length, frames) for length in lengths[:-1]), frames]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_json(data: Any) -> Recipe:
        """Parse a recipe. Raises ModelError for missing or unknown names, FieldError for a value out of its range."""
        known = {each.name for each in fields(Recipe)}
        if not isinstance(data, dict) or set(data) - known - OLD_NAMES:
            raise ModelError("The model was trained with a recipe that this version of Riff does not know.")
        try:
            recipe = Recipe(**take_fields(Fields(data, "recipe"), known & set(data)))
        except TypeError as error:
            raise ModelError("The model's recipe is incomplete.") from error
        recipe.check()
        return recipe

    def check(self) -> None:
        """Raise FieldError where the numbers contradict each other."""
        if not self.stages or self.stage_count > MAX_STAGES:
            raise FieldError(f"“recipe.stages” are not 1 to {MAX_STAGES}")
        for name in PER_LEVEL:
            if len(getattr(self, name)) < self.levels:
                raise FieldError(f"“recipe.{name}” has no number for each level")
        if not self.hidden or self.kernel % 2 == 0:
            raise FieldError("“recipe.hidden” is empty or “recipe.kernel” is even")


PER_LEVEL = ("iterations", "batch", "adversarial", "reconstruction", "crop")
"""Numbers of which there is one for each level."""


def take_fields(values: Fields, names: Iterable[str]) -> dict[str, Any]:
    """Read numbers, flags and the name of a recipe, each within its range. Raises FieldError."""
    taken: dict[str, Any] = {}
    for each in fields(Recipe):
        if each.name not in names:
            continue
        if "range" in each.metadata:
            taken[each.name] = each.metadata["range"].take(each.name, values)
        elif each.name == "name":
            taken[each.name] = values.text("name", longest=200)
        else:
            taken[each.name] = values.flag(each.name, False)
    return taken


PAPER = Recipe(
    name="paper",
    iterations=(1875, 1875, 938, 625),
    batch=(16, 16, 16, 16),
    adversarial=(5.0, 5.0, 2.5, 1.0),
    reconstruction=(50.0, 75.0, 100.0, 100.0),
)
"""Roditakis et al. 2024, Table 1, row 9. Its "iterations" count samples (105k is 15,000
per stage); here they are divided by the batch."""

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
"""Li et al. 2022 (GANimator): batch 1, no annealing, no transfer. Their code halves the critic's gap, hence λ_gp 2."""

FAST = Recipe(
    name="fast",
    iterations=(1000, 300, 240, 300),
    batch=(2, 3, 3, 2),
    crop=(128, 160, 192, 256),
    adversarial=(4.0, 1.0, 1.0, 1.0),
    reconstruction=(50.0, 50.0, 50.0, 50.0),
    contact=20.0,
    calibrate=True,
    first_rows=76,
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
"""Riff's default: the same pyramid at a fraction of the cost; `bench/lab.md` has the measurements for each number."""

INSTANT = replace(
    FAST, name="instant", iterations=(0, 0, 0, 0), crop=(0, 0, 0, 0), calibrate=False, bank=0, first_rows=0
)
"""Recipe of models without training: all stages are matched, see `core/matching`, at lengths chosen for each clip. Not
one of RECIPES, which are trained.
"""

RECIPES: dict[str, Recipe] = {recipe.name: recipe for recipe in (FAST, PAPER, GANIMATOR)}
"""All recipes by name."""


def rows_per_iteration(recipe: Recipe, lengths: list[int], stage: int) -> float:
    """Return the rows that pass through a stage's networks in one iteration; a backward pass counts as two."""
    level = recipe.level_of(stage)
    rows, batch = recipe.rows(lengths, stage), recipe.batch[level]
    critic = 7.0 * batch + 5.0 * max(1, round(recipe.penalty_share * batch))
    return rows * (critic * recipe.critic_steps + 6.0 * batch) + 3.0 * lengths[stage] / recipe.reconstruct_every


def rows_per_training(recipe: Recipe, lengths: list[int]) -> float:
    """Return the rows of all iterations of a training, for stages of these lengths; see `rows_per_iteration`."""
    stages = range(recipe.stage_count)
    return sum(recipe.iterations[recipe.level_of(k)] * rows_per_iteration(recipe, lengths, k) for k in stages)
