"""BVH clips in and out: the format's Y-up axes become Riff's Z-up ones on the way in, and back on the way out."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..errors import ClipError
from ..files.fields import FAR, LONGEST, FieldError, check_finite, open_regular
from ..numeric.rotation import Array, axis_rotation
from .contacts import with_found_contacts
from .motion import Motion, from_transforms
from .skeleton import MOST_JOINTS, Skeleton, build_skeleton

UPRIGHT = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
"""Turns BVH's Y-up axes into Z-up ones: (x, y, z) → (x, -z, y), as Blender's importer does."""

LARGEST = 1 << 29
"""Bytes of a file: ten thousand frames of five hundred joints take a fifth of it."""

_MOST_CHANNELS = 6
_MOVES = 1e-6
_AXES = "XYZ"
_MOTION_LINE = re.compile(r"^[ \t]*MOTION[ \t]*\r?$", re.MULTILINE)  # a joint may be called “LocoMOTION”


@dataclass
class _Joint:
    name: str
    parent: int
    offset: list[float] = field(default_factory=list)
    channels: list[str] = field(default_factory=list)


def read_bvh(path: str | os.PathLike[str]) -> Motion:
    """Read a BVH file into a motion at the file's own rate, feet found and labelled.

    Raises ClipError, naming the file and the line or joint, where the file is missing, cut off or not BVH.
    """
    name = Path(path).name
    try:
        with open_regular(path, LARGEST) as file:
            text = file.read(LARGEST).decode("utf-8", errors="replace")
    except OSError as error:
        raise ClipError(f"Cannot read “{name}”: {error.strerror or error}.") from error
    except FieldError as error:
        raise ClipError(f"Cannot read “{name}”: {error}.") from error
    head, *rest = _MOTION_LINE.split(text, maxsplit=1)
    if "HIERARCHY" not in head:
        raise ClipError(f"“{name}” is not a BVH file: it has no HIERARCHY.")
    if not rest:
        raise ClipError(f"“{name}” is cut off: it has no MOTION part.")
    joints = _parse_hierarchy(head.split(), name)
    frames, fps = _parse_frames(rest[0], sum(len(joint.channels) for joint in joints), name)
    try:
        return with_found_contacts(_to_motion(joints, frames, fps))
    except ClipError as error:
        raise ClipError(f"“{name}” cannot be used: {error}") from error


def _parse_hierarchy(tokens: list[str], name: str) -> list[_Joint]:
    joints: list[_Joint] = []
    stack: list[int] = []
    stream = iter(tokens)
    try:
        for token in stream:
            if token in ("ROOT", "JOINT"):
                if len(joints) == MOST_JOINTS:
                    raise ClipError(f"“{name}” has more than {MOST_JOINTS} joints; Riff takes no more.")
                joints.append(_Joint(_name_before_brace(stream), stack[-1] if stack else -1))
                stack.append(len(joints) - 1)
            elif token == "End":
                _skip_end_site(stream)
            elif token == "OFFSET":
                joints[-1].offset = [float(next(stream)) for _ in range(3)]
            elif token == "CHANNELS":
                joints[-1].channels = [next(stream) for _ in range(min(int(next(stream)), _MOST_CHANNELS + 1))]
            elif token == "}":
                stack.pop()
    except (StopIteration, ValueError, IndexError) as error:
        where = f"at joint “{joints[-1].name}”" if joints else "at its start"
        raise ClipError(f"“{name}” is damaged {where} of its HIERARCHY.") from error
    if stack or not joints:
        raise ClipError(f"“{name}” is cut off inside its HIERARCHY.")
    for joint in joints:
        known = all(c[:1] in _AXES and c[1:] in ("position", "rotation") for c in joint.channels)
        if len(joint.offset) != 3 or not check_finite(np.array(joint.offset)) or not known:
            raise ClipError(f"“{name}”: joint “{joint.name}” lacks its OFFSET or has unknown CHANNELS.")
    if sum(joint.parent == -1 for joint in joints) > 1:
        raise ClipError(f"“{name}” has more than one ROOT; Riff learns one character at a time.")
    return joints


def _name_before_brace(stream: Iterator[str]) -> str:
    words: list[str] = []
    for token in stream:
        if token == "{":
            if sum(map(len, words)) + len(words) > LONGEST:
                break
            return " ".join(words)
        words.append(token)
    raise StopIteration


def _skip_end_site(stream: Iterator[str]) -> None:
    for token in stream:
        if token == "}":
            return
    raise StopIteration


def _parse_frames(body: str, width: int, name: str) -> tuple[Array, float]:
    lines = [line.strip() for line in body.splitlines() if line.strip()]
    try:
        count = int(lines[0].split(":")[1])
        seconds = float(lines[1].split(":")[1])
    except (IndexError, ValueError) as error:
        raise ClipError(f"“{name}” is cut off: “Frames” or “Frame Time” is missing.") from error
    if count < 2:
        raise ClipError(f"“{name}” has fewer than two frames.")
    if not 1e-4 < seconds < 10:
        raise ClipError(f"“{name}” has a Frame Time of {seconds}; it must be a part of a second.")
    rows = lines[2:]
    # A number takes two characters at least, so what is asked for below is not much more than what was read.
    if len(rows) < count or 2 * count * width > len(body) + count:
        raise ClipError(f"“{name}” is cut off: it promises {count} frames and has {len(rows)}.")
    frames = np.empty((count, width))
    for index, row in enumerate(rows[:count]):
        try:
            frames[index] = np.array(row.split(), dtype=np.float64).reshape(width)
        except ValueError as error:
            raise ClipError(f"“{name}” is cut off or damaged at frame {index + 1}.") from error
    valid = (np.abs(frames) <= FAR).all(axis=1)
    if not valid.all():
        raise ClipError(f"“{name}” has no valid number at frame {int(valid.argmin()) + 1}.")
    rate = 1.0 / seconds
    return frames, float(round(rate)) if abs(rate - round(rate)) < 0.02 else rate


def _to_motion(joints: list[_Joint], frames: Array, fps: float) -> Motion:
    count = len(joints)
    rotations = np.broadcast_to(np.eye(3), (len(frames), count, 3, 3)).copy()
    base = np.array([joint.offset for joint in joints])
    positions = np.broadcast_to(base, (len(frames), count, 3)).copy()
    column = 0
    for index, joint in enumerate(joints):
        for channel in joint.channels:
            axis, values = _AXES.index(channel[0]), frames[:, column]
            if channel.endswith("rotation"):
                rotations[:, index] = rotations[:, index] @ axis_rotation(axis, np.radians(values))
            else:
                positions[:, index, axis] = values
            column += 1
    rotations = UPRIGHT @ rotations @ UPRIGHT.T
    positions, base = positions @ UPRIGHT.T, base @ UPRIGHT.T
    return _assemble(joints, rotations, positions, base, fps)


def _assemble(joints: list[_Joint], rotations: Array, positions: Array, base: Array, fps: float) -> Motion:
    """Offsets that never move are taken as the rest; those that do become groups of their own."""
    parents = [joint.parent for joint in joints]
    spread = np.ptp(positions, axis=0).max(axis=1)
    scale = max(float(np.ptp(base, axis=0).max()), 1e-12)
    moving = [j for j in range(1, len(joints)) if spread[j] > _MOVES * scale]
    steady = base.copy()
    steady[1:] = positions[0, 1:]
    steady[moving] = base[moving]
    rest = steady.copy()
    for joint, parent in enumerate(parents):
        if parent >= 0:
            rest[joint] += rest[parent]
    skeleton = build_skeleton([joint.name for joint in joints], parents, rest, moving)
    return from_transforms(skeleton, rotations, positions[:, 0] / skeleton.unit, fps, positions / skeleton.unit)


def write_bvh(path: str | os.PathLike[str], motion: Motion) -> None:
    """Write a motion as BVH (Y up, source lengths, ZYX channels) that Blender's importer reads back.

    The file appears whole or not at all. Raises ClipError where it cannot be written.
    """
    target = Path(path)
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        part.write_text(_hierarchy_text(motion) + _motion_text(motion), encoding="utf-8", errors="replace")
        os.replace(part, target)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise ClipError(f"Cannot write “{target.name}”: {error.strerror or error}.") from error


def _hierarchy_text(motion: Motion) -> str:
    skeleton = motion.skeleton
    offsets = (skeleton.offsets @ UPRIGHT) * skeleton.unit
    children = skeleton.children()
    lines = ["HIERARCHY"]
    waiting: list[tuple[int, int]] = [(0, 0)]  # joints and their depths; -1 for a brace that closes
    while waiting:
        joint, depth = waiting.pop()
        pad = "  " * depth
        if joint < 0:
            lines.append(f"{pad}}}")
            continue
        lines += _joint_lines(skeleton, joint, pad, offsets[joint])
        if not children[joint]:
            tip = offsets[joint] * 0.5 if joint else np.array([0.0, 0.1 * skeleton.unit, 0.0])
            lines.extend([f"{pad}  End Site", f"{pad}  {{", f"{pad}    OFFSET {_numbers(tip)}", f"{pad}  }}"])
        waiting.append((-1, depth))
        waiting.extend((child, depth + 1) for child in reversed(children[joint]))
    return "\n".join(lines) + "\n"


def _joint_lines(skeleton: Skeleton, joint: int, pad: str, offset: Array) -> list[str]:
    turn = "Zrotation Yrotation Xrotation"
    positions = joint == 0 or joint in skeleton.translated
    return [
        f"{pad}{'JOINT' if joint else 'ROOT'} {skeleton.names[joint]}",
        f"{pad}{{",
        f"{pad}  OFFSET {_numbers(offset)}",
        f"{pad}  CHANNELS " + (f"6 Xposition Yposition Zposition {turn}" if positions else f"3 {turn}"),
    ]


def _motion_text(motion: Motion) -> str:
    skeleton = motion.skeleton
    rotations = UPRIGHT.T @ motion.rotations() @ UPRIGHT
    offsets = motion.local_offsets()
    offsets[:, 0] = motion.root_positions()
    positions = (offsets @ UPRIGHT) * skeleton.unit
    order = skeleton.depth_first()
    columns: list[Array] = []
    for joint in order:
        if joint == 0 or joint in skeleton.translated:
            columns.append(positions[:, joint])
        columns.append(np.degrees(_euler_zyx(rotations[:, joint])))
    rows = np.concatenate(columns, axis=1)
    text = "\n".join(_numbers(row) for row in rows)
    return f"MOTION\nFrames: {motion.frames}\nFrame Time: {1.0 / motion.fps:.8f}\n{text}\n"


def _euler_zyx(rotations: Array) -> Array:
    """Angles (T, 3) about Z, Y, X with R = Rz Ry Rx, each curve without jumps of a full turn."""
    y = np.arcsin(np.clip(-rotations[:, 2, 0], -1.0, 1.0))
    locked = np.abs(rotations[:, 2, 0]) > 1.0 - 1e-12
    x = np.where(locked, 0.0, np.arctan2(rotations[:, 2, 1], rotations[:, 2, 2]))
    z = np.where(
        locked, np.arctan2(-rotations[:, 0, 1], rotations[:, 1, 1]), np.arctan2(rotations[:, 1, 0], rotations[:, 0, 0])
    )
    return np.unwrap(np.stack([z, y, x], axis=1), axis=0)


def _numbers(values: Array) -> str:
    return " ".join(f"{value:.7f}" for value in values)
