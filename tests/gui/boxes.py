"""Pictures of the boxes Compose and Crowd, each choice of what to compose, in English and in German.

Runs inside Blender. All other boxes of the tab are taken away so that these are seen whole.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import bpy

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from directing import dancer
from hand import Hand, Waits, mark, open_tab, perform

RIFF = "bl_ext.user_default.riff"


@contextmanager
def only(box: str) -> Iterator[None]:
    """Show one of Riff's boxes alone, open."""
    panels = import_module(f"{RIFF}.panels")
    classes = [cls for cls in panels.CLASSES if getattr(cls, "bl_category", "") == "Riff"]
    for cls in reversed(classes):  # those inside others first
        bpy.utils.unregister_class(cls)
    (wanted,) = (cls for cls in classes if cls.__name__ == box)
    # Under a name of its own: Blender remembers by it that the box was closed.
    shown = type(f"{box}_open", (wanted,), {"bl_options": set()})
    bpy.utils.register_class(shown)
    yield
    bpy.utils.unregister_class(shown)
    for cls in classes:
        bpy.utils.register_class(cls)


def boxes(hand: Hand) -> Waits:
    yield from open_tab(hand)
    yield from dancer(hand)
    context: Any = bpy.context
    settings = context.scene.riff_compose
    ops: Any = bpy.ops
    hand.invoke(ops.riff.add_region, source="RANGE", start=40, end=80)
    ops.riff.find_parts()
    hand.invoke(ops.riff.add_moment)
    kinds = [item.identifier for item in settings.bl_rna.properties["kind"].enum_items]
    for language in ("en_US", "de_DE"):
        context.preferences.view.language = language
        with only("RIFF_PT_compose"):
            yield from open_tab(hand)
            for kind in kinds:
                settings.kind = kind
                yield from shown(hand, f"compose-{kind.lower()}-{language[:2]}")
        with only("RIFF_PT_crowd"):
            yield from open_tab(hand)
            yield from shown(hand, f"crowd-{language[:2]}")
    mark(f"boxes {len(kinds)}")


def shown(hand: Hand, name: str) -> Waits:
    hand.area("VIEW_3D").tag_redraw()
    yield 1.5
    hand.picture(name)


if __name__ == "__main__":
    perform(boxes(Hand(Path(os.environ["RIFF_GUI_OUT"]))))
