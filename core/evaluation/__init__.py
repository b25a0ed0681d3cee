"""Figures of how good a motion is."""
