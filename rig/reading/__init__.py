"""Reading of Blender's armatures and actions as motions."""
