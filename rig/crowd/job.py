"""Generation of a crowd in a thread: choose, finish and place its members, and compute their keys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...core.crowd.candidates import CandidatePool
from ...core.crowd.crowd import Crowd, CrowdSpec, Figures, Member
from ...core.crowd.placement import Floor, Spot, sampled
from ...core.crowd.terrain import Heights, over_ground
from ...core.errors import Cancelled
from ...core.model.model import Model
from ...core.motion.motion import Motion
from ...core.motion.skeleton import BODY
from ...core.numeric.rotation import Array, axis_rotation
from ..background.jobs import BackgroundJob
from .keys import CurveName, KeyMaker, Keys, root_path

STOREY_BODY_HEIGHTS = 0.3
"""Largest height of the ground above or below a spot, in body heights; beyond that it is another storey."""


@dataclass(frozen=True, eq=False)
class MemberResult:
    """A finished member: seed and number, its keys, the row seen first, its armature's world matrix.

    `place` is the spot that it took. `path` (R, 3), the path of its root, and `spot` (2, 3), the position and direction
    that it was given, are in the armature's space.
    """

    key: tuple[int, int]
    keys: Keys
    offset: int
    world: Array
    path: Array
    spot: Array
    place: tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class CrowdRequest:
    """A request for a crowd: the members wanted and their relation to the scene.

    `level` is the height of the floor in the motion's world. `unit_scale` is the armature's size now relative to its
    size when it was learned. `heights` returns the height of uneven ground at positions (..., 2).
    """

    spec: CrowdSpec
    fps: float
    loop: bool
    clean: bool
    floor: Floor
    spots: Iterator[Spot]
    taken: Sequence[tuple[int, int]]
    level: float
    unit_scale: float
    heights: Heights | None = None


class CrowdJob(BackgroundJob):
    """Makes the members of a crowd.

    `ready` grows while it runs; `names` are the curves of their keys. `figures` and `next`, the first unused number of
    the seed, are set once the job is DONE.
    """

    def __init__(self, model: Model, request: CrowdRequest, maker: KeyMaker) -> None:
        super().__init__("Making the crowd")
        self.ready: list[MemberResult] = []
        self.names: list[CurveName] = []
        self.figures = Figures()
        self.next = request.spec.first
        self._model, self._request, self._maker = model, request, maker

    def _receive(self, kind: str, value: Any) -> None:
        if kind == "ready":
            self.ready += value
        elif kind == "names":
            self.names = value
        elif kind == "figures":
            self.figures, self.next = value
        super()._receive(kind, value)

    def _work(self) -> None:
        request = self._request
        rows = request.spec.frames + (1 if request.loop else request.spec.phase)
        pool = CandidatePool(self._model, rows, request.fps, loop=request.loop, clean=request.clean)
        crowd = Crowd(pool, request.spec, request.floor, request.spots, request.unit_scale)
        for members in crowd.blocks(request.taken, self._should_stop):
            if members and not self.names:
                self._send("names", self._maker.names(members[0].motion))
            with ThreadPoolExecutor(2, "riff-keys") as pool_of_keys:
                self._send("ready", list(pool_of_keys.map(self._prepare, members)))
        if self._should_stop():
            raise Cancelled
        self._send("figures", (crowd.figures, crowd.next))

    def _prepare(self, member: Member) -> MemberResult:
        request, plan = self._request, self._maker.plan
        path = root_path(member.motion, plan.world)
        seen = (
            np.roll(path[:-1], -member.offset, axis=0) if request.loop else path[member.offset :][: request.spec.frames]
        )
        world = self._world(member)
        place, heading = member.placed.spot.place, member.placed.spot.heading
        spot = np.array([[*place, 1.0], [np.cos(heading), np.sin(heading), 0.0, 0.0]])
        spot = (spot @ np.linalg.inv(world).T)[:, :3]
        keys = self._maker.keys(self._on_ground(member))
        return MemberResult(member.key, keys, member.offset, world, sampled(seen), spot, place)

    def _on_ground(self, member: Member) -> Motion:
        """Return the member's motion over uneven ground; it stays level if the ground is on another storey than its
        spot.
        """
        heights, unit = self._request.heights, member.motion.skeleton.unit
        if heights is None:
            return member.motion
        spot = np.array(member.placed.spot.place)
        turn = member.scale * _turn_of(member)[:2, :2]
        ground = float(heights(spot[None, :2])[0])
        if not abs(ground - spot[2]) <= STOREY_BODY_HEIGHTS * BODY * unit * member.scale:
            return member.motion

        def above_spot(positions: Array) -> Array:
            world = spot[:2] + (unit * positions - member.pivot[:2]) @ turn.T
            return (heights(world) - ground) / (member.scale * unit)

        return over_ground(member.motion, above_spot)

    def _world(self, member: Member) -> Array:
        """Return the armature's world matrix (4, 4) that puts the motion's pivot on its spot, rotated and scaled as
        placed.
        """
        place = np.eye(4)
        place[:3, :3] = member.scale * _turn_of(member)
        pivot = member.pivot + np.array([0.0, 0.0, self._request.level])
        place[:3, 3] = np.array(member.placed.spot.place) - place[:3, :3] @ pivot
        return place @ self._maker.plan.world


def _turn_of(member: Member) -> Array:
    return axis_rotation(2, np.array(member.placed.heading - member.course.facing))
