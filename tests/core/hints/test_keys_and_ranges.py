"""An action's keys: the range that moves, and the spacing of stepped keys."""

from __future__ import annotations

import numpy as np
import pytest

from core.hints.curve_keys import CurveKeys
from core.hints.moving_range import moving_range
from core.hints.rate import is_baked
from core.hints.stepping import spacing


def keys(frames: object, values: object, held: bool = False, poses: bool = True, **more: object) -> CurveKeys:
    at = np.array(frames, dtype=np.float64)
    flags = np.full(len(at), held)
    return CurveKeys(at, np.array(values, np.float64), flags, np.zeros(len(at), bool), poses, **more)  # type: ignore


def swinging(first: int, last: int, step: int = 4, number: int = 0) -> CurveKeys:
    frames = np.arange(first, last + 1, step)
    return keys(frames, np.sin(frames / 7.0 + number))


BODY = [swinging(1, 101, number=number) for number in range(45)]


def test_all_that_moves_is_the_range() -> None:
    assert moving_range(BODY) == (1, 101)
    assert moving_range([*BODY, swinging(40, 400)]) == (1, 400)
    held = [keys([0, 80], [0.0, 0.0]), keys([0, 80], [1.0, 1.0])]
    assert moving_range(held) == (0, 80), "nothing moves: there is nothing to cut to"


def test_a_forgotten_key_far_away_is_left_out() -> None:
    for poses, value in ((False, 3.0), (True, 0.5), (True, 0.0)):
        far = keys([1, 5000], [0.0, value], poses=poses)
        assert moving_range([*BODY, far]) == (1, 101), (poses, value)
    before = keys([-3000, 101], [0.0, 1.0], poses=False)
    assert moving_range([*BODY, before]) == (1, 101)


def test_a_rest_that_is_no_longer_than_the_motion_stays() -> None:
    assert moving_range([*BODY, keys([1, 190], [0.0, 0.0])]) == (1, 190)
    assert moving_range([swinging(1, 1001), keys([1, 1700], [0.0, 0.0])]) == (1, 1700)


def test_a_slow_change_of_the_whole_body_is_motion() -> None:
    slow = [keys([1, 101, 600], [0.0, 0.3, 0.9]) for _ in range(45)]
    assert moving_range([*BODY, *slow]) == (1, 600)


def test_a_modifier_moves_for_ever() -> None:
    far = keys([1, 5000], [0.0, 1.0], poses=False)
    assert moving_range([*BODY, far, keys([1], [0.0], modified=True)]) == (1, 5000)
    assert moving_range([*BODY, far, keys([1], [0.0], repeats=True)]) == (1, 5000)


def test_handles_move_between_equal_keys() -> None:
    bent = CurveKeys(np.array([0.0, 50.0, 100.0, 400.0]), np.zeros(4), np.zeros(4, bool), np.array([1, 1, 1, 0], bool))
    assert moving_range([bent]) == (0, 400)
    flat = CurveKeys(np.array([0.0, 50.0, 100.0, 400.0]), np.zeros(4), np.zeros(4, bool), np.array([1, 1, 0, 0], bool))
    assert moving_range([flat]) == (0, 100)


@pytest.mark.parametrize("width", [2, 3, 4])
def test_held_keys_on_twos_threes_and_fours(width: int) -> None:
    frames = np.arange(1, 100, width)
    curves = [keys(frames, np.sin(frames / 7.0 + n), held=True) for n in range(5)]
    assert spacing(curves) == width
    baked = np.arange(1, 100)
    repeated = np.sin((baked - (baked - 1) % width) / 7.0)
    assert spacing([keys(baked, repeated)]) == width, "a key on every frame, each value as often"
    holds = np.delete(frames, [5, 6, 12])
    assert spacing([keys(holds, np.sin(holds / 7.0), held=True)]) == width, "a pose may be held longer"


def test_smooth_keys_are_not_stepped() -> None:
    frames = np.arange(1, 100, 2)
    smooth, held = keys(frames, np.sin(frames / 7.0)), keys(frames, np.sin(frames / 7.0), held=True)
    assert spacing([smooth]) == 1
    assert spacing([held, smooth]) == 1, "one curve that glides"
    assert spacing([held, keys([1, 99], [0.5, 0.5])]) == 2, "one that rests"
    every = np.arange(1, 100)
    assert spacing([keys(every, np.sin(every / 7.0), held=True)]) == 1
    assert spacing([keys([1, 41, 90, 130], [0.0, 1.0, 0.0, 1.0], held=True)]) == 1, "blocking of a few poses"
    assert spacing([]) == 1


def test_a_stepped_modifier_counts_alike() -> None:
    smooth = np.arange(1, 100, 7)
    assert spacing([keys(smooth, np.sin(smooth), stepping=3)]) == 3
    assert spacing([keys(smooth, np.sin(smooth), stepping=3), swinging(1, 99)]) == 1
    twos = np.arange(1, 60, 2)
    assert spacing([keys(twos, np.sin(twos), held=True, repeats=True)]) == 2, "a cycle on twos"
    assert spacing([keys(twos, np.sin(twos), held=True, modified=True)]) == 1


def test_values_between_keys() -> None:
    glides, held = keys([0, 10], [0.0, 1.0]), keys([0, 10], [0.0, 1.0], held=True)
    np.testing.assert_allclose(glides.at(np.array([-5.0, 0.0, 5.0, 10.0, 20.0])), [0.0, 0.0, 0.5, 1.0, 1.0])
    np.testing.assert_allclose(held.at(np.array([-5.0, 0.0, 9.0, 10.0, 20.0])), [0.0, 0.0, 0.0, 1.0, 1.0])


def test_a_key_on_every_frame() -> None:
    every = np.arange(1, 60)
    baked = keys(every, np.sin(every))
    assert is_baked([baked] * 19 + [swinging(1, 59)])
    assert not is_baked([baked, swinging(1, 59)])
    assert not is_baked([keys(0.8 * every, np.sin(every))]), "placed by seconds, so at the right rate"
    assert not is_baked([keys(every, np.zeros(59))])
