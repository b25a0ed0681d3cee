"""Armatures and variations that come from another file: what is not ours to change stays, and says so."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import pytest

from tests.support.traces import digest


@pytest.fixture
def library(short_dancer: Any, tmp_path: Path) -> str:
    """A file with the sample dancer and two variations."""
    assert bpy.ops.riff.generate(count=2, frames=60) == {"FINISHED"}
    for action in bpy.data.actions:
        action.use_fake_user = True
    path = str(tmp_path / "library.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path, copy=True)
    return path


@pytest.fixture
def link(riff: ModuleType, library: str) -> Callable[..., list[Any]]:
    """A function that links data-blocks of the library into the open file; the variations are listed anew."""

    def linked(kind: str, wanted: Callable[[str], bool] = bool) -> list[Any]:
        loading: Any = bpy.data.libraries.load(library, link=True)
        with loading as (there, here):
            setattr(here, kind, [name for name in getattr(there, kind) if wanted(name)])
        importlib.import_module(f"{riff.__name__}.state.session").refresh()
        return list(getattr(here, kind))

    return linked


def rows() -> list[str]:
    return [row.name for row in bpy.context.window_manager.riff.variations]


def test_a_linked_variation_of_the_same_name_is_not_taken_for_ones_own(link: Callable[..., list[Any]]) -> None:
    names = rows()
    linked = link("actions")
    before = {action.name: digest(action) for action in linked}
    assert rows() == names
    assert bpy.ops.riff.discard_others() == {"FINISHED"}
    assert [action.name for action in bpy.data.actions if action.library is None] == ["Sample Dance"]
    assert {action.name: digest(action) for action in linked} == before
    bpy.ops.riff.refresh_models()


@pytest.mark.parametrize("operator", ["keep_variation", "discard_variation", "reduce_keys", "mark_asset"])
def test_a_linked_variation_is_not_changed(link: Callable[..., list[Any]], operator: str) -> None:
    assert bpy.ops.riff.discard_others() == {"FINISHED"}
    linked = link("actions", lambda name: "Variation" in name)
    before = [(digest(action), action.get("riff_kept"), action.users) for action in linked]
    with pytest.raises(RuntimeError, match="comes from another file; make it local first"):
        getattr(bpy.ops.riff, operator)(action=linked[0].name)
    assert [(digest(action), action.get("riff_kept"), action.users) for action in linked] == before


def linked_dancer(link: Callable[..., list[Any]]) -> Any:
    bpy.ops.wm.read_homefile(use_empty=True)
    for ob in link("objects"):
        bpy.context.scene.collection.objects.link(ob)
    dancer: Any = bpy.data.objects["Dancer"]
    bpy.context.view_layer.objects.active = dancer
    return dancer


@pytest.mark.parametrize("override", [False, True])
def test_a_hint_of_a_linked_armature_cannot_be_closed(link: Callable[..., list[Any]], override: bool) -> None:
    dancer = linked_dancer(link)
    if override:
        dancer = dancer.override_create(remap_local_usages=True)
        bpy.context.view_layer.objects.active = dancer
    words = "library override; change this in its own file" if override else "linked from another file; change this"
    with pytest.raises(RuntimeError, match=words):
        bpy.ops.riff.close_hint(kind="RATE")
    assert not len(dancer.riff.closed_hints)


@pytest.mark.parametrize("override", [False, True])
def test_a_live_variation_on_a_linked_armature_gives_the_pose_back(
    riff: ModuleType, link: Callable[..., list[Any]], override: bool
) -> None:
    dancer = linked_dancer(link)
    if override:
        dancer = dancer.override_create(remap_local_usages=True)
        bpy.context.view_layer.objects.active = dancer
    live = importlib.import_module(f"{riff.__name__}.state.live")
    bpy.context.view_layer.update()
    before = [tuple(bone.rotation_quaternion) for bone in dancer.pose.bones]
    properties = sorted(dancer.keys())
    assert bpy.ops.riff.live() == {"FINISHED"}
    job = live.live_preview.job
    while live.is_live() and (live.live_preview.preview is None or not job.finished):
        live.follow()
    assert live.is_live()
    assert [tuple(bone.rotation_quaternion) for bone in dancer.pose.bones] != before
    live.end()
    assert [tuple(bone.rotation_quaternion) for bone in dancer.pose.bones] == before
    assert sorted(dancer.keys()) == properties
