"""The exercises of notebook 07: faces, named as others and hidden."""

from functools import partial

import torch
from torch import nn
from torch.nn import functional as F

from advcourse.exercises.catalogue import Exercise, Question
from advcourse.exercises.properties import equals, finite, in_unit_range


def linear_model(generator, inputs=36, classes=4):
    """A random linear model in float64: on it every class can be reached, whatever the seed."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(inputs, classes)).double()
    with torch.no_grad():
        model[1].weight.copy_(4 * torch.randn(classes, inputs, generator=generator, dtype=torch.float64))
        model[1].bias.zero_()
    return model.eval()


# 07.1: consent --------------------------------------------------------------------------------------------------------

consent = Question(
    number="07.1",
    title="May I?",
    points=1,
    minutes=3,
    text="You find a collection of faces whose licence says *free for research*. You want to train a recogniser on it, "
         "make adversarial "
         "examples, and put the notebook with the pictures online. What does the licence settle?",
    choices=(
        ("What its makers allow you to do with the collection. Whether the people shown agreed is another question, "
         "and yours to ask.",
         "Right: the two are different permissions from different people. Faces are personal data in many places, and "
         "publishing a changed one can harm its owner."),
        ("Everything: research is free, and a notebook is research.",
         "A licence is given by whoever made the collection. The people in it may never have been asked, and "
         "publishing goes further than research."),
        ("Nothing is needed: the pictures were public on the web anyway.",
         "Public is not the same as free for any purpose: people showed their faces for their reasons, not for yours."),
        ("That you may do it if the changes are too small to be seen.",
         "What can be seen is not the point: their faces are used, and a picture that is named as somebody else can "
         "harm two people."),
    ),
    hints=(
        ("Who gives the licence?", "The makers of the collection, and they can give away only what is theirs."),
        ("Whose is a face?", "Its owner's. Laws on personal data and on one's own picture stand beside copyright."),
        ("What would be safe?", "Drawn faces; or real ones whose owners agreed to just this use."),
    ),
)


# 07.2: any person, from noise -----------------------------------------------------------------------------------------

def probability(model, x, target):
    """The probability of each image's target, shape (N,)."""
    return model(x).softmax(1).gather(1, target[:, None])[:, 0]


def from_noise(model, x, target, confidence):
    for _ in range(500):
        x = x.detach().requires_grad_()
        logits = model(x)
        short = logits.softmax(1).gather(1, target[:, None])[:, 0] < confidence
        if not short.any():
            break
        gradient = torch.autograd.grad(F.cross_entropy(logits, target, reduction="sum"), x)[0]
        length = gradient.flatten(1).norm(dim=1).clamp_min(1e-12)
        x = (x - 0.5 * (short / length).view(-1, 1, 1, 1) * gradient).clamp(0, 1)
    return x.detach()


def noise_probes(generator):
    probes = []
    for confidence in (0.9, 0.99):
        model = linear_model(generator)
        x = torch.rand(6, 1, 6, 6, generator=generator, dtype=torch.float64)
        target = torch.arange(6) % 4
        x[5:] = from_noise(model, x[5:], target[5:], 0.995)  # one is there already
        probes.append({"model": model, "x": x, "target": target, "confidence": confidence})
    return probes


def sure_enough(probe, result):
    if message := finite(probe, result):
        return message
    model, target, wanted = probe["model"], probe["target"], probe["confidence"]
    with torch.no_grad():
        start, sure = probability(model, probe["x"], target), probability(model, result, target)
        seen = model(result).argmax(1)
    if (sure >= wanted - 1e-6).all():
        return None
    if torch.equal(result, probe["x"]):
        return "the images came back unchanged: follow the gradient for some steps"
    if (seen == seen[0]).all() and (sure[target == seen[0]] >= 0.5).all():
        return f"every image was driven to class {seen[0].item()}; each has a target of its own: give `cross_entropy` the whole of `target`"
    if sure.mean() < start.mean():
        return "the targets got less likely: to *lower* the loss at the target, subtract its gradient"
    if (seen == target).all():
        worst = sure.min().item()
        return (f"every image is classified as its target, but the least sure one only with {worst:.2g}; {wanted} is "
                "wanted: "
                "compare the softmax probability with `confidence`, image by image, before you stop")
    return (f"{(sure < wanted).sum().item()} of {len(sure)} images are not there: the least sure one has "
            f"{sure.min().item():.2g}, wanted is "
            f"{wanted}. Take more steps, and stop only when all have arrived")


def finished_stay(probe, result):
    with torch.no_grad():
        there = probability(probe["model"], probe["x"], probe["target"]) >= probe["confidence"]
    moved = (result - probe["x"])[there].abs().max().item()
    if moved > 1e-9:
        return (f"an image that had its confidence from the start was moved by {moved:.2g}: multiply the step by the "
                "images' "
                "`short`, 1 where the goal is not reached and 0 where it is")
    return None


noise = Exercise(
    number="07.2",
    title="Any person, from noise",
    points=4,
    minutes=14,
    hints=(
        ("Which way is the target?", "Down the cross-entropy at the target: minus its gradient, divided by its length, "
                                     "image by image. Many steps of length 0.5, "
         "clipped to [0, 1] after each."),
        ("How do I stop some images and not others?", "`model(x).softmax(1).gather(1, target[:, None])[:, 0]` is each "
                                                      "image's probability. "
         "Compare it with `confidence`: True where the image must go on. As a factor of the step, reshaped to (N, 1, "
         "1, 1), it stops the others."),
        ("Show me nearly all of it.", "In a loop of 500: the probabilities; `short = probabilities < confidence`; "
                                      "break unless `short.any()`; the gradient of "
         "`F.cross_entropy(model(x), target, reduction='sum')` and its `length`, `.flatten(1).norm(dim=1)`; then "
         "`x = (x - 0.5 * (short / length).view(-1, 1, 1, 1) * gradient).clamp(0, 1)`."),
    ),
    reference=from_noise,
    probes=noise_probes,
    properties={
        "every pixel is a grey value in [0, 1]": partial(in_unit_range, name="image"),
        "the model is sure enough of every target": sure_enough,
        "an image that is there stays as it is": finished_stay,
    },
)


# 07.3: the realistic objective ----------------------------------------------------------------------------------------

def realistic_loss(model, z, picture, target, weight):
    return F.cross_entropy(model(z), target, reduction="none") + weight * (z - picture).square().flatten(1).sum(1)


def loss_parts(model, z, picture, target):
    """Cross-entropy and squared distance, per image."""
    return F.cross_entropy(model(z), target, reduction="none"), (z - picture).square().flatten(1).sum(1)


def loss_probes(generator):
    probes = []
    for weight in (0.3, 2.0):
        model = linear_model(generator)
        z, picture = torch.rand(2, 5, 1, 6, 6, generator=generator, dtype=torch.float64)
        probes.append({"model": model, "z": z, "picture": picture, "target": torch.arange(5) % 4, "weight": weight})
    return probes


def another_loss(combine):
    """A formula that a student may have written, from a function of (cross-entropy, squared distance, weight,
    pixels)."""
    return lambda model, z, picture, target, weight: combine(*loss_parts(model, z, picture, target), weight,
                                                             z[0].numel())


objective = Exercise(
    number="07.3",
    title="The realistic objective",
    points=3,
    minutes=8,
    hints=(
        ("Which two parts are there?", "The cross-entropy of `model(z)` at the target, and weight times the squared "
                                       "distance of z from the picture."),
        ("One number per image?", "`F.cross_entropy(…, reduction=\"none\")` gives one per image. For the distance: "
                                  "`.square()`, then `.flatten(1)`, then `.sum(1)`."),
        ("Show me nearly all of it.", "`F.cross_entropy(model(z), target, reduction=\"none\") + weight * (z - "
                                      "picture).square().flatten(1).sum(1)`."),
    ),
    reference=realistic_loss,
    probes=loss_probes,
    properties={
        "it is J(f(z), t) + λ‖z − x‖²": equals(realistic_loss, mistakes={
            "the distance is not squared: sum the squares and take no root":
                another_loss(lambda loss, square, weight, pixels: loss + weight * square.sqrt()),
            "you average the squares over the pixels; ‖z − x‖₂² is their sum":
                another_loss(lambda loss, square, weight, pixels: loss + weight * square / pixels),
            "the distance is subtracted: as it is, the loss falls as z leaves the picture. Add it":
                another_loss(lambda loss, square, weight, pixels: loss - weight * square),
            "the cross-entropy is subtracted: as it is, the loss falls as the target gets less likely. Add it":
                another_loss(lambda loss, square, weight, pixels: weight * square - loss),
            "the weight belongs to the distance, not to the cross-entropy":
                another_loss(lambda loss, square, weight, pixels: weight * loss + square),
            "the weight multiplies both parts; it belongs to the distance alone":
                another_loss(lambda loss, square, weight, pixels: weight * (loss + square)),
            "the weight is missing: the distance counts with a factor of 1":
                another_loss(lambda loss, square, weight, pixels: loss + square),
            "the distance is missing: nothing keeps z near the picture":
                another_loss(lambda loss, square, weight, pixels: loss),
            "the cross-entropy is missing: nothing moves z towards the target":
                another_loss(lambda loss, square, weight, pixels: weight * square),
            "every image gets the mean loss of the batch: use reduction=\"none\", so that each has its own":
                another_loss(lambda loss, square, weight, pixels: loss.mean() + weight * square),
            "every image gets the distance of the whole batch: flatten from dimension 1 and sum over that":
                another_loss(lambda loss, square, weight, pixels: loss + weight * square.sum()),
            "you add up absolute differences; wanted are their squares":
                lambda model, z, picture, target, weight: loss_parts(model, z, picture, target)[0]
                + weight * (z - picture).abs().flatten(1).sum(1),
        }, tolerance=1e-4),
    },
)


# 07.4: hidden and leaked ----------------------------------------------------------------------------------------------

def hidden_and_leaked(before, after, other, y):
    known = before == y
    gone = known & (after != y)
    hidden = (gone.sum() / known.sum()).item()
    leaked = ((other == y) & gone).sum() / gone.sum() if gone.any() else torch.tensor(0.0)
    return hidden, leaked.item()


def share_probes(generator):
    """Answers that are right with different probabilities; in the last probe nothing is hidden."""
    probes = []
    for right_before, right_after, right_other in ((0.8, 0.4, 0.6), (0.6, 0.3, 0.7), (0.7, 1.0, 0.5)):
        y = torch.randint(5, (60,), generator=generator)

        def answers(right):
            wrong = (y + torch.randint(1, 5, y.shape, generator=generator)) % 5
            return torch.where(torch.rand(y.shape, generator=generator) < right, y, wrong)
        before = answers(right_before)
        after = before.clone() if right_after == 1 else answers(right_after)
        probes.append({"before": before, "after": after, "other": answers(right_other), "y": y})
    return probes


def shares(count):
    """A formula that a student may have written, from a function of what was known, what is gone, what the other gets
    right."""
    def formula(before, after, other, y):
        parts = count(known=before == y, changed=after != before, wrong=after != y, caught=other == y)
        return tuple((part.sum() / whole.sum().clamp_min(1)).item() for part, whole in parts)
    return formula


def both_shares(probe, result):
    return equals(hidden_and_leaked, mistakes={
        "the two shares are right, but swapped: hidden comes first":
            lambda **probe: hidden_and_leaked(**probe)[::-1],
        "these are percentages; wanted are shares between 0 and 1":
            lambda **probe: tuple(100 * share for share in hidden_and_leaked(**probe)),
        "the second is the share that does *not* leak; count those that the other gets right":
            shares(lambda known, changed, wrong,
                   caught: [(known & wrong, known), (known & wrong & ~caught, known & wrong)]),
        "the first is the share that is *not* hidden; count those that are wrong after":
            shares(lambda known, changed, wrong,
                   caught: [(known & ~wrong, known), (known & wrong & caught, known & wrong)]),
        "photographs that the recogniser got wrong before count in your first share: leave them out above and below "
        "the line":
            shares(lambda known, changed, wrong,
                   caught: [(wrong, wrong | True), (known & wrong & caught, known & wrong)]),
        "photographs that the recogniser got wrong before count in both of your shares: leave them out":
            shares(lambda known, changed, wrong, caught: [(wrong, wrong | True), (wrong & caught, wrong)]),
        "you divide by the number of all photographs; only those count that the recogniser named right before":
            shares(lambda known, changed, wrong,
                   caught: [(known & wrong, wrong | True), (known & wrong & caught, known & wrong)]),
        "photographs that the recogniser got wrong before count as leaked: leave them out, they were never hidden":
            shares(lambda known, changed, wrong, caught: [(known & wrong, known), (wrong & caught, wrong)]),
        "leaked is a share of the *hidden* photographs; you divide by all that the recogniser knew":
            shares(lambda known, changed, wrong, caught: [(known & wrong, known), (known & wrong & caught, known)]),
        "your leaked is the other's accuracy on everything; it counts the hidden photographs only":
            shares(lambda known, changed, wrong, caught: [(known & wrong, known), (caught, caught | True)]),
        "your leaked is the other's accuracy on all that the recogniser knew; it counts the hidden photographs only":
            shares(lambda known, changed, wrong, caught: [(known & wrong, known), (known & caught, known)]),
        "hidden means *wrong* after, of those that were right before; you count every changed answer, also from wrong "
        "to right":
            shares(lambda known, changed, wrong,
                   caught: [(changed, changed | True), (known & wrong & caught, known & wrong)]),
        "these are counts; divide by the number of photographs":
            lambda before, after, other, y: (((before == y) & (after != y)).sum().item(),
                                             ((before == y) & (after != y) & (other == y)).sum().item()),
    }, tolerance=1e-5)(probe, result)


def numbers(probe, result):
    if all(share == share for share in result):
        return None
    return "one of your shares is not a number (nan): where no photograph is hidden, leaked is 0.0 by agreement. Ask `gone.any()` first"


leak = Exercise(
    number="07.4",
    title="Hidden, and leaking",
    points=3,
    minutes=10,
    hints=(
        ("Which photographs count?", "`known = before == y`: those that the recogniser named right. The hidden ones "
                                     "are `known & (after != y)`."),
        ("What do I divide by?", "Hidden: by the number of known ones. Leaked: by the number of hidden ones."),
        ("Show me nearly all of it.", "`gone = known & (after != y)`; hidden is `gone.sum() / known.sum()`, leaked is "
                                      "`((other == y) & gone).sum() / gone.sum()`, or 0.0 "
         "where `gone.any()` is false. `.item()` makes a number of each."),
    ),
    reference=hidden_and_leaked,
    probes=share_probes,
    properties={
        "both are numbers, also when nothing is hidden": numbers,
        "both shares are right": both_shares,
    },
)


# 07.5 and 07.6: questions ---------------------------------------------------------------------------------------------

promise = Question(
    number="07.5",
    title="What can you promise?",
    points=1,
    minutes=3,
    text="Somebody who must not be found asks you: *I send you my photographs, you change them as above, I publish "
         "them. Am I safe?* "
         "Your tests: the recogniser you attacked names none of them; another one names most. What do you answer?",
    choices=(
        ("No. I can fool one recogniser that I know; I cannot say which others will look, and most of the ones I tried "
         "still know you.",
         "Right: the measured leak is an estimate of the risk for recognisers like the ones tried, and says nothing "
         "about better ones. Nor does it hide anybody from people."),
        ("Yes: the recogniser is fooled on every photograph.",
         "On every photograph, and only for this recogniser. Nobody searching for a person is bound to use it."),
        ("Yes, if the ε is small enough that nobody sees the change.",
         "A small ε keeps the picture pretty; the smaller it is, the *more* other recognisers still know the face."),
        ("Yes, after I repeat it against the second recogniser, too.",
         "Then two are fooled. There will be a third, and it can be trained after the photographs are out."),
    ),
    hints=(
        ("Who chooses the recogniser?", "The one who searches."),
        ("Which number counts for this person?", "The leak, not the share that is hidden from the recogniser you "
                                                 "attacked."),
        ("Is there a safe answer?", "What is not published cannot be searched."),
    ),
)

asymmetry = Question(
    number="07.6",
    title="Who moves last?",
    points=1,
    minutes=3,
    text="In notebooks on defences, attackers and defenders answer each other's moves for ever. Why does this not hold "
         "for photographs that are protected and published?",
    choices=(
        ("The protector moves once, at publication; every later recogniser may answer, and the published photographs "
         "cannot.",
         "Right: Radiya-Dixit et al. call it an asymmetry. A single future recogniser that copes is enough, and it "
         "copes with the pictures of the past, too."),
        ("Recognisers cannot be trained on changed photographs.",
         "You have just done it: the later network was trained on nothing else."),
        ("The protector can update the photographs as soon as a new recogniser appears.",
         "Those on one's own page, perhaps. The copies that were collected stay as they are."),
        ("Adversarial examples stop working when a picture is compressed.",
         "They suffer a little; the reason here is another: who moves first, and who moves last."),
    ),
    hints=(
        ("When is the change made?", "Before the photograph is published: once."),
        ("When is the recogniser made?", "At any time after; and again, and better, later."),
        ("What happens to copies?", "They stay with whoever collected them."),
    ),
)


# 07.7: glasses --------------------------------------------------------------------------------------------------------

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


glasses = Exercise(
    number="07.7",
    title="Glasses",
    points=2,
    minutes=5,
    hints=(
        ("What becomes of one pixel?", "Where the mask is 1 it is the frame's, where it is 0 it is the photograph's, "
                                       "and between it is a mixture."),
        ("And the shapes?", "A mask of shape (H, W) goes with images of shape (N, C, H, W) by itself: PyTorch repeats "
                            "it over the leading dimensions. So does a frame of shape (C, H, W)."),
        ("Show me nearly all of it.", "`(1 - mask) * x + mask * frame`."),
    ),
    reference=wear,
    probes=wear_probes,
    properties={
        "it is (1 − m) · x + m · frame": equals(wear, mistakes={
            "the frame is added on top of the photograph; under it the photograph must go: multiply x by 1 − mask":
                lambda x, frame, mask: x + mask * frame,
            "the frame is added on top of the photograph, then clipped; under it the photograph must go: multiply x by "
            "1 − mask":
                lambda x, frame, mask: (x + mask * frame).clamp(0, 1),
            "the mask is the wrong way round: it is 1 where the frame is":
                lambda x, frame, mask: mask * x + (1 - mask) * frame,
            "the photograph is gone outside the frame: add (1 − mask) · x":
                lambda x, frame, mask: (mask * frame).expand(x.shape),
            "the frame is missing: there is a hole where it should be. Add mask · frame":
                lambda x, frame, mask: (1 - mask) * x,
            "where the mask lies between 0 and 1 you take the frame alone; wanted is a mixture, so multiply by the mask":
                lambda x, frame, mask: torch.where(mask > 0, frame, x),
            "where the mask lies between 0 and 1 you take one of the two; wanted is a mixture, so multiply by the mask":
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
