"""Orders of a clip's moves: what one costs, and that variations keep to what the clip can do."""

from __future__ import annotations

import numpy as np
import pytest

from core.generation.generate import generate
from core.matching.instant import instant_model
from core.matching.orders import ClipOrder, KnownSteps
from tests.support.motions import falling_motion


@pytest.mark.parametrize(("share", "least"), [(0.0, 0.0), (1.0, 0.9)])
def test_cost_of_an_order(share: float, least: float) -> None:
    """The clip itself costs its whole share at the same time; the halves exchanged cost nothing."""
    clip = np.stack([np.sin(np.arange(200) * step) for step in (0.11, 0.047)], axis=1).astype(np.float32)
    sample = clip if share else np.roll(clip, 100, axis=0)
    parts = [slice(0, 1), slice(1, 2)]
    order = ClipOrder(clip, parts, [200], 4)
    cost = order.costs(sample[None])[0]
    assert least <= cost < least + 0.2
    assert order.costs(np.repeat(sample[:1], 200, axis=0)[None])[0] > 0.9


def test_steps_that_the_clip_does_not_make_cost() -> None:
    """Rows played backwards are the same rows, but their steps are unknown; so is a step from one clip to the next."""
    fall = np.repeat([1.0, 0.75, 0.5, 0.25, 0.0], [40, 1, 1, 1, 40])[:, None].astype(np.float32)
    assert KnownSteps(fall, [83]).distances(fall[None])[0] == pytest.approx(0.0, abs=1e-6)
    assert KnownSteps(fall, [83]).distances(fall[::-1].copy()[None])[0] > 0.05
    jump = np.repeat([1.0, 0.0], 40)[:, None].astype(np.float32)
    assert KnownSteps(jump, [80]).distances(jump[None])[0] == pytest.approx(0.0, abs=1e-6)
    assert KnownSteps(jump, [40, 40]).distances(jump[None])[0] > 0.02


def test_who_falls_in_the_clip_does_not_get_up() -> None:
    source = falling_motion()
    height = source.root_positions()[:, 2]
    rises = []
    for motion in generate(instant_model(source, "fall"), count=12, seed=3):
        own = (motion.root_positions()[:, 2] - height.min()) / np.ptp(height)
        assert own.max() > 0.9, "it stands"
        assert own.min() < 0.1, "it lies"
        rises.append(float((own - np.minimum.accumulate(own)).max()))
    assert np.median(rises) < 0.05
    assert sum(rise > 0.5 for rise in rises) <= 1
