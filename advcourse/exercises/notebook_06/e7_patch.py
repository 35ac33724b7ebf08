"""06.7: a patch is put on."""

from functools import partial

import torch

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.probes import random_images
from advcourse.exercises.properties import equals, in_unit_range


def put_on(x, pattern, mask):
    return (1 - mask) * x + mask * pattern


def patch_probes(generator):
    probes = []
    for hard in (True, False):
        x = random_images(generator, count=5)
        pattern = torch.rand(1, 6, 6, generator=generator).double()
        mask = torch.zeros(6, 6).double()
        # A soft rim, as a sticker has that was turned and interpolated: there image and pattern mix.
        mask[1:4, 2:5] = 1 if hard else 0.2 + 0.6 * torch.rand(3, 3, generator=generator).double()
        probes.append({"x": x, "pattern": pattern, "mask": mask})
    return probes


def keeps_the_rest(probe, result):
    outside = (probe["mask"] == 0).expand_as(result)
    changed = (result - probe["x"])[outside].abs().max().item()
    if changed > 1e-6:
        return f"pixels outside the mask change by up to {changed:.2g}: where m = 0 the image must stay as it is"
    return None


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
    properties={
        "what it gives are images": partial(in_unit_range, name="result"),
        "outside the mask nothing changes": keeps_the_rest,
        "it is (1 − m) · x + m · p": equals(put_on, mistakes={
            "the pattern is added to what is under it; a sticker hides it: the image's share there is 1 − m":
                lambda x, pattern, mask: (x + mask * pattern).clamp(0, 1),
            "the images come back without the patch":
                lambda x, pattern, mask: x,
            "the mask is the wrong way round: the pattern belongs where m = 1":
                lambda x, pattern, mask: mask * x + (1 - mask) * pattern,
            "where the mask lies between 0 and 1, image and pattern "
            "are mixed in the shares 1 − m and m; you choose one of them":
                lambda x, pattern, mask: torch.where(mask > 0, pattern, x),
            "where the mask lies between 0 and 1, image and pattern are mixed; you choose one of the two":
                lambda x, pattern, mask: torch.where(mask > 0.5, pattern, x),
            "the place under the mask is blank: add m · pattern":
                lambda x, pattern, mask: (1 - mask) * x,
        }),
    },
)
