"""A motion as model, checkpoint and clip files keep it: a skeleton, a rate, an origin, and the features themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .files.fields import FieldError, Fields, check_finite
from .motion import Motion
from .skeleton import Skeleton

MOST_FRAMES = 1 << 20
"""Rows of a motion: nine hours at 30 frames a second."""

SLOWEST, FASTEST = 1e-3, 1e4
"""Frames a second."""


def read_motion(fields: Fields, features: NDArray[Any] | None) -> Motion:
    """The motion of a file's description and its array. Raises FieldError; ClipError for joints that are no tree."""
    skeleton = Skeleton.from_json(fields.raw("skeleton"))
    if features is None or features.ndim != 2 or features.dtype.kind != "f":
        raise FieldError("its clip is missing or holds no rows of numbers")
    if not 2 <= len(features) <= MOST_FRAMES or features.shape[1] != skeleton.channels:
        raise FieldError("its clip does not fit its skeleton")
    if not check_finite(features):
        raise FieldError("its clip holds numbers that are not finite or far too large")
    rate, origin = fields.number("fps", SLOWEST, FASTEST), fields.array("origin", (2,))
    return Motion(features.astype(np.float64), skeleton, rate, origin)
