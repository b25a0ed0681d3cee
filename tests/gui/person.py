"""A person's path through Riff, by mouse and keys: from the empty file to five kept variations, and beyond.

Runs inside Blender. The outside judges by the marks it prints and the pictures it leaves.
"""

from __future__ import annotations

import os
import sys
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import bpy

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from hand import CANCEL, ENOUGH, LEARN, MAKE, NAME, STAR, Hand, Waits, mark, open_tab, perform

RIFF = "bl_ext.user_default.riff"
SECONDS = 4
"""Frames of the sample dance that are trained on: a whole training in a test would take minutes."""


def session() -> Any:
    context: Any = bpy.context
    return context.window_manager.riff


def is_kept(name: str) -> bool:
    return bool(session().variations[name].kept)


def has_begun(jobs: Any) -> bool:
    """Tell if generating has begun."""
    kind = import_module(f"{RIFF}.rig.background.generation_job").GenerationJob
    return any(isinstance(job, kind) for job in jobs._jobs)


def pose(ob: Any) -> list[tuple[float, ...]]:
    return [tuple(bone.rotation_quaternion) + tuple(bone.rotation_euler) for bone in ob.pose.bones]


def person(hand: Hand) -> Waits:
    yield from dancer(hand)
    yield from training(hand)
    yield from variations(hand)
    yield from slider(hand)
    yield from region(hand)


def dancer(hand: Hand) -> Waits:
    """The empty file, the first-run hint, the dancer."""
    bpy.data.batch_remove(list(bpy.data.objects))
    yield from open_tab(hand)
    hand.picture("1-empty")
    yield from hand.press("bpy.ops.riff.add_sample_dancer(", lambda: "Dancer" in bpy.data.objects)
    ob: Any = bpy.data.objects["Dancer"]
    action = ob.animation_data.action
    action.use_frame_range, action.frame_end = True, action.frame_start + 30 * SECONDS
    with hand.over(hand.area("VIEW_3D"), hand.region(hand.area("VIEW_3D"), "WINDOW")):
        bpy.ops.view3d.view_selected()
    source = import_module(f"{RIFF}.state.armature_summary")
    yield from hand.wait_for(lambda: source.summary_of(ob) is not None, what="the summary")
    mark(f"summary {source.summary_of(ob).joints} joints, feet {len(source.summary_of(ob).feet)}")
    yield from hand.wait_for(lambda: bool(source.summary_of(ob).seconds), 400, "the expected time")
    yield 0.5
    hand.picture("2-dancer")


def training(hand: Hand) -> Waits:
    """Train, cancel, resume, enough; the bar stands at the top of both sides."""
    yield from hand.turn_to(LEARN)
    scene: Any = bpy.context.scene
    scene.riff.recipe, scene.riff.effort = "custom", 0.4  # long enough to be cancelled, and to be ended early
    yield 0.5
    jobs = import_module(f"{RIFF}.rig.background.jobs")
    yield from hand.press("bpy.ops.riff.train(", lambda: jobs.latest_training() is not None)
    job = jobs.latest_training()
    picture = import_module(f"{RIFF}.state.loss_picture")
    yield from hand.wait_for(lambda: picture.loss_icon(job) > 0, 400, "the picture of the losses")
    yield 3.0  # the panel is drawn again every 2.5 s
    hand.picture("3-training")
    yield from hand.turn_to(MAKE)
    yield from hand.press("bpy.ops.riff.cancel_training(", lambda: not job.running, CANCEL)
    mark(f"training {job.state.value}")
    yield from hand.wait_for(lambda: len(session().unfinished) == 1, what="the unfinished training")
    yield from hand.turn_to(LEARN)
    yield 0.7
    hand.picture("4-cancelled")
    yield from hand.press("bpy.ops.riff.resume_training(", lambda: jobs.latest_training() is not job, (0.8,))
    resumed = jobs.latest_training()
    yield from hand.wait_for(lambda: resumed.progress is not None, 400, "the first steps")
    yield from hand.turn_to(MAKE)
    yield from hand.press("bpy.ops.riff.end_training(", lambda: resumed.ends_early, ENOUGH)
    yield from hand.wait_for(lambda: not resumed.running, 600, "the end of the training")
    mark(f"resumed {resumed.state.value} {resumed.error}")
    yield 0.7
    hand.picture("5-trained")
    mark(f"note {bool(session().note)}")
    yield from hand.press("bpy.ops.riff.close_note(", lambda: not session().note, CANCEL)


def variations(hand: Hand) -> Waits:
    """Generate five, of which the first plays; click another row, keep all by their stars, undo and redo one."""
    jobs = import_module(f"{RIFF}.rig.background.jobs")
    yield from hand.press("bpy.ops.riff.generate(", lambda: has_begun(jobs))
    yield from hand.wait_for(lambda: len(session().variations) == 5, 200, "five variations")
    names = [row.name for row in session().variations]
    ob: Any = bpy.data.objects["Dancer"]
    yield from hand.wait_for(lambda: ob.animation_data.action.name == names[0], what="the first result")
    mark(f"first result plays {hand.window.screen.is_animation_playing}")
    yield 1.0
    hand.picture("6-generated")
    yield from hand.pause()
    keep = 'bpy.ops.riff.keep_variation(action="{}"'
    yield from hand.press(keep.format(names[2]), lambda: ob.animation_data.action.name == names[2], STAR, NAME)
    mark(f"row clicked, chosen {session().active_variation} plays {hand.window.screen.is_animation_playing}")
    yield 1.0
    hand.picture("7-playing")
    yield from hand.pause()
    for name in names:
        yield from hand.press(keep.format(name), partial(is_kept, name), STAR)
    mark(f"kept {sum(row.kept for row in session().variations)}")
    yield 0.3
    hand.picture("8-kept")


def slider(hand: Hand) -> Waits:
    """Live variation: drag the slider, the pose follows, keep it."""
    ob: Any = bpy.data.objects["Dancer"]
    live = import_module(f"{RIFF}.state.live")
    actions, before = len(bpy.data.actions), pose(ob)
    yield from hand.press("bpy.ops.riff.live(", live.is_live)
    yield from hand.wait_for(lambda: live.live_preview.seen > 0, what="the first live variation")
    x, y = yield from hand.find("live_position", (0.4,))
    seen = live.live_preview.seen
    yield from hand.drag((x, y), (x + 70, y))
    shown = live.live_preview.seen - seen
    mark(f"slider at {session().live_position:.2f}, shown {shown}, pose moved {pose(ob) != before}")
    yield 1.5
    hand.picture("9-live")
    mark(f"actions during preview {len(bpy.data.actions) - actions}")
    yield from hand.press("bpy.ops.riff.live_keep(", lambda: len(session().variations) == 6, (0.3,))
    yield from hand.wait_for(lambda: "riff_kept" in ob.animation_data.action, what="the kept one")
    mark(f"live kept, shown {ob.animation_data.action.name == session().variations[session().active_variation].name}")
    yield from hand.pause()


def region(hand: Hand) -> Waits:
    """A region from the preview range, then undo."""
    timeline = hand.area("DOPESHEET_EDITOR")
    area = hand.region(timeline, "WINDOW")
    with hand.over(timeline, area):
        bpy.ops.action.view_all()
    yield 0.5
    low, high = area.y + area.height // 3, area.y + 2 * area.height // 3  # a box without height counts for nothing
    scene: Any = bpy.context.scene
    yield from hand.key("P", area.x + 300, low)
    yield from hand.wait_for(lambda: hand.is_running("ANIM_OT_previewrange_set"), what="the box")
    yield from hand.drag((area.x + 300, low), (area.x + 700, high))
    yield from hand.wait_for(lambda: scene.use_preview_range, what="the preview range")
    mark(f"preview range {scene.use_preview_range}")
    ob: Any = bpy.data.objects["Dancer"]
    yield from hand.press("bpy.ops.riff.add_region(source=", lambda: len(ob.riff.regions) == 1, (0.15, 0.2))
    made = ob.riff.regions[0]
    wanted = (scene.frame_preview_start, scene.frame_preview_end)
    mark(f"region is the preview range {(made.start, made.end) == wanted}")
    yield 0.5
    hand.picture("10-region")
    yield from hand.undo()
    objects: Any = bpy.data.objects
    yield from hand.wait_for(lambda: len(objects["Dancer"].riff.regions) == 0, what="the undo")
    mark("undone")
    yield 0.5
    hand.picture("11-undone")
    yield from dragged_region(hand, area, low)


def dragged_region(hand: Hand, timeline: Any, height: float) -> Waits:
    """A region made by a drag along the timeline, then moved by another, as the button at the row's end begins them."""
    objects: Any = bpy.data.objects

    def span() -> tuple[int, int]:
        region = objects["Dancer"].riff.regions[0]
        return region.start, region.end

    def drag(start: float, end: float) -> Waits:
        running = partial(hand.is_running, "RIFF_OT_drag_region")
        yield from hand.press("bpy.ops.riff.drag_region(", running, (0.9, 0.93, 0.87))
        yield from hand.drag((timeline.x + start, height), (timeline.x + end, height))
        yield from hand.wait_for(lambda: not running(), what="the end of the drag")

    yield from drag(300, 600)
    made = span()
    yield from drag(450, 500)
    moved = span()
    step = (moved[0] - made[0], moved[1] - made[1])
    mark(f"region dragged {len(objects['Dancer'].riff.regions) == 1 and made[1] - made[0] > 20}")
    mark(f"region moved {step[0] == step[1] > 0}")
    yield 0.5
    hand.picture("12-dragged")


perform(person(Hand(Path(os.environ["RIFF_GUI_OUT"]))))
