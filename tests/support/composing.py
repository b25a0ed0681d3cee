"""Composing by operators: a training of a few steps, what an operator has made, and how it is read back."""

from __future__ import annotations

import importlib
import time
from types import ModuleType
from typing import Any

import bpy

FEW_STEPS = 0.0001
NEAR = 1e-4


def train(riff: ModuleType) -> None:
    # a published recipe: its levels are never matched, so compositions run through networks
    assert bpy.ops.riff.train(recipe="paper", scale=FEW_STEPS) == {"FINISHED"}
    tick = importlib.import_module(f"{riff.__name__}.state.timer").tick
    while tick():
        time.sleep(0.02)
    job = importlib.import_module(f"{riff.__name__}.rig.background.jobs").latest_training()
    assert job.error == ""


def read(riff: ModuleType, ob: bpy.types.Object, action: bpy.types.Action | None = None) -> Any:
    """An action as a motion that knows the feet of the learned one."""
    return importlib.import_module(f"{riff.__name__}.rig.reading.read").read_motion(ob, action)


def compose(operator: Any, **choices: Any) -> list[bpy.types.Action]:
    """Run an operator; the actions that it made."""
    before = set(bpy.data.actions)
    assert operator("EXEC_DEFAULT", True, **choices) == {"FINISHED"}
    return [action for action in bpy.data.actions if action not in before]


def joints(motion: Any, *words: str) -> list[int]:
    return [j for j, name in enumerate(motion.skeleton.names) if any(word in name for word in words)]


LEGS = ("hips", "thigh", "shin", "foot", "toe")
