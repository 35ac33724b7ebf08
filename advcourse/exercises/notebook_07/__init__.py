"""The exercises of notebook 07: faces, named as others and hidden."""
