"""The only door between Blender data and the method: armatures, actions, jobs."""
