"""Generated actions as the list shows them: the one that plays, and pictures of poses."""
