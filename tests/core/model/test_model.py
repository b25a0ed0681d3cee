"""Model files: what is saved comes back, what is broken is refused in one sentence."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from core.errors import ModelError
from core.files.tensors import read_tensors, write_tensors
from core.generation.generate import generate
from core.model.model import Model
from core.model.model_file import METADATA_KEY, MODEL_FORMAT, load_model, read_info, save_model
from core.model.recipe import FAST, RECIPES, Recipe
from core.motion.motion import Motion
from core.training.train import train


@pytest.fixture(scope="module")
def model(walker: Motion) -> Model:
    recipe = replace(FAST, iterations=(1, 1, 1, 1), hidden=(32, 32, 32), batch=(1, 1, 1, 1), bank=2)
    trained = train(walker, recipe, seed=3)
    trained.name = "walk – éprouvé"
    return trained


@pytest.fixture
def path(model: Model, tmp_path: Path) -> Path:
    target = tmp_path / "model.safetensors"
    save_model(model, target)
    return target


def test_round_trip_generates_the_same(model: Model, path: Path) -> None:
    loaded = load_model(path)
    assert loaded.name == model.name
    assert loaded.recipe == model.recipe
    assert loaded.skeleton.same_structure(model.skeleton)
    assert loaded.history == model.history
    assert read_info(path) == json.loads(json.dumps(model.info()))
    ours, theirs = (generate(m, frames=60, seed=1)[0] for m in (model, loaded))
    np.testing.assert_array_equal(ours.features, theirs.features)


def test_recipes_survive_json() -> None:
    for recipe in RECIPES.values():
        assert Recipe.from_json(json.loads(json.dumps(recipe.to_json()))) == recipe
    with pytest.raises(ModelError):
        Recipe.from_json({"name": "odd", "unknown": 1})
    with pytest.raises(ModelError):
        Recipe.from_json({"name": "odd"})


def test_the_sampling_noise_of_a_model_of_format_2_is_found_in_its_recipe(model: Model, path: Path) -> None:
    text, tensors = read_tensors(path, METADATA_KEY, 1 << 30)
    description = json.loads(text) | {"format": 2}
    del description["sampling_noise"]
    for noise, fits in (([0.5, 1.0, 1.5, 2.0], True), ([0.5, 1.0], False), ([0.5, 1.0, 1.5, -2.0], False)):
        description["recipe"]["sampling_noise"] = noise
        write_tensors(path, METADATA_KEY, json.dumps(description), tensors)
        if fits:
            assert load_model(path).sampling_noise == tuple(noise)
        else:
            with pytest.raises(ModelError, match="noise"):
                load_model(path)


def test_newer_format_is_refused(path: Path) -> None:
    from safetensors import safe_open

    with safe_open(str(path), framework="numpy") as file:
        meta = json.loads(file.metadata()["riff"])
    meta["format"] = MODEL_FORMAT + 1
    save_file(load_file(str(path)), str(path), metadata={"riff": json.dumps(meta)})
    for read in (load_model, read_info):
        with pytest.raises(ModelError, match="newer version"):
            read(path)


def test_missing_weights_are_refused(path: Path) -> None:
    from safetensors import safe_open

    with safe_open(str(path), framework="numpy") as file:
        meta = file.metadata()
    tensors = load_file(str(path))
    del tensors["stage3.layer1.bias"]
    save_file(tensors, str(path), metadata=meta)
    with pytest.raises(ModelError, match="weights are missing"):
        load_model(path)


def test_missing_and_foreign_files(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="Cannot open"):
        load_model(tmp_path / "none.safetensors")
    foreign = tmp_path / "foreign.safetensors"
    save_file({"x": np.zeros(3, dtype=np.float32)}, str(foreign))
    with pytest.raises(ModelError, match="not a Riff model"):
        load_model(foreign)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.floats(0, 1), st.integers(1, 255))
def test_damage_gives_a_sentence_or_a_model(path: Path, where: float, flip: int) -> None:
    """Cut at any byte it is refused; with a byte changed it is refused or still makes finite sense."""
    data = path.read_bytes()
    broken = path.with_name("broken.safetensors")
    at = min(int(where * len(data)), len(data) - 1)
    broken.write_bytes(data[:at])
    with pytest.raises(ModelError):
        load_model(broken)
    broken.write_bytes(data[:at] + bytes([data[at] ^ flip]) + data[at + 1 :])
    try:
        loaded = load_model(broken)
    except ModelError:
        return
    assert all(np.isfinite(value).all() for value in loaded.weights.values())


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)]
    if os.name != "posix" or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a small file system cannot be mounted here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_full_disk_leaves_nothing(model: Model, small_disk: Path) -> None:
    with pytest.raises(ModelError, match="No space left"):
        save_model(model, small_disk / "model.safetensors")
    assert list(small_disk.iterdir()) == []


def test_unwritable_folder_is_named(model: Model, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"Cannot save the model “m\.safetensors”"):
        save_model(model, tmp_path / "missing" / "m.safetensors")
