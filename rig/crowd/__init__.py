"""Crowds in a scene: members, ground, keys, jobs."""
