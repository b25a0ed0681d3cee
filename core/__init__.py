"""The method: motion tensors, the pyramid, training, models, generation and metrics, without Blender."""

import os
from pathlib import Path

EXTENSION_ROOT = Path(__file__).resolve().parent.parent
"""Folder that holds `core`: the installed extension, a checkout or the code of a job folder."""

HAS_INSTALLER = (EXTENSION_ROOT / "core/torch_install/install.py").is_file()
"""True where Riff can install PyTorch; the edition for Blender's extension platform comes without the installer."""

# torch's OpenMP otherwise spins while it waits and starves every other thread; it reads this when it loads.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
