"""Arrays without a skeleton: rotations, distances, smoothing, blending."""
