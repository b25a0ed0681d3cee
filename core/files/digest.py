"""Digest of the tensors of a .safetensors file, in steps; its description may change without changing the digest."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Generator
from pathlib import Path

from ..errors import ModelError
from .fields import FieldError, open_regular

CHUNK_BYTES = 8 << 20
"""Bytes that are read in a step."""

DIGEST_BYTES = 16


def tensor_digest_steps(path: str | os.PathLike[str], largest: int) -> Generator[float, None, str]:
    """Compute the digest of a file's tensors, yielding the fraction done. Raises ModelError."""
    digest = hashlib.blake2b(digest_size=DIGEST_BYTES)
    try:
        with open_regular(path, largest) as file:
            whole = max(1, os.fstat(file.fileno()).st_size)
            header = int.from_bytes(file.read(8), "little")
            file.seek(min(whole, 8 + header))
            while chunk := file.read(CHUNK_BYTES):
                digest.update(chunk)
                yield file.tell() / whole
    except (OSError, FieldError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ModelError(f"Cannot read the model “{Path(path).name}”: {reason}.") from error
    return digest.hexdigest()
