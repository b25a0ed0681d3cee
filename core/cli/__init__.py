"""The verbs of `python -m core`."""
