"""What tests of attacks without gradients share: models that count, that have no gradient, real digits."""

import functools

import torch

from advcourse import data, zoo


class Counting:
    """Counts the images that the model is asked about and keeps them."""

    def __init__(self, model):
        self.model, self.asked = model, []

    def __call__(self, x):
        self.asked.append(x.detach().clone())
        return self.model(x)

    @property
    def count(self):
        return sum(map(len, self.asked))


class Sealed(torch.autograd.Function):
    """The identity, whose backward pass fails."""

    @staticmethod
    def forward(ctx, logits):
        return logits.clone()

    @staticmethod
    def backward(ctx, gradient):
        raise AssertionError("a black-box attack asked for a gradient")


def sealed(model):
    return lambda x: Sealed.apply(model(x))


@functools.cache
def digits(count):
    """(model, x, y): the zoo's MNIST CNN and the first test images that it gets right."""
    model, dataset = zoo.load("mnist-cnn"), data.load("mnist", train=10, test=2 * count)
    right = (model(dataset.x_test).argmax(1) == dataset.y_test).nonzero()[:count, 0]
    return model, dataset.x_test[right], dataset.y_test[right]


def linear(classes, shape, seed=0):
    """A linear model on images of this shape, and its weights (classes, D)."""
    generator = torch.Generator().manual_seed(seed)
    weights = torch.randn(classes, torch.Size(shape).numel(), generator=generator)
    return lambda x: (x - 0.5).flatten(1) @ weights.to(x.dtype).T, weights
