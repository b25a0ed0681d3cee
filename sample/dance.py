"""Computation of the sample dance, in numpy alone: from steps and gestures to each bone's rotation on every frame."""

from dataclasses import dataclass

import numpy as np

from ..core.numeric.rotation import Array, axis_rotation
from .arms import arm_turns
from .bones import rest_bones
from .curves import smoothed, smoothed_below, table
from .feet import FootTrack, foot_point, foot_rotation, foot_track, toe_rotation, weight_on_left
from .gestures import GROOVE, HEAD, PELVIS, TORSO
from .steps import DANCE_BEATS, SECONDS_PER_BEAT

SIDES = ("L", "R")
"""Suffixes of the left and the right bones."""

MAX_LEG_STRETCH = 0.992
"""Largest distance from hip to ankle relative to the leg's length, so that no knee locks."""

HEEL_BEHIND_ANKLE_METRES = 0.045
"""Distance of the heel behind the ankle joint."""


@dataclass(frozen=True)
class Dance:
    """The dance over n frames: rotations of the bones and position of the hips.

    `rotations` maps each bone to its rotations from rest (n, 3, 3) in armature space; `hips` (n, 3) is the head of the
    hips bone in metres.
    """

    rotations: dict[str, Array]
    hips: Array


def frame_count(fps: float) -> int:
    """Return the number of frames of the whole dance at a frame rate."""
    return round(DANCE_BEATS * SECONDS_PER_BEAT * fps)


def work_out_dance(fps: float) -> Dance:
    """Solve the choreography at a frame rate: feet first, the pelvis over them, legs by IK, then the upper body."""
    beats = np.arange(frame_count(fps)) / (fps * SECONDS_PER_BEAT)
    frames_per_beat = fps * SECONDS_PER_BEAT
    feet = {side: foot_track(side, beats) for side in SIDES}
    weight = weight_on_left(beats, frames_per_beat)
    body = _Body(beats, frames_per_beat, feet, weight)
    rotations = {"hips": body.hips, **body.torso(), **body.arms()}
    position = body.position()
    for side in SIDES:
        rotations |= _leg(side, feet[side], body, position)
    return Dance(rotations, position)


def _point(bone: str) -> Array:
    return np.array(rest_bones()[bone].head)


def _oriented(yaw: Array, roll: Array, pitch: Array) -> Array:
    """Return rotations from degrees: yaw to the left, then roll with the left side down, then pitch forward."""
    yaw, roll, pitch = np.radians(yaw), np.radians(roll), np.radians(pitch)
    return axis_rotation(2, yaw) @ axis_rotation(1, roll) @ axis_rotation(0, pitch)


class _Body:
    """The trunk over the feet; legs, arms and head depend on it."""

    def __init__(self, beats: Array, frames_per_beat: float, feet: dict[str, FootTrack], weight: Array) -> None:
        self.beats, self.frames_per_beat, self.feet, self.weight = beats, frames_per_beat, feet, weight
        self.drop, pitch, roll, twist = table(PELVIS, beats)
        self.bounce, sway = table(GROOVE, beats)
        heading = 0.5 * (feet["L"].heading + feet["R"].heading)
        self.heading = self._blurred(heading, 0.2)
        self.yaw = self.heading + self._blurred(twist, 0.1)
        self.sway = self._blurred(2.0 * weight - 1.0, 0.1) * sway
        self.roll, self.pitch = self._blurred(roll, 0.1) - self.sway, self._blurred(pitch, 0.1)
        self.hips = _oriented(self.yaw, self.roll, self.pitch)

    def _blurred(self, values: Array, beats: float) -> Array:
        return smoothed(values, beats * self.frames_per_beat)

    def position(self) -> Array:
        """Return the hips (n, 3) over the supporting feet, as low as authored and within reach of the standing legs."""
        anchors = {side: self._anchor(track) for side, track in self.feet.items()}
        share = self.weight[:, None]
        carried = share * anchors["L"] + (1.0 - share) * anchors["R"]
        floor = self._blurred(0.72 * carried + 0.14 * (anchors["L"] + anchors["R"]), 0.2)
        bounce = self.bounce * (0.5 + 0.5 * np.cos(2.0 * np.pi * self.beats))
        height = _point("hips")[2] - self._blurred(self.drop + bounce, 0.08)
        ceiling = np.min([self._ceiling(side, floor) for side in SIDES], axis=0)
        height = _soft_minimum(height, smoothed_below(ceiling, 0.16 * self.frames_per_beat))
        return np.concatenate([floor, height[:, None]], axis=1)

    def _anchor(self, track: FootTrack) -> Array:
        heading = np.radians(track.heading)
        return track.stand - 0.085 * np.stack([np.sin(heading), -np.cos(heading)], axis=-1)

    def _ceiling(self, side: str, floor: Array) -> Array:
        ankle, socket = _ankle(side, self.feet[side]), self.socket(side)
        aside = np.linalg.norm(floor + socket[:, :2] - ankle[:, :2], axis=1)
        height = (
            ankle[:, 2]
            + np.sqrt(np.maximum((MAX_LEG_STRETCH * sum(_leg_lengths())) ** 2 - aside**2, 0.01))
            - socket[:, 2]
        )
        return np.where(self.feet[side].planted, height, 2.0)

    def socket(self, side: str) -> Array:
        """Return the offset (n, 3) of a hip joint from the head of the hips bone."""
        return self.hips @ (_point(f"thigh.{side}") - _point("hips"))

    def torso(self) -> dict[str, Array]:
        """Return the rotations of spine, chest, neck and head; the chest compensates for the pelvis's sway."""
        lean, bend, twist = self._blurred(table(TORSO, self.beats).T, 0.1).T
        turn, nod, tilt = self._blurred(table(HEAD, self.beats).T, 0.06).T
        chest = np.array([self.yaw + twist, lean - 0.55 * self.roll, 0.4 * self.pitch + bend])
        hips = np.array([self.yaw, self.roll, self.pitch])
        head = np.array([chest[0] + turn, 0.35 * chest[1] + tilt, 0.3 * chest[2] + nod])
        self.chest = _oriented(*chest)
        spine, neck = _oriented(*(0.5 * (hips + chest))), _oriented(*(0.5 * (chest + head)))
        return {"spine": spine, "chest": self.chest, "neck": neck, "head": _oriented(*head)}

    def arms(self) -> dict[str, Array]:
        """Return the rotations of shoulders, arms and hands, which follow the chest."""
        rotations = {}
        for side in SIDES:
            for name, turn in arm_turns(side, self.beats, self.frames_per_beat).items():
                rotations[f"{name}.{side}"] = self.chest @ turn
        return rotations


def _soft_minimum(a: Array, b: Array, softness: float | Array = 0.006) -> Array:
    """Smoothly take the lower of two heights; the result stays below both."""
    return np.minimum(a, b) - softness * np.log1p(np.exp(-np.abs(a - b) / softness))


def _leg_lengths() -> tuple[float, float]:
    hip, knee, ankle = _point("thigh.L"), _point("shin.L"), _point("foot.L")
    return float(np.linalg.norm(knee - hip)), float(np.linalg.norm(ankle - knee))


def _ankle(side: str, track: FootTrack) -> Array:
    ankle, ball = _point(f"foot.{side}"), _point(f"toe.{side}")
    heel = np.array([ankle[0], ankle[1] + HEEL_BEHIND_ANKLE_METRES, 0.0])
    return foot_point(track, ankle, ball, heel)


def _leg(side: str, track: FootTrack, body: _Body, position: Array) -> dict[str, Array]:
    """Solve two-bone IK: bend the knee in the direction of foot and pelvis until the ankle reaches its foot."""
    thigh, shin = _leg_lengths()
    reach = _ankle(side, track) - position - body.socket(side)
    distance = np.linalg.norm(reach, axis=1, keepdims=True)
    along = reach / distance
    # A standing foot is always in reach; a kicking one is held back gently, or the knee would pop at full stretch.
    softness = 1e-4 + 0.02 * np.clip(track.lift / 0.15, 0.0, 1.0)[:, None]
    distance = np.minimum(
        distance, _soft_minimum(distance, MAX_LEG_STRETCH * (thigh + shin) + 0.5 * softness, softness)
    )
    distance = np.minimum(distance, MAX_LEG_STRETCH * (thigh + shin))
    hinge = _knee_hinge(along, 0.5 * (track.heading + body.heading))
    forward = np.cross(along, hinge)
    cos = np.clip((thigh**2 + distance**2 - shin**2) / (2.0 * thigh * distance), -1.0, 1.0)
    knee = thigh * (cos * along + np.sqrt(1.0 - cos**2) * forward)
    ends = {f"thigh.{side}": knee, f"shin.{side}": distance * along - knee}
    rotations = {name: _hinged(hinge, end) @ _hinged(*_rest_hinge(name)).T for name, end in ends.items()}
    return rotations | {f"foot.{side}": foot_rotation(track), f"toe.{side}": toe_rotation(track)}


def _knee_hinge(along: Array, heading: Array) -> Array:
    """Return the knee's hinge axis (n, 3): the dancer's left, tilted as the leg swings out of the vertical.

    Tilting by the shortest rotation from straight down keeps the axis defined for a leg raised to the front.
    """
    left = axis_rotation(2, np.radians(heading))[..., 0]
    between = along + np.array([0.0, 0.0, -1.0])
    return left - (along * left).sum(1, keepdims=True) / (1.0 - along[:, 2:]) * between


def _rest_hinge(bone: str) -> tuple[Array, Array]:
    rest = rest_bones()[bone]
    return np.array([1.0, 0.0, 0.0]), np.subtract(rest.tail, rest.head)


def _hinged(hinge: Array, end: Array) -> Array:
    """Return frames (…, 3, 3) of a bone that points to `end` and rotates about `hinge`."""
    along = end / np.linalg.norm(end, axis=-1, keepdims=True)
    return np.stack([hinge, along, np.cross(hinge, along)], axis=-1)
