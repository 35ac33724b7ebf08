"""The exercises of notebook 04: adversarial examples as an optimisation problem."""

import math
from functools import partial

import torch

from advcourse.exercises.catalogue import Exercise, Question
from advcourse.exercises.notebook_01 import linear_model, random_images, small_model
from advcourse.exercises.properties import equals, finite

# 04.1: the distance that a linear model allows ------------------------------------------------------------------------

def linear_distance(weight, bias, x, y):
    logits = x.flatten(1) @ weight.T + bias
    lead = logits.gather(1, y[:, None]) - logits
    distance = lead / (weight[y][:, None] - weight).norm(dim=2)
    return distance.scatter(1, y[:, None], math.inf).amin(1).clamp_min(0)


def distance_probes(generator):
    probes = []
    for _ in range(2):
        model, x = linear_model(generator), random_images(generator, count=20)
        # Rows of different lengths, so that the nearest class is not always the one with the second largest logit.
        weight = model[1].weight.detach() * torch.tensor([0.3, 1.0, 1.0, 3.0], dtype=torch.float64)[:, None]
        bias = torch.randn(4, generator=generator).double()
        read = (x.flatten(1) @ weight.T + bias).argmax(1)
        y = torch.where(torch.arange(len(x)) % 4 == 0, (read + 1) % 4, read)
        probes.append({"weight": weight, "bias": bias, "x": x, "y": y})
    return probes


def distances_measured_otherwise(weight, bias, x, y, size=lambda rows: rows.norm(dim=2), pick=None):
    """linear_distance with another measure of w_y − w_k, or with another class k than the nearest."""
    logits = x.flatten(1) @ weight.T + bias
    lead = logits.gather(1, y[:, None]) - logits
    distance = (lead / size(weight[y][:, None] - weight)).scatter(1, y[:, None], math.inf)
    if pick is None:
        return distance.amin(1).clamp_min(0)
    return distance.gather(1, pick(logits.scatter(1, y[:, None], -math.inf), distance)[:, None])[:, 0].clamp_min(0)


def distance_along_one_row(weight, bias, x, y, whose):
    """The mistake of dividing by the length of one class's weights."""
    length = weight.norm(dim=1)
    return distances_measured_otherwise(weight, bias, x, y,
                                        lambda rows: length[y][:, None] if whose == "y" else length.expand(len(y), -1))


def no_negative_distance(probe, result):
    if message := finite(probe, result):
        return f"{message}. The difference of class y with itself is 0: leave that class out of the minimum"
    if (result < 0).any():
        return "a distance is negative: an image that the model already gets wrong needs no change, so its distance is 0"
    return None


def without_own_class_guard(weight, bias, x, y):
    return torch.zeros(len(x), dtype=x.dtype)


distance_in_closed_form = Exercise(
    number="04.1",
    title="The exact distance of a linear model",
    points=4,
    minutes=12,
    hints=(
        ("What stands between x and class k?", "A plane: the images on which both have the same logit. The lead of y "
                                               "is z_y − z_k, "
         "and along w_y − w_k it falls fastest."),
        ("How far is that plane?", "The lead divided by the length of its gradient: (z_y − z_k) / ‖w_y − w_k‖₂. Wanted "
                                   "is the smallest of these."),
        ("Show me nearly all of it.", "`lead = z.gather(1, y[:, None]) - z`; divide by `(weight[y][:, None] - "
                                      "weight).norm(dim=2)`; set the column "
         "of y to infinity with `.scatter(1, y[:, None], math.inf)`; then `.amin(1).clamp_min(0)`."),
    ),
    reference=linear_distance,
    probes=distance_probes,
    properties={
        "no distance is negative or not a number": no_negative_distance,
        "it is the distance to the nearest class": equals(linear_distance, mistakes={
            "every distance is 0: class y itself was not left out of the minimum": without_own_class_guard,
            "you divide by the squared length; that gives the factor of the step, not its length":
                partial(distances_measured_otherwise, size=lambda rows: rows.square().sum(2)),
            "you divide by the ℓ1 norm, which is right where every pixel may change by ε; for Euclidean length divide "
            "by the ℓ2 norm":
                partial(distances_measured_otherwise, size=lambda rows: rows.abs().sum(2)),
            "this is the lead itself; divide it by how fast it falls, ‖w_y − w_k‖₂":
                partial(distances_measured_otherwise, size=lambda rows: torch.ones_like(rows[:, :, 0])),
            "you go to the class with the second largest logit; another may be nearer, as its plane is met sooner. "
            "Divide first, then take the minimum":
                partial(distances_measured_otherwise, pick=lambda logits, distance: logits.argmax(1)),
            "this is the farthest class; take the minimum over the classes":
                partial(distances_measured_otherwise, pick=lambda logits,
                        distance: distance.masked_fill(distance.isinf(), -math.inf).argmax(1)),
            "the bias is missing: z = W x + b": lambda weight, bias, x, y: linear_distance(weight, 0 * bias, x, y),
            "you divide by the length of w_y alone; the lead falls along the difference of two rows": partial(distance_along_one_row, whose="y"),
            "you divide by the length of w_k alone; the lead falls along the difference of two rows": partial(distance_along_one_row, whose="k"),
        }),
    },
)


# 04.2: binary search over c -------------------------------------------------------------------------------------------

def largest_weight(works, low, high, steps):
    for _ in range(steps):
        middle = math.sqrt(low * high)
        if works(middle):
            low = middle
        else:
            high = middle
    return low


def below(threshold, c):
    """An attack that works as long as its weight on the distance is at most this large."""
    return c <= threshold


def weight_probes(generator):
    exponents = torch.rand(3, generator=generator).tolist()
    thresholds = [10 ** (1.2 + exponents[0]), 10 ** exponents[1], 10 ** (exponents[2] - 2.5)]
    return [{"works": partial(below, threshold), "low": 1e-3, "high": 1e3, "steps": steps}
            for threshold, steps in zip(thresholds, (12, 8, 10), strict=True)]


def halve_on_a_linear_scale(works, low, high, steps):
    for _ in range(steps):
        low, high = ((low + high) / 2, high) if works((low + high) / 2) else (low, (low + high) / 2)
    return low


def the_attack_works_there(probe, result):
    if not math.isfinite(result) or result <= 0:
        return f"c = {result:.3g} is no weight: it must be a positive number between low and high"
    if probe["works"](result):
        return None
    upper = largest_weight(lambda c: not probe["works"](c), probe["high"], probe["low"], probe["steps"])
    if math.isclose(result, upper, rel_tol=1e-6):
        return "you return the smallest c at which the attack fails: return the other end of the interval, the largest at which it worked"
    return "the attack fails at the c that you return: keep, and return, the largest c at which it worked"


def and_hardly_at_a_larger_one(probe, result):
    low, high, steps, works = probe["low"], probe["high"], probe["steps"], probe["works"]
    precision = (high / low) ** (0.5 ** steps) * (1 + 1e-6)
    if result <= 0 or not math.isfinite(result) or not works(result) or not works(result * precision):
        return None
    if math.isclose(result, low, rel_tol=1e-6):
        return ("you return the c that you were given as low: when a larger c works, it becomes the new low. (If yours "
                "does: halving on a "
                "linear scale takes too many steps to get down to small values; try the geometric mean, √(low · high))")
    if math.isclose(result, math.sqrt(low * high), rel_tol=1e-6):
        return "this is the first middle: go on halving, `steps` times"
    if math.isclose(result, halve_on_a_linear_scale(works, low, high, steps), rel_tol=1e-6):
        return ("you halve the interval on a linear scale; c may lie anywhere between a thousandth and a thousand, and "
                "the first halvings "
                "would all be spent on large ones: try the geometric mean, √(low · high)")
    return (f"the attack also works at a c {precision:.3g} times as large: after `steps` halvings no more than that "
            "factor should be left. "
            "Where the middle works it becomes low, else it becomes high")


search_over_c = Exercise(
    number="04.2",
    title="Binary search over c",
    points=3,
    minutes=8,
    hints=(
        ("What do I know at the start?", "The attack works at low and fails at high. In between lies the largest c "
                                         "that works."),
        ("What does one step do?", "Try a c in the middle. If it works it is the new low, else the new high. As c may "
                                   "be a thousandth or "
         "a thousand, the middle is the geometric one: `math.sqrt(low * high)`."),
        ("Show me nearly all of it.", "`for _ in range(steps):` compute the middle, `if works(middle): low = middle`, "
                                      "`else: high = middle`; at the "
         "end return low, the largest c that is known to work."),
    ),
    reference=largest_weight,
    probes=weight_probes,
    properties={
        "the attack works with the weight that you return": the_attack_works_there,
        "and with hardly any larger one": and_hardly_at_a_larger_one,
    },
)


# 04.3: one step of DeepFool -------------------------------------------------------------------------------------------

def planes(model, x, y):
    """f_k = z_k − z_y, shape (K,), and its gradients with respect to the image, shape (K, n), for one image."""
    x = x.detach().clone().requires_grad_()
    with torch.enable_grad():
        logits = model(x)[0]
        gaps = logits - logits[y]
    gradients = [torch.autograd.grad(gap, x, retain_graph=True)[0].flatten() for gap in gaps]
    return gaps.detach(), torch.stack(gradients)


def deepfool_step(model, x, y, pick=lambda gaps, lengths: (gaps.abs() / lengths).argmin(), power=2):
    gaps, gradients = planes(model, x, y)
    lengths = gradients.norm(dim=1)
    others = torch.arange(len(gaps), device=gaps.device) != y
    k = others.nonzero()[:, 0][pick(gaps[others], lengths[others])]
    return x + (gaps[k].abs() / lengths[k] ** power * gradients[k]).view_as(x)


def reference_step(model, x, y):
    return deepfool_step(model, x, y)


def step_probes(generator):
    model, image = small_model(generator), random_images(generator, count=1)
    # And an image whose nearest boundary is not that of the class with the second largest logit.
    linear, images = linear_model(generator), random_images(generator, count=200)
    with torch.no_grad():
        linear[1].weight *= torch.tensor([[0.2], [1.0], [2.0], [4.0]])
        logits = linear(images)
    y = logits.argmax(1)
    weight, bias = linear[1].weight.detach(), linear[1].bias.detach()
    by_logit = distances_measured_otherwise(weight, bias, images, y, pick=lambda logits, distance: logits.argmax(1))
    i = (by_logit / linear_distance(weight, bias, images, y)).argmax()
    return [{"model": model, "x": image, "y": model(image).argmax().item()},
            {"model": linear, "x": images[i][None], "y": y[i].item()}]


def step_of_one_logit(model, x, y):
    """The mistake of following the gradient of z_k instead of that of z_k − z_y."""
    gaps, gradients = planes(model, x, y)
    own = x.detach().clone().requires_grad_()
    with torch.enable_grad():
        slope = torch.autograd.grad(model(own)[0, y], own)[0].flatten()
    gradients = gradients + slope
    lengths = gradients.norm(dim=1)
    away = (gaps.abs() / lengths).scatter(0, torch.tensor([y], device=x.device), math.inf)
    k = away.argmin()
    return x + (gaps[k].abs() / lengths[k] ** 2 * gradients[k]).view_as(x)


def step_in_sign(model, x, y):
    gaps, gradients = planes(model, x, y)
    away = (gaps.abs() / gradients.abs().sum(1)).scatter(0, torch.tensor([y], device=x.device), math.inf)
    return x + (away.min() * gradients[away.argmin()].sign()).view_as(x)


one_plane = Exercise(
    number="04.3",
    title="One step of DeepFool",
    points=4,
    minutes=15,
    hints=(
        ("What is the shortest r with f + wᵀr = 0?", "It points along w: any other part of r costs length and does not "
                                                     "change wᵀr. Put r = a w into "
         "f + wᵀr = 0 and solve for a."),
        ("How do I get w?", "x must require a gradient. For each class k other than y: `gap = logits[0, k] - logits[0, "
                            "y]`, then "
         "`torch.autograd.grad(gap, x, retain_graph=True)[0]`."),
        ("Show me nearly all of it.", "Loop over k. Keep the k with the smallest `gap.abs() / w.norm()`. The result is "
                                      "`x + gap.abs() / w.norm() ** 2 * w` "
         "for that k, detached."),
    ),
    reference=reference_step,
    probes=step_probes,
    properties={
        "x lands on the nearest of the linearised boundaries": equals(reference_step, mistakes={
            "nothing moved": lambda model, x, y: x,
            "you return the step r; wanted is the image x + r": lambda model, x, y: reference_step(model, x, y) - x,
            "you went the opposite way: f = z_k − z_y is negative and must rise to 0, along +w":
                lambda model, x, y: 2 * x - reference_step(model, x, y),
            "you go to the class with the second largest logit; the nearest boundary is the one with the smallest |f| "
            "/ ‖w‖₂":
                partial(deepfool_step, pick=lambda gaps, lengths: gaps.argmax()),
            "you go to the farthest boundary; take the smallest |f| / ‖w‖₂":
                partial(deepfool_step, pick=lambda gaps, lengths: (gaps.abs() / lengths).argmax()),
            "the step has the wrong length: w has a length of its own, so divide by ‖w‖₂ twice, once to make it a unit "
            "vector and once for the distance":
                partial(deepfool_step, power=1),
            "the step has the wrong length: |f| · w must be divided by ‖w‖₂²": partial(deepfool_step, power=0),
            "you follow the gradient of z_k alone; the boundary is where z_k − z_y = 0, so take the gradient of the "
            "difference": step_of_one_logit,
            "this is the step for the ℓ∞ norm, along sign(w); the shortest Euclidean one goes along w": step_in_sign,
            "you clipped to [0, 1]; do without here, so that the step lands exactly on the plane":
                lambda model, x, y: reference_step(model, x, y).clamp(0, 1),
        }),
    },
)


# 04.4: Carlini and Wagner's loss --------------------------------------------------------------------------------------

def cw_loss(logits, target, kappa):
    wanted = logits.gather(1, target[:, None])[:, 0]
    others = logits.scatter(1, target[:, None], -math.inf).amax(1)
    return (others - wanted).clamp_min(-kappa)


def loss_probes(generator):
    probes = []
    for shift, kappa in ((0, 0.0), (0, 1.5), (-20, 4.0)):
        logits = 3 * torch.randn(24, 5, generator=generator).double() + shift
        target = torch.randint(5, (24,), generator=generator)
        # A third of the images are the target's already, by leads on both sides of κ.
        logits[torch.arange(0, 24, 3),
               target[::3]] = logits[::3].amax(1) + torch.linspace(0.5, 8, 8, dtype=torch.float64)
        probes.append({"logits": logits, "target": target, "kappa": kappa})
    return probes


def lead_of_others(logits, target):
    return cw_loss(logits, target, math.inf)


hinge = Exercise(
    number="04.4",
    title="Carlini and Wagner's loss",
    points=3,
    minutes=10,
    hints=(
        ("What should the loss measure?", "By how much the target is behind: the largest logit of the *other* classes "
                                          "minus the logit of the target."),
        ("How do I leave the target out of the maximum?", "Put −∞ in its place: `logits.scatter(1, target[:, None], "
                                                          "-math.inf)`. A 0 would win "
         "where all logits are negative."),
        ("Show me nearly all of it.", "`wanted = logits.gather(1, target[:, None])[:, 0]`, `others` as the maximum "
                                      "over the rest, and "
         "`(others - wanted).clamp_min(-kappa)`."),
    ),
    reference=cw_loss,
    probes=loss_probes,
    properties={
        "it is max(max over i ≠ t of z_i − z_t, −κ)": equals(cw_loss, mistakes={
            "the loss goes on falling for ever: stop it at −κ, so that the distance has its say once the target leads "
            "by κ":
                lambda logits, target, kappa: lead_of_others(logits, target),
            "κ has no effect: your loss never falls below 0, but the target should lead by κ, so the floor is −κ (and "
            "leave the target out of the maximum)":
                lambda logits, target, kappa: lead_of_others(logits, target).clamp_min(0),
            "the floor is at +κ; a lead of the target makes the difference negative, so it is at −κ":
                lambda logits, target, kappa: lead_of_others(logits, target).clamp_min(kappa),
            "your loss is the right one plus κ, with its floor at 0; the formula here has the floor at −κ":
                lambda logits, target, kappa: cw_loss(logits, target, kappa) + kappa,
            "the sign is reversed: this pushes away from the target. Others minus target":
                lambda logits, target, kappa: (-lead_of_others(logits, target)).clamp_min(-kappa),
            "a 0 stands in the target's place, and wins where all logits are negative: put −∞ there":
                lambda logits, target, kappa: (logits.scatter(1, target[:, None], 0.0).amax(1)
                                               - logits.gather(1, target[:, None])[:, 0]).clamp_min(-kappa),
            "you work on probabilities; the point of this loss is to use the logits, which do not saturate":
                lambda logits, target, kappa: cw_loss(logits.softmax(1), target, kappa),
            "this is cross-entropy, which always asks for more: use the difference of two logits":
                lambda logits, target, kappa: torch.nn.functional.cross_entropy(logits, target, reduction="none"),
        }),
    },
)


# 04.5: EAD's shrinkage-thresholding -----------------------------------------------------------------------------------

def shrink(z, x, beta):
    delta = z - x
    return (x + delta.sign() * (delta.abs() - beta).clamp_min(0)).clamp(0, 1)


def shrink_probes(generator):
    probes = []
    for beta in (0.05, 0.2):
        x = random_images(generator)
        probes.append({"z": x + 0.4 * torch.randn(x.shape, generator=generator), "x": x, "beta": beta})
    return probes


def thresholded(z, x, beta):
    return torch.where((z - x).abs() > beta, z, x)


shrinkage = Exercise(
    number="04.5",
    title="Shrink and threshold",
    points=3,
    minutes=8,
    hints=(
        ("What happens to a small change?", "Where |z − x| ≤ β the pixel goes back to x exactly. That is what makes "
                                            "the change sparse."),
        ("And to a large one?", "It loses β of its size and keeps its sign: sign(δ) · (|δ| − β), with δ = z − x."),
        ("Show me nearly all of it.", "`delta = z - x`, then `x + delta.sign() * (delta.abs() - beta).clamp_min(0)`, "
                                      "clipped to [0, 1]."),
    ),
    reference=shrink,
    probes=shrink_probes,
    properties={
        "changes up to β vanish, larger ones lose β, all in [0, 1]": equals(shrink, mistakes={
            "large changes keep their full size: they should lose β, too, else this does not solve the ℓ1 problem": lambda z, x, beta: thresholded(z, x, beta).clamp(0, 1),
            "large changes keep their full size, and the result is not clipped": thresholded,
            "the result leaves [0, 1]: clip it at the end": lambda z, x,
            beta: x + (z - x).sign() * ((z - x).abs() - beta).clamp_min(0),
            "you shrink the image z towards black; it is the change z − x that should shrink":
                lambda z, x, beta: (z.sign() * (z.abs() - beta).clamp_min(0)).clamp(0, 1),
            "the sign is lost: pixels that became darker come out lighter": lambda z, x,
            beta: (x + ((z - x).abs() - beta).clamp_min(0)).clamp(0, 1),
            "this limits every change to β; shrinking does the opposite: it takes β off every change": lambda z, x,
            beta: (x + (z - x).clamp(-beta, beta)).clamp(0, 1),
            "small changes turn round instead of vanishing: |δ| − β must not fall below 0":
                lambda z, x, beta: (x + (z - x).sign() * ((z - x).abs() - beta)).clamp(0, 1),
            "nothing was shrunk, only clipped": lambda z, x, beta: z.clamp(0, 1),
            "you return the change; wanted is the image x + change": lambda z, x,
            beta: (z - x).sign() * ((z - x).abs() - beta).clamp_min(0),
        }),
    },
)


# 04.6 and 04.7: questions ---------------------------------------------------------------------------------------------

bounds = Question(
    number="04.6",
    title="What do we know?",
    points=1,
    minutes=3,
    text="For one image, a proof says that no change shorter than 0.8 fools the model. DeepFool finds an adversarial "
         "image at distance 1.5, "
         "C&W finds one at 1.2, and L-BFGS finds none. Where is the nearest adversarial image?",
    choices=(
        ("Somewhere between 0.8 and 1.2.",
         "A proof gives a lower bound, every success an upper bound, and the smallest upper bound counts. A failed "
         "attack says nothing about the model."),
        ("At 1.2, as C&W is the stronger attack.",
         "C&W gives an upper bound. Until a proof comes as far, a better attack may find something nearer."),
        ("Somewhere between 1.2 and 1.5.",
         "Both numbers are upper bounds: something was found at each, so the nearest is at most 1.2 away."),
        ("There may be none, since L-BFGS found none.",
         "Two were found. And even if no attack had found one, that would be a statement about attacks."),
    ),
    hints=(
        ("What does a success prove?", "That the nearest adversarial image is at most that far away."),
        ("What does a failure prove?", "Nothing: a better attack may succeed."),
        ("And the proof?", "That nothing nearer than 0.8 exists."),
    ),
)

drift = Question(
    number="04.7",
    title="Why does the chain drift?",
    points=1,
    minutes=3,
    text="Every step of the chain asks for the *nearest* image of the next class. Why do the images nevertheless end "
         "up about twice as far "
         "from the original as when every attack starts there?",
    choices=(
        ("Each step measures the distance to the image before it, and nothing pulls back to the original.",
         "Traces of all the classes before stay in the image wherever they do not disturb the present one. The "
         "constraint was about the wrong pair of images."),
        ("L-BFGS is a weak attack, and its errors add up.",
         "A perfect solver would drift as well: it would solve the same ten problems, each about the image before."),
        ("The required probability makes each step long.",
         "It does make steps longer, but the attacks that start from the original must reach it, too."),
        ("The chain visits more classes.",
         "Both rows visit the same ten."),
    ),
    hints=(
        ("What is held small?", "Write down the objective of step five: which two images stand in its norm?"),
        ("Where is the original in it?", "Only the first step knows it."),
        ("So?", "Ten small changes may add up to a large one, and no term says otherwise."),
    ),
)
