"""Clip files (.npz) for machines without Blender: features and a JSON description, no pickle, validated on reading.

`motion_from_fields` rebuilds the motion of any described file, also of models and checkpoints.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import re
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ClipError
from ..files.fields import FieldError, Fields, check_finite, open_regular, parse_json
from .bvh import read_bvh
from .motion import Motion
from .skeleton import Skeleton

CLIP_FORMAT = 1
"""Version of the file layout; newer versions are refused."""

MAX_CLIP_BYTES = 1 << 28
"""Largest accepted size in bytes, packed or unpacked: a thousand times a usual clip."""

CLIP_SUFFIX = ".npz"

MAX_FRAMES = 1 << 20
"""Largest accepted number of rows of a motion: nine hours at 30 fps."""

MIN_FPS, MAX_FPS = 1e-3, 1e4
"""Accepted frame rates in frames per second."""

_FEATURES, _DESCRIPTION = "features.npy", "clip.npy"

_END_BYTES, _MAX_LIST_BYTES = 22, 512
"""Size of the end record of a zip archive, and the largest accepted size of its directory, in bytes."""

_NPY_HEADER = re.compile(
    rb"\{'descr': '([<|][a-z]\d)', 'fortran_order': False, 'shape': \((\d{1,12}(?:, ?\d{1,12}){0,3}),?\), \}\s*"
)


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
        "skeleton": motion.skeleton.to_json(),
    }
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
    """Read a clip from Riff's .npz or a BVH file. Raises ClipError, naming the file, for anything else."""
    if Path(path).suffix.lower() == CLIP_SUFFIX:
        return load_clip(path)
    return Clip(Path(path).stem, read_bvh(path))


def load_clip(path: str | os.PathLike[str], sha256: str = "") -> Clip:
    """Read a clip from an .npz file. Raises ClipError, also where its checksum differs from a given `sha256`."""
    name = Path(path).name
    try:
        with open_regular(path, MAX_CLIP_BYTES) as file:
            data = file.read(MAX_CLIP_BYTES)
    except OSError as error:
        raise ClipError(f"Cannot read “{name}”: {error.strerror or error}.") from error
    except FieldError as error:
        raise ClipError(f"“{name}” is no clip of Riff: {error}.") from error
    if sha256 and hashlib.sha256(data).hexdigest() != sha256:
        raise ClipError(f"“{name}” is another file than the one that was exported.")
    try:
        description, features = _parts(data)
        fields = Fields(parse_json(_array(description, "|u1").tobytes()))
        if fields.whole("format", 0, 1 << 31) > CLIP_FORMAT:
            raise ClipError(f"“{name}” was made by a newer version of Riff; update Riff to read it.")
        motion = motion_from_fields(fields, _array(features, "<f8"))
        return Clip(fields.text("name"), motion, fields.text("rig"), fields.text("source"))
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, RuntimeError, struct.error) as error:
        # raised by zipfile and zlib for archives that are cut off, encrypted or compressed by another method
        raise ClipError(f"“{name}” is damaged or no clip of Riff.") from error
    except ValueError as error:  # FieldError, and zipfile's error for offsets outside the file
        raise ClipError(f"“{name}” is damaged or no clip of Riff: {error}.") from error


def _parts(data: bytes) -> tuple[bytes, bytes]:
    """Return the description and the features as bytes of .npy files. Raises FieldError and the errors of zipfile."""
    # A hostile directory could list millions of members: ours lists two and is followed by the end record only.
    end = data[-_END_BYTES:]
    if len(end) < _END_BYTES or end[:4] != b"PK\5\6" or int.from_bytes(end[12:16], "little") > _MAX_LIST_BYTES:
        raise FieldError("it is no archive of ours")
    if data[-_END_BYTES - 20 : -_END_BYTES - 16] == b"PK\6\7":
        raise FieldError("it is an archive of another kind")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {member.filename: member for member in archive.infolist()}
        if set(members) != {_FEATURES, _DESCRIPTION}:
            raise FieldError("it holds other things than a clip")
        # Other compression methods may need any amount of memory; these two need little.
        if not {member.compress_type for member in members.values()} <= {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            raise FieldError("it is packed in a way that Riff does not use")
        # zipfile unpacks at most the size that a member declares
        if sum(member.file_size for member in members.values()) > MAX_CLIP_BYTES:
            raise FieldError("what it holds is too large")
        return archive.read(_DESCRIPTION), archive.read(_FEATURES)


def _array(data: bytes, kind: str) -> NDArray[Any]:
    """Parse an .npy file of type `kind`. The header is matched by a pattern; numpy would evaluate it as Python."""
    start = 10 + int.from_bytes(data[8:10], "little")
    header = _NPY_HEADER.fullmatch(data[10:start])
    if data[:8] != b"\x93NUMPY\1\0" or header is None or header[1].decode() != kind:
        raise FieldError("its arrays are not what they should be")
    shape, dtype = tuple(map(int, header[2].split(b","))), np.dtype(kind)
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
    return Motion(features.astype(np.float64), skeleton, rate, origin)
