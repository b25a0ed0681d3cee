"""Benchmarks and pictures of what Riff makes; needs bpy and the development requirements."""
