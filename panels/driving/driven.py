"""Panel of takes that another body drives."""

from __future__ import annotations

from typing import Any

import bpy

from ...state.driving.drive_settings import DriveChoices
from ...state.rig_settings import active_armature
from ...state.settings import copy_choices
from ..tab import ForArmature, RowList, draw_seed


class RIFF_UL_driven_pairs(RowList, bpy.types.UIList):
    def draw_row(self, context: Any, layout: Any, owner: Any, item: Any) -> None:
        row = layout.split(factor=0.5, align=True)
        row.prop_search(item, "name", active_armature(context).data, "bones", text="")
        if owner.driver is None:
            row.prop(item, "other", text="")
        else:
            row.prop_search(item, "other", owner.driver.data, "bones", text="")


class RIFF_PT_driven(ForArmature, bpy.types.Panel):
    bl_label = "Another Body"
    bl_order = 5
    bl_options = {"DEFAULT_CLOSED"}
    side = "MAKE"

    def draw(self, context: Any) -> None:
        layout: Any = self.layout
        settings = active_armature(context).riff_driving
        choices = layout.column()
        choices.use_property_split, choices.use_property_decorate = True, False
        choices.prop(settings, "driver")
        choices.prop(settings, "action")
        layout.operator("riff.pair_bones", icon="GROUP_BONE")
        row = layout.row()
        row.template_list("RIFF_UL_driven_pairs", "", settings, "pairs", settings, "active_pair", rows=4)
        buttons = row.column(align=True)
        buttons.operator("riff.add_bone_pair", text="", icon="ADD")
        buttons.operator("riff.remove_bone_pair", text="", icon="REMOVE")
        column = layout.column()
        column.use_property_split, column.use_property_decorate = True, False
        for name in ("count", "length", "variation", "scale"):
            column.prop(settings, name)
        draw_seed(column, context.scene.riff, context.scene.riff)
        button = layout.column()
        button.scale_y = 1.3
        operator = button.operator("riff.drive", icon="CON_ARMATURE")
        copy_choices(DriveChoices, settings, operator)
        operator.action = settings.action.name if settings.action else ""
        operator.armature = settings.driver.name if settings.driver else ""
        operator.seed = context.scene.riff.seed


CLASSES = (RIFF_UL_driven_pairs, RIFF_PT_driven)
