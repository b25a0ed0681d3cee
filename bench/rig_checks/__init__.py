"""Checks of one rig for `bench.rigs`: the cases, their bodies, the round trip."""
