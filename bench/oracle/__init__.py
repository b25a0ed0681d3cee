"""Oracles: expected values for the tests, computed by code that shares nothing with Riff's."""
