"""How long operators run: work in steps, jobs beside Blender, actions written one by one."""
