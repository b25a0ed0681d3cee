"""Blends of a source and its variation, in pose, course and timing."""
