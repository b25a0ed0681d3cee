"""Edits of a person between two steps of a modal operator, one thing at a time; `test_editing` does it at random."""

from __future__ import annotations

import importlib
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import bpy
import pytest

from tests.support.editing.beside import Beside
from tests.support.limits import refused, use_model
from tests.support.traces import digest


@pytest.fixture(autouse=True)
def dancer(riff: ModuleType, trained: Path) -> Iterator[bpy.types.Object]:
    path = use_model(trained)
    bpy.ops.riff.add_sample_dancer()
    yield bpy.context.object
    importlib.import_module(f"{riff.__name__}.state.live").end()
    importlib.import_module(f"{riff.__name__}.rig.background.jobs").stop_all()
    shutil.rmtree(path.parent)
    bpy.ops.riff.refresh_models()


def run(operator: Beside, meanwhile: Callable[[], None], *, steps_before: int = 1) -> list[str]:
    """Click, take the first step, edit, pulse until the operator ends: its reports, with nothing left of it."""
    operator.click()
    for _ in range(steps_before):
        operator.pulse()
    assert operator.running
    meanwhile()
    actions, objects = sorted(bpy.data.actions.keys()), len(bpy.data.objects)
    until = time.monotonic() + 120
    while operator.running and time.monotonic() < until:
        operator.pulse()
        time.sleep(0.005)
    assert sorted(bpy.data.actions.keys()) == actions
    assert len(bpy.data.objects) == objects
    assert [scene.name for scene in bpy.data.scenes] == ["Scene"]
    return operator.words


def test_the_character_of_a_crowd_is_deleted(dancer: bpy.types.Object) -> None:
    words = run(Beside("duplicate_as_crowd", count=2, frames=60), lambda: bpy.data.objects.remove(dancer))
    assert words == ["The character “Dancer” was deleted or renamed meanwhile."]


def test_a_bone_of_a_crowds_character_is_renamed(dancer: bpy.types.Object) -> None:
    def rename() -> None:
        dancer.data.bones[3].name = "Other"

    words = run(Beside("duplicate_as_crowd", count=2, frames=60), rename)
    assert words == ["The character, its crowd or its bones were edited meanwhile; all changes were undone"]


def test_the_source_of_a_crowd_loses_its_slot(dancer: bpy.types.Object) -> None:
    """Slot and channelbag are freed at once: a crowd that kept them would read freed memory."""
    action = dancer.animation_data.action
    words = run(Beside("duplicate_as_crowd", count=2, frames=60), lambda: action.slots.remove(action.slots[0]))
    assert words == ["The action “Sample Dance” has no slot for an object such as “Dancer”."]


def test_another_file_while_a_crowd_is_made(dancer: bpy.types.Object) -> None:
    operator = Beside("duplicate_as_crowd", count=2, frames=60)
    operator.click()
    operator.pulse()
    operator.leave()
    assert [action.name for action in bpy.data.actions] == ["Sample Dance"]


def test_nothing_is_selected_when_the_first_step_comes(dancer: bpy.types.Object) -> None:
    def deselect() -> None:
        bpy.context.view_layer.objects.active = None

    for name in ("generate", "train", "extend_action", "duplicate_as_crowd"):
        bpy.context.view_layer.objects.active = dancer
        assert run(Beside(name), deselect, steps_before=0) == [
            "The selection changed; select the armature and try again"
        ]


def test_a_preview_gives_the_pose_back_under_another_name(riff: ModuleType, dancer: bpy.types.Object) -> None:
    live = importlib.import_module(f"{riff.__name__}.state.live")
    before = [tuple(bone.rotation_quaternion) for bone in dancer.pose.bones]
    bpy.ops.riff.live()
    until = time.monotonic() + 60
    while [tuple(bone.rotation_quaternion) for bone in dancer.pose.bones] == before and time.monotonic() < until:
        live.follow()
        time.sleep(0.01)
    dancer.name = "Another"
    bpy.context.scene.name = "Other Scene"
    live.end()
    assert [tuple(bone.rotation_quaternion) for bone in dancer.pose.bones] == before
    bpy.context.scene.name = "Scene"


def test_an_action_that_has_a_variations_name_by_now_stays(dancer: bpy.types.Object) -> None:
    bpy.ops.riff.generate(count=1, frames=60)
    name = bpy.context.window_manager.riff.variations[0].name
    bpy.data.actions.remove(bpy.data.actions[name])
    source = dancer.animation_data.action
    source.name, before = name, digest(source)
    refused("discard_variation")
    refused("reduce_keys")
    assert bpy.data.actions[name] == source
    assert digest(source) == before


def test_a_variation_without_a_slot(dancer: bpy.types.Object) -> None:
    bpy.ops.riff.generate(count=1, frames=60)
    action = bpy.data.actions[bpy.context.window_manager.riff.variations[0].name]
    action.slots.remove(action.slots[0])
    for operator in ("variation_to_nla", "show_action", "mark_asset"):
        refused(operator, action=action.name)
    assert not dancer.animation_data.nla_tracks
    assert bpy.ops.riff.discard_variation(action=action.name) == {"FINISHED"}


def test_more_like_a_variation_whose_model_is_gone(dancer: bpy.types.Object) -> None:
    bpy.ops.riff.generate(count=1, frames=60)
    Path(bpy.context.window_manager.riff.models[0].path).unlink()
    refused("more_like_this")
