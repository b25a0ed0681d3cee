"""Reading strangers' files safely, writing our own whole."""
