"""Clip files for machines without Blender: .clip, in the format of .safetensors, validated on reading.

The .npz files of earlier versions are still read. `motion_from_fields` rebuilds the motion of any described file, also
of models and checkpoints.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ClipError
from ..files.archives import ARCHIVE_ERRORS
from ..files.fields import FieldError, Fields, check_finite, open_regular, parse_json
from ..files.held_open import reason_of
from ..files.tensors import read_tensors, write_tensors
from .bvh import read_bvh
from .motion import Motion
from .skeleton import Skeleton

CLIP_FORMAT = 2
"""Version of the file layout; newer versions are refused."""

CLIP_KEY = "riff_clip"
"""Key of the file's metadata that holds the JSON description."""

MAX_CLIP_BYTES = 1 << 28
"""Largest accepted size in bytes, packed or unpacked: a thousand times a usual clip."""

CLIP_SUFFIX, OLD_CLIP_SUFFIX = ".clip", ".npz"
"""Endings of the names of clip files: those that are written, and those of earlier versions."""

MAX_FRAMES = 1 << 20
"""Largest accepted number of rows of a motion: nine hours at 30 fps."""

MIN_FPS, MAX_FPS = 1e-3, 1e4
"""Accepted frame rates in frames per second."""

_END_BYTES, _MAX_LIST_BYTES = 22, 512
"""Size of the end record of a zip archive, and the largest accepted size of its directory, in bytes."""

_NPY_HEADER = re.compile(
    rb"\{'descr': '(<f8|\|u1)', 'fortran_order': False, 'shape': \((\d{1,12}(?:, ?\d{1,12}){0,3}),?\), \}\s*"
)
"""Header of the two arrays of an .npz file of format 1."""


@dataclass(frozen=True, eq=False)
class Clip:
    """Motion with its origin: `rig` is the name of the armature, `source` the file that it was read from."""

    name: str
    motion: Motion
    rig: str = ""
    source: str = ""


def save_clip(clip: Clip, path: str | os.PathLike[str]) -> str:
    """Write a clip atomically and return the SHA-256 of the file. The same clip gives the same bytes.

    Raises ClipError where the file cannot be written.
    """
    target, motion = Path(path), clip.motion
    meta = {
        "format": CLIP_FORMAT,
        "name": clip.name,
        "rig": clip.rig,
        "source": clip.source,
        "fps": motion.fps,
        "origin": motion.origin.tolist(),
        "cycle": motion.cycle_seconds,
        "skeleton": motion.skeleton.to_json(),
    }
    try:
        data = write_tensors(target, CLIP_KEY, json.dumps(meta), {"features": np.ascontiguousarray(motion.features)})
    except OSError as error:
        raise ClipError(f"Cannot save the clip “{target.name}”: {reason_of(error)}.") from error
    return hashlib.sha256(data).hexdigest()


def read_clip(path: str | os.PathLike[str], up: str = "") -> Clip:
    """Read a clip from a file of Riff's or a BVH file, with `up` as for `read_bvh`.

    Raises ClipError, naming the file, for anything else.
    """
    if Path(path).suffix.lower() in (CLIP_SUFFIX, OLD_CLIP_SUFFIX):
        return load_clip(path)
    return Clip(Path(path).stem, read_bvh(path, up))


def load_clip(path: str | os.PathLike[str], sha256: str = "") -> Clip:
    """Read a clip file. Raises ClipError, also where its checksum differs from a given `sha256`."""
    name = Path(path).name
    try:
        if sha256 and _checksum(path) != sha256:
            raise ClipError(f"“{name}” is another file than the one that was exported.")
        is_old = Path(path).suffix.lower() == OLD_CLIP_SUFFIX
        text, features = _read_old(path) if is_old else _read(path)
        fields = Fields(parse_json(text))
        if fields.whole("format", 0, 1 << 31) > CLIP_FORMAT:
            raise ClipError(f"“{name}” was made by a newer version of Riff; update Riff to read it.")
        motion = motion_from_fields(fields, features)
        return Clip(fields.text("name"), motion, fields.text("rig"), fields.text("source"))
    except OSError as error:
        raise ClipError(f"Cannot read “{name}”: {error.strerror or error}.") from error
    except ValueError as error:  # FieldError, and the errors of zipfile and numpy for damaged archives
        raise ClipError(f"“{name}” is damaged or not a Riff clip: {error}.") from error


def _checksum(path: str | os.PathLike[str]) -> str:
    with open_regular(path, MAX_CLIP_BYTES) as file:
        return hashlib.sha256(file.read(MAX_CLIP_BYTES)).hexdigest()


def _read(path: str | os.PathLike[str]) -> tuple[str, NDArray[Any] | None]:
    text, tensors = read_tensors(path, CLIP_KEY, MAX_CLIP_BYTES)
    return text, tensors.get("features")


def _read_old(path: str | os.PathLike[str]) -> tuple[bytes, NDArray[Any]]:
    """The description and the features of an .npz file of format 1. Raises OSError, ValueError."""
    with open_regular(path, MAX_CLIP_BYTES) as file:
        data = file.read(MAX_CLIP_BYTES)
    # A hostile directory could list millions of members: ours lists two and is followed by the end record only.
    end = data[-_END_BYTES:]
    if len(end) < _END_BYTES or end[:4] != b"PK\5\6" or int.from_bytes(end[12:16], "little") > _MAX_LIST_BYTES:
        raise FieldError("it is no archive of ours")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = {member.filename: member for member in archive.infolist()}
            if set(members) != {"features.npy", "clip.npy"}:
                raise FieldError("it holds other things than a clip")
            # Other compression methods may need any amount of memory; these two need little.
            if not {one.compress_type for one in members.values()} <= {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
                raise FieldError("it is packed in a way that Riff does not use")
            # zipfile unpacks at most the size that a member declares
            if sum(member.file_size for member in members.values()) > MAX_CLIP_BYTES:
                raise FieldError("its contents are too large")
            description, features = (_array(archive.read(one)) for one in ("clip.npy", "features.npy"))
    except (*ARCHIVE_ERRORS, MemoryError) as error:
        raise FieldError("its archive is damaged") from error
    return description.tobytes(), features


def _array(data: bytes) -> NDArray[Any]:
    """Parse an .npy file. The header is matched by a pattern; numpy would parse it as Python. Raises FieldError."""
    start = 10 + int.from_bytes(data[8:10], "little")
    header = _NPY_HEADER.fullmatch(data[10:start])
    if data[:8] != b"\x93NUMPY\1\0" or header is None:
        raise FieldError("its arrays are not what they should be")
    shape, dtype = tuple(map(int, header[2].split(b","))), np.dtype(header[1].decode())
    if len(data) - start != math.prod(shape) * dtype.itemsize:
        raise FieldError("its arrays have other sizes than they say")
    return np.frombuffer(data, dtype=dtype, offset=start).reshape(shape)


def motion_from_fields(fields: Fields, features: NDArray[Any] | None) -> Motion:
    """Build the motion of a file from its description and array. Raises FieldError; ClipError for an invalid tree."""
    skeleton = Skeleton.from_json(fields.raw("skeleton"))
    if features is None or features.ndim != 2 or features.dtype.kind != "f":
        raise FieldError("its clip is missing or holds no rows of numbers")
    if not 2 <= len(features) <= MAX_FRAMES or features.shape[1] != skeleton.channels:
        raise FieldError("its clip does not fit its skeleton")
    if not check_finite(features):
        raise FieldError("its clip holds numbers that are not finite or far too large")
    rate, origin = fields.number("fps", MIN_FPS, MAX_FPS), fields.array("origin", (2,))
    cycle = fields.number("cycle", 0.0, MAX_FRAMES / MIN_FPS, 0.0)
    return Motion(features.astype(np.float64), skeleton, rate, origin, cycle)
