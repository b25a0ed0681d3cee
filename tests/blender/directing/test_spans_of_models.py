"""Spans played by a model that was trained on their actions: operator, history, scripts, shell."""

from __future__ import annotations

import importlib
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import pytest

from tests.support.composing import FEW_STEPS, compose
from tests.support.remade import keys, made, made_again, remembered, same
from tests.support.rigs.beast import add_beast
from tests.support.rigs.biped import add_swinging_biped, bent, state_of_file

SPANS = "Swing@11-60, Bow@71-120, Swing@135-184x1.5"
BORDER = 0.7
"""Angle of the spine between those of the two actions."""


@pytest.fixture
def part(riff: ModuleType) -> Callable[[str], Any]:
    return lambda name: importlib.import_module(f"{riff.__name__}.{name}")


@pytest.fixture(scope="module")
def both_file(riff: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a model, hardly trained, of two actions."""
    bpy.ops.wm.read_homefile(use_empty=True)
    add_swinging_biped()
    assert bpy.ops.riff.train_on_actions(actions="Bow", recipe="fast", scale=FEW_STEPS) == {"FINISHED"}
    tick = importlib.import_module(f"{riff.__name__}.state.timer").tick
    while tick():
        time.sleep(0.02)
    job = importlib.import_module(f"{riff.__name__}.rig.background.jobs").latest_training()
    assert job.error == ""
    return Path(shutil.copy(job.path, tmp_path_factory.mktemp("both") / "Swing + Bow.safetensors"))


@pytest.fixture
def biped(models: Path, both_file: Path) -> Any:
    """The biped with both actions, and the model of both chosen."""
    shutil.copy(both_file, models)
    bpy.ops.riff.refresh_models()
    return add_swinging_biped()


def read(riff: ModuleType, ob: Any, action: Any) -> Any:
    return importlib.import_module(f"{riff.__name__}.rig.reading.read").read_motion(ob, action)


def digest_of(ob: Any, part: Callable[[str], Any]) -> str:
    """The digest of the model of the newest run, empty for instant ones."""
    return str(part("state.variations.history").run_numbered(ob, 0)[1].model_digest)


def test_the_chosen_model_plays_its_actions(riff: ModuleType, biped: Any, part: Callable[[str], Any]) -> None:
    bpy.ops.ed.undo_push(message="Before")
    made = compose(bpy.ops.riff.generate_spans, spans=SPANS, count=2, seed=3)
    assert len(made) == 2
    for action in made:
        assert action["riff_model"] == "Swing + Bow"
        assert tuple(action.frame_range) == (11.0, 184.0)
        bows = bent(read(riff, biped, action)) > BORDER
        assert not bows[:50].any()
        assert bows[60:110].all()
        assert not bows[124:].any()
    assert digest_of(biped, part)
    (instant,) = compose(bpy.ops.riff.generate_spans, spans=SPANS, seed=3, played_by="INSTANT")
    assert not digest_of(biped, part)
    assert not same(keys(made[0]), keys(instant))
    names = [action.name for action in made]
    bpy.ops.ed.undo()
    assert all(name in bpy.data.actions for name in names)
    bpy.ops.ed.undo()
    assert not any(name in bpy.data.actions for name in names), "one step takes it back"


def test_a_model_plays_actions_that_the_file_has_no_longer(biped: Any, part: Callable[[str], Any]) -> None:
    bpy.data.actions.remove(bpy.data.actions["Bow"])
    compose(bpy.ops.riff.generate_spans, spans=SPANS)
    assert digest_of(biped, part)


def test_another_action_is_played_by_instant_models(biped: Any, part: Callable[[str], Any]) -> None:
    bpy.data.actions["Bow"].copy().name = "Deep"
    spans = "Swing@1-50, Deep@61-110"
    with pytest.raises(RuntimeError, match="“Swing \\+ Bow” was not trained on “Deep”"):
        bpy.ops.riff.generate_spans(spans=spans, played_by="MODEL")
    compose(bpy.ops.riff.generate_spans, spans=spans)
    assert not digest_of(biped, part)


def choose(row: str) -> None:
    session = bpy.context.window_manager.riff
    session.active_model = session.models.find(row)


@pytest.mark.parametrize(
    ("spans", "problem"),
    [
        ("Run@1-60", "“Swing \\+ Bow” was not trained on “Run”"),
        ("Swing@1-60, Bow@200-260", "139 frames, more than a passage lasts"),
        ("", "There is no span"),
    ],
)
def test_spans_that_cannot_be_played_leave_the_file_as_it_was(biped: Any, spans: str, problem: str) -> None:
    before = state_of_file()
    with pytest.raises(RuntimeError, match=problem):
        bpy.ops.riff.generate_spans(spans=spans, played_by="MODEL")
    assert state_of_file() == before


def test_models_that_cannot_play_are_named(biped: Any, part: Callable[[str], Any]) -> None:
    assert bpy.ops.riff.instant_model() == {"FINISHED"}
    before = state_of_file()
    with pytest.raises(RuntimeError, match="“Swing Instant” was not trained on several actions"):
        bpy.ops.riff.generate_spans(spans=SPANS, played_by="MODEL")
    assert state_of_file() == before
    compose(bpy.ops.riff.generate_spans, spans=SPANS)
    assert not digest_of(biped, part)
    choose("Swing + Bow")
    add_beast()
    before = state_of_file()
    with pytest.raises(RuntimeError, match=r"(?i)bone"):
        bpy.ops.riff.generate_spans(spans=SPANS, played_by="MODEL")
    assert state_of_file() == before


def test_takes_of_a_model_are_made_again_key_by_key(biped: Any, part: Callable[[str], Any]) -> None:
    assert bpy.ops.riff.generate_spans(spans=SPANS, count=2, seed=4, variation=0.6) == {"FINISHED"}
    before = remembered(made())
    choices = biped.riff.span_choices
    choices.played_by = "INSTANT"
    bpy.data.actions["Bow"].name = "Gone"  # the model knows it
    made_again(before)
    assert bpy.ops.riff.use_settings() == {"FINISHED"}
    assert (choices.played_by, choices.variation) == ("AUTO", pytest.approx(0.6))
    bpy.ops.riff.discard_others()
    assert bpy.ops.riff.remove_model() == {"FINISHED"}
    with pytest.raises(RuntimeError, match="“Swing \\+ Bow” is no longer in the list"):
        bpy.ops.riff.make_again()


def test_scripts(riff: ModuleType, biped: Any, both_file: Path) -> None:
    api = importlib.import_module(f"{riff.__name__}.api")
    model = api.load(both_file)
    fps = bpy.context.scene.render.fps
    take = api.generate_spans(model, [("Bow", 1, 50), ("Swing", 65, 110, 0.8)], seed=2, fps=fps)[0]
    assert (take.frames, take.fps) == (110, fps)
    assert bent(take)[:50].min() > BORDER > bent(take)[64:].max()
    with pytest.raises(api.RiffError, match="“Swing \\+ Bow” was not trained on “Run”, which plays at frame 1"):
        api.generate_spans(model, [("Run", 1, 50)])
    clips = {name: api.read(biped, bpy.data.actions[name]) for name in ("Swing", "Bow")}
    trained = api.train(clips, effort=FEW_STEPS, name="Both")
    assert [clip.name for clip in trained.clips] == ["Swing", "Bow"]
    assert api.write(biped, api.generate_spans(trained, [("Bow", 1, 50)], fps=fps)[0], "Bows").frame_range[1] == 50


def test_the_shell(biped: Any, part: Callable[[str], Any], tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path, result = str(tmp_path / "set.blend"), tmp_path / "takes.blend"
    bpy.ops.wm.save_as_mainfile(filepath=path)
    shell = part("shell.command_line").run
    words = ["spans", path, "--model", "Swing + Bow", "--save", str(result), "--spans"]
    assert shell([*words, "Swing@1-60, Run@71-130"]) == 1
    assert "“Swing + Bow” was not trained on “Run”, which plays at frame 71" in capfd.readouterr().err
    assert not result.exists()
    assert shell([*words, SPANS, "--seed", "6"]) == 0
    bpy.ops.wm.open_mainfile(filepath=str(result))
    bpy.context.view_layer.objects.active = bpy.data.objects["Biped"]
    part("state.session").refresh()
    assert digest_of(bpy.data.objects["Biped"], part)
    (action,) = made()
    name, before = action.name, keys(action)
    assert bpy.ops.riff.discard_variation(action=name) == {"FINISHED"}
    assert bpy.ops.riff.make_again("EXEC_DEFAULT", True) == {"FINISHED"}
    assert same(keys(bpy.data.actions[name]), before)
