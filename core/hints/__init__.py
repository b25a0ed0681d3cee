"""Oddities of an action that can be told from its numbers alone: steps, jumps, rest at an end, a wrong frame rate."""
