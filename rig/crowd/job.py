"""Making a crowd beside Blender, in a thread of its own: choosing, finishing, placing, and working out the keys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...core.crowd.crowd import CrowdSpec, Figures
from ...core.crowd.placement import Floor, Spot, sampled
from ...core.crowd.terrain import Heights, over_ground
from ...core.errors import TrainingStopped
from ...core.model.model import Model
from ...core.motion.motion import Motion
from ...core.motion.skeleton import BODY
from ...core.numeric.rotation import Array, axis_rotation
from ..background.jobs import BackgroundJob
from .keys import CurveName, KeyMaker, Keys, root_path

if TYPE_CHECKING:
    from ...core.crowd.crowd import Member

STOREY = 0.3
"""Body heights from a spot to the top of the surface above which the surface is another storey."""


@dataclass(frozen=True, eq=False)
class MemberResult:
    """A member as it will be written: seed and number, its keys, the row seen first, its armature's world matrix.

    `place` is the spot that it took. In the armature's space are `path` (R, 3), where its root goes, and `spot` (2, 3),
    where it was put and the way that it was to look.
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
    """What a crowd is made of: the wish and how motions get onto the armature.

    `level` is the height of the floor in the motion's world; `unit_scale` how much larger
    the armature is now than it was when it was learned; `heights` tell how high uneven ground is at places (..., 2).
    """

    wish: CrowdSpec
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
    """Makes the members of a crowd. `ready` grows meanwhile; `names` are the curves that their keys are for; `figures`
    and `next` (the first number of the seed that is not used yet) are there once the job is DONE."""

    def __init__(self, model: Model, order: CrowdRequest, maker: KeyMaker) -> None:
        super().__init__("Making the crowd")
        self.ready: list[MemberResult] = []
        self.names: list[CurveName] = []
        self.figures = Figures()
        self.next = order.wish.first
        self._model, self._order, self._maker = model, order, maker

    def _receive(self, kind: str, value: Any) -> None:
        if kind == "ready":
            self.ready += value
        elif kind == "names":
            self.names = value
        elif kind == "figures":
            self.figures, self.next = value
        super()._receive(kind, value)

    def _work(self) -> None:
        from ...core.crowd.candidates import CandidatePool
        from ...core.crowd.crowd import Crowd

        order = self._order
        rows = order.wish.frames + (1 if order.loop else order.wish.phase)
        pool = CandidatePool(self._model, rows, order.fps, loop=order.loop, clean=order.clean)
        crowd = Crowd(pool, order.wish, order.floor, order.spots, order.unit_scale)
        for members in crowd.blocks(order.taken, self._should_stop):
            if members and not self.names:
                self._send("names", self._maker.names(members[0].motion))
            with ThreadPoolExecutor(2, "riff-keys") as pool_of_keys:
                self._send("ready", list(pool_of_keys.map(self._prepare, members)))
        if self._should_stop():
            raise TrainingStopped
        self._send("figures", (crowd.figures, crowd.next))

    def _prepare(self, member: Member) -> MemberResult:
        order, plan = self._order, self._maker.plan
        path = root_path(member.motion, plan.world)
        seen = np.roll(path[:-1], -member.offset, axis=0) if order.loop else path[member.offset :][: order.wish.frames]
        world = self._world(member)
        place, heading = member.placed.spot.place, member.placed.spot.heading
        spot = np.array([[*place, 1.0], [np.cos(heading), np.sin(heading), 0.0, 0.0]])
        spot = (spot @ np.linalg.inv(world).T)[:, :3]
        keys = self._maker.keys(self._on_ground(member))
        return MemberResult(member.key, keys, member.offset, world, sampled(seen), spot, place)

    def _on_ground(self, member: Member) -> Motion:
        """The member's motion as it goes over the ground there is; on another storey than its spot it stays level."""
        heights, unit = self._order.heights, member.motion.skeleton.unit
        if heights is None:
            return member.motion
        spot = np.array(member.placed.spot.place)
        turn = member.scale * _turn_of(member)[:2, :2]
        there = float(heights(spot[None, :2])[0])
        if not abs(there - spot[2]) <= STOREY * BODY * unit * member.scale:
            return member.motion

        def above_spot(positions: Array) -> Array:
            world = spot[:2] + (unit * positions - member.pivot[:2]) @ turn.T
            return (heights(world) - there) / (member.scale * unit)

        return over_ground(member.motion, above_spot)

    def _world(self, member: Member) -> Array:
        """Where the armature stands so that the motion's pivot comes to its spot, turned and sized as placed."""
        place = np.eye(4)
        place[:3, :3] = member.scale * _turn_of(member)
        pivot = member.pivot + np.array([0.0, 0.0, self._order.level])
        place[:3, 3] = np.array(member.placed.spot.place) - place[:3, :3] @ pivot
        return place @ self._maker.plan.world


def _turn_of(member: Member) -> Array:
    return axis_rotation(2, np.array(member.placed.heading - member.course.facing))
