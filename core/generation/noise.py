"""Noise of variations: a function of seed, number, stage and length."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def noise_code(seed: int, variation: int, stage: int, length: int, again: int = 0) -> NDArray[np.float32]:
    """Return noise (1, length) of one variation; it depends on the arguments only, on every machine.

    `again` is the number of another try.
    """
    key = [seed & 0xFFFFFFFF, variation, stage]
    random = np.random.default_rng([*key, again] if again else key)
    return random.standard_normal((1, length), dtype=np.float32)
