"""Save two files for `screens.py`: the dancer with five variations, and one with nothing of Riff's.

Runs inside Blender in the background.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import bpy

folder = Path(os.environ["RIFF_GUI_OUT"])
riff: Any = bpy.ops
bpy.ops.wm.save_as_mainfile(filepath=str(folder / "other.blend"))
bpy.data.batch_remove(list(bpy.data.objects))
riff.riff.add_sample_dancer()
riff.riff.generate(count=5)
bpy.ops.wm.save_as_mainfile(filepath=str(folder / "dancer.blend"))
