"""From what is kept of a motion to a new one: compositions."""
