"""Frame rate of a capture, told by how its body falls."""

from __future__ import annotations

import numpy as np
import pytest

from core.hints.rate import GRAVITY, TOPPLING, guess_rate
from core.motion.motion import Motion
from core.numeric.rotation import Array

LEG = ("UpLeg", "Leg", "Foot", "Toe")


def hops(walker: Motion, fps: float, seconds: float = 8.0) -> Array:
    """Positions (T, J, 3) of a body that hops, standing for 0.25 s and 0.4 s in the air."""
    time = np.arange(round(seconds * fps)) / fps % 0.65
    flight = np.clip(time - 0.25, 0.0, None)
    height = 0.5 * GRAVITY * flight * (0.4 - flight)
    squat = np.where(time < 0.25, -0.1 * np.sin(np.pi * time / 0.25), 0.0)
    positions = np.repeat(walker.skeleton.rest_positions()[None], len(time), axis=0)
    positions[..., 2] += height[:, None]
    for joint, name in enumerate(walker.skeleton.names):
        if not name.endswith(("Foot", "Toe")):
            positions[:, joint, 2] += squat
    return positions


def middle_of(walker: Motion, positions: Array) -> Array:
    """Middle of the bones, each counted by its length."""
    lengths = np.linalg.norm(walker.skeleton.offsets, axis=1) * (np.arange(walker.skeleton.joints) > 0)
    parents = np.maximum(np.array(walker.skeleton.parents), 0)
    return np.asarray(np.einsum("tjx,j->tx", 0.5 * (positions + positions[:, parents]), lengths) / lengths.sum())


def steps(walker: Motion, fps: float, count: int = 24, seconds: float = 0.5) -> Array:
    """Positions (T, J, 3) of a body whose middle topples from foot to foot, a step each half second."""
    skeleton, rest = walker.skeleton, walker.skeleton.rest_positions()
    feet = [joint for joint, name in enumerate(skeleton.names) if name.endswith(("Foot", "Toe"))]
    others = [joint for joint in range(skeleton.joints) if joint not in feet]
    time = np.arange(round(count * seconds * fps)) / fps
    step, within = np.divmod(time, seconds)
    swing = np.clip((within / seconds - 0.1) / 0.8, 0.0, 1.0)
    swing = swing * swing * (3.0 - 2.0 * swing)
    left = np.where(step % 2 == 0, 1.0, -1.0)
    positions = np.repeat(rest[None], len(time), axis=0)
    for sign, name in ((1.0, "Left"), (-1.0, "Right")):
        stands = left == sign
        for joint in [skeleton.names.index(name + part) for part in ("Foot", "Toe")]:
            positions[:, joint, 0] = 0.1 * sign
            positions[:, joint, 1] += 0.3 * np.where(stands, step, step - 1 + 2.0 * swing)
            positions[:, joint, 2] += np.where(stands, 0.0, 0.1 * np.sin(np.pi * swing))
    height = middle_of(walker, rest[None])[0, 2] - rest[feet, 2].mean()
    pull = np.sqrt(TOPPLING * GRAVITY / height)
    to_go = within - 0.5 * seconds
    wanted = middle_of(walker, positions)
    wanted[:, 0] = left * 0.1 * (1.0 - np.cosh(pull * to_go) / np.cosh(0.5 * pull * seconds))
    wanted[:, 1] = rest[feet, 1].mean() + 0.3 * step + 0.15 * np.sinh(pull * to_go) / np.sinh(0.5 * pull * seconds)
    wanted[:, 2] = height + rest[feet, 2].mean()
    moved = positions.copy()
    moved[:, others] += 1.0
    share = (middle_of(walker, moved) - middle_of(walker, positions))[0, 0]
    positions[:, others] += ((wanted - middle_of(walker, positions)) / share)[:, None]
    return positions


@pytest.mark.parametrize("moves", [hops, steps])
@pytest.mark.parametrize(("captured", "scene"), [(100, 24), (120, 30), (60, 24), (30, 100), (24, 100)])
def test_a_wrong_rate_is_told_with_the_right_one(walker: Motion, moves: object, captured: int, scene: int) -> None:
    positions = moves(walker, captured)  # type: ignore[operator]
    assert guess_rate(walker.skeleton, positions, scene) == captured


def test_quick_steps_may_be_a_runner_s(walker: Motion) -> None:
    assert guess_rate(walker.skeleton, steps(walker, 30), 60.0) == 0.0


@pytest.mark.parametrize("moves", [hops, steps])
@pytest.mark.parametrize("fps", [24, 25, 30, 50, 60, 90, 120])
def test_the_right_rate_is_left_alone(walker: Motion, moves: object, fps: int) -> None:
    positions = moves(walker, fps)  # type: ignore[operator]
    assert guess_rate(walker.skeleton, positions, fps) == 0.0
    assert guess_rate(walker.skeleton, positions, 0.75 * fps) == 0.0


def test_every_second_frame_is_enough(walker: Motion) -> None:
    assert guess_rate(walker.skeleton, hops(walker, 100)[::2], 24.0, step=2) == 100
    assert guess_rate(walker.skeleton, steps(walker, 100)[::2], 24.0, step=2) == 100


def test_nothing_is_told_where_nothing_falls(walker: Motion) -> None:
    rest = walker.skeleton.rest_positions()
    still = np.repeat(rest[None], 200, axis=0)
    sway = still + 0.05 * np.sin(np.arange(200) / 9.0)[:, None, None]
    assert guess_rate(walker.skeleton, still, 24.0) == guess_rate(walker.skeleton, sway, 24.0) == 0.0
    assert guess_rate(walker.skeleton, walker.positions(), walker.fps) == 0.0
    floats = hops(walker, 30.0)
    floats[..., 2] = still[:1, :, 2] + 0.2 * np.abs(np.sin(np.arange(len(floats)) ** 1.2 / 9.0))[:, None]
    assert guess_rate(walker.skeleton, floats, 30.0) == 0.0, "flights that do not agree"
