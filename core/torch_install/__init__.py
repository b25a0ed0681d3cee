"""Bringing PyTorch to this machine."""
