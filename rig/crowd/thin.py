"""Thinning of crowds."""

from __future__ import annotations

from collections.abc import Sequence

import bpy
import numpy as np

from ...core.crowd.selection import choose_apart


def thin_out(members: Sequence[bpy.types.Object], keep: float) -> list[bpy.types.Object]:
    """Return the members to remove so that the fraction `keep` (0 to 1) is left, spread as evenly as possible."""
    count = round(keep * len(members))
    positions = np.array([member.matrix_world.translation for member in members]).reshape(-1, 3)
    stay = set(choose_apart(np.linalg.norm(positions[:, None] - positions, axis=2), count))
    return [member for row, member in enumerate(members) if row not in stay]
