"""Long-running operators: work in steps, jobs beside Blender, actions written one by one."""
