"""Training on moved images: rotations and shifts at random, or the worst of them that a search finds.

The search is `attacks.spatial`. Both are losses for `training.fit`; random numbers come from torch's global generator,
which `fit` seeds.
"""

from typing import Literal

import torch
from torch import Tensor, nn

from advcourse.attacks.transformations import move, spatial
from advcourse.training.loop import cross_entropy_loss


def random_moves(x: Tensor, *, rotation: float, translation: float) -> Tensor:
    """Each image under a rotation and a shift of its own, drawn uniformly.

    x: images in [0, 1], shape (N, C, H, W). rotation: the largest, in degrees. translation: the largest, a share of the
    width and of the height.
    """
    limits = x.new_tensor([rotation, translation, translation])
    return move(x, limits * (2 * torch.rand(len(x), 3, device=x.device, dtype=x.dtype) - 1))


def random_move_loss(model: nn.Module, x: Tensor, y: Tensor, *, rotation: float = 30.0, translation: float = 0.1
                     ) -> Tensor:
    """The loss at randomly moved images: augmentation.

    model: from images in [0, 1], shape (N, C, H, W), to logits (N, K). x: such images. y: their labels, (N,).
    rotation, translation: the largest, as of `random_moves`.
    Returns the loss, a scalar. Cost: 1 forward and backward pass.
    """
    return cross_entropy_loss(model, random_moves(x, rotation=rotation, translation=translation), y)


def worst_move_loss(model: nn.Module, x: Tensor, y: Tensor, *, rotation: float = 30.0, translation: float = 0.1,
                    search: Literal["random", "gradient"] = "random", tries: int = 10, steps: int = 5) -> Tensor:
    """The loss at the worst move that a search finds: the saddle point of `pgd_loss`, in a space of three numbers.

        max over |angle| <= rotation, |dx|, |dy| <= translation of J(move(x), y)

    model: from images in [0, 1], shape (N, C, H, W), to logits (N, K). x: such images. y: their labels, (N,).
    rotation: the largest, in degrees, 0 to 180. translation: the largest, a share of the width and of the height.
    search: "random": the worst of `tries` moves, the same for all images of the batch. "gradient": `steps` steps of
        ascent from `tries` random starts.
    Returns the loss, a scalar.
    Raises ValueError where an argument is not as said here.
    Cost: random: tries + 2 forward passes and one backward; gradient: tries · steps forward and backward passes, too.

    Engstrom, Tran, Tsipras, Schmidt, Madry, "Exploring the landscape of spatial robustness", ICML 2019 (the worst of
    10).
    """
    seed = torch.randint(2**31, ()).item()
    x_adv = spatial(model, x, y, rotation=rotation, translation=translation, search=search, tries=tries, steps=steps,
                    generator=torch.Generator(x.device).manual_seed(seed))
    return cross_entropy_loss(model, x_adv, y)
