"""Reading of untrusted JSON, field by field: kind, size and range are checked before use.

A wrong value raises FieldError, whose message is half a sentence that names the field; the caller adds the name of the
file.
"""

from __future__ import annotations

import json
import math
import os
import stat
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_CHARACTERS = 1024
"""Characters of a name or other short text."""

MOST_ITEMS = 1 << 21
"""Values that a piece of JSON may hold: each takes up to a hundred bytes when it is parsed."""

MAX_MAGNITUDE = 1e9
"""No length, angle or weight of ours is larger."""


class FieldError(ValueError):
    """A field is missing, of the wrong kind or out of range; the message is half a sentence that names the field."""


def open_regular(path: str | os.PathLike[str], largest: int, *, follow: bool = True) -> BinaryIO:
    """Open a file that is one, no pipe or device, of at most `largest` bytes; never waits for another process.

    Raises OSError, also for a link unless `follow`, and FieldError.
    """
    # A pipe would keep an ordinary open() waiting; the kind is asked of what was opened, which nobody can exchange.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags | (0 if follow else getattr(os, "O_NOFOLLOW", 0)))
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        os.close(descriptor)
        raise FieldError("it is no regular file")
    if found.st_size > largest:
        os.close(descriptor)
        raise FieldError("it is larger than any such file may be")
    return open(descriptor, "rb")


def parse_json(text: str | bytes) -> Any:
    """Parse JSON. Raises FieldError where the text is not JSON, nested too deeply or of too many values for memory."""
    data = text if isinstance(text, bytes) else text.encode(errors="surrogatepass")
    if data.count(b",") + data.count(b"[") + data.count(b"{") > MOST_ITEMS:
        raise FieldError("its description holds too many values")
    try:
        return json.loads(text)
    except RecursionError as error:
        raise FieldError("its description is nested too deeply") from error
    except ValueError as error:
        raise FieldError("its description cannot be read") from error


def checked_text(value: Any, where: str, longest: int = MAX_CHARACTERS) -> str:
    """A text without NUL that Blender can take. Raises FieldError."""
    if not isinstance(value, str) or len(value) > longest:
        raise FieldError(f"“{where}” is no text of at most {longest} characters")
    try:
        value.encode("utf-8", "surrogateescape")  # Blender's own way of saying what is no UTF-8
    except UnicodeEncodeError as error:
        raise FieldError(f"“{where}” holds half a character") from error
    if "\0" in value:
        raise FieldError(f"“{where}” holds a zero character")
    return value


def as_utf8(text: str) -> str:
    """Return a text that can be written as UTF-8: half characters, as of names that are none, become escapes."""
    return text.encode(errors="backslashreplace").decode()


class Fields:
    """The fields of a JSON object; `where` is what it is called in the file. Every method raises FieldError."""

    def __init__(self, data: Any, where: str = "") -> None:
        self._where = where
        if not isinstance(data, dict):
            raise FieldError(f"“{where or 'description'}” is not as it should be")
        self._data: dict[str, Any] = data

    def __contains__(self, key: str) -> bool:
        return key in self._data

    def _path(self, key: str) -> str:
        return f"{self._where}.{key}" if self._where else key

    def _take(self, key: str) -> Any:
        if key not in self._data:
            raise FieldError(f"“{self._path(key)}” is missing")
        return self._data[key]

    def text(self, key: str, default: str | None = None, longest: int = MAX_CHARACTERS) -> str:
        if default is not None and key not in self._data:
            return default
        return checked_text(self._take(key), self._path(key), longest)

    def whole(self, key: str, low: int, high: int, default: int | None = None) -> int:
        """An integer from `low` to `high`."""
        value = self._data.get(key, default) if default is not None else self._take(key)
        if type(value) is not int or not low <= value <= high:
            raise FieldError(f"“{self._path(key)}” is no integer from {low} to {high}")
        return value

    def number(self, key: str, low: float, high: float, default: float | None = None) -> float:
        """A number from `low` to `high`, both included."""
        value = self._data.get(key, default) if default is not None else self._take(key)
        if type(value) not in (int, float) or not low <= value <= high:
            raise FieldError(f"“{self._path(key)}” is no number from {low:g} to {high:g}")
        return float(value)

    def flag(self, key: str, default: bool) -> bool:
        value = self._data.get(key, default)
        if type(value) is not bool:
            raise FieldError(f"“{self._path(key)}” is neither true nor false")
        return value

    def items(self, key: str, most: int, default: Sequence[Any] | None = None) -> list[Any]:
        """A list of at most `most` values of any kind."""
        value = default if default is not None and key not in self._data else self._take(key)
        if not isinstance(value, list | tuple) or len(value) > most:
            raise FieldError(f"“{self._path(key)}” is no list of at most {most}")
        return list(value)

    def wholes(self, key: str, low: int, high: int, most: int, default: Sequence[int] | None = None) -> tuple[int, ...]:
        """At most `most` integers from `low` to `high`."""
        values = self.items(key, most, default)
        if not all(type(value) is int and low <= value <= high for value in values):
            raise FieldError(f"“{self._path(key)}” holds what is no integer from {low} to {high}")
        return tuple(values)

    def numbers(self, key: str, low: float, high: float, most: int) -> tuple[float, ...]:
        """At most `most` numbers from `low` to `high`."""
        values = self.items(key, most)
        if not all(type(value) in (int, float) and low <= value <= high for value in values):
            raise FieldError(f"“{self._path(key)}” holds what is no number from {low:g} to {high:g}")
        return tuple(map(float, values))

    def texts(self, key: str, most: int, default: Sequence[str] | None = None) -> tuple[str, ...]:
        path = self._path(key)
        return tuple(checked_text(value, path) for value in self.items(key, most, default))

    def array(self, key: str, shape: tuple[int, ...], high: float = MAX_MAGNITUDE) -> NDArray[np.float64]:
        """Finite numbers of this shape, none farther from 0 than `high`."""
        import numpy as np  # not above: the shell's --help reads recipes, and loads nothing heavy

        try:
            array = np.asarray(self.items(key, max(shape[0], 1)), dtype=np.float64)
        except (TypeError, ValueError, OverflowError) as error:
            raise FieldError(f"“{self._path(key)}” holds what is no number") from error
        if array.size == 0 and 0 in shape:
            array = array.reshape(shape)
        if array.shape != shape or not check_finite(array, high):
            raise FieldError(f"“{self._path(key)}” is not {' × '.join(map(str, shape))} numbers up to {high:g}")
        return array

    def part(self, key: str) -> Fields:
        """An object within this one."""
        return Fields(self._take(key), self._path(key))

    def parts(self, key: str, most: int, default: Sequence[Any] | None = None) -> list[Fields]:
        """A list of at most `most` objects."""
        path = self._path(key)
        return [Fields(item, f"{path}[{k}]") for k, item in enumerate(self.items(key, most, default))]

    def raw(self, key: str) -> Any:
        """A value as it is, for whoever checks it."""
        return self._take(key)

    def figures(self, key: str) -> dict[str, float]:
        """Numbers by their names, as they are shown: any that JSON can hold, since nothing is computed from them."""
        return _figures(self._data.get(key, {}), self._path(key))

    def figure_rows(self, key: str, most: int) -> list[dict[str, float]]:
        """At most `most` rows of figures."""
        return [_figures(row, self._path(key)) for row in self.items(key, most)]


def _figures(data: Any, where: str, most: int = 100) -> dict[str, float]:
    if not isinstance(data, dict) or len(data) > most:
        raise FieldError(f"“{where}” holds what are no figures")
    if not all(type(value) in (int, float) for value in data.values()):
        raise FieldError(f"“{where}” holds what is no number")
    return {checked_text(name, where): _as_float(value) for name, value in data.items()}


def _as_float(value: float) -> float:
    """The number itself; an integer beyond all floats is infinite."""
    return value if type(value) is float or abs(value) < 1 << 63 else math.inf


def check_finite(array: NDArray[Any], high: float = MAX_MAGNITUDE) -> bool:
    """Return whether all numbers are finite and within `high` of 0."""
    if array.size == 0:
        return True
    low, top = float(array.min()), float(array.max())  # of a NaN among them both are NaN
    return -high <= low and top <= high
