"""Recording of what the shell makes in the history of the armature, from which the panel makes it again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy

from ..rig.steps import run_through
from ..state.rig_settings import rig_settings
from ..state.variations.history import Run, model_digest_steps, options_digest, record, source_digest


@dataclass(frozen=True)
class Making:
    """A run of the shell: its kind, what the list of the history calls it, and the job's arguments.

    `actions` are those that were read besides the source.
    """

    kind: str
    operator: str
    label: str
    arguments: dict[str, Any]
    settings: dict[str, Any]
    actions: tuple[str, ...] = ()
    model_path: Path | None = None


def record_making(
    ob: bpy.types.Object,
    action: bpy.types.Action,
    number: int,
    making: Making,
    names: list[str],
    model: str,
    seed: int,
    properties: dict[str, Any],
    frame_start: int | None,
) -> None:
    """Record what was made from an action as the run of this number. Raises ModelError."""
    render = bpy.context.scene.render
    run = Run(
        kind=making.kind,
        operator=making.operator,
        label=making.label,
        names=names,
        model=model,
        model_digest=run_through(model_digest_steps(making.model_path)) if making.model_path else "",
        source=action.name,
        actions={name: source_digest(ob, bpy.data.actions[name]) for name in (action.name, *making.actions)},
        options="" if making.kind == "generate" else options_digest(ob),
        fps=render.fps / render.fps_base,
        seed=seed,
        frame_start=frame_start,
        stepped=not rig_settings(ob).smooth_steps,
        loop=False,
        dressing={},
        properties=properties,
        arguments=making.arguments,
        settings=making.settings,
    )
    titles = names[0] if len(names) == 1 else f"{names[0]} … {names[-1]}"
    record(ob, number, run, titles.replace("Variation ", ""))
