"""Operators that add regions of interest, from marks in the timeline or by a drag, move and remove them."""

from __future__ import annotations

import itertools
from typing import Any

import bpy
from bpy.props import EnumProperty, IntProperty, StringProperty

from ..rig.compat import MAX_FRAME, channelbag_of
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

EDGE_PIXELS = 6
"""Pixels from an edge within which a drag takes hold of it."""


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
    keys = [p.co[0] for curve in bag.fcurves for p in curve.keyframe_points if p.select_control_point]
    frames = [frame for frame in keys if abs(frame) <= MAX_FRAME]  # no NaN either
    if not frames or max(frames) - min(frames) < 1:
        return [], "Select keys at two different frames or more"
    return [(round(min(frames)), round(max(frames)), "")], ""


class RIFF_OT_remove_region(ListRemove, bpy.types.Operator):
    """Remove the chosen region of interest; the animation is not changed"""

    bl_idname = "riff.remove_region"
    bl_label = "Remove Region"
    rows, active = "regions", "active_region"
    nothing_chosen = "Choose a region from the list"


class RegionDrag:
    """A drag along the timeline of an armature: on an edge of a region it moves the edge, on a region all of it, and on
    an empty place it makes one.

    Nothing of Blender's is kept from one event to the next, since scripts may undo or remove meanwhile: the armature is
    handed over each time, and a region that is gone ends the drag, see `is_lost`.
    """

    def __init__(self, ob: bpy.types.Object, frame: float, tolerance: float) -> None:
        """Begin at a frame; edges are taken hold of within `tolerance` frames."""
        self._first, self._made = _whole(frame), False
        self._row, self._moves = _grip(rig_settings(ob).regions, frame, tolerance)
        self._before = self._now = (self._first, self._first)
        if self._row is not None:
            rig_settings(ob).active_region = self._row
            self._before = self._now = _ends_of(ob, self._row)

    @property
    def changed(self) -> bool:
        return self._row is not None and (self._made or self._now != self._before)

    def is_lost(self, ob: bpy.types.Object) -> bool:
        """Return whether the region is no longer where this drag has left it."""
        return self._row is not None and (
            self._row >= len(rig_settings(ob).regions) or _ends_of(ob, self._row) != self._now
        )

    def move(self, ob: bpy.types.Object, frame: float) -> None:
        """Go on to a frame; an edge that is moved past the other one takes its place."""
        here = _whole(frame)
        if self._row is None:
            if here == self._first:
                return
            add_region(ob, self._first, here)
            self._row, self._made, self._moves = rig_settings(ob).active_region, True, (False, True)
        start, end = (
            edge + (here - self._first if moves else 0) for edge, moves in zip(self._before, self._moves, strict=True)
        )
        # Blender clamps both edges; a region moved to the end of all frames would become shorter.
        past = max(0, max(start, end) - MAX_FRAME) + min(0, min(start, end) + MAX_FRAME)
        region = rig_settings(ob).regions[self._row]
        region.start, region.end = min(start, end) - past, max(start, end) - past
        self._now = _ends_of(ob, self._row)

    def take_back(self, ob: bpy.types.Object) -> None:
        """Leave the regions as they were before the drag."""
        if self._row is None or self.is_lost(ob):
            return
        settings = rig_settings(ob)
        if self._made:
            settings.regions.remove(self._row)
            settings.active_region = max(0, len(settings.regions) - 1)
        else:
            settings.regions[self._row].start, settings.regions[self._row].end = self._before


def _whole(frame: float) -> int:
    """Return the whole frame under a place of a timeline, one that Blender knows."""
    return round(min(max(-MAX_FRAME, frame), MAX_FRAME))


def _ends_of(ob: bpy.types.Object, row: int) -> tuple[int, int]:
    region = rig_settings(ob).regions[row]
    return region.start, region.end


def _grip(regions: Any, frame: float, tolerance: float) -> tuple[int | None, tuple[bool, bool]]:
    """Return the region under a frame, and whether its start and its end move with the pointer.

    The nearest edge comes first, then the region drawn above others.
    """
    edges = [
        (abs(edge - frame), row, (is_start, not is_start))
        for row, region in enumerate(regions)
        for edge, is_start in ((region.start, True), (region.end, False))
    ]
    if edges and min(edges)[0] <= tolerance:
        return min(edges)[1:]
    inside = [row for row, region in enumerate(regions) if region.start <= frame <= region.end]
    return (inside[-1], (True, True)) if inside else (None, (False, False))


class RIFF_OT_drag_region(bpy.types.Operator):
    """Drag in a timeline or dope sheet: on an empty place to make a region, on a region or its edge to move it"""

    bl_idname = "riff.drag_region"
    bl_label = "Drag Region"
    bl_options = {"REGISTER", "UNDO"}

    _drag: RegionDrag | None = None
    _begun_at = 0, 0

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return set_poll_message(cls, settings_problem(active_armature(context)))

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Any:
        if not any(area.type == "DOPESHEET_EDITOR" for area in context.screen.areas):
            self.report({"ERROR"}, "Open a timeline or dope sheet in this window first")
            return {"CANCELLED"}
        self._armature, self._drag = active_armature(context).name, None
        context.window.cursor_modal_set("MOVE_X")
        context.workspace.status_text_set(
            "Drag in a timeline: an empty place for a new region, a region or its edge to move it; Esc cancels"
        )
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> Any:
        ob: bpy.types.Object | None = context.scene.objects.get(self._armature)
        given_up = event.type in {"ESC", "RIGHTMOUSE"} and event.value == "PRESS"
        if ob is None or given_up or (self._drag is not None and self._drag.is_lost(ob)):
            if ob is not None and self._drag is not None:
                self._drag.take_back(ob)
            return self._end(context, {"CANCELLED"})
        if event.type == "LEFTMOUSE" and event.value == "PRESS":
            self._begun_at = event.mouse_x, event.mouse_y
            here, beside = (self._frame(context, event.mouse_x + points) for points in (0, EDGE_PIXELS))
            if here is None or beside is None:
                return {"PASS_THROUGH"}
            self._drag = RegionDrag(ob, here, beside - here)
        elif self._drag is not None and event.type in {"MOUSEMOVE", "LEFTMOUSE"}:
            here = self._frame(context, event.mouse_x)
            if here is not None:
                self._drag.move(ob, here)
            if event.type == "LEFTMOUSE" and event.value == "RELEASE":
                return self._released(context)
        elif self._drag is None:
            return {"PASS_THROUGH"}
        return {"RUNNING_MODAL"}

    def _released(self, context: bpy.types.Context) -> Any:
        """End after a drag; a click changes nothing, and the next drag is waited for."""
        if self._drag is not None and self._drag.changed:
            return self._end(context, {"FINISHED"})
        self._drag = None
        return {"RUNNING_MODAL"}

    def _frame(self, context: bpy.types.Context, x: int) -> float | None:
        """Return the frame under a point of the window, in the timeline where the drag began; None if that is gone."""
        place = _timeline_under(context.screen, *self._begun_at)
        return float(place.view2d.region_to_view(x - place.x, 0)[0]) if place is not None else None

    def cancel(self, context: bpy.types.Context) -> None:
        """Restore the pointer; Blender calls this when another file is loaded."""
        self._end(context, {"CANCELLED"})

    def _end(self, context: bpy.types.Context, result: Any) -> Any:
        context.window.cursor_modal_restore()
        context.workspace.status_text_set(status_text())
        return result


def _timeline_under(screen: bpy.types.Screen, x: int, y: int) -> Any:
    """Return the region of the timeline or dope sheet under a point of the window, or None."""
    for area in screen.areas:
        if area.type != "DOPESHEET_EDITOR":
            continue
        # The list of channels and the sidebar lie over the window where Blender's regions overlap.
        regions = sorted(area.regions, key=lambda region: region.type == "WINDOW")
        for region in regions:
            if region.x <= x < region.x + region.width and region.y <= y < region.y + region.height:
                return region if region.type == "WINDOW" else None
    return None


CLASSES = (RIFF_OT_add_region, RIFF_OT_remove_region, RIFF_OT_drag_region)
