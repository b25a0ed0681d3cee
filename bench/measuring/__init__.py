"""Measuring: clips and trainings, timing, figures and their limits, tables, circumstances; shared by the benchmarks."""
