"""The exercises of notebook 03: attacks that follow the gradient, one step or many."""
