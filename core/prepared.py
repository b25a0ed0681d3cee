"""Models that are used again and again: read and made ready once, as long as their file does not change."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from .generate import Sampler
from .model.model import Model
from .model.model_file import load_model
from .stage_rows import Refiner

KEPT = 2
"""Models that are kept ready, some tens of megabytes each."""


def prepared_sampler(path: Path) -> Sampler:
    """A sampler of the model in a file, without PyTorch: loading that holds Blender's window up for a second.

    The model's networks are made the first time only. Raises ModelError as `load_model` does.
    """
    try:
        status = path.stat()
    except OSError:
        return Sampler(load_model(path), torch=False)  # which says what is wrong
    model, generators = _prepared(path, status.st_mtime_ns, status.st_size)
    return Sampler(model, generators=generators)


@lru_cache(maxsize=KEPT)
def _prepared(path: Path, _changed: int, _size: int) -> tuple[Model, list[Refiner]]:
    sampler = Sampler(load_model(path), torch=False)
    return sampler.model, sampler.generators
