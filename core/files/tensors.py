"""Reads .safetensors files that anybody may have made: what the header says is compared with the file's size first.

Nothing is mapped into memory: a mapped file that is cut off while it is read would take Blender with it.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from .fields import FieldError, Fields, open_regular, parse_json

LARGEST_HEADER = 1 << 25
"""Bytes of a header: names, shapes, and the JSON that describes the whole; usual ones have a hundred kilobytes."""

MOST_TENSORS = 20_000
MOST_AXES = 8

KINDS = {
    "BOOL": "?",
    "U8": "u1",
    "I8": "i1",
    "I16": "<i2",
    "I32": "<i4",
    "I64": "<i8",
    "F16": "<f2",
    "F32": "<f4",
    "F64": "<f8",
}
"""The kinds of numbers that we keep, by the format's names."""


@dataclass(frozen=True)
class _Place:
    """Where a tensor lies after the header, in bytes, and what it is."""

    name: str
    kind: np.dtype[Any]
    shape: tuple[int, ...]
    start: int
    stop: int


def read_text(path: str | os.PathLike[str], key: str, largest: int) -> str:
    """A text of the file's own description, without its tensors. Raises OSError, FieldError."""
    with open_regular(path, largest) as file:
        return _header(file, key)[0]


def read_tensors(path: str | os.PathLike[str], key: str, largest: int) -> tuple[str, dict[str, NDArray[Any]]]:
    """A text of the file's own description and all tensors by their names. Raises OSError, FieldError."""
    with open_regular(path, largest) as file:
        text, positions = _header(file, key)
        return text, {place.name: _tensor(file, place) for place in positions}


def _header(file: BinaryIO, key: str) -> tuple[str, list[_Place]]:
    """The text, and where the tensors are, in the order in which they lie in the file."""
    size = os.fstat(file.fileno()).st_size
    length = int.from_bytes(file.read(8), "little")
    if size < 8 or length > min(size - 8, LARGEST_HEADER):
        raise FieldError("its header is cut off or too large")
    data = parse_json(file.read(length))
    if not isinstance(data, dict) or len(data) > MOST_TENSORS:
        raise FieldError("its header is not as it should be")
    own = data.pop("__metadata__", {})
    text = own.get(key) if isinstance(own, dict) else None
    if not isinstance(text, str):
        raise FieldError(f"its header has no “{key}”")
    positions = sorted((_place(Fields(data, "tensors"), name) for name in data), key=lambda one: one.start)
    end = 0
    for place in positions:
        if place.start != end:
            raise FieldError(f"its tensor “{place.name}” lies where another one is, or nothing")
        end = place.stop
    if end != size - 8 - length:
        raise FieldError("it is cut off or has more at its end than it says")
    return text, positions


def _place(tensors: Fields, name: str) -> _Place:
    fields = tensors.part(name)
    kind, far = fields.text("dtype"), 1 << 62
    shape, span = fields.wholes("shape", 0, far, MOST_AXES), fields.wholes("data_offsets", 0, far, 2)
    if kind not in KINDS or len(span) != 2:
        raise FieldError(f"its tensor “{name}” is of a kind that Riff does not keep")
    dtype = np.dtype(KINDS[kind])
    if span[1] - span[0] != math.prod(shape) * dtype.itemsize:
        raise FieldError(f"its tensor “{name}” has another size than its shape says")
    return _Place(name, dtype, shape, *span)


def _tensor(file: BinaryIO, place: _Place) -> NDArray[Any]:
    array = np.empty(math.prod(place.shape), dtype=place.kind)
    # the sizes were compared with the file's: no more is asked for than is there
    if file.readinto(array.view(np.uint8)) != array.nbytes:  # type: ignore[attr-defined]
        raise FieldError("it is cut off")
    return array.reshape(place.shape)
