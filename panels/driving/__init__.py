"""The panel of takes that another body drives."""
