"""Takes that another body drives, measured and pictured."""
