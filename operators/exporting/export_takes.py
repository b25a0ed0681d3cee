"""Operator Export Takes: variations as files for other programs, one for each."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy
from bpy.props import BoolProperty, EnumProperty, StringProperty

from ...core.errors import RiffError
from ...rig.library.models import file_name_for
from ...rig.writing.export import SUFFIXES, export_action, on_stage
from ...state.poll_messages import selection_problem, set_poll_message
from ...state.rig_settings import active_armature
from ...state.session import is_variation_of
from ...state.settings import session_of
from ..runs.stepwise import Stepwise

KIND_ITEMS = [
    ("FBX", "FBX", "For game engines and other animation programs: armature, meshes and motion"),
    ("GLTF", "glTF", "For the web and game engines: one .glb file with armature, meshes and motion"),
    ("BVH", "BVH", "Motion of the bones alone, as motion capture has it"),
]
WHICH_ITEMS = [
    ("KEPT", "Kept", "The variations of this armature that are kept"),
    ("ALL", "All", "All variations of this armature"),
]


def _check_free(path: Path, overwrite: bool) -> None:
    """Raise RiffError for a file that is there and may not be replaced."""
    if os.path.lexists(path) and not overwrite:
        raise RiffError(f"“{path.name}” exists already; choose another folder, or switch Overwrite on.")


class RIFF_OT_export_takes(Stepwise, bpy.types.Operator):
    """Write variations into a folder by Blender's own exporters, one file for each; the scene stays as it is"""

    bl_idname = "riff.export_takes"
    bl_label = "Export Takes"

    directory: StringProperty(name="Folder", description="Folder in which to write the files", subtype="DIR_PATH")
    filter_folder: BoolProperty(default=True, options={"HIDDEN"})
    kind: EnumProperty(name="Format", description="Format of the files", items=KIND_ITEMS, default="FBX")
    which: EnumProperty(name="Variations", description="Variations to write", items=WHICH_ITEMS, default="KEPT")
    overwrite: BoolProperty(
        name="Overwrite", description="Replace files of the same names", default=False, options={"SKIP_SAVE"}
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        ob = active_armature(context)
        problem = selection_problem(ob)
        if not problem and not any(is_variation_of(row, ob) for row in session_of(context).variations):
            problem = "There is no variation of this armature; generate some first"
        return set_poll_message(cls, problem)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Any:
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> Any:
        return self.begin_confirmed(context)

    def steps(self, context: bpy.types.Context) -> Iterator[float]:
        self._written: list[Path] = []
        ob, paths = active_armature(context), self._paths(context)
        yield 0.0
        for number, (name, path) in enumerate(paths.items()):
            action = bpy.data.actions.get(name)
            if action is None:
                raise RiffError(f"The action “{name}” is no longer in the file.")
            _check_free(path, self.overwrite)  # again: others may have written into the folder meanwhile
            with on_stage(ob, context.scene):  # for each anew: between two steps the user may do anything
                export_action(ob, action, path, self.kind, context.scene)
            self._written.append(path)
            yield (number + 1) / len(paths)

    def _paths(self, context: bpy.types.Context) -> dict[str, Path]:
        """Return the file of each action to write. Raises RiffError."""
        if not self.directory:
            raise RiffError("Choose a folder for the files.")
        folder = Path(bpy.path.abspath(self.directory))
        if not folder.is_dir():
            raise RiffError(f"There is no folder “{folder}”.")
        ob = active_armature(context)
        rows = [row for row in session_of(context).variations if is_variation_of(row, ob)]
        names = [row.name for row in rows if row.kept or self.which == "ALL"]
        if not names:
            raise RiffError("No variation is kept; keep those that you want, or export all.")
        paths = {name: folder / f"{file_name_for(name)}{SUFFIXES[self.kind]}" for name in names}
        if len(set(paths.values())) < len(paths):
            raise RiffError("Two variations would get the same file name; rename one of them.")
        for path in paths.values():
            _check_free(path, self.overwrite)
        return paths

    def finished(self, context: bpy.types.Context) -> Any:
        count = len(self._written)
        self.report({"INFO"}, f"Wrote {count} file{'s' if count != 1 else ''} to “{self._written[0].parent}”")
        return {"FINISHED"}

    def cancelled(self, context: bpy.types.Context) -> None:
        """Leave the finished files: each is whole."""


CLASSES = (RIFF_OT_export_takes,)
