"""Box Compare: ghosts, moving pictures, and the history of what was generated."""
