"""Driving: takes of a clip with the timing and the course of a clip of another body, by a few paired bones."""
