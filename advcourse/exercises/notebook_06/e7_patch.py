"""06.7: a patch is put on."""

from functools import partial

import torch

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.probes import random_images, telling_apart
from advcourse.exercises.properties import equals, in_unit_range


def put_on(x, pattern, mask):
    return (1 - mask) * x + mask * pattern


def patch_probes(generator):
    def draw(mask):
        x = random_images(generator, count=5).view(-1, 3, 3, 4)  # as many channels as rows, and not as columns
        return {"x": x, "pattern": torch.rand(3, 3, 4, generator=generator), "mask": mask}

    # A soft rim, as a sticker has that was turned and interpolated: there image and pattern mix.
    masks = torch.rand(2, 3, 4, generator=generator)
    masks[:, 0], masks[:, 1, :2] = 0, 1
    return [telling_apart(lambda mask=mask: draw(mask), put_on, MISTAKES.values()) for mask in masks]


def keeps_the_rest(probe, result):
    outside = (probe["mask"] == 0).expand_as(result)
    changed = (result - probe["x"])[outside].abs().max().item()
    if changed > 1e-6:
        return f"pixels outside the mask change by up to {changed:.2g}: where m = 0 the image must stay as it is"
    return None


MISTAKES = {
    "the pattern is added to what is under it, then clipped; a sticker hides it: the image's share there is 1 − m":
        lambda x, pattern, mask: (x + mask * pattern).clamp(0, 1),
    "the pattern is added to what is under it; a sticker hides it: the image's share there is 1 − m":
        lambda x, pattern, mask: x + mask * pattern,
    "the pattern is laid over the whole image; multiply it by the mask":
        lambda x, pattern, mask: (1 - mask) * x + pattern,
    "the images come back without the patch":
        lambda x, pattern, mask: x,
    "the images are gone outside the mask: add (1 − m) · x":
        lambda x, pattern, mask: (mask * pattern).expand_as(x),
    "the mask is the wrong way round: the pattern belongs where m = 1":
        lambda x, pattern, mask: mask * x + (1 - mask) * pattern,
    "where the mask lies between 0 and 1, image and pattern "
    "are mixed in the shares 1 − m and m; you choose one of them":
        lambda x, pattern, mask: torch.where(mask > 0, pattern, x),
    "where the mask lies between 0 and 1, image and pattern are mixed; you choose one of the two":
        lambda x, pattern, mask: torch.where(mask > 0.5, pattern, x),
    "where the mask is exactly 1 you are right; between 0 and 1 image and pattern are mixed":
        lambda x, pattern, mask: torch.where(mask == 1, pattern, x),
    "this is half image, half pattern everywhere; the mask says where which counts":
        lambda x, pattern, mask: (x + pattern) / 2,
    "the place under the mask is blank: add m · pattern":
        lambda x, pattern, mask: (1 - mask) * x,
}


exercise = Exercise(
    number="06.7",
    title="Put the patch on",
    points=2,
    minutes=5,
    hints=(
        ("What should a pixel show?",
         "Under the mask (m = 1) the pattern, outside (m = 0) the image, and in between a mixture."),
        ("How do I write a mixture?", "As a weighted mean: the weights m and 1 − m add up to one."),
        ("Show me nearly all of it.", "`(1 - mask) * x + mask * pattern`; broadcasting does the rest."),
    ),
    reference=put_on,
    probes=patch_probes,
    gates={
        "what it gives are images": partial(in_unit_range, name="result"),
        "outside the mask nothing changes": keeps_the_rest,
    },
    properties={"it is (1 − m) · x + m · p": equals(put_on, MISTAKES)},
)
