"""Clips as features in .npz files, for machines without Blender: numbers and JSON, no pickle, checked when read."""

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

FORMAT = 1
"""Version of the file's layout; newer ones are refused."""


LARGEST = 1 << 28
"""Bytes that the parts of a clip may have together: a thousand times a usual one."""


SUFFIX = ".npz"


_FEATURES, _DESCRIPTION = "features.npy", "clip.npy"


_END, _LISTED = 22, 512
"""Bytes of the record at an archive's end, and at most of the list before it."""


_HEADER = re.compile(
    rb"\{'descr': '([<|][a-z]\d)', 'fortran_order': False, 'shape': \((\d{1,12}(?:, ?\d{1,12}){0,3}),?\), \}\s*"
)


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
        "format": FORMAT,
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
    """Read a clip from an .npz of ours or a BVH file. Raises ClipError, naming the file, for what is neither."""
    if Path(path).suffix.lower() == SUFFIX:
        return load_clip(path)
    return Clip(Path(path).stem, read_bvh(path))


def load_clip(path: str | os.PathLike[str], sha256: str = "") -> Clip:
    """Read a clip from an .npz file, which must have this checksum where one is given. Raises ClipError."""
    name = Path(path).name
    try:
        with open_regular(path, LARGEST) as file:
            data = file.read(LARGEST)
    except OSError as error:
        raise ClipError(f"Cannot read “{name}”: {error.strerror or error}.") from error
    except FieldError as error:
        raise ClipError(f"“{name}” is no clip of Riff: {error}.") from error
    if sha256 and hashlib.sha256(data).hexdigest() != sha256:
        raise ClipError(f"“{name}” is another file than the one that was exported.")
    try:
        description, features = _parts(data)
        fields = Fields(parse_json(_array(description, "|u1").tobytes()))
        if fields.whole("format", 0, 1 << 31) > FORMAT:
            raise ClipError(f"“{name}” was made by a newer version of Riff; update Riff to read it.")
        motion = motion_from_fields(fields, _array(features, "<f8"))
        return Clip(fields.text("name"), motion, fields.text("rig"), fields.text("source"))
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, RuntimeError, struct.error) as error:
        # what zipfile and zlib say of archives that are cut off, encrypted, or packed in another way
        raise ClipError(f"“{name}” is damaged or no clip of Riff.") from error
    except ValueError as error:  # FieldError, and what zipfile says of places outside the file
        raise ClipError(f"“{name}” is damaged or no clip of Riff: {error}.") from error


def _parts(data: bytes) -> tuple[bytes, bytes]:
    """The description and the features as .npy files. Raises FieldError, and what zipfile raises."""
    # The list of what an archive holds could alone be millions long: ours is two lines, and the last thing in the file.
    end = data[-_END:]
    if len(end) < _END or end[:4] != b"PK\5\6" or int.from_bytes(end[12:16], "little") > _LISTED:
        raise FieldError("it is no archive of ours")
    if data[-_END - 20 : -_END - 16] == b"PK\6\7":
        raise FieldError("it is an archive of another kind")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {member.filename: member for member in archive.infolist()}
        if set(members) != {_FEATURES, _DESCRIPTION}:
            raise FieldError("it holds other things than a clip")
        # Other ways to pack ask for memory as they like; these two need little.
        if not {member.compress_type for member in members.values()} <= {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            raise FieldError("it is packed in a way that Riff does not use")
        # what a member says of its size is all that is ever unpacked of it
        if sum(member.file_size for member in members.values()) > LARGEST:
            raise FieldError("what it holds is too large")
        return archive.read(_DESCRIPTION), archive.read(_FEATURES)


def _array(data: bytes, kind: str) -> NDArray[Any]:
    """An array of this type from the bytes of an .npy file, whose header is matched, not evaluated as numpy does."""
    start = 10 + int.from_bytes(data[8:10], "little")
    header = _HEADER.fullmatch(data[10:start])
    if data[:8] != b"\x93NUMPY\1\0" or header is None or header[1].decode() != kind:
        raise FieldError("its arrays are not what they should be")
    shape, dtype = tuple(map(int, header[2].split(b","))), np.dtype(kind)
    if len(data) - start != math.prod(shape) * dtype.itemsize:
        raise FieldError("its arrays have other sizes than they say")
    return np.frombuffer(data, dtype=dtype, offset=start).reshape(shape)


MOST_FRAMES = 1 << 20
"""Rows of a motion: nine hours at 30 frames a second."""


SLOWEST, FASTEST = 1e-3, 1e4
"""Frames a second."""


def motion_from_fields(fields: Fields, features: NDArray[Any] | None) -> Motion:
    """The motion of a file's description and its array. Raises FieldError; ClipError for joints that are no tree."""
    skeleton = Skeleton.from_json(fields.raw("skeleton"))
    if features is None or features.ndim != 2 or features.dtype.kind != "f":
        raise FieldError("its clip is missing or holds no rows of numbers")
    if not 2 <= len(features) <= MOST_FRAMES or features.shape[1] != skeleton.channels:
        raise FieldError("its clip does not fit its skeleton")
    if not check_finite(features):
        raise FieldError("its clip holds numbers that are not finite or far too large")
    rate, origin = fields.number("fps", SLOWEST, FASTEST), fields.array("origin", (2,))
    return Motion(features.astype(np.float64), skeleton, rate, origin)
