"""Objects above and below one by their parents, each once: remapping users can close a circle of parents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import bpy


def object_and_above(ob: bpy.types.Object | None) -> Iterator[bpy.types.Object]:
    """Iterate over an object, its parent, the parent of that, and so on."""
    passed = set[bpy.types.Object]()
    while ob is not None and ob not in passed:
        yield ob
        passed.add(ob)
        ob = ob.parent


def objects_below(objects: Iterable[bpy.types.Object]) -> set[bpy.types.Object]:
    """Return the children of objects, the children of these, and so on."""
    children: dict[bpy.types.Object | None, list[bpy.types.Object]] = {}
    for other in bpy.data.objects:
        children.setdefault(other.parent, []).append(other)
    found, waiting = set[bpy.types.Object](), list(objects)
    while waiting:
        new = [child for child in children.get(waiting.pop(), ()) if child not in found]
        found.update(new)
        waiting += new
    return found
