"""A trained model: one .safetensors file with all that generation needs; no PyTorch, no pickle."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from .channels import Channels
from .errors import ClipError, ModelError
from .folds import Fold
from .motion import Motion
from .recipe import Recipe
from .skeleton import Skeleton

FORMAT = 2
"""Version of the file's layout; newer ones are refused."""

LARGEST = 1 << 30
"""Bytes above which a file is no model of ours."""


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
            "name": self.name, "recipe": self.recipe.name, "joints": skeleton.joints,
            "contacts": [skeleton.names[j] for j in skeleton.contacts], "frames": self.source.frames,
            "duration": self.source.duration, "source_fps": self.source_fps, "seed": self.seed,
            "training_seconds": self.seconds, "device": self.device, "iterations": list(self.recipe.iterations),
            "quality": self.quality, "rig": self.rig,
        }  # fmt: skip


def save_model(model: Model, path: str | os.PathLike[str]) -> None:
    """Write the model, whole or not at all. Raises ModelError with one sentence where the disk refuses."""
    target = Path(path)
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    meta = {
        "format": FORMAT, "info": model.info(), "skeleton": model.skeleton.to_json(), "recipe": model.recipe.to_json(),
        "groups": list(model.channels.groups),
        "gains": list(model.channels.gains), "height_gain": model.channels.height_gain,
        "folds": [fold.to_json() for fold in model.channels.folds],
        "amplitudes": list(model.amplitudes), "history": model.history, "origin": model.source.origin.tolist(),
        "fps": model.source.fps,
    }  # fmt: skip
    tensors = {name: np.ascontiguousarray(value) for name, value in {**model.weights, **model.critics}.items()}
    tensors |= {"code": np.ascontiguousarray(model.code), "source": np.ascontiguousarray(model.source.features)}
    data = save(tensors, metadata={"riff": json.dumps(meta)})
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
    name = Path(path).name
    meta = _read_meta(path)
    try:
        with safe_open(os.fspath(path), framework="numpy") as file:
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118  (no mapping)
        source = tensors.pop("source").astype(np.float64)
        code = tensors.pop("code")
        skeleton = Skeleton.from_json(meta["skeleton"])
        recipe = Recipe.from_json(meta["recipe"])
        info = meta["info"]
        folds = tuple(Fold.from_json(fold) for fold in meta["folds"])
        gains, height = tuple(meta["gains"]), float(meta.get("height_gain", 1.0))
        channels = Channels(skeleton, tuple(meta["groups"]), folds, source.mean(0), gains, height)
        critics = {name: tensors.pop(name) for name in list(tensors) if ".critic" in name}
        model = Model(
            str(info["name"]), channels, recipe,
            Motion(source, skeleton, float(meta["fps"]), np.asarray(meta["origin"], dtype=np.float64)),
            float(info["source_fps"]), tuple(meta["amplitudes"]), code, tensors,
            int(info["seed"]), float(info["training_seconds"]), str(info["device"]), list(meta["history"]),
            {str(name): float(value) for name, value in info.get("quality", {}).items()},
            str(info.get("rig", "")), critics,
        )  # fmt: skip
        _check(model)
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, IndexError, ClipError) as error:
        raise ModelError(f"“{name}” is damaged: {error}.") from error
    return model


def read_info(path: str | os.PathLike[str]) -> dict[str, Any]:
    """What `Model.info` gave when the model was saved, without reading its tensors. Raises ModelError."""
    info = _read_meta(path).get("info")
    if not isinstance(info, dict) or not {"name", "recipe", "duration", "source_fps"} <= set(info):
        raise ModelError(f"“{Path(path).name}” is damaged: its summary is missing.")
    return info


def _read_meta(path: str | os.PathLike[str]) -> dict[str, Any]:
    name = Path(path).name
    try:
        if os.path.getsize(path) > LARGEST:
            raise ModelError(f"“{name}” is too large to be a Riff model.")
        with safe_open(os.fspath(path), framework="numpy") as file:
            text = (file.metadata() or {}).get("riff")
    except OSError as error:
        raise ModelError(f"Cannot open the model “{name}”: {error.strerror or error}.") from error
    except SafetensorError as error:
        raise ModelError(f"“{name}” is damaged or no Riff model.") from error
    if text is None:
        raise ModelError(f"“{name}” is no Riff model.")
    try:
        meta = json.loads(text)
    except ValueError as error:
        raise ModelError(f"“{name}” is damaged: its description cannot be read.") from error
    if not isinstance(meta, dict) or not isinstance(meta.get("format"), int):
        raise ModelError(f"“{name}” is damaged: its description is incomplete.")
    if meta["format"] > FORMAT:
        raise ModelError(f"“{name}” was made by a newer version of Riff; update Riff to open it.")
    return meta


def _check(model: Model) -> None:
    """Raise ValueError where the parts of a model do not fit together."""
    skeleton, recipe = model.skeleton, model.recipe
    if model.source.features.ndim != 2 or model.source.features.shape[1] != skeleton.channels:
        raise ValueError("its clip does not fit its skeleton")
    groups, folds = model.channels.groups, model.channels.folds
    gains = model.channels.gains
    if len(groups) != len(gains) or not all(gain > 0 for gain in (*gains, model.channels.height_gain)):
        raise ValueError("its gains do not fit its groups")
    if not groups or not all(0 <= group < skeleton.groups + len(folds) for group in groups):
        raise ValueError("its learned groups do not fit its skeleton")
    if not all(0 <= joint < skeleton.joints for fold in folds for joint in (fold.joint, *fold.members)):
        raise ValueError("its folded joints do not fit its skeleton")
    if len(model.amplitudes) != recipe.stage_count:
        raise ValueError("its noise amplitudes do not fit its stages")
    layers = len(recipe.hidden) + 1
    names = {part: {f"stage{i}.{part}{j}.{kind}" for i in range(recipe.stage_count) for j in range(layers)
                    for kind in ("weight", "bias")} for part in ("layer", "critic")}  # fmt: skip
    if names["layer"] != set(model.weights) or (model.critics and names["critic"] != set(model.critics)):
        raise ValueError("weights are missing")
    arrays: list[NDArray[Any]] = [*model.weights.values(), *model.critics.values(), model.source.features]
    if not all(bool(np.isfinite(value).all()) for value in arrays):
        raise ValueError("it holds numbers that are not finite")
