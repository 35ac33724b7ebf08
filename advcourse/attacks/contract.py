"""What every attack promises, written once: checked arguments, an untouched model, results inside the ball and the box.

An attack reads as its paper does because the promises live here: `check` refuses wrong arguments, `attacking` lends
the model out and gives it back as it was, `project` returns to the allowed images without a rounding error's spill,
and `Best` remembers the best image seen. None of these functions touches torch's global random state.
"""

import math
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal, get_args

import torch
from torch import Tensor

from advcourse.attacks.geometry import Box, per_example
from advcourse.attacks.losses import fools
from advcourse.models.inference import Model

Norm = Literal["linf", "l2", "l1", "l0"]
NORMS = get_args(Norm)
BALL_NORMS = ("linf", "l2", "l1")  # those onto whose balls an image can be projected
PART = 160_000  # values that a model is given at a time on a CPU: 204 images of MNIST, 52 of CIFAR-10
# Random directions drawn at a time: a fixed number, so that what is drawn does not depend on the batch.
DIRECTIONS_AT_ONCE = 64


def check(x: Tensor, y: Tensor | None = None, *, eps: float | None = None, norm: str | None = None,
          norms: tuple[str, ...] = NORMS, low: float = 0, high: float = 1, **counts: int) -> Box:
    """ValueError that says what was given and what is wanted, unless the arguments are those of an attack.

    x: float32 or float64 images, shape (N, ...), all in [low, high]; y: int64 labels, shape (N,), on x's device;
    eps: a finite number >= 0; norm: one of `norms`; low, high: finite numbers, low < high;
    every further keyword (steps=, restarts=, queries=): an int >= 1.
    Returns the box from low to high, in the arithmetic of x's dtype.
    """
    if not isinstance(x, torch.Tensor) or x.dtype not in (torch.float32, torch.float64):
        given = x.dtype if isinstance(x, torch.Tensor) else type(x).__name__
        raise ValueError(f"x must be a tensor of dtype torch.float32 or torch.float64; got {given}")
    if x.dim() < 2:
        raise ValueError(f"x must be a batch of images, shape (N, ...); got shape {tuple(x.shape)}")
    box = box_of(low, high, x.dtype)
    check_range("x", x, box)
    if y is not None:
        check_labels(x, y)
    if eps is not None:
        check_eps(eps)
    if norm is not None and norm not in norms:
        raise ValueError(f"norm must be one of {', '.join(map(repr, norms))}; got {norm!r}")
    for name, count in counts.items():
        if isinstance(count, bool) or not isinstance(count, int) or count < 1:
            raise ValueError(f"{name} must be an integer of at least 1; got {count!r}")
    return box


def box_of(low: float, high: float, dtype: torch.dtype = torch.float32) -> Box:
    """The box from low to high in the arithmetic of dtype; ValueError unless both are finite numbers, low < high."""
    if not (_is_number(low) and _is_number(high) and -math.inf < low < high < math.inf):
        raise ValueError(f"low and high must be finite numbers, low below high; got low={low!r} and high={high!r}")
    return Box(*torch.tensor([low, high], dtype=dtype).tolist())


def check_range(name: str, x: Tensor, box: Box) -> None:
    """ValueError that names the range unless all values of x lie in the box."""
    if x.numel():
        least, largest = torch.stack(torch.aminmax(x.detach())).tolist()
        if not (least >= box.low and largest <= box.high):  # also true of nan
            raise ValueError(f"{name} must lie in [{box.low:g}, {box.high:g}]; "
                             f"got values from {least:.3g} to {largest:.3g}")


def check_labels(x: Tensor, y: Tensor, name: str = "y") -> None:
    """ValueError unless y holds one int64 label >= 0 per image of x, on x's device."""
    if not isinstance(y, torch.Tensor) or y.dtype != torch.int64:
        given = y.dtype if isinstance(y, torch.Tensor) else type(y).__name__
        raise ValueError(f"{name} must be a tensor of integer labels, dtype torch.int64; got {given}")
    if y.shape != x.shape[:1]:
        raise ValueError(f"{name} must hold one label per image, shape ({len(x)},); got shape {tuple(y.shape)}")
    if y.device != x.device:
        raise ValueError(f"{name} must be on the device of x, {x.device}; it is on {y.device}")


def check_eps(eps: float) -> None:
    """ValueError unless eps is a finite number of at least 0."""
    if not (_is_number(eps) and 0 <= eps < math.inf):
        given = f"a tensor of shape {tuple(eps.shape)}" if isinstance(eps, torch.Tensor) else repr(eps)
        raise ValueError(f"eps must be a finite number of at least 0; got {given}")


def radii(eps: float | Tensor, x: Tensor, norm: str) -> float | Tensor:
    """eps, checked: a number, or in linf also a radius for every value: a tensor that broadcasts to x, in its dtype."""
    if norm != "linf" or not isinstance(eps, torch.Tensor):
        check_eps(eps)
        return eps
    try:
        eps = eps.detach().to(x).expand_as(x)
    except RuntimeError:
        raise ValueError(f"eps must be one radius, or broadcast to x's shape {tuple(x.shape)}; got shape "
                         f"{tuple(eps.shape)}") from None
    if eps.numel() and not (eps.min() >= 0 and eps.max() < math.inf):
        raise ValueError(f"eps must be finite and at least 0; got values from {eps.min():.3g} to {eps.max():.3g}")
    return eps


def check_positive(**numbers: float | None) -> None:
    """ValueError unless every number is finite and above 0; None passes, for 'the attack's own choice'."""
    for name, number in numbers.items():
        if number is not None and not (_is_number(number) and 0 < number < math.inf):
            raise ValueError(f"{name} must be a finite number above 0; got {number!r}")


def _is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def labels_fit(logits: Tensor, y: Tensor) -> None:
    """ValueError unless logits are (N, K) and every label is one of the K classes. Call it on the first logits."""
    if logits.dim() != 2 or len(logits) != len(y):
        raise ValueError(f"the model must return logits of shape ({len(y)}, classes); got {tuple(logits.shape)}")
    if len(y):
        low, high = torch.stack(torch.aminmax(y)).tolist()
        if low < 0 or high >= logits.shape[1]:
            raise ValueError(f"labels must lie in 0..{logits.shape[1] - 1}, the model's classes; got {low} to {high}")


def generator_for(x: Tensor, generator: torch.Generator | None = None) -> torch.Generator:
    """The given torch.Generator, or a fresh one on x's device seeded with 0; ValueError where the devices differ."""
    if generator is None:
        return torch.Generator(device=x.device).manual_seed(0)
    if not isinstance(generator, torch.Generator) or generator.device.type != x.device.type:
        given = generator.device if isinstance(generator, torch.Generator) else type(generator).__name__
        raise ValueError(f"generator must be a torch.Generator on the device of x, {x.device}; got {given}")
    return generator


@contextmanager
def attacking(model: Model) -> Iterator[Model]:
    """Lends the model: in eval mode, its parameters frozen, autograd at work; afterwards all is as it was.

        with attacking(model) as ask:
            logits = ask(x)

    ask: the model as a function that takes large batches in parts, see `in_parts`.
    Restored after an exception, too: the mode of every submodule, requires_grad of every parameter, the grad and
    inference mode. A callable that is no nn.Module is called as it is; put the model inside it into eval mode yourself.
    """
    is_module = isinstance(model, torch.nn.Module)
    modes = [(module, module.training) for module in model.modules()] if is_module else []
    frozen = [parameter for parameter in model.parameters() if parameter.requires_grad] if is_module else []
    try:
        if is_module and any(training for _, training in modes):
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


def in_parts(model: Model) -> Model:
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


def fresh(tensor: Tensor) -> Tensor:
    """A detached copy that autograd accepts, even of a tensor made under inference_mode."""
    with torch.inference_mode(False), torch.no_grad():
        return tensor.detach().clone()


def unfooled(ask: Model, x: Tensor, y: Tensor, targeted: bool = False) -> tuple[Tensor, Tensor]:
    """(rows, logits): the numbers of the images on which an attack has something to do, and the model's logits there.

    One forward pass. Raises ValueError unless the labels fit the logits.
    """
    with torch.no_grad():
        logits = at_least_float32(ask(x))
    labels_fit(logits, y)
    rows = (~fools(logits, y, targeted)).nonzero()[:, 0]
    return rows, logits[rows]


class NoGradientError(ValueError):
    """The model's logits carry no gradient to its input."""


def differentiable(ask: Model, x: Tensor) -> tuple[Tensor, Tensor]:
    """(images, logits): x as a leaf of autograd, and its logits; NoGradientError where they carry no gradient to it."""
    images = (x.clone() if x.is_inference() else x.detach()).requires_grad_()
    logits = at_least_float32(ask(images))
    if not logits.requires_grad:
        raise NoGradientError(
            "the model's logits carry no gradient to its input: use an attack that needs none, such as square")
    return images, logits


def input_gradient(ask: Model, x: Tensor, loss: Callable[[Tensor], Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    """(logits, losses, gradient) from one forward and one backward pass, all detached.

    ask: the model, as `attacking` lends it. loss: from logits (N, K) to one number per image (N,), each from its own
    row of logits, so that the gradient of the sum with respect to x holds each image's own gradient. Where the gradient
    is nan or infinite it is 0. Raises NoGradientError where the logits carry no gradient to x.
    """
    images, logits = differentiable(ask, x)
    losses = loss(logits)
    gradient, = torch.autograd.grad(losses.sum(), images)
    return logits.detach(), losses.detach(), torch.nan_to_num(gradient, 0, 0, 0)


def at_least_float32(logits: Tensor) -> Tensor:
    """Logits of a half-precision model as float32: a loss in bfloat16 has two or three digits."""
    return logits.float() if logits.dtype in (torch.float16, torch.bfloat16) else logits


def warn_if_flat(flat: Tensor) -> None:
    """Warn where the gradient was exactly zero: the attack was blind there, and its failure is no sign of robustness.

    flat: bool, shape (N,), True where an image's gradient held nothing but zeros.
    """
    count = int(flat.sum())
    if count:
        warnings.warn(
            f"gradient masking: the gradient of {count} of {len(flat)} images is exactly zero, "
            "so this attack had nothing to follow. Its failure there is no sign "
            "of robustness: try an attack without gradients, such as square.",
            RuntimeWarning, stacklevel=3)


class Best:
    """The best image seen so far, per example: of highest loss among those that fool, else of highest loss."""

    def __init__(self, x: Tensor):
        self.x_adv = fresh(x)
        with torch.inference_mode(False):
            self.loss = x.new_full((len(x),), -math.inf)
            self.fooled = torch.zeros(len(x), dtype=torch.bool, device=x.device)

    def update(self, x_adv: Tensor, loss: Tensor, fooled: Tensor, rows: slice | Tensor = slice(None)) -> Tensor:
        """x_adv: candidates for the images `rows`; loss, fooled: one per candidate. A loss of nan is never better."""
        loss, held, held_fooled = loss.to(self.loss.dtype), self.loss[rows], self.fooled[rows]
        better = torch.where(fooled == held_fooled, loss > held, fooled & ~loss.isnan())
        _replace(self.x_adv, rows, better, x_adv)
        self.loss[rows] = torch.where(better, loss, held)
        self.fooled[rows] = held_fooled | (better & fooled)
        return better


class Nearest:
    """The smallest success seen so far, per example: x_adv, and its size, shape (N,), which is infinite before."""

    def __init__(self, x: Tensor):
        self.x_adv = fresh(x)
        with torch.inference_mode(False):
            self.size = x.new_full((len(x),), math.inf)

    @property
    def found(self) -> Tensor:
        """Where there has been a success, shape (N,)."""
        return self.size < math.inf

    def update(self, x_adv: Tensor, size: Tensor, success: Tensor | bool = True, rows: slice | Tensor = slice(None),
               *, tolerance: float = 0.0) -> Tensor:
        """x_adv: candidates for the images `rows`, several for one only of equal size; size, success: one for each.

        A size of nan is never smaller. tolerance: by how large a share a later success may be larger and still count
        as smaller. Returns which candidates are taken.
        """
        size, held = size.to(self.size.dtype), self.size[rows]
        smaller = (size < held * (1 + tolerance)) & success
        _replace(self.x_adv, rows, smaller, x_adv)
        self.size[rows] = torch.where(smaller, size, held)
        return smaller


def _replace(images, rows, better, candidates):
    """Write those of the candidates that are better into the images `rows`, in place."""
    held = images[rows]  # of all rows: the memory itself, not a copy
    # Between 0 and 1 of the way there is torch.where in a fifth of its time; nan_to_num, as 0 · nan is nan.
    images[rows] = held.lerp_(candidates.nan_to_num(), per_example(better, candidates).to(candidates.dtype))
