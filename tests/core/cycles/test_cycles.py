"""Cycles: found by their poses, repeated to learn from, generated as loops of their own length and phase."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.cycles.find import find_cycle
from core.cycles.unroll import UNROLLED_SECONDS, learnable, unroll
from core.directing.compose import compose
from core.directing.concatenate import mix
from core.directing.direction import Direction, direct
from core.directing.loops import generate_loops
from core.errors import ClipError
from core.generation.generate import generate
from core.matching.instant import instant_model
from core.model.model_file import load_model, save_model
from core.model.recipe import FAST
from core.motion.clip_file import Clip, load_clip, save_clip
from core.motion.headings import turn_between
from core.motion.motion import Motion, from_transforms
from core.numeric.rotation import axis_rotation
from core.training.checkpoint import begin, load_checkpoint, save_checkpoint
from tests.support.motions import stick_figure, walking_motion


def swinging(
    seconds: float = 1.0, fps: float = 30.0, *, rows: int = 0, speed: float = 0.0, turn: float = 0.0, lift: float = 0.0
) -> Motion:
    """A stick figure that swings all limbs with a period of `seconds`, `rows` rows of it or one cycle and its first
    pose again, while it travels at `speed` metres and turns by `turn` radians in a cycle."""
    count = rows or round(seconds * fps) + 1
    phase = np.arange(count) / fps / seconds
    skeleton = stick_figure()
    rotations = np.broadcast_to(np.eye(3), (count, skeleton.joints, 3, 3)).copy()
    for joint in range(1, skeleton.joints):
        swing = 0.3 * np.sin(2 * np.pi * (phase + 0.5 * (joint % 2))) + 0.1 * np.cos(4 * np.pi * phase + joint)
        rotations[:, joint] = axis_rotation(joint % 2, swing)
    yaw = turn * phase
    rotations[:, 0] = axis_rotation(2, yaw)
    way = np.cumsum(speed / fps / seconds * np.stack([-np.sin(yaw), np.cos(yaw)], axis=1), axis=0)
    height = np.full(count, 0.9) + lift * phase
    return from_transforms(skeleton, rotations, np.column_stack([way, height]), fps)


@pytest.mark.parametrize("fps", [24.0, 30.00003, 60.0])
@pytest.mark.parametrize(("speed", "turn"), [(0.0, 0.0), (1.2, 0.0), (1.2, 0.7), (0.0, 2 * np.pi)])
def test_a_cycle_is_found_wherever_it_leads(fps: float, speed: float, turn: float) -> None:
    motion = swinging(fps=fps, speed=speed, turn=turn)
    cycle = find_cycle(motion)
    assert cycle is not None
    assert (cycle.rows, cycle.closed) == (motion.frames - 1, True)
    assert np.cos(cycle.turn) == pytest.approx(np.cos(turn), abs=1e-6)
    assert cycle.circular == (abs(np.sin(turn)) < 0.01)


def test_a_cycle_without_its_first_pose_at_the_end_is_one_row_longer() -> None:
    cycle = find_cycle(swinging(rows=30))
    assert cycle is not None
    assert (cycle.rows, cycle.closed) == (30, False)


@pytest.mark.parametrize(
    "motion",
    [
        swinging(rows=22),
        swinging(rows=26),
        swinging(rows=35),
        swinging(lift=0.3),
        swinging(0.3),
        walking_motion(1.7),
        replace(swinging(), features=np.repeat(swinging().features[:1], 31, axis=0)),
    ],
    ids=["three quarters", "nearly", "more than one", "on stairs", "too brief", "never twice alike", "still"],
)
def test_no_cycle_is_invented(motion: Motion) -> None:
    assert find_cycle(motion) is None


def test_linear_keys_that_turn_round_at_once_are_a_cycle() -> None:
    motion = swinging(2.0, rows=31)  # half a swing
    there_and_back = np.concatenate([motion.features, motion.features[-2::-1]])
    channel = motion.skeleton.root_channel
    there_and_back[:, channel : channel + 2] = 0.0
    cycle = find_cycle(replace(motion, features=there_and_back))
    assert cycle is not None
    assert cycle.rows == 60


@pytest.mark.parametrize("turn", [0.0, 0.7])
def test_an_unrolled_cycle_is_what_the_body_does_for_longer(turn: float) -> None:
    """The oracle is the same swing computed for four cycles."""
    once, four = swinging(speed=1.2, turn=turn), swinging(rows=121, speed=1.2, turn=turn)
    cycle = find_cycle(once)
    assert cycle is not None
    unrolled = unroll(once, cycle, 4)
    assert unrolled.frames == 121
    np.testing.assert_allclose(unrolled.positions(), four.positions(), atol=2e-3)
    np.testing.assert_allclose(unrolled.rotations(), four.rotations(), atol=1e-6)


def test_an_open_cycle_is_unrolled_without_a_repeated_pose() -> None:
    once, four = swinging(rows=30, speed=1.2), swinging(rows=121, speed=1.2)
    cycle = find_cycle(once)
    assert cycle is not None
    np.testing.assert_allclose(unroll(once, cycle, 4).positions(), four.positions(), atol=2e-3)


@settings(max_examples=20, deadline=None)
@given(seconds=st.floats(0.5, 1.9), fps=st.sampled_from([24.0, 30.0, 60.0, 100.0]))
def test_short_cycles_are_learnable_as_whole_cycles(seconds: float, fps: float) -> None:
    rows = round(seconds * fps)
    motion = swinging(rows / fps, fps)
    clip = learnable(motion)
    assert clip.repeats
    assert clip.duration >= UNROLLED_SECONDS
    assert (clip.frames - 1) % rows == 0
    assert clip.cycle_seconds == pytest.approx(rows / fps)
    assert learnable(clip) is clip


def test_long_cycles_are_learned_as_they_are() -> None:
    motion = swinging(5.0)
    clip = learnable(motion)
    assert not clip.repeats
    assert clip.cycle_seconds == pytest.approx(5.0)
    np.testing.assert_array_equal(clip.features, motion.features)
    assert learnable(walking_motion(5.0)).cycle_seconds == 0.0


def test_a_short_clip_that_is_no_cycle_is_told_so() -> None:
    with pytest.raises(ClipError, match=r"lasts 1\.2 s.*at least 2 s, or from a cycle of 0\.5 s.*with other actions"):
        learnable(swinging(rows=36))


def test_sixty_one_frames_at_30_00003_fps_last_two_seconds() -> None:
    motion = replace(walking_motion(2.0), fps=30.00003)
    assert learnable(motion) is motion


def test_cycles_learn_together_with_other_clips() -> None:
    motion = mix([swinging(), swinging(0.8, speed=1.0), swinging(rows=36)])
    assert 9.0 < motion.duration < 14.0
    assert motion.cycle_seconds == 0.0
    assert learnable(motion) is motion


def test_files_keep_the_cycle(tmp_path: Path) -> None:
    clip = learnable(swinging())
    save_clip(Clip("swing", clip), tmp_path / "swing.clip")
    assert load_clip(tmp_path / "swing.clip").motion.cycle_seconds == clip.cycle_seconds
    begun = begin(swinging(), FAST)
    save_checkpoint(begun, tmp_path / "swing.training")
    assert load_checkpoint(tmp_path / "swing.training").motion.repeats
    save_model(instant_model(swinging()), tmp_path / "swing.safetensors")
    assert load_model(tmp_path / "swing.safetensors").source.repeats


@pytest.mark.parametrize(("fps", "speed"), [(24.0, 0.0), (30.0, 1.2), (60.0, 0.0)])
def test_loops_of_a_cycle_have_its_length_phase_and_way(fps: float, speed: float) -> None:
    source = swinging(fps=fps, speed=speed)
    loops = generate_loops(instant_model(source), fps=fps, count=3, seed=2)
    rotations = source.rotations()[:, 1:]
    spread = np.abs(rotations - rotations.mean(0)).mean()
    for loop in loops:
        assert loop.frames == source.frames
        np.testing.assert_array_equal(loop.rotations()[0], loop.rotations()[-1])
        apart = [np.abs(np.roll(loop.rotations()[:-1, 1:], k, 0) - rotations[:-1]).mean() for k in range(-6, 7)]
        assert abs(int(np.argmin(apart)) - 6) <= 1, "the loop begins in another phase"
        assert 0.01 * spread < apart[6] < 0.8 * spread
        way = loop.root_positions()[-1] - loop.root_positions()[0]
        assert np.linalg.norm(way[:2]) == pytest.approx(speed / source.skeleton.unit, rel=0.3, abs=1e-6)
    assert np.abs(loops[0].features - loops[1].features).max() > 0.01
    again = generate_loops(instant_model(source), fps=fps, count=1, seed=2)
    np.testing.assert_array_equal(again[0].features, loops[0].features)


def test_loops_of_other_clips_end_where_they_begin() -> None:
    model = instant_model(walking_motion(6.0))
    loop = generate_loops(model, frames=91, count=1)[0]
    assert loop.frames == 91
    np.testing.assert_allclose(loop.root_positions()[-1], loop.root_positions()[0], atol=1e-9)
    steps = np.linalg.norm(np.diff(loop.positions(), axis=0), axis=2).max(1)
    seam = np.linalg.norm(loop.positions()[1] - loop.positions()[-1], axis=1).max()
    assert seam < 1.5 * steps.max()


def test_loops_can_be_like_another_one() -> None:
    model = instant_model(walking_motion(6.0))
    loops = {seed: generate_loops(model, frames=91, seed=seed)[0].rotations() for seed in range(3, 9)}
    apart: dict[bool, list[float]] = {True: [], False: []}
    for liked in (3, 4, 5):
        for near in generate_loops(model, frames=91, count=3, seed=9, like=[(liked, 0)]):
            for seed, loop in loops.items():
                apart[seed == liked].append(float(np.abs(near.rotations() - loop).mean()))
    assert np.mean(apart[True]) < 0.85 * np.mean(apart[False])
    assert min(apart[True]) > 0.0


def test_takes_of_a_cycle_walk_on_and_vary_from_step_to_step() -> None:
    model = instant_model(swinging(speed=1.2))
    assert generate(model)[0].frames == 31
    take = generate(model, frames=241)[0]
    cycles = take.rotations()[:240].reshape(8, 30, *take.rotations().shape[1:])
    assert np.abs(cycles - cycles.mean(0)).max() > 0.02
    assert turn_between(take.rotations()[0, 0], take.rotations()[-1, 0]) == pytest.approx(0.0, abs=0.3)


def test_new_arms_on_kept_legs_of_a_cycle_are_new() -> None:
    source = swinging()
    model = instant_model(source)
    legs = [j for j, name in enumerate(source.skeleton.names) if "Leg" in name or "Foot" in name or "Toe" in name]
    arms = [j for j, name in enumerate(source.skeleton.names) if "Arm" in name]
    keep = tuple(source.skeleton.names[j] for j in (0, *legs))
    takes = compose(model, direct(source, Direction(keep=keep)), count=6)
    apart = [np.abs(take.rotations() - source.rotations()) for take in takes]
    assert max(one[:, legs].max() for one in apart) < 1e-9
    moved = [float(one[:, arms].mean()) for one in apart]
    assert min(moved) > 0.005
    assert np.mean(moved) > 0.02
