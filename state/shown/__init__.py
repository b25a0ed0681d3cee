"""Values as the panel shows them: short names, numbers that Riff chooses."""
