"""Training presets, with Blender's preset system."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
from bl_operators.presets import AddPresetBase


class RIFF_OT_add_training_preset(AddPresetBase, bpy.types.Operator):
    """Add or remove a preset of the training settings"""

    bl_idname = "riff.add_training_preset"
    bl_label = "Add Training Preset"
    preset_menu = "RIFF_PT_training_presets"
    preset_subdir = "riff/training"
    preset_defines = ["settings = bpy.context.scene.riff"]
    preset_values = [
        "settings.recipe",
        "settings.base",
        "settings.effort",
        "settings.faithfulness",
        "settings.foot_weight",
        "settings.last_level",
        "settings.training_seed",
    ]

    def execute(self, context: Any) -> Any:
        before = _presets(self.preset_subdir)
        try:
            return super().execute(context)
        except OSError as error:
            _put_back(before, self.preset_subdir)
            self.report({"ERROR"}, f"The preset cannot be saved: {error.strerror or error}")
            return {"CANCELLED"}


def _presets(folder: str) -> dict[Path, bytes]:
    """Return the contents of the user's preset files; they are small."""
    home = bpy.utils.user_resource("SCRIPTS", path=f"presets/{folder}")
    return {path: path.read_bytes() for path in Path(home).glob("*.py")} if home else {}


def _put_back(before: dict[Path, bytes], folder: str) -> None:
    """Restore presets: Blender overwrites them in place, so that a full disk leaves half a file."""
    for path, content in _presets(folder).items():
        if path not in before:
            path.unlink()
        elif content != before[path]:
            path.write_bytes(before[path])  # it fitted before


CLASSES = (RIFF_OT_add_training_preset,)
