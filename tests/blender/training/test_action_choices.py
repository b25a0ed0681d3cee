"""Several actions are chosen by check boxes: those that fit the rig, with their lengths."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import bpy
import pytest

from tests.support.recording_layout import RecordingLayout


@pytest.fixture
def dancer(riff: ModuleType, models: Path) -> bpy.types.Object:
    """The dancer with three actions of her own, one of another rig, and one that Riff made."""
    bpy.ops.riff.add_sample_dancer()
    ob = bpy.context.object
    own = ob.animation_data.action
    for name, last in (("Walk", 90), ("Turn", 60)):
        other = own.copy()
        other.name = name
        other.use_frame_range, other.frame_start, other.frame_end = True, 1, last
    foreign = own.copy()
    foreign.name = "Foreign"
    foreign.layers[0].strips[0].channelbags[0].fcurves[0].data_path = 'pose.bones["Wing"].location'
    made = own.copy()
    made.name = "Variation 1-1"
    made["riff_model"] = "Sample Dance"
    return ob


class Rows(list[Any]):
    """A collection property's rows, as the operator has them."""

    def add(self) -> Any:
        self.append(SimpleNamespace())
        return self[-1]


def test_the_list_has_what_fits_with_lengths(riff: ModuleType, dancer: bpy.types.Object) -> None:
    choices = importlib.import_module(f"{riff.__name__}.state.shown.action_choices")
    found = Rows([SimpleNamespace(name="from before")])
    choices.fill_choices(found, dancer, bpy.context.scene)
    assert [(row.name, row.frames, round(row.seconds, 2)) for row in found] == [("Turn", 60, 1.97), ("Walk", 90, 2.97)]


def test_chosen_rows_are_learned_with_the_active_action(riff: ModuleType, dancer: bpy.types.Object) -> None:
    rows = [{"name": name, "use": name == "Walk", "frames": 0, "seconds": 0.0} for name in ("Walk", "Turn")]
    assert bpy.ops.riff.train_on_actions(choices=rows, scale=0.0001) == {"FINISHED"}
    job = importlib.import_module(f"{riff.__name__}.rig.background.jobs").latest_training()
    assert job.name == "Sample Dance + Walk"
    with pytest.raises(RuntimeError, match="Choose at least one other action"):
        bpy.ops.riff.train_on_actions(choices=rows[1:])


def test_esc_in_the_dialog_ends_nothing_that_has_not_begun(riff: ModuleType, dancer: bpy.types.Object) -> None:
    operator = importlib.import_module(f"{riff.__name__}.operators.compose_mix").RIFF_OT_train_on_actions
    operator.cancel(SimpleNamespace(_beside_window=False), bpy.context)
    with pytest.raises(AttributeError):
        operator.cancel(SimpleNamespace(_beside_window=True), bpy.context)


def test_a_row_of_the_dialog_shows_box_name_and_length(riff: ModuleType) -> None:
    rows = importlib.import_module(f"{riff.__name__}.panels.choices").RIFF_UL_action_choices
    layout = RecordingLayout()
    row = bpy.context.scene.riff_compose.parts.add()
    row.name = "Walk"
    item = SimpleNamespace(name="Walk", frames=90, seconds=2.97, bl_rna=row.bl_rna)
    rows.draw_row(None, bpy.context, layout, None, item)
    assert [call.text for call in layout.calls if call.name == "label"] == ["Walk", "90 frames, 3.0 s"]
