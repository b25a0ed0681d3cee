"""Settings of takes that another body drives."""
