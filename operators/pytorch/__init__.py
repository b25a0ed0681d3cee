"""Operators of PyTorch: its trial in every edition, and its installation where Riff can install it."""
