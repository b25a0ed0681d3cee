"""Operators for takes in which several actions of one rig play when they are told to."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import bpy
from bpy.props import BoolProperty, IntProperty, StringProperty

from ..core.directing.model_spans import ENTRY
from ..core.directing.timed_clips import ClipSpan, check_spans, parse_clip_spans
from ..core.errors import ModelError, RiffError
from ..core.motion.motion import Motion
from ..rig.background.spans_job import SpansJob
from ..rig.library.blend_files import check_bones
from ..rig.steps import part_of
from ..state.model_fit import known_fit
from ..state.poll_messages import armature_problem, set_poll_message, settings_problem
from ..state.rig_settings import REGION_COLOURS, SpanChoices, active_armature, rig_settings
from ..state.settings import chosen_model
from ..state.source import learned_action, source_steps
from ..state.span_model import knows_clips, span_model
from ..state.variations.recording import Order
from .list_remove import ListRemove
from .runs.write_actions import ActionWriter

NEW_SPAN_SECONDS, NEW_PASSAGE_SECONDS = 4.0, 0.5
"""Length of an added span, and of the passage before it."""


class RIFF_OT_add_span(bpy.types.Operator):
    """Add a span of frames in which an action plays; it begins half a second after the last one"""

    bl_idname = "riff.add_span"
    bl_label = "Add Span"
    bl_options = {"REGISTER", "UNDO"}

    action: StringProperty(
        name="Action", description="Action that plays in the span; empty for the armature's own", options={"SKIP_SAVE"}
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return set_poll_message(cls, settings_problem(active_armature(context)))

    def execute(self, context: bpy.types.Context) -> Any:
        settings, render = rig_settings(active_armature(context)), context.scene.render
        fps, own = render.fps / render.fps_base, learned_action(active_armature(context))
        start = context.scene.frame_start
        if len(settings.spans):
            start = max(span.end for span in settings.spans) + round(NEW_PASSAGE_SECONDS * fps) + 1
        name = self.action or (own.name if own is not None else "")
        if name and name not in bpy.data.actions:
            self.report({"ERROR"}, f"There is no action “{name}”; choose another one")
            return {"CANCELLED"}
        colours = {span.action: tuple(span.color) for span in settings.spans}
        span = settings.spans.add()
        span.action, span.start, span.end = name, start, start + round(NEW_SPAN_SECONDS * fps) - 1
        span.color = colours.get(name) or REGION_COLOURS[len(colours) % len(REGION_COLOURS)]
        settings.active_span = len(settings.spans) - 1
        return {"FINISHED"}


class RIFF_OT_remove_span(ListRemove, bpy.types.Operator):
    """Remove the chosen span; the action is not changed"""

    bl_idname = "riff.remove_span"
    bl_label = "Remove Span"
    rows, active = "spans", "active_span"
    nothing_chosen = "Choose a span from the list"


class RIFF_OT_generate_spans(SpanChoices, ActionWriter, bpy.types.Operator):
    """Generate new actions in which actions of this rig play in the spans of the list and pass over between them"""

    bl_idname = "riff.generate_spans"
    bl_label = "Generate Spans"
    bl_options = {"REGISTER", "UNDO"}

    spans: StringProperty(
        name="Spans",
        description="Actions and their frames, such as Walk@1-120, Dance@136-260x1.5; empty for the panel's list",
        options={"SKIP_SAVE"},
    )
    count: IntProperty(
        name="Count", description="Number of alternatives to make", default=1, min=1, max=100, options={"SKIP_SAVE"}
    )
    seed: IntProperty(
        name="Seed",
        description="The same model, seed and choices always give the same result",
        default=1,
        min=0,
        options={"SKIP_SAVE"},
    )
    clean_feet: BoolProperty(
        name="Clean Feet",
        description="Keep standing feet from sliding in new motion",
        default=True,
        options={"SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return set_poll_message(cls, armature_problem(active_armature(context)))

    def begin(self: Any, context: bpy.types.Context) -> Iterator[float]:
        ob, render = active_armature(context), context.scene.render
        self._spans = parse_clip_spans(self.spans) if self.spans.strip() else _listed(ob)
        fps = render.fps / render.fps_base
        self._model_path = self._chosen_path(context)
        self._arguments: dict[str, Any] = {
            "fps": fps,
            "seed": self.seed,
            "variation": self.variation,
            "clean": self.clean_feet,
        }
        clips: dict[str, Motion] = {}
        if self._model_path is None:
            check_spans(self._spans, fps, bpy.data.actions.keys())
            clips = yield from self._read(context)
        else:
            check_spans(self._spans, fps, chosen_model(context).clips.keys())
            self._arguments["entry"] = ENTRY
        self._job = SpansJob(clips, self._spans, count=self.count, model_path=self._model_path, **self._arguments)
        self._job.start()

    def _chosen_path(self: Any, context: bpy.types.Context) -> Path | None:
        """Return the file of the model that plays the spans, None for instant models. Raises ModelError."""
        chosen = chosen_model(context)
        if self.played_by == "INSTANT":
            return None
        fit = known_fit(active_armature(context), chosen) if knows_clips(chosen) else None
        found = span_model(context, [span.clip for span in self._spans], fit)
        if found.row is None and self.played_by == "MODEL":
            raise ModelError(fit.problem if fit is not None and fit.problem else found.sentence())
        return Path(found.row.path) if found.row is not None else None

    def _read(self: Any, context: bpy.types.Context) -> Generator[float, None, dict[str, Motion]]:
        """Read the actions of the spans, in steps. Raises RiffError."""
        ob = active_armature(context)
        first: dict[str, int] = {}
        for span in self._spans:
            first.setdefault(span.clip, span.start)
        for name, frame in first.items():
            check_bones(ob, bpy.data.actions[name], frame)
        clips: dict[str, Motion] = {}
        for number, name in enumerate(first):
            action = bpy.data.actions.get(name)
            if action is None or active_armature(context) is None or active_armature(context).name != self._armature:
                raise RiffError("The armature or an action was removed or deselected meanwhile.")
            reading = source_steps(active_armature(context), context.scene, action)
            clips[name] = yield from part_of(reading, number, len(first))
        return clips

    def action_name(self: Any, index: int) -> str:
        return f"Spans {self.seed}-{index + 1}"

    def action_properties(self: Any, motion: Motion) -> dict[str, Any]:
        return {
            "riff_frames": motion.frames,
            "riff_spans": ", ".join(f"{s.clip}@{s.start}-{s.end}x{s.speed:g}" for s in self._spans),
        }

    def order(self: Any, ob: bpy.types.Object) -> Order:
        spans = [[span.clip, span.start, span.end, span.speed] for span in self._spans]
        source = self.source_action(ob)
        played = dict.fromkeys(span.clip for span in self._spans) if self._model_path is None else ()
        read = [source.name if source else "", *played]
        settings = {"spans": spans, "seed": self.seed, "variation": self.variation, "played_by": self.played_by}
        return Order("spans", {**self._arguments, "spans": spans}, settings, read, self._model_path)

    def frame_start(self: Any) -> int | None:
        start: int = self._spans[0].start
        return start


def _listed(ob: bpy.types.Object) -> tuple[ClipSpan, ...]:
    """Return the spans of an armature's list in the order of their frames."""
    rows = sorted(rig_settings(ob).spans, key=lambda row: row.start)
    return tuple(ClipSpan(row.action, row.start, row.end, row.speed) for row in rows)


CLASSES = (RIFF_OT_add_span, RIFF_OT_remove_span, RIFF_OT_generate_spans)
