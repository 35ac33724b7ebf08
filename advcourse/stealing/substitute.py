"""The substitute attack: copy a model that tells labels alone, then attack the copy, whose gradient one has."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from advcourse import training
from advcourse.attacks import contract
from advcourse.attacks.contract import Model


def augment(model: Model, x: Tensor, labels: Tensor, step: float) -> Tensor:
    """New images to ask about: each image, moved so that the substitute's score of its label changes most.

        x' = clip(x + step · sign(∇_x s_label(x)))

    model: the substitute, from images in [0, 1], shape (N, C, H, W), to logits (N, K).
    x: such images. labels: what the remote model calls them, shape (N,), int64.
    step: may be negative: towards the boundary instead of away from it.
    Returns images of the shape of x, detached.
    Raises ValueError where an argument is not as said here, or the logits carry no gradient.
    Cost: 1 forward and 1 backward pass of the substitute.

    Papernot et al., "Practical black-box attacks against machine learning", Asia CCS 2017, section 4.2 (Jacobian-based
    augmentation).
    """
    contract.check(x, labels)
    with contract.attacking(model) as ask:
        x, labels = contract.fresh(x), contract.fresh(labels)
        _, _, gradient = contract.input_gradient(ask, x, lambda logits: logits.gather(1, labels[:, None])[:, 0])
    return (x + step * gradient.sign()).clamp(0, 1)


def train_substitute(query: Callable[[Tensor], Tensor], x: Tensor, network: nn.Module, *, rounds: int = 5,
                     step: float = 0.1, period: int = 3, most: int | None = None, epochs: int = 10,
                     batch_size: int = 64, learning_rate: float = 1e-3, seed: int = 0,
                     watch: Callable[[nn.Module], dict] | None = None) -> tuple[list[dict], Tensor, Tensor]:
    """Train `network` in place to answer as the remote model does.

        repeat: ask for the labels of the new images; train on all; new images = augment(network, x, labels, ± step)

    query: from images to labels (N,), such as partial(ask, url).
    x: the few images to begin with, shape (N, C, H, W), on the network's device. network: images to logits.
    rounds: how often the network is trained, at least 1; the set doubles between them, unless `most` limits how many
        images come new in each: a random choice of the old ones is then augmented. So the queries are N · 2^(rounds −
        1), or less.
    step: the paper's λ; it changes its sign every `period` rounds.
    epochs, batch_size, learning_rate: of each training, as of `training.fit`, which goes on from where the last one
        ended. seed: of all random numbers.
    watch: a function of the network, whose dict joins the history after every round.
    Returns (history, x, labels): a dict for each round, with "queries" (images asked about so far), and all that was
        asked and answered.
    Raises ValueError where rounds, period or most is below 1.
    Cost: N · 2^(rounds − 1) queries, and rounds trainings of the network.

    Papernot et al., "Practical black-box attacks against machine learning", Asia CCS 2017, algorithm 1 and section 4.3;
    λ's changes and the random choice ("reservoir sampling"): Papernot et al., "Transferability in machine learning",
    2016, section 4.
    """
    if rounds < 1 or period < 1 or (most is not None and most < 1):
        raise ValueError("rounds, period and most must be at least 1; "
                         f"got rounds={rounds}, period={period}, most={most}")
    generator = torch.Generator().manual_seed(seed)
    labels, history = query(x), []
    for number in range(rounds):
        training.fit(network, x, labels, epochs=epochs, batch_size=batch_size, learning_rate=learning_rate,
                     seed=seed + number)
        history.append({"queries": len(x), **(watch(network) if watch else {})})
        if number < rounds - 1:
            chosen = torch.randperm(len(x), generator=generator)[:most].to(x.device)
            sign = 1 if number // period % 2 == 0 else -1
            new = augment(network, x[chosen], labels[chosen], sign * step)
            x, labels = torch.cat([x, new]), torch.cat([labels, query(new)])
    return history, x, labels
