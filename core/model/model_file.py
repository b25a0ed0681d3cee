"""Model files: one .safetensors file with all that generation needs, without PyTorch and pickle; array shapes."""

from __future__ import annotations

import itertools
import json
import math
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ClipError, ModelError
from ..files.fields import MAX_MAGNITUDE, FieldError, Fields, as_utf8, check_finite, parse_json
from ..files.held_open import reason_of
from ..files.tensors import read_tensors, read_text, write_tensors
from ..motion.clip_file import MAX_FPS, MAX_FRAMES, MIN_FPS, motion_from_fields
from ..motion.skeleton import GROUP, MAX_JOINTS, Skeleton
from .channels import Channels, read_channels
from .learned_clips import MAX_CLIPS, read_learned_clips
from .matched import Matched
from .model import Model
from .recipe import MAX_LEVELS, MAX_STAGES, Recipe

MODEL_FORMAT = 3
"""Version of the file layout; newer versions are refused."""

MAX_MODEL_BYTES = 1 << 30
"""Largest accepted file in bytes."""

METADATA_KEY = "riff"
"""Key of Riff's JSON in the metadata of the safetensors file."""

MAX_HISTORY_ROWS = 100_000
"""Largest accepted number of rows of the history of losses."""


def save_model(model: Model, path: str | os.PathLike[str]) -> None:
    """Write a model atomically. Raises ModelError where the file cannot be written."""
    target = Path(path)
    meta = {
        "format": MODEL_FORMAT,
        "info": model.info(),
        "skeleton": model.skeleton.to_json(),
        "recipe": model.recipe.to_json(),
        "groups": list(model.channels.groups),
        "gains": list(model.channels.gains),
        "height_gain": model.channels.height_gain,
        "folds": [pca.to_json() for pca in model.channels.joint_pcas],
        "amplitudes": list(model.amplitudes),
        "sampling_noise": list(model.sampling_noise),
        "history": model.history,
        "origin": model.source.origin.tolist(),
        "cycle": model.source.cycle_seconds,
        "fps": model.source.fps,
    }
    if model.clips:
        meta["clips"] = [clip.to_json() for clip in model.clips]
    if model.matched is not None:
        meta["matched"] = model.matched.to_json()
    tensors = {name: np.ascontiguousarray(value) for name, value in {**model.weights, **model.critics}.items()}
    tensors |= {"code": np.ascontiguousarray(model.code), "source": np.ascontiguousarray(model.source.features)}
    try:
        write_tensors(target, METADATA_KEY, json.dumps(meta), tensors)
    except OSError as error:
        raise ModelError(f"Cannot save the model “{target.name}”: {reason_of(error)}.") from error


def load_model(path: str | os.PathLike[str]) -> Model:
    """Read a model. Raises ModelError where the file is missing, damaged or too new."""
    with _refusals(path):
        text, tensors = read_tensors(path, METADATA_KEY, MAX_MODEL_BYTES)
        model = _model(_description(text, Path(path).name), tensors)
        _check_arrays(model)
    # small files hold half precision
    weights = {name: array.astype(np.float32, copy=False) for name, array in model.weights.items()}
    return replace(model, weights=weights, code=model.code.astype(np.float32, copy=False))


def read_info(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read the result of `Model.info` at the time of saving, without reading tensors. Raises ModelError."""
    with _refusals(path):
        return _info(_description(read_text(path, METADATA_KEY, MAX_MODEL_BYTES), Path(path).name))


def read_rig(path: str | os.PathLike[str]) -> tuple[Skeleton, list[bool]]:
    """Read a model's skeleton, and for each joint whether it rests in the source. Raises ModelError."""
    with _refusals(path):
        fields = _description(read_text(path, METADATA_KEY, MAX_MODEL_BYTES), Path(path).name)
        skeleton = Skeleton.from_json(fields.raw("skeleton"))
        folds = fields.parts("folds", skeleton.joints)
        groups = fields.wholes("groups", 0, skeleton.groups + len(folds) - 1, skeleton.groups + len(folds))
        moving = {skeleton.group_joint(group) for group in groups if group < skeleton.groups}
        for fold in folds:
            moving |= set(fold.wholes("members", 0, skeleton.joints - 1, skeleton.joints))
    return skeleton, [joint not in moving for joint in range(skeleton.joints)]


@contextmanager
def _refusals(path: str | os.PathLike[str]) -> Iterator[None]:
    """Convert errors of reading a file to a ModelError that names the file."""
    name = Path(path).name
    try:
        yield
    except OSError as error:
        raise ModelError(f"Cannot open the model “{name}”: {error.strerror or error}.") from error
    except (FieldError, ClipError) as error:
        raise ModelError(f"“{name}” is damaged or not a Riff model: {str(error).rstrip('.')}.") from error


def _description(text: str, name: str) -> Fields:
    fields = Fields(parse_json(text))
    if fields.whole("format", 0, 1 << 31) > MODEL_FORMAT:
        raise ModelError(f"“{name}” was made by a newer version of Riff; update Riff to open it.")
    return fields


def _info(description: Fields) -> dict[str, Any]:
    """Parse the summary of a model, see `Model.info`."""
    fields = description.part("info")
    return {
        "name": as_utf8(fields.text("name")),
        "recipe": as_utf8(fields.text("recipe")),
        "joints": fields.whole("joints", 1, MAX_JOINTS),
        "contacts": list(fields.texts("contacts", MAX_JOINTS)),
        "frames": fields.whole("frames", 2, MAX_FRAMES),
        "duration": fields.number("duration", 0.0, MAX_MAGNITUDE),
        "cycle": fields.number("cycle", 0.0, MAX_MAGNITUDE, 0.0),
        "source_fps": fields.number("source_fps", MIN_FPS, MAX_FPS),
        "seed": fields.whole("seed", -(1 << 63), 1 << 64),
        "training_seconds": fields.number("training_seconds", 0, MAX_MAGNITUDE),
        "device": as_utf8(fields.text("device")),
        "iterations": list(fields.wholes("iterations", 0, 1 << 40, MAX_LEVELS)),
        "levels": list(fields.wholes("levels", 0, MAX_LEVELS, 2, (0, 0))),
        "fraction": fields.number("fraction", 0.0, 1.0, 1.0),
        "quality": fields.figures("quality"),
        "rig": as_utf8(fields.text("rig", "")),
        "clips": list(map(as_utf8, fields.texts("clips", MAX_CLIPS, ()))),
    }


def _model(fields: Fields, tensors: dict[str, NDArray[Any]]) -> Model:
    """Build a model, validating clip, channels and recipe; `_check_arrays` validates its arrays."""
    info, recipe = _info(fields), Recipe.from_json(fields.raw("recipe"))
    source = motion_from_fields(fields, tensors.pop("source", None))
    code = tensors.pop("code", np.zeros(0, dtype=np.float32))
    amplitudes = fields.numbers("amplitudes", 0.0, MAX_MAGNITUDE, MAX_STAGES)
    if len(amplitudes) != recipe.stage_count:
        raise FieldError("its noise amplitudes do not fit its stages")
    matched = None
    if "matched" in fields:
        matched = Matched.from_json(fields.part("matched"), recipe.stage_count, source.frames)
    critics = {name: tensors.pop(name) for name in list(tensors) if ".critic" in name}
    # Models before format 3 kept the sampling noise in the recipe.
    noise_fields = fields if "sampling_noise" in fields else fields.part("recipe")
    noise: tuple[float, ...] = ()
    if "sampling_noise" in noise_fields:
        noise = noise_fields.numbers("sampling_noise", 0, 1e3, MAX_LEVELS)
        if len(noise) != recipe.levels:
            raise FieldError("its sampling noise does not fit its levels")
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
        fields.figure_rows("history", MAX_HISTORY_ROWS),
        info["quality"],
        info["rig"],
        critics,
        matched,
        noise,
        info["fraction"],
        read_learned_clips(fields, source.frames),
    )


def _check_arrays(model: Model) -> None:
    """Raise FieldError where names, shapes or types of arrays do not fit the model's channels and recipe."""
    channels, recipe = model.channels, model.recipe
    trained = model.trained_stages
    shapes = generator_shapes(channels, recipe, trained) | {"code": (1, len(channels.columns), model.lengths[0])}
    arrays: dict[str, NDArray[Any]] = {**model.weights, "code": model.code}
    if model.critics:
        shapes |= critic_shapes(channels, recipe, trained)
        arrays |= model.critics
    if set(shapes) != set(arrays):
        raise FieldError("weights are missing, or there are some that do not belong there")
    for name, array in arrays.items():
        if array.shape != shapes[name] or array.dtype not in (np.float32, np.float16):
            raise FieldError(f"its tensor “{name}” does not fit its skeleton and recipe")
        if not check_finite(array):
            raise FieldError(f"its tensor “{name}” holds numbers that are not finite or far too large")


def group_widths(groups: int, hidden: Sequence[int]) -> list[int]:
    """Return the channels of a group in each hidden layer: the totals `hidden`, rounded up to whole groups."""
    return [math.ceil(channels / groups) for channels in hidden]


def generator_shapes(channels: Channels, recipe: Recipe, trained: int | None = None) -> dict[str, tuple[int, ...]]:
    """Return the shape of each array of the generators of all or `trained` stages, by its name in the model."""
    groups = len(channels.groups)
    widths = [GROUP, *group_widths(groups, recipe.hidden), GROUP]
    return _stages(recipe, trained, "layer", _layers(channels, recipe, widths))


def critic_shapes(channels: Channels, recipe: Recipe, trained: int | None = None) -> dict[str, tuple[int, ...]]:
    """Return the shape of each array of the critics, as `generator_shapes`; their last layer sees all groups as one."""
    groups = len(channels.groups)
    widths = [GROUP, *group_widths(groups, recipe.hidden)]
    score = ((1, 1, groups * widths[-1], recipe.kernel), (1,))
    return _stages(recipe, trained, "critic", [*_layers(channels, recipe, widths), score])


def _layers(channels: Channels, recipe: Recipe, widths: Sequence[int]) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Return the shapes of weight and bias of each layer, from `widths`, the channels of a group before and after."""
    pairs = int(channels.near(recipe.distance).sum())
    return [
        ((pairs, outside, inside, recipe.kernel), (len(channels.groups) * outside,))
        for inside, outside in itertools.pairwise(widths)
    ]


def _stages(
    recipe: Recipe, trained: int | None, part: str, layers: Sequence[tuple[tuple[int, ...], tuple[int, ...]]]
) -> dict[str, tuple[int, ...]]:
    shapes = {}
    for stage in range(recipe.stage_count if trained is None else trained):
        for number, (weight, bias) in enumerate(layers):
            shapes[f"stage{stage}.{part}{number}.weight"] = weight
            shapes[f"stage{stage}.{part}{number}.bias"] = bias
    return shapes
