"""Model files, .blend files, and the names in them."""
