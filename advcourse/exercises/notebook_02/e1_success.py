"""02.1: has the attack succeeded?"""

import torch
from torch import nn

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.probes import telling_apart
from advcourse.exercises.properties import equals


def succeeds(model, x, x_p, y, eps, target=None):
    before, after = model(x).argmax(1), model(x_p).argmax(1)
    near = (x_p - x).abs().flatten(1).amax(1) <= eps
    reached = after != y if target is None else after == target
    return (before == y) & near & reached


def brightest_of_four(places):
    """A model whose class is the brightest of four pixels of a 5x5 image: what it says can be arranged."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(25, 4, bias=False))
    with torch.no_grad():
        model[1].weight.zero_()
        model[1].weight[torch.arange(4), places] = 1
    return model.eval()


def pairs(generator, eps, target, count=64):
    """One probe with every kind of pair: right or wrong before, near or far, same, wanted or other class afterwards."""
    places = torch.randperm(25, generator=generator)[:5]
    before, after = torch.randint(4, (2, count), generator=generator)
    y = torch.where(torch.rand(count, generator=generator) < 0.7, before, (before + 1) % 4)
    far = torch.randint(8, (count,), generator=generator)  # 0, 1, 2: too far, in three ways
    few = torch.rand(count, generator=generator) < 0.4  # two pixels change at most, so that it is short in every norm
    x = 0.3 + 0.2 * torch.rand(count, 25, generator=generator)
    x_p = x + torch.where(few[:, None], 0, 0.9 * eps * (2 * torch.rand(count, 25, generator=generator) - 1))
    row = torch.arange(count)
    for images, seen in ((x, before), (x_p, after)):
        images[:, places[:4]] = 0.6
        images[row, places[seen]] = 0.6 + 0.5 * eps
    x_p[far == 0, places[4]] = x[far == 0, places[4]] - 1.1 * eps
    x_p[far == 1, places[4]] = x[far == 1, places[4]] + 1.1 * eps
    others = torch.ones(25, dtype=torch.bool).index_fill(0, places[:4], False)
    x_p[far == 2] = torch.where(others, x + 2 * eps, x_p)[far == 2]
    kept = y != target if target is not None else torch.ones(count, dtype=torch.bool)
    shape = (-1, 1, 5, 5)
    return {"model": brightest_of_four(places[:4]), "x": x[kept].view(shape), "x_p": x_p[kept].view(shape),
            "y": y[kept], "eps": eps, "target": target}


def success_probes(generator):
    apart = [judged(near=near) for near in ("none", "signed", "mean", "batch", "beyond", "euclidean")]
    apart += [judged(right_before=False), judged(right_before=False, reached="left")]
    return [telling_apart(lambda: pairs(generator, 0.1, None), succeeds, apart),
            pairs(generator, 0.05, 2), pairs(generator, 0.1, 0)]


def judged(near="largest", right_before=True, reached="wanted"):
    """The formula of `succeeds` with one of its parts replaced by a mistake."""
    def formula(model, x, x_p, y, eps, target=None):
        change = (x_p - x).flatten(1)
        said = model(x).argmax(1)
        after = model(x_p).argmax(1)
        within = {"largest": change.abs().amax(1) <= eps, "none": torch.ones_like(said, dtype=torch.bool),
                  "signed": change.amax(1) <= eps, "mean": change.abs().mean(1) <= eps,
                  "euclidean": change.norm(dim=1) <= eps, "batch": (change.abs().max() <= eps).expand(len(said)),
                  "beyond": change.abs().amax(1) > eps}
        goal = {"wanted": after != y if target is None else after == target, "any": after != y, "left": after != said,
                "true": after != y if not target else after == target,
                "not target": after != y if target is None else after != target,
                "same": after == y if target is None else after == target}
        good = said == y if right_before else torch.ones_like(within["none"])
        return good & within[near] & goal[reached]
    return formula


exercise = Exercise(
    number="02.1",
    title="Has the attack succeeded?",
    points=3,
    minutes=10,
    hints=(
        ("How many conditions are there?",
         "Three, and all must hold: the model was right about x, x_p is near enough to x, and the model's answer to "
         "x_p is what the attacker wants."),
        ("How do I join them?",
         "Each is a tensor of True and False, one per image; `&` joins them. The distance of an image is "
         "`(x_p - x).abs().flatten(1).amax(1)`."),
        ("Show me nearly all of it.",
         "`(model(x).argmax(1) == y)`, and the distance `<= eps`, and, where target is None, "
         "`model(x_p).argmax(1) != y`, else `== target`."),
    ),
    reference=succeeds,
    probes=success_probes,
    properties={
        "it says of every pair whether x_p is an adversarial example of x": equals(succeeds, mistakes={
            "some of these images are too far away: x_p counts only where its largest change is at most ε":
                judged(near="none"),
            "a pixel that gets darker by more than ε is too far as well: take the absolute value of the change":
                judged(near="signed"),
            "you ask for every image of the batch to be near enough at once: each has its own distance (`.flatten(1)`, "
            "then `.amax(1)`)":
                judged(near="batch"),
            "you ask for a distance of more than ε; near enough is at most ε":
                judged(near="beyond"),
            "you average the change over the pixels; d is the *largest* change of a pixel":
                judged(near="mean"),
            "you measure the Euclidean length; d is the largest change of a pixel":
                judged(near="euclidean"),
            "some of these images were wrong before anything was changed: "
            "an attack gets no credit for them, so ask for f(x) = y":
                judged(right_before=False),
            "you count every change of the answer, also of images that were wrong before; ask for f(x) = y first":
                judged(right_before=False, reached="left"),
            "class 0 is a target like any other, and `if target:` takes it for none: ask `if target is None`":
                judged(reached="true"),
            "with a target any wrong class is not enough: the answer must be the target":
                judged(reached="any"),
            "with a target you ask for the answer *not* to be the target; it is the one that the attacker wants":
                judged(reached="not target"),
            "without a target the attack succeeds where the answer is *not* y":
                judged(reached="same"),
            "this is the reverse: True should mean that the attack succeeded":
                lambda **probe: ~succeeds(**probe),
        }),
    },
)
