"""A numpy that was built without a BLAS, as Blender's from blender.org: the same motions, by Riff's OpenBLAS or none.

`make without-blas` builds it; without it these tests are skipped, and say so.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[3]
PYTHON = ROOT / f"build/without-blas/{sys.version_info[0]}{sys.version_info[1]}/bin/python"
SAMPLE = ROOT / "sample/dancer.safetensors"

GENERATE = """
import json, sys
import numpy as np
from core.numeric import matrix_product
if sys.argv[3] == "none":
    matrix_product.load_openblas = lambda: None
from core.generation.generate import Sampler
from core.matching.instant import instant_model
from core.model.model_file import load_model
model = load_model(sys.argv[1])
for name, used in (("trained", model), ("matched", instant_model(model.source))):
    np.save(f"{sys.argv[2]}/{name}.npy", Sampler(used, torch=False).sample(120, 1, 3)[0].features)
slow = matrix_product.best_seconds(np.matmul) > matrix_product.SLOW_SECONDS
print(json.dumps([slow, matrix_product.products_are_fast()]))
"""


@pytest.mark.skipif(not PYTHON.is_file(), reason="NOT TESTED without BLAS: `make without-blas` builds such a numpy")
def test_riffs_library_gives_what_plain_products_give(tmp_path: Path) -> None:
    # The tests' own packages may come from a PYTHONPATH.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    for library, fast in (("riffs", True), ("none", False)):
        folder = tmp_path / library
        folder.mkdir()
        command = [str(PYTHON), "-c", GENERATE, str(SAMPLE), str(folder), library]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
        assert json.loads(done.stdout) == [True, fast], "numpy's own products are slow, Riff's are not"
    for name in ("trained", "matched"):
        one, other = (np.load(tmp_path / library / f"{name}.npy") for library in ("riffs", "none"))
        assert np.isfinite(one).all()
        np.testing.assert_allclose(one, other, atol=1e-3)
