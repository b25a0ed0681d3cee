"""Reading and writing of .safetensors files that describe themselves by JSON, also of strangers' files.

Files are read, not mapped into memory: a mapped file that is cut off while it is read would take Blender with it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from .fields import FieldError, open_regular
from .paths import write_bytes

MAX_TENSORS = 20_000
"""Largest accepted number of tensors in a file."""

MAX_AXES = 8
"""Largest accepted number of axes of a tensor."""

NUMBER_TYPES = ("BOOL", "U8", "I8", "I16", "I32", "I64", "F16", "F32", "F64")
"""Types of numbers that Riff writes, by the format's names."""


def write_tensors(path: Path, key: str, text: str, tensors: Mapping[str, NDArray[Any]]) -> bytes:
    """Write contiguous tensors and a text under `key` of the file's metadata atomically; return the bytes.

    Raises OSError; the file is then as it was.
    """
    data: bytes = save(dict(tensors), metadata={key: text})
    write_bytes(path, data)
    return data


def read_text(path: str | os.PathLike[str], key: str, max_bytes: int) -> str:
    """The text under `key` of the file's metadata, without its tensors. Raises OSError, FieldError."""
    with _opened(path, max_bytes) as file:
        return _text(file, key)


def read_tensors(path: str | os.PathLike[str], key: str, max_bytes: int) -> tuple[str, dict[str, NDArray[Any]]]:
    """The text under `key` of the file's metadata, and all tensors by name. Raises OSError, FieldError."""
    with _opened(path, max_bytes) as file:
        return _text(file, key), {name: _tensor(file, name) for name in file.keys()}  # noqa: SIM118


@contextmanager
def _opened(path: str | os.PathLike[str], max_bytes: int) -> Iterator[Any]:
    """The file, once its sizes and the sizes in its header are known to fit. Raises OSError, FieldError."""
    open_regular(path, max_bytes).close()
    try:
        with safe_open(path, framework="np", backend="pread") as file:
            if len(file.keys()) > MAX_TENSORS:
                raise FieldError(f"it holds more than {MAX_TENSORS} tensors")
            yield file
    except SafetensorError as error:
        reason = str(error).removeprefix("Error while deserializing header: ")
        raise FieldError(f"it is cut off or damaged ({reason[:200]})") from error


def _text(file: Any, key: str) -> str:
    text = (file.metadata() or {}).get(key)
    if text is None:
        raise FieldError(f"its header has no “{key}”")
    return str(text)


def _tensor(file: Any, name: str) -> NDArray[Any]:
    described = file.get_slice(name)
    if described.get_dtype() not in NUMBER_TYPES or len(described.get_shape()) > MAX_AXES:
        raise FieldError(f"its tensor “{name[:100]}” is of a kind that Riff does not keep")
    array: NDArray[Any] = file.get_tensor(name)
    return array
