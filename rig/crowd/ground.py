"""The ground of a crowd: a surface, curves, points, empties, or a plain grid."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

import bpy
import numpy as np
from mathutils import Vector

from ...core.crowd.placement import Spot
from ...core.crowd.spots import GroundSurface, along, grid
from ...core.errors import ClipError
from ...core.files.fields import MAX_MAGNITUDE, check_finite
from ...core.numeric.rotation import Array

ANY_HEADING = math.pi
"""Spread in radians, either way, that allows every heading."""


@dataclass(frozen=True)
class Looks:
    """Directions in which members look, varied by up to `spread` radians either way.

    `mode` is RANDOM, SAME (like the character: `facing`), TARGET (at the point `target`) or ALONG (along a curve, or
    like an empty).
    """

    mode: str
    spread: float
    facing: float = 0.0
    target: tuple[float, float] = (0.0, 0.0)

    def spot(self, place: Array, along: float) -> Spot:
        x, y, z = (float(value) for value in place)
        if self.mode == "RANDOM":
            return Spot((x, y, z), 0.0, ANY_HEADING)
        if self.mode == "TARGET":
            return Spot((x, y, z), math.atan2(self.target[1] - y, self.target[0] - x), self.spread)
        return Spot((x, y, z), along if self.mode == "ALONG" else self.facing, self.spread)


@dataclass(frozen=True, eq=False)
class Ground:
    """The ground of a crowd as plain numbers; `kind` is GRID, SURFACE, CURVE, POINTS or EMPTIES.

    `positions` (n, 3) and `ways` (n,) are points and their headings, `lines` are those of curves, `centre` is a grid's.
    """

    kind: str
    positions: Array
    ways: Array
    lines: Sequence[Array]
    surface: GroundSurface | None
    centre: Array

    def spots(self, count: int, spacing: float, looks: Looks, random: np.random.Generator) -> Iterator[Spot]:
        """Iterate over spots for `count` members in the order of use; there may be more or fewer."""
        if self.kind == "GRID":
            for place in grid(count, spacing, self.centre):
                yield looks.spot(place, looks.facing)
        elif self.kind == "SURFACE" and self.surface is not None:
            for place in self.surface.scatter(count, random):
                yield looks.spot(place, looks.facing)
        elif self.kind == "CURVE":
            for place, way in along(self.lines, count, random):
                yield looks.spot(place, way)
        else:
            for place, way in zip(self.positions, self.ways, strict=True):
                yield looks.spot(place, float(way))


def ground_of(context: bpy.types.Context, kind: str, name: str, detail: float) -> Ground:
    """Return the ground of a kind; `name` is its object's, except for a grid and empties.

    `detail` is the cell size of a surface's height map. Raises ClipError if the object is missing or offers no place.
    """
    none = np.zeros((0, 3))
    centre = np.array(context.scene.cursor.location)
    if kind == "GRID":
        return Ground(kind, none, none[:, 0], (), None, centre)
    if kind == "EMPTIES":
        return _empties(context, centre)
    ob = context.scene.objects.get(name)
    if ob is None:
        raise ClipError("Choose an object for the crowd to stand on." if not name else f"There is no object “{name}”.")
    points, edges, triangles = _sound(*_mesh_of(ob, context))
    if kind == "SURFACE":
        surface = GroundSurface(points[triangles].reshape(-1, 3, 3), detail)
        if surface.area <= 0:
            raise ClipError(f"“{name}” has no face to stand on; its normals must point up.")
        return Ground(kind, none, none[:, 0], (), surface, centre)
    if kind == "CURVE":
        if not len(edges):
            raise ClipError(f"“{name}” has no length; choose a curve.")
        return Ground(kind, none, none[:, 0], list(points[edges]), None, centre)
    if not len(points):
        raise ClipError(f"“{name}” has no points; choose another object.")
    return Ground(kind, points, np.zeros(len(points)), (), None, centre)


def _sound(points: Array, edges: np.ndarray, triangles: np.ndarray) -> tuple[Array, np.ndarray, np.ndarray]:
    """Return points, edges and triangles without those whose coordinates are none, or farther than any body walks."""
    sound = np.isfinite(points).all(axis=1) & (np.abs(points).max(axis=1, initial=0.0) <= MAX_MAGNITUDE)
    number = np.cumsum(sound) - 1
    kept = (number[rows[sound[rows].all(axis=1)]] for rows in (edges, triangles))
    edges, triangles = kept
    return points[sound], edges, triangles


def _empties(context: bpy.types.Context, centre: Array) -> Ground:
    empties = [ob for ob in context.selected_objects if ob.type == "EMPTY"]
    if not empties:
        raise ClipError("Select empties for the members to stand on, too.")
    positions = np.array([ob.matrix_world.translation for ob in empties])
    if not check_finite(positions):
        raise ClipError("An empty is at no valid place; move it, or select others.")
    # Blender's front is -y.
    fronts = [ob.matrix_world.to_3x3() @ Vector((0.0, -1.0, 0.0)) for ob in empties]
    return Ground("EMPTIES", positions, np.array([math.atan2(front.y, front.x) for front in fronts]), (), None, centre)


def _mesh_of(ob: bpy.types.Object, context: bpy.types.Context) -> tuple[Array, np.ndarray, np.ndarray]:
    """Return points (n, 3) in the world, edges (m, 2) and triangles (k, 3) of an evaluated object. Raises ClipError."""
    evaluated = ob.evaluated_get(context.evaluated_depsgraph_get())
    world = np.array(ob.matrix_world)
    if evaluated.type == "CURVES":  # neither 4.5 nor 5.2 converts them to a mesh
        return _curves_of(cast(bpy.types.Curves, evaluated.data), world)
    try:
        mesh = evaluated.to_mesh()
    except RuntimeError:
        mesh = None
    if mesh is None:
        raise ClipError(f"“{ob.name}” has neither faces nor points; choose a mesh or a curve.")
    try:
        points = np.empty(len(mesh.vertices) * 3, dtype=np.float32)
        mesh.vertices.foreach_get("co", points)
        edges = np.empty(len(mesh.edges) * 2, dtype=np.int32)
        mesh.edges.foreach_get("vertices", edges)
        mesh.calc_loop_triangles()
        triangles = np.empty(len(mesh.loop_triangles) * 3, dtype=np.int32)
        mesh.loop_triangles.foreach_get("vertices", triangles)
    finally:
        evaluated.to_mesh_clear()
    return _placed(points, world), edges.reshape(-1, 2), triangles.reshape(-1, 3)


def _curves_of(curves: bpy.types.Curves, world: Array) -> tuple[Array, np.ndarray, np.ndarray]:
    """Return points, edges and no triangles of curves of the newer type."""
    points = np.array([point.position for point in curves.points], dtype=np.float32).ravel()
    steps = [np.arange(curve.points_length - 1) + curve.first_point_index for curve in curves.curves]
    first = np.concatenate([*steps, np.zeros(0, dtype=int)]).astype(int)
    return _placed(points, world), np.stack([first, first + 1], axis=1), np.zeros((0, 3), dtype=int)


def _placed(points: np.ndarray, world: Array) -> Array:
    """Return flat coordinates as positions (n, 3) in the world."""
    with np.errstate(invalid="ignore", over="ignore"):  # what is no number is left out later
        positions: Array = points.reshape(-1, 3).astype(np.float64) @ world[:3, :3].T + world[:3, 3]
    return positions
