"""Benchmarks, comparisons with the papers and the peers, and the demo; modules that show poses need bpy."""
