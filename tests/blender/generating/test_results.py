"""Generated actions are ordinary: kept, discarded, reduced to Béziers, on the NLA, offered as assets, varied again."""

from __future__ import annotations

import importlib
import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import numpy as np
import pytest


@pytest.fixture
def models(riff: ModuleType, trained: Path) -> Iterator[Path]:
    folder = Path(bpy.utils.extension_path_user(riff.__name__, path="models", create=True))
    shutil.copy(trained, folder)
    bpy.ops.riff.refresh_models()
    yield folder
    shutil.rmtree(folder)
    bpy.ops.riff.refresh_models()


@pytest.fixture
def dancer(models: Path) -> bpy.types.Object:
    bpy.ops.riff.add_sample_dancer()
    return bpy.context.object


def rows() -> Any:
    return bpy.context.window_manager.riff.variations


def curves(action: bpy.types.Action) -> Any:
    return action.layers[0].strips[0].channelbag(action.slots[0]).fcurves


def sampled(action: bpy.types.Action) -> np.ndarray:
    first, last = (int(frame) for frame in action.frame_range)
    return np.array([[curve.evaluate(frame) for frame in range(first, last + 1)] for curve in curves(action)])


def test_keep_and_discard(dancer: bpy.types.Object) -> None:
    bpy.ops.riff.generate(count=4)
    names = [row.name for row in rows()]
    assert [row.seed for row in rows()] == ["1-1", "1-2", "1-3", "1-4"]
    bpy.ops.riff.keep_variation(action=names[1])
    assert [row.kept for row in rows()] == [False, True, False, False]
    assert bpy.ops.riff.discard_variation(action=names[0]) == {"FINISHED"}
    assert names[0] not in bpy.data.actions
    assert bpy.ops.riff.discard_others() == {"FINISHED"}
    assert [row.name for row in rows()] == [names[1]]
    with pytest.raises(RuntimeError, match="no variation to discard"):
        bpy.ops.riff.discard_others()
    with pytest.raises(RuntimeError, match="no longer in the file"):
        bpy.ops.riff.discard_variation(action=names[0])


def test_discarding_what_is_shown_brings_the_source_back(dancer: bpy.types.Object) -> None:
    source = dancer.animation_data.action
    bpy.ops.riff.generate(count=1)
    name = rows()[0].name
    bpy.ops.riff.show_action(action=name)
    bpy.ops.riff.discard_variation(action=name)
    assert dancer.animation_data.action == source
    assert dancer.animation_data.action_slot is not None


def test_discarding_is_one_undo_step(dancer: bpy.types.Object) -> None:
    bpy.ops.riff.generate(count=2)
    bpy.ops.ed.undo_push(message="Generated")
    name = rows()[0].name
    bpy.ops.riff.discard_variation("EXEC_DEFAULT", True, action=name)
    assert name not in bpy.data.actions
    bpy.ops.ed.undo()
    assert name in bpy.data.actions
    assert len(rows()) == 2


def test_reduced_keys_follow_the_curves(riff: ModuleType, dancer: bpy.types.Object) -> None:
    fit = importlib.import_module(f"{riff.__name__}.rig.writing.reduce")
    time = np.linspace(0.0, 12.0, 400)
    wave = np.sin(time) + 0.2 * np.sin(3.1 * time)
    kept, slopes = fit.fit(wave, 0.005)
    assert 10 < len(kept) < 80
    for start, end in itertools.pairwise(kept):
        assert np.abs(fit.cubic(wave, slopes, start, end) - wave[start : end + 1]).max() <= 0.005
    bpy.ops.riff.generate(count=1)
    action = bpy.data.actions[rows()[0].name]
    before, total = sampled(action), sum(len(curve.keyframe_points) for curve in curves(action))
    smoother = np.abs(np.diff(before, 2, axis=1)).max()
    assert bpy.ops.riff.reduce_keys(action=action.name, tolerance=0.02) == {"FINISHED"}
    left = sum(len(curve.keyframe_points) for curve in curves(action))
    assert left < 0.9 * total, (left, total, smoother)
    off = np.abs(sampled(action) - before)
    positions = np.array([curve.data_path.endswith("location") for curve in curves(action)])
    assert off[~positions].max() < 0.021
    assert off[positions].max() < 0.021 * 0.2 * 1.9
    points = [point for curve in curves(action) for point in curve.keyframe_points if len(curve.keyframe_points) > 1]
    assert {point.type for point in points} == {"GENERATED"}
    assert "BEZIER" in {point.interpolation for point in points}


def test_generating_with_fewer_keys(dancer: bpy.types.Object) -> None:
    bpy.ops.riff.generate(count=1, as_asset=True)
    bpy.ops.riff.generate(count=1, tolerance=0.05)
    full, fewer = (bpy.data.actions[row.name] for row in rows())
    many, few = (sum(len(curve.keyframe_points) for curve in curves(action)) for action in (full, fewer))
    assert few < 0.7 * many
    assert (full.asset_data is not None, fewer.asset_data is not None) == (True, False)
    assert fewer.use_fake_user


def test_asset_with_a_picture(dancer: bpy.types.Object) -> None:
    bpy.ops.riff.generate(count=1)
    action = bpy.data.actions[rows()[0].name]
    assert bpy.ops.riff.mark_asset(action=action.name) == {"FINISHED"}
    assert action.asset_data is not None
    assert tuple(action.preview.image_size) == (128, 128)
    pixels = np.empty(128 * 128 * 4, dtype=np.float32)
    action.preview.image_pixels_float.foreach_get(pixels)
    drawn = (pixels.reshape(-1, 4)[:, 3] > 0).mean()
    assert 0.01 < drawn < 0.5


def test_on_the_nla(dancer: bpy.types.Object) -> None:
    bpy.ops.riff.generate(count=1)
    bpy.context.scene.frame_set(40)
    assert bpy.ops.riff.variation_to_nla(action=rows()[0].name) == {"FINISHED"}
    track = dancer.animation_data.nla_tracks[-1]
    strip = track.strips[0]
    assert (strip.action.name, strip.frame_start) == (rows()[0].name, 40.0)
    assert strip.action_slot is not None


def test_more_like_this(dancer: bpy.types.Object) -> None:
    bpy.ops.riff.generate(count=2, frames=120, seed=3)
    bpy.context.scene.riff.count = 3
    first = rows()[1].name
    assert bpy.ops.riff.more_like_this(action=first) == {"FINISHED"}
    alike = [bpy.data.actions[row.name] for row in rows() if "like" in row.name]
    assert len(alike) == 3
    for action in alike:
        assert list(action["riff_like"]) == [3.0, 1.0]
        assert action.frame_range[1] - action.frame_range[0] == 119
    near = [np.abs(sampled(action) - sampled(bpy.data.actions[first])).mean() for action in alike]
    assert min(near) > 0.0
    bpy.ops.riff.more_like_this(action=alike[0].name)
    grandchild = next(a for a in bpy.data.actions if len(a.get("riff_like", [])) == 4)
    assert list(grandchild["riff_like"]) == [3.0, 1.0, 1.0, 0.0]


def test_more_like_this_without_its_model(dancer: bpy.types.Object, models: Path) -> None:
    bpy.ops.riff.generate(count=1)
    next(models.iterdir()).unlink()
    bpy.ops.riff.refresh_models()
    with pytest.raises(RuntimeError, match="no longer in the list"):
        bpy.ops.riff.more_like_this(action=rows()[0].name)


def test_strength_and_foot_clean_up_are_kept_with_the_action(dancer: bpy.types.Object) -> None:
    bpy.ops.riff.generate(count=1, seed=2)
    bpy.ops.riff.generate(count=1, seed=2, coarse=0.5, fine=1.5, clean_feet=False)
    usual, other = (bpy.data.actions[row.name] for row in rows())
    assert (other["riff_coarse"], other["riff_fine"], other["riff_clean_feet"]) == (0.5, 1.5, False)
    assert np.abs(sampled(usual) - sampled(other)).max() > 1e-3


def test_rename_export_and_import_a_model(models: Path, tmp_path: Path) -> None:
    session = bpy.context.window_manager.riff
    assert bpy.ops.riff.rename_model(name='Tan/go "2"') == {"FINISHED"}
    assert session.models[session.active_model].name == "Tan_go _2_"
    assert bpy.ops.riff.rename_model(name="Dance") == {"FINISHED"}
    with pytest.raises(RuntimeError, match="Enter a name"):
        bpy.ops.riff.rename_model(name=" ")
    out = tmp_path / "gift.safetensors"
    assert bpy.ops.riff.export_model(filepath=str(out)) == {"FINISHED"}
    assert bpy.ops.riff.import_model(filepath=str(out)) == {"FINISHED"}
    assert [row.name for row in session.models] == ["Dance", "gift"]
    assert session.models[session.active_model].name == "gift"
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(out.read_bytes()[:1000])
    with pytest.raises(RuntimeError, match="damaged"):
        bpy.ops.riff.import_model(filepath=str(broken))
    with pytest.raises(RuntimeError, match="cannot be saved there"):
        bpy.ops.riff.export_model(filepath=str(tmp_path / "none" / "x.safetensors"))


def test_model_file_deleted_under_the_list(dancer: bpy.types.Object, models: Path) -> None:
    next(models.iterdir()).unlink()
    with pytest.raises(RuntimeError, match="Cannot open the model"):
        bpy.ops.riff.generate(count=1)
    with pytest.raises(RuntimeError, match="cannot be renamed"):
        bpy.ops.riff.rename_model(name="Other")
    assert len(bpy.context.window_manager.riff.models) == 0
