"""Generation of motions from noise, by numpy or PyTorch."""
