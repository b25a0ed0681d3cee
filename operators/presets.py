"""Training presets, by Blender's preset system."""

from __future__ import annotations

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
        "settings.recipe", "settings.base", "settings.effort", "settings.faithfulness", "settings.foot_weight",
        "settings.training_seed",
    ]  # fmt: skip


CLASSES = (RIFF_OT_add_training_preset,)
