"""07.7: glasses are put on."""

import torch

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.properties import equals


def wear(x, frame, mask):
    return (1 - mask) * x + mask * frame


def wear_probes(generator):
    probes = []
    for channels, frames in ((1, ()), (3, ()), (3, (4,))):
        x = torch.rand(4, channels, 8, 6, generator=generator, dtype=torch.float64)
        frame = torch.rand(*frames, channels, 8, 6, generator=generator, dtype=torch.float64)
        mask = torch.rand(8, 6, generator=generator, dtype=torch.float64)
        mask = torch.where(mask < 0.5, 0.0, torch.where(mask > 0.8, 1.0, mask)).double()
        probes.append({"x": x, "frame": frame, "mask": mask})
    return probes


exercise = Exercise(
    number="07.7",
    title="Glasses",
    points=2,
    minutes=5,
    hints=(
        ("What becomes of one pixel?",
         "Where the mask is 1 it is the frame's, where it is 0 it is the photograph's, and between it is a mixture."),
        ("And the shapes?",
         "A mask of shape (H, W) goes with images of shape (N, C, H, W) by itself: PyTorch repeats it over the "
         "leading dimensions. So does a frame of shape (C, H, W)."),
        ("Show me nearly all of it.", "`(1 - mask) * x + mask * frame`."),
    ),
    reference=wear,
    probes=wear_probes,
    properties={
        "it is (1 − m) · x + m · frame": equals(wear, mistakes={
            "the frame is added on top of the photograph; under it the photograph must go: multiply x by 1 − mask":
                lambda x, frame, mask: x + mask * frame,
            "the frame is added on top of the photograph, then clipped; "
            "under it the photograph must go: multiply x by 1 − mask":
                lambda x, frame, mask: (x + mask * frame).clamp(0, 1),
            "the mask is the wrong way round: it is 1 where the frame is":
                lambda x, frame, mask: mask * x + (1 - mask) * frame,
            "the photograph is gone outside the frame: add (1 − mask) · x":
                lambda x, frame, mask: (mask * frame).expand(x.shape),
            "the frame is missing: there is a hole where it should be. Add mask · frame":
                lambda x, frame, mask: (1 - mask) * x,
            "where the mask lies between 0 and 1 you take the frame alone; "
            "wanted is a mixture, so multiply by the mask":
                lambda x, frame, mask: torch.where(mask > 0, frame, x),
            "where the mask lies between 0 and 1 you take one of the two; "
            "wanted is a mixture, so multiply by the mask":
                lambda x, frame, mask: torch.where(mask > 0.5, frame, x),
            "where the mask is exactly 1 you are right; between 0 and 1 wanted is a mixture, so multiply by the mask":
                lambda x, frame, mask: torch.where(mask == 1, frame, x),
            "the frame is laid over the whole picture; keep it inside the mask: multiply it by the mask":
                lambda x, frame, mask: (1 - mask) * x + frame,
            "the photographs came back without a frame":
                lambda x, frame, mask: x,
            "this is half photograph, half frame everywhere; the mask says where which counts":
                lambda x, frame, mask: (x + frame) / 2,
        }),
    },
)
