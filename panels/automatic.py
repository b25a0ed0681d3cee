"""Drawing of numbers that Riff can choose."""

from __future__ import annotations

from typing import Any


def draw_number(layout: Any, owner: Any, name: str) -> None:
    """Draw a number of `owner` after its switch *Auto*, the property `auto_` and its name; the number itself if off."""
    row = layout.row(align=True, heading=owner.bl_rna.properties[name].name)
    row.prop(owner, f"auto_{name}", text="Auto" if getattr(owner, f"auto_{name}") else "")
    if not getattr(owner, f"auto_{name}"):
        row.prop(owner, name, text="")
