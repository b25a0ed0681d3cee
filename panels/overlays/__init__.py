"""Overlays of editors: strips of regions, marks of feet and body parts."""
