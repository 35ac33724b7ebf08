"""05.5: to the decision boundary, by labels alone."""

from functools import partial

import torch

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.counted import Counted
from advcourse.exercises.properties import asks_once_a_step, at_cost, finite


def to_the_boundary(is_wrong, x, x_wrong, steps):
    right, wrong = torch.zeros(len(x), dtype=x.dtype), torch.ones(len(x), dtype=x.dtype)
    right, wrong = right.to(x.device), wrong.to(x.device)
    for _ in range(steps):
        middle = (right + wrong) / 2
        err = is_wrong(x + middle.view(-1, 1, 1, 1) * (x_wrong - x))
        right, wrong = torch.where(err, right, middle), torch.where(err, middle, wrong)
    return x + wrong.view(-1, 1, 1, 1) * (x_wrong - x)


def beyond_the_border(images, x, x_wrong, border):
    """Whether each image lies farther on the way from x to x_wrong than its border, a share of that way."""
    return shares({"x": x, "x_wrong": x_wrong}, images) > border


def boundary_probes(generator):
    probes = []
    for count, steps in ((5, 6), (8, 12)):
        x = torch.rand(count, 2, 3, 4, generator=generator) * 0.3
        x_wrong = 1 - torch.rand(count, 2, 3, 4, generator=generator) * 0.3
        # Along each way from x to x_wrong the model errs from a share of the way on that differs from image to image,
        # and that no halving meets: rounding shall decide nothing. Every other border lies beyond the middle.
        cell = torch.randint(410, 2048, (count,), generator=generator) + 1638 * (torch.arange(count) % 2)
        border = (cell + 0.25 + 0.5 * torch.rand(count, generator=generator)) / 2**12
        is_wrong = Counted(partial(beyond_the_border, x=x, x_wrong=x_wrong, border=border))
        probes.append({"is_wrong": is_wrong, "x": x, "x_wrong": x_wrong, "steps": steps})
    return probes


def shares(probe, images):
    """How far each image lies on its way from x (0) to x_wrong (1)."""
    way = (probe["x_wrong"] - probe["x"]).flatten(1)
    return ((images - probe["x"]).flatten(1) * way).sum(1) / way.square().sum(1)


def still_wrong(probe, result):
    if message := finite(probe, result):
        return message
    right = (~probe["is_wrong"](result)).sum().item()
    here, step = shares(probe, result), 1.5 * 0.5 ** probe["steps"]
    if right == 0:
        return None
    if (here < step).all():
        return "you end at x, which the model reads right: return the end that is still wrong"
    if ((here < step) | (here > 1 - step)).all():
        return "your ends are crossed: where the middle is wrong, the wrong end moves there, else the right end"
    return (f"the model reads {right} of your {len(result)} images right: return the end that is still wrong, not the "
            "other one and not the middle")


def on_the_way(probe, result):
    straight = probe["x"] + shares(probe, result).view(-1, 1, 1, 1) * (probe["x_wrong"] - probe["x"])
    if torch.allclose(result, straight, atol=1e-5):
        return None
    return "your images do not lie on the straight line from x to x_wrong"


def walked_in_equal_steps(is_wrong, x, x_wrong, steps):
    """The last share of the way at which the model still errs, on a walk from x_wrong in steps of equal length."""
    here = torch.ones(len(x))
    for step in range(1, steps):
        share = torch.full_like(here, 1 - step / steps)
        here = torch.where(is_wrong(x + share.view(-1, 1, 1, 1) * (x_wrong - x)), share, here)
    return here


def near_the_boundary(probe, result):
    here, best = shares(probe, result), shares(probe, to_the_boundary(**probe))
    if torch.allclose(here, torch.ones_like(here)):
        return "x_wrong came back: halve the way again and again"
    if torch.allclose(here, here[:1], atol=1e-5):
        return ("all images stop at the same share of their way: "
                "every image has its own border, so decide image by image")
    if torch.allclose(here, walked_in_equal_steps(**probe), atol=1e-5):
        return "you walk in steps of equal length: halve what is left of the way, `steps` times"
    if (here < best - 1e-5).any():
        return "nearer than `steps` halvings can get: halve exactly `steps` times"
    if (here - best).max() > 1e-5:
        return (f"an image could be nearer by {(here - best).max():.2g} of its way: after each question half of the "
                "way that is left is ruled out")
    return None


once_a_step = asks_once_a_step(
    "is_wrong", "each call costs a query for every image, so ask once a step, for the middles of all images together, "
                "and keep the answer")


exercise = Exercise(
    number="05.5",
    title="To the boundary, by labels alone",
    points=4,
    minutes=12,
    hints=(
        ("What do I know of the way?",
         "At its start, share 0, the model is right. At its end, share 1, it is wrong. Somewhere in between it "
         "changes its mind. Ask in the middle."),
        ("How for all images at once?",
         "Keep two tensors of shape (N,): `right` starts with zeros, `wrong` with ones. With `err = is_wrong(…)` at "
         "the middle, `torch.where(err, middle, wrong)` is the new `wrong`."),
        ("Show me nearly all of it.",
         "In a loop of `steps`: middle = (right + wrong) / 2; err = is_wrong(x + middle.view(-1, 1, 1, 1) * (x_wrong "
         "- x)); update both ends by `torch.where`. Return the image at the share `wrong`."),
    ),
    reference=to_the_boundary,
    probes=boundary_probes,
    gates={
        "the model is still wrong about every image": still_wrong,
        "every image lies on its way from x to x_wrong": on_the_way,
    },
    properties={
        "it is as near to x as `steps` halvings allow": near_the_boundary,
        "it takes `steps` queries for each image": at_cost(near_the_boundary, once_a_step),
    },
)
