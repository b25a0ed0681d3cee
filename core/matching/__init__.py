"""Patch matching: variations of a clip without training, from its own patches, coarse to fine, for each body part."""
