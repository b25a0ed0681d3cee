"""The method: motion tensors, the pyramid, training, models, generation and metrics, without Blender."""

import os

# torch's OpenMP otherwise spins while it waits and starves every other thread; it reads this when it loads.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
