"""The version of the course, said here and nowhere else: pyproject.toml, manifests and cards read it from here."""

__version__ = "0.4.0"
