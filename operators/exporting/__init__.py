"""Operators that hand variations on to other programs."""
