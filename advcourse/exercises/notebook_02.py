"""The exercises of notebook 02: when an attack has succeeded, how large it is, and which error it wants."""

import math

import torch
from torch import nn

from advcourse.exercises.catalogue import Exercise, Question
from advcourse.exercises.properties import equals, finite, in_ball

# 02.1: has the attack succeeded? --------------------------------------------------------------------------------------

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
    return model.double().eval()


def pairs(generator, eps, target, count=64):
    """One probe with every kind of pair: right or wrong before, near or far, same, wanted or other class afterwards."""
    places = torch.randperm(25, generator=generator)[:5]
    before, after = torch.randint(4, (2, count), generator=generator)
    y = torch.where(torch.rand(count, generator=generator) < 0.7, before, (before + 1) % 4)
    far = torch.randint(8, (count,), generator=generator)  # 0, 1, 2: too far, in three ways
    x = 0.3 + 0.2 * torch.rand(count, 25, generator=generator).double()
    x_p = x + 0.9 * eps * (2 * torch.rand(count, 25, generator=generator) - 1)
    row = torch.arange(count)
    for images, seen in ((x, before), (x_p, after)):
        images[:, places[:4]] = 0.6
        images[row, places[seen]] = 0.6 + 0.5 * eps
    x_p[far == 0, places[4]] = x[far == 0, places[4]] - 2 * eps
    x_p[far == 1, places[4]] = x[far == 1, places[4]] + 2 * eps
    others = torch.ones(25, dtype=torch.bool).index_fill(0, places[:4], False)
    x_p[far == 2] = torch.where(others, x + 2 * eps, x_p)[far == 2]
    kept = y != target if target is not None else torch.ones(count, dtype=torch.bool)
    shape = (-1, 1, 5, 5)
    return {"model": brightest_of_four(places[:4]), "x": x[kept].view(shape), "x_p": x_p[kept].view(shape),
            "y": y[kept],
            "eps": eps, "target": target}


def success_probes(generator):
    return [pairs(generator, 0.1, None), pairs(generator, 0.05, 2), pairs(generator, 0.1, 0)]


def judged(near="largest", right_before=True, reached="wanted"):
    """The formula of `succeeds` with one of its parts replaced by a mistake."""
    def formula(model, x, x_p, y, eps, target=None):
        change = (x_p - x).flatten(1)
        said = model(x).argmax(1)
        after = model(x_p).argmax(1)
        within = {"largest": change.abs().amax(1) <= eps, "none": torch.ones_like(said, dtype=torch.bool),
                  "signed": change.amax(1) <= eps, "mean": change.abs().mean(1) <= eps,
                  "euclidean": change.norm(dim=1) <= eps}
        goal = {"wanted": after != y if target is None else after == target, "any": after != y, "left": after != said,
                "not target": after != y if target is None else after != target,
                "same": after == y if target is None else after == target}
        good = said == y if right_before else torch.ones_like(within["none"])
        return good & within[near] & goal[reached]
    return formula


success = Exercise(
    number="02.1",
    title="Has the attack succeeded?",
    points=3,
    minutes=10,
    hints=(
        ("How many conditions are there?", "Three, and all must hold: the model was right about x, x_p is near enough "
                                           "to x, and the "
         "model's answer to x_p is what the attacker wants."),
        ("How do I join them?", "Each is a tensor of True and False, one per image; `&` joins them. The distance of an "
                                "image is "
         "`(x_p - x).abs().flatten(1).amax(1)`."),
        ("Show me nearly all of it.", "`(model(x).argmax(1) == y)`, and the distance `<= eps`, and, where target is "
                                      "None, "
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
            "you average the change over the pixels; d is the *largest* change of a pixel":
                judged(near="mean"),
            "you measure the Euclidean length; d is the largest change of a pixel":
                judged(near="euclidean"),
            "some of these images were wrong before anything was changed: an attack gets no credit for them, so ask "
            "for f(x) = y":
                judged(right_before=False),
            "you count every change of the answer, also of images that were wrong before; ask for f(x) = y first":
                judged(right_before=False, reached="left"),
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


# 02.2: the size of a perturbation, four ways --------------------------------------------------------------------------

def size(delta, p):
    flat = delta.flatten(1).abs()
    if p == 0:
        return (flat > 0).sum(1).to(delta.dtype)
    if p == math.inf:
        return flat.amax(1)
    return (flat ** p).sum(1) ** (1 / p)


def size_probes(generator):
    probes = []
    for p in (0, 1, 2, math.inf):
        delta = torch.randn(6, 1, 4, 4, generator=generator)
        delta[torch.rand(delta.shape, generator=generator) < 0.3] = 0
        delta[:3] = -delta[:3].abs()  # in some images every change is downwards
        probes.append({"delta": delta, "p": p})
    return probes


def size_by_the_formula_alone(delta, p):
    """The sum of |δᵢ|⁰ counts the zeros too, as 0⁰ is 1 in floating point."""
    if p == 0:
        return (delta.flatten(1).abs() ** 0).sum(1)
    return size(delta, p)


measure = Exercise(
    number="02.2",
    title="Four rulers",
    points=3,
    minutes=10,
    hints=(
        ("One formula or four?", "The formula covers 1 and 2. ℓ0 and ℓ∞ are its limits, and want a line of their own."),
        ("How do I count the entries that are not zero?", "Compare: `delta.flatten(1) != 0` is True where there is a "
                                                          "change, and "
         "`.sum(1)` counts. `.to(delta.dtype)` makes numbers like the others of it."),
        ("Show me nearly all of it.", "With `flat = delta.flatten(1).abs()`: for 0 `(flat > "
                                      "0).sum(1).to(delta.dtype)`, for ∞ "
         "`flat.amax(1)`, else `(flat ** p).sum(1) ** (1 / p)`."),
    ),
    reference=size,
    probes=size_probes,
    properties={
        "every size is a finite number": finite,
        "it is the ℓp size of every perturbation": equals(size, tolerance=1e-4, mistakes={
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
        }),
    },
)


# 02.3: onto the Euclidean ball ----------------------------------------------------------------------------------------

def onto_ball(x_p, x, eps):
    delta = x_p - x
    length = delta.flatten(1).norm(dim=1).clamp_min(1e-12)
    return x + delta * (eps / length).clamp(max=1).view(-1, 1, 1, 1)


def ball_probes(generator):
    probes = []
    for eps in (0.5, 2.0):
        x = torch.rand(8, 1, 4, 4, generator=generator)
        direction = torch.randn(x.shape, generator=generator)
        # Of each kind some: far outside, just outside, well inside, and x itself.
        length = eps * torch.tensor([0.0, 0.3, 0.5, 0.8, 1.2, 1.5, 2.0, 4.0])
        direction *= (length / direction.flatten(1).norm(dim=1)).view(-1, 1, 1, 1)
        probes.append({"x_p": x + direction, "x": x, "eps": eps})
    return probes


def scaled(factor):
    """x + factor(delta, eps) · delta, the factor being one number per image."""
    return lambda x_p, x, eps: x + (x_p - x) * factor((x_p - x).flatten(1), eps).view(-1, 1, 1, 1)


project = Exercise(
    number="02.3",
    title="Onto the Euclidean ball",
    points=3,
    minutes=8,
    hints=(
        ("Which point of a ball is nearest?", "On the straight line to its centre: keep the direction of δ = x_p − x "
                                              "and shorten it."),
        ("By how much?", "A δ of length L > ε is multiplied by ε / L. One that is short enough is left alone: its "
                         "factor is 1."),
        ("Show me nearly all of it.", "`length = delta.flatten(1).norm(dim=1)`, then "
         "`factor = (eps / length.clamp_min(1e-12)).clamp(max=1)`, and `x + delta * factor.view(-1, 1, 1, 1)`."),
    ),
    reference=onto_ball,
    probes=ball_probes,
    properties={
        "every image is within ε of x in Euclidean length": in_ball("l2", name="image"),
        "it is the point of the ball nearest to x_p": equals(onto_ball, mistakes={
            "you pull the near ones out to the border as well: a δ that is short enough stays as it is":
                scaled(lambda delta, eps: eps / delta.norm(dim=1).clamp_min(1e-12)),
            "you give x back: shorten δ only as far as it must be":
                scaled(lambda delta, eps: torch.zeros(len(delta))),
            "you take one length for the whole batch, and shorten some that were short enough: every image has its own":
                lambda x_p, x, eps: x + (x_p - x) * min(1.0, eps / (x_p - x).norm().item()),
            "you take the largest length of the batch for all images: every image has its own":
                lambda x_p, x, eps: x + (x_p - x) * min(1.0, eps / (x_p - x).flatten(1).norm(dim=1).amax().item()),
            "you measure with the ℓ1 size; Euclidean length is the root of the sum of squares":
                scaled(lambda delta, eps: (eps / delta.abs().sum(1).clamp_min(1e-12)).clamp(max=1)),
            "you clip every entry to ε / √n: that is inside the ball, but it bends the direction. Scale δ as a whole":
                lambda x_p, x, eps: x + (x_p - x).clamp(-eps / math.sqrt(x[0].numel()), eps / math.sqrt(x[0].numel())),
            "the images outside of the ball went back to x; wanted is the nearest point, on the border":
                scaled(lambda delta, eps: (delta.norm(dim=1) <= eps).to(delta.dtype)),
        }),
    },
)


# 02.4: two kinds of errors --------------------------------------------------------------------------------------------

def error_rates(said, truth):
    type_1 = (said & ~truth).sum() / (~truth).sum()
    type_2 = (~said & truth).sum() / truth.sum()
    return type_1.item(), type_2.item()


def error_probes(generator):
    probes = []
    for count, positive in ((60, 0.2), (80, 0.7)):
        truth = torch.rand(count, generator=generator) < positive
        truth[:2] = torch.tensor([True, False])  # some of each, whatever the seed
        # Errors on both sides, and more on one of them.
        wrong = torch.rand(count, generator=generator) < torch.where(truth, 0.4, 0.15)
        wrong[2:6], truth[2:6] = True, torch.tensor([True, True, True, False])
        probes.append({"said": truth ^ wrong, "truth": truth})
    return probes


def counts(said, truth):
    return (said & ~truth).sum().item(), (~said & truth).sum().item()


two_errors = Exercise(
    number="02.4",
    title="False alarms and misses",
    points=3,
    minutes=8,
    hints=(
        ("Which images can be false alarms?", "Only those that are negative in truth. Of these, the share that the "
                                              "detector called positive."),
        ("How do I select?", "`~truth` turns True and False round, and `said[~truth]` are the detector's answers to "
                             "the negatives."),
        ("Show me nearly all of it.", "Type 1: `said[~truth].float().mean().item()`. Type 2: the share of `~said` "
                                      "among `truth`. "
         "Return both, type 1 first."),
    ),
    reference=error_rates,
    probes=error_probes,
    properties={
        "the two rates are right": equals(error_rates, mistakes={
            "these are the right rates in the wrong order: type 1, the false alarms, comes first":
                lambda said, truth: error_rates(said, truth)[::-1],
            "these are counts; a rate is a share": counts,
            "you divide by the number of all images; false alarms are a share of the negatives, misses of the positives":
                lambda said, truth: tuple(n / len(truth) for n in counts(said, truth)),
            "you divide each by the other side's number: false alarms are a share of the negatives, misses of the "
            "positives":
                lambda said, truth: (counts(said, truth)[0] / truth.sum().item(),
                                     counts(said, truth)[1] / (~truth).sum().item()),
            "you divide by what the detector said; the rates are shares of what is true":
                lambda said, truth: ((said & ~truth).sum().item() / max(said.sum().item(), 1),
                                     (~said & truth).sum().item() / max((~said).sum().item(), 1)),
            "these are the shares that are right; wanted are the errors":
                lambda said, truth: tuple(1 - rate for rate in error_rates(said, truth)),
            "these are percentages; wanted are shares between 0 and 1":
                lambda said, truth: tuple(100 * rate for rate in error_rates(said, truth)),
            "this is the share of all errors, twice: the two kinds are counted apart":
                lambda said, truth: ((said != truth).double().mean().item(),) * 2,
        }),
    },
)


# 02.5 to 02.8: real cases ---------------------------------------------------------------------------------------------

spam = Question(
    number="02.5",
    title="Spam",
    points=1,
    minutes=3,
    text="A spammer hides words of everyday letters in an advertisement, until the filter lets it through (Lowd and "
         "Meek, 2005). "
         "“Positive” means spam. Where does this attack stand?",
    choices=(
        ("It wants a type 2 error, a miss; and as there are only two classes, targeted and non-targeted are the same.",
         "Spam, the positive, is to pass as negative. Away from one of two classes means towards the other."),
        ("It wants a type 1 error, as the filter is made to accept what it should not.",
         "“Accept” misleads here. Type 1 is a false *alarm*: honest mail that is called spam. That is what a saboteur "
         "would want."),
        ("It is universal, because the advertisement goes to many people.",
         "Scope asks how many *inputs* share one perturbation, not how many people receive it. One message with words "
         "of its own is individual."),
        ("It is an ℓ∞ attack, because every word changes a little.",
         "Words are there or not; none changes “a little”. One counts how many were added, which is closer to ℓ0."),
    ),
    hints=(
        ("What is the truth about this message?", "It is spam: positive."),
        ("What does the filter say in the end?", "Not spam: negative. Look up the name of this error."),
        ("And the target?", "Count the classes that are left when one is ruled out."),
    ),
)

worn = Question(
    number="02.6",
    title="Glasses and stop signs",
    points=1,
    minutes=3,
    text="Sharif et al. (2016) print the frame of a pair of glasses, and who wears it is taken for somebody else. "
         "Eykholt et al. (2018) put "
         "stickers on a stop sign, and it is read as a speed limit, from near and far. What do the two threat models "
         "share?",
    choices=(
        ("Few pixels may change, but by any amount, and one and the same object has to work in many pictures.",
         "A mask instead of a small ε, and one perturbation for all views of a face or a sign. Both are real things in "
         "front of a camera."),
        ("Every pixel may change, each by so little that nobody sees it.",
         "That is the ℓ∞ ball. A camera does not see what is smaller than its noise, and nobody can repaint the sky "
         "behind a sign."),
        ("Both are black box, since the attacker cannot enter the car or the camera.",
         "The place where the picture is taken says nothing about knowledge. Both papers use the gradients of a "
         "network that they know."),
        ("Both are non-targeted: any wrong answer will do.",
         "A particular person and a speed limit are targets. (Sharif et al. also study dodging, which is non-targeted.)"),
    ),
    hints=(
        ("What is changed?", "The frame of the glasses, some patches of the sign; nothing else in the picture."),
        ("How much?", "Stickers are black and white: as much as can be. It is the *place* that is limited."),
        ("How many pictures must it work in?",
         "A car drives past, a person turns the head: many pictures, one object."),
    ),
)

speech = Question(
    number="02.7",
    title="Speech",
    points=1,
    minutes=3,
    text="Carlini and Wagner (2018) take a recording and change it slightly, by gradient descent through the "
         "recogniser. People hear what "
         "was said; the recogniser writes down a sentence that the authors chose. The file is fed in directly. Where "
         "does it stand?",
    choices=(
        ("White box, targeted, individual, iterative; it starts from real data.",
         "Gradients need the weights, the sentence is chosen, each recording gets a perturbation of its own, in many "
         "steps."),
        ("Black box, because a recogniser of speech is too large to know.",
         "Size is no protection: they had the network, and followed its gradients. That is white box."),
        ("Non-targeted, because there are endlessly many wrong sentences.",
         "Many wrong sentences exist, but this attack asks for one of them. That makes it targeted, and harder."),
        ("Realistic in the sense that it works over a loudspeaker.",
         "The file goes straight into the recogniser. To survive a loudspeaker and a room is another threat model, and "
         "takes more work."),
    ),
    hints=(
        ("What must one know to follow gradients?", "The network and its weights."),
        ("Who picks the sentence?", "The attacker, beforehand."),
        ("Was there air between?", "No: the file is the input."),
    ),
)

face_service = Question(
    number="02.8",
    title="A commercial face service",
    points=1,
    minutes=3,
    text="A company sells face matching over the web. You upload two photographs, pay a cent, and get “same person: "
         "0.83”. The company has asked "
         "you to test it. Which threat model is the honest one to start with?",
    choices=(
        ("Black box with scores, a budget of queries that is stated, and beside it a transfer attack from a network of "
         "your own.",
         "You see a score and pay per question. Somebody who wants to save queries trains a similar network first, "
         "which is grey: both belong in the report."),
        ("Black box with labels only, since the company does not show its network.",
         "It shows 0.83, which is more than yes or no. An attack that throws this away makes the service look safer "
         "than it is."),
        ("White box, since one should always assume the worst.",
         "The worst case is worth knowing, and the company can measure it. *You* have no gradients here, and cannot "
         "claim to have tested that."),
        ("None: without its weights a model cannot be attacked.",
         "Attacks by questions alone are a family of their own (notebook 05), and examples made for another network "
         "carry over (notebook 08)."),
    ),
    hints=(
        ("What do you get back?", "A number, not only yes or no."),
        ("What does a question cost?", "A cent: so the number of questions is part of the threat model."),
        ("Can you prepare at home?", "Yes: on a network of your own that does the same."),
    ),
)
