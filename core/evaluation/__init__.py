"""Metrics of generated motions."""
