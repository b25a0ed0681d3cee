"""The only package that touches Blender's data: armatures, actions, crowds, files."""
