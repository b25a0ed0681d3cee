"""Cycles: clips that end as they begin, and their repetition until there is enough to learn from."""
