"""Fields of an entry of the history: anybody can write the file that holds them, so each is checked before use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ...core.driving.drive import MOST_SCALE
from ...core.files.fields import FieldError, Fields
from ...rig.compat import MAX_FRAME
from ...rig.ownership import KEYS_KEY, MADE_KEY, SHIELD_KEY
from ...rig.stored import MAX_SEED

MAX_CHARACTERS = 1 << 20
"""Most characters of a text among the properties of an action: a composition can hold thousands of places."""

MAX_ROWS = 10_000
"""Most rows of a list among the arguments of a job."""

Check = Callable[[Fields, str], object]
"""Check of a field by its name. Raises FieldError."""


def _whole(low: int, high: int) -> Check:
    return lambda found, key: found.whole(key, low, high)


def _number(low: float, high: float) -> Check:
    return lambda found, key: found.number(key, low, high)


def _flag(found: Fields, key: str) -> object:
    return found.flag(key, False)


def _text(found: Fields, key: str) -> object:
    return found.text(key)


def _texts(found: Fields, key: str) -> object:
    return found.texts(key, MAX_ROWS)


def _maybe(check: Check) -> Check:
    return lambda found, key: None if found.raw(key) is None else check(found, key)


def _row(*checks: Check) -> Check:
    """Return the check of a list whose values have these checks, one each."""

    def check_row(found: Fields, key: str) -> None:
        row = found.items(key, len(checks))
        if len(row) != len(checks):
            raise FieldError(f"“{key}” holds what are not {len(checks)} values")
        values = Fields({str(place): value for place, value in enumerate(row)}, key)
        for place, check in enumerate(checks):
            check(values, str(place))

    return check_row


def _list_of(check: Check) -> Check:
    """Return the check of a list whose values have a check."""

    def check_list(found: Fields, key: str) -> None:
        for value in found.items(key, MAX_ROWS):
            check(Fields({key: value}), key)

    return check_list


def _rows(*checks: Check) -> Check:
    """Return the check of a list of rows whose values have these checks, one each."""
    return _list_of(_row(*checks))


def _part(checks: Mapping[str, Check]) -> Check:
    """Return the check of an object whose fields, those that are there, have these checks."""

    def check_part(found: Fields, key: str) -> None:
        part = found.part(key)
        for name, check in checks.items():
            if name in part:
                check(part, name)

    return check_part


def _names(found: Fields, key: str) -> None:
    """Check an object that maps names to names."""
    names = found.raw(key)
    if not isinstance(names, dict) or len(names) > MAX_ROWS:
        raise FieldError(f"“{key}” is not as it should be")
    Fields({key: [*names, *names.values()]}).texts(key, 2 * MAX_ROWS)


_FRAME, _FRAMES = _whole(-MAX_FRAME, MAX_FRAME), _whole(0, MAX_FRAME)
_SHARE, _SEED = _number(0.0, 1.0), _whole(0, MAX_SEED)

DIRECTION: Mapping[str, Check] = {
    "first": _FRAME,
    "keep": _maybe(_texts),
    "regions": _maybe(_rows(_FRAME, _FRAME)),
    "keys": _maybe(_list_of(_FRAME)),
    "firmness": _SHARE,
    "moments": _maybe(_rows(_FRAME, _FRAME, _FRAME)),
    "length": _FRAMES,
    "before": _FRAMES,
    "after": _FRAMES,
    "loop": _flag,
    "transition": _FRAMES,
    "travels": _maybe(_flag),
    "style": _maybe(_SHARE),
    "entry": _whole(1, 100),
    "root": _text,
    "route": _rows(_number(-1e9, 1e9), _number(-1e9, 1e9)),
    "pins": lambda found, key: found.items(key, MAX_ROWS),  # the rows are checked where they are read
    "waypoints": lambda found, key: found.items(key, MAX_ROWS),
}
"""Checks of the fields of `Direction`."""

REQUEST: Mapping[str, Check] = {
    "position": _number(0.0, MAX_SEED),
    "coarse": _number(0.0, 10.0),
    "fine": _number(0.0, 10.0),
    "clean_feet": _flag,
    "root": _text,
}
"""Checks of the fields of `LiveRequest`."""

ARGUMENTS: Mapping[str, Check] = {
    "frames": _maybe(_FRAMES),
    "fps": _number(0.01, 1e4),
    "seed": _SEED,
    "strength": _row(_number(0.0, 10.0), _number(0.0, 10.0)),
    "clean": _flag,
    "like": _rows(_number(0.0, MAX_SEED), _SEED),
    "loop": _maybe(_flag),
    "root": _text,
    "request": _part(REQUEST),
    "direction": _part(DIRECTION),
    "bones": _maybe(_names),
    "content": _part({"armature": _text, "action": _text, "options": _flag}),
    "variation": _SHARE,
    "entry": _whole(1, 100),
    "spans": _rows(_text, _FRAME, _FRAME, _number(0.0, 100.0)),
    "amount": _number(0.0, 2.0),
    "factors": lambda found, key: found.figures(key),
    "source": _text,
    "full": _text,
    "model": _text,
    "driver": _text,
    "action": _text,
    "pairs": _rows(_text, _text),
    "digest": _text,
    "scale": _number(0.0, MOST_SCALE),
}
"""Checks of the arguments of jobs by their names, which mean the same in each kind."""

DRESSING: Mapping[str, Check] = {"asset": _flag, "tolerance": _number(0.0, 1e3)}
"""Checks of the keyword arguments of `dress_steps`."""

OWNERSHIP = (MADE_KEY, KEYS_KEY, SHIELD_KEY)
"""Properties of an action that no entry may set: they say what is Riff's own."""


def check_fields(found: Fields) -> None:
    """Check arguments, properties and dressing of an entry. Raises FieldError."""
    _part(ARGUMENTS)(found, "arguments")
    dressing = found.raw("dressing")
    if not set(dressing) <= set(DRESSING):
        raise FieldError("“dressing” has other fields")
    _part(DRESSING)(found, "dressing")
    for name, value in found.raw("properties").items():
        if not name.startswith("riff_") or len(name) > 60 or name in OWNERSHIP:
            raise FieldError("“properties” names what is none of Riff's")
        _check_property(Fields({name: value}, "properties"), name, value)


def _check_property(found: Fields, name: str, value: Any) -> None:
    """Check that Blender can store a value as a property of an action."""
    if isinstance(value, str):
        found.text(name, longest=MAX_CHARACTERS)
    elif isinstance(value, list):
        found.numbers(name, -MAX_SEED, MAX_SEED, MAX_ROWS)
    elif value is not None and not isinstance(value, bool):
        found.number(name, -MAX_SEED, MAX_SEED)
