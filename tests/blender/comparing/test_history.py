"""History: what was generated is kept with the armature and made again, key by key; what keeps it from that is said."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import pytest

from tests.support.editing.beside import Beside
from tests.support.remade import keys, made, made_again, remembered, same, told


@pytest.fixture
def part(riff: ModuleType) -> Callable[[str], Any]:
    return lambda name: importlib.import_module(f"{riff.__name__}.{name}")


@pytest.fixture
def dancer(short_dancer: Any) -> Any:
    return short_dancer


GENERATED: list[dict[str, Any]] = [
    {"count": 3, "frames": 75, "seed": 4},
    {"count": 2, "seed": 9, "coarse": 1.4, "fine": 0.6, "root": "PLACE", "clean_feet": False},
    {"count": 1, "frames": 90, "loop": "ON", "tolerance": 0.02},
]


@pytest.mark.parametrize("settings", GENERATED)
def test_generated_actions_are_made_again_key_by_key(dancer: Any, settings: dict[str, Any]) -> None:
    assert bpy.ops.riff.generate(**settings) == {"FINISHED"}
    (run,) = dancer.riff.runs
    assert (run.label, run.seed, run.source) == ("Generate", str(settings.get("seed", 1)), "Sample Dance")
    bpy.ops.riff.show_action(action=made()[0].name)  # a variation plays: its source is what counts
    made_again(remembered(made()))
    assert len(dancer.riff.runs) == 1


def test_only_what_is_gone_or_was_edited_is_made_again(dancer: Any) -> None:
    bpy.ops.riff.generate(count=3, frames=60)
    first, second, third = made()
    before = remembered([first, second, third])
    with pytest.raises(RuntimeError, match="are in the list still"):
        bpy.ops.riff.make_again()
    names = [action.name for action in (first, second, third)]
    bpy.ops.riff.discard_variation(action=names[1])
    curve = third.layers[0].strips[0].channelbag(third.slots[0]).fcurves[0]
    curve.keyframe_points[3].co.y += 0.5
    assert bpy.ops.riff.make_again() == {"FINISHED"}
    assert {action.name for action in made()} == {*names, f"{names[2]}.001"}
    assert same(keys(bpy.data.actions[names[1]]), before[names[1]][0])
    assert same(keys(bpy.data.actions[f"{names[2]}.001"]), before[names[2]][0])
    assert not same(keys(third), before[names[2]][0]), "the edited one is the user's and stays"
    assert bpy.ops.riff.make_again(variation=1) == {"FINISHED"}
    assert same(keys(bpy.data.actions[f"{names[0]}.001"]), before[names[0]][0])
    with pytest.raises(RuntimeError, match="no number 4"):
        bpy.ops.riff.make_again(variation=4)


def test_more_like_one_that_is_gone_is_made_again(dancer: Any) -> None:
    bpy.ops.riff.generate(count=1, frames=60)
    (first,) = made()
    assert bpy.ops.riff.generate(count=2, frames=60, seed=7, like=first.name) == {"FINISHED"}
    like = [action for action in made() if action.get("riff_like") is not None]
    before = remembered(like)
    bpy.ops.riff.discard_variation(action=first.name)
    made_again(before)


COMPOSED: list[tuple[str, dict[str, Any]]] = [
    ("vary_parts", {"count": 2, "seed": 3}),
    ("fill_regions", {"regions": "30-60", "seed": 2}),
    ("extend_action", {"after": 40, "before": 10}),
    ("loop_action", {"transition": 20}),
    ("restyle", {"style": 0.6}),
    ("place_moments", {"moments": "20-50@1, 60-90@70", "length": 110}),
    ("reach_places", {"waypoints": "60=0.2,0.1", "seed": 3}),
]


@pytest.mark.parametrize(("operator", "settings"), COMPOSED)
def test_composed_actions_are_made_again_key_by_key(dancer: Any, operator: str, settings: dict[str, Any]) -> None:
    assert getattr(bpy.ops.riff, operator)(**settings) == {"FINISHED"}
    made_again(remembered(made()))


def test_regions_and_pins_are_those_of_that_time(dancer: Any) -> None:
    region = dancer.riff.regions.add()
    region.start, region.end = 30, 60
    assert bpy.ops.riff.fill_regions(seed=5) == {"FINISHED"}
    before = remembered(made())
    region.start, region.end = 70, 100
    made_again(before)


def test_spans_and_amounts_are_made_again_key_by_key(dancer: Any) -> None:
    source = dancer.animation_data.action
    assert bpy.ops.riff.generate_spans(spans=f"{source.name}@1-60, {source.name}@75-130x1.37", seed=2) == {"FINISHED"}
    made_again(remembered(made()))
    bpy.ops.riff.discard_others()
    bpy.ops.riff.generate(count=1, frames=60)
    (full,) = made()
    assert bpy.ops.riff.set_amount(action=full.name, amount=0.3) == {"FINISHED"}
    made_again(remembered([action for action in made() if action != full]))
    bpy.ops.riff.discard_others()
    with pytest.raises(RuntimeError, match="Variation 1-1”, from which it was made, is no longer"):
        bpy.ops.riff.make_again()


def test_a_kept_live_variation_is_made_again_key_by_key(dancer: Any, part: Callable[[str], Any]) -> None:
    session, settings, live = bpy.context.window_manager.riff, bpy.context.scene.riff, part("state.live")
    settings.source_length, settings.frames, settings.coarse, settings.root = False, 80, 1.3, "PLACE"
    session.live_position = 3.25
    assert bpy.ops.riff.live() == {"FINISHED"}
    while not (live.live_preview.job.finished and live.live_preview.seen):
        live.follow()
    keep = Beside("live_keep")
    while not keep.running:
        keep.click()
        live.follow()
    while keep.running:
        keep.pulse()
    (kept,) = made()
    assert (dancer.riff.runs[0].label, dancer.riff.runs[0].seed) == ("Live Variation", "3.25")
    made_again(remembered([kept]))
    settings.coarse, settings.frames, session.live_position = 0.5, 40, 1.0
    assert bpy.ops.riff.use_settings() == {"FINISHED"}
    assert (settings.coarse, settings.frames, session.live_position) == (pytest.approx(1.3), 80, 3.25)


def test_what_is_gone_or_changed_is_said(dancer: Any, models: Path, part: Callable[[str], Any]) -> None:
    source, session = dancer.animation_data.action, bpy.context.window_manager.riff
    bpy.ops.riff.generate(count=1, frames=60)
    bpy.ops.riff.discard_others()
    before = len(bpy.data.actions)

    def refused(sentence: str) -> None:
        with pytest.raises(RuntimeError, match=sentence):
            bpy.ops.riff.make_again()
        assert len(bpy.data.actions) == before

    curve = source.layers[0].strips[0].channelbag(source.slots[0]).fcurves[0]
    curve.keyframe_points[5].co.y += 0.1
    refused("“Sample Dance” was changed since")
    curve.keyframe_points[5].co.y -= 0.1
    source.name = "Other"
    refused("“Sample Dance”, from which it was made, is no longer in the file")
    source.name = "Sample Dance"
    bpy.context.scene.render.fps = 24
    refused("had 30 frames a second then")
    bpy.context.scene.render.fps = 30
    (path,) = [Path(row.path) for row in session.models]
    kept = path.read_bytes()
    other = importlib.import_module("safetensors.numpy")
    tensors, description = other.load(kept), json.loads(kept[8 : 8 + int.from_bytes(kept[:8], "little")])
    tensors["source"][0, 0] += 0.5
    path.write_bytes(other.save(tensors, metadata=description["__metadata__"]))
    refused("was changed since; use the settings")
    path.unlink()
    bpy.ops.riff.refresh_models()
    refused("no longer in the list; import it again")
    with pytest.raises(RuntimeError, match="no longer in the list"):
        bpy.ops.riff.use_settings()
    path.write_bytes(kept)
    bpy.ops.riff.refresh_models()
    assert bpy.ops.riff.make_again() == {"FINISHED"}


def test_a_measured_model_is_the_same_model(dancer: Any, part: Callable[[str], Any]) -> None:
    """An instant model gets its figures a moment later, in the same file."""
    (row,) = bpy.context.window_manager.riff.models
    digest = part("state.variations.history").model_digest_steps
    run_through = part("rig.steps").run_through
    before = run_through(digest(Path(row.path)))
    model_file = part("core.model.model_file")
    model = model_file.load_model(row.path)
    model.quality = {"coverage": 0.5}
    model_file.save_model(model, row.path)
    assert run_through(digest(Path(row.path))) == before


def test_the_settings_come_back_into_the_panel(dancer: Any) -> None:
    settings, compose = bpy.context.scene.riff, bpy.context.scene.riff_compose
    bpy.ops.riff.generate(count=2, frames=70, seed=8, coarse=0.5, fine=1.5, loop="OFF", root="PLACE", clean_feet=False)
    bpy.ops.riff.extend_action(after=33, seed=6, entry="3", root="SOURCE")
    source = dancer.animation_data.action.name
    bpy.ops.riff.generate_spans(spans=f"{source}@1-60, {source}@75-130x1.5", seed=2, variation=0.8)
    spans, extended, generated = dancer.riff.runs
    bpy.ops.riff.use_settings("EXEC_DEFAULT", True, run=generated.number)
    assert (settings.count, settings.frames, settings.source_length, settings.seed) == (2, 70, False, 8)
    assert (settings.coarse, settings.fine, settings.loop, settings.root) == (0.5, 1.5, "OFF", "PLACE")
    assert not settings.clean_feet
    bpy.ops.riff.use_settings(run=extended.number)
    assert (compose.kind, compose.after, compose.seed, compose.entry, compose.root) == ("EXTEND", 33, 6, "3", "SOURCE")
    bpy.ops.riff.use_settings(run=spans.number)
    assert [(span.start, span.end, span.speed) for span in dancer.riff.spans] == [(1, 60, 1.0), (75, 130, 1.5)]
    assert dancer.riff.span_choices.variation == pytest.approx(0.8)
    assert settings.seed == 2
    bpy.ops.riff.set_amount(action=made()[0].name, amount=0.5)
    with pytest.raises(RuntimeError, match="chosen in its dialog"):
        bpy.ops.riff.use_settings()


def test_it_is_bounded_saved_and_undone(dancer: Any, part: Callable[[str], Any], tmp_path: Path) -> None:
    history = part("state.variations.history")
    bpy.ops.ed.undo_push(message="Before")
    bpy.ops.riff.generate("EXEC_DEFAULT", True, count=1, frames=60)
    bpy.ops.ed.undo()
    ob: Any = bpy.data.objects["Dancer"]
    assert len(ob.riff.runs) == 0
    bpy.ops.ed.redo()
    ob = bpy.data.objects["Dancer"]
    number, run = history.run_numbered(ob, 0)
    for _ in range(history.MAX_RUNS + 5):
        number += 1
        history.record(ob, number, run, "1-1")
    assert [row.number for row in ob.riff.runs] == list(range(number, number - history.MAX_RUNS, -1))
    assert bpy.ops.riff.duplicate_as_crowd(count=2, frames=60) == {"FINISHED"}
    assert {len(one.riff.runs) for one in bpy.data.objects if one.get("riff_member")} == {0}
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "dance.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "dance.blend"))
    ob = bpy.data.objects["Dancer"]
    bpy.context.view_layer.objects.active = ob
    assert history.run_numbered(ob, 0) == (number, run)
    part("state.session").refresh()
    (first,) = [action for action in made() if "Variation 1-1" in action.name]
    before = remembered([first])
    ob.riff.active_run = 0
    assert bpy.ops.riff.make_again(variation=1) == {"FINISHED"}
    assert same(keys(bpy.data.actions[f"{first.name}.001"]), before[first.name][0])


@pytest.mark.parametrize("order", ["", "[]", "{", "null", '{"kind": 3}', "[" * 5000])
def test_an_entry_that_cannot_be_read_is_said(dancer: Any, order: str) -> None:
    bpy.ops.riff.generate(count=1, frames=60)
    dancer.riff.runs[0].order = order
    for operator in (bpy.ops.riff.make_again, bpy.ops.riff.use_settings):
        with pytest.raises(RuntimeError, match="cannot be read"):
            operator(run=dancer.riff.runs[0].number)
    with pytest.raises(RuntimeError, match="no such entry"):
        bpy.ops.riff.make_again(run=99)


@pytest.mark.parametrize(
    ("field", "value"), [("arguments", {}), ("arguments", {"seed": "x"}), ("settings", {"count": "three"})]
)
def test_an_entry_with_other_values_is_said(dancer: Any, field: str, value: Any) -> None:
    bpy.ops.riff.generate(count=1, frames=60)
    bpy.ops.riff.discard_others()
    order = json.loads(dancer.riff.runs[0].order)
    dancer.riff.runs[0].order = json.dumps({**order, field: value})
    operator = bpy.ops.riff.use_settings if field == "settings" else bpy.ops.riff.make_again
    with pytest.raises(RuntimeError, match="cannot be read"):
        operator()
    assert not made()


def test_nothing_was_generated_yet(dancer: Any) -> None:
    for operator in (bpy.ops.riff.make_again, bpy.ops.riff.use_settings):
        with pytest.raises(RuntimeError, match="Nothing was generated"):
            operator()


@pytest.mark.parametrize(
    ("verb", "words"),
    [
        ("generate", ["--count", "2", "--frames", "70", "--seed", "5"]),
        ("generate", ["--count", "1", "--loop", "--root", "place"]),
        ("compose", ["--vary", "Left Arm", "--regions", "30-60", "--count", "2", "--seed", "4"]),
        ("spans", ["--spans", "Sample Dance@11-60, Sample Dance@75-130x1.3", "--count", "2", "--seed", "6"]),
    ],
)
def test_what_the_shell_made_is_made_again(
    dancer: Any, part: Callable[[str], Any], tmp_path: Path, verb: str, words: list[str]
) -> None:
    path, result = str(tmp_path / "dance.blend"), str(tmp_path / "takes.blend")
    model = bpy.context.window_manager.riff.models[0].name
    bpy.ops.wm.save_as_mainfile(filepath=path)
    shell = part("shell.command_line").run
    named = [] if verb == "spans" else ["--model", model, "--action", "Sample Dance"]
    assert shell([verb, path, *named, *words, "--save", result]) == 0
    bpy.ops.wm.open_mainfile(filepath=result)
    bpy.context.view_layer.objects.active = bpy.data.objects["Dancer"]
    part("state.session").refresh()
    before = remembered(made())
    for action in made():
        bpy.data.actions.remove(action)
    part("state.session").refresh()
    assert bpy.ops.riff.make_again() == {"FINISHED"}
    for name, (curves, said) in before.items():
        assert same(keys(bpy.data.actions[name]), curves), name
        again = told(bpy.data.actions[name])
        assert {key: again[key] for key in said} == said
    assert bpy.ops.riff.use_settings() == {"FINISHED"}
    if verb == "spans":
        spans = bpy.data.objects["Dancer"].riff.spans  # type: ignore[attr-defined]
        assert [(span.start, span.end) for span in spans] == [(11, 60), (75, 130)]
        return
    shown = bpy.context.scene.riff if verb == "generate" else bpy.context.scene.riff_compose
    assert shown.count == int(words[words.index("--count") + 1])


def test_scripts_read_the_history_and_make_again(dancer: Any, riff: ModuleType) -> None:
    api = importlib.import_module(f"{riff.__name__}.api")
    assert api.history(dancer) == []
    bpy.ops.riff.generate(count=2, frames=60, seed=3)
    before = remembered(made())
    bpy.ops.riff.vary_parts(parts="Left Arm")
    composed, generated = api.history(dancer)
    assert (composed["operator"], composed["settings"]["mirror"]) == ("riff.vary_parts", False)
    assert generated["names"] == ["Variation 3-1", "Variation 3-2"]
    assert (generated["seed"], generated["settings"]["frames"]) == (3, 60)
    bpy.ops.riff.discard_others()
    bpy.context.view_layer.objects.active = None
    again = api.make_again(dancer, generated["number"])
    assert {action.name: same(keys(action), before[action.name][0]) for action in again} == dict.fromkeys(before, True)
    with pytest.raises(api.RiffError, match="in the list still"):
        api.make_again(dancer, generated["number"])
    (second,) = api.make_again(dancer, generated["number"], variation=2)
    assert same(keys(second), before[again[1].name][0])
