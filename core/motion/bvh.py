"""Reader and writer of BVH clips; BVH is Y up, or Z up in some files, Riff is Z up."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..errors import ClipError
from ..files.fields import MAX_CHARACTERS, MAX_MAGNITUDE, FieldError, check_finite, open_regular
from ..files.paths import write_bytes
from ..numeric.euler import euler_from_matrix
from ..numeric.rotation import Array, axis_rotation
from ..numeric.up_axis import find_up_axis
from .contacts import with_found_contacts
from .limb_words import LimbWord, body_joints, joints_meaning
from .motion import Motion, forward_kinematics, from_transforms, posed_size
from .skeleton import MAX_JOINTS, Skeleton, build_skeleton

Z_UP = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
"""Rotation (3, 3) from Y up to Z up: (x, y, z) → (x, -z, y), as in Blender's importer."""

UP_AXES = {"y": Z_UP, "z": np.eye(3)}
"""Rotation (3, 3) to Z up from each axis that may point up in a file."""

MAX_BVH_BYTES = 1 << 29
"""Largest accepted file in bytes, five times the size of 10,000 frames of 500 joints."""

_MAX_JOINT_CHANNELS = 6
_SIZE_FRAMES = 60
"""Frames in which a body's size is measured."""

_MOVING_SHARE = 1e-6
"""Share of the skeleton's extent by which a joint's offset must vary to count as moving."""

_AXES = "XYZ"
_MOTION_LINE = re.compile(r"^[ \t]*MOTION[ \t]*$", re.MULTILINE | re.IGNORECASE)  # a joint may be called “LocoMOTION”
_FRAMES_LINE = re.compile(r"frames[\s:]*(\S+)", re.IGNORECASE)
_FRAME_TIME_LINE = re.compile(r"frame\s*time[\s:]*(\S+)", re.IGNORECASE)


@dataclass
class _Joint:
    name: str
    parent: int
    offset: list[float] = field(default_factory=list)
    channels: list[str] = field(default_factory=list)


def read_bvh(path: str | os.PathLike[str], up: str = "") -> Motion:
    """Read a BVH file into a motion at the file's own rate, contact joints detected and labelled.

    `up` is the axis that points up in the file, “y” or “z”; without it `find_up_axis` finds it. Keywords and channels
    may be in capitals or not. Raises ClipError, naming the file and the line or joint, where the file is missing, cut
    off or not BVH.
    """
    name = Path(path).name
    try:
        with open_regular(path, MAX_BVH_BYTES) as file:
            text = file.read(MAX_BVH_BYTES).decode("utf-8-sig", errors="replace")
    except OSError as error:
        raise ClipError(f"Cannot read “{name}”: {error.strerror or error}.") from error
    except FieldError as error:
        raise ClipError(f"Cannot read “{name}”: {error}.") from error
    head, *rest = _MOTION_LINE.split(text.replace("\r\n", "\n").replace("\r", "\n"), maxsplit=1)
    if "hierarchy" not in head.casefold():
        raise ClipError(f"“{name}” is not a BVH file: it has no HIERARCHY.")
    if not rest:
        raise ClipError(f"“{name}” is cut off: it has no MOTION part.")
    joints = _parse_hierarchy(head.split(), name)
    width = sum(len(joint.channels) for joint in joints)
    frames, fps = _parse_frames(rest[0], head.count("\n") + 1, width, name)
    try:
        return with_found_contacts(_to_motion(joints, frames, fps, up))
    except ClipError as error:
        raise ClipError(f"“{name}” cannot be used: {error}") from error


def _parse_hierarchy(tokens: list[str], name: str) -> list[_Joint]:
    joints: list[_Joint] = []
    stack: list[int] = []
    stream = iter(tokens)
    try:
        for token in stream:
            word = token.upper()
            if word in ("ROOT", "JOINT"):
                if len(joints) == MAX_JOINTS:
                    raise ClipError(f"“{name}” has more than {MAX_JOINTS} joints; Riff takes no more.")
                joints.append(_Joint(_name_before_brace(stream), stack[-1] if stack else -1))
                stack.append(len(joints) - 1)
            elif word == "END":
                _skip_end_site(stream)
            elif word == "OFFSET":
                joints[-1].offset = [float(next(stream)) for _ in range(3)]
            elif word == "CHANNELS":
                count = min(int(next(stream)), _MAX_JOINT_CHANNELS + 1)
                joints[-1].channels = [next(stream).capitalize() for _ in range(count)]
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
    roots = [joint.name for joint in joints if joint.parent == -1]
    if len(roots) > 1:
        raise ClipError(
            f"“{name}” has more than one ROOT, “{roots[0]}” and “{roots[1]}”; Riff learns one character at a time: "
            "keep one of them and its values."
        )
    return joints


def _name_before_brace(stream: Iterator[str]) -> str:
    words: list[str] = []
    for token in stream:
        if token == "{":
            if sum(map(len, words)) + len(words) > MAX_CHARACTERS:
                break
            return " ".join(words)
        words.append(token)
    raise StopIteration


def _skip_end_site(stream: Iterator[str]) -> None:
    for token in stream:
        if token == "}":
            return
    raise StopIteration


def _parse_frames(body: str, first_line: int, width: int, name: str) -> tuple[Array, float]:
    """Parse everything below the line MOTION, which is `first_line`: values (T, `width`) and the rate. All rows are
    read, be it more than the file says."""
    lines = [(first_line + k, line) for k, line in enumerate(map(str.strip, body.split("\n"))) if line]
    try:
        count = int(_FRAMES_LINE.fullmatch(lines[0][1])[1])  # type: ignore[index]
        seconds = float(_FRAME_TIME_LINE.fullmatch(lines[1][1])[1])  # type: ignore[index]
    except (IndexError, TypeError, ValueError) as error:
        raise ClipError(f"“{name}” is cut off: “Frames” or “Frame Time” is missing.") from error
    if count < 2:
        raise ClipError(f"“{name}” has fewer than two frames.")
    if not 1e-4 < seconds < 10:
        raise ClipError(f"“{name}” has a Frame Time of {seconds}; it must be a part of a second.")
    rows = lines[2:]
    if len(rows) < count:
        raise ClipError(
            f"“{name}” is cut off at line {lines[-1][0]}: it promises {count} frames and has {len(rows)}; write the "
            "true number behind “Frames”, or export it again."
        )
    # A number takes at least two characters, so the array below is not much larger than the text that was read.
    if 2 * len(rows) * width > len(body) + len(rows):
        line, row = next(one for one in rows if len(one[1].split()) != width)
        raise ClipError(_miscounted(name, line, len(row.split()), width))
    frames = np.empty((len(rows), width))
    for index, (line, row) in enumerate(rows):
        values = row.split()
        if len(values) != width:
            raise ClipError(_miscounted(name, line, len(values), width))
        try:
            frames[index] = np.array(values, dtype=np.float64)
        except ValueError as error:
            raise ClipError(f"“{name}” is damaged in line {line} (frame {index + 1}): it holds no number.") from error
    valid = (np.abs(frames) <= MAX_MAGNITUDE).all(axis=1)
    if not valid.all():
        bad = int(valid.argmin())
        raise ClipError(f"“{name}” has no valid number in line {rows[bad][0]} (frame {bad + 1}).")
    rate = 1.0 / seconds
    return frames, float(round(rate)) if abs(rate - round(rate)) < 0.02 else rate


def _miscounted(name: str, line: int, found: int, width: int) -> str:
    return f"“{name}” has {found} values in line {line}, but its joints have {width} channels; export it again."


def _to_motion(joints: list[_Joint], frames: Array, fps: float, up: str) -> Motion:
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
    turn = UP_AXES[up or _up_of(joints, rotations, positions)]
    rotations = turn @ rotations @ turn.T
    positions, base = positions @ turn.T, base @ turn.T
    return _assemble(joints, rotations, positions, base, fps)


def _up_of(joints: list[_Joint], rotations: Array, positions: Array) -> str:
    """Return the axis that points up in the file, from its local rotations and positions."""
    skeleton = Skeleton(
        tuple(joint.name for joint in joints),
        tuple(joint.parent for joint in joints),
        np.array([joint.offset for joint in joints]),
    )
    rows = slice(None, None, max(1, len(positions) // _SIZE_FRAMES))
    posed, _ = forward_kinematics(skeleton, rotations[rows], positions[rows, 0], positions[rows])
    rest = np.zeros_like(positions[:1])
    rest[:] = skeleton.offsets
    still, _ = forward_kinematics(skeleton, np.broadcast_to(np.eye(3), rotations[:1].shape), rest[:, 0], rest)
    feet = joints_meaning(skeleton.names, LimbWord.FOOT) or joints_meaning(skeleton.names, LimbWord.LEG)
    body = [joint for joint in body_joints(skeleton.names) if joint not in feet]
    return "xyz"[find_up_axis(still[0], posed, feet, body)]


def _assemble(joints: list[_Joint], rotations: Array, positions: Array, base: Array, fps: float) -> Motion:
    """Build the motion; constant offsets define the rest pose, varying ones become channel groups."""
    parents = [joint.parent for joint in joints]
    spread = np.ptp(positions, axis=0).max(axis=1)
    scale = max(float(np.ptp(base, axis=0).max()), 1e-12)
    moving = [j for j in range(1, len(joints)) if spread[j] > _MOVING_SHARE * scale]
    steady = base.copy()
    steady[1:] = positions[0, 1:]
    steady[moving] = base[moving]
    rest = steady.copy()
    for joint, parent in enumerate(parents):
        if parent >= 0:
            rest[joint] += rest[parent]
    names = [joint.name for joint in joints]
    skeleton = build_skeleton(names, parents, rest, moving)
    rows = slice(None, None, max(1, len(positions) // _SIZE_FRAMES))
    posed, _ = forward_kinematics(skeleton, rotations[rows], positions[rows, 0], positions[rows])
    skeleton = build_skeleton(names, parents, rest, moving, posed_size(rest, posed))
    return from_transforms(skeleton, rotations, positions[:, 0] / skeleton.unit, fps, positions / skeleton.unit)


def write_bvh(path: str | os.PathLike[str], motion: Motion) -> None:
    """Write a motion as BVH: Y up, lengths of the source file, rotation channels in the order Z, Y, X.

    The write is atomic. Raises ClipError where the file cannot be written.
    """
    target = Path(path)
    try:
        write_bytes(target, (_hierarchy_text(motion) + _motion_text(motion)).encode(errors="replace"))
    except OSError as error:
        raise ClipError(f"Cannot write “{target.name}”: {error.strerror or error}.") from error


def _hierarchy_text(motion: Motion) -> str:
    skeleton = motion.skeleton
    offsets = (skeleton.offsets @ Z_UP) * skeleton.unit
    children = skeleton.children()
    lines = ["HIERARCHY"]
    waiting: list[tuple[int, int]] = [(0, 0)]  # joints and their depths; -1 for a closing brace
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
    rotations = Z_UP.T @ motion.rotations() @ Z_UP
    offsets = motion.local_offsets()
    offsets[:, 0] = motion.root_positions()
    positions = (offsets @ Z_UP) * skeleton.unit
    order = skeleton.depth_first()
    columns: list[Array] = []
    for joint in order:
        if joint == 0 or joint in skeleton.translated:
            columns.append(positions[:, joint])
        columns.append(np.degrees(euler_from_matrix(rotations[:, joint], "XYZ")[:, ::-1]))
    rows = np.concatenate(columns, axis=1)
    text = "\n".join(_numbers(row) for row in rows)
    return f"MOTION\nFrames: {motion.frames}\nFrame Time: {1.0 / motion.fps:.8f}\n{text}\n"


def _numbers(values: Array) -> str:
    return " ".join(f"{value:.7f}" for value in values)
