"""Two images in one, and two labels: mixup and CutMix, with each pair's own share."""

import torch
from torch import Tensor

from advcourse.invariance.arguments import check_images, per_image
from advcourse.invariance.geometry import inside
from advcourse.randomness import seed_from, seeded


def mixup(x: Tensor, y: Tensor, partner: Tensor, weight: float | Tensor) -> tuple[Tensor, Tensor]:
    """weight · x + (1 − weight) · x[partner], and the same of the labels.

    x: (N, C, H, W) in [0, 1]; y: (N, K), the probability of each class, such as one-hot labels; partner: (N,), whom
    each image is mixed with, such as a random permutation; weight: in [0, 1], one number or one for each image.
    Returns images and labels of the shapes of x and y. Raises ValueError where an argument is not as said here.

    Zhang, Cisse, Dauphin, Lopez-Paz, "mixup: beyond empirical risk minimization", ICLR 2018.
    """
    _check(x, y, partner)
    weight = per_image("weight", weight, x)
    if not ((weight >= 0) & (weight <= 1)).all():
        raise ValueError("weight must lie in [0, 1]")
    of_label = weight.view(-1, 1)
    return ((weight * x + (1 - weight) * x[partner]).to(x.dtype),
            (of_label * y + (1 - of_label) * y[partner]).to(y.dtype))


def cutmix(x: Tensor, y: Tensor, partner: Tensor, boxes: Tensor) -> tuple[Tensor, Tensor]:
    """The images with a box of each taken from its partner, and labels by the share of pixels that each really gave.

    x, y, partner: as of `mixup`; boxes: (N, 4), as `cutmix_boxes` returns them.
    Returns images and labels of the shapes of x and y. Raises ValueError where an argument is not as said here.

    Yun, Han, Oh, Chun, Choe, Yoo, "CutMix: regularization strategy to train strong classifiers with localizable
    features", ICCV 2019.
    """
    _check(x, y, partner)
    taken = inside(boxes, x)
    share = taken.to(y.dtype).mean(dim=(1, 2, 3)).view(-1, 1)
    return torch.where(taken, x[partner], x), (1 - share) * y + share * y[partner]


def mixup_weights(n: int, alpha: float = 0.2, *, generator: torch.Generator) -> Tensor:
    """n weights from the symmetric Beta distribution: at alpha 1 uniform, below it most are near 0 or 1."""
    if alpha <= 0:
        raise ValueError(f"alpha must be above 0; got {alpha}")
    with seeded(seed_from(generator)):  # the distribution takes no generator
        weights = torch.distributions.Beta(alpha, alpha).sample((n,))
    return weights.to(generator.device)


def cutmix_boxes(n: int, *, generator: torch.Generator) -> Tensor:
    """n boxes, (n, 4): a square share of the image, uniform in [0, 1], around a uniform centre, cut to the image."""
    chance = torch.rand(n, 3, generator=generator, device=generator.device)
    half = chance[:, :1].sqrt() / 2
    first, last = (chance[:, 1:] - half).clamp(min=0), (chance[:, 1:] + half).clamp(max=1)
    return torch.cat([first, last - first], dim=1)


def _check(x, y, partner):
    check_images(x)
    if y.dim() != 2 or len(y) != len(x) or not y.is_floating_point():
        raise ValueError(f"y must be the probabilities of the classes, ({len(x)}, K); got {tuple(y.shape)}, {y.dtype} "
                         "(for labels: torch.nn.functional.one_hot(y, K).float())")
    if partner.shape != (len(x),) or partner.is_floating_point() or partner.dtype == torch.bool:
        raise ValueError(f"partner must be {len(x)} indices; got {tuple(partner.shape)}, {partner.dtype}")
