"""Common part of operators that compose: they read the action and direct the model."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy
from bpy.props import BoolProperty, StringProperty

from ...core.directing.direction import Direction, direct
from ...core.errors import ClipError, RiffError
from ...core.motion.motion import Motion
from ...core.placing.place_text import parse_pins, parse_waypoints
from ...rig.background.compose_job import CompositionJob
from ...rig.reading.selection import curve_points
from ...rig.steps import part_of
from ...state.compose_settings import (
    NOT_REMEMBERED,
    ExtendChoices,
    LengthChoices,
    LoopChoices,
    MaskChoices,
    StyleChoices,
    TakeChoices,
    compose_settings,
)
from ...state.placing.place_settings import read_pins, read_waypoints
from ...state.poll_messages import armature_problem, model_problem, set_poll_message
from ...state.rig_settings import active_armature, plays_nla
from ...state.settings import chosen_model
from ...state.source import active_action, source_played, source_steps
from ...state.variations.recording import Order
from .write_actions import ActionWriter


class ComposeRun(TakeChoices, ActionWriter):
    """Mixin of operators that define a `direction` for the model; they write one action for each alternative."""

    bl_options: Any = {"REGISTER", "UNDO"}
    doing, done = "Composing", "Composed"
    result = "Take"

    curve: StringProperty(
        name="Curve", description="Name of the curve object that the root follows", options=NOT_REMEMBERED
    )
    clean_feet: BoolProperty(
        name="Clean Feet",
        description="Keep standing feet from sliding in new motion",
        default=True,
        options=NOT_REMEMBERED,
    )

    pins: StringProperty(
        name="Pins",
        description="Pins such as hand.L@60=0.3,0.2,1.1; empty for the armature's own where they are used",
        options=NOT_REMEMBERED,
    )
    waypoints: StringProperty(
        name="Waypoints",
        description="Waypoints such as 90=1.5,0.2; empty for the armature's own where they are used",
        options=NOT_REMEMBERED,
    )

    @classmethod
    def poll(cls: Any, context: bpy.types.Context) -> bool:
        return set_poll_message(cls, armature_problem(active_armature(context)) or model_problem(context))

    def direction(self, context: bpy.types.Context, first: int) -> Direction:
        """Return the direction for `_content`; `first` is the action's first frame. Raises RiffError for invalid
        settings.
        """
        raise RiffError(f"{self.__class__.__name__} asks for nothing.")

    def content(self, context: bpy.types.Context) -> Generator[float, None, Motion]:
        """Read in steps and return the motion to work around. Raises RiffError."""
        return source_steps(active_armature(context), context.scene)

    def content_read(self, context: bpy.types.Context) -> dict[str, Any]:
        """Return which `content` is read: the armature (empty for the active one), the action (empty for the whole
        NLA), and whether the armature's options count.
        """
        ob = active_armature(context)
        action = active_action(ob)
        return {"armature": "", "action": "" if plays_nla(ob) or action is None else action.name, "options": True}

    def bones(self, context: bpy.types.Context) -> dict[str, str] | None:
        """Return the content's bones by the model's if it is another rig's; None to match them automatically."""
        return None

    def begin(self: Any, context: bpy.types.Context) -> Iterator[float]:
        """Read and check everything that needs Blender, and start the job."""
        source = source_played(active_armature(context))
        frames = source.frames()
        if len(frames) < 2:
            raise ClipError(f"The action “{source.action.name}” has fewer than two frames.")
        self._first = frames[0]
        path, bones = Path(chosen_model(context).path), self.bones(context)
        self._model_path, self._bones, self._read = path, bones, self.content_read(context)
        self._content = yield from part_of(self.content(context), 0, 2)
        if active_armature(context) is None or active_armature(context).name != self._armature:
            raise RiffError("The selection changed; select the armature and try again.")
        self._direction = self._rooted(context, self.direction(context, self._first))
        yield from self._read_places(context)
        if bones is None:
            direct(self._content, self._direction)
        self._job = CompositionJob(
            path, self._content, self._direction, count=self.count, seed=self.seed, clean=self.clean_feet, bones=bones
        )
        self._job.start()

    def _read_places(self: Any, context: bpy.types.Context) -> Iterator[float]:
        """Add the pins and waypoints to the direction, one in each step."""
        pins, waypoints = list(parse_pins(self.pins)), list(parse_waypoints(self.waypoints))
        if self.use_places and not pins and not waypoints:
            ob, scene = active_armature(context), context.scene
            for found, reading in ((pins, read_pins(ob, scene)), (waypoints, read_waypoints(ob, scene))):
                for one in reading:
                    found.append(one)
                    yield 0.5
            if not pins and not waypoints:
                raise ClipError("There is no pin and no waypoint; add one to the lists first.")
        self._direction = replace(self._direction, pins=tuple(pins), waypoints=tuple(waypoints))

    def _rooted(self: Any, context: bpy.types.Context, direction: Direction) -> Direction:
        route = curve_points(bpy.data.objects.get(self.curve)) if self.root == "CURVE" else ()
        root = {"FREE": "free", "SOURCE": "source", "CURVE": "route"}[self.root]
        return replace(direction, entry=int(self.entry), root=root, route=route)

    def action_name(self: Any, index: int) -> str:
        return f"{self.result} {self.seed}-{index + 1}"

    def action_properties(self: Any, motion: Motion) -> dict[str, Any]:
        return {"riff_frames": motion.frames, "riff_composition": json.dumps(self._direction.to_json())}

    def order(self: Any, ob: bpy.types.Object) -> Order:
        source = self.source_action(ob)
        arguments = {
            "direction": self._direction.to_json(),
            "seed": self.seed,
            "clean": self.clean_feet,
            "bones": self._bones,
            "content": self._read,
        }
        mixins = (TakeChoices, MaskChoices, LengthChoices, ExtendChoices, LoopChoices, StyleChoices)
        names = [name for mixin in mixins for name in mixin.__annotations__ if isinstance(self, mixin)]
        settings = {name: getattr(self, name) for name in names}
        read = [source.name if source else "", self._read["action"]]
        return Order("compose", arguments, settings, read, self._model_path)

    def frame_start(self: Any) -> int | None:
        start: int = self._first - self._direction.before
        return start

    def is_loop(self: Any) -> bool:
        looped: bool = self._direction.loop
        return looped

    def seed_settings(self, context: bpy.types.Context) -> Any:
        return compose_settings(context)

    def progress_steps(self: Any) -> tuple[int, int]:
        return self._job.done + len(self._made), 2 * self.count
