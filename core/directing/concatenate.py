"""Concatenation of several clips of one rig to a single training clip, so that variations move between them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..cycles.find import find_cycle
from ..cycles.unroll import repeated
from ..errors import ClipError
from ..model.learned_clips import LearnedClip
from ..motion.headings import turn_between, turn_motion
from ..motion.motion import RATE, Motion, with_contact_labels
from ..motion.properties import AnimatedProperty
from ..motion.resampling import resample
from ..motion.retarget import onto_skeleton, with_names_of
from ..motion.skeleton import GROUP, Skeleton
from ..numeric.rotation import interpolate_six
from .composition import Composition
from .finalise import blend_kept

CYCLES_SECONDS = 4.0
"""Length, in seconds, to which shorter cycles are repeated."""

PASSAGE_FRAMES = 24
"""Frames at 30 fps between two clips: the time of a step, a small part of the training data."""


def mix(motions: Sequence[Motion]) -> Motion:
    """Concatenate clips at 30 fps, each turned and moved to continue where the one before ends.

    Short cycles are repeated. Passages between clips have least jerk. The contacts are those of all clips. Raises
    ClipError for no clip or clips of different skeletons.
    """
    return mix_named([str(number) for number in range(len(motions))], motions)[0]


def mix_named(names: Sequence[str], motions: Sequence[Motion]) -> tuple[Motion, tuple[LearnedClip, ...]]:
    """Concatenate clips like `mix`; also return which rows of the result are those of each.

    A name that repeats is told apart by a number.
    """
    result, *rest = on_one_skeleton([_part_of_mix(motion) for motion in motions])
    clips = [LearnedClip(names[0], 0, result.frames)]
    for name, motion in zip(names[1:], rest, strict=True):
        start = result.frames + PASSAGE_FRAMES
        clips.append(LearnedClip(_new_name(name, clips), start, start + motion.frames))
        result = _joined(result, motion)
    return with_contact_labels(result), tuple(clips)


def _new_name(name: str, clips: Sequence[LearnedClip]) -> str:
    """Return a name that none of the clips has."""
    taken = {clip.name for clip in clips}
    numbered = (f"{name}.{number:03}" for number in itertools.count(1))
    return next(one for one in itertools.chain([name], numbered) if one not in taken)


def on_one_skeleton(motions: Sequence[Motion]) -> list[Motion]:
    """Return clips of one rig at 30 fps on a common skeleton, with the contacts and the moving joints of all.

    Raises ClipError for no clip or clips of different skeletons.
    """
    if not motions:
        raise ClipError("There is no action to learn from.")
    first = motions[0].skeleton
    motions = [with_names_of(motion, first) for motion in motions]
    moved = tuple(
        sorted({joint for m in motions if m.skeleton.names == first.names for joint in m.skeleton.translated})
    )
    motions = [_with_moved(motion, moved) if motion.skeleton.names == first.names else motion for motion in motions]
    first = motions[0].skeleton
    for motion in motions[1:]:
        if not motion.skeleton.same_rig(first):
            raise ClipError("The actions move different skeletons; only actions of one rig can be learned together.")
    feet = tuple(sorted({joint for motion in motions for joint in motion.skeleton.contacts}))
    skeleton = replace(first.with_contacts(feet), properties=_common_ranges([m.skeleton for m in motions]))
    return [onto_skeleton(resample(motion, RATE), skeleton) for motion in motions]


def _with_moved(motion: Motion, moved: tuple[int, ...]) -> Motion:
    """Return a motion with moving offsets for more joints: those that do not move in it rest."""
    skeleton = motion.skeleton
    if skeleton.translated == moved:
        return motion
    channels = dict(zip(skeleton.translated, skeleton.translated_channels, strict=True))
    still = np.zeros((motion.frames, GROUP))
    before = (skeleton.joints + len(skeleton.contacts) + 1) * GROUP
    offsets = [
        motion.features[:, channels[joint] : channels[joint] + GROUP] if joint in channels else still for joint in moved
    ]
    after = motion.features[:, skeleton.first_property_group * GROUP :]
    features = np.concatenate([motion.features[:, :before], *offsets, after], axis=1)
    return replace(motion, features=features, skeleton=replace(skeleton, translated=moved))


def _part_of_mix(motion: Motion) -> Motion:
    """Return a clip, or as many of its cycles as last CYCLES_SECONDS; a single cycle would hardly be found in a mix."""
    cycle = find_cycle(motion) if motion.duration < CYCLES_SECONDS else None
    clip = repeated(motion, cycle, CYCLES_SECONDS) if cycle else motion
    return replace(clip, cycle_seconds=0.0)


def _common_ranges(skeletons: Sequence[Skeleton]) -> tuple[AnimatedProperty, ...]:
    """Return the properties with the joint ranges and steps of all clips."""
    merged = []
    for same in zip(*(skeleton.properties for skeleton in skeletons), strict=True):
        steps = sorted({step for one in same for step in one.steps}) if all(one.steps for one in same) else []
        low, high = min(one.low for one in same), max(one.high for one in same)
        merged.append(replace(same[0], low=low, high=high, steps=tuple(steps)))
    return tuple(merged)


def _joined(one: Motion, other: Motion) -> Motion:
    """Concatenate two motions with a passage between them, exact on both sides and smooth at both joins."""
    other = _aligned(one, other)
    start, frames = one.frames, one.frames + PASSAGE_FRAMES + other.frames
    features = np.zeros((frames, one.skeleton.channels))
    features[:start], features[start + PASSAGE_FRAMES :] = one.features, other.features
    share = (np.arange(1, PASSAGE_FRAMES + 1) / (PASSAGE_FRAMES + 1))[:, None]
    between = (1.0 - share) * one.features[-1] + share * other.features[0]
    width = one.skeleton.joints * GROUP
    last, first = (pose[:width].reshape(-1, GROUP) for pose in (one.features[-1], other.features[0]))
    between[:, :width] = interpolate_six(last, first, share[:, :, None]).reshape(len(share), -1)
    features[start : start + PASSAGE_FRAMES] = between
    keep = np.ones((frames, one.skeleton.groups))
    keep[start : start + PASSAGE_FRAMES] = 0.0
    whole = replace(one, features=features)
    return blend_kept(whole, Composition(whole, keep, anchored=False), one, clean=False)


def _aligned(one: Motion, other: Motion) -> Motion:
    """Turn the other motion about the vertical, so that it starts with the yaw at which the first one ends."""
    angle = turn_between(other.rotations()[0, 0], one.rotations()[-1, 0])
    return turn_motion(other, np.full(other.frames, angle))
