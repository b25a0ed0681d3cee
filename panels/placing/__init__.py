"""Lists of pins and waypoints."""
