"""Pins: joints held at places in some frames; the whole body follows before and after, standing feet stay."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..errors import ClipError
from ..motion.feet_cleanup import moving_legs
from ..motion.leg_ik import Leg, LegIK
from ..motion.motion import RATE, Motion
from ..motion.resampling import with_path
from ..motion.skeleton import BODY, GROUP, Skeleton
from ..numeric.blending import FIXED, least_jerk_offsets, patterns_of
from ..numeric.rotation import Array, turn_six, vector_from_rotation
from .body_ik import BodyIK, Hold, limb_of
from .pinned_feet import PinnedFeet, follows
from .places import SAME_PLACE, Pin, Places

DECAYS = (3.5, 5.0, 7.0, 10.0)
"""Decays in frames at 30 fps with which a correction fades; the first that is smooth is taken."""

ROOT_DECAY = 1.5
"""Factor of the decay for the root: a body accelerates more slowly than a hand."""

SMOOTH = 1.08
"""Roughness around a pin, as a ratio to that of the take without it, up to which a correction is smooth."""

FOLLOW = 0.1 * BODY
"""Distance in core units by which the whole body follows a pin before the limb alone goes on: further, and who holds on
with a hand would lean over."""

ROUNDS = 4
"""Times that pins and feet are solved one after the other."""

FOOT_WEIGHT, LIFTED_WEIGHT = 0.5, 0.15
"""Weights of standing and of lifted feet, where a pin's is 1."""

MOST_SLIP = 0.02 * BODY
"""Distance in core units by which a pin may draw a standing foot; a pin that needs more is out of reach."""

AROUND_SECONDS = 1.0
"""Time before and after a pin in which roughness counts."""


def pinned(motion: Motion, places: Places, keep: Array, source: Motion) -> Motion:
    """Return a motion whose joints are at their pins; what `keep` (T, groups) keeps exactly does not change.

    Other feet keep their paths. Raises ClipError, naming bone and frame, for a pin that cannot be reached, with the
    distance that is missing, and for one in frames that are kept.
    """
    if not places.pins:
        return motion
    rows = places.pinned_rows
    _check_free(motion.skeleton, places, keep)
    best, least = motion, np.inf
    for decay in DECAYS:
        tried = _Correction(motion, places, keep, source, decay).motion()
        rough = _roughness(tried, rows) / max(_roughness(motion, rows), 1e-9)
        if rough < least:
            best, least = tried, rough
        if rough <= SMOOTH:
            break
    _check_reached(best, motion, places)
    return best


def missing(motion: Motion, pins: Sequence[Pin]) -> list[Array]:
    """Return the ways (N, 3) in core units from the joint to its place, for each pin."""
    return [pin.places - motion.slice(pin.start, pin.stop).positions()[:, pin.joint] for pin in pins]


def _check_free(skeleton: Skeleton, places: Places, keep: Array) -> None:
    for pin in places.pins:
        chain = [pin.joint, *skeleton.ancestors(pin.joint)]
        kept = (keep[pin.start : pin.stop][:, chain] >= FIXED).all(1)
        kept &= keep[pin.start : pin.stop, skeleton.root_channel // GROUP] >= FIXED
        if kept.any():
            frame = places.first + pin.start + int(kept.argmax())
            raise ClipError(
                f"“{skeleton.names[pin.joint]}” is pinned at frame {frame}, where its motion is kept; move the pin."
            )


def _slips(motion: Motion, before: Motion, places: Places) -> Array:
    """Return how far (T,) in core units the feet are drawn off where they stand, but for pinned legs."""
    contacts = list(motion.skeleton.contacts)
    if not contacts:
        return np.zeros(motion.frames)
    off = np.linalg.norm(motion.positions()[:, contacts] - before.positions()[:, contacts], axis=-1)
    off[before.contact_labels() <= 0.5] = 0.0
    follow = [follows(motion.skeleton, places.pins, joint) for joint in contacts]
    return np.asarray(np.where(follow, 0.0, off).max(axis=1))


def _check_reached(motion: Motion, before: Motion, places: Places) -> None:
    skeleton, slips = motion.skeleton, _slips(motion, before, places)
    ways, first = missing(motion, places.pins), missing(before, places.pins)
    for pin, way, whole in zip(places.pins, ways, first, strict=True):
        far, slip = np.linalg.norm(way, axis=1), slips[pin.start : pin.stop]
        if far.max() > SAME_PLACE or slip.max() > MOST_SLIP:
            far = np.minimum(far + slip, np.linalg.norm(whole, axis=1))
            row = int(far.argmax())
            raise ClipError(
                f"“{skeleton.names[pin.joint]}” cannot reach its pin at frame {places.first + pin.start + row}: "
                f"{far[row] * skeleton.unit:.4g} are missing; move the pin nearer."
            )


def _roughness(motion: Motion, rows: NDArray[np.int64]) -> float:
    """Return the mean acceleration of the joints around some rows."""
    reach = round(AROUND_SECONDS * motion.fps)
    start, stop = max(0, int(rows[0]) - reach), min(motion.frames, int(rows[-1]) + reach + 1)
    near = motion.slice(start, stop).positions()
    return float(np.linalg.norm(np.diff(near, 2, axis=0), axis=-1).mean()) if len(near) > 2 else 0.0


@dataclass(frozen=True, eq=False)
class _Correction:
    """Correction of a motion that brings joints to their pins and fades with a decay in frames at 30 fps."""

    start: Motion
    places: Places
    keep: Array
    source: Motion
    decay: float

    def motion(self) -> Motion:
        """Return the corrected motion: pins and feet in turn, since each moves the other a little."""
        pins, result = self.places.pins, self.start
        feet = PinnedFeet(result, pins, self.decay) if result.skeleton.contacts else None
        if feet is not None and feet.rows:
            wanted = feet.carried_by(list(zip(pins, missing(result, pins), strict=True)))
            result = self._with_feet(self._near_stands(result, feet, wanted), feet, wanted)
        if any(pin.joint == 0 for pin in pins):
            result = self._with_feet(self._with_root(result), feet)
        for _ in range(ROUNDS):
            result = self._with_feet(self._with_pins(result, feet), feet)
            if max(float(np.linalg.norm(way, axis=1).max()) for way in missing(result, pins)) < 0.1 * SAME_PLACE:
                break
        return self._with_pins(result, feet)

    def _with_pins(self, motion: Motion, feet: PinnedFeet | None) -> Motion:
        rows = self.places.pinned_rows
        return self._moved(motion, rows, self._holds(rows, feet))

    def _with_root(self, motion: Motion) -> Motion:
        """Return the motion with its root at the root's own pins; nothing turns."""
        known, rows = np.zeros((motion.frames, 3)), np.zeros(motion.frames, dtype=bool)
        for pin, way in zip(self.places.pins, missing(motion, self.places.pins), strict=True):
            if pin.joint == 0:
                known[pin.start : pin.stop], rows[pin.start : pin.stop] = way, True
        keep = self.keep[:, motion.skeleton.root_channel // GROUP]
        spread = self._spread(np.flatnonzero(rows), known[rows], keep, ROOT_DECAY)
        return _with_root(motion, motion.root_positions() + spread)

    def _near_stands(self, motion: Motion, feet: PinnedFeet, wanted: dict[int, Array]) -> Motion:
        """Return the motion with the body, not the legs, so near to pinned stands, in all of them, that legs reach."""
        legs = self._free_legs()
        movers = {joint for leg in moving_legs(self.source) for joint in leg.movers}
        for _ in range(ROUNDS):
            strain = feet.strain(motion, legs, wanted)
            if strain is None:
                break
            hold = Hold(strain.top, np.ones(1), strain.place[None])
            motion = self._moved(motion, np.array([strain.row]), [hold], (strain.start, strain.stop), movers)
        return motion

    def _free_legs(self) -> list[Leg]:
        """Return the legs of which no frame is kept."""
        return [leg for leg in moving_legs(self.source) if not (self.keep[:, list(leg.movers)] >= FIXED).any()]

    def _moved(
        self,
        motion: Motion,
        rows: NDArray[np.int64],
        holds: Sequence[Hold],
        over: tuple[int, int] | None = None,
        without: Collection[int] = (),
    ) -> Motion:
        """Return the motion with the body moved so that it holds in some rows; the change fades beyond them.

        A change in one row is the same in all rows [start, stop) that it goes `over`; joints `without` it stay.
        """
        skeleton = motion.skeleton
        body = BodyIK(motion, rows)
        local, offsets, root = body.local.copy(), body.offsets.copy(), body.root.copy()
        kept = (self.keep[rows] >= FIXED).any(0)
        movers = [joint for joint in range(skeleton.joints) if not kept[joint]]
        root_moves = not kept[skeleton.root_channel // GROUP]
        if over is None:
            # The whole body goes a little of the way, the limb the rest of it; the body again where that is too far.
            body.solve([_nearer(hold, body) for hold in holds], movers, root_moves=root_moves)
            limbs = {joint for pin in self.places.pins for joint in limb_of(skeleton, pin.joint)}
            body.solve(holds, [joint for joint in movers if joint in limbs], root_moves=False)
        body.solve(holds, movers, root_moves=root_moves)
        turns = vector_from_rotation(local.swapaxes(-1, -2) @ body.local)
        features = motion.features.copy()
        count = len(rows)
        if over is not None:
            count, rows = 1, np.arange(*over)
        moved = [joint for joint in movers if joint not in without and np.abs(turns[joint]).max() > 1e-9]
        for joints, pattern in _patterns(self.keep, moved):
            spread = self._spread(rows, turns[joints].swapaxes(0, 1).reshape(count, -1), pattern)
            for joint, vectors in zip(joints, spread.reshape(motion.frames, -1, 3).swapaxes(0, 1), strict=True):
                columns = slice(joint * GROUP, (joint + 1) * GROUP)
                features[:, columns] = turn_six(features[:, columns], vectors)
        for group, (joint, channel) in enumerate(
            zip(skeleton.translated, skeleton.translated_channels, strict=True), skeleton.root_channel // GROUP + 1
        ):
            slid = body.offsets[joint] - offsets[joint]
            if joint not in without and np.abs(slid).max() > 0:
                features[:, channel : channel + 3] += self._spread(rows, slid, self.keep[:, group])
        result = replace(motion, features=features)
        spread = self._spread(rows, body.root - root, self.keep[:, skeleton.root_channel // GROUP], ROOT_DECAY)
        return _with_root(result, motion.root_positions() + spread)

    def _holds(self, rows: NDArray[np.int64], feet: PinnedFeet | None) -> list[Hold]:
        """Return the pins, and the feet that none of them moves, as holds in the pinned rows."""
        holds = []
        for pin in self.places.pins:
            at = np.searchsorted(rows, np.arange(pin.start, pin.stop))
            weights, where = np.zeros(len(rows)), np.zeros((len(rows), 3))
            weights[at], where[at] = 1.0, pin.places
            turns = None
            if pin.turns is not None:
                turns = np.repeat(np.eye(3)[None], len(rows), axis=0)
                turns[at] = pin.turns
            holds.append(Hold(pin.joint, weights, where, turns))
        labels = self.start.contact_labels()
        for contact, joint in enumerate(self.start.skeleton.contacts if feet is not None else ()):
            if feet is not None and contact not in feet.rows:
                weights = np.where(labels[rows, contact] > 0.5, FOOT_WEIGHT, LIFTED_WEIGHT)
                holds.append(Hold(joint, weights, feet.path(contact)[rows]))
        return holds

    def _with_feet(self, motion: Motion, feet: PinnedFeet | None, wanted: dict[int, Array] | None = None) -> Motion:
        """Return the motion with all feet on their paths; those of pinned legs stand where the pin puts them.

        For the latter, paths (T, 3) may be `wanted`, by contact.
        """
        if feet is None:
            return motion
        skeleton, pose = motion.skeleton, LegIK(motion)
        wanted, moved = wanted or feet.led_to(pose), False
        for leg in self._free_legs():
            target = wanted[leg.contact] if leg.contact in wanted else feet.path(leg.contact)
            if np.abs(target - pose.path_of(skeleton.contacts[leg.contact])).max() > 1e-9:
                pose.solve_steadily(leg, target)
                moved = True
        if not moved:
            return motion
        solved = pose.motion(motion, motion.contact_labels() > 0.5)
        solved.features[:, skeleton.contact_channels] = motion.features[:, skeleton.contact_channels]
        return solved

    def _spread(self, rows: NDArray[np.int64], values: Array, keep: Array, factor: float = 1.0) -> Array:
        """Extend values (P, C) of some rows to all rows; nothing changes where `keep` (T,) is exact."""
        known, weights = np.zeros((self.start.frames, values.shape[1])), np.where(keep >= FIXED, 1.0, 0.0)
        known[rows], weights[rows] = values, 1.0
        known[keep >= FIXED] = 0.0
        return least_jerk_offsets(known, weights, factor * self.decay * self.start.fps / RATE)


def _nearer(hold: Hold, body: BodyIK) -> Hold:
    """Return a hold whose places are no further than FOLLOW from where the joint is."""
    now = body.positions[hold.joint]
    way = hold.places - now
    share = np.minimum(1.0, FOLLOW / np.maximum(np.linalg.norm(way, axis=1), 1e-9))
    return replace(hold, places=now + share[:, None] * way)


def _patterns(keep: Array, joints: Sequence[int]) -> list[tuple[NDArray[np.int64], Array]]:
    """Group joints by the rows in which they are kept exactly."""
    exact = np.where(keep[:, list(joints)] >= FIXED, 1.0, 0.0)
    chosen = np.array(joints, dtype=np.int64)
    found = [(chosen[columns], pattern) for columns, pattern in patterns_of(exact)]
    free = chosen[~exact.any(0)] if len(chosen) else chosen
    return [*found, (free, np.zeros(len(keep)))] if len(free) else found


def _with_root(motion: Motion, positions: Array) -> Motion:
    """Return the motion with root positions (T, 3)."""
    result = with_path(motion, positions[:, :2])
    result.features[:, motion.skeleton.root_channel + 2] = positions[:, 2]
    return result
