"""02.2: the size of a perturbation, four ways."""

import math

import torch

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.properties import equals, finite


def size(delta, p):
    flat = delta.flatten(1).abs()
    if p == 0:
        return (flat > 0).sum(1).to(delta.dtype)
    if p == math.inf:
        return flat.amax(1)
    return (flat ** p).sum(1) ** (1 / p)


def size_probes(generator):
    probes = []
    for shape in ((6, 2, 3, 4), (5, 7)):
        for p in (0, 1, 2, math.inf):
            delta = torch.randn(shape, generator=generator)
            delta[torch.rand(shape, generator=generator) < 0.3] = 0
            delta[:3] = -delta[:3].abs()  # in some images every change is downwards
            rows, flat = torch.arange(len(delta)), delta.view(len(delta), -1)
            largest = flat.abs().argmax(1)  # twice in each image: a large power shows that it is not the limit
            flat[rows, largest - 1] = flat[rows, largest]
            probes.append({"delta": delta, "p": p})
    return probes


def is_a_number(probe, result):
    if torch.isfinite(result).all():
        return None
    return {0: "with p = 0 you divide by zero: the number of entries that change needs a line of its own",
            math.inf: "a power so large overflows: in the limit p → ∞ the largest entry is left, so take `.amax(1)`",
            }.get(probe["p"]) or finite(probe, result)


def is_near_the_largest(delta, result):
    """Whether these are sizes by a finite power: above the largest entry, and by little."""
    largest = delta.flatten(1).abs().amax(1)
    return bool((result >= largest - 1e-5).all() and (result <= 2 * largest).all())


def is_the_size(probe, result):
    message = compared(probe, result)
    if message and probe["p"] == math.inf and is_near_the_largest(probe["delta"], result):
        return "a large power comes near the limit p → ∞ only: take the largest entry itself, `.amax(1)`"
    return message


def no_power_at_infinity(delta, p):
    """(Σ|δᵢ|^∞)^(1/∞) is something to the power of 0."""
    return (delta.flatten(1).abs() ** p).sum(1) ** (1 / p) if p else size(delta, p)


def pixels(delta):
    """Of images the largest change in any channel; delta itself where it is flat."""
    return delta.abs().amax(1) if delta.dim() == 4 else delta


def size_by_the_formula_alone(delta, p):
    """The sum of |δᵢ|⁰ counts the zeros too, as 0⁰ is 1 in floating point."""
    if p == 0:
        return (delta.flatten(1).abs() ** 0).sum(1)
    return size(delta, p)


compared = equals(size, tolerance=1e-4, mistakes={
    "with p = 0 you count the zeros too, since 0⁰ is 1: count only the entries that are not zero":
        size_by_the_formula_alone,
    "with p = 0 a change downwards counts as well: take the absolute value before you compare with 0":
        lambda delta, p: (delta > 0).flatten(1).sum(1).to(delta.dtype) if p == 0 else size(delta, p),
    "changes up and down cancel in your sum (p = 1): take absolute values first":
        lambda delta, p: delta.flatten(1).sum(1) if p == 1 else size(delta, p),
    "changes up and down cancel in your sum (p = 1): absolute values first, not last":
        lambda delta, p: delta.flatten(1).sum(1).abs() if p == 1 else size(delta, p),
    "with p = ∞ a change downwards counts as much as one upwards: take the absolute value before the largest":
        lambda delta, p: delta.flatten(1).amax(1) if p == math.inf else size(delta, p),
    "the root is missing: with p = 2 this is the square of the length":
        lambda delta, p: delta.flatten(1).square().sum(1) if p == 2 else size(delta, p),
    "these are averages over the entries (with p = 0, shares of them); a size adds up, or counts":
        lambda delta, p: size(delta, p) / (delta[0].numel() if p in (0, 1) else 1),
    "with p = 2 you take the mean of the squares instead of their sum":
        lambda delta, p: size(delta, p) / (math.sqrt(delta[0].numel()) if p == 2 else 1),
    "with p = ∞ the formula has no value, as anything to the power of 1/∞ = 0 is 1: take the largest entry":
        no_power_at_infinity,
    "with p = 0 you count pixels; every channel of a pixel is an entry of its own":
        lambda delta, p: size(pixels(delta), p) if p == 0 else size(delta, p),
    "with p = ∞ this is the smallest change; in the limit the largest is left":
        lambda delta, p: delta.flatten(1).abs().amin(1) if p == math.inf else size(delta, p),
    "with p = ∞ this is the sum; in the limit only the largest entry is left":
        lambda delta, p: size(delta, 1 if p == math.inf else p),
})


exercise = Exercise(
    number="02.2",
    title="Four rulers",
    points=3,
    minutes=10,
    hints=(
        ("One formula or four?", "The formula covers 1 and 2. ℓ0 and ℓ∞ are its limits, and want a line of their own."),
        ("How do I count the entries that are not zero?",
         "Compare: `delta.flatten(1) != 0` is True where there is a change, and `.sum(1)` counts. `.to(delta.dtype)` "
         "makes numbers like the others of it."),
        ("Show me nearly all of it.",
         "With `flat = delta.flatten(1).abs()`: for 0 `(flat > 0).sum(1).to(delta.dtype)`, for ∞ `flat.amax(1)`, else "
         "`(flat ** p).sum(1) ** (1 / p)`."),
    ),
    reference=size,
    probes=size_probes,
    gates={"every size is a finite number": is_a_number},
    properties={"it is the ℓp size of every perturbation": is_the_size},
)
