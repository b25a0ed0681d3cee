"""Jobs in threads beside Blender, and trainings in a process of their own."""
