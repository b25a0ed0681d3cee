"""From noise to motions, by numpy or PyTorch."""
