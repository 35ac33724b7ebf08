"""Training: one loop for every model, and families of networks that are trained side by side."""

from advcourse.randomness import seeded
from advcourse.training.loop import cross_entropy_loss, fit, one_cycle

__all__ = ["cross_entropy_loss", "fit", "one_cycle", "seeded"]
