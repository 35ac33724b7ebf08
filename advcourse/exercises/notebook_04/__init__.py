"""The exercises of notebook 04: adversarial examples as an optimisation problem."""
