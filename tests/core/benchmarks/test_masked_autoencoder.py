"""An encoder that is trained on the windows of one clip, and what it makes of cheats."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from bench.measuring import masked_autoencoder
from bench.measuring.cheats import frozen_pose, with_noise
from bench.measuring.masked_autoencoder import WINDOW_ROWS, ClipEncoder, described_rows
from core.motion.bvh import write_bvh
from core.motion.motion import Motion


@pytest.fixture(scope="module")
def encoder(walker: Motion) -> ClipEncoder:
    return ClipEncoder(walker, seed=0, steps=150)


def test_hidden_rows_are_filled_in(walker: Motion, encoder: ClipEncoder) -> None:
    untrained = ClipEncoder(walker, seed=0, steps=1)
    assert encoder.loss < 0.5 * untrained.loss, "a mean pose alone would leave about 1"
    windows = encoder.windows(walker)[:8]
    hidden = torch.zeros(windows.shape[:2], dtype=torch.bool)
    hidden[:, 4:8] = True
    changed = windows.clone()
    changed[:, 4:8] = 100.0
    with torch.no_grad():
        same = encoder.network(windows, hidden), encoder.network(changed, hidden)
    assert torch.equal(*same), "what is hidden is not seen"


def test_distances_grow_with_what_is_wrong(walker: Motion, encoder: ClipEncoder) -> None:
    assert encoder.distance(walker) == pytest.approx(0.0, abs=1e-6)
    little, much = (encoder.distance(with_noise(walker, 0.0, degrees=degrees)) for degrees in (2.0, 8.0))
    assert 0.0 < little < much
    assert encoder.distance(frozen_pose(walker)) > little


def test_rows_are_seen_from_the_root(walker: Motion) -> None:
    places, movement = described_rows(walker)
    assert places.shape == movement.shape == (walker.frames - 1, 3 * walker.skeleton.joints)
    assert np.abs(places[:, :2]).max() < 1e-9, "the root stands over the origin"
    assert np.abs(movement).max() < 0.2, "of a body height in a frame"


def test_encoders_are_repeatable(walker: Motion) -> None:
    first, again = (ClipEncoder(walker, seed=3, steps=5).latents(walker) for _ in range(2))
    assert first.shape == (walker.frames - WINDOW_ROWS, masked_autoencoder.WIDTH)
    assert np.array_equal(first, again)


def test_the_page_has_a_row_for_each_cheat_and_model(
    walker: Motion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ClipEncoder.__init__, "__defaults__", (5,))
    write_bvh(tmp_path / "walker.bvh", walker)
    arguments = [str(tmp_path / "walker.bvh"), "--count", "1", "--seeds", "2", "--out", str(tmp_path)]
    assert masked_autoencoder.main(arguments) == 0
    report = json.loads((tmp_path / "encoder-walker.json").read_text(encoding="utf-8"))
    names = [row["name"] for row in report["rows"]]
    assert {"instant", "copy"} < set(names)
    assert len(names) == 8
    assert all(len(row["latent_frechet"]) == 2 for row in report["rows"])
    page = (tmp_path / "encoder-walker.md").read_text(encoding="utf-8")
    assert "`python -m bench.measuring.masked_autoencoder walker.bvh --count 1 --seeds 2" in page
    assert page.index("| copy |") < page.index("| frozen pose |")
