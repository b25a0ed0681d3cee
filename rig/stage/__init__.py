"""A scene of Riff's own, in which rigs are evaluated unseen."""
