"""Steps of a take whose root is led elsewhere: another way changes where feet come down, not where they stand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..motion.feet_cleanup import moving_legs
from ..motion.leg_ik import LegIK
from ..motion.motion import Motion
from ..motion.stances import contact_runs
from ..numeric.blending import ease
from ..numeric.rotation import Array
from ..numeric.smoothing import runs_of


def with_steps(led: Motion, before: Motion, source: Motion) -> Motion:
    """Return a take whose root was moved, with its feet carried along while they swing alone.

    In a stand a foot moves as it did `before`, from the place to which the middle of the stand was led.
    """
    shift = led.root_positions() - before.root_positions()
    runs = contact_runs(before.contact_labels())
    pose, paths = LegIK(led), LegIK(before)
    joints = led.skeleton.contacts
    for leg in moving_legs(source):
        path = paths.path_of(joints[leg.contact])
        pose.solve_steadily(leg, path + carried(shift, runs[leg.contact]))
    result = pose.motion(led, led.contact_labels() > 0.5)
    result.features[:, led.skeleton.contact_channels] = led.features[:, led.skeleton.contact_channels]
    return result


def carried(shift: Array, runs: Sequence[tuple[int, int]]) -> Array:
    """Return the shift (T, 3) of a foot whose body is shifted: one for each stand, eased from one to the next."""
    if not runs:
        return shift
    result, stands = shift.copy(), np.zeros(len(shift), dtype=bool)
    for start, stop in runs:
        result[start:stop] = shift[start:stop].mean(0)
        stands[start:stop] = True
    for start, stop in runs_of(~stands):
        before = result[start - 1] if start else result[stop]
        after = result[stop] if stop < len(shift) else before
        share = ease(np.arange(1.0, stop - start + 1.0) / (stop - start + 1.0))[:, None]
        result[start:stop] = before + share * (after - before)
    return result
