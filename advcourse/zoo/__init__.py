"""The zoo: trained networks that come with the course, and the recipes that made them.

`load("mnist-cnn")` gives the model, `card("mnist-cnn")` its card, `recipe("mnist-cnn")` how it is trained; `train`
makes weights and card again, `verify` measures anew.
"""

from advcourse.zoo.loading import CHECKPOINTS, card, load, verify
from advcourse.zoo.recipes import Recipe, Stage, names, recipe
from advcourse.zoo.training import train, train_network

__all__ = ["CHECKPOINTS", "Recipe", "Stage", "card", "load", "names", "recipe", "train", "train_network", "verify"]
