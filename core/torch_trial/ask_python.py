"""Question to an interpreter that may be of any version: `python -I ask_python.py` prints its answer as JSON.

It imports nothing of Riff and is written for old interpreters too, so that they can say how old they are.
"""

import json
import sys

WANTED = ("torch", "numpy")


def is_there(name):  # type: ignore[no-untyped-def]
    """Return True if a package can be imported, without importing it."""
    try:
        from importlib.util import find_spec  # late: Python 2 has none, for PyTorch it is too old
    except ImportError:
        return False
    found = find_spec(name)
    # A folder without __init__.py, as an interrupted removal leaves it, is no package.
    return found is not None and found.origin is not None


def main():  # type: ignore[no-untyped-def]
    missing = [name for name in WANTED if not is_there(name)]
    print(json.dumps({"version": list(sys.version_info[:2]), "missing": missing}))


if __name__ == "__main__":
    main()
