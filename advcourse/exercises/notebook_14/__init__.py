"""The exercises of notebook 14: attacks on what listens."""
