"""From motions to Blender's actions."""
