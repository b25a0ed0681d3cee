"""Rounded tubes with bone weights, from which the sample dancer's body is built."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from ..core.numeric.rotation import Array
from .curves import through_keys

Profile = Sequence[tuple[float, float, float, float]]

RING_VERTICES = 12
"""Vertices around a tube."""


class Joint(NamedTuple):
    """A joint along a tube: from `at` (m) on `bone` has the weight, blended over `width` metres to either side."""

    bone: str
    at: float
    width: float


@dataclass(frozen=True)
class Tube:
    """A tube from its profile: rows of (distance, radius aside, radius in depth, offset in depth), all in metres.

    It runs from `origin` along `along`; `aside` and `depth` span its cross-section. `colours` lists the distances at
    which materials begin; `square` above 1 flattens the sides of the cross-section.
    """

    origin: Array
    along: Array
    aside: Array
    depth: Array
    profile: Profile
    joints: Sequence[Joint]
    colours: Sequence[tuple[float, int]]
    rings: int = 16
    square: float = 1.0


@dataclass
class BodyMesh:
    """A mesh under construction: vertices, faces, a material for each face, bone weights for each vertex."""

    vertices: list[Array] = field(default_factory=list)
    faces: list[tuple[int, ...]] = field(default_factory=list)
    materials: list[int] = field(default_factory=list)
    weights: dict[str, list[tuple[int, float]]] = field(default_factory=dict)

    def add(self, tube: Tube) -> None:
        """Append one tube, closed at both ends."""
        first = len(self.vertices)
        table = np.array(tube.profile)
        distance = _ring_distances(table[:, 0], tube.rings)
        aside, depth, offset = through_keys(table[:, 0], table[:, 1:], distance).T
        angle = np.arange(RING_VERTICES) * 2.0 * np.pi / RING_VERTICES
        wide, deep = _rounded(np.cos(angle), tube.square), _rounded(np.sin(angle), tube.square)
        for row, (d, a, b, c) in enumerate(zip(distance, aside, depth, offset, strict=True)):
            ring = tube.origin + d * tube.along + np.outer(a * wide, tube.aside) + np.outer(b * deep + c, tube.depth)
            self.vertices.extend(ring)
            self._weigh(range(first + row * RING_VERTICES, first + (row + 1) * RING_VERTICES), _shares(tube.joints, d))
            if row:
                self._band(first + (row - 1) * RING_VERTICES, _colour(tube.colours, 0.5 * (d + distance[row - 1])))
        last = first + (tube.rings - 1) * RING_VERTICES
        self._cap(tuple(range(first + RING_VERTICES - 1, first - 1, -1)), tube.colours[0][1])
        self._cap(tuple(range(last, last + RING_VERTICES)), tube.colours[-1][1])

    def _weigh(self, rows: range, shares: dict[str, float]) -> None:
        for bone, share in shares.items():
            self.weights.setdefault(bone, []).extend((row, share) for row in rows)

    def _band(self, ring: int, material: int) -> None:
        for k in range(RING_VERTICES):
            after = (k + 1) % RING_VERTICES
            self.faces.append((ring + k, ring + after, ring + RING_VERTICES + after, ring + RING_VERTICES + k))
            self.materials.append(material)

    def _cap(self, corners: tuple[int, ...], material: int) -> None:
        self.faces.append(corners)
        self.materials.append(material)


def _rounded(values: Array, square: float) -> Array:
    return np.sign(values) * np.abs(values) ** (1.0 / square)


def _ring_distances(keys: Array, rings: int) -> Array:
    """Spread rings evenly over the profile's rows, so that closely authored ends come out round."""
    return np.interp(np.linspace(0.0, len(keys) - 1.0, rings), np.arange(len(keys)), keys)


def _shares(joints: Sequence[Joint], distance: float) -> dict[str, float]:
    shares = {joints[0].bone: 1.0}
    for before, joint in pairwise(joints):
        s = np.clip(0.5 + 0.5 * (distance - joint.at) / joint.width, 0.0, 1.0)
        taken = shares[before.bone] * float(s * s * (3.0 - 2.0 * s))
        shares[before.bone] -= taken
        shares[joint.bone] = taken
    return {bone: share for bone, share in shares.items() if share > 1e-3}


def _colour(colours: Sequence[tuple[float, int]], distance: float) -> int:
    return [material for start, material in colours if start <= distance][-1]
