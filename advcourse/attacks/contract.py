"""What every attack promises, written once: checked arguments, an untouched model, results inside the ball and the box.

An attack reads as its paper does because the promises live here: `check` refuses wrong arguments, `attacking` lends
the model out and gives it back as it was, `project` returns to the allowed images without a rounding error's spill,
and `Best` remembers the best image seen. None of these functions touches torch's global random state.
"""

import math
import warnings
from collections.abc import Callable
from contextlib import contextmanager
from typing import Literal

import torch

from advcourse.attacks.geometry import per_example

Model = Callable[[torch.Tensor], torch.Tensor]
Norm = Literal["linf", "l2", "l1", "l0"]
NORMS = ("linf", "l2", "l1", "l0")
IMAGES_AT_ONCE = 256
PART = 160_000  # values that a model is given at a time on a CPU: 204 images of MNIST, 52 of CIFAR-10


def check(x, y=None, *, eps=None, norm=None, norms=NORMS, **counts):
    """ValueError that says what was given and what is wanted, unless the arguments are those of an attack.

    x: float32 or float64 images, shape (N, ...), all in [0, 1]; y: int64 labels, shape (N,), on x's device;
    eps: a finite number >= 0; norm: one of `norms`; every further keyword (steps=, restarts=, queries=...): an int >=
    1.
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


@contextmanager
def attacking(model):
    """Within it the model is in eval mode, its parameters need no gradients, and autograd works; afterwards all is as
    before.

    Restored after an exception, too: the mode of every submodule, requires_grad of every parameter, the grad and
    inference mode. Gives the model as a function that takes large batches in parts, see `in_parts`.
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

    The layers of one part find their numbers where those of the part before have just been; for a large batch the
    system hands out new memory in every layer of every step, which costs a convolutional network a quarter of its time.
    A linear one has nothing to gain and pays a little for the parts.
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

    loss: from logits (N, K) to one number per image (N,), each from its own row of logits, so that the gradient of the
    sum with respect to x holds each image's own gradient. Where the gradient is nan or infinite it is 0.
    """
    images = (x.clone() if x.is_inference() else x.detach()).requires_grad_()
    logits = at_least_float32(model(images))
    losses = loss(logits)
    if not losses.requires_grad:
        raise NoGradientError("the model's logits carry no gradient to its input: use an attack that needs none, such "
                              "as square")
    gradient, = torch.autograd.grad(losses.sum(), images)
    return logits.detach(), losses.detach(), torch.nan_to_num(gradient, 0, 0, 0)


def at_least_float32(logits):
    """Logits of a half-precision model as float32: a loss in bfloat16 has two or three digits."""
    return logits.float() if logits.dtype in (torch.float16, torch.bfloat16) else logits


def warn_if_flat(flat):
    """Warn where the gradient was exactly zero: the attack was blind there, and its failure says nothing about
    robustness.

    flat: bool, shape (N,), True where an image's gradient held nothing but zeros.
    """
    count = int(flat.sum())
    if count:
        warnings.warn(
            f"gradient masking: the gradient of {count} of {len(flat)} images is exactly zero, so this attack had "
            "nothing to follow. "
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
