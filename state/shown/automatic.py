"""Switches for numbers of which 0 means automatic."""

from __future__ import annotations

from typing import Any

from bpy.props import BoolProperty


def automatic(number: str, first: float) -> Any:
    """Return a property that is on while a number is 0; switched off, the number becomes `first`."""

    def is_automatic(owner: Any) -> bool:
        return not getattr(owner, number)

    def choose(owner: Any, wanted: bool) -> None:
        if wanted != is_automatic(owner):
            setattr(owner, number, 0 if wanted else first)

    return BoolProperty(name="Auto", description="Let Riff choose the number", get=is_automatic, set=choose)
