"""Actions go out as a job and come back as models; the same from a shell by `blender -c riff`."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import numpy as np
import pytest

from core.farm.manifest import read_job
from core.model.model_file import load_model
from core.model.recipe import FAST
from tests.support.rigs.biped import add_biped, add_dancing_biped, curve_values

TINY = replace(FAST, iterations=(1, 1, 1, 1), hidden=(8, 8, 8), batch=(2, 2, 2, 2), bank=4)


@pytest.fixture(autouse=True)
def tiny(riff: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Recipes of one iteration a level, so that a training takes a second."""
    recipe = importlib.import_module(f"{riff.__name__}.core.model.recipe")
    monkeypatch.setitem(recipe.RECIPES, "fast", recipe.Recipe.from_json(TINY.to_json()))


@pytest.fixture
def biped(riff: ModuleType) -> Any:
    """A biped with the actions Dance (active), Dance Two and Too Short, none of them made by Riff."""
    ob = add_dancing_biped()
    ob.animation_data.action.name = "Dance"
    two = ob.animation_data.action.copy()
    two.name = "Dance Two"
    short = two.copy()
    short.name = "Too Short"
    short.use_frame_range, short.frame_start, short.frame_end = True, 1, 20
    for action in bpy.data.actions:
        action.use_fake_user = True
    return ob


@pytest.fixture
def file(biped: Any, tmp_path: Path) -> Path:
    path = tmp_path / "dance.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path), check_existing=False)
    return path


BLEND = ("blend", "{file}", "--variation", "Dance Two", "--action", "Dance", "--save", "x.blend")


@pytest.fixture
def shell(riff: ModuleType) -> Callable[..., int]:
    run = importlib.import_module(f"{riff.__name__}.shell.command_line").run
    return lambda *arguments: run([str(argument) for argument in arguments])


def export(folder: Path, **options: Any) -> Path:
    assert bpy.ops.riff.export_job(directory=str(folder), **options) == {"FINISHED"}
    return next(path for path in folder.iterdir() if path.name.endswith("job"))


def run_job(folder: Path) -> None:
    """Run a farm's task, with the job's own code and a Python that knows nothing of Blender."""
    environment = {**os.environ, "PYTHONPATH": str(folder / "code"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", "import sys; from core.cli.main import main; sys.exit(main())", "job"]
    run = subprocess.run(
        [*command, str(folder), "--device", "cpu"], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr


def test_a_job_goes_out_and_its_models_come_back(biped: Any, models: Path, tmp_path: Path) -> None:
    before = {action.name: curve_values(action) for action in bpy.data.actions}
    folder = export(tmp_path)
    job = read_job(folder)
    assert [entry.name for entry in job.entries] == ["Dance", "Dance Two"], "the short one is left out"
    assert {entry.rig for entry in job.entries} == {"Biped"}
    assert (folder / "template.yaml").exists()
    assert job.recipe.iterations == TINY.iterations
    run_job(folder)
    assert bpy.ops.riff.import_trained(directory=str(folder)) == {"FINISHED"}
    assert sorted(path.name for path in models.iterdir()) == ["Dance Two.safetensors", "Dance.safetensors"]
    session = bpy.context.window_manager.riff
    assert session.models[session.active_model].name == "Dance", "that of the active action"
    assert bpy.ops.riff.import_trained(directory=str(folder)) == {"FINISHED"}
    assert len(list(models.iterdir())) == 2, "the same models are not copied twice"
    assert {action.name: curve_values(action) for action in bpy.data.actions} == before
    assert bpy.ops.riff.generate(count=1) == {"FINISHED"}


def test_the_farm_learns_what_the_panel_would(riff: ModuleType, biped: Any, models: Path, tmp_path: Path) -> None:
    folder = export(tmp_path, which="ACTION")
    run_job(folder)
    assert bpy.ops.riff.train() == {"FINISHED"}
    jobs = importlib.import_module(f"{riff.__name__}.rig.background.jobs")
    tick = importlib.import_module(f"{riff.__name__}.state.timer").tick
    jobs.latest_training().join()
    while tick():
        pass
    job = read_job(folder)
    local, farm = load_model(models / "Dance.safetensors"), load_model(job.model_path(job.entries[0]))
    for name, value in local.weights.items():
        np.testing.assert_array_equal(farm.weights[name], value, err_msg=name)
    assert farm.quality == pytest.approx(local.quality, rel=1e-6), "one thread and several add up in different orders"
    jobs.stop_all()


def test_an_asset_library_goes_out(biped: Any, file: Path, tmp_path: Path) -> None:
    library = tmp_path / "library"
    library.mkdir()
    for name in ("Dance", "Too Short"):
        bpy.data.actions[name].asset_mark()
    for name in ("a.blend", "b.blend"):
        bpy.ops.wm.save_as_mainfile(filepath=str(library / name), check_existing=False, copy=True)
    bpy.ops.wm.open_mainfile(filepath=str(file))
    positions = bpy.context.preferences.filepaths.asset_libraries
    place = positions.new(name="Dances", directory=str(library))
    try:
        before = sorted(action.name for action in bpy.data.actions)
        folder = export(tmp_path, which="LIBRARY", library="Dances")
    finally:
        positions.remove(place)
    entries = read_job(folder).entries
    assert [entry.source for entry in entries] == ["a.blend", "b.blend"]
    assert len({entry.name for entry in entries}) == 2
    assert sorted(action.name for action in bpy.data.actions) == before, "nothing stays of what was borrowed"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"pattern": "Polka*"}, "No action that moves bones is called “Polka\\*”"),
        ({"pattern": "Too Short"}, "No action can be learned. “Too Short”"),
        ({"which": "LIBRARY", "library": "None"}, "no asset library “None”"),
    ],
)
def test_what_cannot_be_exported_leaves_no_folder_of_clips(
    biped: Any, tmp_path: Path, options: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(RuntimeError, match=sentence):
        bpy.ops.riff.export_job(directory=str(tmp_path), **options)
    assert not list(tmp_path.rglob("*.clip"))
    assert not list(tmp_path.rglob("manifest.json"))


def test_importing_from_a_folder_without_a_job_is_refused(biped: Any, models: Path, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"manifest\.json"):
        bpy.ops.riff.import_trained(directory=str(tmp_path))
    assert not list(models.iterdir())


def test_list_tells_what_can_be_learned(shell: Callable[..., int], file: Path, capfd: Any) -> None:
    assert shell("list", file, "--json") == 0
    items = {item["action"]: item for item in json.loads(capfd.readouterr().out)["items"]}
    assert set(items) == {"Dance", "Dance Two", "Too Short"}
    assert items["Dance"]["armature"] == "Biped"
    assert items["Dance"]["frames"] == 101
    assert "at least 2 s" in items["Too Short"]["problem"]


def test_train_by_pattern_then_generate_and_compose(
    shell: Callable[..., int], file: Path, tmp_path: Path, capfd: Any
) -> None:
    content, out = file.read_bytes(), tmp_path / "new" / "out"
    train = ("train", file, "--action", "Dance*", "--out", out, "--device", "cpu", "--json")
    assert shell(*train) == 0
    output = capfd.readouterr()
    assert [model["name"] for model in json.loads(output.out)["models"]] == ["Dance", "Dance Two"]
    assert "1 of 2, “Dance”: Level" in output.err
    assert shell(*train) == 1
    assert "exists already" in capfd.readouterr().err
    assert shell(*train, "--resume", "--quiet") == 0
    output = capfd.readouterr()
    assert [model["trained"] for model in json.loads(output.out)["models"]] == [False, False]
    made = tmp_path / "takes.blend"
    common = (file, "--model", out / "Dance.safetensors", "--action", "Dance", "--save", made, "--json")
    assert shell("generate", *common, "--count", "2", "--seed", "4") == 0
    actions = json.loads(capfd.readouterr().out)["actions"]
    assert shell("compose", *common, "--keep", "head") == 1
    assert "add --overwrite" in capfd.readouterr().err
    assert file.read_bytes() == content, "the file itself is never changed"
    bpy.ops.wm.open_mainfile(filepath=str(made))
    assert actions == ["Dance Variation 4-1", "Dance Variation 4-2"]
    assert {bpy.data.actions[name]["riff_source"] for name in actions} == {"Dance"}
    assert shell("compose", *common, "--keep", "head", "--overwrite") == 0
    told = capfd.readouterr().out.splitlines()[-1]  # before it, Blender may tell of the file that this test opened
    assert json.loads(told)["actions"] == ["Dance Take 0-1"]
    assert shell("evaluate", out / "Dance.safetensors", "--count", "1", "--json") == 0
    assert "coverage" in json.loads(capfd.readouterr().out)["figures"]


def test_takes_without_a_model_in_spans_and_between(
    riff: ModuleType, shell: Callable[..., int], file: Path, tmp_path: Path, capfd: Any
) -> None:
    def told() -> dict[str, Any]:
        return dict(json.loads(capfd.readouterr().out.splitlines()[-1]))

    content, made = file.read_bytes(), [tmp_path / f"{number}.blend" for number in range(3)]
    assert shell("generate", file, "--action", "Dance", "--seed", "3", "--count", "2", "--save", made[0], "--json") == 0
    one, other = told()["actions"]
    spans = "Dance@11-50, Dance Two@66-105x1.5"
    assert shell("spans", made[0], "--spans", spans, "--seed", "2", "--save", made[1], "--json") == 0
    (timed,) = told()["actions"]
    assert shell("blend", made[1], "--variation", one, "--amount", "0", "0.5", "1", "--save", made[2], "--json") == 0
    amounts = told()["actions"]
    bpy.ops.wm.open_mainfile(filepath=str(made[2]))
    assert file.read_bytes() == content, "the file itself is never changed"
    assert [timed, *amounts] == ["Dance + Dance Two Spans 2-1", f"{one} 0%", f"{one} 50%", f"{one} 100%"]
    listed = [action.name for action in bpy.data.actions if action.get("riff_model") is not None]
    assert set(listed) == {one, other, timed, *amounts}, "none of them is taken for an action to learn"
    assert tuple(bpy.data.actions[timed].frame_range) == (11, 105)
    assert bpy.data.actions[amounts[1]]["riff_full"] == one
    assert bpy.data.actions[amounts[1]]["riff_source"] == "Dance"

    ob = bpy.data.objects["Biped"]
    clip_of = importlib.import_module(f"{riff.__name__}.state.source").clip_of
    read = {
        name: clip_of(ob, bpy.data.actions[name], bpy.context.scene).motion.rotations()
        for name in ("Dance", one, other, *amounts)
    }
    np.testing.assert_allclose(read[amounts[0]], read["Dance"], atol=1e-3)
    np.testing.assert_allclose(read[amounts[2]], read[one], atol=1e-3)
    middle, whole = (np.abs(read[name] - read["Dance"]).mean() for name in (amounts[1], one))
    assert read[one].shape == read[amounts[1]].shape
    assert 0.0 < middle < whole
    assert np.abs(read[other] - read[one]).mean() > 1e-3


def test_export_from_the_shell_makes_the_same_job(shell: Callable[..., int], file: Path, tmp_path: Path) -> None:
    assert shell("export", file, "--out", tmp_path / "job", "--seed", "0", "--quiet") == 0
    by_shell = read_job(tmp_path / "job")
    bpy.ops.wm.open_mainfile(filepath=str(file))
    by_panel = read_job(export(tmp_path / "panel"))
    assert by_shell.entries == by_panel.entries


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("train", "none.blend"), "There is no file"),
        (("train", "{file}", "--action", "Polka"), "called “Polka”"),
        (("train", "{file}", "--action", "Dance", "--armature", "Nobody"), "no armature “Nobody”"),
        (("train", "{file}", "--action", "Too Short"), "at least 2 s"),
        (("train", "{file}", "--action", "Dance", "--out", "{file}"), "dance.blend"),
        (("generate", "{file}", "--model", "Nothing", "--save", "x.blend"), "no model “Nothing”"),
        (("generate", "{file}", "--action", "Too Short", "--save", "x.blend"), "at least 2 s"),
        (("spans", "{file}", "--spans", "Polka@1-60", "--save", "x.blend"), "“Polka”"),
        (("spans", "{file}", "--spans", "Dance@1-60, Dance@50-99", "--save", "x.blend"), "overlap"),
        (("blend", "{file}", "--variation", "Nothing", "--save", "x.blend"), "no action “Nothing”"),
        (
            (
                "blend",
                "{file}",
                "--variation",
                "Dance Two",
                "--action",
                "Dance",
                "--part",
                "Tail=1",
                "--save",
                "x.blend",
            ),
            "no body part “Tail”",
        ),
        (
            ("blend", "{file}", "--variation", "Dance Two", "--action", "Dance", "--amount", "3", "--save", "x.blend"),
            "0 to 2",
        ),
        (("evaluate", "Nothing"), "no model “Nothing”"),
        (("export", "{file}", "--action", "Too Short", "--out", "{file}.job"), "no clip to export"),
    ],
)
def test_what_cannot_be_done_from_the_shell_ends_with_a_sentence(
    shell: Callable[..., int], file: Path, capfd: Any, arguments: tuple[str, ...], sentence: str
) -> None:
    before = sorted(file.parent.iterdir())
    assert shell(*(argument.format(file=file) for argument in arguments)) == 1
    output = capfd.readouterr()
    assert sentence in output.err
    assert output.out == ""
    assert [path for path in file.parent.iterdir() if path not in before and any(path.rglob("*.clip"))] == []


def test_wrong_usage_and_help(shell: Callable[..., int], capfd: Any) -> None:
    assert shell("dance") == 2
    assert "usage: blender -c riff" in capfd.readouterr().err
    assert shell("train", "--help") == 0
    text = capfd.readouterr().out
    assert '--action "Walk*"' in text
    assert "130" in text


def test_the_command_goes_with_the_extension(riff: ModuleType) -> None:
    module = importlib.import_module(f"{riff.__name__}.shell.command_line")
    assert len(module._handle) == 1
    module.unregister()
    assert module._handle == []
    module.register()


def test_an_action_finds_its_armature(riff: ModuleType, biped: Any) -> None:
    library = importlib.import_module(f"{riff.__name__}.rig.library.blend_files")
    add_biped(name="Other").pose.bones["head"].name = "skull"
    bpy.data.actions["Dance Two"].use_fake_user = True
    assert library.armature_for(bpy.data.actions["Dance"]) == biped
    assert library.armature_for(bpy.data.actions["Dance Two"]) == biped
