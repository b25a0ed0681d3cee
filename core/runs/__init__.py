"""One run of a training: from a checkpoint to a model file, in this process or one of its own."""
