"""Settings of pins and waypoints."""
