"""Column generation: a worst-case loss over many changes, minimised while looking at a few of them.

Most changes of most images are never the worst. So: minimise over those seen so far, look for the worst of all, add
it, repeat. The bounds say when to stop.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from scipy.optimize import minimize
from torch import Tensor, nn
from torch.nn import functional as F

from advcourse.invariance.worst_case_loss import worst_case_losses
from advcourse.models.networks import softmax_regression

DECAY = 1e-3  # λ
TEMPERATURE = 2e-3  # of the smoothed maximum; it costs at most that times log K
IN_A_ROUND = 20  # iterations of L-BFGS: there is no use in a precise minimum before the columns are there
ITERATIONS = 200  # of L-BFGS on the mean, which has no columns


@dataclass(frozen=True)
class Round:
    """A round: how many changes of an image take part (mean), and between which bounds the least objective lies."""

    columns: float
    lower: float
    upper: float


def column_generation(changed: Tensor, y: Tensor, eta: Tensor, *, classes: int, decay: float = DECAY,
                      gap: float = 0.01, rounds: int = 20) -> tuple[nn.Sequential, list[Round]]:
    """Softmax regression that minimises the worst-case loss over all changes, one column at a time.

        objective(W) = λ/2 ‖W‖² + 1/N Σ_i max over k of η_k · J(W; x_ik, y_i)

    changed: every image under every change, shape (N, K, C, H, W), the identity first. y: labels, (N,).
    eta: in [0, 1], shape (K,), 1 for the identity. classes: of the softmax.
    decay: λ, above 0; biases decay as well. gap: stop where upper − lower <= gap · upper. rounds: at most.
    Returns (model, history): a Round for each round; `upper` is the model's own objective over all changes, and no
        W has a smaller one than `lower`.
    Raises ValueError where an argument is not as said here.
    Cost: each round trains a little on the columns so far, and asks once about all.

    Teo, Globerson, Roweis, Smola, "Convex learning with invariances", NIPS 2007.
    """
    active = torch.zeros(changed.shape[:2], dtype=torch.bool)
    active[:, 0] = True
    return _minimised(changed, y, eta, active, classes, decay, gap, rounds)


def enumeration(changed: Tensor, y: Tensor, eta: Tensor, *, classes: int, decay: float = DECAY, gap: float = 0.01,
                rounds: int = 20) -> tuple[nn.Sequential, list[Round]]:
    """The same, to the same gap, with all columns from the start; arguments and result as of `column_generation`."""
    everything = torch.ones(changed.shape[:2], dtype=torch.bool)
    return _minimised(changed, y, eta, everything, classes, decay, gap, rounds)


def averaged(changed: Tensor, y: Tensor, *, classes: int, decay: float = DECAY) -> nn.Sequential:
    """Softmax regression on all changed images alike, the mean in place of the maximum: augmentation, stored."""
    _check(changed, y, torch.ones(changed.shape[1]), decay)
    inputs, start = _inputs(changed), np.zeros(classes * (changed[0, 0].numel() + 1))

    def objective(table):
        return _losses_of(table, inputs.flatten(0, 1), y.repeat_interleave(inputs.shape[1])).mean()

    return _network(_lbfgs(objective, start, inputs, decay, ITERATIONS), changed.shape[2:], classes)


def _check(changed, y, eta, decay):
    if changed.dim() != 5 or y.shape != changed.shape[:1] or eta.shape != changed.shape[1:2]:
        raise ValueError("changed must have shape (N, K, C, H, W), y (N,) and eta (K,); got "
                         f"{tuple(changed.shape)}, {tuple(y.shape)} and {tuple(eta.shape)}")
    if not decay > 0 or eta[0] != 1 or not 0 <= eta.min() <= eta.max() <= 1:
        raise ValueError(f"decay must be above 0, eta in [0, 1] and eta[0] = 1; got {decay!r} and {eta.tolist()[:5]}")


def _minimised(changed, y, eta, active, classes, decay, gap, rounds):
    """(model, history) from these columns on, with the worst of each image added after every round."""
    _check(changed, y, eta, decay)
    inputs, weights, history = _inputs(changed), np.zeros(classes * (changed[0, 0].numel() + 1)), []
    for _ in range(rounds):
        weights, round_ = _round(inputs, y, eta, active, weights, decay)
        history.append(round_)
        if round_.upper - round_.lower <= gap * round_.upper:
            break
        active.scatter_(1, (eta * _losses(inputs, y, weights)).argmax(1, keepdim=True), True)
    return _network(weights, changed.shape[2:], classes), history


def _inputs(changed):
    """(N, K, D + 1): the flat images, and a 1 that the bias multiplies."""
    return F.pad(changed.flatten(2), (0, 1), value=1.0)


def _losses_of(table, inputs, y):
    """Cross-entropies of inputs (A, D + 1) with the table of weights (classes, D + 1)."""
    return F.cross_entropy(inputs @ table.T, y, reduction="none")


def _losses(inputs, y, weights):
    """Cross-entropies of all columns, (N, K)."""
    table = torch.as_tensor(weights, dtype=inputs.dtype).view(-1, inputs.shape[2])
    return _losses_of(table, inputs.flatten(0, 1), y.repeat_interleave(inputs.shape[1])).view(inputs.shape[:2])


def _round(inputs, y, eta, active, start, decay):
    """(weights, Round) of the objective over the active columns, the maximum smoothed.

        T log Σ_k exp(η_k l_k / T)         its gradient is that of Σ_k μ_k η_k l_k, μ the softmax of η l / T

    For any μ that sums to 1 the latter lies below the maximum, is smooth, and grows at least as λ/2 ‖W − W*‖²: so its
    minimum, and that of the objective, is at least its value at W less ‖gradient‖² / 2λ.
    """
    rows, columns = active.nonzero(as_tuple=True)
    chosen, labels, scale = inputs[rows, columns], y[rows], eta[columns].to(inputs)

    def weighed(table):
        losses = inputs.new_full(active.shape, -torch.inf)
        return losses.index_put((rows, columns), scale * _losses_of(table, chosen, labels))

    weights = _lbfgs(lambda table: TEMPERATURE * (weighed(table) / TEMPERATURE).logsumexp(1).mean(), start, inputs,
                     decay, IN_A_ROUND)
    table = torch.as_tensor(weights, dtype=inputs.dtype).view(-1, inputs.shape[2]).requires_grad_()
    losses = weighed(table)
    mu = (losses / TEMPERATURE).softmax(1).detach()
    below = (mu * losses.masked_fill(~active, 0)).sum(1).mean() + decay / 2 * table.square().sum()
    gradient, = torch.autograd.grad(below, table)
    upper = worst_case_losses(_losses(inputs, y, weights), eta).mean().item() + decay / 2 * float(weights @ weights)
    lower = below.item() - gradient.double().square().sum().item() / (2 * decay)
    return weights, Round(active.float().sum(1).mean().item(), lower, upper)


def _lbfgs(objective: Callable[[Tensor], Tensor], start, inputs, decay, iterations):
    """The flat weights, in float64, that minimise objective(table) + λ/2 ‖table‖²."""
    def value_and_gradient(weights):
        table = torch.as_tensor(weights, dtype=inputs.dtype).view(-1, inputs.shape[2]).requires_grad_()
        value = objective(table) + decay / 2 * table.square().sum()
        gradient, = torch.autograd.grad(value, table)
        return value.item(), gradient.flatten().double().numpy()

    return minimize(value_and_gradient, start, jac=True, method="L-BFGS-B", options={"maxiter": iterations}).x


def _network(weights, shape, classes):
    """The weights as `models.softmax_regression`, frozen."""
    model = softmax_regression(tuple(shape), classes)
    table = torch.as_tensor(weights, dtype=torch.float32).view(classes, -1)
    with torch.no_grad():
        model[1].weight.copy_(table[:, :-1])
        model[1].bias.copy_(table[:, -1])
    return model.requires_grad_(False).eval()
