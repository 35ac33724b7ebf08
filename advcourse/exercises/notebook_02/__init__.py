"""The exercises of notebook 02: when an attack has succeeded, how large it is, and which error it wants."""
