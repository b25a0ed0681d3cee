"""Operator that makes takes with the timing and the course of another body."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import bpy
from bpy.props import BoolProperty, IntProperty, StringProperty

from ...core.driving.roles import BonePairs, parse_pairs
from ...core.errors import ClipError, RiffError
from ...core.motion.motion import Motion
from ...rig.background.drive_job import DriveJob
from ...rig.reading.actions import source_of
from ...rig.reading.evaluate import read_rest
from ...rig.reading.read import ReadOptions, read_steps
from ...rig.steps import STEP_SECONDS
from ...state.compose_settings import NOT_REMEMBERED
from ...state.driving.drive_settings import DriveChoices, driving_of, set_pairs
from ...state.poll_messages import armature_problem, model_problem, set_poll_message
from ...state.rig_settings import active_armature
from ...state.settings import chosen_model
from ...state.variations.history import motion_digest
from ...state.variations.recording import Order
from ..runs.write_actions import ActionWriter
from .pair_lists import driver_action


class RIFF_OT_drive(DriveChoices, ActionWriter, bpy.types.Operator):
    """Make takes of the model that step, pause and travel as the driver does, with the poses of their own body"""

    bl_idname = "riff.drive"
    bl_label = "Follow Driver"
    bl_options = {"REGISTER", "UNDO"}
    doing, done = "Following the driver", "Generated"

    armature: StringProperty(
        name="Driver", description="Armature object of another body; empty for the panel's", options=NOT_REMEMBERED
    )
    action: StringProperty(
        name="Action", description="Action of the driver; empty for its active one", options=NOT_REMEMBERED
    )
    pairs: StringProperty(
        name="Pairs",
        description="Bones of both, such as hips=Pelvis, foot.L=LeftFoot; empty for the panel's list",
        options=NOT_REMEMBERED,
    )
    seed: IntProperty(
        name="Seed",
        description="The same model, seed and choices always give the same result",
        default=1,
        min=0,
        options=NOT_REMEMBERED,
    )
    clean_feet: BoolProperty(
        name="Clean Feet",
        description="Keep standing feet from sliding in new motion",
        default=True,
        options=NOT_REMEMBERED,
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return set_poll_message(cls, armature_problem(active_armature(context)) or model_problem(context))

    def begin(self: Any, context: bpy.types.Context) -> Iterator[float]:
        ob = active_armature(context)
        settings = driving_of(ob)
        driver = bpy.data.objects.get(self.armature) if self.armature else settings.driver
        if driver is None or driver.type != "ARMATURE":
            asked = f"There is no armature “{self.armature}”" if self.armature else "No driver is chosen"
            raise ClipError(f"{asked}; choose the armature of another body.")
        if not driver.users_scene:  # deleted in the viewport; the panel's setting keeps it in the file
            raise ClipError(f"The driver “{driver.name}” is in no scene any more; choose another one.")
        action = bpy.data.actions.get(self.action) if self.action else settings.action if not self.armature else None
        if self.action and action is None:
            raise ClipError(f"There is no action “{self.action}”; choose another one.")
        action = driver_action(ob, driver, action)
        self._pairs = parse_pairs(self.pairs) or _listed(ob)
        check_pairs(ob, self._pairs)
        self._path = Path(chosen_model(context).path)
        self._driver, self._action = driver.name, action.name
        # where the motion begins: a forgotten key far away is not read either
        self._first = source_of(driver, action).frames()[0]
        # a script waits anyway, and each step makes a copy of the rig
        seconds = STEP_SECONDS if self._beside_window else math.inf
        motion = yield from read_steps(driver, action, scene=context.scene, options=ReadOptions(), seconds=seconds)
        ob = active_armature(context)
        if ob is None or ob.name != self._armature:
            raise RiffError("The selection changed; select the armature and try again.")
        self._digest = motion_digest(motion)
        self._choices: dict[str, Any] = {
            "frames": self.length,
            "seed": self.seed,
            "variation": self.variation,
            "scale": self.scale,
            "clean": self.clean_feet,
        }
        self._job = _job_of(ob, self._path, motion, self._pairs, self.count, self._choices)
        self._job.start()

    def action_name(self: Any, index: int) -> str:
        return f"Driven {self.seed}-{index + 1}"

    def action_properties(self: Any, motion: Motion) -> dict[str, Any]:
        return {
            "riff_frames": motion.frames,
            "riff_driver": f"{self._driver}: {self._action}",
            "riff_pairs": ", ".join(f"{ours}={theirs}" for ours, theirs in self._pairs),
        }

    def order(self: Any, ob: bpy.types.Object) -> Order:
        source = self.source_action(ob)
        driver = {"driver": self._driver, "action": self._action, "pairs": [list(pair) for pair in self._pairs]}
        names = ("count", "length", "variation", "scale", "seed", "clean_feet")
        settings = {**driver, **{name: getattr(self, name) for name in names}}
        arguments = {**driver, "digest": self._digest, **self._choices}
        return Order("drive", arguments, settings, [source.name if source else "", self._action], self._path)

    def frame_start(self: Any) -> int | None:
        start: int = self._first
        return start


def _job_of(
    ob: bpy.types.Object, path: Path, driver: Motion, pairs: BonePairs, count: int, choices: dict[str, Any]
) -> DriveJob:
    rest = read_rest(ob)
    return DriveJob(path, driver, pairs, (ob.name, rest.names, rest.parents), count=count, **choices)


def remade_steps(
    context: bpy.types.Context, ob: bpy.types.Object, path: Path, count: int, arguments: dict[str, Any]
) -> Generator[float, None, DriveJob]:
    """Return the job of takes that were made before, from the arguments of their order, in steps.

    Raises RiffError if the driver is gone or moves otherwise, or a bone is gone; KeyError for other arguments.
    """
    known = dict(arguments)
    driver, action, pairs, digest = (known.pop(name) for name in ("driver", "action", "pairs", "digest"))
    pairs = tuple((str(ours), str(theirs)) for ours, theirs in pairs)
    check_pairs(ob, pairs)
    reading = read_steps(driver_named(driver), bpy.data.actions[action], scene=context.scene, options=ReadOptions())
    motion = yield from reading
    if motion_digest(motion) != digest:
        raise RiffError(f"The driver “{driver}” was changed or moved since; use the settings to generate anew")
    return _job_of(ob, path, motion, pairs, count, known)


def put_back_driver(ob: bpy.types.Object, known: dict[str, Any]) -> None:
    """Put driver, action and pairs of an order back into an armature's settings. Raises RiffError if one is gone."""
    settings, driver = driving_of(ob), driver_named(known["driver"])
    action = bpy.data.actions.get(known["action"])
    if action is None:
        raise RiffError(f"The action “{known['action']}” of the driver is no longer in the file")
    settings.driver, settings.action = driver, action
    set_pairs(ob, known["pairs"])
    settings.active_pair = 0


def driver_named(name: str) -> bpy.types.Object:
    """Return the driver of this name. Raises RiffError if it is gone."""
    driver = bpy.data.objects.get(name)
    if driver is None or driver.type != "ARMATURE":
        raise RiffError(f"The driver “{name}” is no longer in the file")
    return driver


def check_pairs(ob: bpy.types.Object, pairs: BonePairs) -> None:
    """Raise ClipError, naming the bone, for a pair with a bone that an armature has not."""
    for name, _ in pairs:
        if name not in ob.data.bones:
            raise ClipError(f"“{ob.name}” has no bone “{name}”; correct the pair.")


def _listed(ob: bpy.types.Object) -> tuple[tuple[str, str], ...]:
    """Return the pairs of an armature's list. Raises ClipError, naming the bone, for a row with one bone."""
    for row in driving_of(ob).pairs:
        if row.name and not row.other:
            raise ClipError(f"“{row.name}” is paired with no bone of the driver; choose one, or remove the row.")
        if not row.name:
            raise ClipError(f"“{row.other}” of the driver is paired with no bone of “{ob.name}”; choose one.")
    return tuple((row.name, row.other) for row in driving_of(ob).pairs)


CLASSES = (RIFF_OT_drive,)
