"""The exercises of notebook 01: first adversarial examples, by hand."""
