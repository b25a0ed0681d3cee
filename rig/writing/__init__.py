"""Writing of motions as Blender's actions."""
