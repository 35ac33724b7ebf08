"""The exercises of notebook 06: one perturbation for many images, and perturbations that survive the world."""
