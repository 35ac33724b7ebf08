"""Several networks of one architecture, trained at once on images of their own, so that they can be compared."""

import copy
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from torch.func import functional_call, stack_module_state, vmap
from torch.nn import functional as F

from advcourse import training


def disjoint(x: torch.Tensor, y: torch.Tensor, count: int, size: int,
             seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """`count` disjoint random subsets of `size` images each.

    Returns x of shape (count, size, C, H, W) and y of shape (count, size).

    Raises ValueError where there are not that many images.
    """
    if count * size > len(x):
        raise ValueError(f"{count} disjoint subsets of {size} images need {count * size} images; there are {len(x)}")
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))[:count * size].to(x.device)
    return x[order].unflatten(0, (count, size)), y[order.to(y.device)].unflatten(0, (count, size))


def fit_together(networks: Sequence[nn.Module], x: torch.Tensor, y: torch.Tensor,
                 **options: Any) -> Sequence[nn.Module]:
    """Train every network in place on a set of its own, all of them in the same matrix multiplications.

    Afterwards they are frozen and in eval mode.

    networks: M modules of the same architecture, without batch normalisation; x: their images, (M, n, C, H, W); y:
    their labels, (M, n).
    options: epochs, batch_size, learning_rate, seed as of `training.fit`, which does the work. Returns the networks.
    A member's steps are its own, as if it had been trained alone; only which places of its set form a batch is common
    to all.
    """
    if len(networks) != len(x) or y.shape != x.shape[:2]:
        raise ValueError("one set of images for each network, and a label for each image are needed; got "
                         f"{len(networks)} networks, "
                         f"images of shape {tuple(x.shape)} and labels of shape {tuple(y.shape)}")
    family = _Family(networks)
    training.fit(family, x.transpose(0, 1), y.transpose(0, 1), loss=_mean_over_members, **options)
    for number, network in enumerate(networks):
        network.load_state_dict({name: family.stacked[_key(name)][number] for name in network.state_dict()})
        network.requires_grad_(False).eval()
    return networks


class _Family(nn.Module):
    """From images (N, M, C, H, W), a column for each member, to logits (N, M, K)."""

    def __init__(self, networks):
        super().__init__()
        parameters, buffers = stack_module_state(networks)
        if buffers:
            raise ValueError("networks with buffers, such as those of batch normalisation, cannot be trained "
                             f"together: {', '.join(buffers)}")
        self.names = list(parameters)
        self.stacked = nn.ParameterDict({_key(name): nn.Parameter(value.detach().clone())
                                         for name, value in parameters.items()})
        # in a list: its own weights are no parameters of the family
        self.skeleton = [copy.deepcopy(networks[0]).to("meta")]

    def forward(self, x):
        skeleton = self.skeleton[0].train(self.training)
        def member(weights, images):
            return functional_call(skeleton, weights, (images,))
        weights = {name: self.stacked[_key(name)] for name in self.names}
        return vmap(member, in_dims=(0, 1), out_dims=1, randomness="different")(weights, x)


def _key(name):
    return name.replace(".", "/")


def _mean_over_members(family, x, y):
    return F.cross_entropy(family(x).flatten(0, 1), y.flatten())
