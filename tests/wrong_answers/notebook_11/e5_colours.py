"""Plausible wrong answers to exercise 11.5, each with a part of the message that it should get, and right ones."""

import numpy as np
import torch

WEIGHTS = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)


def grey(x):
    return (WEIGHTS * x).sum(1, keepdim=True)


def column(factor):
    return factor.view(-1, 1, 1, 1)


def forgets_to_clip(x, brightness, saturation, offset):
    luma = grey(x)
    return column(brightness) * (luma + column(saturation) * (x - luma)) + offset[:, :, None, None]


def takes_the_mean_for_the_luma(x, brightness, saturation, offset):
    luma = x.mean(1, keepdim=True)
    return (column(brightness) * (luma + column(saturation) * (x - luma)) + offset[:, :, None, None]).clamp(0, 1)


def takes_one_luma_an_image(x, brightness, saturation, offset):
    luma = grey(x).mean((2, 3), keepdim=True)
    return (column(brightness) * (luma + column(saturation) * (x - luma)) + offset[:, :, None, None]).clamp(0, 1)


def reads_blue_first(x, brightness, saturation, offset):
    luma = grey(x.flip(1))
    return (column(brightness) * (luma + column(saturation) * (x - luma)) + offset[:, :, None, None]).clamp(0, 1)


def adds_the_brightness(x, brightness, saturation, offset):
    luma = grey(x)
    return (column(brightness) + luma + column(saturation) * (x - luma) + offset[:, :, None, None]).clamp(0, 1)


def forgets_the_brightness(x, brightness, saturation, offset):
    luma = grey(x)
    return (luma + column(saturation) * (x - luma) + offset[:, :, None, None]).clamp(0, 1)


def forgets_the_saturation(x, brightness, saturation, offset):
    return (column(brightness) * x + offset[:, :, None, None]).clamp(0, 1)


def forgets_the_offset(x, brightness, saturation, offset):
    luma = grey(x)
    return (column(brightness) * (luma + column(saturation) * (x - luma))).clamp(0, 1)


def exchanges_the_factors(x, brightness, saturation, offset):
    return right(x, saturation, brightness, offset)


def turns_the_saturation_round(x, brightness, saturation, offset):
    luma = grey(x)
    return (column(brightness) * (x + column(saturation) * (luma - x)) + offset[:, :, None, None]).clamp(0, 1)


def scales_all_by_the_saturation(x, brightness, saturation, offset):
    return (column(brightness) * column(saturation) * x + offset[:, :, None, None]).clamp(0, 1)


def loses_the_luma(x, brightness, saturation, offset):
    return (column(brightness) * column(saturation) * (x - grey(x)) + offset[:, :, None, None]).clamp(0, 1)


def takes_the_first_factors(x, brightness, saturation, offset):
    luma = grey(x)
    return (brightness[0] * (luma + saturation[0] * (x - luma)) + offset[0].view(1, 3, 1, 1)).clamp(0, 1)


def lets_factors_go_along_the_width(x, brightness, saturation, offset):
    luma = grey(x)
    return (brightness * (luma + saturation * (x - luma)) + offset[:, :, None, None]).clamp(0, 1)


def lets_the_brightness_go_along_the_width(x, brightness, saturation, offset):
    luma = grey(x)
    return (brightness * (luma + column(saturation) * (x - luma)) + offset[:, :, None, None]).clamp(0, 1)


def clips_early(x, brightness, saturation, offset):
    luma = grey(x)
    bright = (column(brightness) * (luma + column(saturation) * (x - luma))).clamp(0, 1)
    return (bright + offset[:, :, None, None]).clamp(0, 1)


def adds_the_offset_first(x, brightness, saturation, offset):
    moved = x + offset[:, :, None, None]
    return (column(brightness) * (grey(moved) + column(saturation) * (moved - grey(moved)))).clamp(0, 1)


def multiplies_the_offset(x, brightness, saturation, offset):
    luma = grey(x)
    return (column(brightness) * (luma + column(saturation) * (x - luma) + offset[:, :, None, None])).clamp(0, 1)


def gives_all_channels_one_offset(x, brightness, saturation, offset):
    luma = grey(x)
    return (column(brightness) * (luma + column(saturation) * (x - luma)) + column(offset.mean(1))).clamp(0, 1)


def subtracts_the_offset(x, brightness, saturation, offset):
    return right(x, brightness, saturation, -offset)


def writes_into_the_images(x, brightness, saturation, offset):
    luma = grey(x)
    x -= luma
    x *= column(saturation)
    return (column(brightness) * (luma + x) + offset[:, :, None, None]).clamp(0, 1)


def right(x, brightness, saturation, offset):
    luma = grey(x)
    return (column(brightness) * (luma + column(saturation) * (x - luma)) + offset[:, :, None, None]).clamp(0, 1)


def image_by_image(x, brightness, saturation, offset):
    result = []
    for image, b, s, m in zip(x, brightness.tolist(), saturation.tolist(), offset, strict=True):
        luma = 0.299 * image[0] + 0.587 * image[1] + 0.114 * image[2]
        result.append(torch.clip(b * (luma + s * (image - luma)) + m.view(3, 1, 1), 0, 1))
    return torch.stack(result)


def as_a_matrix(x, brightness, saturation, offset):
    weights = torch.tensor([0.299, 0.587, 0.114]).expand(3, 3)
    s = saturation.view(-1, 1, 1)
    turn = brightness.view(-1, 1, 1) * (s * torch.eye(3) + (1 - s) * weights)
    return (torch.einsum("ncd,ndhw->nchw", turn, x) + offset[:, :, None, None]).clamp(0, 1)


def in_numpy(x, brightness, saturation, offset):
    x, b, s, m = (value.numpy().astype("float64") for value in (x, brightness, saturation, offset))
    luma = np.einsum("nchw,c->nhw", x, np.array([0.299, 0.587, 0.114]))[:, None]
    return np.clip(b[:, None, None, None] * (s[:, None, None, None] * (x - luma) + luma) + m[..., None, None], 0, 1)


WRONG = [
    (forgets_to_clip, "as the last thing you do"),
    (takes_the_mean_for_the_luma, "the mean of the three channels"),
    (takes_one_luma_an_image, "that of the whole image"),
    (reads_blue_first, "blue, green, red"),
    (adds_the_brightness, "the brightness is added"),
    (forgets_the_brightness, "the brightness is missing"),
    (forgets_the_saturation, "the saturation is missing"),
    (forgets_the_offset, "the offset is missing"),
    (exchanges_the_factors, "are exchanged"),
    (turns_the_saturation_round, "the wrong way round"),
    (scales_all_by_the_saturation, "multiplies the pixels themselves"),
    (loses_the_luma, "the luma is missing"),
    (takes_the_first_factors, "the first one's factors"),
    (lets_factors_go_along_the_width, "the factors go along the *width*"),
    (lets_the_brightness_go_along_the_width, "the brightness goes along the *width*"),
    (clips_early, "before the offset is added"),
    (adds_the_offset_first, "added before the rest"),
    (multiplies_the_offset, "multiplied by the brightness"),
    (gives_all_channels_one_offset, "the same for the three channels"),
    (subtracts_the_offset, "subtracted"),
    (writes_into_the_images, "changes `x` in place"),
]

RIGHT = [right, image_by_image, as_a_matrix, in_numpy]
