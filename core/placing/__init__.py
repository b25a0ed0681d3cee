"""Places that a take must reach: pins of joints, and waypoints of the root."""
