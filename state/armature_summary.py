"""Summary of what Riff would learn from the active armature, computed a moment after the panel asks, and cached."""

from __future__ import annotations

import sys
import time
from collections.abc import Generator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import bpy
from bpy.app.handlers import persistent

from ..core.cycles.unroll import learnable
from ..core.errors import RiffError
from ..core.model.recipe import FAST, RECIPES, rows_per_training
from ..core.motion.body_parts import find_parts
from ..core.motion.motion import RATE
from ..core.motion.skeleton import Skeleton, Space
from ..core.motion.symmetry import find_partners
from ..core.training.checkpoint import begin
from ..rig.background import jobs
from ..rig.hints.find import Hint
from ..rig.steps import STEP_SECONDS
from . import timer
from .guard import wrap_callback
from .poll_messages import armature_problem
from .preferences import training_python
from .rig_settings import active_armature, plays_nla, rig_settings
from .session import choose_model_of
from .settings import session_of
from .source import glance_steps
from .source_hints import hint_steps

LOOK_DELAY_SECONDS = 0.3
"""Seconds until a shown armature is analyzed, so that one that is only clicked in passing is not."""

MEASURED_SECONDS = 5.0
"""Seconds after which a training tells its pace: a shorter one does little but start."""

FRESH_SECONDS = 600.0
"""Seconds for which a pace is taken as the present one; after that, other programs may have come or gone."""

PROBLEM_SECONDS = 3.0
"""Seconds after which an armature from which nothing can be learned is analyzed again when it is shown."""

GLANCE_FRAMES = 120
"""Frames of a long action to look at: enough to find root, joints and feet, and quick."""


Key = tuple[object, ...]


@dataclass
class Summary:
    """Summary of what Riff would learn from an armature.

    `problem` is a sentence if it can learn nothing. `expected` are the training times by recipe, once known.
    """

    problem: str = ""
    joints: int = 0
    root: str = ""
    feet: list[str] = field(default_factory=list)
    device: str = ""
    expected: dict[str, float] = field(default_factory=dict)
    estimate: jobs.EstimateJob | None = None
    kind: tuple[str, ...] = ()
    frames: int = 0
    controls: bool = False
    properties: list[str] = field(default_factory=list)
    rows: list[tuple[str, str, str]] = field(default_factory=list)
    """Name, bone on the other side and body part of each learned bone."""
    hints: list[Hint] = field(default_factory=list)
    made: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> dict[str, float]:
        """Return the training times to show: none while a training runs, which tells its own."""
        return {} if any(job.running for job in jobs.trainings()) else self.expected


HANDLERS = (bpy.app.handlers.load_post, bpy.app.handlers.undo_post, bpy.app.handlers.redo_post)


_cache: dict[Key, Summary] = {}


@dataclass(frozen=True)
class Pace:
    """Seconds for each row of training on a device, and when that was measured."""

    seconds: float
    device: str
    measured: float = field(default_factory=time.monotonic)

    @property
    def is_fresh(self) -> bool:
        """Return whether the machine is likely to be as busy as it was then."""
        return time.monotonic() - self.measured < FRESH_SECONDS


_paces: dict[tuple[str, ...], Pace] = {}
"""Pace of training by kind of skeleton: by an estimate, or better by a training."""


_requested: list[Key] = []


_shown = [""]
"""Name of the armature that was analyzed last."""

_analysis: list[Generator[float, None, Summary]] = []
"""Steps of the analysis in progress: at most one armature."""


def key_of(ob: bpy.types.Object) -> Key:
    """Return everything that a summary depends on; cheap enough for drawing."""
    settings, action = rig_settings(ob), ob.animation_data.action
    played = (action.name, action.frame_range[0], action.frame_range[1]) if action else ()
    feet = tuple(foot.name for foot in settings.feet) if settings.own_feet else None
    controls = tuple((row.name, row.learn, row.partner, row.part) for row in settings.controls)
    render = bpy.context.scene.render
    choices = (settings.root, feet, controls, plays_nla(ob), settings.smooth_steps)
    return (ob.name, played, *choices, len(ob.data.bones), render.fps, render.fps_base)


def summary_of(ob: bpy.types.Object) -> Summary | None:
    """Return the summary if it is known; otherwise request it, and the panel is drawn again soon."""
    key = key_of(ob)
    if not _is_current(_cache.get(key)) and (not _requested or _requested[-1] != key):
        _requested[:] = [key]
        if not bpy.app.timers.is_registered(update_summary):
            bpy.app.timers.register(update_summary, first_interval=LOOK_DELAY_SECONDS)
    return _cache.get(key)


def _is_current(summary: Summary | None) -> bool:
    """Return whether a summary need not be made again: a problem may be mended in a way that no key tells."""
    return summary is not None and (not summary.problem or time.monotonic() - summary.made < PROBLEM_SECONDS)


def known_problem(ob: bpy.types.Object | None) -> str:
    """Return why nothing can be learned from an armature's action, if that is known; cheap enough for a poll."""
    if ob is None or ob.type != "ARMATURE" or ob.animation_data is None:
        return ""
    summary = _cache.get(key_of(ob))
    return summary.problem if summary is not None and _is_current(summary) else ""


def feet_found(ob: bpy.types.Object) -> list[str]:
    """Return the feet that Riff found, if it has analyzed this armature's action."""
    return next((summary.feet for key, summary in _cache.items() if key[0] == ob.name), [])


@partial(wrap_callback, "Analyzing the armature")
def update_summary() -> float | None:
    """Analyze the shown armature, one step a call, then start the estimate of its training time.

    Returns the seconds until the next step, None at the end.
    """
    ob = active_armature(bpy.context)
    if not _requested or armature_problem(ob):
        _requested.clear()
        _analysis.clear()
        return None
    key = key_of(ob)
    if key != _requested[-1]:
        _requested[:] = [key]
        _analysis.clear()
        return LOOK_DELAY_SECONDS
    if not _analysis:
        if ob.name != _shown[0]:
            _shown[0] = ob.name
            choose_model_of(session_of(bpy.context), ob)
        _analysis.append(_analyze(ob))
    try:
        next(_analysis[0])
        return STEP_SECONDS
    except ReferenceError:  # the armature was removed meanwhile, and another has its name
        _analysis.clear()
        return LOOK_DELAY_SECONDS
    except StopIteration as end:
        summary: Summary = end.value
    forget()  # one summary is enough; an edited action is analyzed again
    _cache[key] = summary
    timer.redraw()
    return None


def _analyze(ob: bpy.types.Object) -> Generator[float, None, Summary]:
    """Analyze an armature in steps and return its summary."""
    motion = None
    try:
        motion = yield from glance_steps(ob, bpy.context.scene, GLANCE_FRAMES)
        motion = learnable(motion)
    except RiffError as error:
        return Summary(problem=str(error), hints=(yield from hint_steps(ob, bpy.context.scene, motion)))
    yield 1.0
    skeleton, frames = motion.skeleton, round(motion.duration * RATE) + 1
    summary = Summary("", skeleton.joints, skeleton.names[0], [skeleton.names[j] for j in skeleton.contacts])
    summary.controls, summary.properties = bool(skeleton.reference_frames), [one.name for one in skeleton.properties]
    summary.rows = _rows(skeleton)
    summary.hints = yield from hint_steps(ob, bpy.context.scene, motion)
    summary.kind, summary.frames = _kind_of(skeleton), frames
    pace = _paces.get(summary.kind)
    if pace is not None:
        _set_seconds(summary)
    if (pace is None or not pace.is_fresh) and not any(job.running for job in jobs.trainings()):
        python = training_python() or Path(sys.executable)
        summary.estimate = jobs.EstimateJob(begin(motion, FAST), python)
        summary.estimate.start()
        timer.ensure_running()
    return summary


def _rows(skeleton: Skeleton) -> list[tuple[str, str, str]]:
    partners = find_partners(skeleton)
    parts = {joint: part.name for part in find_parts(skeleton) for joint in part.joints}
    return [
        (name, skeleton.names[partners[joint]] if partners[joint] != joint else "", parts.get(joint, ""))
        for joint, name in enumerate(skeleton.names)
        if skeleton.reference_frames[joint : joint + 1] not in ((Space.TILT,), (Space.OBJECT,))
    ]


def rows_found(ob: bpy.types.Object) -> list[tuple[str, str, str]]:
    """Return name, other side and body part of each bone, if Riff has analyzed this armature's action."""
    return next((summary.rows for key, summary in _cache.items() if key[0] == ob.name), [])


def _kind_of(skeleton: Skeleton) -> tuple[str, ...]:
    return skeleton.names + tuple(skeleton.names[joint] for joint in skeleton.contacts)


def take_estimate(job: jobs.BackgroundJob) -> None:
    """Derive every recipe's training time from that of an estimate, or of a training, that has ended."""
    if isinstance(job, jobs.TrainingJob):
        _take_pace(job)
    for summary in _cache.values():
        if isinstance(job, jobs.EstimateJob) and summary.estimate is job and job.expected is not None:
            fast = rows_per_training(FAST, FAST.lengths(summary.frames))
            _paces[summary.kind] = Pace(job.expected / fast, job.device_name)
        if summary.kind in _paces:
            _set_seconds(summary)
    timer.redraw()


def _take_pace(job: jobs.TrainingJob) -> None:
    """Take the pace of a training that has run for a while, also of one that was cancelled."""
    begun, progress = job.checkpoint, job.progress
    if begun is None or progress is None or begun.state or progress.seconds < MEASURED_SECONDS:
        return
    recipe = begun.recipe
    rows = rows_per_training(recipe, recipe.lengths(round(begun.motion.duration * RATE) + 1))
    if rows > 0.0:
        whole = progress.seconds + progress.seconds_left
        _paces[_kind_of(begun.motion.skeleton)] = Pace(whole / rows, job.device_name)


def _set_seconds(summary: Summary) -> None:
    pace = _paces[summary.kind]
    summary.device = pace.device
    summary.expected = {
        name: pace.seconds * rows_per_training(recipe, recipe.lengths(summary.frames))
        for name, recipe in RECIPES.items()
    }


@persistent
def forget(*_: object) -> None:
    """Clear the cache: the file, the bones or the keys may have changed."""
    _cache.clear()
    _requested.clear()
    _analysis.clear()


def register() -> None:
    timer.listeners.append(take_estimate)
    for handlers in HANDLERS:
        handlers.append(forget)


def unregister() -> None:
    forget()
    timer.listeners.remove(take_estimate)
    for handlers in HANDLERS:
        if forget in handlers:
            handlers.remove(forget)
    if bpy.app.timers.is_registered(update_summary):
        bpy.app.timers.unregister(update_summary)
