"""Installation of PyTorch."""
