"""Paths of the root of a whole variation."""

ROOT_PATHS = ("auto", "free", "place", "source")
"""“auto” returns where the source does, “free” goes anywhere, “place” stays above the start, “source” follows the
path of the source."""
