"""Everything that generates runs where there is no PyTorch, and gives what PyTorch would."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from core.directing.compose import compose
from core.directing.composition import Composition, close_loop, fill_regions
from core.errors import ModelError
from core.generation import numpy_backend
from core.generation.generate import Sampler, generate, prepared_sampler
from core.generation.latents import latents_of_seed, motions_of
from core.model import pyramid as stage_rows
from core.model.model import Model
from core.model.model_file import save_model
from core.model.recipe import RECIPES
from core.motion.motion import Motion
from core.networks import pyramid
from core.numeric.matrix_product import products_are_fast
from core.training.train import train

ROOT = Path(__file__).resolve().parents[3]
SAME = 1e-4

# An import that fails the way it does where a package was never installed.
BLOCKED = """
import importlib.abc, sys
class NoTorch(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "torch":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return None
sys.meta_path.insert(0, NoTorch())
import importlib.util
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: None if name == "torch" else found(name, package)
"""

EVERYTHING = (
    BLOCKED
    + """
import dataclasses, json
import numpy as np
from core.generation.latents import interpolate_seeds, generate_like, motions_of
from core.directing.compose import compose
from core.directing.composition import free
from core.crowd.candidates import CandidatePool
from core.generation.generate import Sampler, generate
from core.model.model_file import load_model, read_info
path = sys.argv[1]
info, model = read_info(path), load_model(path)
motions = [*generate(model, frames=60, count=2, seed=1), *generate_like(model, like=[(1.0, 0)], frames=60)]
motions += motions_of(Sampler(model), [interpolate_seeds(Sampler(model), 60, 1.5)])
motions += compose(model, dataclasses.replace(free(model.source), loop=True))
pool = CandidatePool(model, 60, 30.0)
motions += pool.finish(pool.outline([(1, 0), (1, 1)]))
print(json.dumps({
    "name": info["name"], "motions": len(motions), "finite": all(bool(np.isfinite(m.features).all()) for m in motions),
    "torch": "torch" in sys.modules,
}))
"""
)


@pytest.fixture(scope="module")
def model(walker: Motion) -> Model:
    made = train(walker, RECIPES["fast"].scaled(0.005))
    made.name = "walker"
    return made


def test_numpy_gives_what_torch_gives(model: Model) -> None:
    by_torch, by_numpy = Sampler(model, torch=True), Sampler(model, torch=False)
    for frames in (30, 91, 400):
        for one, other in zip(by_torch.sample(frames, 3, 5), by_numpy.sample(frames, 3, 5), strict=True):
            np.testing.assert_allclose(one.features, other.features, atol=SAME)
    np.testing.assert_allclose(by_torch.reconstruction().features, by_numpy.reconstruction().features, atol=SAME)
    codes = [latents_of_seed(Sampler(model), 90, seed) for seed in (1, 2)]
    for one, other in zip(motions_of(by_torch, codes), motions_of(by_numpy, codes), strict=True):
        np.testing.assert_allclose(one.features, other.features, atol=SAME)


@pytest.mark.parametrize("loop", [False, True])
def test_compositions_are_the_same_too(model: Model, loop: bool) -> None:
    source = model.source
    composition: Composition = close_loop(source, 30) if loop else fill_regions(source, [(20, 50)])
    one, other = (
        compose(model, composition, seed=3, count=2, sampler=Sampler(model, torch=torch)) for torch in (True, False)
    )
    for mine, theirs in zip(one, other, strict=True):
        np.testing.assert_allclose(mine.features, theirs.features, atol=SAME)


@pytest.mark.skipif(not products_are_fast(), reason="no BLAS here: there is nothing to compare plain products with")
def test_without_blas_the_products_are_the_same(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = Sampler(model, torch=False).sample(60, 1, 0)[0]
    monkeypatch.setattr(numpy_backend, "products_are_fast", lambda: False)
    plain = Sampler(model, torch=False).sample(60, 1, 0)[0]
    np.testing.assert_allclose(usual.features, plain.features, atol=SAME)


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 40), st.integers(1, 90), st.integers(0, 2**32 - 1))
def test_rows_are_resampled_as_torch_does(frames: int, length: int, seed: int) -> None:
    rows = np.random.default_rng(seed).standard_normal((2, 3, frames)).astype(np.float32)
    by_torch = pyramid.resize(torch.from_numpy(rows), length).numpy()
    np.testing.assert_allclose(stage_rows.resize(rows, length), by_torch, atol=2e-5)
    turned = stage_rows.resize_circle(np.roll(rows, 1, axis=-1), frames)
    np.testing.assert_allclose(turned, np.roll(rows, 1, axis=-1), atol=1e-6)


def test_a_python_without_torch_lists_opens_and_generates(model: Model, tmp_path: Path) -> None:
    save_model(model, tmp_path / "walker.safetensors")
    command = [sys.executable, "-c", EVERYTHING, str(tmp_path / "walker.safetensors")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"name": "walker", "motions": 7, "finite": True, "torch": False}


def test_only_training_asks_for_torch(walker: Motion, tmp_path: Path) -> None:
    from core.motion.bvh import write_bvh

    write_bvh(tmp_path / "walker.bvh", walker)
    run = BLOCKED + "from core.cli.main import main; sys.exit(main(sys.argv[1:]))"
    arguments = ["train", str(tmp_path / "walker.bvh"), "--out", str(tmp_path / "m.safetensors")]
    command = [sys.executable, "-c", run, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "PyTorch" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_model_is_made_ready_once_as_long_as_its_file_is_the_same(model: Model, tmp_path: Path) -> None:
    path = tmp_path / "walker.safetensors"
    save_model(model, path)
    first, second = prepared_sampler(path), prepared_sampler(path)
    assert first.generators is second.generators
    made, again = (generate(one.model, frames=60, seed=1, sampler=one)[0] for one in (first, second))
    expected = generate(model, frames=60, seed=1, torch=False)[0]
    assert np.array_equal(made.features, again.features)
    assert np.allclose(made.features, expected.features, atol=SAME)
    model.name = "another walker"
    save_model(model, path)
    assert prepared_sampler(path).model.name == "another walker"
    with pytest.raises(ModelError):
        prepared_sampler(tmp_path / "gone.safetensors")
