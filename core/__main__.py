"""`python -m core train | generate | evaluate`: the method from the shell, without Blender."""

import sys

from .cli.main import main

if __name__ == "__main__":
    sys.exit(main())
