"""Preparation of a crowd: from settings and a scene to a job, with all that needs Blender data."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import bpy
import numpy as np

from ...core.crowd.crowd import CrowdSpec
from ...core.crowd.placement import Floor, Spot, sampled
from ...core.crowd.spots import GroundSurface
from ...core.crowd.trajectories import Span, clearance, floor_height, forward_of, seen_during, trajectory_of
from ...core.errors import ClipError
from ...core.generation.generate import with_strength
from ...core.model.model import Model
from ...core.motion.skeleton import BODY, Space
from ...core.numeric.rotation import Array
from ..reading.actions import Source, armature_of, source_of
from ..reading.evaluate import sample_poses
from ..writing.write import plan_writing
from .crowd import crowd_of, key_of, others_in, settings_of_crowd, world_path
from .ground import Looks, ground_of
from .job import CrowdJob, CrowdRequest
from .keys import KeyMaker
from .settings import CrowdSettings

GROUND_CELL_SHARE = 0.1
"""Cell size of a surface's height map, relative to the distance between members."""

MIN_CANDIDATES, MAX_CANDIDATES_PER_MEMBER = 240, 12.0
"""Candidates that even a small crowd chooses from, but at most MAX_CANDIDATES_PER_MEMBER for each: they cost little."""


@dataclass(frozen=True, eq=False)
class PreparedJob:
    """A job that can start, the maker of its members' keys, and the distance between members that was settled on."""

    job: CrowdJob
    maker: KeyMaker
    distance: float


def prepare(
    context: bpy.types.Context,
    armature: bpy.types.Object,
    model: Model,
    settings: CrowdSettings,
    count: int,
    *,
    present: Sequence[bpy.types.Object] = (),
    crowd: bpy.types.Collection | None = None,
    spots: Sequence[Spot] | None = None,
) -> PreparedJob:
    """Prepare `count` members.

    `present` are members of their `crowd` that stay; `spots` replace those of the settings. Raises RiffError if the
    crowd cannot be made.
    """
    armature = armature_of(armature)
    if model.skeleton.reference_frames[:1] == (Space.OBJECT,):
        raise ClipError(
            f"“{armature.name}” moves as an object, but the crowd places its members' objects; key a bone instead."
        )
    source = learned_source(armature, settings)
    plan = plan_writing(armature, model.source, source)
    scale = _scale(plan.poses.world[0]) / _scale(plan.world)
    distance = settings.distance or scale * clearance(model.source)
    height = scale * BODY * model.skeleton.unit
    detail = GROUND_CELL_SHARE * max(distance, 0.1 * height)
    if spots is None:
        ground = ground_of(context, settings.kind, settings.ground, detail)
        surface = ground.surface
        spacing = settings.spacing or distance + 0.5 * scale * _radius(model, settings.frames)
        random = np.random.default_rng([settings.seed & 0xFFFFFFFF, settings.next, 11])
        chosen: Iterator[Spot] = ground.spots(count, spacing, _looks(context, model, settings), random)
    else:  # the places where they stand, even if somebody moved them off the surface
        surface, chosen = _surface_under(context, settings, detail), iter(spots)
    floor = Floor(distance, surface.covers if surface and spots is None else None)
    _take_up(context, floor, armature, plan.joints[0], [*present, *others_in(context.scene, crowd)], settings)
    request = CrowdRequest(
        spec=_spec(settings, count),
        fps=context.scene.render.fps / context.scene.render.fps_base,
        loop=settings.loop,
        clean=settings.clean_feet,
        floor=floor,
        spots=chosen,
        taken=[key for key in map(key_of, present) if key is not None],
        level=floor_height(model.source, float(plan.world[2, 3])),
        unit_scale=scale,
        heights=surface.heights if surface else None,
    )
    maker = KeyMaker(plan, settings.light, spacing=source.spacing() if source is not None else 1)
    job = CrowdJob(with_strength(model, settings.coarse, settings.fine), request, maker)
    return PreparedJob(job, maker, distance)


def _surface_under(context: bpy.types.Context, settings: CrowdSettings, detail: float) -> GroundSurface | None:
    """Return the surface that a crowd was scattered on, if it is still there."""
    if settings.kind != "SURFACE" or settings.ground not in context.scene.objects:
        return None
    return ground_of(context, settings.kind, settings.ground, detail).surface


def learned_source(armature: bpy.types.Object, settings: CrowdSettings) -> Source | None:
    """Return the action that defines the keyed channels; None if the character no longer has one.

    It is looked up each time: a slot or channelbag kept while a person edits may be freed memory.
    """
    action = bpy.data.actions.get(settings.source) if settings.source else None
    return source_of(armature, action) if action is not None else None


def _spec(settings: CrowdSettings, count: int) -> CrowdSpec:
    phase = settings.frames - 1 if settings.loop else settings.phase
    pool = (
        settings.pool if settings.loop else max(settings.pool, min(MAX_CANDIDATES_PER_MEMBER, MIN_CANDIDATES / count))
    )
    return CrowdSpec(
        count=count,
        frames=settings.frames,
        seed=settings.seed,
        first=settings.next,
        phase=phase,
        uneven=settings.uneven,
        pool=pool,
        centred=settings.centred,
    )


def _looks(context: bpy.types.Context, model: Model, settings: CrowdSettings) -> Looks:
    facing = trajectory_of(model.source, forward_of(model.source)).facing
    if settings.looks != "TARGET":
        return Looks(settings.looks, settings.spread, facing)
    target = context.scene.objects.get(settings.target)
    if target is None:
        raise ClipError("Choose an object for the members to face.")
    place = target.matrix_world.translation
    return Looks("TARGET", settings.spread, facing, (place.x, place.y))


def _take_up(
    context: bpy.types.Context,
    floor: Floor,
    armature: bpy.types.Object,
    root: int,
    present: Sequence[bpy.types.Object],
    settings: CrowdSettings,
) -> None:
    """Mark the paths of the character and of the members that stay as occupied; `root` is the index
    of its root bone.
    """
    spans: dict[bpy.types.Collection, Span] = {}
    own = Span(settings.frame_start, settings.frames, settings.loop)
    for member in present:
        path, home = world_path(member), crowd_of(member)
        if path is None or home is None:
            continue
        if home not in spans:
            spans[home] = _span_of(home, own)
        floor.add(seen_during(path, spans[home], own))
    if armature.visible_get():
        floor.add(_path_of(context, armature, root, settings))


def _span_of(crowd: bpy.types.Collection, own: Span) -> Span:
    """Return the frames in which a crowd moves; those of the new crowd if it does not say."""
    try:
        theirs = CrowdSettings.from_json(settings_of_crowd(crowd))
    except ClipError:
        return own
    return Span(theirs.frame_start, theirs.frames, theirs.loop)


def _path_of(context: bpy.types.Context, armature: bpy.types.Object, root: int, settings: CrowdSettings) -> Array:
    """Return the root's path (PATH_ROWS, 2) in the character's own action during the crowd's frames."""
    try:
        source = source_of(armature)
    except ClipError:
        source = None  # it stands still
    rows = sampled(np.arange(settings.frames, dtype=np.float64))
    poses = sample_poses(armature, source, [settings.frame_start + int(row) for row in rows], context.scene)
    path: Array = (poses.world @ poses.pose[:, root])[:, :2, 3]
    return path


def _radius(model: Model, frames: int) -> float:
    """Return roughly how far the source gets from the middle of its path in `frames` rows, in its own units."""
    path = model.source.root_positions()[:frames, :2]
    return 0.5 * float(np.linalg.norm(np.ptp(path, axis=0))) * model.skeleton.unit


def _scale(world: Array) -> float:
    return float(np.cbrt(abs(np.linalg.det(world[:3, :3]))))


def unplaced_message(settings: CrowdSettings, distance: float, count: int, placed: int) -> str:
    """Return a message for a crowd with fewer members than wanted."""
    many = f"Placed {placed} of {count}: "
    apart = f"the others would come closer than {distance:.2f} to a neighbour"
    if settings.kind == "SURFACE":
        return f"{many}“{settings.ground}” has no room for more at a distance of {distance:.2f}"
    if settings.kind == "CURVE":
        return f"{many}“{settings.ground}” is too short for more at a distance of {distance:.2f}"
    if settings.kind in ("POINTS", "EMPTIES"):
        what = "points" if settings.kind == "POINTS" else "empties"
        return f"{many}no more {what} keep a distance of {distance:.2f}"
    return many + apart


def updated_settings(settings: CrowdSettings, job: CrowdJob) -> CrowdSettings:
    """Return the settings after a job, with the numbers used up and the distances measured."""
    figures = job.figures
    smallest = figures.smallest if math.isfinite(figures.smallest) else 0.0
    known = [value for value in (settings.smallest, smallest) if value > 0]
    nearest = float(np.max(figures.from_source)) if figures.from_source else settings.from_source
    return replace(settings, next=job.next, smallest=min(known, default=0.0), from_source=nearest)
