"""Clips joined into one to learn from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from core.directing.concatenate import PASSAGE_FRAMES, mix, on_one_skeleton
from core.errors import ClipError
from core.generation.generate import generate
from core.model.recipe import FAST
from core.motion.motion import Motion
from core.training.train import train


def test_clips_follow_each_other_smoothly(make_walker: Callable[..., Motion]) -> None:
    one, other = make_walker(3.0), make_walker(3.0, start=20.0)
    both = mix([one, other])
    assert both.frames == one.frames + PASSAGE_FRAMES + other.frames
    np.testing.assert_allclose(both.positions()[: one.frames], one.positions(), atol=1e-6)
    after = both.slice(one.frames + PASSAGE_FRAMES, both.frames)
    np.testing.assert_allclose(after.rotations()[:, 1:], other.rotations()[:, 1:], atol=1e-6)
    sizes = np.linalg.norm(np.diff(both.positions(), 2, axis=0), axis=-1)
    across = sizes[one.frames - 2 : one.frames + PASSAGE_FRAMES]
    own = np.linalg.norm(np.diff(one.positions(), 2, axis=0), axis=-1).max(axis=0)
    assert (across.max(axis=0) < 1.2 * own + 0.01).all()
    assert mix([one]).frames == one.frames


def test_a_clip_that_faces_elsewhere_is_turned(make_walker: Callable[..., Motion]) -> None:
    one = make_walker(3.0)
    features = one.features.copy()
    features[:, :6] = [0.0, 1.0, 0.0, -1.0, 0.0, 0.0]  # a quarter turn to the left
    root = one.skeleton.root_channel
    features[:, root : root + 2] = np.stack([-one.features[:, root + 1], one.features[:, root]], axis=1)
    path = mix([one, replace(one, features=features)]).root_positions()
    assert np.ptp(path[:, 0]) < 0.2
    assert path[-1, 1] > 1.9 * one.root_positions()[-1, 1]


def test_a_model_of_two_clips_moves_like_both(make_walker: Callable[..., Motion]) -> None:
    both = mix([make_walker(3.0), make_walker(3.0, fps=60.0, start=20.0)])
    recipe = replace(FAST, iterations=(2, 2, 2, 2), hidden=(32, 32, 32), batch=(2, 2, 2, 2), bank=8)
    model = train(both, recipe, seed=1)
    assert model.source.frames == both.frames
    assert np.isfinite(generate(model, count=1, seed=1)[0].features).all()


def test_other_skeletons_are_refused(walker: Motion) -> None:
    skeleton = replace(walker.skeleton, names=tuple(f"{name}.001" for name in walker.skeleton.names))
    with pytest.raises(ClipError, match="different skeletons"):
        mix([walker, replace(walker, skeleton=skeleton)])
    with pytest.raises(ClipError, match="no action"):
        mix([])


def test_a_joint_that_moves_in_one_clip_only_rests_in_the_other(make_walker: Callable[..., Motion]) -> None:
    one, other = make_walker(3.0), make_walker(3.0, start=20.0)
    hand = one.skeleton.names.index("LeftHand")
    moving = replace(one.skeleton, translated=(hand,))
    before = moving.translated_channels[0]
    features = np.insert(one.features, [before] * 6, 0.0, axis=1)
    features[:, before] = np.sin(np.arange(one.frames) / 7.0)
    both = on_one_skeleton([other, replace(one, features=features, skeleton=moving)])
    assert both[0].skeleton.same_structure(both[1].skeleton)
    assert both[0].skeleton.translated == (hand,)
    np.testing.assert_allclose(both[0].positions(), other.positions(), atol=1e-9)
    np.testing.assert_allclose(both[1].features[:, before], features[:, before])
