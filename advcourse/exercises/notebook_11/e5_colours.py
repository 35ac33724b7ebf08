"""11.5: other light: brightness, saturation and the mean of each channel."""

import torch

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.probes import telling_apart
from advcourse.exercises.properties import equals, in_unit_range

LUMA = (0.299, 0.587, 0.114)


def recolour(x, brightness, saturation, offset):
    return lit(x, brightness, saturation, offset)


def luma(x, weights=LUMA):
    """The brightness of each pixel, (N, 1, H, W)."""
    return (x * torch.tensor(weights).view(3, 1, 1)).sum(1, keepdim=True)


def lit(x, brightness, saturation, offset, grey=luma, clip=True):
    """The formula, with the places at which one may go wrong as arguments; factors broadcast as they are shaped."""
    b, s = (factor.view(-1, 1, 1, 1) if factor.dim() == 1 else factor for factor in (brightness, saturation))
    m = offset[:, :, None, None] if offset.dim() == 2 else offset
    result = b * (grey(x) + s * (x - grey(x))) + m
    return result.clamp(0, 1) if clip else result


def colour_probes(generator):
    def draw():
        # As many images as columns: a factor that is not reshaped goes along the width, without an error.
        brightness, saturation = 0.5 + torch.rand(2, 6, generator=generator)
        return {"x": torch.rand(6, 3, 4, 6, generator=generator), "brightness": brightness, "saturation": saturation,
                "offset": 0.4 * torch.rand(6, 3, generator=generator) - 0.2}

    return [telling_apart(draw, recolour, MISTAKES.values()) for _ in range(2)]


def clipped_early(x, brightness, saturation, offset):
    return (lit(x, brightness, saturation, 0 * offset) + offset[:, :, None, None]).clamp(0, 1)


def offset_first(x, brightness, saturation, offset):
    return lit(x + offset[:, :, None, None], brightness, saturation, 0 * offset)


def offset_before_brightness(x, brightness, saturation, offset):
    return lit(x, brightness, saturation, brightness[:, None] * offset)


def saturation_scales_all(x, brightness, saturation, offset):
    return lit(x, brightness * saturation, torch.ones_like(saturation), offset)


MISTAKES = {
    "pixels leave [0, 1]: clip as the last thing you do":
        lambda x, brightness, saturation, offset: lit(x, brightness, saturation, offset, clip=False),
    "the luma is the mean of the three channels here; the weights are 0.299, 0.587 and 0.114":
        lambda x, brightness, saturation, offset: lit(
            x, brightness, saturation, offset, grey=lambda x: x.mean(1, keepdim=True)),
    "the luma is that of the whole image: every pixel has its own":
        lambda x, brightness, saturation, offset: lit(
            x, brightness, saturation, offset, grey=lambda x: luma(x).mean((2, 3), keepdim=True)),
    "the weights of the luma are in the order of blue, green, red: the first channel is red":
        lambda x, brightness, saturation, offset: lit(
            x, brightness, saturation, offset, grey=lambda x: luma(x, LUMA[::-1])),
    "the brightness is added: it is a factor":
        lambda x, brightness, saturation, offset: lit(
            x, torch.ones_like(brightness), saturation, offset + brightness[:, None]),
    "the brightness is missing":
        lambda x, brightness, saturation, offset: lit(x, torch.ones_like(brightness), saturation, offset),
    "the saturation is missing":
        lambda x, brightness, saturation, offset: lit(x, brightness, torch.ones_like(saturation), offset),
    "the offset is missing":
        lambda x, brightness, saturation, offset: lit(x, brightness, saturation, 0 * offset),
    "brightness and saturation are exchanged":
        lambda x, brightness, saturation, offset: lit(x, saturation, brightness, offset),
    "the saturation is the wrong way round: 0 is grey and 1 the image as it was, ℓ + s · (x − ℓ)":
        lambda x, brightness, saturation, offset: lit(x, brightness, 1 - saturation, offset),
    "the saturation multiplies the pixels themselves: it multiplies their distance from the luma":
        saturation_scales_all,
    "the luma is missing after the saturation: ℓ + s · (x − ℓ)":
        lambda x, brightness, saturation, offset: (
            brightness.view(-1, 1, 1, 1) * saturation.view(-1, 1, 1, 1) * (x - luma(x))
            + offset[:, :, None, None]).clamp(0, 1),
    "all images get the first one's brightness":
        lambda x, brightness, saturation, offset: lit(x, brightness[:1], saturation, offset),
    "all images get the first one's factors":
        lambda x, brightness, saturation, offset: lit(x, brightness[:1], saturation[:1], offset[:1]),
    "the factors go along the *width* of the images, as (N,) does beside (N, C, H, W): reshape them to (N, 1, 1, 1)":
        lambda x, brightness, saturation, offset: lit(
            x, brightness.view(1, 1, 1, -1), saturation.view(1, 1, 1, -1), offset),
    "the brightness goes along the *width* of the images, as (N,) does beside (N, C, H, W): reshape it to "
    "(N, 1, 1, 1)":
        lambda x, brightness, saturation, offset: lit(x, brightness.view(1, 1, 1, -1), saturation, offset),
    "you clip before the offset is added, and what was too bright is lost: clip once, at the end": clipped_early,
    "the offset is added before the rest: it comes last": offset_first,
    "the offset is multiplied by the brightness, too: it comes last": offset_before_brightness,
    "the offset is the same for the three channels; each has its own, offset[:, c]":
        lambda x, brightness, saturation, offset: lit(
            x, brightness, saturation, offset.mean(1, keepdim=True).expand(-1, 3)),
    "the offset is subtracted":
        lambda x, brightness, saturation, offset: lit(x, brightness, saturation, -offset),
}


exercise = Exercise(
    number="11.5",
    title="Other light",
    points=3,
    minutes=10,
    hints=(
        ("How do I multiply each image by its own factor?",
         "Beside images of shape (N, C, H, W) a factor of shape (N,) would go along the width. "
         "`brightness.view(-1, 1, 1, 1)` goes along the images; `offset[:, :, None, None]` along images and channels."),
        ("What is the luma?",
         "How bright a pixel looks: 0.299 of red, 0.587 of green, 0.114 of blue, of shape (N, 1, H, W). Grey pixels "
         "have all three channels at their luma, so saturation leaves them alone."),
        ("Show me nearly all of it.",
         "`weights = torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)`, `luma = (weights * x).sum(1, keepdim=True)`, "
         "then the formula with both factors reshaped, and `.clamp(0, 1)` at the very end."),
    ),
    reference=recolour,
    probes=colour_probes,
    gates={"every pixel lies in [0, 1]": lambda probe, result: in_unit_range(probe, result, name="result")},
    properties={"it is clip(b · (ℓ + s · (x − ℓ)) + m)": equals(recolour, MISTAKES)},
)
