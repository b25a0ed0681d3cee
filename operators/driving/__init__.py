"""Operators for takes that another body drives."""
