"""Recipe, channels and the trained model as data, without PyTorch."""
