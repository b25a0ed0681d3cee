"""Layout that records: any call of a panel's `draw()` is checked against Blender's own description of it, and kept.

`bpy.types.UILayout` describes each of its functions; a call with an unknown argument, an icon that this Blender lacks,
a property that the data does not have, an operator or a list that is not registered raises AssertionError here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import bpy

LAYOUT = bpy.types.UILayout.bl_rna
PARTS = ("row", "column", "column_flow", "grid_flow", "box", "split", "menu_pie")
"""Functions that return a layout inside the layout."""

KINDS: dict[str, tuple[type, ...]] = {"STRING": (str,), "INT": (int,), "FLOAT": (int, float), "BOOLEAN": (bool, int)}
OPS = bpy.ops
"""The operators, under a name of its own: while a panel is drawn, `bpy.ops` may be out of reach."""


@dataclass(frozen=True)
class Call:
    """A call of a layout's function, its arguments by name; `settings` are those of a drawn operator."""

    name: str
    arguments: dict[str, Any]
    settings: Any = None

    @property
    def text(self) -> str:
        return str(self.arguments.get("text", ""))


class OperatorSettings:
    """Properties of a drawn operator: those that it has can be set, to values that it takes."""

    def __init__(self, name: str) -> None:
        module, _, function = name.partition(".")
        operator: Any = getattr(getattr(OPS, module), function)
        try:
            rna = operator.get_rna_type()
        except KeyError:
            raise AssertionError(f"the operator {name} is not registered") from None
        self.__dict__.update(_name=name, _rna=rna)

    def __setattr__(self, name: str, value: Any) -> None:
        assert name in self._rna.properties, f"{self._name} has no property {name}"
        prop = self._rna.properties[name]
        if prop.type in KINDS and not getattr(prop, "is_array", False):
            assert isinstance(value, KINDS[prop.type]), f"{self._name}: {name} = {value!r}"
        if prop.type == "ENUM" and not prop.is_enum_flag and len(prop.enum_items):
            assert value in prop.enum_items, f"{self._name}: {name} = {value!r}"
        self.__dict__[name] = value


class RecordingLayout:
    """A layout, or a part of one; all parts keep their calls in the same list, in order."""

    def __init__(self, calls: list[Call] | None = None, open_panels: bool = True) -> None:
        self.__dict__.update(calls=[] if calls is None else calls, open_panels=open_panels)

    def __setattr__(self, name: str, value: Any) -> None:
        assert name in LAYOUT.properties, f"a layout has no {name}"
        self.__dict__[name] = value

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name not in LAYOUT.functions:
            raise AttributeError(f"a layout has no {name}")

        def called(*positional: Any, **named: Any) -> Any:
            return self._record(name, positional, named)

        return called

    def texts(self) -> list[str]:
        """All texts that are drawn, without the empty ones."""
        return [call.text for call in self.calls if call.text]

    def named(self, name: str) -> list[Call]:
        """The calls of one function."""
        return [call for call in self.calls if call.name == name]

    def _record(self, name: str, positional: tuple[Any, ...], named: dict[str, Any]) -> Any:
        known = {p.identifier: p for p in LAYOUT.functions[name].parameters if not p.is_output}
        assert len(positional) <= len(known), f"too many arguments for {name}"
        arguments = dict(zip(known, positional, strict=False)) | named
        for argument, value in arguments.items():
            assert argument in known, f"{name} has no argument {argument}"
            _check_argument(name, known[argument], value)
        missing = [p.identifier for p in known.values() if p.is_required and p.identifier not in arguments]
        assert not missing, f"{name} lacks {missing}"
        check = CHECKS.get(name)
        if check is not None:
            check(arguments)
        settings = OperatorSettings(arguments["operator"]) if name == "operator" else None
        self.calls.append(Call(name, arguments, settings))
        if settings is not None:
            return settings
        if name == "panel":
            return self._part(), self._part() if self.open_panels else None
        return self._part() if name in PARTS else None

    def _part(self) -> RecordingLayout:
        return RecordingLayout(self.calls, self.open_panels)


def _check_argument(name: str, parameter: Any, value: Any) -> None:
    if parameter.type == "ENUM" and not parameter.is_enum_flag and len(parameter.enum_items):
        assert value in parameter.enum_items, f"{name}: {parameter.identifier} = {value!r}"
    if parameter.type in KINDS and not getattr(parameter, "is_array", False):
        optional = value is None and parameter.type == "STRING"
        assert optional or isinstance(value, KINDS[parameter.type]), f"{name}: {parameter.identifier} = {value!r}"


def _has(data: Any, name: str) -> None:
    assert data is not None, f"{name} of nothing"
    assert name in data.bl_rna.properties, f"{data!r} has no property {name}"


def _registered(name: str, kind: str) -> None:
    found = getattr(bpy.types, name, None)
    assert found is not None, f"{name} is not registered"
    assert issubclass(found, getattr(bpy.types, kind)), f"{name} is no {kind}"


def _check_search(arguments: dict[str, Any]) -> None:
    _has(arguments["data"], arguments["property"])
    _has(arguments["search_data"], arguments["search_property"])


def _check_list(arguments: dict[str, Any]) -> None:
    _registered(arguments["listtype_name"], "UIList")
    _has(arguments["dataptr"], arguments["propname"])
    _has(arguments["active_dataptr"], arguments["active_propname"])


def _check_progress(arguments: dict[str, Any]) -> None:
    assert 0.0 <= arguments.get("factor", 0.0) <= 1.0, arguments


CHECKS: dict[str, Callable[[dict[str, Any]], None]] = {
    "prop": lambda arguments: _has(arguments["data"], arguments["property"]),
    "prop_search": _check_search,
    "template_list": _check_list,
    "menu": lambda arguments: _registered(arguments["menu"], "Menu"),
    "popover": lambda arguments: _registered(arguments["panel"], "Panel"),
    "progress": _check_progress,
}
