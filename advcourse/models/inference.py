"""What models say about images, and how often they are right."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import nn

Model = Callable[[torch.Tensor], torch.Tensor]  # from images (N, C, H, W) in [0, 1] to logits (N, K)
# In one call of a model where there may be any number: many more are no faster on a CPU, and cost memory.
IMAGES_AT_ONCE = 256


def predict(model: Model, x: torch.Tensor, batch_size: int = IMAGES_AT_ONCE) -> torch.Tensor:
    """The logits of `model` on the images `x`, computed batch by batch without gradients.

    model: any callable from images (N, C, H, W) in [0, 1] to logits (N, K). A module is put into evaluation mode
        meanwhile and found as it was; `x` may lie on another device than its parameters.
    batch_size: images in one call of the model, at least 1.
    Returns a tensor (N, K) on the device of `x`. Raises ValueError for a batch_size below 1.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, got {batch_size}")
    device = device_of(model, default=x.device)
    with evaluating(model), torch.no_grad():
        return torch.cat([model(batch.to(device)).to(x.device) for batch in x.split(batch_size)])


def accuracy(model: Model, x: torch.Tensor, y: torch.Tensor, batch_size: int = IMAGES_AT_ONCE) -> float:
    """The share, in [0, 1], of the images `x` whose largest logit is that of the label in `y`, shape (N,).

    model, batch_size: see `predict`. Raises ValueError where there is no image, or not one label for each.
    """
    if len(x) == 0 or y.shape != (len(x),):
        raise ValueError(
            f"accuracy needs one label per image and at least one image; got {len(x)} images and labels of shape "
            f"{tuple(y.shape)}"
        )
    labels = predict(model, x, batch_size).argmax(dim=1)
    return (labels == y.to(labels.device)).double().mean().item()


def device_of(model: Model, default: torch.device | None = None) -> torch.device | None:
    """The device of the model's parameters; `default` for a callable that has none."""
    parameters = model.parameters() if isinstance(model, nn.Module) else iter(())
    first = next(parameters, None)
    return default if first is None else first.device


@contextmanager
def evaluating(model: Model) -> Iterator[None]:
    """Inside, `model` is in evaluation mode; afterwards each of its modules is in the mode it was in."""
    modules = list(model.modules()) if isinstance(model, nn.Module) else []
    modes = [module.training for module in modules]
    for module in modules:
        module.training = False
    try:
        yield
    finally:
        for module, mode in zip(modules, modes, strict=True):
            module.training = mode
