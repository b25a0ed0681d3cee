"""Skeleton of the sample dancer at rest: 1.75 m tall, Z up, facing -Y, arms hanging at 45 degrees."""

from typing import NamedTuple

Point = tuple[float, float, float]


class RestBone(NamedTuple):
    """A bone at rest: name of its parent (empty for the root), head and tail in metres, direction of its Z axis."""

    parent: str
    head: Point
    tail: Point
    z_axis: Point


FRONT: Point = (0.0, -1.0, 0.0)
UP: Point = (0.0, 0.0, 1.0)

MIDDLE = {
    "hips": RestBone("", (0.0, 0.0, 0.95), (0.0, 0.0, 1.05), FRONT),
    "spine": RestBone("hips", (0.0, 0.0, 1.05), (0.0, 0.008, 1.20), FRONT),
    "chest": RestBone("spine", (0.0, 0.008, 1.20), (0.0, 0.012, 1.43), FRONT),
    "neck": RestBone("chest", (0.0, 0.012, 1.43), (0.0, -0.006, 1.52), FRONT),
    "head": RestBone("neck", (0.0, -0.006, 1.52), (0.0, -0.006, 1.75), FRONT),
}
LEFT = {
    "shoulder": RestBone("chest", (0.022, 0.0, 1.405), (0.160, 0.012, 1.398), FRONT),
    "upper_arm": RestBone("shoulder", (0.160, 0.012, 1.398), (0.352, 0.012, 1.206), FRONT),
    "forearm": RestBone("upper_arm", (0.352, 0.012, 1.206), (0.528, 0.012, 1.030), FRONT),
    "hand": RestBone("forearm", (0.528, 0.012, 1.030), (0.646, 0.012, 0.912), FRONT),
    "thigh": RestBone("hips", (0.092, 0.0, 0.92), (0.092, -0.014, 0.50), FRONT),
    "shin": RestBone("thigh", (0.092, -0.014, 0.50), (0.092, 0.022, 0.086), FRONT),
    "foot": RestBone("shin", (0.092, 0.022, 0.086), (0.092, -0.112, 0.022), UP),
    "toe": RestBone("foot", (0.092, -0.112, 0.022), (0.092, -0.186, 0.022), UP),
}


def _mirrored(point: Point) -> Point:
    return (-point[0], point[1], point[2])


def _sided(name: str, side: str) -> str:
    return f"{name}.{side}" if name in LEFT else name


def rest_bones() -> dict[str, RestBone]:
    """Return all bones of the dancer by name, parents before children."""
    bones = dict(MIDDLE)
    for name, bone in LEFT.items():
        bones[f"{name}.L"] = bone._replace(parent=_sided(bone.parent, "L"))
        mirrored = RestBone(_sided(bone.parent, "R"), _mirrored(bone.head), _mirrored(bone.tail), bone.z_axis)
        bones[f"{name}.R"] = mirrored
    return bones
