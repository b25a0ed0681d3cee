"""The method: motion tensors, the pyramid of generators and critics, training, generation and metrics, without Blender."""
