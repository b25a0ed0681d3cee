"""Clips as features in .npz files, for machines without Blender: numbers and JSON, no pickle, checked when read."""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .bvh import read_bvh
from .errors import ClipError
from .motion import Motion
from .skeleton import Skeleton

FORMAT = 1
"""Version of the file's layout; newer ones are refused."""

LARGEST = 1 << 28
"""Bytes that the parts of a clip may have together: a thousand times a usual one."""

SUFFIX = ".npz"

_FEATURES, _DESCRIPTION = "features.npy", "clip.npy"


@dataclass(frozen=True, eq=False)
class Clip:
    """A motion and where it comes from: `rig` is what the armature was called, `source` the file it lay in."""

    name: str
    motion: Motion
    rig: str = ""
    source: str = ""


def save_clip(clip: Clip, path: str | os.PathLike[str]) -> str:
    """Write a clip, whole or not at all; the SHA-256 of the file. The same clip gives the same bytes.

    Raises ClipError with one sentence where the disk refuses.
    """
    target, motion = Path(path), clip.motion
    meta = {
        "format": FORMAT, "name": clip.name, "rig": clip.rig, "source": clip.source, "fps": motion.fps,
        "origin": motion.origin.tolist(), "skeleton": motion.skeleton.to_json(),
    }  # fmt: skip
    stream = io.BytesIO()
    description = np.frombuffer(json.dumps(meta, ensure_ascii=False).encode(), dtype=np.uint8)
    np.savez_compressed(stream, features=np.ascontiguousarray(motion.features, dtype="<f8"), clip=description)
    data = stream.getvalue()
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        part.write_bytes(data)
        os.replace(part, target)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise ClipError(f"Cannot save the clip “{target.name}”: {error.strerror or error}.") from error
    return hashlib.sha256(data).hexdigest()


def read_clip(path: str | os.PathLike[str]) -> Clip:
    """Read a clip from an .npz of ours or a BVH file. Raises ClipError, naming the file, for what is neither."""
    if Path(path).suffix.lower() == SUFFIX:
        return load_clip(path)
    return Clip(Path(path).stem, read_bvh(path))


def load_clip(path: str | os.PathLike[str], sha256: str = "") -> Clip:
    """Read a clip from an .npz file, which must have this checksum where one is given. Raises ClipError."""
    name = Path(path).name
    try:
        if os.path.getsize(path) > LARGEST:
            raise ClipError(f"“{name}” is too large to be a clip of Riff.")
        data = Path(path).read_bytes()
    except OSError as error:
        raise ClipError(f"Cannot read “{name}”: {error.strerror or error}.") from error
    if sha256 and hashlib.sha256(data).hexdigest() != sha256:
        raise ClipError(f"“{name}” is another file than the one that was exported.")
    try:
        return _parse(data, name)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError) as error:
        raise ClipError(f"“{name}” is damaged or no clip of Riff.") from error
    except (KeyError, TypeError, ValueError, IndexError, OverflowError, RuntimeError, RecursionError) as error:
        raise ClipError(f"“{name}” is damaged: {error}.") from error


def _parse(data: bytes, name: str) -> Clip:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {member.filename: member for member in archive.infolist()}
        if set(members) != {_FEATURES, _DESCRIPTION}:
            raise ClipError(f"“{name}” is no clip of Riff.")
        # what a member says of its size is all that is ever unpacked of it
        if sum(member.file_size for member in members.values()) > LARGEST:
            raise ClipError(f"“{name}” is too large to be a clip of Riff.")
        meta = json.loads(_array(archive.read(_DESCRIPTION), np.dtype(np.uint8)).tobytes().decode())
        if not isinstance(meta, dict) or not isinstance(meta.get("format"), int):
            raise ValueError("its description is incomplete")
        if meta["format"] > FORMAT:
            raise ClipError(f"“{name}” was made by a newer version of Riff; update Riff to read it.")
        features = _array(archive.read(_FEATURES), np.dtype("<f8"))
    return _clip(meta, features)


def _array(data: bytes, kind: np.dtype[Any]) -> NDArray[Any]:
    """An array of this type from the bytes of an .npy file, whose header is not believed about its size."""
    stream = io.BytesIO(data)
    if np.lib.format.read_magic(stream) != (1, 0):
        raise ValueError("its arrays are of another version")
    shape, by_columns, dtype = np.lib.format.read_array_header_1_0(stream)
    rest = data[stream.tell() :]
    if by_columns or dtype != kind or len(rest) != math.prod(shape) * kind.itemsize:
        raise ValueError("its arrays are not what they should be")
    return np.frombuffer(rest, dtype=kind).reshape(shape).copy()


def _clip(meta: dict[str, Any], features: NDArray[np.float64]) -> Clip:
    """Raises ValueError, TypeError or KeyError where the parts of a clip do not fit together."""
    skeleton = Skeleton.from_json(meta["skeleton"])
    _check_skeleton(skeleton)
    fps, origin = float(meta["fps"]), np.asarray(meta["origin"], dtype=np.float64)
    if features.ndim != 2 or len(features) < 2 or features.shape[1] != skeleton.channels:
        raise ValueError("its frames do not fit its skeleton")
    if not np.isfinite(features).all() or origin.shape != (2,) or not np.isfinite(origin).all():
        raise ValueError("it holds numbers that are not finite")
    if not 0 < fps <= 10_000:
        raise ValueError("its frame rate is none")
    return Clip(str(meta["name"]), Motion(features, skeleton, fps, origin), str(meta["rig"]), str(meta["source"]))


def _check_skeleton(skeleton: Skeleton) -> None:
    joints = range(skeleton.joints)
    named = all(isinstance(name, str) for name in skeleton.names)
    placed = skeleton.offsets.shape == (skeleton.joints, 3) and len(skeleton.parents) == skeleton.joints
    listed = [*skeleton.contacts, *skeleton.translated]
    if not named or not placed or not all(type(joint) is int and joint in joints for joint in listed):
        raise ValueError("its skeleton does not fit together")
    if not np.isfinite(skeleton.offsets).all() or not 0 < skeleton.unit < math.inf:
        raise ValueError("its skeleton has no size")
