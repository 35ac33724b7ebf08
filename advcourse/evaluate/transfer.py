"""How adversarial examples made on one model do on others."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Literal

import torch
from torch import Tensor

from advcourse.attacks import contract, geometry
from advcourse.attacks.contract import Model
from advcourse.attacks.losses import cross_entropy
from advcourse.models.inference import IMAGES_AT_ONCE, predict


def transfer_matrix(sources: Mapping[str, Tensor | Callable[[Tensor, Tensor], Tensor]], targets: Mapping[str, Model],
                    x: Tensor, y: Tensor, *, measure: Literal["error", "fooled", "reached"] = "error",
                    batch_size: int = IMAGES_AT_ONCE) -> Tensor:
    """How adversarial examples made on some models do on others.

    sources: from a name to the attack on that model, a function (x, y) -> x_adv such as partial(fgsm, model, eps=0.1),
        or to a finished x_adv.
    targets: from a name to a model, from images in [0, 1], shape (N, C, H, W), to logits (N, K).
    x: clean images, at least one. y: their labels, shape (N,).
    measure: "error": the share of the adversarial images that the target reads wrong, as in the papers' tables;
        "fooled": the same of those images alone that the target reads right before the attack; "reached": the share
        read as y, where y holds the labels to reach.
    batch_size: images in one call of a target, at least 1.
    Returns shares in [0, 1], shape (sources, targets), float64: a row for a source, a column for a target; nan where a
        target reads no clean image right and measure is "fooled".
    Raises ValueError where an argument is not as said here, or an attack returns images of another shape.
    Cost: the attacks, and one forward pass per image, source and target ("fooled": and one per image and target).

    Papernot, McDaniel, Goodfellow, "Transferability in machine learning", 2016, section 3.
    """
    if measure not in ("error", "fooled", "reached"):
        raise ValueError(f"measure must be 'error', 'fooled' or 'reached'; got {measure!r}")
    if len(x) == 0 or y.shape != (len(x),) or not sources or not targets:
        raise ValueError("transfer_matrix needs a source, a target and at least one image, with one label each; got "
                         f"{len(sources)} sources, {len(targets)} targets, {len(x)} images and labels of shape "
                         f"{tuple(y.shape)}")

    def reads_as_y(model, images):
        return predict(model, images, batch_size).argmax(1) == y

    # What counts as success on which images: all of them, or those that the target reads right.
    counted = {name: reads_as_y(model, x) if measure == "fooled" else torch.ones_like(y, dtype=torch.bool)
               for name, model in targets.items()}
    rows = []
    for source in sources.values():
        x_adv = source if isinstance(source, torch.Tensor) else source(x, y)
        if x_adv.shape != x.shape:
            raise ValueError(f"an attack must return images of the shape of x, {tuple(x.shape)}; got "
                             f"{tuple(x_adv.shape)}")
        rows.append([(reads_as_y(model, x_adv) == (measure == "reached"))[counted[name]].double().mean()
                     for name, model in targets.items()])
    return torch.tensor(rows, dtype=torch.float64)


def gradient_similarity(models: Mapping[str, Model], x: Tensor, y: Tensor) -> Tensor:
    """The mean cosine between the loss gradients of every two models at the same images.

        S(f, g) = mean over i of  ∇_x J_f(x_i, y_i) · ∇_x J_g(x_i, y_i) / (‖∇_x J_f‖₂ ‖∇_x J_g‖₂)

    To first order it says how much of a step up one model's loss is a step up the other's.
    models: from a name to a model with a gradient, from images in [0, 1], shape (N, C, H, W), to logits (N, K).
    x: such images. y: their labels, shape (N,), int64. Where a gradient is zero its cosines count as 0.
    Returns S, shape (M, M), float64, in [-1, 1], 1 on the diagonal.
    Raises ValueError where a model's logits carry no gradient.
    Cost: 1 forward and 1 backward pass per image and model.

    Demontis et al., "Why do adversarial attacks transfer?", USENIX Security 2019, section 3.2; Liu et al., ICLR 2017,
    section 4.
    """
    directions = []
    for model in models.values():
        with contract.attacking(model) as ask:
            _, _, gradient = contract.input_gradient(ask, x, partial(cross_entropy, y=y))
        directions.append(geometry.normalise(gradient, "l2").flatten(1))
    stacked = torch.stack(directions).double()
    return torch.einsum("aij,bij->ab", stacked, stacked) / len(x)
