"""The end of a minimum-norm attack: from the image that it has found straight back towards x, up to the boundary."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from advcourse.attacks.contract import Model, at_least_float32
from advcourse.attacks.geometry import Box, per_example


def to_boundary(ask: Model, x: Tensor, y: Tensor, *, x_adv: Tensor, found: Tensor,
                shortfall: Callable[[Tensor, Tensor], Tensor], box: Box, evaluations: int = 6) -> Tensor:
    """x_adv moved along the line to x as far as the attack stays successful: never away from x, in any norm.

    ask: the model, as `attacking` lends it; x: the images; y: their labels, shape (N,).
    found: where x_adv is a success, shape (N,); elsewhere nothing changes.
    shortfall: from (logits, labels) to numbers, shape (N,), that are negative at a success, such as `losses.shortfall`.
    box: the valid values.
    Cost: evaluations + 2 forward passes. It is regula falsi with the "Illinois" rule: Dowell, Jarratt, "A modified
    regula falsi method", BIT 1971.
    """
    rows = found.nonzero()[:, 0]
    if len(rows) == 0:
        return x_adv
    x, y, start = x[rows], y[rows], x_adv[rows]

    def value_at(point):
        logits = at_least_float32(ask(point))
        # A success must survive the rounding of another batch size: a hundred times that of the logits themselves.
        slack = 100 * torch.finfo(x.dtype).eps * logits.abs().amax(1).nan_to_num(0, 0, 0)
        return (shortfall(logits, y) + slack).to(x.dtype).nan_to_num(math.inf, math.inf, -1e30)

    best = start
    with torch.no_grad():
        low, low_value = x.new_zeros(len(x)), value_at(x).clamp(1e-12, 1e30)
        high, high_value = x.new_ones(len(x)), value_at(start).clamp(-1e30, -1e-12)
        side = torch.zeros_like(low)  # of the boundary, of the point before: 1 or -1
        for _ in range(evaluations):
            at = high - high_value * (high - low) / (high_value - low_value)
            at = (at + 0.01 * (high - at)).clamp(low, high)  # a little on the safe side
            point = torch.lerp(x, start, per_example(at, x)).clamp_(*box)
            value = value_at(point)
            success = value < 0
            best = torch.where(per_example(success, x), point, best)
            # Illinois: a second point on the same side halves the value at the other end, so that this end moves, too.
            low_value = torch.where(success, torch.where(side < 0, low_value / 2, low_value), value.clamp(1e-12, 1e30))
            high_value = torch.where(success, value.clamp(-1e30, -1e-12),
                                     torch.where(side > 0, high_value / 2, high_value))
            low, high = torch.where(success, low, at), torch.where(success, at, high)
            side = value.sign()
    return x_adv.index_copy(0, rows, best)
