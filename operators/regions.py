"""Operators that add regions of interest, from marks in the timeline or two clicks, and remove them."""

from __future__ import annotations

import itertools
from typing import Any

import bpy
from bpy.props import EnumProperty, IntProperty, StringProperty

from ..rig.compat import channelbag_of
from ..state.poll_messages import set_poll_message, settings_problem
from ..state.rig_settings import REGION_COLOURS, active_armature, rig_settings
from ..state.trainings import status_text
from .list_remove import ListRemove

SOURCE_ITEMS = [
    ("PREVIEW", "From Preview Range", "The preview range of the scene becomes a region", "PREVIEW_RANGE", 0),
    ("MARKERS", "From Selected Markers", "Each pair of adjacent selected markers becomes a region", "MARKER", 1),
    ("KEYS", "From Selected Keys", "The frames from first to last selected key become a region", "KEYFRAME", 2),
    ("RANGE", "From Frames", "The given frames become a region", "ARROW_LEFTRIGHT", 3),
]

Span = tuple[int, int, str]


def add_region(ob: bpy.types.Object, start: int, end: int, name: str = "") -> None:
    """Add a region of interest to an armature and make it the active one."""
    settings = rig_settings(ob)
    taken = {region.name for region in settings.regions}
    number = len(settings.regions) + 1
    while not name and f"Region {number}" in taken:
        number += 1
    region = settings.regions.add()
    region.name = name or f"Region {number}"
    region.start, region.end = min(start, end), max(start, end)
    region.color = REGION_COLOURS[(len(settings.regions) - 1) % len(REGION_COLOURS)]
    settings.active_region = len(settings.regions) - 1


class RIFF_OT_add_region(bpy.types.Operator):
    """Add a region of interest: a part of the timeline for Riff's operators to work on"""

    bl_idname = "riff.add_region"
    bl_label = "Add Region"
    bl_options = {"REGISTER", "UNDO"}

    source: EnumProperty(name="Source", description="Source of the region's frames", items=SOURCE_ITEMS)
    start: IntProperty(name="Start", description="First frame of a region from frames", default=1)
    end: IntProperty(name="End", description="Last frame of a region from frames", default=60)
    name: StringProperty(name="Name", description="Name of the region; empty for a number")

    @classmethod
    def description(cls, context: bpy.types.Context, properties: Any) -> str:
        return next(text for source, _, text, *_ in SOURCE_ITEMS if source == properties.source)

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return set_poll_message(cls, settings_problem(active_armature(context)))

    def execute(self, context: bpy.types.Context) -> Any:
        spans, problem = self._spans(context)
        if problem:
            self.report({"ERROR"}, problem)
            return {"CANCELLED"}
        for start, end, name in spans:
            add_region(active_armature(context), start, end, self.name or name)
        return {"FINISHED"}

    def _spans(self, context: bpy.types.Context) -> tuple[list[Span], str]:
        scene = context.scene
        if self.source == "PREVIEW":
            if not scene.use_preview_range:
                return [], "There is no preview range; set one in the timeline first (P)"
            return [(scene.frame_preview_start, scene.frame_preview_end, "")], ""
        if self.source == "MARKERS":
            return _marker_spans(scene)
        if self.source == "KEYS":
            return _key_span(active_armature(context))
        if self.end <= self.start:
            return [], "The region's end must come after its start"
        return [(self.start, self.end, "")], ""


def _marker_spans(scene: bpy.types.Scene) -> tuple[list[Span], str]:
    markers = sorted((m for m in scene.timeline_markers if m.select), key=lambda m: m.frame)
    spans = [(a.frame, b.frame, a.name) for a, b in itertools.pairwise(markers) if a.frame < b.frame]
    return spans, "" if spans else "Select at least two markers at different frames"


def _key_span(ob: bpy.types.Object) -> tuple[list[Span], str]:
    data = ob.animation_data
    bag = channelbag_of(data.action, data.action_slot) if data and data.action and data.action_slot else None
    if bag is None:
        return [], "The armature has no action with keys"
    frames = [p.co[0] for curve in bag.fcurves for p in curve.keyframe_points if p.select_control_point]
    if not frames or max(frames) - min(frames) < 1:
        return [], "Select keys at two different frames or more"
    return [(round(min(frames)), round(max(frames)), "")], ""


class RIFF_OT_remove_region(ListRemove, bpy.types.Operator):
    """Remove the chosen region of interest; the animation is not changed"""

    bl_idname = "riff.remove_region"
    bl_label = "Remove Region"
    rows, active = "regions", "active_region"
    nothing_chosen = "Choose a region from the list"


class RIFF_OT_mark_region(bpy.types.Operator):
    """Click the first and the last frame of a region in a timeline or dope sheet"""

    bl_idname = "riff.mark_region"
    bl_label = "Mark Region with Two Clicks"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return set_poll_message(cls, settings_problem(active_armature(context)))

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Any:
        if not any(area.type == "DOPESHEET_EDITOR" for area in context.screen.areas):
            self.report({"ERROR"}, "Open a timeline or dope sheet in this window first")
            return {"CANCELLED"}
        self._armature = active_armature(context).name
        self._first: int | None = None
        context.window.cursor_modal_set("CROSSHAIR")
        context.workspace.status_text_set("Click the region's first frame in a timeline; Esc cancels")
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> Any:
        if event.type in {"ESC", "RIGHTMOUSE"} and event.value == "PRESS":
            return self._end(context, {"CANCELLED"})
        if event.type != "LEFTMOUSE" or event.value != "PRESS":
            return {"PASS_THROUGH"}
        frame = _frame_under(context.screen, event.mouse_x, event.mouse_y)
        if frame is None:
            return {"RUNNING_MODAL"}
        if self._first is None:
            self._first = frame
            context.workspace.status_text_set("Click the region's last frame; Esc cancels")
            return {"RUNNING_MODAL"}
        ob: bpy.types.Object | None = context.scene.objects.get(self._armature)
        if frame == self._first or ob is None:
            return {"RUNNING_MODAL"} if ob else self._end(context, {"CANCELLED"})
        add_region(ob, self._first, frame)
        return self._end(context, {"FINISHED"})

    def cancel(self, context: bpy.types.Context) -> None:
        """Restore the pointer; Blender calls this when another file is loaded."""
        self._end(context, {"CANCELLED"})

    def _end(self, context: bpy.types.Context, result: Any) -> Any:
        context.window.cursor_modal_restore()
        context.workspace.status_text_set(status_text())
        return result


def _frame_under(screen: bpy.types.Screen, x: int, y: int) -> int | None:
    """Return the frame under a point of the window; None outside timelines and dope sheets."""
    for area in screen.areas:
        if area.type != "DOPESHEET_EDITOR":
            continue
        for region in area.regions:
            inside = region.x <= x < region.x + region.width and region.y <= y < region.y + region.height
            if region.type == "WINDOW" and inside:
                place: Any = region.view2d.region_to_view(x - region.x, y - region.y)
                return round(place[0])
    return None


CLASSES = (RIFF_OT_add_region, RIFF_OT_remove_region, RIFF_OT_mark_region)
