"""Evaluation that nobody else sees: the handlers of the user's add-ons rest, and nothing is left for them to notice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import bpy


@contextmanager
def handlers_at_rest() -> Iterator[None]:
    """Take all functions out of `bpy.app.handlers` for as long as the block lasts.

    They come back in their order after any error, too. A function that was added meanwhile stays, behind them.
    """
    before = [(handlers, list(handlers)) for handlers in _handler_lists()]
    for handlers, _ in before:
        handlers.clear()
    try:
        yield
    finally:
        for handlers, functions in before:
            added = [function for function in handlers if function not in functions]
            handlers[:] = functions + added


@contextmanager
def unseen() -> Iterator[None]:
    """Run a block of which the user's handlers notice nothing, neither now nor at Blender's next update.

    Blender updates the shown scenes after a data-block was removed or a pose was set, and calls
    `depsgraph_update_post` for it. That update is done here, unless the user's own changes wait for it.
    """
    layers = [layer for layer in _shown_layers() if _is_up_to_date(layer)]
    with handlers_at_rest():
        try:
            yield
        finally:
            for layer in layers:
                layer.update()


def _handler_lists() -> list[list[Callable[..., Any]]]:
    names = [name for name in dir(bpy.app.handlers) if not name.startswith("_")]
    found = [getattr(bpy.app.handlers, name) for name in names]
    return [handlers for handlers in found if isinstance(handlers, list)]


def _shown_layers() -> list[bpy.types.ViewLayer]:
    """Return the view layers that Blender keeps up to date: the context's and those of all windows."""
    found: list[Any] = [bpy.context.view_layer]
    manager = bpy.context.window_manager
    found += [window.view_layer for window in (manager.windows if manager else ())]
    return list(dict.fromkeys(layer for layer in found if layer is not None))


def _is_up_to_date(layer: bpy.types.ViewLayer) -> bool:
    """Return true for a view layer that was evaluated, and in which nothing was changed since."""
    graph = layer.depsgraph
    return graph is not None and not any(graph.id_type_updated(kind) for kind in _id_types())


def _id_types() -> list[Any]:
    rna: Any = bpy.types.Depsgraph.bl_rna
    return [item.identifier for item in rna.functions["id_type_updated"].parameters["id_type"].enum_items]
