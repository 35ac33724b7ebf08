"""The exercises of notebook 09: training on adversarial examples."""
