"""Operators on generated actions: show and walk through, keep and discard, use elsewhere."""
