"""Train and generate as a person does, with trainings of a few steps."""

from __future__ import annotations

import importlib
import os
import resource
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import pytest

FEW_STEPS = 0.0001


@pytest.fixture
def models(riff: ModuleType) -> Iterator[Path]:
    """The folder of trained models, empty before and after, as is that of unfinished trainings."""
    folder = Path(bpy.utils.extension_path_user(riff.__name__, path="models", create=True))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(folder.parent / "trainings", ignore_errors=True)
    importlib.import_module(f"{riff.__name__}.state.session").refresh()


@pytest.fixture
def dancer(riff: ModuleType) -> bpy.types.Object:
    assert bpy.ops.riff.add_sample_dancer() == {"FINISHED"}
    return bpy.context.object


@pytest.fixture
def jobs(riff: ModuleType) -> Iterator[ModuleType]:
    module = importlib.import_module(f"{riff.__name__}.rig.background.jobs")
    yield module
    module.stop_all()


def finish(riff: ModuleType) -> Any:
    """Tick as the timer of a window would until no job runs; the training."""
    tick = importlib.import_module(f"{riff.__name__}.state.timer").tick
    while tick():
        time.sleep(0.02)
    return importlib.import_module(f"{riff.__name__}.rig.background.jobs").latest_training()


def train(riff: ModuleType) -> Any:
    assert bpy.ops.riff.train(scale=FEW_STEPS) == {"FINISHED"}
    return finish(riff)


def new_actions(before: set[str]) -> list[bpy.types.Action]:
    return [action for action in bpy.data.actions if action.name not in before]


def test_sample_dancer_sets_the_scene(dancer: bpy.types.Object) -> None:
    scene, action = bpy.context.scene, dancer.animation_data.action
    assert scene.render.fps == 30
    assert (scene.frame_start, scene.frame_end) == tuple(action.frame_range[:])
    assert dancer.animation_data.action_slot is not None


def test_training_needs_an_armature(riff: ModuleType) -> None:
    with pytest.raises(RuntimeError, match="Select an armature"):
        bpy.ops.riff.train()


def test_training_needs_an_action(riff: ModuleType, dancer: bpy.types.Object) -> None:
    dancer.animation_data.action = None
    with pytest.raises(RuntimeError, match="no action"):
        bpy.ops.riff.train()


def test_short_action_is_refused(riff: ModuleType, dancer: bpy.types.Object, models: Path) -> None:
    action = dancer.animation_data.action
    action.use_frame_range, action.frame_start, action.frame_end = True, 1, 31
    with pytest.raises(RuntimeError, match=r"lasts 1\.0 s; Riff .* at least 2 s"):
        bpy.ops.riff.train()
    assert list(models.iterdir()) == []


def test_action_without_rotation_is_refused(riff: ModuleType, dancer: bpy.types.Object, models: Path) -> None:
    action = bpy.data.actions.new("Slide")
    dancer.animation_data.action = action
    hips = dancer.pose.bones[0]
    for frame in (1, 90):
        hips.location.x = frame / 100
        hips.keyframe_insert("location", frame=frame)
    with pytest.raises(RuntimeError, match="rotates"):
        bpy.ops.riff.train()
    assert list(models.iterdir()) == []


def test_training_makes_a_listed_model(
    riff: ModuleType, dancer: bpy.types.Object, models: Path, jobs: ModuleType
) -> None:
    job = train(riff)
    assert (job.state, job.error) == (jobs.State.DONE, "")
    assert job.expected > 0
    assert job.progress.fraction == pytest.approx(1.0)
    assert [path.name for path in models.iterdir()] == ["Sample Dance.safetensors"]
    session = bpy.context.window_manager.riff
    assert [(row.name, row.problem) for row in session.models] == [("Sample Dance", "")]
    row = session.models[0]
    assert row.rig == "Dancer"
    assert row.detail.startswith("20 s, fast"), "so rough a model is matched above some level"
    assert row.quality in ("Good", "Fair", "Poor")
    assert "the source's moves" in row.figures
    assert bpy.ops.riff.model_figures(name=row.name) == {"FINISHED"}


def test_second_training_waits_for_the_first_and_is_another_model(
    riff: ModuleType, dancer: bpy.types.Object, models: Path, jobs: ModuleType
) -> None:
    for _ in range(2):
        bpy.ops.riff.train(scale=FEW_STEPS)
    first, second = jobs.trainings()
    assert (first.begun, second.begun, second.state) == (True, False, jobs.State.WAITING)
    with pytest.raises(RuntimeError, match="another is waiting"):
        bpy.ops.riff.train(scale=FEW_STEPS)
    finish(riff)
    assert (first.state, second.state) == (jobs.State.DONE, jobs.State.DONE)
    assert sorted(path.stem for path in models.iterdir()) == ["Sample Dance", "Sample Dance.001"]
    session = bpy.context.window_manager.riff
    assert session.models[session.active_model].name == "Sample Dance.001"


def test_training_starts_from_a_model(
    riff: ModuleType, dancer: bpy.types.Object, models: Path, jobs: ModuleType
) -> None:
    bare = train(riff).path.stem
    assert bpy.context.window_manager.riff.models[bare].detail == "20 s, fast, all levels matched"
    with pytest.raises(RuntimeError, match="is matched and has no networks"):
        bpy.ops.riff.train(scale=FEW_STEPS, start_from=bare)
    bpy.context.scene.riff.last_level = 1
    assert bpy.ops.riff.train(recipe="custom", scale=FEW_STEPS) == {"FINISHED"}
    first = finish(riff)
    known = first.path.stem
    assert bpy.context.window_manager.riff.models[known].detail == "20 s, custom, matched above level 1"
    assert bpy.ops.riff.train(scale=FEW_STEPS, start_from=known) == {"FINISHED"}
    second = finish(riff)
    assert second.state is jobs.State.DONE
    assert second.path != first.path
    with pytest.raises(RuntimeError, match="Cannot open the model “Nobody"):
        bpy.ops.riff.train(scale=FEW_STEPS, start_from="Nobody")


def test_cancel_leaves_no_model(riff: ModuleType, dancer: bpy.types.Object, models: Path, jobs: ModuleType) -> None:
    with pytest.raises(RuntimeError, match="No training is running"):
        bpy.ops.riff.cancel_training()
    bpy.ops.riff.train()
    assert bpy.ops.riff.cancel_training() == {"FINISHED"}
    assert finish(riff).state is jobs.State.CANCELLED
    assert list(models.iterdir()) == []


def test_folder_that_cannot_be_made_is_said_before_training(
    riff: ModuleType, dancer: bpy.types.Object, models: Path, jobs: ModuleType
) -> None:
    models.rmdir()
    models.write_text("in the way")
    try:
        with pytest.raises(RuntimeError, match="Cannot create Riff's folder"):
            bpy.ops.riff.train(scale=FEW_STEPS)
    finally:
        models.unlink()
        models.mkdir()
    assert not jobs.any_running()


@contextmanager
def small_files(bytes_at_most: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_at_most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_model_that_the_disk_refuses(
    riff: ModuleType, dancer: bpy.types.Object, models: Path, jobs: ModuleType
) -> None:
    with small_files(100_000):
        job = train(riff)
    assert job.state is jobs.State.FAILED
    assert job.error.startswith("The state of the training cannot be saved")
    assert list(models.iterdir()) == []


def test_full_disk_keeps_the_model_until_there_is_room(
    riff: ModuleType, dancer: bpy.types.Object, models: Path, jobs: ModuleType
) -> None:
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(models)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("a small disk can only be mounted by root")
    timer = importlib.import_module(f"{riff.__name__}.state.timer")
    try:
        bpy.ops.riff.train(scale=FEW_STEPS, seed=3)
        job = jobs.latest_training()
        while job.running and not job.problem:
            timer.tick()
            time.sleep(0.02)
        left = list(models.iterdir())
        subprocess.run(["mount", "-o", "remount,size=64m", str(models)], check=True)
        told = job.problem
        while job.running:
            timer.tick()
            time.sleep(0.02)
        saved = [path.name for path in models.iterdir()]
    finally:
        subprocess.run(["umount", str(models)], check=True)
    assert "No space left" in told
    assert "kept until there is room" in told
    assert left == []
    assert (job.state, job.problem, saved) == (jobs.State.DONE, "", ["Sample Dance.safetensors"])


def test_generate_writes_actions_in_one_undo_step(
    riff: ModuleType, dancer: bpy.types.Object, models: Path, jobs: ModuleType
) -> None:
    train(riff)
    source = dancer.animation_data.action
    bpy.ops.ed.undo_push(message="Before")
    before = {action.name for action in bpy.data.actions}
    assert bpy.ops.riff.generate("EXEC_DEFAULT", True, count=2, seed=7) == {"FINISHED"}
    made = new_actions(before)
    assert [action.name for action in made] == ["Sample Dance Variation 7-1", "Sample Dance Variation 7-2"]
    for index, action in enumerate(made):
        assert (action["riff_model"], action["riff_seed"], action["riff_index"]) == ("Sample Dance", 7, index)
        assert [slot.target_id_type for slot in action.slots] == ["OBJECT"]
        assert tuple(action.frame_range[:]) == tuple(source.frame_range[:])
        assert action.use_fake_user
    assert dancer.animation_data.action == source
    rows = bpy.context.window_manager.riff.variations
    assert [(row.name, row.armature, row.source) for row in rows] == [
        (action.name, "Dancer", "Sample Dance") for action in made
    ]
    bpy.ops.ed.undo()
    assert new_actions(before) == []
    assert len(bpy.context.window_manager.riff.variations) == 0


def key_values(action: bpy.types.Action) -> list[float]:
    curves = action.layers[0].strips[0].channelbag(action.slots[0]).fcurves
    values = []
    for curve in curves:
        buffer = [0.0] * (2 * len(curve.keyframe_points))
        curve.keyframe_points.foreach_get("co", buffer)
        values += buffer
    return values


def test_length_and_seed_of_generated_actions(
    riff: ModuleType, dancer: bpy.types.Object, models: Path, jobs: ModuleType
) -> None:
    train(riff)
    before = {action.name for action in bpy.data.actions}
    for seed in (3, 3, 4):
        bpy.ops.riff.generate(count=1, frames=150, seed=seed)
    first, again, other = new_actions(before)
    assert again.name == "Sample Dance Variation 3-1.001"
    assert [action.frame_range[1] - action.frame_range[0] for action in (first, again, other)] == [149.0] * 3
    assert key_values(first) == key_values(again)
    assert key_values(first) != key_values(other)


def test_generating_from_a_broken_model_changes_nothing(
    riff: ModuleType, dancer: bpy.types.Object, models: Path, jobs: ModuleType
) -> None:
    (models / "Broken.safetensors").write_bytes(b"no model")
    bpy.ops.riff.refresh_models()
    assert bpy.context.window_manager.riff.models[0].problem
    before = {action.name for action in bpy.data.actions}
    with pytest.raises(RuntimeError, match=r"“Broken\.safetensors” is"):
        bpy.ops.riff.generate()
    assert new_actions(before) == []


def test_generating_for_another_rig_changes_nothing(
    riff: ModuleType, dancer: bpy.types.Object, models: Path, jobs: ModuleType
) -> None:
    train(riff)
    bpy.ops.object.armature_add()
    before = {action.name for action in bpy.data.actions}
    with pytest.raises(RuntimeError, match="has no bone"):
        bpy.ops.riff.generate(count=1)
    assert new_actions(before) == []


def test_showing_a_variation_keeps_the_source(
    riff: ModuleType, dancer: bpy.types.Object, models: Path, jobs: ModuleType
) -> None:
    train(riff)
    source = dancer.animation_data.action
    source.use_fake_user = False
    bpy.ops.riff.generate(count=1)
    name = bpy.context.window_manager.riff.variations[0].name
    assert bpy.ops.riff.show_action(action=name) == {"FINISHED"}
    assert dancer.animation_data.action.name == name
    assert dancer.animation_data.action_slot is not None
    assert source.users == 1
    assert source.use_fake_user
    bpy.ops.riff.generate(count=1, seed=2)
    assert bpy.context.window_manager.riff.variations[1].source == source.name
    with pytest.raises(RuntimeError, match="no longer in the file"):
        bpy.ops.riff.show_action(action="Gone")


def test_of_a_variation_its_source_is_learned(
    riff: ModuleType, dancer: bpy.types.Object, models: Path, jobs: ModuleType
) -> None:
    source = dancer.animation_data.action
    assert bpy.ops.riff.generate(count=1, frames=90) == {"FINISHED"}
    assert bpy.ops.riff.next_variation() == {"FINISHED"}
    assert dancer.animation_data.action != source
    assert bpy.ops.riff.instant_model() == {"FINISHED"}
    train(riff)
    learned = sorted(row.name for row in bpy.context.window_manager.riff.models)
    assert learned == [source.name, f"{source.name} Instant", f"{source.name} Instant.001"]
    info = importlib.import_module(f"{riff.__name__}.core.model.model_file").read_info
    lengths = [info(row.path)["duration"] for row in bpy.context.window_manager.riff.models]
    assert lengths == pytest.approx([(source.frame_range[1] - source.frame_range[0]) / 30] * 3, abs=0.05)


def test_deleting_a_model(riff: ModuleType, dancer: bpy.types.Object, models: Path, jobs: ModuleType) -> None:
    train(riff)
    assert bpy.ops.riff.remove_model() == {"FINISHED"}
    assert list(models.iterdir()) == []
    with pytest.raises(RuntimeError, match="Choose a model"):
        bpy.ops.riff.remove_model()


def test_training_goes_on_while_another_file_is_opened(
    riff: ModuleType, dancer: bpy.types.Object, models: Path, jobs: ModuleType
) -> None:
    bpy.ops.riff.train(scale=FEW_STEPS)
    bpy.ops.wm.read_homefile(use_empty=True)
    assert finish(riff).state is jobs.State.DONE
    assert len(bpy.context.window_manager.riff.models) == 1
