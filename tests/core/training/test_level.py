"""The bank of samples of the frozen levels: its size, its samples, and stopping while it is made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
import torch

from core.errors import Cancelled
from core.model.recipe import FAST
from core.motion.motion import Motion
from core.training.checkpoint import Checkpoint
from core.training.level import DRAWN_TOGETHER, MAX_BANK_FRAMES, FrozenLevels, bank_size
from core.training.session import Session, open_session
from core.training.stage import Stage
from core.training.train import start_level

TINY = replace(FAST, iterations=(1, 1, 1, 1), hidden=(32, 32, 32), batch=(2, 2, 2, 2), bank=16)


@contextmanager
def session_at(
    motion: Motion, level: int, should_stop: Callable[[], bool] = lambda: False
) -> Iterator[tuple[Session, list[Stage]]]:
    """A session and the untrained stages below a level."""
    with open_session(Checkpoint(motion, TINY, 7), torch.device("cpu"), 1, should_stop) as session:
        finished: list[Stage] = []
        for lower in range(level):
            finished += start_level(session, finished, lower).stages
        yield session, finished


def test_banks_of_long_clips_hold_fewer_samples() -> None:
    assert [bank_size(48, length) for length in (90, 541, 1500)] == [48, 48, 48]
    assert bank_size(48, 3000) * 3000 <= MAX_BANK_FRAMES
    assert bank_size(48, 100_000) == DRAWN_TOGETHER
    assert bank_size(1, 90) == DRAWN_TOGETHER


def test_a_bank_in_chunks_equals_one_made_whole(walker: Motion) -> None:
    banks = []
    for chunk in (10_000, 1):
        with session_at(walker, 2) as (session, finished):
            banks.append(FrozenLevels(session, finished, 2, cached_frames=chunk).bank)
    whole, single = banks
    assert whole is not None
    assert single is not None
    assert whole.shape == (16, len(session.channels.columns), session.pyramid.lengths[4])
    torch.testing.assert_close(single, whole, atol=1e-6, rtol=1e-5)
    assert float((whole[0] - whole[1]).abs().max()) > 1e-3


def test_stops_between_two_stages_of_a_bank(walker: Motion) -> None:
    asked = 0

    def should_stop() -> bool:
        nonlocal asked
        asked += 1
        return asked > before + 30

    before = 1_000_000
    with session_at(walker, 2, should_stop) as (session, finished):
        before, made = asked, asked
        with pytest.raises(Cancelled):
            FrozenLevels(session, finished, 2, cached_frames=1)
        # Of the code's four stages and sixteen samples of four stages each, it did not get to the eighth sample.
        assert asked == made + 31
