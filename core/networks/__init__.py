"""The PyTorch networks and their kernels."""
