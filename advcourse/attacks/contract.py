"""What every attack promises, written once: checked arguments, an untouched model, results inside the ball and the box.

An attack reads as its paper does because the promises live here: `check` refuses wrong arguments, `attacking` lends
the model out and gives it back as it was, `project` returns to the allowed images without a rounding error's spill,
and `Best` remembers the best image seen. None of these functions touches torch's global random state.
"""

import math
import warnings
from contextlib import contextmanager

import torch
from torch.nn import functional as F

NORMS = ("linf", "l2", "l1", "l0")
PART = 160_000  # values that a model is given at a time on a CPU: 204 images of MNIST, 52 of CIFAR-10


# Arguments

def check(x, y=None, *, eps=None, norm=None, norms=NORMS, **counts):
    """ValueError that says what was given and what is wanted, unless the arguments are those of an attack.

    x: float32 or float64 images, shape (N, ...), all in [0, 1]; y: int64 labels, shape (N,), on x's device;
    eps: a finite number >= 0; norm: one of `norms`; every further keyword (steps=, restarts=, queries=...): an int >= 1.
    """
    if not isinstance(x, torch.Tensor) or x.dtype not in (torch.float32, torch.float64):
        given = x.dtype if isinstance(x, torch.Tensor) else type(x).__name__
        raise ValueError(f"x must be a tensor of dtype torch.float32 or torch.float64; got {given}")
    if x.dim() < 2:
        raise ValueError(f"x must be a batch of images, shape (N, ...); got shape {tuple(x.shape)}")
    if x.numel():
        low, high = torch.stack(torch.aminmax(x.detach())).tolist()
        if not (low >= 0 and high <= 1):  # also true of nan
            raise ValueError(f"x must lie in [0, 1]; got values from {low:.3g} to {high:.3g}")
    if y is not None:
        check_labels(x, y)
    if eps is not None and not (_is_number(eps) and 0 <= eps < math.inf):
        raise ValueError(f"eps must be a finite number of at least 0; got {eps!r}")
    if norm is not None and norm not in norms:
        raise ValueError(f"norm must be one of {', '.join(map(repr, norms))}; got {norm!r}")
    for name, count in counts.items():
        if isinstance(count, bool) or not isinstance(count, int) or count < 1:
            raise ValueError(f"{name} must be an integer of at least 1; got {count!r}")


def check_labels(x, y, name="y"):
    """ValueError unless y holds one int64 label >= 0 per image of x, on x's device."""
    if not isinstance(y, torch.Tensor) or y.dtype != torch.int64:
        given = y.dtype if isinstance(y, torch.Tensor) else type(y).__name__
        raise ValueError(f"{name} must be a tensor of integer labels, dtype torch.int64; got {given}")
    if y.shape != x.shape[:1]:
        raise ValueError(f"{name} must hold one label per image, shape ({len(x)},); got shape {tuple(y.shape)}")
    if y.device != x.device:
        raise ValueError(f"{name} must be on the device of x, {x.device}; it is on {y.device}")


def check_positive(**numbers):
    """ValueError unless every number is finite and above 0; None passes, for 'the attack's own choice'."""
    for name, number in numbers.items():
        if number is not None and not (_is_number(number) and 0 < number < math.inf):
            raise ValueError(f"{name} must be a finite number above 0; got {number!r}")


def _is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def labels_fit(logits, y):
    """ValueError unless logits are (N, K) and every label is one of the K classes. Call it on the first logits."""
    if logits.dim() != 2 or len(logits) != len(y):
        raise ValueError(f"the model must return logits of shape ({len(y)}, classes); got {tuple(logits.shape)}")
    if len(y):
        low, high = torch.stack(torch.aminmax(y)).tolist()
        if low < 0 or high >= logits.shape[1]:
            raise ValueError(f"labels must lie in 0..{logits.shape[1] - 1}, the model's classes; got {low} to {high}")


def generator_for(x, generator=None):
    """The given torch.Generator, or a fresh one on x's device seeded with 0; ValueError where the devices differ."""
    if generator is None:
        return torch.Generator(device=x.device).manual_seed(0)
    if not isinstance(generator, torch.Generator) or generator.device.type != x.device.type:
        given = generator.device if isinstance(generator, torch.Generator) else type(generator).__name__
        raise ValueError(f"generator must be a torch.Generator on the device of x, {x.device}; got {given}")
    return generator


# The model

@contextmanager
def attacking(model):
    """Within it the model is in eval mode, its parameters need no gradients, and autograd works; afterwards all is as before.

    Restored after an exception, too: the mode of every submodule, requires_grad of every parameter, the grad and inference mode.
    Gives the model as a function that takes large batches in parts, see `in_parts`.
    A callable that is no nn.Module is called as it is; put the model inside it into eval mode yourself.
    """
    is_module = isinstance(model, torch.nn.Module)
    modes = [(module, module.training) for module in model.modules()] if is_module else []
    frozen = [parameter for parameter in model.parameters() if parameter.requires_grad] if is_module else []
    try:
        if any(training for _, training in modes):
            model.eval()
        for parameter in frozen:
            parameter.requires_grad_(False)
        with torch.inference_mode(False), torch.enable_grad():
            yield in_parts(model)
    finally:
        for parameter in frozen:
            parameter.requires_grad_(True)
        for module, training in modes:
            if module.training != training:
                module.training = training


def in_parts(model):
    """The model as a function that, on a CPU, takes a large batch in parts of about PART values and joins their logits.

    The layers of one part find their numbers where those of the part before have just been; for a large batch the system hands out
    new memory in every layer of every step, which costs a convolutional network a quarter of its time. A linear one has nothing to gain and pays a little for the parts.
    """
    def logits(x):
        if x.device.type != "cpu" or x.numel() <= PART:
            return model(x)
        return torch.cat([model(part) for part in x.chunk(math.ceil(x.numel() / PART))])
    return logits


def fresh(tensor):
    """A detached copy that autograd accepts, even of a tensor made under inference_mode."""
    with torch.inference_mode(False), torch.no_grad():
        return tensor.detach().clone()


class NoGradientError(ValueError):
    """The model's logits carry no gradient to its input."""


def input_gradient(model, x, loss):
    """(logits, losses, gradient) from one forward and one backward pass, all detached.

    loss: from logits (N, K) to one number per image (N,), each from its own row of logits, so that the gradient of the sum with
    respect to x holds each image's own gradient. Where the gradient is nan or infinite it is 0.
    """
    images = (x.clone() if x.is_inference() else x.detach()).requires_grad_()
    logits = at_least_float32(model(images))
    losses = loss(logits)
    if not losses.requires_grad:
        raise NoGradientError("the model's logits carry no gradient to its input: use an attack that needs none, such as square")
    gradient, = torch.autograd.grad(losses.sum(), images)
    return logits.detach(), losses.detach(), torch.nan_to_num(gradient, 0, 0, 0)


def at_least_float32(logits):
    """Logits of a half-precision model as float32: a loss in bfloat16 has two or three digits."""
    return logits.float() if logits.dtype in (torch.float16, torch.bfloat16) else logits


# Losses and success, one number per image

def cross_entropy(logits, y):
    """−log softmax(logits)[y], shape (N,), as softplus(logsumexp(the other logits) − logit of y).

    The same number as F.cross_entropy, but without its 1 − p: where p is 1 up to rounding, which is where confident
    networks live, that difference is 0 and half of the gradient is lost; here it stays exact down to p = 1 − 1e-38.
    """
    true = logits.gather(1, y[:, None])[:, 0]
    others = logits.scatter(1, y[:, None], -math.inf).logsumexp(1)
    return F.softplus(others - true)


def margin(logits, y):
    """The logit of y minus the largest other one, shape (N,): negative where the model errs. Two equal infinities give 0."""
    true = logits.gather(1, y[:, None])[:, 0]
    others = logits.scatter(1, y[:, None], -math.inf).amax(1)
    return torch.where((true == others) & true.isinf(), torch.zeros_like(true), true - others)


def smooth_margin(logits, y, temperature):
    """z_y − T log Σ_{k≠y} exp(z_k / T), shape (N,), for temperatures T > 0, shape (N,): never above the margin, and near it where T is small.

    The margin sees only the likeliest other class; this pulls at all of them that are within a few T of it. With T = 1 it is the log odds of
    y, and its gradient points as that of the cross-entropy. On adversarially trained networks attacks come nearer by it.
    """
    true = logits.gather(1, y[:, None])[:, 0]
    others = logits.scatter(1, y[:, None], -math.inf)
    return true - temperature * (others / temperature[:, None]).logsumexp(1)


def an_eighth_of(margins):
    """A temperature for `smooth_margin` from margins, shape (N,), in either direction: so scaled logits change nothing."""
    return margins.abs().clamp_min(1e-6).nan_to_num(1, 1, 1) / 8


def fools(logits, y, targeted=False):
    """Where the attack has succeeded, shape (N,): the answer is not y; targeted: it is y. Never where a logit is nan."""
    answer = logits.argmax(1)
    return (answer == y if targeted else answer != y) & ~logits.isnan().any(1)


def warn_if_flat(flat):
    """Warn where the gradient was exactly zero: the attack was blind there, and its failure says nothing about robustness.

    flat: bool, shape (N,), True where an image's gradient held nothing but zeros.
    """
    count = int(flat.sum())
    if count:
        warnings.warn(
            f"gradient masking: the gradient of {count} of {len(flat)} images is exactly zero, so this attack had nothing to follow. "
            "Its failure there is no sign of robustness: try an attack without gradients, such as square.",
            RuntimeWarning, stacklevel=3)


class Best:
    """The best image seen so far, per example: of highest loss among those that fool, else of highest loss."""

    def __init__(self, x):
        self.x_adv = fresh(x)
        with torch.inference_mode(False):
            self.loss = x.new_full((len(x),), -math.inf)
            self.fooled = torch.zeros(len(x), dtype=torch.bool, device=x.device)

    def update(self, x_adv, loss, fooled, rows=slice(None)):
        """x_adv: candidates for the images `rows`; loss, fooled: one per candidate. A loss of nan is never better."""
        loss, held, held_fooled = loss.to(self.loss.dtype), self.loss[rows], self.fooled[rows]
        better = torch.where(fooled == held_fooled, loss > held, fooled & ~loss.isnan())
        held_x = self.x_adv[rows]  # of all rows: the memory itself, not a copy
        # Between 0 and 1 of the way there is torch.where in a fifth of its time; nan_to_num, as 0 · nan is nan.
        self.x_adv[rows] = held_x.lerp_(x_adv.nan_to_num(), per_example(better, x_adv).to(x_adv.dtype))
        self.loss[rows] = torch.where(better, loss, held)
        self.fooled[rows] = held_fooled | (better & fooled)
        return better


# Geometry: norms, balls, the box [0, 1]

def per_example(values, like):
    """values, shape (N,), as (N, 1, 1, ...) so that they multiply images of the shape of `like`."""
    return values.view(-1, *[1] * (like.dim() - 1))


def distance(x_adv, x, norm):
    """The size of each image's change, shape (N,): "linf" the largest, "l2" Euclidean, "l1" the sum, "l0" the count of changed values."""
    difference = (x_adv - x).flatten(1)
    if difference.numel() == 0:
        return difference.new_zeros(len(difference))
    if norm == "linf":  # ten times as fast as vector_norm
        return difference.abs().amax(1)
    return torch.linalg.vector_norm(difference, {"l2": 2, "l1": 1, "l0": 0}[norm], dim=1)


def normalise(gradient, norm):
    """The direction of unit norm in which a linear function with this gradient grows fastest; 0 stays 0.

    linf: its sign. l2: gradient / ‖gradient‖₂, also for gradients too small to be squared. l1: the sign of its largest entry alone.
    """
    if norm == "linf":
        return gradient.sign()
    flat = gradient.flatten(1)
    if flat.numel() == 0:
        return gradient
    if norm == "l2":
        flat = flat / flat.abs().amax(1, keepdim=True).clamp_min(torch.finfo(flat.dtype).tiny)
        flat = flat / torch.linalg.vector_norm(flat, dim=1, keepdim=True).clamp_min(torch.finfo(flat.dtype).tiny)
    elif norm == "l1":
        largest = flat.abs().argmax(1, keepdim=True)
        flat = torch.zeros_like(flat).scatter(1, largest, flat.gather(1, largest).sign())
    else:
        raise ValueError(f"norm must be one of 'linf', 'l2', 'l1'; got {norm!r}")
    return flat.view(gradient.shape)


def representable(eps, dtype):
    """The largest number of this dtype that is not above eps: 0.1 itself is no float32, and the nearest float32 is above it."""
    rounded = torch.tensor(eps, dtype=dtype)
    return (torch.nextafter(rounded, torch.zeros_like(rounded)) if rounded.item() > eps else rounded).item()


def summed_radius(eps, dtype):
    """A few roundings below eps, so that a norm's own summation cannot end above eps."""
    return representable(eps, dtype) * (1 - 16 * torch.finfo(dtype).eps)


def bounds(x, eps):
    """(low, high): the smallest and largest images in [0, 1] whose distance |x_adv − x|, as computed, is at most eps everywhere."""
    eps = representable(eps, x.dtype)
    low, high = x - eps, x + eps
    low = torch.where(x - low > eps, torch.nextafter(low, x), low)
    high = torch.where(high - x > eps, torch.nextafter(high, x), high)
    return low.clamp_(min=0), high.clamp_(max=1)


def project(x_adv, x, eps, norm):
    """The image of the ball of radius eps around x and of the box [0, 1] nearest to x_adv, exactly inside both.

    linf, l1: the nearest one. l2: the nearest in the ball, then clipped to the box, which keeps it in the ball as x is in the box.
    l1 in the box: Croce & Hein, "Mind the box", ICML 2021, section 2: soft thresholding, each pixel at most up to its bound.
    """
    if norm == "linf":
        return torch.clamp(x_adv, *bounds(x, eps))
    radius, delta = summed_radius(eps, x.dtype), x_adv - x
    if norm == "l2":
        length = torch.linalg.vector_norm(delta.flatten(1), dim=1)
    elif norm == "l1":
        room = torch.where(delta > 0, 1 - x, x)
        threshold = per_example(_l1_threshold(delta.abs().flatten(1), room.flatten(1), radius), x)
        delta = delta.sign() * torch.minimum((delta.abs() - threshold).clamp_min(0), room)
        length = delta.abs().flatten(1).sum(1)  # the threshold's rounding: nothing, unless eps is tiny
    else:
        raise ValueError(f"norm must be one of 'linf', 'l2', 'l1'; got {norm!r}")
    return add_inside(x, delta.mul_(per_example((radius / length.clamp_min(torch.finfo(x.dtype).tiny)).clamp(max=1), x)))


def add_inside(x, delta):
    """x + delta, clipped to [0, 1] and rounded towards x, so that no pixel's change, as computed, is larger than that of delta."""
    x_adv = (x + delta).clamp_(0, 1)
    outside = (x_adv - x).abs_().gt_(delta.abs())  # 1 or 0
    return x_adv.lerp_(torch.nextafter(x_adv, x), outside)


def _l1_threshold(size, room, radius):
    """The smallest t >= 0, shape (N,), for which Σ min(max(size − t, 0), room) <= radius; size, room: shape (N, D).

    By bisection, a step for each digit of the arithmetic: to find t exactly, the 2 D ends of the straight pieces of that sum must be
    sorted, which is several times dearer.
    """
    inside = torch.minimum(size, room).sum(1) <= radius
    if size.numel() == 0:
        return inside.to(size.dtype)
    low, high = torch.zeros_like(size[:, :1]), size.amax(1, keepdim=True)
    for _ in range(round(-math.log2(torch.finfo(size.dtype).eps))):
        middle = (low + high) / 2
        outside = torch.minimum((size - middle).clamp_min_(0), room).sum(1, keepdim=True) > radius
        low, high = torch.where(outside, middle, low), torch.where(outside, high, middle)
    return torch.where(inside, 0, high[:, 0])


def random_start(x, eps, norm, generator):
    """A point drawn uniformly from the ball of radius eps around x, then clipped to [0, 1]. norm: "linf", "l2" or "l1"."""
    if norm == "linf":
        noise = torch.rand(x.shape, generator=generator, device=x.device, dtype=x.dtype).mul_(2).sub_(1)
        return project(x + eps * noise, x, eps, norm)
    flat = (len(x), x[0].numel() if len(x) else 0)
    direction = torch.randn(flat, generator=generator, device=x.device, dtype=x.dtype)
    if norm == "l2":
        radius = torch.rand((len(x), 1), generator=generator, device=x.device, dtype=x.dtype).pow(1 / max(flat[1], 1))
        noise = radius * normalise(direction, "l2")
    elif norm == "l1":
        # D + 1 exponentials over their sum are uniform on the simplex; without the last one, on the solid below it.
        exponential = -torch.rand((len(x), flat[1] + 1), generator=generator, device=x.device, dtype=x.dtype).neg_().log1p_()
        noise = direction.sign() * exponential[:, :-1] / exponential.sum(1, keepdim=True)
    else:
        raise ValueError(f"norm must be one of 'linf', 'l2', 'l1'; got {norm!r}")
    return project(x + eps * noise.view(x.shape), x, eps, norm)
