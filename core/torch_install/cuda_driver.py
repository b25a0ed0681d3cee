"""Cards as the library of NVIDIA's driver knows them, in nvidia-smi's form: `python -m core.torch_install.cuda_driver`.

In a process of its own, since a broken driver can end or hang the process that asks it.
"""

from __future__ import annotations

import ctypes
import sys
from typing import Any

from .nvidia import DRIVER_OF_CUDA

COMPUTE_MAJOR, COMPUTE_MINOR = 75, 76
"""Numbers of the attributes that make the compute capability."""


def main() -> int:
    """Print a line for each card; return 1 where there is no driver, or it refuses."""
    try:
        # CUDA's functions have Windows' own calling convention there, which 64-bit programs do not know apart.
        cuda: Any = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return 1
    version, count = ctypes.c_int(), ctypes.c_int()
    if cuda.cuInit(0) or cuda.cuDriverGetVersion(ctypes.byref(version)) or cuda.cuDeviceGetCount(ctypes.byref(count)):
        return 1
    supported = divmod(version.value // 10, 100)
    driver = next((number for cuda_version, number in DRIVER_OF_CUDA.items() if supported >= cuda_version), 99)
    for number in range(count.value):
        device, memory, name = ctypes.c_int(), ctypes.c_size_t(), ctypes.create_string_buffer(100)
        parts = [ctypes.c_int(), ctypes.c_int()]
        failed = cuda.cuDeviceGet(ctypes.byref(device), number) or cuda.cuDeviceGetName(name, len(name), device)
        for part, attribute in zip(parts, (COMPUTE_MAJOR, COMPUTE_MINOR), strict=True):
            failed = failed or cuda.cuDeviceGetAttribute(ctypes.byref(part), attribute, device)
        if failed or cuda.cuDeviceTotalMem_v2(ctypes.byref(memory), device):
            return 1
        compute = f"{parts[0].value}.{parts[1].value}"
        print(f"{name.value.decode('utf-8', 'replace')}, {compute}, {driver}.0, {memory.value >> 20}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
