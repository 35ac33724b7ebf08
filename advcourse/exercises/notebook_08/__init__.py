"""The exercises of notebook 08: adversarial examples that carry over, why they do, and what that is good for."""
