"""Variations without training: patches of the clip itself, found anew from coarse to fine for each part of the body."""
