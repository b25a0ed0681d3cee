"""Variations without training: quality, determinism, constraints, cuts, cancellation and refused clips."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.crowd.candidates import CandidatePool
from core.directing.compose import compose
from core.directing.composition import close_loop, fill_regions, free, keep_keys, keep_parts
from core.directing.concatenate import mix
from core.errors import ClipError, ModelError
from core.evaluation.copying import between, same_time
from core.evaluation.metrics import evaluate, rotation_features
from core.generation.generate import Sampler, generate, with_strength
from core.generation.noise import noise_code
from core.matching.boundaries import Boundaries
from core.matching.channel_parts import LOWER, channel_parts
from core.matching.instant import instant_model, instant_recipe, matched_above
from core.matching.matcher import Matcher
from core.matching.patches import PatchIndex, average_patches, clip_starts, sample_starts
from core.matching.stages import make_matchers, part_weights
from core.matching.sway import smoothed
from core.model.channels import choose_channels
from core.model.matched import Matched
from core.model.model import Model
from core.model.model_file import load_model, read_info, save_model
from core.model.pyramid import Around
from core.model.recipe import FAST, Recipe
from core.motion.body_parts import find_parts
from core.motion.contacts import with_found_contacts
from core.motion.motion import Motion, from_transforms
from core.motion.skeleton import build_skeleton
from core.numeric.rotation import Array, axis_rotation
from core.training.train import train
from core.training.warm_start import warm_start_from
from tests.support.motions import walking_motion

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def source(long_walker: Motion) -> Motion:
    return long_walker


@pytest.fixture(scope="module")
def model(instant_walker: Model) -> Model:
    return instant_walker


def pose_features(motion: Motion) -> Array:
    return rotation_features(motion)


def test_variations_are_new_and_like_the_clip(model: Model, source: Motion) -> None:
    figures = evaluate(source, generate(model, count=4, seed=1))
    assert figures["coverage"] >= 0.98
    assert figures["same_time"] <= 0.3
    assert figures["between"] >= 0.7
    assert figures["window_frechet"] <= 1.3
    assert figures["rotation_window_frechet"] <= 1.3
    assert figures["roughness"] <= 1.15
    assert figures["jerk_95_ratio"] <= 1.35
    assert figures["foot_skating_ratio"] <= 1.0


def test_a_seed_gives_the_same_motion_in_any_batch(model: Model) -> None:
    """Three at once, or two on one core, or seventy on several."""
    one, other = generate(model, frames=120, count=3, seed=5), generate(model, frames=120, count=2, seed=5)
    many = generate(model, frames=120, count=70, seed=5)
    assert all(np.array_equal(motion.features, same.features) for motion, same in zip(one, many, strict=False))
    for motion, same in zip(one, other, strict=False):
        assert np.array_equal(motion.features, same.features)
    again = generate(instant_model(model.source), frames=120, seed=5)[0]
    assert np.array_equal(one[0].features, again.features)
    assert not np.allclose(one[0].features, one[1].features)


@settings(deadline=None, max_examples=12)
@given(st.integers(30, 700), st.integers(0, 1000))
def test_any_length_can_be_generated(frames: int, seed: int) -> None:
    motion = generate(_short_model(), frames=frames, seed=seed)[0]
    assert motion.frames == frames
    assert np.isfinite(motion.features).all()


@lru_cache
def _short_model() -> Model:
    return instant_model(walking_motion(3.0))


def test_zero_noise_gives_the_clip(model: Model, source: Motion) -> None:
    rebuilt = Sampler(model).reconstruction()
    assert np.abs(rebuilt.features - source.features).max() < 2e-3
    assert same_time(pose_features(source), pose_features(generate(with_strength(model, 0.0, 1.0))[0])) == 1.0


def test_strength_controls_the_order_and_the_coupling_of_parts(model: Model, source: Motion) -> None:
    def figures(coarse: float, fine: float) -> dict[str, float]:
        return evaluate(source, generate(with_strength(model, coarse, fine), count=3, seed=2))

    weak, usual, tight = figures(0.1, 1.0), figures(1.0, 1.0), figures(1.0, 0.0)
    assert weak["same_time"] > 0.9 > usual["same_time"]
    assert weak["between"] < 0.1 < usual["between"]
    assert tight["rotation_share"] < usual["rotation_share"]


def test_a_model_survives_its_file_and_needs_no_torch(model: Model, tmp_path: Path) -> None:
    path = tmp_path / "walker.safetensors"
    save_model(model, path)
    loaded = load_model(path)
    assert loaded.matched == model.matched
    assert loaded.recipe == model.recipe
    assert read_info(path)["recipe"] == "instant"
    one, other = (generate(m, frames=90, seed=1)[0] for m in (model, loaded))
    np.testing.assert_array_equal(one.features, other.features)
    script = """
import sys, json
class NoTorch:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "torch":
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, NoTorch())
from core.directing.compose import compose
from core.directing.composition import fill_regions
from core.generation.generate import generate
from core.matching.instant import instant_model
from core.model.model_file import load_model
model = load_model(sys.argv[1])
motions = [*generate(instant_model(model.source), count=2), *compose(model, fill_regions(model.source, [(60, 120)]))]
print(json.dumps([len(motions), "torch" in sys.modules]))
"""
    result = subprocess.run(
        [sys.executable, "-c", script, str(path)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout) == [3, False]


def test_files_with_invalid_matching_are_refused(model: Model, tmp_path: Path) -> None:
    path = tmp_path / "walker.safetensors"
    for wrong in (Matched(99), Matched(coupling=2.0), Matched(cuts=(90, 30)), Matched(cuts=(10_000,)), Matched(2)):
        save_model(replace(model, matched=wrong), path)
        with pytest.raises(ModelError, match="walker"):
            load_model(path)


def test_a_trained_model_with_matched_upper_stages(walker: Motion, tmp_path: Path) -> None:
    trained = train(walker, FAST.scaled(0.002))
    first = trained.recipe.first_stage(1)
    mixed = matched_above(trained, 1)
    with pytest.raises(ValueError, match="levels"):
        matched_above(trained, 5)
    path = tmp_path / "mixed.safetensors"
    save_model(mixed, path)
    loaded = load_model(path)
    generators = Sampler(loaded).generators
    assert [isinstance(one, Matcher) for one in generators] == [stage >= first for stage in range(len(generators))]
    one, other = (generate(m, frames=120, seed=3)[0] for m in (mixed, loaded))
    np.testing.assert_array_equal(one.features, other.features)
    by_torch = generate(loaded, frames=120, seed=3, torch=True)[0]
    assert by_torch.frames == 120


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_kept_rows_are_held_exactly_within_a_stage(model: Model, share: float) -> None:
    matchers = make_matchers(model)
    channels, length = len(model.channels.columns), model.lengths[-1]
    random = np.random.default_rng(0)
    base = random.standard_normal((2, channels, length)).astype(np.float32)
    target = model.channels.encode(model.source.features[::-1].copy())
    weights = np.zeros((channels, length), dtype=np.float32)
    weights[:, 40:70] = 1.0
    weights[: channels // 2, 100:200] = share
    noise = np.zeros((2, 1, length), dtype=np.float32)
    constrained = matchers[-1].refine_around(base, noise, Around(False, target, weights))
    assert np.array_equal(constrained[:, :, 40:70], np.stack([target[:, 40:70]] * 2))
    unconstrained = matchers[-1].refine(base, noise)
    assert not np.allclose(constrained[:, :, 100:200], unconstrained[:, :, 100:200]) or share == 0.0


def test_compositions_keep_frames_parts_and_keys(model: Model, source: Motion) -> None:
    region = compose(model, fill_regions(source, [(90, 170)]), count=2, seed=1)
    for motion in region:
        assert np.allclose(pose_features(motion)[:90], pose_features(source)[:90], atol=1e-6)
        assert np.allclose(pose_features(motion)[170:], pose_features(source)[170:], atol=1e-6)
        assert np.abs(pose_features(motion)[90:170] - pose_features(source)[90:170]).max() > 0.1
    assert not np.allclose(pose_features(region[0]), pose_features(region[1]))
    legs = [joint for part in find_parts(source.skeleton) if "Leg" in part.name for joint in part.joints]
    parts = compose(model, keep_parts(source, [0, *legs]), seed=2)[0]
    columns = np.concatenate([np.arange(6 * joint, 6 * joint + 6) for joint in [0, *legs]])
    assert np.allclose(parts.features[:, columns], source.features[:, columns], atol=1e-6)
    assert np.abs(pose_features(parts) - pose_features(source)).max() > 0.1
    keys = compose(model, keep_keys(source, [0, 80, 200]), seed=3)[0]
    assert np.allclose(pose_features(keys)[[0, 80, 200]], pose_features(source)[[0, 80, 200]], atol=1e-6)


def test_loops_close(model: Model, source: Motion) -> None:
    features = source.features[np.arange(150) % source.frames]
    blank = replace(free(Motion(features, source.skeleton, 30.0, source.origin)), loop=True)
    for composition in (close_loop(source, 60), blank):
        motion = compose(model, composition, seed=4)[0]
        assert np.array_equal(pose_features(motion)[0], pose_features(motion)[-1])
        steps = np.linalg.norm(np.diff(pose_features(motion), axis=0), axis=1)
        usual = np.linalg.norm(np.diff(pose_features(source), axis=0), axis=1).max()
        assert max(steps[-1], steps[0]) < 1.5 * usual


def test_a_rolled_circle_gives_rolled_rows(model: Model) -> None:
    """Rolling the input by a multiple of the stride rolls the output."""
    matcher = make_matchers(model)[0]
    length, shift = 48, 2 * 6
    rows = model.channels.encode(model.source.features)[None, :, :length].copy()
    noise = np.zeros((1, 1, length), dtype=np.float32)
    rows_out = matcher.refine_around(rows, noise, Around(circle=True))
    rolled = matcher.refine_around(np.roll(rows, shift, axis=-1), noise, Around(circle=True))
    assert np.allclose(np.roll(rows_out, shift, axis=-1), rolled, atol=1e-3)


def test_crowds_and_looping_crowds(model: Model) -> None:
    for loop in (False, True):
        pool = CandidatePool(model, 60, 30.0, loop=loop)
        motions = pool.finish(pool.outline([(1, 0), (1, 1)]))
        assert [motion.frames for motion in motions] == [60, 60]


def test_no_patch_crosses_a_cut(source: Motion) -> None:
    one, other = source.slice(0, 130), source.slice(140, 270)
    mixed = mix([one, other])
    cuts = (one.frames, one.frames + 24)
    model = instant_model(mixed, cuts=cuts)
    assert model.matched is not None
    assert model.matched.cuts == cuts
    for matcher in make_matchers(model):
        lengths = matcher.clip_lengths
        ends = np.cumsum([0, *lengths])
        index = matcher.index(min(matcher.patch_rows, max(lengths)))
        for start in index.starts:
            clip = int(np.searchsorted(ends, start, side="right")) - 1
            assert start + index.size <= ends[clip + 1]
    assert generate(model, frames=200)[0].frames == 200


@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(1, 60), min_size=1, max_size=5), st.integers(1, 20))
def test_patches_lie_within_their_clips(lengths: list[int], size: int) -> None:
    starts = clip_starts(lengths, size)
    ends = np.cumsum([0, *lengths])
    expected = [row for a, b in itertools.pairwise(ends) for row in range(a, b - size + 1)]
    assert starts.tolist() == expected


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 90), st.integers(1, 21), st.integers(1, 3), st.booleans())
def test_patches_of_a_sample_cover_it(length: int, size: int, stride: int, circle: bool) -> None:
    size = min(size, length)
    stride = min(stride, size)
    starts = sample_starts(length, size, stride, circle)
    rows = np.ones((40, 2), dtype=np.float32)
    averaged = average_patches(rows, np.zeros(len(starts), dtype=np.int64), starts, size, length)
    assert averaged.shape == (length, 2)
    assert np.allclose(averaged, 1.0)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 1000), st.booleans())
def test_the_nearest_patches_are_those_of_a_direct_search(seed: int, evenly: bool) -> None:
    random = np.random.default_rng(seed)
    smooth = np.cumsum(random.standard_normal((70, 4)), axis=0).astype(np.float32)
    rows, sample = smooth[:40], smooth[30:]
    weights = part_weights(2, 0.5)
    starts = clip_starts([25, 15], 6)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("core.matching.patches.MIN_VARIANCE_SHARE", 1.0)  # all components, so that distances are exact
        index = PatchIndex(rows, [slice(0, 2), slice(2, 4)], starts, 6, weights)
    positions = sample_starts(len(sample), 6, 2, False)
    matches = index.nearest(sample[None], positions, evenly, lambda: None)[0]
    squares = ((sample[:, None] - rows[None]) ** 2).reshape(len(sample), len(rows), 2, 2).sum(3)
    tables = np.stack([sum(squares[positions + k][:, starts + k, part] for k in range(6)) for part in range(2)])
    costs = np.einsum("pq,qnm->pnm", weights, tables)
    if evenly:
        costs = costs / (costs.min(1) + index.mean_squared_distances[:, None] * 0.005)[:, None]
    best = np.take_along_axis(costs, np.searchsorted(starts, matches)[..., None], axis=2)[..., 0]
    assert np.allclose(best, costs.min(2), rtol=1e-2, atol=1e-3)


def test_runs_of_consecutive_patches_where_they_cost_little() -> None:
    random = np.random.default_rng(3)
    rows = np.cumsum(random.standard_normal((80, 3)), axis=0).astype(np.float32)
    starts = clip_starts([40, 40], 5)
    index = PatchIndex(rows, [slice(0, 3)], starts, 5, part_weights(1, 1.0))
    sample = np.concatenate([rows[3:23], rows[50:70]]) + 0.3 * random.standard_normal((40, 3)).astype(np.float32)
    positions = sample_starts(40, 5, 2, False)
    matches = index.runs(sample[None], positions, 0.5, lambda: None)[0, 0]
    assert (np.diff(matches[:8]) == np.diff(positions[:8])).all()
    assert (np.diff(matches[-8:]) == np.diff(positions[-8:])).all()
    assert matches[0] == 3
    assert matches[-1] == 65


def test_runs_of_a_circle_go_on_from_its_end_to_its_start() -> None:
    random = np.random.default_rng(5)
    rows = np.cumsum(random.standard_normal((80, 3)), axis=0).astype(np.float32)
    index = PatchIndex(rows, [slice(0, 3)], clip_starts([80], 5), 5, part_weights(1, 1.0))
    circle = np.concatenate([rows[40:60], rows[20:40]]) + 0.6 * random.standard_normal((40, 3)).astype(np.float32)
    positions = sample_starts(40, 5, 2, True)
    padded = np.concatenate([circle, circle[:5]])
    matches = index.runs(padded[None], positions, 2.0, lambda: None, circle_rows=40)[0, 0]
    assert matches[0] - matches[-1] == 40 - positions[-1]
    assert (np.diff(matches[:6]) == 2).all()


def test_block_size_does_not_change_the_result(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    one_block = generate(model, frames=200, seed=1, clean=False)[0]
    for name, value in (("BLOCK_COSTS", 1), ("MAX_CACHED_COSTS", 0)):
        monkeypatch.setattr(f"core.matching.patches.{name}", value)
    blocks = generate(model, frames=200, seed=1, clean=False)[0]
    np.testing.assert_allclose(blocks.features, one_block.features, atol=1e-3)


def test_cancellation_stops_matching_and_sampling(source: Motion, model: Model) -> None:
    class Cancelled(Exception):
        pass

    calls = 0

    def check_cancelled() -> None:
        nonlocal calls
        calls += 1
        if calls > 5:
            raise Cancelled

    with pytest.raises(Cancelled):
        instant_model(source, check_cancelled=check_cancelled)
    calls = 0
    sampler = Sampler(model, generators=list(make_matchers(model, check_cancelled)))
    with pytest.raises(Cancelled):
        sampler.sample(300, 1, 0)


def test_boundaries_convert_to_the_heading_and_back(model: Model, source: Motion) -> None:
    parts = channel_parts(model.channels)
    assert parts[0].name == LOWER
    assert sorted(np.concatenate([part.channels for part in parts])) == list(range(len(model.channels.columns)))
    tops = [joint for part in parts for joint in part.tops]
    names = [source.skeleton.names[joint] for joint in tops]
    assert names == ["Spine", "LeftArm", "RightArm"]
    boundaries = Boundaries(model.channels, source, tops)
    rows = np.ascontiguousarray(model.channels.encode(source.features).T)
    heading_relative = boundaries.to_heading_relative(rows)
    assert not np.allclose(heading_relative, rows)
    assert np.allclose(boundaries.to_parent_relative(heading_relative), rows, atol=1e-5)


def test_a_chest_from_another_time_keeps_its_heading_relative_rotation(model: Model, source: Motion) -> None:
    """Hips that shake do not shake the chest."""
    spine = source.skeleton.names.index("Spine")
    boundaries = Boundaries(model.channels, source, [spine])
    rows = np.ascontiguousarray(model.channels.encode(source.features).T)
    other = rows.copy()
    hips = [k for k, column in enumerate(model.channels.columns) if 0 <= column < 6]
    if hips:
        other[:, hips] = rows[::-1][:, hips]
    heading_relative = boundaries.to_heading_relative(rows)
    heading_relative[:, hips] = other[:, hips]
    parent_relative = boundaries.to_parent_relative(heading_relative)
    assert np.allclose(boundaries.to_heading_relative(parent_relative), heading_relative, atol=1e-5)


def test_hips_that_sway_from_step_to_step_do_not_sway_a_chest_from_another_time(model: Model, source: Motion) -> None:
    """The chest holds still against hips that sway: with hips of another time it still does, beside its ends."""
    skeleton = source.skeleton
    spine = skeleton.names.index("Spine")
    sway = axis_rotation(2, 0.2 * np.sin(np.arange(source.frames) * 2.0 * np.pi / 12.0))
    rotations = source.rotations()
    rotations[:, 0], rotations[:, spine] = sway, sway.swapaxes(-1, -2)
    swaying = from_transforms(skeleton, rotations, source.root_positions(), source.fps, source.local_offsets())
    features = swaying.features.copy()
    features[:, skeleton.contact_channels] = source.contact_labels()
    clip = replace(swaying, features=features)
    channels = choose_channels(clip, model.recipe)
    boundaries = Boundaries(channels, clip, [spine])
    rows = boundaries.to_heading_relative(np.ascontiguousarray(channels.encode(clip.features).T))
    hips = np.flatnonzero(channels.columns < 6)
    rows[:, hips] = np.roll(rows[:, hips], 5, axis=0)
    result = Motion(channels.decode(boundaries.to_parent_relative(rows).T), skeleton, clip.fps, clip.origin).rotations()
    chest = (result[:, 0] @ result[:, spine])[30:-30]
    assert np.abs(result[30:-30, 0] - sway[30:-30]).max() > 0.1
    assert np.abs(chest - np.eye(3)).max() < 0.03


def test_circles_are_headed_alike_wherever_they_begin(model: Model, source: Motion) -> None:
    boundaries = Boundaries(model.channels, source, [source.skeleton.names.index("Spine")])
    rows = np.ascontiguousarray(model.channels.encode(source.features).T)[:60]
    converted = boundaries.to_heading_relative(rows, circle=True)
    rolled = boundaries.to_heading_relative(np.roll(rows, 25, axis=0), circle=True)
    assert np.allclose(np.roll(converted, 25, axis=0), rolled, atol=1e-5)


def test_a_variation_takes_an_order_far_from_the_clips_own(model: Model) -> None:
    """Chosen noises have less of the clip at the same time than the first ones of the same seeds."""
    sampler, length = Sampler(model), model.lengths[0]
    first = sampler.generators[0]
    assert isinstance(first, Matcher)
    shares = []
    for codes in (
        [noise_code(0, k, 0, length) for k in range(12)],
        [sampler.code(0, k, 0, model.lengths) for k in range(12)],
    ):
        rows = first.refine(sampler.zero_rows(12, length), np.stack(codes))
        shares.append(np.mean([first.same_time(one, 1) for one in rows]))
    assert shares[1] < shares[0]
    assert np.array_equal(sampler.code(0, 3, 0, model.lengths), Sampler(model).code(0, 3, 0, model.lengths))
    assert np.array_equal(sampler.code(0, 3, 1, model.lengths), noise_code(0, 3, 1, model.lengths[1]))


@pytest.mark.parametrize("frames", [60, 61, 91, 157, 201, 371, 648, 3000, 20_000])
def test_the_recipe_fits_clips_of_any_length(frames: int) -> None:
    recipe = instant_recipe(frames)
    lengths = recipe.lengths(frames)
    assert len(lengths) == recipe.stage_count == sum(recipe.stages)
    assert lengths == sorted(lengths)
    assert lengths[-1] == frames
    assert lengths[0] >= min(54, int(0.4 * frames))
    assert Recipe.from_json(json.loads(json.dumps(recipe.to_json()))) == recipe


def many_joints(joints: int, seconds: float = 3.0) -> Motion:
    """Return a chain of joints without limbs or feet whose motion never repeats."""
    time = np.arange(round(seconds * 30) + 1) / 30
    rest = np.stack([np.zeros(joints), 0.1 * np.arange(joints), np.linspace(0.0, 1.0, joints)], axis=1)
    skeleton = build_skeleton([f"link{k}" for k in range(joints)], [k - 1 for k in range(joints)], rest)
    turns = np.stack(
        [axis_rotation(k % 3, 0.2 * np.sin((1.0 + 0.37 * k) * time + k * time**1.3)) for k in range(joints)], axis=1
    )
    return with_found_contacts(from_transforms(skeleton, turns, np.zeros((len(time), 3)), 30.0))


@pytest.mark.parametrize("joints", [2, 100])
def test_bodies_without_limbs_and_of_a_hundred_joints(joints: int) -> None:
    motion = many_joints(joints)
    motions = generate(instant_model(motion), frames=150, count=2)
    assert all(np.isfinite(one.features).all() for one in motions)
    assert between([pose_features(one) for one in motions], pose_features(motion)) > 0.1


def test_short_still_and_wrongly_cut_clips_are_refused(source: Motion) -> None:
    with pytest.raises(ClipError, match="lasts"):
        instant_model(source.slice(0, 40))
    still = replace(source, features=np.repeat(source.features[:1], 100, axis=0))
    with pytest.raises(ClipError, match="nothing to learn"):
        instant_model(still)
    with pytest.raises(ClipError, match="cuts"):
        instant_model(source, cuts=[100, 50])


def test_a_single_cycle_varies_from_step_to_step(source: Motion) -> None:
    base = instant_model(source.slice(0, 61))
    assert base.matched is not None
    swaying, rigid = (replace(base, matched=replace(base.matched, sway=sway)) for sway in (1.0, 0.0))
    one, other = (evaluate(swaying.source, generate(model, count=3, seed=1)) for model in (swaying, rigid))
    assert one["rotation_share"] > other["rotation_share"]
    assert one["foot_skating_ratio"] < 1.1
    assert one["roughness"] < 1.3
    rebuilt = Sampler(swaying).reconstruction()
    assert np.abs(rebuilt.features - swaying.source.features).max() < 2e-3


def test_a_clip_in_which_nothing_repeats_sways(source: Motion) -> None:
    time = np.linspace(0.0, 1.0, 91)
    turns = np.broadcast_to(np.eye(3), (91, source.skeleton.joints, 3, 3)).copy()
    for joint in range(1, source.skeleton.joints):
        turns[:, joint] = axis_rotation(joint % 3, 1.5 * time)
    root = np.tile([0.0, 0.0, 1.0], (91, 1))
    model = instant_model(from_transforms(source.skeleton.with_contacts(()), turns, root, 30.0))
    assert model.matched is not None
    assert model.matched.sway > 0.2
    one, other = generate(model, count=2)
    assert not np.allclose(one.features, other.features, atol=1e-2)


@settings(deadline=None, max_examples=30)
@given(st.integers(40, 400), st.integers(0, 1000))
def test_noise_is_smoothed_to_variance_one(length: int, seed: int) -> None:
    noise = np.random.default_rng(seed).standard_normal(length).astype(np.float32)
    smooth = smoothed(noise, circle=True)
    assert smooth.shape == (length,)
    assert abs(smooth[0] - smooth[-1]) < 1.0
    many = np.concatenate([smoothed(np.roll(noise, k), circle=False) for k in range(3)])
    assert np.abs(np.diff(smooth)).max() < 0.5
    assert np.isfinite(many).all()


def test_a_warm_start_from_a_matched_model_is_refused(model: Model) -> None:
    with pytest.raises(ModelError, match="no networks"):
        warm_start_from(model, model.skeleton, FAST)


def test_clips_of_another_rate_and_of_two_seconds(make_walker: Callable[..., Motion]) -> None:
    for motion in (make_walker(seconds=2.0), make_walker(seconds=4.0, fps=60.0)):
        motions = generate(instant_model(motion), count=2)
        assert motions[0].fps == 30.0
        assert np.isfinite(motions[0].features).all()
