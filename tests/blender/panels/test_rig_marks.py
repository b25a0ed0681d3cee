"""Marks of feet and body parts in the viewport: there while the box is open, gone when it is closed."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from types import ModuleType

import bpy
import numpy as np
import pytest


@pytest.fixture
def marks(riff: ModuleType) -> Iterator[ModuleType]:
    module = importlib.import_module(f"{riff.__name__}.state.rig_marks")
    module.unregister()
    yield module
    module.unregister()
    importlib.import_module(f"{riff.__name__}.rig.background.jobs").stop_all()


@pytest.fixture
def dancer(riff: ModuleType) -> bpy.types.Object:
    """The sample dancer, as the panel knows it after a moment."""
    bpy.ops.riff.add_sample_dancer()
    ob = bpy.context.object
    summaries = importlib.import_module(f"{riff.__name__}.state.armature_summary")
    summaries.forget()
    summaries.summary_of(ob)
    while summaries.update_summary() is not None:
        pass
    return ob


def draw(marks: ModuleType, *, open_box: bool) -> None:
    """Draw the panel as Blender does, header first, and let the timer look."""
    marks.header_drawn()
    if open_box:
        marks.box_drawn()
    marks.update_box()


def test_marks_are_there_only_while_the_box_is_open(marks: ModuleType, dancer: bpy.types.Object) -> None:
    assert marks.marks_of(dancer) is None
    draw(marks, open_box=True)
    assert marks.marks_of(dancer) is not None
    draw(marks, open_box=False)
    assert marks.marks_of(dancer) is None


def test_a_mark_on_each_foot_and_a_color_for_each_part(marks: ModuleType, dancer: bpy.types.Object) -> None:
    draw(marks, open_box=True)
    bpy.context.scene.frame_set(50)
    found = marks.marks_of(dancer)
    world = dancer.matrix_world
    feet = [tuple(world @ dancer.pose.bones[name].head) for name in ("foot.L", "toe.L", "foot.R", "toe.R")]
    np.testing.assert_allclose(sorted(found.feet), sorted(feet))
    colors = [part.color for part in found.parts]
    assert len(set(colors)) == len(colors) == 7
    assert sum(len(part.points) for part in found.parts) == 2 * 21
    assert 1.0 < found.height < 2.2


def test_nothing_is_marked_on_what_cannot_be_learned(marks: ModuleType, dancer: bpy.types.Object) -> None:
    draw(marks, open_box=True)
    dancer.hide_set(True)
    assert marks.marks_of(dancer) is None
    assert marks.marks_of(None) is None


def test_the_viewport_without_a_sidebar_draws_nothing(riff: ModuleType, marks: ModuleType) -> None:
    """In a background Blender there is no area: the handler must leave before it asks for the graphics card."""
    draw(marks, open_box=True)
    importlib.import_module(f"{riff.__name__}.panels.overlays.rig_marks").draw_rig()


def test_a_ring_is_level_and_closed(riff: ModuleType) -> None:
    overlay = importlib.import_module(f"{riff.__name__}.panels.overlays.rig_marks")
    points = overlay.ring((1.0, 2.0, 0.5), 0.1)
    assert points[0] == pytest.approx(points[-1])
    assert {point[2] for point in points} == {0.5}
