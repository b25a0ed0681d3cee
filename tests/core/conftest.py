"""Motions for the tests of core: real clips where there are any, and a walker made in code."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from core.matching.instant import instant_model
from core.model.model import Model
from core.motion.bvh import read_bvh
from core.motion.motion import Motion
from tests.support.motions import walking_motion

DATA = Path(os.environ.get("RIFF_DATA", Path(__file__).resolve().parents[2].parent / "shared" / "data"))


@pytest.fixture(scope="session")
def walker() -> Motion:
    """A walking and waving stick figure of 15 joints, 3 s at 30 frames a second."""
    return walking_motion()


@pytest.fixture(scope="session")
def long_walker() -> Motion:
    """A walking stick figure for 9 s: long enough for another order of its moves."""
    return walking_motion(9.0)


@pytest.fixture(scope="session")
def instant_walker(long_walker: Motion) -> Model:
    """A model without training of the long walker."""
    return instant_model(long_walker, "walker")


@pytest.fixture(scope="session")
def make_walker() -> Callable[..., Motion]:
    """`walking_motion(seconds, fps, start)` itself."""
    return walking_motion


@pytest.fixture(scope="session")
def clip_path() -> Callable[[str], Path]:
    """Path of a file of the clips' folder ($RIFF_DATA); the test is skipped where it is missing."""

    def find(name: str) -> Path:
        path = DATA / name
        if not path.exists():
            pytest.skip(f"{name} is not in {DATA}; set RIFF_DATA to the folder of the clips")
        return path

    return find


@pytest.fixture(scope="session")
def clip(clip_path: Callable[[str], Path]) -> Callable[[str], Motion]:
    """A real clip by its name without .bvh, read once."""
    read: dict[str, Motion] = {}

    def load(name: str) -> Motion:
        if name not in read:
            read[name] = read_bvh(clip_path(f"{name}.bvh"))
        return read[name]

    return load
