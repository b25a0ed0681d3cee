"""From a motion to a model: stages, levels, checkpoints, one run."""
