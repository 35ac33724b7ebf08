"""The exercises of notebook 00: a first function, and what one may do."""
