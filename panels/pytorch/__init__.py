"""PyTorch in the preferences and in the Train panel."""
