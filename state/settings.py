"""Settings kept in the scene and lists kept for the session, which panels show and operators read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bpy
from bpy.props import (
    BoolProperty,
    CollectionProperty,
    EnumProperty,
    FloatProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)

from ..rig.ownership import rename
from .rig_settings import active_armature

WORD_CONTEXT = "Riff"
"""Translation context of words that Blender translates in another sense, such as Fast."""

RECIPE_ITEMS = [
    ("fast", "Fast", "Riff's own recipe: minutes on an ordinary computer"),
    ("paper", "Paper", "The published mini-batch recipe: much longer than Fast"),
    ("ganimator", "GANimator", "The recipe that the paper compares itself with: the longest"),
]
CHOICE_ITEMS = [*RECIPE_ITEMS[:2], ("custom", "Custom", "A recipe of your own, made from one of the others")]
LOOP_ITEMS = [
    ("AUTO", "As the Source", "Loops, if the learned action is a cycle"),
    ("ON", "On", "The last frame of each variation leads on to its first"),
    ("OFF", "Off", "Each variation ends where it likes"),
]
LOOP: dict[str, Any] = {
    "name": "Loop",
    "description": "Make variations whose last frame leads on to their first",
    "items": LOOP_ITEMS,
    "default": "AUTO",
    "translation_context": WORD_CONTEXT,
}
"""Arguments of the property *Loop* of the panel and of the operator."""

ROOT_ITEMS = [
    ("AUTO", "As the Source", "Ends where it starts, if the learned action does"),
    ("FREE", "Free", "Goes wherever the new motion leads"),
    ("PLACE", "In Place", "Stays above its start; the height is free"),
    ("SOURCE", "Keep Path", "Follows the path of the learned action"),
]
ROOT_PATH_OF = {"AUTO": "auto", "FREE": "free", "PLACE": "place", "SOURCE": "source"}
"""Path of the root, one of `root_paths.ROOT_PATHS`, for each choice."""

ROOT: dict[str, Any] = {
    "name": "Root Path",
    "description": "Path of the root on the ground",
    "items": ROOT_ITEMS,
    "default": "AUTO",
    "translation_context": WORD_CONTEXT,
}
"""Arguments of the property *Root Path* of the panel and of the operator."""

live_setting_listeners: list[Callable[[bpy.types.Context], None]] = []
"""Functions to call when a setting changes that affects a live variation."""


def _on_live_setting_changed(_owner: object, context: bpy.types.Context) -> None:
    for listener in live_setting_listeners:
        listener(context)


class RiffLearnedClip(bpy.types.PropertyGroup):
    """An action that a model of several learned, by its `name` then."""


class RiffModel(bpy.types.PropertyGroup):
    """A row of the list of models; `name` is the file's, so it is unique, and `shown` is what fits a narrow list."""

    shown: StringProperty()
    path: StringProperty(subtype="FILE_PATH")
    label: StringProperty()
    rig: StringProperty()
    detail: StringProperty()
    seconds: FloatProperty()
    source_fps: FloatProperty()
    quality: StringProperty()
    figures: StringProperty()
    advice: StringProperty()
    problem: StringProperty()
    clips: CollectionProperty(type=RiffLearnedClip)


class RiffUnfinished(bpy.types.PropertyGroup):
    """An unfinished training; `name` is its file's."""

    path: StringProperty(subtype="FILE_PATH")
    detail: StringProperty()
    problem: StringProperty()


row_click_listeners: list[Callable[[bpy.types.Context, str], None]] = []
"""Functions to call with the name of the action whose row in the list of variations was clicked."""

_clicked = [""]
"""Name of the action of the row that was clicked last."""


def _shown_row(session: RiffSession) -> int:
    """Return the row of the action that the armature plays: what plays and what is chosen are one thing."""
    ob = active_armature(bpy.context)
    action = ob.animation_data.action if ob is not None and ob.animation_data else None
    return int(session.variations.find(action.name)) if action is not None else -1


def _click_row(session: RiffSession, row: int) -> None:
    _clicked[0] = session.variations[row].name if 0 <= row < len(session.variations) else ""


def _on_row_clicked(_session: RiffSession, context: bpy.types.Context) -> None:
    for listener in row_click_listeners if _clicked[0] else ():
        listener(context, _clicked[0])


def _title(row: RiffVariation) -> str:
    return str(row.label)


def _rename(row: RiffVariation, title: str) -> None:
    """Rename the action of a row, as one undo step; an empty name and an action of a library stay as they are."""
    action: bpy.types.Action | None = bpy.data.actions.get(row.name)
    if action is None or action.library is not None or title.strip() in ("", row.label):
        return
    rename(action, title.strip())
    row.name = row.label = action.name
    bpy.ops.ed.undo_push(message="Rename Variation")


class RiffVariation(bpy.types.PropertyGroup):
    """A row of the list of generated actions; `name` is the action's."""

    label: StringProperty()
    # a property with an update function would have the user's handlers called whenever the list is refilled
    title: StringProperty(
        name="Name", description="Name of the variation; double-click to rename its action", get=_title, set=_rename
    )
    model: StringProperty()
    poses: StringProperty()
    moving: StringProperty()
    armature: StringProperty()
    identity: StringProperty()
    source: StringProperty()
    seed: StringProperty()
    frames: FloatProperty()
    kept: BoolProperty()
    ghost: BoolProperty()


class RiffSession(bpy.types.PropertyGroup):
    """Lists that the panel draws; refilled when a file is loaded, never saved."""

    models: CollectionProperty(type=RiffModel)
    active_model: IntProperty(name="Model", description="Model to generate from")
    unfinished: CollectionProperty(type=RiffUnfinished)
    problem: StringProperty(name="Problem", description="Description of an unexpected error")
    variations: CollectionProperty(type=RiffVariation)
    active_variation: IntProperty(
        name="Variation",
        description="Click to show and play this variation",
        get=_shown_row,
        set=_click_row,
        update=_on_row_clicked,
    )
    tab: EnumProperty(
        name="Panels",
        description="Panels to show",
        items=[
            ("MAKE", "Make", "Generate variations and choose among them"),
            ("LEARN", "Learn", "Choose what to learn, train, and tidy up models"),
        ],
        default="MAKE",
    )
    note: StringProperty(name="Note", description="How the latest training ended")
    note_problem: StringProperty(name="Problem", description="Why the latest training failed")
    live_position: FloatProperty(
        name="Variation",
        description="Seed of the variation; values between whole numbers blend two seeds",
        default=1.0,
        min=0.0,
        max=1000.0,
        soft_max=20.0,
        step=5,
        precision=2,
        update=_on_live_setting_changed,
    )


class RiffSettings(bpy.types.PropertyGroup):
    """Settings of the panel, saved with the scene."""

    recipe: EnumProperty(
        name="Recipe",
        description="How thoroughly the action is learned",
        items=CHOICE_ITEMS,
        default="fast",
        translation_context=WORD_CONTEXT,
    )
    base: EnumProperty(
        name="Based On",
        description="Recipe that the custom one starts from",
        items=RECIPE_ITEMS,
        default="fast",
        translation_context=WORD_CONTEXT,
    )
    effort: FloatProperty(
        name="Effort",
        description="Training steps, as a multiple of the recipe's",
        default=1.0,
        min=0.001,
        max=20.0,
        soft_min=0.25,
        soft_max=4.0,
    )
    faithfulness: FloatProperty(
        name="Faithfulness",
        description="Weight of closeness to the source, as a multiple of the recipe's; lower values leave more freedom",
        default=1.0,
        min=0.0,
        max=10.0,
        soft_min=0.25,
        soft_max=4.0,
    )
    foot_weight: FloatProperty(
        name="Foot Contact",
        description="Weight of the penalty on sliding feet, as a multiple of the recipe's",
        default=1.0,
        min=0.0,
        max=10.0,
    )
    last_level: IntProperty(
        name="Last Level",
        description="Last level that is trained; below 4, levels above it are matched, and trained ones always kept",
        default=4,
        min=1,
        max=4,
    )
    training_seed: IntProperty(
        name="Training Seed",
        description="Random seed of the training; another seed gives a slightly different model",
        default=0,
        min=0,
    )
    count: IntProperty(
        name="Count", description="Number of variations to generate", default=5, min=1, max=100, soft_max=20
    )
    source_length: BoolProperty(
        name="Source Length", description="Make each variation as long as the learned action", default=True
    )
    frames: IntProperty(
        name="Frames",
        description="Length of each variation in frames",
        default=250,
        min=8,
        soft_min=30,
        max=100_000,
        soft_max=2000,
    )
    seed: IntProperty(
        name="Seed", description="The same model, seed and length always give the same variations", default=1, min=0
    )
    same_seed: BoolProperty(
        name="Keep Seed",
        description="Keep the seed after generating, instead of moving on to the next one",
        default=False,
    )
    coarse: FloatProperty(
        name="Coarse Variation",
        description="Strength of variation in the course of the motion; 1 is the strength of the training",
        default=1.0,
        min=0.0,
        max=3.0,
        soft_max=2.0,
        update=_on_live_setting_changed,
    )
    fine: FloatProperty(
        name="Fine Variation",
        description="Strength of variation in the details; 1 is the strength of the training",
        default=1.0,
        min=0.0,
        max=3.0,
        soft_max=2.0,
        update=_on_live_setting_changed,
    )
    loop: EnumProperty(**LOOP)
    root: EnumProperty(**ROOT, update=_on_live_setting_changed)
    clean_feet: BoolProperty(
        name="Clean Feet", description="Keep standing feet from sliding", default=True, update=_on_live_setting_changed
    )


def copy_choices(mixin: type, settings: Any, operator: Any) -> None:
    """Copy the properties of a mixin that both share from the panel's settings to an operator, for the redo panel."""
    for name in mixin.__annotations__:
        setattr(operator, name, getattr(settings, name))


def session_of(context: bpy.types.Context) -> RiffSession:
    return context.window_manager.riff  # type: ignore[attr-defined, no-any-return]


def chosen_model(context: bpy.types.Context) -> RiffModel | None:
    """Return the active row of the list of models, None if the list is empty."""
    session = session_of(context)
    return session.models[session.active_model] if 0 <= session.active_model < len(session.models) else None


def settings_of(context: bpy.types.Context) -> RiffSettings:
    return context.scene.riff  # type: ignore[attr-defined, no-any-return]


CLASSES = (RiffLearnedClip, RiffModel, RiffUnfinished, RiffVariation, RiffSession, RiffSettings)


def register() -> None:
    bpy.types.WindowManager.riff = PointerProperty(type=RiffSession)  # type: ignore[attr-defined, func-returns-value]
    bpy.types.Scene.riff = PointerProperty(type=RiffSettings)  # type: ignore[attr-defined, func-returns-value]


def unregister() -> None:
    del bpy.types.Scene.riff  # type: ignore[attr-defined]
    del bpy.types.WindowManager.riff  # type: ignore[attr-defined]
