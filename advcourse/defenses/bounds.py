"""How far is it to the nearest adversarial example? From below, exactly, and from above.

An attack gives an upper bound: there is one at this distance. Interval arithmetic gives a lower bound: below it there
is none. For a linear model the distance has a closed form, for a small ReLU network it is the optimum of a
mixed-integer program. Networks are those of `advcourse.models`: an `nn.Sequential` of Flatten, Linear, Conv2d and ReLU,
the last layer Linear.
"""

import math
import time
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from advcourse.attacks import contract, geometry
from advcourse.attacks.contract import Norm
from advcourse.attacks.geometry import dual_norm

INFEASIBLE, FAILED = 2, 4  # scipy's status codes of a program

# Exactly, for a linear model

def linear_distance(model: nn.Sequential, x: Tensor, y: Tensor, *, norm: Norm = "linf", box: bool = False) -> Tensor:
    """The distance to the nearest image that a linear model reads as another class, in closed form.

        min over k ≠ y of (z_y − z_k) / ‖w_y − w_k‖_dual          dual norms: linf and l1, l2 and l2, l1 and linf

    model: `models.softmax_regression`, Flatten and one Linear layer. x: images in [0, 1], shape (N, C, H, W).
    y: their labels, shape (N,), int64. norm: "linf", "l2" or "l1".
    box: the nearest image with pixels in [0, 1]; norm "linf" only.
    Returns distances, shape (N,); 0 where the model is wrong, inf where there is no such image in the box.
    Raises ValueError where an argument is not as said here.
    Cost: one matrix product, and with box a sort of every image's pixels for each class.

    The distance to a hyperplane: Moosavi-Dezfooli, Fawzi, Frossard, "DeepFool", CVPR 2016, section 3.1.
    """
    contract.check(x, y, norm=norm, norms=("linf", "l2", "l1"))
    if box and norm != "linf":
        raise ValueError(f"box=True has a closed form for norm 'linf' only; got {norm!r}")
    (weight, bias), = _layers(model)
    x = x.flatten(1).to(weight)
    logits = x @ weight.T + bias
    lead = logits.gather(1, y[:, None]) - logits  # (N, K)
    slope = weight - weight[y][:, None]  # (N, K, D): how the other class's lead grows with each pixel
    if box:
        room = torch.where(slope > 0, 1 - x[:, None], x[:, None])
        needed = _fill(slope.abs(), room, lead)
    else:
        needed = lead / dual_norm(slope.flatten(0, 1), norm).view(lead.shape).clamp_min(torch.finfo(x.dtype).tiny)
    return needed.scatter(1, y[:, None], math.inf).amin(1).clamp_min(0)


def _fill(slope, room, lead):
    """The smallest eps, shape (N, K), for which Σ_i slope_i · min(eps, room_i) >= lead.

    The sum is linear in eps between the sorted rooms.
    """
    room, order = room.sort(2)
    slope = slope.gather(2, order)
    full = (slope * room).cumsum(2)  # what the pixels that are at their limit have brought
    rest = slope.sum(2, keepdim=True) - slope.cumsum(2)  # the slopes of those that still move
    first = (full + room * rest < lead[..., None]).sum(2, keepdim=True)  # the piece on which the lead is reached
    before = (first - 1).clamp_min(0)
    brought = torch.where(first > 0, full.gather(2, before), 0)[..., 0]
    moving = torch.where(first > 0, rest.gather(2, before), slope.sum(2, keepdim=True))[..., 0]
    return torch.where(first[..., 0] < room.shape[2], (lead - brought) / moving, math.inf)


# From below: interval arithmetic

def interval_bounds(model: nn.Sequential, low: Tensor, high: Tensor) -> list[tuple[Tensor, Tensor]]:
    """What every layer's output can be when each pixel lies between low and high.

    model: Flatten, Linear, Conv2d and ReLU layers. low, high: images, shape (N, C, H, W).
    Returns a list of (low, high), one pair per Linear or Conv2d. Each pair bounds the layer's output before the ReLU;
        the last pair bounds the logits.
    Raises ValueError for another layer.
    Cost: two forward passes.

    Gowal et al., "On the effectiveness of interval bound propagation for training verifiably robust models", 2018.
    """
    bounds = []
    for layer in model:
        if isinstance(layer, nn.ReLU | nn.Flatten):
            low, high = layer(low), layer(high)
        elif isinstance(layer, nn.Linear | nn.Conv2d):
            low, high = _interval(layer, low, high)
            bounds.append((low, high))
        else:
            given = type(layer).__name__
            raise ValueError(f"intervals pass through Flatten, Linear, Conv2d and ReLU only; got {given}")
    return bounds


def _interval(layer, low, high):
    """A linear map of a box: the centre goes through the weights, the half widths through their absolute values."""
    centre, half = layer((low + high) / 2), (high - low) / 2
    if isinstance(layer, nn.Linear):
        half = half @ layer.weight.abs().T
    else:
        half = F.conv2d(half, layer.weight.abs(), None, layer.stride, layer.padding, layer.dilation, layer.groups)
    return centre - half, centre + half


@torch.no_grad()
def proved_by_intervals(model: nn.Sequential, x: Tensor, y: Tensor, eps: float | Tensor) -> Tensor:
    """Where interval arithmetic proves that no image of [0, 1] within eps (linf) of x has another class than y.

    model: Flatten, Linear, Conv2d and ReLU layers, the last one Linear. x: images in [0, 1], shape (N, C, H, W).
    y: their labels, shape (N,). eps: at least 0, a number, or one per image, shape (N,).
    Returns bool, shape (N,).
    Raises ValueError for another layer.
    Cost: two forward passes, the last layer's for every pair of classes.

    Gowal et al., "On the effectiveness of interval bound propagation for training verifiably robust models", 2018.
    """
    eps = geometry.per_example(torch.as_tensor(eps, dtype=x.dtype, device=x.device).expand(len(x)), x)
    low, high = (x - eps).clamp_min(0), (x + eps).clamp_max(1)
    body, last = nn.Sequential(*list(model)[:-1]), model[-1]
    bounds = interval_bounds(body, low, high)
    # The leads over y as one layer, instead of the logits: what two logits share then cancels before the interval is
    # taken.
    low, high = (F.relu(end) for end in bounds[-1]) if bounds else (low.flatten(1), high.flatten(1))
    slope = last.weight - last.weight[y][:, None]  # (N, K, D)
    centre, half = ((low + high) / 2).flatten(1), ((high - low) / 2).flatten(1)
    lead = (slope @ centre[..., None] + slope.abs() @ half[..., None])[..., 0] + last.bias - last.bias[y][:, None]
    return (lead.scatter(1, y[:, None], -math.inf) < 0).all(1)


def interval_distance(model: nn.Sequential, x: Tensor, y: Tensor, *, halvings: int = 20) -> Tensor:
    """A lower bound on the linf distance to the nearest adversarial example: the largest eps that intervals prove.

    model: Flatten, Linear, Conv2d and ReLU layers, the last one Linear. x: images in [0, 1], shape (N, C, H, W).
    y: their labels, shape (N,), int64. halvings: of the bisection of [0, 1], at least 1.
    Returns distances, shape (N,); 0 where nothing is proved.
    Raises ValueError where an argument is not as said here.
    Cost: halvings times that of `proved_by_intervals`.

    Gowal et al., "On the effectiveness of interval bound propagation for training verifiably robust models", 2018.
    """
    contract.check(x, y, halvings=halvings)
    low, high = torch.zeros_like(x.flatten(1)[:, 0]), torch.ones_like(x.flatten(1)[:, 0])
    for _ in range(halvings):
        middle = (low + high) / 2
        proved = proved_by_intervals(model, x, y, middle)
        low, high = torch.where(proved, middle, low), torch.where(proved, high, middle)
    return low


# Exactly, for a small ReLU network

@dataclass(frozen=True)
class Distance:
    """What is known of the distance of one image: lower <= distance <= upper, and an image at the distance `upper`."""

    lower: float
    upper: float
    x_adv: torch.Tensor  # (C, H, W), on the boundary between two classes
    seconds: float

    @property
    def exact(self) -> bool:
        """Whether the two bounds meet: the search came to its end."""
        return self.upper - self.lower <= 1e-5


def exact_distance(model: nn.Sequential, x: Tensor, y: int, *, upper: float = 1.0,
                   time_limit: float = 60.0) -> Distance:
    """The linf distance to the nearest image of [0, 1] at which a ReLU network prefers another class, or a tie.

        minimise eps   subject to   |x' − x| <= eps,   0 <= x' <= 1,   h = max(W h' + b, 0) at each layer,   z_k >= z_y

    A ReLU that may be on or off within the box costs one 0-1 variable a ∈ {0, 1}: h >= W h' + b,  h <= W h' + b −
    l (1 − a),  h <= u a,  with l and u from intervals. Each class k is a program of its own, solved by HiGHS; later
    ones only search below the best distance so far.
    model: Flatten, Linear and ReLU layers, some tens of units. x: one image (C, H, W) in [0, 1]. y: its label.
    upper: a distance at which an adversarial example is known, for instance from an attack, above 0: it makes the
        program much smaller.
    time_limit: in seconds, above 0, for all classes k together.
    Returns a `Distance`: bounds that meet where the search came to its end, and an image at the upper one.
    Raises ValueError where an argument is not as said here.
    Cost: grows exponentially with the number of ReLUs that may be on or off.

    Tjeng, Xiao, Tedrake, "Evaluating robustness of neural networks with mixed integer programming", ICLR 2019.
    """
    contract.check(x[None], torch.tensor([y], device=x.device))
    contract.check_positive(upper=upper, time_limit=time_limit)
    begin, layers = time.perf_counter(), _layers(model)
    x64, best, x_adv, lower = x.detach().double().cpu().flatten(), min(float(upper), 1.0), x, math.inf
    double = [(weight.detach().double().cpu(), bias.detach().double().cpu()) for weight, bias in layers]
    leads = _forward(double, x64)
    leads = leads[y] - leads
    if (leads.scatter(0, torch.tensor([y]), math.inf) <= 0).any():
        return Distance(0.0, 0.0, x, time.perf_counter() - begin)
    for k in leads.argsort().tolist():
        if k == y:
            continue
        left = time_limit - (time.perf_counter() - begin)
        found, bound, image = _solve(_program(double, x64, y, k=k, radius=best), radius=best, seconds=max(left, 0.01))
        if found < best:
            best, x_adv = found, image.view(x.shape).to(x)
        lower = min(lower, bound)
    return Distance(min(lower, best), best, x_adv, time.perf_counter() - begin)


def _solve(program, *, radius, seconds):
    """(distance, lower bound, image) of a program; (inf, radius, None) where there is no image within the radius."""
    from scipy import optimize

    for presolve in (True, False):  # now and then HiGHS fails on what its presolve has made of a program
        solved = optimize.milp(**program, options={"time_limit": seconds, "mip_rel_gap": 1e-6, "presolve": presolve})
        if solved.status != FAILED:
            break
    if solved.x is None:
        return math.inf, radius if solved.status == INFEASIBLE else solved.mip_dual_bound or 0.0, None
    # a program without 0-1 variables has no gap
    bound = solved.fun if solved.mip_dual_bound is None else solved.mip_dual_bound
    eps = program["c"].argmax()  # its column comes after those of the pixels
    return solved.fun, bound, torch.from_numpy(solved.x[:eps]).clamp(0, 1)


def _program(layers, x, y, *, k, radius):
    """The smallest distance to an image of class k within `radius`, as arguments of scipy's milp.

    The variables: the pixels, eps, every hidden unit's output, and a 0-1 variable for each unit that may be on or off.
    """
    from scipy import optimize, sparse

    low, high = (x - radius).clamp_min(0), (x + radius).clamp_max(1)
    pixels, units = len(x), sum(len(bias) for _, bias in layers[:-1])
    eps, first = pixels, pixels + 1  # the columns of eps and of the first hidden unit
    columns = first + 2 * units  # a 0-1 column for every unit: those that need none are fixed
    lowest, highest = np.zeros(columns), np.ones(columns)
    lowest[:pixels], highest[:pixels], highest[eps] = low, high, radius
    rows, limits = [], []  # each row · variables <= its limit

    def add(limit, *parts):
        """One block of rows: parts are (first column, matrix)."""
        block = sparse.lil_matrix((len(limit), columns))
        for column, matrix in parts:
            block[:, column:column + matrix.shape[1]] = matrix
        rows.append(block.tocsr())
        limits.append(np.asarray(limit))

    identity, ones = np.eye(pixels), np.ones((pixels, 1))
    add(x.numpy(), (0, identity), (eps, -ones))
    add(-x.numpy(), (0, -identity), (eps, -ones))
    inputs, unit = 0, first
    for weight, bias in layers[:-1]:
        centre, half = weight @ ((low + high) / 2) + bias, weight.abs() @ ((high - low) / 2)
        low, high = (centre - half).clamp_max(0), centre + half
        always_on, may_be_on = (centre - half >= 0).numpy(), (high > 0).numpy()
        low, high = np.where(always_on, 0, low.numpy()), np.where(may_be_on, high.numpy(), 0)
        count, matrix, bias, eye = len(bias), weight.numpy(), bias.numpy(), np.eye(len(bias))
        switch = unit + units
        highest[unit:unit + count] = high
        lowest[switch:switch + count], highest[switch:switch + count] = always_on, may_be_on
        add(-bias[may_be_on], (inputs, matrix[may_be_on]), (unit, -eye[may_be_on]))  # h >= W h' + b
        add((bias - low)[may_be_on], (inputs, -matrix[may_be_on]), (unit, eye[may_be_on]),
            (switch, -(low[:, None] * eye)[may_be_on]))  # h <= W h' + b − l (1 − a)
        add(np.zeros(may_be_on.sum()), (unit, eye[may_be_on]), (switch, -(high[:, None] * eye)[may_be_on]))  # h <= u a
        low, high, inputs, unit = torch.from_numpy(np.zeros(count)), torch.from_numpy(high), unit, unit + count
    weight, bias = layers[-1]
    add((bias[k] - bias[y])[None].numpy(), (inputs, (weight[y] - weight[k])[None].numpy()))
    return dict(c=np.eye(columns)[eps], integrality=np.arange(columns) >= first + units,
                bounds=optimize.Bounds(lowest, highest),
                constraints=optimize.LinearConstraint(sparse.vstack(rows), -np.inf, np.concatenate(limits)))


def _layers(model):
    """The (weight, bias) of a network of Flatten, Linear and ReLU, the two in turn."""
    kinds = [layer for layer in model if not isinstance(layer, nn.Flatten)]
    linear, between = kinds[::2], kinds[1::2]
    if not (len(kinds) % 2 and all(isinstance(layer, nn.Linear) for layer in linear)
            and all(isinstance(layer, nn.ReLU) for layer in between)):
        raise ValueError("the network must be Flatten, then Linear and ReLU in turn, the last one Linear; got "
                         f"{[type(layer).__name__ for layer in model]}")
    return [(layer.weight, layer.bias if layer.bias is not None else layer.weight.new_zeros(len(layer.weight)))
            for layer in linear]


def _forward(layers, x):
    for weight, bias in layers[:-1]:
        x = (weight @ x + bias).clamp_min(0)
    return layers[-1][0] @ x + layers[-1][1]
