"""Trial of a PyTorch: does this interpreter have one, and does it compute."""
