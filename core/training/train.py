"""Training of the pyramid (Roditakis et al. 2024, eqs. 1 to 4, Table 1; Li et al. 2022).

From top to bottom: `train` and `resume` go through the levels from coarse to fine; `_train_level` repeats one iteration
of all stages of a level; `iterate_stage` is one iteration of a stage: critic steps, one generator step, the
reconstruction. The computation of each step is in `stage.py`.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

from torch import Tensor

from ..errors import ModelError
from ..model.model import Model
from ..model.recipe import Recipe
from ..motion.motion import Motion
from ..system.devices import pick_device
from ..system.memory import trim_malloc
from .calibration import calibrated
from .checkpoint import Checkpoint, begin
from .divergence import Diverged, check_losses, check_weights, roll_back
from .interim import Interim
from .level import FrozenLevels, LevelRun, first_inputs
from .progress import Progress
from .progress_reporter import ProgressReporter
from .session import Session, open_session
from .snapshot import Snapshots, restore
from .stage import Stage, transfer, warm_start_networks
from .stage_io import Runner, StageInputs, StageOutputs, StepNoise, Task, from_tensors, to_tensors
from .time_estimate import measured_costs


def train(
    motion: Motion,
    recipe: Recipe,
    on_progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    *,
    seed: int = 0,
    device: str = "auto",
    threads: int | None = None,
    on_snapshot: Callable[[Checkpoint], None] | None = None,
    start_from: Model | None = None,
    snapshot_seconds: float | None = None,
    report_seconds: float | None = None,
    on_model: Callable[[Model], None] | None = None,
    on_level: Callable[[Model], None] | None = None,
    is_enough: Callable[[], bool] | None = None,
) -> Model:
    """Train a model on one motion of any rate.

    `on_progress` is called a few times a second. `should_stop` is asked often, from several threads; where it says so,
    Cancelled is raised within the time of one optimiser step. The same seed gives the same model on the same machine.
    `on_snapshot` gets the state every few seconds, from which `resume` goes on. A training that starts from a model of
    the same skeleton does `recipe.warmed()`. Raises ClipError for a clip that is too short or still, ModelError for a
    model that cannot be started from.
    """
    begun = begin(motion, recipe, seed, start_from)
    return resume(
        begun,
        on_progress,
        should_stop,
        device=device,
        threads=threads,
        on_snapshot=on_snapshot,
        snapshot_seconds=snapshot_seconds,
        report_seconds=report_seconds,
        on_model=on_model,
        on_level=on_level,
        is_enough=is_enough,
    )


def resume(
    checkpoint: Checkpoint,
    on_progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    *,
    device: str = "auto",
    threads: int | None = None,
    on_snapshot: Callable[[Checkpoint], None] | None = None,
    snapshot_seconds: float | None = None,
    report_seconds: float | None = None,
    on_model: Callable[[Model], None] | None = None,
    on_level: Callable[[Model], None] | None = None,
    is_enough: Callable[[], bool] | None = None,
) -> Model:
    """Go on with a training where its checkpoint left it, or begin one that has no state yet; otherwise like `train`.

    On the same machine the model equals, to the bit, that of a training which was never stopped. A training that
    diverges continues from a state of some seconds earlier with lower learning rates. `on_model` gets complete models
    on the way, `on_level` those of them, before it, that end with a finished level; where `is_enough` says so, the
    training ends with one. Levels without iterations are matched. Raises ModelError for a checkpoint that does not fit
    its recipe or clip, RiffError where lower rates did not help. Seconds between two snapshots and two reports are
    usually SNAPSHOT_SECONDS and REPORT_SECONDS.
    """
    while True:
        # The latest state may be on its way to infinity already: the one before it is gone back to.
        good = deque([checkpoint], maxlen=2)
        try:
            with open_session(checkpoint, pick_device(device), threads, should_stop or (lambda: False)) as session:
                costs = partial(measured_costs, session, iterate_stages)
                started = time.perf_counter() - checkpoint.seconds
                report = on_progress or (lambda _: None)
                reporter = ProgressReporter(session, costs, report, started, checkpoint.rate_cuts, report_seconds)
                snapshots = Snapshots(checkpoint, reporter, on_snapshot, good, snapshot_seconds)
                interim = Interim(checkpoint, reporter, on_model, on_level, is_enough)
                return _train_levels(session, checkpoint, reporter, snapshots, interim)
        except Diverged:
            checkpoint = roll_back(good[0])


def _train_levels(
    session: Session, checkpoint: Checkpoint, reporter: ProgressReporter, snapshots: Snapshots, interim: Interim
) -> Model:
    """Train level after level, each on samples of the finished ones below it; match those that are not to be trained.

    Raises Diverged, Cancelled.
    """
    finished: list[Stage] = []
    run = None
    first = 0
    if checkpoint.state:
        first = reporter.continue_from(checkpoint)
        finished, run = restore(session, checkpoint.state, checkpoint.arrays)
    for level in range(first, session.recipe.levels):
        if not session.recipe.iterations[level] or (finished and interim.is_enough()):
            break
        stages = _train_level(
            session, finished, run or start_level(session, finished, level), reporter, snapshots, interim
        )
        run = None
        if not interim.is_enough() or interim.keeps(level):
            finished += stages
        if level + 1 < session.recipe.levels and not interim.is_enough():
            interim.end_level(session, finished)
    model = interim.completed(session, interim.model_of(session, finished))
    if model.matched is not None:
        return model
    try:
        return calibrated(model, session.check_cancelled) if session.recipe.calibrate else model
    except ModelError as error:  # its weights are finite, and so large that what they make is not
        raise Diverged from error


def start_level(session: Session, finished: Sequence[Stage], level: int) -> LevelRun:
    """Fresh stages for a level, with their first layers from the level below (Roditakis et al. 2024)."""
    recipe = session.recipe
    stages = session.new_stages(session.stages_of_level(level))
    start = session.warm_start
    if start and all(start.has_stage(stage.index) for stage in stages):
        for stage in stages:
            warm_start_networks(stage, start)
    elif level and recipe.transfer:
        for below, stage in zip(finished[-recipe.stages[level - 1] :], stages, strict=False):
            transfer(below.averaged, stage.generator, recipe.transfer)
            transfer(below.averaged, stage.averaged, recipe.transfer)
    frozen = FrozenLevels(session, finished, level)
    return LevelRun(stages, frozen, first_inputs(session, stages, frozen))


def _train_level(
    session: Session,
    finished: Sequence[Stage],
    run: LevelRun,
    reporter: ProgressReporter,
    snapshots: Snapshots,
    interim: Interim,
) -> list[Stage]:
    """Train the stages of a level together until the end, or until it is enough; lower levels are frozen.

    Returns the stages, finished.
    """
    session.workers.forget()
    for _ in range(reporter.iterations_left(run.level)):
        iterate_level(session, run)
        if session.device.type == "cpu":  # a GPU would be waited for: its losses are looked at when they are reported
            check_losses(run.stages)
        reporter.tick(run.level, run.stages)
        snapshots.offer(session, finished, run)
        if interim.is_enough():
            break
        if run.level == 0:
            interim.offer(session, run.stages)
    check_weights(run.stages)
    for stage in run.stages:
        stage.finish()
    trim_malloc()
    return run.stages


def iterate_level(session: Session, run: LevelRun) -> None:
    """One iteration of every stage of a level; a stage is fed with what the one below made an iteration earlier."""
    with session.workers.lap():
        run.inputs[0] = run.frozen.draw(session.recipe.critic_steps + 1)
        results = iterate_stages(session, run.stages, run.inputs)
        for number, (samples, rebuilt) in enumerate(results[:-1], start=1):
            run.next_inputs(number, samples, rebuilt)


def iterate_stages(
    session: Session, stages: Sequence[Stage], inputs: Sequence[StageInputs]
) -> list[tuple[list[Tensor], Tensor]]:
    """One iteration of each stage: two stages side by side, or the parts of a single one. Raises Cancelled."""

    def run_task(task: Task) -> tuple[list[Tensor], Tensor]:
        session.check_cancelled()
        return task()

    if len(stages) == 1:
        return [iterate_stage(stages[0], inputs[0], lambda tasks: session.workers.map(run_task, tasks))]
    pairs = list(zip(stages, inputs, strict=True))
    in_turn: Runner = lambda tasks: [run_task(task) for task in tasks]  # noqa: E731
    return session.workers.map(lambda pair: iterate_stage(*pair, in_turn), pairs)


def iterate_stage(stage: Stage, inputs: StageInputs, run: Runner) -> tuple[list[Tensor], Tensor]:
    """One iteration: random numbers are drawn, networks take their steps, the averaged generator follows.

    Returns the samples (B, C, T) that the generator made on the way and the latest reconstruction (1, C, T), detached,
    to feed the stage above; without one in the same level there are no samples.
    """
    stage.follow_schedule()
    noises = stage.draw_noises(inputs)
    due = stage.steps % stage.recipe.reconstruct_every == 0
    recorded = stage.recorded_step(due, partial(_recordable_steps, stage, due))
    if recorded is None:
        outputs = take_steps(stage, inputs, noises, due, run)
    else:  # a CUDA device plays the same steps back from a recording
        tensors = recorded(to_tensors(inputs, noises))
        outputs = StageOutputs.of(tensors, len(inputs.random) * stage.feeds_above, due)
    stage.keep(outputs)
    stage.follow_average()
    return outputs.samples, stage.rebuilt


def take_steps(stage: Stage, inputs: StageInputs, noises: Sequence[StepNoise], due: bool, run: Runner) -> StageOutputs:
    """Critic steps, then one generator step, with the reconstruction where it is `due`; networks change in place."""
    samples: list[Tensor] = []
    gaps: list[Tensor] = []
    for base, noise in zip(inputs.random[:-1], noises[:-1], strict=True):
        fake = stage.generate(base, noise.noise, run)
        gaps.append(stage.critic_step(fake, noise, run))
        if stage.feeds_above:
            samples.append(fake)
    outputs = stage.generator_step(inputs, noises[-1].noise, due, run)
    if stage.feeds_above:
        samples += outputs.samples
    return StageOutputs(samples, {"critic": gaps[-1], **outputs.losses}, outputs.rebuilt)


def _recordable_steps(stage: Stage, due: bool, tensors: Sequence[Tensor]) -> list[Tensor]:
    """`take_steps` on a flat list of tensors, as a CUDA graph records it."""
    return take_steps(stage, *from_tensors(tensors), due, lambda tasks: [task() for task in tasks]).tensors()
