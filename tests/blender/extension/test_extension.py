"""The extension comes and goes without leaving anything behind."""

from __future__ import annotations

import importlib
import zipfile
from pathlib import Path
from types import ModuleType

import addon_utils
import bpy

PANELS = (
    "RIFF_PT_source",
    "RIFF_PT_train",
    "RIFF_PT_models",
    "RIFF_PT_generate",
    "RIFF_PT_variations",
    "RIFF_PT_regions",
)
OPERATORS = (
    "add_sample_dancer",
    "add_foot",
    "remove_foot",
    "train",
    "cancel_training",
    "end_training",
    "resume_training",
    "discard_training",
    "generate",
    "show_action",
    "keep_variation",
    "discard_variation",
    "discard_others",
    "reduce_keys",
    "next_variation",
    "previous_variation",
    "mark_asset",
    "mark_kept",
    "choose_model",
    "read_note",
    "close_note",
    "variation_to_nla",
    "more_like_this",
    "refresh_models",
    "remove_model",
    "rename_model",
    "import_model",
    "export_model",
    "reveal_models",
    "model_figures",
    "add_region",
    "remove_region",
    "drag_region",
    "set_amount",
)
EXTENSION = "bl_ext.user_default.riff"
HANDLERS = ("load_post", "undo_post", "redo_post")


def is_registered(operator: str) -> bool:
    return operator in dir(bpy.ops.riff)


def test_panels_operators_and_settings_are_there(riff: ModuleType) -> None:
    for name in PANELS:
        panel = getattr(bpy.types, name)
        assert (panel.bl_space_type, panel.bl_region_type, panel.bl_category) == ("VIEW_3D", "UI", "Riff")
    assert all(is_registered(name) for name in OPERATORS)
    assert bpy.context.scene.riff.count == 5
    assert len(bpy.context.window_manager.riff.models) == 0


def test_every_recipe_can_be_chosen(riff: ModuleType) -> None:
    recipes = importlib.import_module(f"{riff.__name__}.core.model.recipe").RECIPES
    items = bpy.context.scene.riff.bl_rna.properties["recipe"].enum_items
    assert [item.identifier for item in items] == ["fast", "paper", "custom"]
    items = bpy.ops.riff.train.get_rna_type().properties["recipe"].enum_items
    assert [item.identifier for item in items] == [*recipes, "custom"]


def test_every_operator_and_property_has_a_tooltip_in_blenders_style(riff: ModuleType) -> None:
    for name in OPERATORS:
        rna = getattr(bpy.ops.riff, name).get_rna_type()
        texts = [rna.description, *(p.description for p in rna.properties if p.identifier != "rna_type")]
        assert all(text and text[0].isupper() and not text.endswith(".") for text in texts), (name, texts)


def test_every_setting_has_a_tooltip_in_blenders_style(riff: ModuleType) -> None:
    bpy.ops.riff.add_sample_dancer()
    bpy.ops.riff.add_region(source="RANGE")
    ob = bpy.context.object
    preferences = bpy.context.preferences.addons[EXTENSION].preferences
    for owner in (bpy.context.scene.riff, ob.riff, ob.riff.regions[0], ob.riff.controls.add(), preferences):
        for prop in owner.bl_rna.properties:
            if prop.identifier in ("rna_type", "name", "bl_idname") or prop.is_hidden or prop.type == "COLLECTION":
                continue  # a collection is shown by its rows
            text = prop.description
            assert text, prop.identifier
            assert text[0].isupper(), text
            assert not text.endswith("."), text


def test_disabling_leaves_nothing_and_enabling_works_again(riff: ModuleType) -> None:
    pulse = importlib.import_module(f"{riff.__name__}.state.timer").pulse
    refresh = importlib.import_module(f"{riff.__name__}.state.session").refresh
    addon_utils.disable(riff.__name__)
    try:
        assert not any(hasattr(bpy.types, name) for name in PANELS)
        assert not any(is_registered(name) for name in OPERATORS)
        assert not hasattr(bpy.types.Scene, "riff")
        assert not hasattr(bpy.types.WindowManager, "riff")
        for name in HANDLERS:
            owners = [handler.__module__ for handler in getattr(bpy.app.handlers, name)]
            assert not any(owner.startswith(riff.__name__) for owner in owners)
        assert not bpy.app.timers.is_registered(pulse)
        assert not bpy.app.timers.is_registered(refresh)
    finally:
        addon_utils.enable(riff.__name__)
    assert all(hasattr(bpy.types, name) for name in PANELS)


def test_zip_holds_the_program_and_nothing_else(riff_zip: Path) -> None:
    with zipfile.ZipFile(riff_zip) as archive:
        tops = {name.split("/")[0] for name in archive.namelist()}
        assert archive.testzip() is None
    assert tops == {
        "blender_manifest.toml",
        "__init__.py",
        "api.py",
        "LICENSE",
        "README.md",
        "core",
        "farm",
        "operators",
        "panels",
        "requirements",
        "rig",
        "sample",
        "shell",
        "state",
        "wheels",
    }


def test_lists_are_empty_in_a_new_file(riff: ModuleType) -> None:
    assert bpy.ops.riff.refresh_models() == {"FINISHED"}
    session = bpy.context.window_manager.riff
    assert (len(session.models), len(session.variations)) == (0, 0)
