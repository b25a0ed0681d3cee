"""Every `draw()` in every state: no exception, no operator called, no data changed, nothing drawn that is not there.

Blender draws only in a window; here a layout that records stands in for it, and the panels' own functions run.
"""

from __future__ import annotations

import importlib
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import bpy
import pytest

from tests.support.recording_layout import Call, RecordingLayout
from tests.support.rounds import content

FEW_STEPS = 0.0001
SETTINGS = ("riff", "riff_compose", "riff_crowd", "riff_compare")


class NoOperators:
    """In place of `bpy.ops` while a panel is drawn."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"bpy.ops.{name} was asked for while a panel was drawn")


class Drawing:
    """Draws all that is registered, as Blender does for the context of the moment."""

    def __init__(self, riff: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
        self.riff, self.monkeypatch = riff, monkeypatch
        self.classes: tuple[Any, ...] = importlib.import_module(f"{riff.__name__}.panels").CLASSES

    def __call__(self) -> dict[str, RecordingLayout]:
        """Draw all panels of both sides, their lists' items, the menus and the preferences; the layouts by class."""
        drawn: dict[str, RecordingLayout] = {}
        for side in ("MAKE", "LEARN"):
            bpy.context.window_manager.riff.tab = side
            drawn |= self.side()
        return drawn

    def side(self) -> dict[str, RecordingLayout]:
        before = state()
        with self.monkeypatch.context() as patch:
            patch.setattr(bpy, "ops", NoOperators())
            closed = {cls.__name__: draw(self.riff, cls, open_panels=False) for cls in self.shown()}
            drawn = {cls.__name__: draw(self.riff, cls, open_panels=True) for cls in self.shown()}
            for layout in list(drawn.values()):
                for call in layout.named("template_list"):
                    draw_items(call, layout)
        assert state() == before
        assert set(closed) == set(drawn)
        return drawn

    def shown(self) -> Iterator[Any]:
        for cls in self.classes:
            drawable = issubclass(cls, (bpy.types.Panel, bpy.types.Menu, bpy.types.AddonPreferences))
            if drawable and (not hasattr(cls, "poll") or cls.poll(bpy.context)):
                yield cls


def draw(riff: ModuleType, cls: Any, open_panels: bool) -> RecordingLayout:
    layout = RecordingLayout(open_panels=open_panels)
    panel = stand_in(cls, layout)
    if issubclass(cls, bpy.types.AddonPreferences):
        panel = SharedLayout(bpy.context.preferences.addons[riff.__name__].preferences, layout)
        cls.draw(panel, bpy.context)
        return layout
    for name in ("draw_header", "draw_header_preset", "draw"):
        function = getattr(type(panel), name, None)
        if function is not None:
            function(panel, bpy.context)
    return layout


def stand_in(cls: Any, layout: RecordingLayout) -> Any:
    """An object with the functions and values of a registered class, which Blender alone can make."""
    own = {key: value for key, value in vars(cls).items() if not key.startswith("__") and key != "bl_rna"}
    plain = tuple(b for b in cls.__mro__[1:] if b is not object and not issubclass(b, bpy.types.bpy_struct))
    panel = type(cls.__name__, plain, own)()
    panel.layout = layout
    panel.bitflag_filter_item = 1 << 30
    return panel


class SharedLayout:
    """The preferences themselves, but for their layout."""

    def __init__(self, preferences: Any, layout: RecordingLayout) -> None:
        self.preferences, self.layout = preferences, layout

    def __getattr__(self, name: str) -> Any:
        return getattr(self.preferences, name)


def draw_items(call: Call, layout: RecordingLayout) -> None:
    """Draw each item of a list that was drawn, and filter them."""
    kind = stand_in(getattr(bpy.types, call.arguments["listtype_name"]), RecordingLayout())
    data, name = call.arguments["dataptr"], call.arguments["propname"]
    active = call.arguments["active_dataptr"], call.arguments["active_propname"]
    for index, item in enumerate(getattr(data, name)):
        kind.draw_item(bpy.context, RecordingLayout(layout.calls), data, item, 0, *active, index, 0)
    if hasattr(kind, "filter_items"):
        flags, order = kind.filter_items(bpy.context, data, name)
        assert (len(flags), list(order)) == (len(getattr(data, name)), [])


def state() -> dict[str, Any]:
    """Names of all data-blocks, and all settings of Riff's."""
    found: dict[str, Any] = dict(content())
    for owner in (*bpy.data.scenes, *bpy.data.objects, bpy.context.window_manager):
        for name in SETTINGS:
            if hasattr(owner, name):
                found[f"{owner.name}.{name}"] = values(getattr(owner, name))
    return found


def values(group: Any) -> dict[str, Any]:
    """Values of a group of properties, those inside it included."""
    found: dict[str, Any] = {}
    for prop in group.bl_rna.properties:
        value = getattr(group, prop.identifier)
        if prop.type == "COLLECTION":
            found[prop.identifier] = [values(item) for item in value]
        elif prop.type == "POINTER":
            found[prop.identifier] = getattr(value, "name", None)
        elif getattr(prop, "is_array", False):
            found[prop.identifier] = tuple(value)
        else:
            found[prop.identifier] = value
    return found


def identifiers(group: Any, name: str) -> list[str]:
    return [item.identifier for item in group.bl_rna.properties[name].enum_items]


@pytest.fixture
def drawing(riff: ModuleType, part: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> Drawing:
    part("state.pytorch.installation").refresh()  # a timer does that, and timers never fire here
    return Drawing(riff, monkeypatch)


@pytest.fixture
def part(riff: ModuleType) -> Callable[[str], Any]:
    return lambda name: importlib.import_module(f"{riff.__name__}.{name}")


@pytest.fixture
def folders(riff: ModuleType, part: Callable[[str], Any]) -> Iterator[tuple[Path, Path]]:
    """Folders of models and of unfinished trainings, empty before and after."""

    def empty() -> list[Path]:
        part("state.live").end()
        part("rig.background.jobs").stop_all()
        found = []
        for name in ("models", "trainings"):
            shutil.rmtree(bpy.utils.extension_path_user(riff.__name__, path=name, create=True))
            found.append(Path(bpy.utils.extension_path_user(riff.__name__, path=name, create=True)))
        part("state.session").refresh()
        part("state.armature_summary").forget()
        return found

    models, trainings = empty()
    yield models, trainings
    empty()


@pytest.fixture
def dancer(folders: tuple[Path, Path], trained: Path) -> Any:
    """The sample dancer, active, with a model of its dance in the list."""
    shutil.copy(trained, folders[0])
    bpy.ops.riff.add_sample_dancer()
    bpy.ops.riff.refresh_models()
    bpy.context.view_layer.update()
    return bpy.context.object


def finish(part: Callable[[str], Any]) -> None:
    while part("state.timer").tick():
        time.sleep(0.02)


def look(part: Callable[[str], Any], ob: Any) -> None:
    """Ask what would be learned, as drawing does, and look, as a timer does."""
    summary = part("state.armature_summary")
    summary.summary_of(ob)
    while summary.update_summary() is not None:
        pass


def new_object(data: Any) -> Any:
    ob = bpy.data.objects.new("Thing", data)
    bpy.context.scene.collection.objects.link(ob)
    bpy.context.view_layer.objects.active = ob
    return ob


@pytest.mark.parametrize(
    "wrong",
    [
        lambda layout: layout.operator("riff.no_such_thing"),
        lambda layout: setattr(layout.operator("riff.generate"), "no_such_thing", 1),
        lambda layout: setattr(layout.operator("riff.generate"), "count", "three"),
        lambda layout: layout.prop(bpy.context.scene.riff, "no_such_thing"),
        lambda layout: layout.prop(None, "count"),
        lambda layout: layout.label(text="Riff", icon="NO_SUCH_ICON"),
        lambda layout: layout.label(words="Riff"),
        lambda layout: layout.label(text=3),
        lambda layout: layout.menu("RIFF_MT_no_such_thing"),
        lambda layout: layout.progress(text="Riff", factor=1.5),
        lambda layout: setattr(layout, "no_such_thing", True),
    ],
)
def test_the_layout_refuses_what_blender_would(riff: ModuleType, wrong: Callable[[RecordingLayout], Any]) -> None:
    with pytest.raises(AssertionError):
        wrong(RecordingLayout())


def test_nothing_is_selected(drawing: Drawing, folders: tuple[Path, Path]) -> None:
    drawn = drawing()
    assert {"RIFF_PT_source", "RIFF_PT_train", "RIFF_PT_models", "RIFF_PT_generate", "RiffPreferences"} <= set(drawn)
    assert "1. Add Sample Dancer" in drawn["RIFF_PT_top"].texts()
    assert "No armature is selected" in drawn["RIFF_PT_top"].texts()
    assert "RIFF_PT_compose" not in drawn


def test_every_panel_is_in_the_tab_and_below_one_that_is_there(drawing: Drawing) -> None:
    for cls in drawing.classes:
        if issubclass(cls, bpy.types.Panel) and cls.__name__ != "RIFF_PT_training_presets":
            assert cls.bl_category == "Riff", cls
            assert hasattr(bpy.types, getattr(cls, "bl_parent_id", "RIFF_PT_source")), cls


@pytest.mark.parametrize("kind", ["mesh", "armature", "armature without an action"])
def test_what_has_no_action_is_active(drawing: Drawing, folders: tuple[Path, Path], kind: str) -> None:
    ob = new_object(bpy.data.meshes.new("Thing") if kind == "mesh" else bpy.data.armatures.new("Thing"))
    if kind == "armature without an action":
        ob.animation_data_create()
    drawn = drawing()
    assert ("RIFF_PT_compose" in drawn) == (kind != "mesh")
    words = "No action to learn from" if kind != "mesh" else "Select an armature to learn from"
    assert words in drawn["RIFF_PT_source"].texts()
    assert ("Select an armature, or try it out:" in drawn["RIFF_PT_top"].texts()) == (kind == "mesh")


def test_a_mesh_of_the_armature_is_active(drawing: Drawing, dancer: Any) -> None:
    of_armature = set(drawing())
    skin = new_object(bpy.data.meshes.new("Skin"))
    skin.modifiers.new("Armature", "ARMATURE").object = dancer
    drawn = drawing()
    assert set(drawn) == of_armature
    assert f"{dancer.name}: {dancer.animation_data.action.name}" in drawn["RIFF_PT_top"].texts()


def test_each_side_has_its_own_boxes(drawing: Drawing, dancer: Any) -> None:
    session: Any = bpy.context.window_manager.riff
    sides = {}
    for session.tab in ("MAKE", "LEARN"):
        sides[session.tab] = [name for name in drawing.side() if name.startswith("RIFF_PT") and "presets" not in name]
    assert sides["MAKE"] == [
        f"RIFF_PT_{name}"
        for name in (
            "top",
            "dope_sheet",
            "generate",
            "variations",
            "live",
            "compose",
            "pins",
            "waypoints",
            "regions",
            "spans",
            "driven",
            "crowd",
        )
    ]
    assert sides["LEARN"] == [
        f"RIFF_PT_{name}" for name in ("top", "dope_sheet", "source", "roles", "learned", "train", "models", "farm")
    ]


def test_the_armature_is_in_another_scene(drawing: Drawing, dancer: Any) -> None:
    scene = bpy.context.scene
    bpy.context.window.scene = bpy.data.scenes.new("Other")
    assert "RIFF_PT_compose" not in drawing()
    bpy.context.scene.collection.objects.link(dancer)
    bpy.context.view_layer.objects.active = dancer
    assert "RIFF_PT_compose" in drawing()
    bpy.data.scenes.remove(scene)
    assert "RIFF_PT_compose" in drawing()


def test_an_action_before_and_after_it_was_looked_at(drawing: Drawing, dancer: Any, part: Callable[[str], Any]) -> None:
    summary = part("state.armature_summary")
    assert "Analyzing the armature…" in drawing()["RIFF_PT_source"].texts()
    while summary.update_summary() is not None:
        drawing()
    if summary.summary_of(dancer).estimate is not None:  # None where a test before has measured the same joints
        summary.summary_of(dancer).estimate.join()
    finish(part)
    drawn = drawing()
    assert "21 joints, root hips" in drawn["RIFF_PT_source"].texts()
    assert any(text.startswith("Up to ") for text in drawn["RIFF_PT_train"].texts())
    dancer.animation_data.action.use_frame_range = True
    dancer.animation_data.action.frame_end = 31
    drawing()
    look(part, dancer)
    assert any("at least" in text for text in drawing()["RIFF_PT_source"].texts())


def test_all_strips_combined(drawing: Drawing, dancer: Any) -> None:
    data = dancer.animation_data
    data.nla_tracks.new().strips.new("Strip", 1, data.action)
    data.action = None
    drawing()
    dancer.riff.whole_nla = True
    assert "All NLA strips combined" in drawing()["RIFF_PT_source"].texts()


def test_settings_of_a_training(drawing: Drawing, dancer: Any) -> None:
    for recipe in identifiers(bpy.context.scene.riff, "recipe"):
        bpy.context.scene.riff.recipe = recipe
        drawn = drawing()["RIFF_PT_train"]
        assert len(drawn.named("panel")) == 1 + (recipe == "custom")


def test_lists_of_the_armature(drawing: Drawing, dancer: Any, part: Callable[[str], Any]) -> None:
    look(part, dancer)
    dancer.riff.own_feet = True
    bpy.ops.riff.add_foot()
    look(part, dancer)
    bpy.ops.riff.list_learned()
    bpy.context.scene.use_preview_range = True
    bpy.ops.riff.add_region(source="PREVIEW")
    bpy.ops.riff.add_region(source="PREVIEW")
    drawn = drawing()
    assert len(dancer.riff.feet) > 1
    assert "hips" in drawn["RIFF_PT_learned"].texts()
    dancer.riff.active_control = len(dancer.riff.controls)
    dancer.riff.active_region = len(dancer.riff.regions)
    drawing()


def test_every_way_to_compose(drawing: Drawing, dancer: Any) -> None:
    settings: Any = bpy.context.scene.riff_compose
    bpy.ops.riff.find_parts()
    bpy.context.scene.use_preview_range = True
    bpy.ops.riff.add_region(source="PREVIEW")
    bpy.ops.riff.add_moment()
    settings.content = dancer.animation_data.action
    assert settings.parts
    assert settings.moments
    used = set()
    for kind in identifiers(settings, "kind"):
        settings.kind = kind
        for switch in (False, True):
            settings.use_parts = settings.use_keys = settings.use_regions = switch
            for which in identifiers(settings, "which"):
                settings.which = which
                drawn = drawing()["RIFF_PT_compose"]
        used |= {call.arguments["operator"] for call in drawn.named("operator")}
    assert {"riff.vary_parts", "riff.fill_regions", "riff.loop_action", "riff.restyle", "riff.add_moment"} <= used


def test_the_button_of_spans_has_the_variation_of_the_panel(drawing: Drawing, dancer: Any) -> None:
    dancer.riff.span_choices.variation = 0.8
    layout = drawing()["RIFF_PT_spans"]
    (button,) = [call for call in layout.named("operator") if call.arguments["operator"] == "riff.generate_spans"]
    assert button.settings.variation == pytest.approx(0.8)
    assert "variation" in [call.arguments["property"] for call in layout.named("prop")]


def test_spans_say_which_model_plays_them(drawing: Drawing, dancer: Any) -> None:
    """The chosen model, if it was trained on the actions of all spans; only those can be chosen then."""
    session: Any = bpy.context.window_manager.riff
    assert bpy.ops.riff.instant_model() == {"FINISHED"}
    assert bpy.ops.riff.add_span() == {"FINISHED"}
    (span,), choices = dancer.riff.spans, dancer.riff.span_choices

    def said() -> str:
        return " ".join(drawing()["RIFF_PT_spans"].texts())

    def chosen_from() -> Any:
        (call,) = drawing()["RIFF_PT_spans"].named("prop_search")
        return call.arguments["search_data"]

    assert "Played by instant models" in said()
    assert chosen_from() == bpy.data
    model = session.models[session.active_model]
    for name in (span.action, "Other"):
        model.clips.add().name = name
    assert f"Played by “{model.name}”" in said()
    assert chosen_from() == model
    span.action = "Third"
    assert f"Played by instant models: “{model.name}” was not trained on “Third”" in said()
    choices.played_by = "MODEL"
    assert "instant models" not in said()
    assert f"“{model.name}” was not trained on “Third”" in said()
    choices.played_by = "INSTANT"
    assert "Played by instant models" in said()
    assert chosen_from() == bpy.data


def test_the_list_shows_lengths_at_the_rate_of_the_scene(drawing: Drawing, dancer: Any) -> None:
    """No operator of Riff's refills the list when the user sets another rate, or another scene has one."""
    assert bpy.ops.riff.instant_model() == {"FINISHED"}
    assert bpy.ops.riff.generate(count=1, frames=61) == {"FINISHED"}
    render = bpy.context.scene.render
    assert "2.0 s" in drawing()["RIFF_PT_variations"].texts()
    render.fps, render.fps_base = 60, 2.0
    assert "2.0 s" in drawing()["RIFF_PT_variations"].texts()
    render.fps_base = 1.0
    assert "1.0 s" in drawing()["RIFF_PT_variations"].texts()
    bpy.context.window.scene = bpy.data.scenes.new("Slow")
    bpy.context.scene.collection.objects.link(dancer)
    bpy.context.view_layer.objects.active = dancer
    bpy.context.scene.render.fps = 12
    assert "5.0 s" in drawing()["RIFF_PT_variations"].texts()


def test_restyling_another_rig_along_a_curve(drawing: Drawing, dancer: Any) -> None:
    settings: Any = bpy.context.scene.riff_compose
    other = new_object(dancer.data.copy())
    other.animation_data_create().action = dancer.animation_data.action
    curve = bpy.data.objects.new("Path", bpy.data.curves.new("Path", "CURVE"))
    bpy.context.scene.collection.objects.link(curve)
    bpy.context.view_layer.objects.active = dancer
    settings.kind, settings.root, settings.curve = "STYLE", "CURVE", curve
    settings.content, settings.armature = dancer.animation_data.action, other
    drawing()
    bpy.ops.riff.guess_bones()
    assert settings.bones
    drawing()
    settings.armature = None
    drawing()


def test_models_good_and_damaged(drawing: Drawing, dancer: Any, folders: tuple[Path, Path]) -> None:
    (folders[0] / "Broken.safetensors").write_bytes(b"nothing")
    bpy.ops.riff.refresh_models()
    session: Any = bpy.context.window_manager.riff
    assert sorted(bool(row.problem) for row in session.models) == [False, True]
    said = []
    for number in range(len(session.models) + 1):
        session.active_model = number
        said += drawing()["RIFF_PT_models"].texts()
    assert "Cannot be read" in said
    assert any(text.endswith(" s, fast") for text in said)


def test_variations(drawing: Drawing, dancer: Any) -> None:
    bpy.context.scene.riff.source_length = False
    assert bpy.ops.riff.generate(count=2, frames=60) == {"FINISHED"}
    session: Any = bpy.context.window_manager.riff
    bpy.ops.riff.keep_variation(action=session.variations[0].name)
    for row in session.variations:
        bpy.ops.riff.show_action(action=row.name)
        drawn = drawing()
        assert "A variation; learned is Sample Dance" in drawn["RIFF_PT_source"].texts()
        titles = [call for call in drawn["RIFF_PT_variations"].named("prop") if call.arguments["property"] == "title"]
        assert [call.arguments["data"].title for call in titles] == ["1-1", "1-2"]
        assert f"{dancer.name}: {row.title}" in drawn["RIFF_PT_top"].texts()
        assert len(drawn["RIFF_PT_dope_sheet"].named("template_list")) == 1
        assert "60 frames, 2.0 s, Dance" in " ".join(drawn["RIFF_PT_variations"].texts())
    bpy.context.scene.frame_set(10)
    new_object(bpy.data.armatures.new("Other"))
    drawing()


def test_live_variation(drawing: Drawing, dancer: Any, part: Callable[[str], Any]) -> None:
    assert bpy.ops.riff.live() == {"FINISHED"}
    drawn = drawing()["RIFF_PT_live"]
    assert [call.arguments["property"] for call in drawn.named("prop")] == ["live_position"]
    part("state.live").end("It was too much.")
    assert any("It was too much." in text for text in drawing()["RIFF_PT_live"].texts())


def test_trainings_from_the_click_to_the_model(drawing: Drawing, dancer: Any, part: Callable[[str], Any]) -> None:
    for _ in range(2):
        bpy.ops.riff.train(scale=FEW_STEPS)
    assert "Waiting for the other training" in drawing()["RIFF_PT_train"].texts()
    bpy.ops.riff.cancel_training(name=part("rig.background.jobs").trainings()[0].name)
    bars = 0
    while part("state.timer").tick():
        top = drawing()["RIFF_PT_top"]
        bars += len(top.named("progress"))
        buttons = {call.arguments["operator"] for call in top.named("operator")}
        assert {"riff.end_training", "riff.cancel_training"} <= buttons
        time.sleep(0.2)
    assert bars > 0
    drawn = drawing()
    assert any(text.startswith("Trained in ") for text in drawn["RIFF_PT_train"].texts())
    assert not drawn["RIFF_PT_top"].named("progress")
    assert any("is trained, " in text for text in drawn["RIFF_PT_top"].texts())
    assert bpy.ops.riff.close_note() == {"FINISHED"}
    assert not any("is trained" in text for text in drawing()["RIFF_PT_top"].texts())


def test_a_training_that_is_enough(drawing: Drawing, dancer: Any, part: Callable[[str], Any]) -> None:
    bpy.ops.riff.train()
    job = part("rig.background.jobs").latest_training()
    while job.progress is None:
        part("state.timer").tick()
        time.sleep(0.02)
    assert any(" left" in text for text in drawing()["RIFF_PT_top"].texts())
    assert bpy.ops.riff.end_training() == {"FINISHED"}
    assert "Ending" in drawing()["RIFF_PT_top"].texts()
    bpy.ops.riff.cancel_training()
    finish(part)
    assert not drawing()["RIFF_PT_top"].named("progress")


def test_trainings_that_did_not_end_well(
    drawing: Drawing, dancer: Any, part: Callable[[str], Any], folders: tuple[Path, Path]
) -> None:
    bpy.ops.riff.train()
    job = part("rig.background.jobs").latest_training()
    while job.progress is None:
        part("state.timer").tick()
        time.sleep(0.02)
    job.progress = type(job.progress)(**{**vars(job.progress), "rate_cuts": 1})
    drawing()
    bpy.ops.riff.cancel_training()
    finish(part)
    drawn = drawing()
    assert "Training was cancelled" in drawn["RIFF_PT_train"].texts()
    assert "riff.close_note" not in {call.arguments["operator"] for call in drawn["RIFF_PT_top"].named("operator")}
    (folders[1] / "Broken.safetensors").write_bytes(b"nothing")
    part("state.session").refresh()
    unfinished = drawing()["RIFF_PT_unfinished"]
    assert {"riff.discard_training", "riff.resume_training"} <= {
        call.arguments["operator"] for call in unfinished.named("operator")
    }
    bpy.ops.riff.resume_training(name="Broken")
    finish(part)
    drawn = drawing()
    assert any("damaged" in text for text in drawn["RIFF_PT_train"].texts())
    assert "The training “Broken” failed" in drawn["RIFF_PT_top"].texts()
    bpy.context.window_manager.riff.problem = "Riff met something that it did not foresee."
    assert any("foresee" in text for text in drawing()["RIFF_PT_top"].texts())
    bpy.context.window_manager.riff.problem = ""


@pytest.mark.parametrize("damage", ["", "{not json", "[]", '{"armature": 3, "smallest": "x"}'])
def test_a_crowd_also_a_damaged_one(drawing: Drawing, dancer: Any, damage: str) -> None:
    assert bpy.ops.riff.duplicate_as_crowd(count=2, frames=60) == {"FINISHED"}
    collection = next(one for one in bpy.data.collections if one.get("riff_crowd") is not None)
    if damage:
        collection["riff_crowd"] = damage
    for ob in (dancer, next(ob for ob in collection.objects if ob.type == "ARMATURE")):
        bpy.context.view_layer.objects.active = ob
        drawn = drawing()["RIFF_PT_crowd"]
    assert collection.name in drawn.texts()


def test_settings_of_a_crowd(drawing: Drawing, dancer: Any) -> None:
    settings: Any = bpy.context.scene.riff_crowd
    for name in ("kind", "looks"):
        for identifier in identifiers(settings, name):
            setattr(settings, name, identifier)
            drawing()


def test_pytorch_absent_present_and_on_its_way(
    drawing: Drawing, dancer: Any, part: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytorch = part("state.pytorch.installation")
    pytorch.refresh()
    torch: Any = pytorch.torch_state
    trial: Any = part("state.pytorch.trial").trial_state
    kinds = type(torch.standing)
    for standing in kinds:
        for importable in (False, True):
            monkeypatch.setattr(torch, "standing", standing)
            monkeypatch.setattr(trial, "importable", importable)
            drawn = drawing()
            hint = "riff.install_torch" in {c.arguments["operator"] for c in drawn["RIFF_PT_train"].named("operator")}
            assert hint is not importable
    monkeypatch.setattr(trial, "importable", False)
    for changes in ({"problem": "There was no network."}, {"bundled": True}, {"plans": []}):
        for name, value in changes.items():
            monkeypatch.setattr(torch, name, value)
        drawing()
    monkeypatch.setattr(torch, "job", SimpleNamespace(running=True, phase="Downloading", share=0.5))
    drawing()
    job = part("rig.background.install_job").InstallJob.__new__(part("rig.background.install_job").InstallJob)
    for phase in ("", "Downloading"):
        job.__dict__.update(phase=phase, share=0.5, state=part("rig.background.jobs").State.RUNNING)
        monkeypatch.setattr(torch, "job", job)
        assert drawing()["RiffPreferences"].named("progress")
    monkeypatch.setattr(torch, "job", None)


def test_a_named_python_tried_and_failed(
    drawing: Drawing, dancer: Any, part: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    trial: Any = part("state.pytorch.trial").trial_state
    addon: Any = bpy.context.preferences.addons[drawing.riff.__name__]
    python = Path(bpy.app.tempdir) / "python-elsewhere"
    addon.preferences.python = str(python)
    trial.job.join()
    monkeypatch.setattr(trial, "job", None)
    monkeypatch.setattr(trial, "tried", python)
    seen = []
    for facts, problem in (
        ({}, "It has no PyTorch."),
        ({"version": "3.12"}, ""),
        ({"torch": "2.13", "device": "CPU, 2 cores"}, ""),
        ({"torch": "2.13", "device": "CPU, 2 cores", "refused": "an old card"}, ""),
        ({}, ""),
    ):
        monkeypatch.setattr(trial, "facts", facts)
        monkeypatch.setattr(trial, "problem", problem)
        drawn = drawing()
        seen.append({str(call.arguments.get("text")) for call in drawn["RiffPreferences"].named("label")})
        operators = {call.arguments["operator"] for call in drawn["RIFF_PT_train"].named("operator")}
        assert ("preferences.addon_show" in operators) is bool(problem), "the panel says it before a training fails"
    monkeypatch.setattr(trial, "job", SimpleNamespace(running=True, cancel=lambda: None))
    assert "riff.cancel_trial" in {c.arguments["operator"] for c in drawing()["RiffPreferences"].named("operator")}
    monkeypatch.setattr(trial, "job", None)
    addon.preferences.python = ""
    assert "Python 3.12 has PyTorch" in seen[1]
    assert "PyTorch 2.13 is ready, on CPU, 2 cores" in seen[2]
    assert "This Python has not been tested" in seen[4]
