"""True words in the panel: one estimate, names that differ, numbers that Riff chooses, rates as people say them."""

from __future__ import annotations

import importlib
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import pytest

from tests.support.recording_layout import RecordingLayout


@pytest.fixture
def dancer(riff: ModuleType, models: Path) -> bpy.types.Object:
    bpy.ops.riff.add_sample_dancer()
    return bpy.context.object


def drawn(panel: Any) -> list[Any]:
    layout: Any = RecordingLayout()
    panel.draw(type("Panel", (), {"layout": layout})(), bpy.context)
    return list(layout.calls)


def test_an_estimate_follows_the_training_that_ran(
    riff: ModuleType, dancer: bpy.types.Object, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = importlib.import_module(f"{riff.__name__}.state.armature_summary")
    jobs = importlib.import_module(f"{riff.__name__}.rig.background.jobs")
    tick = importlib.import_module(f"{riff.__name__}.state.timer").tick
    monkeypatch.setattr(state, "MEASURED_SECONDS", 0.0)
    motion = importlib.import_module(f"{riff.__name__}.rig.reading.read").read_motion(dancer)
    kind = state._kind_of(motion.skeleton)
    summary = state.Summary(kind=kind, frames=600)
    state._cache[state.key_of(dancer)] = summary
    state._paces[kind] = state.Pace(1.0, "cpu")
    state._set_seconds(summary)
    wrong = summary.seconds["fast"]
    assert wrong > 1e5, "a second a row"
    assert bpy.ops.riff.train(scale=0.0001) == {"FINISHED"}
    seen = []
    while tick():
        seen.append(dict(summary.seconds))
        time.sleep(0.02)
    assert seen, "the training ran for a while"
    assert not any(seen), "one number on the panel: the running training's own"
    job = jobs.latest_training()
    assert job.error == ""
    recipe = importlib.import_module(f"{riff.__name__}.core.model.recipe")
    trained = job.checkpoint.recipe
    rows = recipe.rows_per_training(trained, trained.lengths(600))
    fast = recipe.rows_per_training(recipe.FAST, recipe.FAST.lengths(600))
    assert summary.seconds["fast"] == pytest.approx(job.progress.seconds * fast / rows, rel=0.1)
    state._paces.clear()


def test_an_old_estimate_is_measured_again(riff: ModuleType) -> None:
    pace = importlib.import_module(f"{riff.__name__}.state.armature_summary").Pace
    assert pace(1.0, "cpu").is_fresh
    assert not pace(1.0, "cpu", time.monotonic() - 3600.0).is_fresh


def test_long_names_keep_where_they_differ(riff: ModuleType) -> None:
    names = importlib.import_module(f"{riff.__name__}.state.shown.short_names")
    long = [f"Armature_mixamo.com_Layer0_{kind}" for kind in ("walk", "walking", "dance")]
    assert names.shortened([*long, "Walk"]) == [*(f"Armature…{name[-15:]}" for name in long), "Walk"]
    assert len(set(names.shortened(long))) == 3
    far = [f"{'same beginning ' * 4}{end} and a long end that is alike" for end in ("one", "two")]
    assert all(end in short for end, short in zip(("one", "two"), names.shortened(far), strict=True))
    assert names.without_namespace("mixamorig:LeftToeBase") == "LeftToeBase"
    assert names.without_namespace("odd:") == "odd:"


def test_a_rate_is_said_as_people_say_it(riff: ModuleType, dancer: bpy.types.Object) -> None:
    bpy.context.scene.render.fps, bpy.context.scene.render.fps_base = 60, 1.00002
    source = importlib.import_module(f"{riff.__name__}.panels.source")
    texts = [call.text for call in drawn(source.RIFF_PT_source)]
    assert any(text.endswith("at 60 fps") for text in texts), texts


def test_numbers_that_riff_chooses_are_shown_as_auto(riff: ModuleType, dancer: bpy.types.Object) -> None:
    crowd = importlib.import_module(f"{riff.__name__}.panels.crowd")
    settings = bpy.context.scene.riff_crowd

    def shown() -> list[str]:
        calls = drawn(crowd.RIFF_PT_crowd)
        return [call.arguments.get("property", "") for call in calls if call.name == "prop"]

    assert settings.auto_distance
    assert settings.auto_spacing
    assert {"auto_distance", "auto_spacing"} <= set(shown())
    assert not {"distance", "spacing"} & set(shown())
    settings.auto_distance = False
    assert settings.distance > 0.0
    assert "distance" in shown()
    settings.distance = 0.0
    assert settings.auto_distance
    length = bpy.context.scene.riff_compose
    assert length.auto_length
    length.auto_length = False
    assert length.length > 0
    length.auto_length = True
    assert length.length == 0


def test_a_moment_outside_the_action_is_called_a_moment(riff: ModuleType, dancer: bpy.types.Object) -> None:
    bpy.ops.riff.instant_model()
    with pytest.raises(RuntimeError, match="The moment 580-640 is not inside frames 1-600; move it"):
        bpy.ops.riff.place_moments(moments="580-640@1")
    with pytest.raises(RuntimeError, match="The region 580-640 is not inside frames 1-600; move it"):
        bpy.ops.riff.fill_regions(regions="580-640")


def test_the_advice_stands_below_the_model_and_in_its_tooltip(riff: ModuleType, dancer: bpy.types.Object) -> None:
    bpy.ops.riff.instant_model()
    panel = importlib.import_module(f"{riff.__name__}.panels.models").RIFF_PT_models
    row = bpy.context.window_manager.riff.models[0]
    row.quality, row.advice, row.figures = "Fair", "Lower Fine Variation, for smoother motion", "roughness 1.5"
    assert any("Lower Fine Variation" in call.text for call in drawn(panel))
    operator = importlib.import_module(f"{riff.__name__}.operators.models").RIFF_OT_model_figures
    said = operator.description(bpy.context, type("Properties", (), {"name": row.name})())
    assert said == "Lower Fine Variation, for smoother motion\nroughness 1.5"
    row.quality = "Good"
    assert not any("Lower Fine Variation" in call.text for call in drawn(panel))
