"""Operators that direct a model: vary body parts, fill regions, keep keys, place moments, extend, loop, re-style."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import bpy
from bpy.props import BoolProperty, EnumProperty, StringProperty

from ..core.directing.direction import Direction, Span, names_in, parse_moments, parse_spans
from ..core.errors import ClipError
from ..core.motion.body_parts import joints_named
from ..core.motion.motion import Motion
from ..core.motion.skeleton import Skeleton
from ..core.motion.symmetry import mirrored
from ..rig.reading.read import read_steps
from ..rig.reading.selection import bones_of_collection, selected_bones, selected_key_frames
from ..state.compose_settings import (
    NOT_REMEMBERED,
    ExtendChoices,
    LengthChoices,
    LoopChoices,
    MaskChoices,
    StyleChoices,
    compose_settings,
)
from ..state.rig_settings import active_armature, regions_of
from ..state.source import source_steps
from .runs.compose_run import ComposeRun

WHICH_ITEMS = [
    ("PARTS", "Body Parts", "Parts or bones by their names"),
    ("SELECTED", "Selected Bones", "The bones selected in Pose Mode"),
    ("COLLECTION", "Bone Collection", "The bones of a bone collection"),
]


def regions_meant(ob: bpy.types.Object, text: str) -> tuple[Span, ...]:
    """Return the regions in a text; for an empty text, the armature's own enabled ones."""
    return parse_spans(text) if text.strip() else tuple((r.start, r.end) for r in regions_of(ob))


class _Masked(MaskChoices, ComposeRun):
    """Mixin with three masks, which can be combined: body parts, regions, keys."""

    which: EnumProperty(
        name="Bones", description="Choice of the bones", items=WHICH_ITEMS, default="PARTS", options=NOT_REMEMBERED
    )
    parts: StringProperty(
        name="Parts",
        description="Body parts or bones, separated by commas, such as Upper Body or Left Arm",
        default="Upper Body",
        options=NOT_REMEMBERED,
    )
    keep: BoolProperty(
        name="Keep",
        description="Keep the chosen bones and vary all others, instead of varying them",
        default=False,
        options=NOT_REMEMBERED,
    )
    regions: StringProperty(
        name="Regions",
        description="Spans of frames such as 40-90, 120-160; empty for the armature's own regions",
        options=NOT_REMEMBERED,
    )

    def direction(self: Any, context: bpy.types.Context, first: int) -> Direction:
        ob = active_armature(context)
        return Direction(
            first,
            self._kept(context) if self.use_parts else None,
            regions_meant(ob, self.regions) if self.use_regions else None,
            selected_key_frames(ob) if self.use_keys else None,
            self.firmness,
        )

    def _kept(self: Any, context: bpy.types.Context) -> tuple[str, ...]:
        """Return the names of the bones to keep."""
        skeleton = self._content.skeleton
        chosen = joints_named(skeleton, self._names_chosen(context, skeleton))
        if self.mirror:
            chosen = mirrored(skeleton, chosen)
        kept = chosen if self.keep else set(range(skeleton.joints)) - set(chosen)
        if not chosen:
            raise ClipError("Riff has not learned the chosen bones; choose others.")
        return tuple(skeleton.names[joint] for joint in sorted(kept))

    def _names_chosen(self: Any, context: bpy.types.Context, skeleton: Skeleton) -> tuple[str, ...]:
        if self.which == "SELECTED":
            return tuple(name for name in selected_bones(active_armature(context)) if name in skeleton.names)
        if self.which == "COLLECTION":
            names = bones_of_collection(active_armature(context), self.collection)
            return tuple(name for name in names if name in skeleton.names)
        return names_in(self.parts)


class RIFF_OT_vary_parts(_Masked, bpy.types.Operator):
    """Make new motion for some body parts and keep the others; the root moves with the legs"""

    bl_idname = "riff.vary_parts"
    bl_label = "Vary Body Parts"
    result = "Parts"

    use_parts: BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})


class RIFF_OT_fill_regions(_Masked, bpy.types.Operator):
    """Make new motion in regions of the timeline and keep everything outside exactly"""

    bl_idname = "riff.fill_regions"
    bl_label = "Fill Regions"
    result = "Fill"

    use_regions: BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})


class RIFF_OT_keep_keys(_Masked, bpy.types.Operator):
    """Make new motion between the selected keyframes and keep their poses"""

    bl_idname = "riff.keep_keys"
    bl_label = "Keep Selected Keys"
    result = "Keys"

    use_keys: BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})


class RIFF_OT_place_moments(LengthChoices, ComposeRun, bpy.types.Operator):
    """Place moments of the action in a new take, with new motion between them"""

    bl_idname = "riff.place_moments"
    bl_label = "Place Moments"
    result = "Moments"

    moments: StringProperty(
        name="Moments",
        description="Spans and their new frames, such as 40-90@1, 40-90@150; empty for the panel's list",
        options=NOT_REMEMBERED,
    )

    def direction(self: Any, context: bpy.types.Context, first: int) -> Direction:
        moments = parse_moments(self.moments) if self.moments.strip() else _moments_of(context)
        if not moments:
            raise ClipError("There is no moment to place; add one to the list.")
        return Direction(first, moments=moments, length=self.length)


def _moments_of(context: bpy.types.Context) -> tuple[tuple[int, int, int], ...]:
    known = {region.name: region for region in regions_of(active_armature(context), only_used=False)}
    moments = []
    for moment in compose_settings(context).moments:
        region = known.get(moment.region)
        if region is None:
            raise ClipError(f"There is no region “{moment.region}”; choose another one for the moment.")
        moments.append((region.start, region.end, moment.frame))
    return tuple(moments)


class RIFF_OT_extend_action(LengthChoices, ExtendChoices, ComposeRun, bpy.types.Operator):
    """Continue the action beyond its end or before its start; the existing motion is kept exactly"""

    bl_idname = "riff.extend_action"
    bl_label = "Extend"
    result = "Extended"

    def direction(self: Any, context: bpy.types.Context, first: int) -> Direction:
        after = 0 if self.length else self.after
        return Direction(first, before=self.before, after=after, length=self.length)

    def finished(self: Any, context: bpy.types.Context) -> Any:
        result, scene = super().finished(context), context.scene
        if self.fit_range:
            for first, last in (bpy.data.actions[name].frame_range for name in self._names):
                scene.frame_start = min(scene.frame_start, max(0, int(first)))
                scene.frame_end = max(scene.frame_end, int(last))
        return result


class RIFF_OT_loop_action(LoopChoices, ComposeRun, bpy.types.Operator):
    """Make a take that repeats without a jump: its last frame matches the first in pose and speed"""

    bl_idname = "riff.loop_action"
    bl_label = "Loop"
    result = "Loop"

    def direction(self: Any, context: bpy.types.Context, first: int) -> Direction:
        travels = {"AUTO": None, "RETURN": False, "TRAVEL": True}[self.travel]
        return Direction(first, loop=True, transition=self.transition, travels=travels)


class RIFF_OT_restyle(StyleChoices, ComposeRun, bpy.types.Operator):
    """Apply the style of the model to another action of this rig or of a similar one"""

    bl_idname = "riff.restyle"
    bl_label = "Re-style"
    result = "Style"

    action: StringProperty(
        name="Action", description="Action to re-style; empty for the armature's active action", options=NOT_REMEMBERED
    )
    armature: StringProperty(
        name="Armature",
        description="Armature object that the action belongs to; empty for the active one",
        options=NOT_REMEMBERED,
    )

    def direction(self: Any, context: bpy.types.Context, first: int) -> Direction:
        return Direction(first, style=self.style)

    def content(self: Any, context: bpy.types.Context) -> Generator[float, None, Motion]:
        owner = bpy.data.objects.get(self.armature) if self.armature else active_armature(context)
        if owner is None or owner.type != "ARMATURE":
            raise ClipError(f"There is no armature “{self.armature}”; choose the armature of the action.")
        if not self.action:
            return source_steps(owner, context.scene)
        action = bpy.data.actions.get(self.action)
        if action is None:
            raise ClipError(f"There is no action “{self.action}”; choose another one.")
        return read_steps(owner, action, scene=context.scene)

    def bones(self: Any, context: bpy.types.Context) -> dict[str, str] | None:
        if not self.armature or self.armature == active_armature(context).name:
            return None
        pairs = compose_settings(context).bones
        return {pair.name: pair.other for pair in pairs if pair.other} or None


CLASSES = (
    RIFF_OT_vary_parts,
    RIFF_OT_fill_regions,
    RIFF_OT_keep_keys,
    RIFF_OT_place_moments,
    RIFF_OT_extend_action,
    RIFF_OT_loop_action,
    RIFF_OT_restyle,
)
