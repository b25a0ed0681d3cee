"""Jobs on a thread beside Blender, and trainings in a process of their own."""
