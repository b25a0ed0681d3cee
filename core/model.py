"""A trained model: one .safetensors file with all that generation needs; no PyTorch, no pickle."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from .channels import Channels, read_channels
from .errors import ClipError, ModelError
from .files.fields import FAR, FieldError, Fields, check_finite, parse_json
from .files.tensors import read_tensors, read_text
from .motion.clip_file import FASTEST, MOST_FRAMES, SLOWEST, read_motion
from .motion.motion import Motion
from .motion.skeleton import MOST_JOINTS, Skeleton
from .recipe import Recipe
from .recipe_ranges import MOST_LEVELS, MOST_STAGES
from .shapes import critic_shapes, generator_shapes

FORMAT = 2
"""Version of the file's layout; newer ones are refused."""

LARGEST = 1 << 30
"""Bytes above which a file is no model of ours."""

KEY = "riff"
"""Where the file's own description holds ours."""

MOST_ROWS = 100_000
"""Rows of the history of losses."""


@dataclass(eq=False)
class Model:
    """The trained pyramid of one clip.

    `weights` holds, for stage i and layer j, `stage{i}.layer{j}.weight` (P, outside, inside, kernel) for the P pairs of
    neighbouring groups and `.bias`; `code` is z*_1 scaled (1, C, T_1); `channels` what the networks see;
    `source` the clip at 30 frames/s, `source_fps` the rate it came with.
    """

    name: str
    channels: Channels
    recipe: Recipe
    source: Motion
    source_fps: float
    amplitudes: tuple[float, ...]
    code: NDArray[np.float32]
    weights: dict[str, NDArray[np.float32]]
    seed: int = 0
    seconds: float = 0.0
    device: str = "cpu"
    history: list[dict[str, float]] = field(default_factory=list)
    quality: dict[str, float] = field(default_factory=dict)
    """Figures of a few variations, measured when the training ended; empty where nobody measured."""
    rig: str = ""
    """What the armature was called whose action was learned."""
    critics: dict[str, NDArray[np.float16]] = field(default_factory=dict)
    """What only a training that starts from this model needs, `stage{i}.critic{j}.weight` and `.bias`; may be empty."""

    @property
    def skeleton(self) -> Skeleton:
        return self.source.skeleton

    @property
    def lengths(self) -> list[int]:
        """Frames of each stage for the source clip."""
        return self.recipe.lengths(self.source.frames)

    def info(self) -> dict[str, Any]:
        """What a list of models shows; every value fits JSON."""
        skeleton = self.skeleton
        return {
            "name": self.name,
            "recipe": self.recipe.name,
            "joints": skeleton.joints,
            "contacts": [skeleton.names[j] for j in skeleton.contacts],
            "frames": self.source.frames,
            "duration": self.source.duration,
            "source_fps": self.source_fps,
            "seed": self.seed,
            "training_seconds": self.seconds,
            "device": self.device,
            "iterations": list(self.recipe.iterations),
            "quality": self.quality,
            "rig": self.rig,
        }


def save_model(model: Model, path: str | os.PathLike[str]) -> None:
    """Write the model, whole or not at all. Raises ModelError with one sentence where the disk refuses."""
    target = Path(path)
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    meta = {
        "format": FORMAT,
        "info": model.info(),
        "skeleton": model.skeleton.to_json(),
        "recipe": model.recipe.to_json(),
        "groups": list(model.channels.groups),
        "gains": list(model.channels.gains),
        "height_gain": model.channels.height_gain,
        "folds": [fold.to_json() for fold in model.channels.folds],
        "amplitudes": list(model.amplitudes),
        "history": model.history,
        "origin": model.source.origin.tolist(),
        "fps": model.source.fps,
    }
    tensors = {name: np.ascontiguousarray(value) for name, value in {**model.weights, **model.critics}.items()}
    tensors |= {"code": np.ascontiguousarray(model.code), "source": np.ascontiguousarray(model.source.features)}
    data = save(tensors, metadata={KEY: json.dumps(meta)})
    try:
        with open(part, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, target)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise ModelError(f"Cannot save the model “{target.name}”: {error.strerror or error}.") from error


def load_model(path: str | os.PathLike[str]) -> Model:
    """Read a model. Raises ModelError with one sentence where the file is missing, damaged or too new."""
    with _refusals(path):
        text, tensors = read_tensors(path, KEY, LARGEST)
        model = _model(_description(text, Path(path).name), tensors)
        _check_arrays(model)
    return model


def read_info(path: str | os.PathLike[str]) -> dict[str, Any]:
    """What `Model.info` gave when the model was saved, without reading its tensors. Raises ModelError."""
    with _refusals(path):
        return _info(_description(read_text(path, KEY, LARGEST), Path(path).name))


@contextmanager
def _refusals(path: str | os.PathLike[str]) -> Iterator[None]:
    """Turns what is wrong with a file into one sentence that names it."""
    name = Path(path).name
    try:
        yield
    except OSError as error:
        raise ModelError(f"Cannot open the model “{name}”: {error.strerror or error}.") from error
    except (FieldError, ClipError) as error:
        raise ModelError(f"“{name}” is damaged or no Riff model: {str(error).rstrip('.')}.") from error


def _description(text: str, name: str) -> Fields:
    fields = Fields(parse_json(text))
    if fields.whole("format", 0, 1 << 31) > FORMAT:
        raise ModelError(f"“{name}” was made by a newer version of Riff; update Riff to open it.")
    return fields


def _info(description: Fields) -> dict[str, Any]:
    """The summary of a model, all that lists and tables show of it."""
    fields = description.part("info")
    return {
        "name": fields.text("name"),
        "recipe": fields.text("recipe"),
        "joints": fields.whole("joints", 1, MOST_JOINTS),
        "contacts": list(fields.texts("contacts", MOST_JOINTS)),
        "frames": fields.whole("frames", 2, MOST_FRAMES),
        "duration": fields.number("duration", 0.0, FAR),
        "source_fps": fields.number("source_fps", SLOWEST, FASTEST),
        "seed": fields.whole("seed", -(1 << 63), 1 << 64),
        "training_seconds": fields.number("training_seconds", 0, FAR),
        "device": fields.text("device"),
        "iterations": list(fields.wholes("iterations", 0, 1 << 40, MOST_LEVELS)),
        "quality": fields.figures("quality"),
        "rig": fields.text("rig", ""),
    }


def _model(fields: Fields, tensors: dict[str, NDArray[Any]]) -> Model:
    """A model whose clip, channels and recipe fit together; its arrays are still to be checked."""
    info, recipe = _info(fields), Recipe.from_json(fields.raw("recipe"))
    source = read_motion(fields, tensors.pop("source", None))
    code = tensors.pop("code", np.zeros(0, dtype=np.float32))
    amplitudes = fields.numbers("amplitudes", 0.0, FAR, MOST_STAGES)
    if len(amplitudes) != recipe.stage_count:
        raise FieldError("its noise amplitudes do not fit its stages")
    critics = {name: tensors.pop(name) for name in list(tensors) if ".critic" in name}
    return Model(
        info["name"],
        read_channels(fields, source),
        recipe,
        source,
        info["source_fps"],
        amplitudes,
        code,
        tensors,
        info["seed"],
        info["training_seconds"],
        info["device"],
        fields.figure_rows("history", MOST_ROWS),
        info["quality"],
        info["rig"],
        critics,
    )


def _check_arrays(model: Model) -> None:
    """Raise FieldError where arrays are not those of the model's channels and recipe, by name, size and kind."""
    channels, recipe = model.channels, model.recipe
    wanted = generator_shapes(channels, recipe) | {"code": (1, len(channels.columns), model.lengths[0])}
    found: dict[str, NDArray[Any]] = {**model.weights, "code": model.code}
    if model.critics:
        wanted |= critic_shapes(channels, recipe)
        found |= model.critics
    if set(wanted) != set(found):
        raise FieldError("weights are missing, or there are some that do not belong there")
    for name, array in found.items():
        if array.shape != wanted[name] or array.dtype not in (np.float32, np.float16):
            raise FieldError(f"its tensor “{name}” does not fit its skeleton and recipe")
        if not check_finite(array):
            raise FieldError(f"its tensor “{name}” holds numbers that are not finite or far too large")
