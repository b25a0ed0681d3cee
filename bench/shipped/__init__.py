"""Making of data that the zip carries."""
