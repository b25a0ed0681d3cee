"""A person edits at random while Riff trains, previews, generates, composes and makes crowds: a state machine.

Rules of `Person` are Blender's own; those here are Riff's. After each step nothing was said but sentences, no action
of the user's is another than the user left it, and nothing of Riff's lies about in the file. At the end the file has
the users that it has when read anew, and no thread or process is left.
"""

from __future__ import annotations

import importlib
import io
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, ClassVar

import bpy
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule, run_state_machine_as_test

from tests.support.editing.beside import Beside
from tests.support.editing.person import PICKS, Person
from tests.support.traces import children, digest, jobs_at_work, users

EXTENSION = "bl_ext.user_default.riff"
FEW_STEPS = 0.0001
MODALS = (
    ("generate", {"count": 2, "frames": 60}),
    ("generate", {"count": 1, "frames": 60, "tolerance": 0.01}),
    ("vary_parts", {}),
    ("extend_action", {"after": 30}),
    ("loop_action", {}),
    ("train", {"scale": FEW_STEPS}),
    ("duplicate_as_crowd", {"count": 3, "frames": 60}),
    ("add_to_crowd", {"count": 2}),
    ("reroll_crowd", {}),
    ("reduce_keys", {}),
)
RESULTS = (
    "show_action",
    "next_variation",
    "previous_variation",
    "mark_kept",
    "keep_variation",
    "discard_variation",
    "discard_others",
    "mark_asset",
    "variation_to_nla",
    "more_like_this",
    "thin_out_crowd",
    "remove_crowd",
)


def part(name: str) -> Any:
    return importlib.import_module(f"{EXTENSION}.{name}")


class Heard(io.StringIO):
    """Copy of the text printed as errors, which goes on to its usual place."""

    def __init__(self, other: Any) -> None:
        super().__init__()
        self.other = other

    def write(self, words: str) -> int:
        self.other.write(words)
        return super().write(words)


class Editing(Person):
    """`model` is a trained model of the sample dance; with `children_too` processes train and estimate as well."""

    model: ClassVar[Path]
    children_too: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="riff-editing-"))
        self.beside: list[Beside] = []
        self.heard = Heard(sys.stderr)
        sys.stderr = self.heard
        self.before = (jobs_at_work(), children())
        bpy.ops.wm.read_homefile(use_empty=True)

    @initialize()
    def begin(self) -> None:
        models = part("rig.library.models").models_folder()
        shutil.copy(self.model, models / "Dance.safetensors")
        self.said(bpy.ops.riff.refresh_models)
        self.add_dancer()
        action = bpy.context.object.animation_data.action
        action.use_frame_range, action.frame_start, action.frame_end = True, 1, 90
        self.edited("Begin")

    # What Riff does -------------------------------------------------------------------------------------------------

    @rule(child=st.booleans())
    def train(self, child: bool) -> None:
        preferences = bpy.context.preferences.addons[EXTENSION].preferences
        preferences.separate_process = child and self.children_too
        self.said(bpy.ops.riff.train, scale=FEW_STEPS)

    @rule()
    def cancel_training(self) -> None:
        self.said(bpy.ops.riff.cancel_training)

    @rule()
    def resume_training(self) -> None:
        self.said(bpy.ops.riff.resume_training)

    @rule(seconds=st.floats(0.0, 0.2))
    def wait(self, seconds: float) -> None:
        """Do the work of timers meanwhile."""
        until = time.monotonic() + seconds
        while True:
            part("state.timer").tick()
            part("state.live").follow()
            self.pulse(1)
            if time.monotonic() >= until:
                return
            time.sleep(0.01)

    @precondition(lambda self: len(self.beside) < 3)
    @rule(which=st.sampled_from(MODALS))
    def click(self, which: tuple[str, dict[str, Any]]) -> None:
        operator = Beside(which[0], **which[1])
        operator.click()
        self.beside.append(operator)
        self.beside = [one for one in self.beside if one.running]

    @precondition(lambda self: self.beside)
    @rule(times=st.integers(1, 6))
    def pulse(self, times: int) -> None:
        for operator in self.beside:
            for _ in range(times):
                if operator.running:
                    operator.pulse()
        self.beside = [one for one in self.beside if one.running]

    @precondition(lambda self: self.beside)
    @rule(number=PICKS)
    def escape(self, number: int) -> None:
        self.beside.pop(number % len(self.beside)).escape()

    @rule()
    def generate_at_once(self) -> None:
        self.said(bpy.ops.riff.generate, "EXEC_DEFAULT", True, count=1, frames=60)

    @rule(number=PICKS, name=st.sampled_from(RESULTS))
    def treat_result(self, number: int, name: str) -> None:
        bpy.context.window_manager.riff.active_variation = number
        self.said(getattr(bpy.ops.riff, name), "EXEC_DEFAULT", True)

    @rule()
    def live(self) -> None:
        self.said(bpy.ops.riff.live)

    @rule(position=st.floats(0.0, 5.0))
    def drag(self, position: float) -> None:
        bpy.context.window_manager.riff.live_position = position
        self.wait(0.2)

    @rule()
    def keep_live(self) -> None:
        self.said(bpy.ops.riff.live_keep, "EXEC_DEFAULT", True)

    @rule()
    def look_at_source(self) -> None:
        """The panel draws, and a moment later the armature is looked at."""
        source, ob = part("state.armature_summary"), bpy.context.object
        if self.children_too and ob is not None and not part("state.poll_messages").armature_problem(ob):
            source.summary_of(ob)
            for _ in range(20):
                if source.update_summary() is None:
                    break

    @rule(gone=st.booleans())
    def model_file(self, gone: bool) -> None:
        """The model is deleted under the list, or comes back."""
        path = part("rig.library.models").models_folder() / "Dance.safetensors"
        if gone:
            path.unlink(missing_ok=True)
        else:
            shutil.copy(self.model, path)
            self.said(bpy.ops.riff.refresh_models)

    # Files ----------------------------------------------------------------------------------------------------------

    @rule(copy=st.booleans())
    def save(self, copy: bool) -> None:
        self.said(bpy.ops.wm.save_as_mainfile, filepath=str(self.folder / "edited.blend"), copy=copy)

    @precondition(lambda self: (self.folder / "edited.blend").exists())
    @rule()
    def open(self) -> None:
        self.leave()
        self.said(bpy.ops.wm.open_mainfile, filepath=str(self.folder / "edited.blend"))
        self.remember()

    @precondition(lambda self: self.can_append() and len(bpy.data.objects) < 24)
    @rule(number=PICKS)
    def append(self, number: int) -> None:
        libraries: Any = bpy.data.libraries
        with libraries.load(str(self.folder / "edited.blend"), link=False) as (there, wanted):
            wanted.objects = there.objects[number : number + 2]
            wanted.actions = there.actions[number : number + 2]
        for ob in wanted.objects:
            if ob is not None and ob.name not in bpy.context.scene.objects:
                bpy.context.scene.collection.objects.link(ob)
        self.edited("Append")

    def can_append(self) -> bool:
        """Tell if there is a file other than the open one, from which Blender does not append."""
        path = self.folder / "edited.blend"
        return path.exists() and bpy.data.filepath != str(path)

    def leave(self) -> None:
        """End running operators, as Blender does before it loads a file."""
        for operator in self.beside:
            operator.leave()
        self.beside.clear()

    # What holds -----------------------------------------------------------------------------------------------------

    @invariant()
    def nothing_failed(self) -> None:
        words = self.heard.getvalue()
        assert "Traceback" not in words, words

    @invariant()
    def users_actions_are_as_they_were(self) -> None:
        for action in bpy.data.actions:
            if action.get("riff_model") is None and not action.name.startswith("Riff Crowd"):
                assert digest(action) in self.known, f"“{action.name}” was changed"

    @invariant()
    def nothing_lies_about(self) -> None:
        assert [scene.name for scene in bpy.data.scenes if scene.name.startswith("Riff")] == []
        if not any(operator.running for operator in self.beside):
            names = [action.name for action in bpy.data.actions if action.name.startswith("Riff Crowd")]
            assert names == [], "what a crowd is copied from was left"
        # Members of crowds go with their actions; other variations have the fake user.
        made = [a for a in bpy.data.actions if a.get("riff_model") is not None and a.get("riff_loop") is None]
        assert [action.name for action in made if action.users == 0] == [], "variations that nobody uses"

    def teardown(self) -> None:
        try:
            for operator in self.beside:
                operator.escape()
            self.beside.clear()
            part("state.live").end()
            part("rig.background.jobs").stop_all()
            self.nothing_failed()
            self.nothing_lies_about()
            self.users_are_right()
            self.nobody_is_left()
        finally:
            sys.stderr = self.heard.other
            shutil.rmtree(part("rig.library.models").trainings_folder(), ignore_errors=True)
            shutil.rmtree(part("rig.library.models").models_folder(), ignore_errors=True)
            shutil.rmtree(self.folder, ignore_errors=True)

    def users_are_right(self) -> None:
        """Read anew, Blender counts afresh: a reference that Riff took or gave away unasked shows."""
        self.said(bpy.ops.object.mode_set, mode="OBJECT")
        data: Any = bpy.data
        data.orphans_purge(do_recursive=True)  # these are not saved, and use others
        path = str(self.folder / "end.blend")
        bpy.ops.wm.save_as_mainfile(filepath=path, copy=True)
        before = {block: count for block, count in users().items() if count}
        bpy.ops.wm.open_mainfile(filepath=path)
        after = users()
        wrong = {block: (count, after.get(block)) for block, count in before.items() if after.get(block) != count}
        assert wrong == {}, "users before, and counted afresh"

    def nobody_is_left(self) -> None:
        until = time.monotonic() + 10.0
        while (jobs_at_work(), children()) != self.before and time.monotonic() < until:
            time.sleep(0.05)
        assert (jobs_at_work(), children()) == self.before


def edit_at_random(number: int, model: Path, *, examples: int, steps: int, children: bool = False) -> None:
    """Sequences of random steps; the shortest that goes wrong is raised with what was wrong."""
    Editing.model, Editing.children_too = model, children
    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        print_blob=False,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
    )
    run_state_machine_as_test(seed(number)(Editing), settings=chosen)
