"""Marks of the found feet and body parts for the 3D viewports, while the box Root and Feet is open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import bpy
from mathutils import Vector

from .armature_summary import Summary, summary_of
from .poll_messages import armature_problem

Color = tuple[float, float, float]
Point = tuple[float, float, float]

ROOT_COLOR: Color = (0.95, 0.95, 0.95)
"""Colour of the part Root."""

PART_COLORS: tuple[Color, ...] = (
    (0.20, 0.60, 0.86),
    (0.90, 0.49, 0.13),
    (0.30, 0.69, 0.31),
    (0.80, 0.35, 0.71),
    (0.95, 0.77, 0.06),
    (0.10, 0.74, 0.61),
    (0.85, 0.30, 0.30),
    (0.55, 0.55, 0.95),
)
"""Colours of the other parts in their order, used in turn."""

LINGER_SECONDS = 0.1
"""Seconds from the drawing of the panel's header until a box that was not drawn counts as closed."""


@dataclass(frozen=True)
class PartLines:
    """Lines from head to tail of a part's bones, in the world, and their colour."""

    color: Color
    points: Sequence[Point]


@dataclass(frozen=True)
class RigMarks:
    """Everything to draw over an armature: its parts, the heads of its feet, and the height of its bones."""

    parts: tuple[PartLines, ...]
    feet: tuple[Point, ...]
    height: float


@dataclass
class Box:
    """The box Root and Feet: drawn since the header above it, and open as the viewports know it."""

    drawn: bool = False
    open: bool = False


box = Box()


def header_drawn() -> None:
    """Note that the panel is being drawn anew; the box counts as closed unless it is drawn after this."""
    box.drawn = False
    if box.open:
        _look_soon()


def box_drawn() -> None:
    """Note that the box is open."""
    box.drawn = True
    if not box.open:
        _look_soon()


def marks_of(ob: bpy.types.Object | None) -> RigMarks | None:
    """Return the marks of the active armature as it is posed now; None while the box is closed or nothing is known."""
    if not box.open or ob is None or armature_problem(ob) or not ob.visible_get():
        return None
    summary = summary_of(ob)
    return None if summary is None or summary.problem else _marks(ob, summary)


def part_colors(parts: Sequence[str]) -> dict[str, Color]:
    """Return a colour for each part of a list of bones' parts, in order of appearance."""
    names = [name for name in dict.fromkeys(parts) if name != "Root"]
    colors = {name: PART_COLORS[number % len(PART_COLORS)] for number, name in enumerate(sorted(names))}
    return {"Root": ROOT_COLOR} | colors


def _marks(ob: bpy.types.Object, summary: Summary) -> RigMarks:
    bones, world = ob.pose.bones, ob.matrix_world
    colors = part_colors([part for _, _, part in summary.rows])
    lines: dict[str, list[Point]] = {}
    for name, _, part in summary.rows:
        bone = bones.get(name)
        if bone is not None:
            lines.setdefault(part, []).extend((_point(world @ bone.head), _point(world @ bone.tail)))
    feet = tuple(_point(world @ bones[name].head) for name in summary.feet if name in bones)
    heights = [point[2] for points in lines.values() for point in points]
    parts = tuple(PartLines(colors.get(part, ROOT_COLOR), points) for part, points in lines.items())
    return RigMarks(parts, feet, max(heights) - min(heights) if heights else 0.0)


def _point(vector: Vector) -> Point:
    return vector.x, vector.y, vector.z


def _look_soon() -> None:
    if not bpy.app.timers.is_registered(update_box):
        bpy.app.timers.register(update_box, first_interval=LINGER_SECONDS)


def update_box() -> None:
    """Take over whether the box is open, and redraw the viewports if that changed."""
    if box.open != box.drawn:
        box.open = box.drawn
        for window in bpy.context.window_manager.windows:
            for area in window.screen.areas:
                if area.type == "VIEW_3D":
                    area.tag_redraw()


def unregister() -> None:
    box.open = box.drawn = False
    if bpy.app.timers.is_registered(update_box):
        bpy.app.timers.unregister(update_box)
