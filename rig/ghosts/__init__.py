"""Ghosts: see-through stand-ins of a character beside it, each of which plays a variation."""
