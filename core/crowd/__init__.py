"""Many motions, chosen and placed."""
