"""AdvGAN: a network that learns to perturb, so that an attack costs one forward pass and no gradient of the victim.

A generator G proposes a perturbation for each image; it is trained to fool the model, and against a discriminator D
that tells perturbed images from clean ones and so keeps them natural. Once trained, it attacks images that it has never
seen.
Unlike other attacks `advgan` therefore returns an attack: a network from images x to x_adv.
"""

import os
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from advcourse.attacks.cards import AttackCard
from advcourse.attacks.contract import (
    Model,
    at_least_float32,
    attacking,
    check,
    check_positive,
    fresh,
    generator_for,
    labels_fit,
)
from advcourse.attacks.geometry import bounds, project
from advcourse.attacks.losses import margin
from advcourse.models.inference import IMAGES_AT_ONCE
from advcourse.randomness import seed_from, seeded


class Perturber(nn.Module):
    """The trained attack: x_adv = low + (high − low) · sigmoid(G(x)), low = max(x − eps, 0), high = min(x + eps, 1).

    In [0, 1] and within eps of x in linf by construction, and unlike clip(x + eps · tanh(G(x))) with a gradient
    everywhere: of a black pixel that G wants darker the clip would leave none, and the training would stall. G: down to
    a quarter of the size, two residual blocks, up again; works for any number of channels and any size.
    """

    def __init__(self, channels: int, eps: float, width: int = 8):
        super().__init__()
        self.eps = eps

        def norm(count):  # without it one training in four stalls; GroupNorm does not mix the images of a batch
            return nn.GroupNorm(4, count)

        self.down = nn.Sequential(
            nn.Conv2d(channels, width, 3, padding=1), norm(width), nn.ReLU(),
            nn.Conv2d(width, 2 * width, 4, stride=2, padding=1), norm(2 * width), nn.ReLU(),
            nn.Conv2d(2 * width, 4 * width, 4, stride=2, padding=1), norm(4 * width), nn.ReLU())
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Conv2d(4 * width, 4 * width, 3, padding=1), nn.ReLU(),
                          nn.Conv2d(4 * width, 4 * width, 3, padding=1))
            for _ in range(2))
        self.up = nn.Sequential(
            nn.ConvTranspose2d(4 * width, 2 * width, 4, stride=2, padding=1), norm(2 * width), nn.ReLU(),
            nn.ConvTranspose2d(2 * width, width, 4, stride=2, padding=1), norm(width), nn.ReLU(),
            nn.Conv2d(width, channels, 3, padding=1))

    def perturb(self, x: Tensor) -> Tensor:
        """The formula above, differentiable: what the training sees."""
        height, width = x.shape[2:]
        # Halved twice and doubled twice: heights and widths have to be multiples of 4.
        h = self.down(F.pad(x, (0, -width % 4, 0, -height % 4), mode="replicate"))
        for block in self.blocks:
            h = h + block(h)
        low, high = bounds(x, self.eps)
        return low + (high - low) * torch.sigmoid(self.up(h)[:, :, :height, :width])

    @torch.no_grad()
    def forward(self, x: Tensor) -> Tensor:
        """x_adv for images x, shape (N, C, H, W) in [0, 1]: detached, any number of them."""
        check(x)
        if len(x) == 0:
            return x.clone()
        return project(torch.cat([self.perturb(part) for part in x.split(IMAGES_AT_ONCE)]), x, self.eps, "linf")


def advgan(model: Model, x: Tensor, y: Tensor, *, eps: float, epochs: int = 10, batch_size: int = 100,
           learning_rate: float = 3e-3, natural: float = 0.1, hinge: float = 0.1, targeted: bool = False,
           generator: torch.Generator | None = None) -> Perturber:
    """Train a generator of adversarial examples on the images x; return it as an attack, x_adv = attack(x).

        min_G max_D   L_adv + natural · L_GAN + hinge · L_hinge
        L_adv   = mean max(margin of y in model(x_adv), −κ),  κ = 5              (targeted: of −margin)
        L_GAN   = mean (D(x_adv) − 1)² for G;  mean (D(x) − 1)² + D(x_adv)² for D   (least squares)
        L_hinge = mean max(0, ‖x_adv − x‖₂ − c),  c = eps √D / 2                   (D pixel values)

    model: from images in [0, 1], shape (N, C, H, W), to logits (N, K): white box in training, not touched afterwards.
    x: such images. y: their labels, shape (N,), int64; with targeted=True the labels to reach (one class for all: one
        generator reaches one class).
    eps: the largest change of a pixel, at least 0, kept by construction.
    epochs: passes over x, at least 1. batch_size: at least 1. learning_rate: of Adam for G and D, above 0.
    natural, hinge: the weights of the other two losses, at least 0.
    generator: on x's device. None: a fresh one of seed 0, the same numbers in every call. Torch's global generators
        stay as they are.
    Returns a Perturber, in eval mode, its parameters frozen, on x's device and of its dtype. Training shows a progress
        bar unless TQDM_DISABLE is set.
    Raises ValueError where an argument is not as said here, or y does not fit the logits.
    Cost: training: epochs · N forward and backward passes of the model; attacking: none of the model.

    Xiao, Li, Zhu, He, Liu, Song, "Generating adversarial examples with adversarial networks", IJCAI 2018, equations 1
    to 4. The paper's L_hinge alone bounds the perturbation, softly; here the sigmoid bounds it in linf. The networks
    are smaller, as is fit for 28 × 28.
    """
    check(x, y, eps=eps, epochs=epochs, batch_size=batch_size)
    check_positive(learning_rate=learning_rate)
    for name, weight in (("natural", natural), ("hinge", hinge)):
        if not (isinstance(weight, (int, float)) and 0 <= weight < float("inf")):
            raise ValueError(f"{name} must be a finite number of at least 0; got {weight!r}")
    if x.dim() != 4 or min(x.shape[1:]) < 1:
        raise ValueError(f"x must be images of shape (N, channels, height, width); got shape {tuple(x.shape)}")
    generator = generator_for(x, generator)
    x, y = fresh(x), fresh(y)
    training = Training(epochs, batch_size, learning_rate, natural, hinge, targeted)
    with attacking(model) as ask, seeded(seed_from(generator)):
        attack = Perturber(x.shape[1], eps).to(x)
        if len(x):
            _train(ask, attack, x, y, training, generator)
    return attack.requires_grad_(False).eval()


@dataclass(frozen=True)
class Training:
    """The options of `advgan`'s training."""

    epochs: int
    batch_size: int
    learning_rate: float
    natural: float
    hinge: float
    targeted: bool


def _train(ask, attack, x, y, training, generator):
    from tqdm.auto import tqdm

    judge = _discriminator(x.shape[1]).to(x)
    steps = training.epochs * -(-len(x) // training.batch_size)
    optimizers = [torch.optim.Adam(network.parameters(), lr=training.learning_rate, betas=(0.5, 0.999))
                  for network in (attack, judge)]
    schedules = [torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - 0.9 * step / steps)
                 for optimizer in optimizers]
    # tqdm's bar for notebooks overlooks this variable of tqdm's own.
    with tqdm(total=steps, unit="batch", desc="advgan", disable=bool(os.environ.get("TQDM_DISABLE"))) as progress:
        for _ in range(training.epochs):
            order = torch.randperm(len(x), generator=generator, device=x.device)
            for batch in order.split(training.batch_size):
                images = x[batch]
                x_adv = attack.perturb(images)
                _step(optimizers[1], judge, (judge(images) - 1).square().mean() + judge(x_adv.detach()).square().mean())
                _step(optimizers[0], attack, _loss_of_perturber(ask, attack, judge, images, x_adv, y[batch], training))
                for schedule in schedules:
                    schedule.step()
                progress.update()


def _loss_of_perturber(ask, attack, judge, images, x_adv, labels, training):
    """L_adv + natural · L_GAN + hinge · L_hinge, for G."""
    logits = at_least_float32(ask(x_adv))
    labels_fit(logits, labels)
    gap = margin(logits, labels)
    fooling = (-gap if training.targeted else gap).clamp(min=-5).mean()
    size = (x_adv - images).flatten(1).square().sum(1).add(1e-12).sqrt()
    allowed = attack.eps * images[0].numel() ** 0.5 / 2
    return (fooling + training.natural * (judge(x_adv) - 1).square().mean()
            + training.hinge * (size - allowed).clamp(min=0).mean())


def _step(optimizer, network, loss):
    """One step of the optimizer on the network's own parameters: no other network's gradients are touched."""
    parameters = list(network.parameters())
    for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
        parameter.grad = torch.nan_to_num(gradient, 0, 0, 0)
    optimizer.step()
    optimizer.zero_grad()


def _discriminator(channels, width=16):
    """D: one number per image, near 1 for clean ones."""
    return nn.Sequential(
        nn.Conv2d(channels, width, 4, stride=2, padding=2), nn.LeakyReLU(0.2),
        nn.Conv2d(width, 2 * width, 4, stride=2, padding=2), nn.LeakyReLU(0.2),
        nn.Conv2d(2 * width, 1, 3, padding=1), nn.AdaptiveAvgPool2d(1), nn.Flatten(0))


CARDS = (
    AttackCard(
        name="advgan", input="non-random", frequency="one-time", specificity="both", scope="individual",
        measurement="linf", realism="realistic", falsification="both", knowledge="white box",
        method="a generator trained to fool the model and a discriminator; one pass of it per image afterwards",
        paper="Xiao et al., 2018, arXiv:1801.02610",
        cost="training: epochs · N forward and backward passes; attacking: none of the model", notebook="06",
    ),
)
