"""Operators of the history: make actions of an earlier run again, put its settings back into the panel."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import bpy
from bpy.props import IntProperty

from ...core.directing.direction import Direction
from ...core.directing.timed_clips import ClipSpan
from ...core.errors import RiffError
from ...core.motion.motion import Motion
from ...rig.background.amount_job import AmountJob
from ...rig.background.compose_job import CompositionJob
from ...rig.background.generation_job import GenerationJob
from ...rig.background.jobs import BackgroundJob
from ...rig.background.live_job import LiveRequest, PositionJob
from ...rig.background.spans_job import SpansJob
from ...rig.reading.read import read_steps
from ...rig.steps import part_of
from ...state.compose_settings import compose_settings
from ...state.driving.drive_settings import driving_of
from ...state.poll_messages import selection_problem, set_poll_message, settings_problem
from ...state.preferences import shows_results
from ...state.rig_settings import REGION_COLOURS, active_armature, rig_settings
from ...state.settings import session_of, settings_of
from ...state.source import source_steps
from ...state.variations.history import Run, check_model_steps, check_sources, missing, model_row, run_numbered
from ...state.variations.show import show_action
from ..driving.drive import put_back_driver, remade_steps
from ..runs.write_actions import ActionWriter
from .amount import shares_of

COMPOSE_KINDS = {
    "riff.vary_parts": "PARTS",
    "riff.fill_regions": "REGIONS",
    "riff.keep_keys": "KEYS",
    "riff.place_moments": "MOMENTS",
    "riff.extend_action": "EXTEND",
    "riff.loop_action": "LOOP",
    "riff.reach_places": "PLACES",
    "riff.restyle": "STYLE",
}
"""Choice of the box Compose for each of its operators."""


class _OnRun:
    """Mixin of operators on an entry of the history of the active armature."""

    run: IntProperty(
        name="Entry", description="Number of the entry; 0 for the chosen one", min=0, options={"SKIP_SAVE"}
    )

    @classmethod
    def poll(cls: Any, context: bpy.types.Context) -> bool:
        ob = active_armature(context)
        problem = selection_problem(ob)
        if not problem and not len(rig_settings(ob).runs):
            problem = "Nothing was generated for this armature in this file yet"
        return set_poll_message(cls, problem)


class RIFF_OT_make_again(_OnRun, ActionWriter, bpy.types.Operator):
    """Make actions of this entry again, key by key: those that are no longer in the file as they were made"""

    bl_idname = "riff.make_again"
    bl_label = "Make Again"
    bl_options = {"REGISTER", "UNDO"}
    doing, done = "Making again", "Made again"

    variation: IntProperty(
        name="Variation",
        description="Number of the variation in the entry; 0 for all that are no longer in the file",
        min=0,
        options={"SKIP_SAVE"},
    )

    def begin(self, context: bpy.types.Context) -> Iterator[float]:
        ob, render = active_armature(context), context.scene.render
        self._number, self._order = run_numbered(ob, self.run)
        self._wanted = self._chosen(ob)
        check_sources(ob, self._order, render.fps / render.fps_base)
        path = None
        if self._order.model_digest or self._order.kind in ("generate", "live", "compose", "drive"):
            path = Path(model_row(context, self._order).path)
            yield from part_of(check_model_steps(self._order, path), 0, 4)
        kinds: dict[str, Any] = {
            "live": self._live,
            "compose": self._compose,
            "spans": self._spans,
            "amount": self._amount,
            "drive": self._drive,
        }
        try:
            if path is not None and self._order.kind == "generate":
                self._job = GenerationJob(path, count=max(self._wanted) + 1, **self._order.arguments)
            else:
                self._job = yield from kinds[self._order.kind](context, ob, path)
        except (TypeError, KeyError, ValueError, OverflowError, AttributeError) as error:
            raise RiffError("This entry of the history cannot be read; its settings are damaged") from error
        self._job.start()

    def _chosen(self, ob: bpy.types.Object) -> list[int]:
        """Return the indices of the actions to make. Raises RiffError if there is none."""
        count = len(self._order.names)
        if self.variation > count:
            raise RiffError(f"This entry has {count} variations, no number {self.variation}")
        wanted = [self.variation - 1] if self.variation else missing(ob, self._number, self._order)
        if not wanted:
            raise RiffError("All actions of this entry are in the list still, as they were made")
        return wanted

    def _live(
        self, context: bpy.types.Context, ob: bpy.types.Object, path: Path
    ) -> Generator[float, None, BackgroundJob]:
        arguments = dict(self._order.arguments)
        yield 0.25
        return PositionJob(path, LiveRequest(**arguments.pop("request")), **arguments)

    def _compose(
        self, context: bpy.types.Context, ob: bpy.types.Object, path: Path
    ) -> Generator[float, None, BackgroundJob]:
        arguments = dict(self._order.arguments)
        read, direction = arguments.pop("content"), Direction.from_json(arguments.pop("direction"))
        owner = bpy.data.objects.get(read["armature"]) if read["armature"] else ob
        if owner is None or owner.type != "ARMATURE":
            raise RiffError(f"The armature “{read['armature']}” of its action is no longer in the file")
        action: bpy.types.Action | None = bpy.data.actions.get(read["action"]) if read["action"] else None
        if read["options"]:
            content = yield from part_of(source_steps(owner, context.scene, action), 1, 4)
        else:
            content = yield from part_of(read_steps(owner, action, scene=context.scene), 1, 4)
        self._keep_selection(context)
        return CompositionJob(path, content, direction, count=max(self._wanted) + 1, **arguments)

    def _spans(
        self, context: bpy.types.Context, ob: bpy.types.Object, path: Path | None
    ) -> Generator[float, None, BackgroundJob]:
        arguments = dict(self._order.arguments)
        spans = tuple(ClipSpan(*span) for span in arguments.pop("spans"))
        clips: dict[str, Motion] = {}
        for name in dict.fromkeys(span.clip for span in spans) if path is None else ():
            reading = source_steps(ob, context.scene, bpy.data.actions[name])
            clips[name] = yield from part_of(reading, len(clips), len(spans))
            self._keep_selection(context)
        yield 0.5
        return SpansJob(clips, spans, count=max(self._wanted) + 1, model_path=path, **arguments)

    def _amount(
        self, context: bpy.types.Context, ob: bpy.types.Object, _: None
    ) -> Generator[float, None, BackgroundJob]:
        known = self._order.arguments
        motions = []
        for number, name in enumerate((known["source"], known["full"])):
            reading = source_steps(ob, context.scene, bpy.data.actions[name])
            motions.append((yield from part_of(reading, number, 2)))
            self._keep_selection(context)
        one, other = motions
        return AmountJob(one, other, known["amount"], shares_of(one, known["factors"]), known["model"])

    def _drive(
        self, context: bpy.types.Context, ob: bpy.types.Object, path: Path
    ) -> Generator[float, None, BackgroundJob]:
        job = yield from remade_steps(context, ob, path, max(self._wanted) + 1, self._order.arguments)
        self._keep_selection(context)
        return job

    def _keep_selection(self: Any, context: bpy.types.Context) -> None:
        ob = active_armature(context)
        if ob is None or ob.name != self._armature:
            raise RiffError("The selection changed; select the armature and try again")

    def is_wanted(self, index: int) -> bool:
        return index in self._wanted

    def action_name(self, index: int) -> str:
        return self._order.names[index]

    def action_properties(self, motion: Motion) -> dict[str, Any]:
        return self._order.properties

    def frame_start(self) -> int | None:
        return self._order.frame_start

    def is_loop(self) -> bool:
        return self._order.loop

    def dressing(self) -> dict[str, Any]:
        return self._order.dressing

    def source_action(self, ob: bpy.types.Object) -> bpy.types.Action | None:
        return bpy.data.actions.get(self._order.source) if self._order.source else None

    def is_stepped(self, ob: bpy.types.Object) -> bool:
        return self._order.stepped

    def run_number(self, ob: bpy.types.Object) -> int:
        return self._number

    def progress_steps(self) -> tuple[int, int]:
        return len(self._made), len(self._wanted)

    @property
    def seed(self) -> Any:
        seed = self._order.seed
        return int(seed) if seed == int(seed) else seed

    def _move_on(self: Any, context: bpy.types.Context) -> None:
        """Show the first action in a window; the panel's model and seed stay."""
        ob: bpy.types.Object | None = context.scene.objects.get(self._armature)
        if self._beside_window and ob is not None and ob.type == "ARMATURE" and shows_results():
            show_action(context, ob, self._made[0])


class RIFF_OT_use_settings(_OnRun, bpy.types.Operator):
    """Put model, seed and settings of this entry back into the panel, to generate anew with what is there now"""

    bl_idname = "riff.use_settings"
    bl_label = "Use Settings"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> Any:
        ob = active_armature(context)
        _, order = run_numbered(ob, self.run)
        if order.kind == "amount":
            self.report({"ERROR"}, "An amount is chosen in its dialog; the panel has no setting of it")
            return {"CANCELLED"}
        problem = settings_problem(ob) if order.kind in ("spans", "drive") else ""
        if problem:  # these are settings of the armature, the others are the scene's
            self.report({"ERROR"}, problem)
            return {"CANCELLED"}
        put_back = {
            "generate": _put_back_generate,
            "live": _put_back_live,
            "compose": _put_back_compose,
            "spans": _put_back_spans,
            "drive": _put_back_drive,
        }
        try:
            put_back[order.kind](context, ob, order)
        except (TypeError, KeyError, ValueError, OverflowError, AttributeError) as error:
            raise RiffError("This entry of the history cannot be read; its settings are damaged") from error
        stays = {"riff.fill_regions", "riff.place_moments", "riff.reach_places"}
        if order.operator in stays:
            self.report({"INFO"}, "The lists of regions, moments, pins and waypoints stay as they are")
        return {"FINISHED"}


def _put_back_generate(context: bpy.types.Context, ob: bpy.types.Object, order: Run) -> None:
    _choose_model(context, order)
    settings, known = settings_of(context), dict(order.settings)
    frames = known.pop("frames", 0)
    settings.source_length = not frames
    if frames:
        settings.frames = frames
    _set_all(settings, known)


def _put_back_live(context: bpy.types.Context, ob: bpy.types.Object, order: Run) -> None:
    _put_back_generate(context, ob, order)
    session_of(context).live_position = order.settings["position"]


def _put_back_compose(context: bpy.types.Context, ob: bpy.types.Object, order: Run) -> None:
    _choose_model(context, order)
    settings = compose_settings(context)
    settings.kind = COMPOSE_KINDS.get(order.operator, settings.kind)  # the shell composes without an operator
    _set_all(settings, order.settings)


def _put_back_spans(context: bpy.types.Context, ob: bpy.types.Object, order: Run) -> None:
    settings, known = rig_settings(ob), order.settings
    if order.model_digest:
        _choose_model(context, order)
    # an older entry has it among the job's arguments alone
    settings.span_choices.variation = known.get("variation", order.arguments["variation"])
    settings.span_choices.played_by = known.get("played_by", "INSTANT")
    settings.spans.clear()
    colours: dict[str, Any] = {}
    for clip, start, end, speed in known["spans"]:
        span = settings.spans.add()
        span.action, span.start, span.end, span.speed = clip, start, end, speed
        colours.setdefault(clip, REGION_COLOURS[len(colours) % len(REGION_COLOURS)])
        span.color = colours[clip]
    settings.active_span = 0
    settings_of(context).seed = known["seed"]


def _put_back_drive(context: bpy.types.Context, ob: bpy.types.Object, order: Run) -> None:
    _choose_model(context, order)
    known, driven = dict(order.settings), ("driver", "action", "pairs")
    put_back_driver(ob, {name: known.pop(name) for name in driven})
    settings_of(context).seed = known.pop("seed")
    _set_all(driving_of(ob), known)


def _choose_model(context: bpy.types.Context, order: Run) -> None:
    """Choose the model of a run in the list. Raises RiffError if it is gone."""
    session_of(context).active_model = session_of(context).models.find(model_row(context, order).name)


def _set_all(settings: Any, known: dict[str, Any]) -> None:
    """Set the settings of the panel that an entry knows. Raises TypeError for a value of another kind."""
    for name, value in known.items():
        if name in settings.bl_rna.properties:
            setattr(settings, name, value)


CLASSES = (RIFF_OT_make_again, RIFF_OT_use_settings)
