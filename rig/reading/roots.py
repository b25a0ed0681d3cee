"""Choice of the root bone, which carries the body."""

from __future__ import annotations

from collections.abc import Collection

from ...core.motion.limb_words import names_hips
from .evaluate import Rest


def choose_root(connected: Collection[str], rest: Rest, channels: dict[tuple[str, str], bool]) -> int:
    """Return the index of the root: the topmost moving bone with most moving bones below it.

    If that bone does not travel and others move beside it, the root is the nearest ancestor of them all; if it does not
    travel and the hips above it have keys and rest, they are. Bones above the root do not move. A bone connected to its
    parent (its name is in `connected`) cannot be moved by its location, so its parent takes its place.
    """
    index = {name: k for k, name in enumerate(rest.names)}
    moving = {index[bone] for (bone, path), moves in channels.items() if moves} or {index[bone] for bone, _ in channels}
    lines = {bone: rest.ancestors(bone) for bone in moving}
    tops = [bone for bone in sorted(moving) if not moving & set(lines[bone])]
    root = max(tops, key=lambda top: sum(top in lines[bone] for bone in moving))
    if len(tops) > 1 and not channels.get((rest.names[root], "location")):
        root = shared_ancestor(rest, tops, root)
    if not channels.get((rest.names[root], "location")):
        keyed = {index[bone] for bone, _ in channels if bone in index}
        hips = [bone for bone in rest.ancestors(root) if bone in keyed and names_hips(rest.names[bone])]
        root = hips[0] if hips and not names_hips(rest.names[root]) else root
    while rest.parents[root] >= 0 and rest.names[root] in connected:
        root = rest.parents[root]
    return root


def shared_ancestor(rest: Rest, bones: list[int], otherwise: int) -> int:
    """Return the nearest bone above all of `bones`, or `otherwise` if there is none."""
    shared = set.intersection(*(set(rest.ancestors(bone)) for bone in bones))
    return next((bone for bone in rest.ancestors(bones[0]) if bone in shared), otherwise)
