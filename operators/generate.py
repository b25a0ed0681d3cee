"""Operator Generate: new actions from the chosen model, or from an instant one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, IntProperty, StringProperty

from ..core.errors import RiffError
from ..core.motion.motion import Motion
from ..rig.background.generation_job import GenerationJob
from ..rig.stored import MAX_SEED, stored_number, stored_numbers, stored_whole
from ..state.poll_messages import armature_problem, model_problem, selection_problem, set_poll_message
from ..state.rig_settings import active_armature
from ..state.settings import LOOP, ROOT, ROOT_PATH_OF, chosen_model, session_of
from ..state.variations.recording import Order
from .runs.instant_run import InstantRun
from .runs.write_actions import ActionWriter

MAX_ORIGINS = 2000
"""Largest accepted number of numbers in the origin of a variation."""

LOOPS = {"AUTO": None, "ON": True, "OFF": False}


def origin_of(action: bpy.types.Action) -> list[tuple[float, int]]:
    """Return the (seed, number) pairs from which an action was generated.

    The first is that of the original variation; each further one is a variation similar to the one before. Raises
    RiffError for an action that does not say.
    """
    numbers = stored_numbers(action, "riff_like", MAX_ORIGINS) if action.get("riff_like") is not None else []
    seed = stored_number(action, "riff_seed", 0, MAX_SEED)
    index = stored_whole(action, "riff_index", 0, MAX_SEED)
    if numbers is None or len(numbers) % 2 or not all(0 <= one <= MAX_SEED for one in numbers):
        seed = None
    if seed is None or index is None:
        raise RiffError(f"“{action.name}” does not say from which seed it was generated")
    line = [(start, int(number)) for start, number in zip(numbers[::2], numbers[1::2], strict=True)]
    return [*line, (float(seed), index)]


class RIFF_OT_generate(InstantRun, ActionWriter, bpy.types.Operator):
    """Generate new actions for this armature with the chosen model; without a model, an instant one is made first"""

    bl_idname = "riff.generate"
    bl_label = "Generate"
    bl_options = {"REGISTER", "UNDO"}

    count: IntProperty(name="Count", description="Number of variations to generate", default=5, min=1, max=100)
    frames: IntProperty(
        name="Frames",
        description="Length of each variation in frames; 0 for the length of the source",
        default=0,
        min=0,
        max=100_000,
    )
    seed: IntProperty(
        name="Seed", description="The same model, seed and length always give the same variations", default=1, min=0
    )
    coarse: FloatProperty(
        name="Coarse Variation",
        description="Strength of variation in the course of the motion",
        default=1.0,
        min=0.0,
        max=3.0,
    )
    fine: FloatProperty(
        name="Fine Variation", description="Strength of variation in the details", default=1.0, min=0.0, max=3.0
    )
    loop: EnumProperty(**LOOP)
    root: EnumProperty(**ROOT, options={"SKIP_SAVE"})
    clean_feet: BoolProperty(name="Clean Feet", description="Keep standing feet from sliding", default=True)
    tolerance: FloatProperty(
        name="Reduce Keys",
        description="Keep only the Bézier keys that follow the motion this closely; 0 keys every frame",
        default=0.0,
        min=0.0,
        max=0.5,
        subtype="ANGLE",
    )
    as_asset: BoolProperty(
        name="Mark as Asset", description="Mark the variations as assets, each with a preview picture", default=False
    )
    like: StringProperty(
        name="Like", description="Variation to which the new ones are similar; empty for any", options={"SKIP_SAVE"}
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        ob = active_armature(context)
        problem = selection_problem(ob)
        if not problem:
            problem = model_problem(context) if len(session_of(context).models) else armature_problem(ob)
        return set_poll_message(cls, problem)

    _job: GenerationJob

    def begin(self, context: bpy.types.Context) -> Iterator[float]:
        if chosen_model(context) is None:
            yield from self.make_instant_model(context)
        scene, like = context.scene, bpy.data.actions.get(self.like) if self.like else None
        self._like = origin_of(like) if like else []
        if like and not self.properties.is_property_set("root"):
            self.root = str(like.get("riff_root", "FREE"))
        self._model_path = Path(chosen_model(context).path)
        self._arguments: dict[str, Any] = {
            "frames": self.frames or None,
            "fps": scene.render.fps / scene.render.fps_base,
            "seed": self.seed,
            "strength": (self.coarse, self.fine),
            "clean": self.clean_feet,
            "like": self._like,
            "loop": LOOPS[self.loop],
            "root": ROOT_PATH_OF[self.root],
        }
        self._job = GenerationJob(self._model_path, count=self.count, **self._arguments)
        self._job.start()
        yield 0.0

    def action_name(self, index: int) -> str:
        near = f" like {self.like.rpartition(' ')[2]}" if self.like else ""
        return f"Variation {self.seed}-{index + 1}{near}"

    def action_properties(self, motion: Motion) -> dict[str, Any]:
        properties = {
            "riff_frames": self.frames,
            "riff_coarse": self.coarse,
            "riff_fine": self.fine,
            "riff_clean_feet": self.clean_feet,
            "riff_loop": self._job.looped,
            "riff_root": self.root,
        }
        line = [number for step in self._like for number in step]
        return {**properties, "riff_like": line} if line else properties

    def is_loop(self) -> bool:
        return self._job.looped

    def order(self, ob: bpy.types.Object) -> Order:
        source = self.source_action(ob)
        names = ("count", "frames", "seed", "coarse", "fine", "loop", "root", "clean_feet")
        settings = {name: getattr(self, name) for name in names}
        return Order("generate", self._arguments, settings, [source.name if source else ""], self._model_path)

    def cancelled(self, context: bpy.types.Context) -> None:
        self.cancel_instant_model()
        ActionWriter.cancelled(self, context)

    def dressing(self) -> dict[str, Any]:
        return {"asset": self.as_asset, "tolerance": self.tolerance}


CLASSES = (RIFF_OT_generate,)
