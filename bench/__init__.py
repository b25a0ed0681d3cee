"""Benchmarks, comparisons with the papers and other methods, and the demo; modules that render need bpy."""
