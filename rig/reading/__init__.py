"""From Blender's armatures and actions to motions."""
