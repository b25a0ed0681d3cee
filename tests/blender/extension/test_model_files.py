"""Files of models by the operators of the list: where they are read from and written to, and odd things among them."""

from __future__ import annotations

import importlib
import os
import shutil
from pathlib import Path
from types import ModuleType

import bpy
import pytest

ODD_NAMES = ("n\udcff", "new\nline", "{0} %s {x}", "-rf", "ß" * 120, " ", "\u202eright", "a.safetensors")
"""Stems of files that a person may copy into the folder of models, the first one no UTF-8."""


def names() -> list[str]:
    return [row.name for row in bpy.context.window_manager.riff.models]


@pytest.fixture
def listed(models: Path, trained: Path) -> Path:
    """The folder of models with one in it, which is chosen."""
    shutil.copy(trained, models / "Dance.safetensors")
    assert bpy.ops.riff.refresh_models() == {"FINISHED"}
    return models


def test_paths_beside_the_file_are_beside_the_file(listed: Path, tmp_path: Path) -> None:
    """Blender's “//” is the folder of the open file, not the root of the disk."""
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "scene.blend"))
    assert bpy.ops.riff.export_model(filepath="//Mine.safetensors") == {"FINISHED"}
    assert (tmp_path / "Mine.safetensors").read_bytes() == (listed / "Dance.safetensors").read_bytes()
    assert bpy.ops.riff.import_model(filepath="//Mine.safetensors") == {"FINISHED"}
    assert names() == ["Dance", "Mine"]


@pytest.mark.skipif(os.name == "nt", reason="names that Windows refuses")
def test_odd_file_names_are_listed_renamed_and_removed(
    models: Path, trained: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in ODD_NAMES:
        shutil.copy(trained, models / f"{name}.safetensors")
    assert bpy.ops.riff.refresh_models() == {"FINISHED"}
    assert len(names()) == len(ODD_NAMES)
    assert not [row.problem for row in bpy.context.window_manager.riff.models if row.problem]
    for number in range(len(ODD_NAMES)):
        old = next(index for index, name in enumerate(names()) if not name.startswith("Z "))
        bpy.context.window_manager.riff.active_model = old
        assert bpy.ops.riff.rename_model(name=f"Z {number}") == {"FINISHED"}
    assert names() == [f"Z {number}" for number in range(len(ODD_NAMES))]
    for _ in ODD_NAMES:
        assert bpy.ops.riff.remove_model() == {"FINISHED"}
    assert list(models.iterdir()) == []
    assert "Traceback" not in capfd.readouterr().err


def test_a_model_whose_name_is_no_utf8_is_listed_and_generates(riff: ModuleType, listed: Path) -> None:
    """It would empty the whole list otherwise."""
    library = importlib.import_module(f"{riff.__name__}.core.model.model_file")
    model = library.load_model(listed / "Dance.safetensors")
    model.name, model.rig = "n\udcff", "\udcff"
    library.save_model(model, listed / "Odd.safetensors")
    assert bpy.ops.riff.refresh_models() == {"FINISHED"}
    assert names() == ["Dance", "Odd"]
    bpy.ops.riff.add_sample_dancer()
    bpy.context.window_manager.riff.active_model = 1
    assert bpy.ops.riff.generate(count=1, frames=60) == {"FINISHED"}
    assert bpy.context.window_manager.riff.variations[0].model == "n\\udcff"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
@pytest.mark.parametrize("odd", ["", "/", ".", "pipe", "loop", "folder", "missing", "/dev/zero", "x" * 300])
def test_what_is_no_file_is_not_imported(listed: Path, tmp_path: Path, odd: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "folder").mkdir()
    place = odd if odd in ("", "/", ".") or odd.startswith("/dev") else str(tmp_path / odd)
    with pytest.raises(RuntimeError) as told:
        bpy.ops.riff.import_model(filepath=place)
    assert "did not foresee" not in str(told.value)
    assert names() == ["Dance"]


@pytest.mark.parametrize("odd", ["", "/", "folder", "missing/x", "x" * 300])
def test_where_no_file_can_be_nothing_is_exported(listed: Path, tmp_path: Path, odd: str) -> None:
    (tmp_path / "folder").mkdir()
    place = odd if odd in ("", "/") else str(tmp_path / odd)
    with pytest.raises(RuntimeError) as told:
        bpy.ops.riff.export_model(filepath=place)
    assert "did not foresee" not in str(told.value)
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_a_model_that_is_gone_or_exchanged_while_it_is_listed(listed: Path, tmp_path: Path) -> None:
    path = listed / "Dance.safetensors"
    path.unlink()
    for operator, choices in (
        ("export_model", {"filepath": str(tmp_path / "m.safetensors")}),
        ("rename_model", {"name": "Other"}),
    ):
        shutil.rmtree(path, ignore_errors=True)
        with pytest.raises(RuntimeError) as told:
            getattr(bpy.ops.riff, operator)(**choices)
        assert "did not foresee" not in str(told.value)
        path.mkdir()
        bpy.ops.riff.refresh_models()
        assert names() == ["Dance"]
    with pytest.raises(RuntimeError, match="cannot be deleted"):
        bpy.ops.riff.remove_model()
    assert path.is_dir()
    assert not (tmp_path / "m.safetensors").exists()
