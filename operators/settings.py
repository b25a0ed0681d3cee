"""What the panel shows and the operators read: settings kept in the scene, lists kept for the session."""

from __future__ import annotations

import bpy
from bpy.props import BoolProperty, CollectionProperty, EnumProperty, IntProperty, PointerProperty, StringProperty

RECIPE_ITEMS = [
    ("fast", "Fast", "Riff's own recipe: minutes on an ordinary computer"),
    ("paper", "Paper", "The published mini-batch recipe: much longer than Fast"),
    ("ganimator", "GANimator", "The recipe that the paper compares with: the longest"),
]


class RiffModel(bpy.types.PropertyGroup):
    """A row of the list of models; `name` is the file's, so that it is unique."""

    path: StringProperty(subtype="FILE_PATH")
    label: StringProperty()
    detail: StringProperty()
    problem: StringProperty()


class RiffVariation(bpy.types.PropertyGroup):
    """A row of the list of generated actions; `name` is the action's."""

    armature: StringProperty()
    source: StringProperty()
    seed: IntProperty()
    index: IntProperty()


class RiffSession(bpy.types.PropertyGroup):
    """Lists that the panel draws; refilled when a file is loaded, never saved."""

    models: CollectionProperty(type=RiffModel)
    active_model: IntProperty(name="Model")
    variations: CollectionProperty(type=RiffVariation)
    active_variation: IntProperty(name="Variation")


class RiffSettings(bpy.types.PropertyGroup):
    """Settings of the panel, saved with the scene."""

    recipe: EnumProperty(
        name="Recipe", description="How thoroughly the action is learned", items=RECIPE_ITEMS, default="fast",
    )  # fmt: skip
    count: IntProperty(
        name="Count", description="How many variations to generate", default=5, min=1, max=100, soft_max=20,
    )  # fmt: skip
    source_length: BoolProperty(
        name="Source Length", description="Make each variation as long as the action that was learned", default=True,
    )  # fmt: skip
    frames: IntProperty(
        name="Frames", description="How many frames each variation lasts", default=250, min=60, max=100_000,
        soft_max=2000,
    )  # fmt: skip
    seed: IntProperty(
        name="Seed", description="The same model, seed and length always give the same variations", default=1, min=0,
    )  # fmt: skip


def session_of(context: bpy.types.Context) -> RiffSession:
    return context.window_manager.riff  # type: ignore[attr-defined, no-any-return]


def settings_of(context: bpy.types.Context) -> RiffSettings:
    return context.scene.riff  # type: ignore[attr-defined, no-any-return]


CLASSES = (RiffModel, RiffVariation, RiffSession, RiffSettings)


def register() -> None:
    bpy.types.WindowManager.riff = PointerProperty(type=RiffSession)  # type: ignore[attr-defined, func-returns-value]
    bpy.types.Scene.riff = PointerProperty(type=RiffSettings)  # type: ignore[attr-defined, func-returns-value]


def unregister() -> None:
    del bpy.types.Scene.riff  # type: ignore[attr-defined]
    del bpy.types.WindowManager.riff  # type: ignore[attr-defined]
