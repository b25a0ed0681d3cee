"""The note on a training that has ended: in the panel and the status bar until it is seen and closed."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import pytest

FEW_STEPS = 0.0001


@pytest.fixture
def part(riff: ModuleType) -> Callable[[str], Any]:
    return lambda name: importlib.import_module(f"{riff.__name__}.{name}")


@pytest.fixture
def dancer(riff: ModuleType, models: Path) -> bpy.types.Object:
    bpy.ops.riff.close_note()
    bpy.ops.riff.add_sample_dancer()
    return bpy.context.object


def finish(part: Callable[[str], Any]) -> None:
    while part("state.timer").tick():
        time.sleep(0.02)


def session() -> Any:
    return bpy.context.window_manager.riff


def test_a_training_that_ends_is_noted_until_the_note_is_closed(
    dancer: bpy.types.Object, part: Callable[[str], Any]
) -> None:
    notes = part("state.trainings")
    assert bpy.ops.riff.train(scale=FEW_STEPS) == {"FINISHED"}
    assert (session().note, notes.status_text()) == ("", None)
    finish(part)
    assert session().note.startswith("“Sample Dance” is trained, 0:")
    assert session().note_problem == ""
    assert notes.status_text() == f"Riff: {session().note}"
    notes.note_drawn()
    assert bpy.app.timers.is_registered(notes.leave_status_bar)
    notes.leave_status_bar()  # as its timer does
    assert notes.status_text() is None
    assert session().note, "the panel has it still"
    session().tab = "MAKE"
    assert bpy.ops.riff.read_note() == {"FINISHED"}
    assert session().tab == "LEARN"
    assert bpy.ops.riff.close_note() == {"FINISHED"}
    assert session().note == ""
    session().tab = "MAKE"


def test_other_work_leaves_the_note_in_the_status_bar(dancer: bpy.types.Object, part: Callable[[str], Any]) -> None:
    bpy.ops.riff.train(scale=FEW_STEPS)
    finish(part)
    note = part("state.trainings").status_text()
    assert bpy.ops.riff.generate(count=1, frames=60) == {"FINISHED"}
    assert part("state.trainings").status_text() == note
    bpy.ops.riff.train(scale=FEW_STEPS)
    assert session().note == "", "whoever starts another training has seen it"
    finish(part)
    bpy.ops.riff.close_note()


def test_a_cancelled_training_is_no_news(dancer: bpy.types.Object, part: Callable[[str], Any]) -> None:
    bpy.ops.riff.train()
    bpy.ops.riff.cancel_training()
    finish(part)
    assert session().note == ""


def test_the_note_says_why_a_training_failed(
    riff: ModuleType, dancer: bpy.types.Object, part: Callable[[str], Any]
) -> None:
    folder = Path(bpy.utils.extension_path_user(riff.__name__, path="trainings", create=True))
    (folder / "Broken.safetensors").write_bytes(b"nothing")
    part("state.session").refresh()
    bpy.ops.riff.resume_training(name="Broken")
    finish(part)
    assert session().note == "The training “Broken” failed"
    assert "damaged" in session().note_problem
    bpy.ops.riff.close_note()
    assert session().note_problem == ""
    (folder / "Broken.safetensors").unlink(missing_ok=True)
    part("state.session").refresh()
