"""Operators of pins and waypoints."""
