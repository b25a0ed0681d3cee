"""Hints about an armature's action: what is odd is found in steps, and mended when a person asks for it."""
