"""Recording of what was made in the history of an armature, by operators and the shell."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy

from .history import Run, model_digest_steps, options_digest, record, source_digest

UNREAD = ("generate", "live")
"""Kinds of runs that read nothing of the armature."""


@dataclass(frozen=True)
class Order:
    """Part of a history's entry that only its maker knows: the kind and the arguments of its job, the settings of the
    panel, the names of the actions that were read (empty for the whole NLA), and the model's file if there is one.
    """

    kind: str
    arguments: dict[str, Any]
    settings: dict[str, Any]
    actions: Sequence[str]
    model_path: Path | None = None


def record_steps(
    ob: bpy.types.Object,
    number: int,
    order: Order,
    *,
    operator: str,
    label: str,
    names: list[str],
    model: str,
    source: str,
    fps: float,
    seed: float,
    stepped: bool,
    properties: dict[str, Any],
    frame_start: int | None = None,
    loop: bool = False,
    dressing: dict[str, Any] | None = None,
) -> Generator[float, None, None]:
    """Record an order as the run of this number, in steps; see `Run`. Raises ModelError."""
    digest = (yield from model_digest_steps(order.model_path)) if order.model_path is not None else ""
    read: dict[str, str] = {}
    for action in order.actions:
        read[action] = source_digest(ob, bpy.data.actions.get(action) if action else None)
        yield 1.0
    run = Run(
        kind=order.kind,
        operator=operator,
        label=label,
        names=names,
        model=model,
        model_digest=digest,
        source=source,
        actions=read,
        options="" if order.kind in UNREAD else options_digest(ob),
        fps=fps,
        seed=seed,
        frame_start=frame_start,
        stepped=stepped,
        loop=loop,
        dressing=dressing or {},
        properties=properties,
        arguments=order.arguments,
        settings=order.settings,
    )
    short = [name.removeprefix("Variation ") for name in names]
    record(ob, number, run, short[0] if len(short) == 1 else f"{short[0]} … {short[-1]}")
