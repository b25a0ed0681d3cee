"""Motions made in code: a stick figure that walks and waves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.motion.contacts import with_found_contacts
from core.motion.motion import RATE, Motion, from_transforms, with_contact_labels
from core.motion.skeleton import Skeleton, build_skeleton
from core.numeric.rotation import Array, axis_rotation

JOINTS = {
    "Hips": ("", (0.0, 0.0, 0.88)),
    "Spine": ("Hips", (0.0, 0.0, 0.25)),
    "Head": ("Spine", (0.0, 0.0, 0.45)),
    "LeftArm": ("Spine", (0.2, 0.0, 0.22)),
    "LeftHand": ("LeftArm", (0.55, 0.0, 0.0)),
    "RightArm": ("Spine", (-0.2, 0.0, 0.22)),
    "RightHand": ("RightArm", (-0.55, 0.0, 0.0)),
    "LeftUpLeg": ("Hips", (0.1, 0.0, 0.0)),
    "LeftLeg": ("LeftUpLeg", (0.0, 0.0, -0.42)),
    "LeftFoot": ("LeftLeg", (0.0, 0.0, -0.42)),
    "LeftToe": ("LeftFoot", (0.0, 0.16, -0.04)),
    "RightUpLeg": ("Hips", (-0.1, 0.0, 0.0)),
    "RightLeg": ("RightUpLeg", (0.0, 0.0, -0.42)),
    "RightFoot": ("RightLeg", (0.0, 0.0, -0.42)),
    "RightToe": ("RightFoot", (0.0, 0.16, -0.04)),
}
"""Name, parent and offset in metres of a stick figure that stands with level feet and looks along +Y."""

HIP_HEIGHT = 0.84
STRIDE, CYCLE = 0.6, 1.0
"""Metres between two footprints of one foot, and the seconds they take."""


def stick_figure() -> Skeleton:
    names = list(JOINTS)
    parents = [names.index(parent) if parent else -1 for parent, _ in JOINTS.values()]
    rest = np.array([offset for _, offset in JOINTS.values()])
    for joint in range(1, len(names)):
        rest[joint] += rest[parents[joint]]
    return build_skeleton(names, parents, rest)


def walking_motion(seconds: float = 3.0, fps: float = 30.0, start: float = 0.0) -> Motion:
    """A stick figure that walks along +Y with planted feet, swings one arm and waves the other, never twice alike."""
    time = start + np.arange(round(seconds * fps) + 1) / fps
    skeleton = stick_figure()
    rotations = np.broadcast_to(np.eye(3), (len(time), skeleton.joints, 3, 3)).copy()
    root = np.stack([0.01 * np.sin(3 * time), STRIDE / CYCLE * time, np.full_like(time, HIP_HEIGHT + 0.04)], axis=1)
    for side, phase in (("Left", 0.0), ("Right", 0.5)):
        forward, up = _footprints(time, phase)
        thigh, shin = _bend_leg(forward - root[:, 1], up + 0.04 - root[:, 2])
        for name, angle in (("UpLeg", thigh), ("Leg", shin), ("Foot", -thigh - shin)):
            rotations[:, skeleton.names.index(side + name)] = axis_rotation(0, angle)
    rotations[:, skeleton.names.index("Spine")] = axis_rotation(2, 0.15 * np.sin(1.7 * time))
    rotations[:, skeleton.names.index("LeftArm")] = axis_rotation(1, 1.2 + 0.3 * np.sin(2 * np.pi * time / CYCLE))
    rotations[:, skeleton.names.index("RightArm")] = axis_rotation(
        1, 0.8 * np.sin(4.1 * time) + 0.2 * np.sin(9.3 * time)
    )
    return with_found_contacts(from_transforms(skeleton, rotations, root / skeleton.unit, fps))


def falling_motion(seconds: float = 3.0, fps: float = 30.0) -> Motion:
    """A stick figure that sways, falls on its back in the middle within a third of a second, and lies there."""
    time = np.arange(round(seconds * fps) + 1) / fps
    skeleton = stick_figure()
    fall = np.clip((time - 0.5 * seconds) * 3.0, 0.0, 1.0)
    fall = fall * fall * (3.0 - 2.0 * fall)
    rotations = np.broadcast_to(np.eye(3), (len(time), skeleton.joints, 3, 3)).copy()
    rotations[:, 0] = axis_rotation(0, 0.5 * np.pi * fall)
    for bone, axis, sway, end in (("Spine", 2, 0.2, 0.1), ("LeftArm", 1, 0.4, -0.6), ("RightArm", 1, 0.3, 0.7)):
        angle = sway * np.sin((5.0 + axis) * time) * (1.0 - 0.8 * fall) + end * fall
        rotations[:, skeleton.names.index(bone)] = axis_rotation(axis, angle)
    root = np.stack([0.02 * np.sin(4.0 * time), -0.3 * fall, HIP_HEIGHT + 0.04 - 0.7 * fall], axis=1)
    return with_found_contacts(from_transforms(skeleton, rotations, root / skeleton.unit, fps))


def treadmill_motion(seconds: float = 8.0) -> Motion:
    """The walking stick figure on a treadmill: it stays in place, and its standing feet move back with the belt."""
    walk = walking_motion(seconds)
    features, root = walk.features.copy(), walk.skeleton.root_channel
    features[:, root + 1] -= STRIDE / CYCLE / RATE / walk.skeleton.unit
    return with_contact_labels(replace(walk, features=features))


def standing_motion(seconds: float = 6.0, fps: float = 30.0) -> Motion:
    """The stick figure with both feet planted all the time, knees a little bent, that sways and waves."""
    time = np.arange(round(seconds * fps) + 1) / fps
    skeleton = stick_figure()
    rotations = np.broadcast_to(np.eye(3), (len(time), skeleton.joints, 3, 3)).copy()
    root = np.stack([0.0 * time, 0.02 * np.sin(1.3 * time), HIP_HEIGHT + 0.02 + 0.01 * np.sin(2.1 * time)], axis=1)
    thigh, shin = _bend_leg(-root[:, 1], 0.04 - root[:, 2])
    for side in ("Left", "Right"):
        for name, angle in (("UpLeg", thigh), ("Leg", shin), ("Foot", -thigh - shin)):
            rotations[:, skeleton.names.index(side + name)] = axis_rotation(0, angle)
    rotations[:, skeleton.names.index("LeftArm")] = axis_rotation(1, 1.0 + 0.3 * np.sin(2.7 * time))
    rotations[:, skeleton.names.index("Spine")] = axis_rotation(2, 0.15 * np.sin(1.7 * time))
    return with_found_contacts(from_transforms(skeleton, rotations, root / skeleton.unit, fps))


def _footprints(time: Array, phase: float) -> tuple[Array, Array]:
    """Metres of an ankle along the way, and above its place on the ground: still, then swung forward."""
    steps, part = np.divmod(time / CYCLE + phase, 1.0)
    swing = np.clip((part - 0.55) / 0.45, 0.0, 1.0)
    forward = STRIDE * (steps + swing * swing * (3 - 2 * swing) - phase) + 0.25 * STRIDE
    return forward, 0.12 * np.sin(np.pi * swing)


def _bend_leg(forward: Array, up: Array, bone: float = 0.42) -> tuple[Array, Array]:
    """Angles about X of thigh and shin that bring the ankle to (forward, up) from the hip, the knee in front."""
    reach = np.minimum(np.hypot(forward, up), 1.999 * bone)
    knee = np.arccos(reach / (2 * bone))
    return np.arctan2(forward, -up) + knee, -2 * knee


def bowing_motion() -> Motion:
    """The stick figure stands, bows and spreads its arms."""
    walk = walking_motion(4.0)
    time = np.arange(walk.frames) / walk.fps
    rotations = np.broadcast_to(np.eye(3), (walk.frames, walk.skeleton.joints, 3, 3)).copy()
    root = np.repeat([[0.0, 0.0, 0.88]], walk.frames, axis=0)
    rotations[:, walk.skeleton.names.index("Spine")] = axis_rotation(0, 1.0 + 0.3 * np.sin(2.1 * time))
    rotations[:, walk.skeleton.names.index("LeftArm")] = axis_rotation(1, -0.5 + 0.3 * np.sin(3.3 * time))
    rotations[:, walk.skeleton.names.index("RightArm")] = axis_rotation(1, 0.5 + 0.3 * np.sin(2.7 * time))
    return from_transforms(walk.skeleton, rotations, root * walk.skeleton.offsets[0, 2] / 0.88, walk.fps)


def bends(motion: Motion) -> np.ndarray:
    """The angle by which the spine is bent forward, in each frame."""
    spine = motion.rotations()[:, motion.skeleton.names.index("Spine")]
    return np.asarray(np.arctan2(spine[:, 2, 1], spine[:, 2, 2]))
