"""The exercises of notebook 10: attacks on defences that hide, the checklist, a defence of one's own, and two
proofs."""

import functools
import warnings

import torch
from torch import nn
from torch.nn import functional as F

from advcourse.defenses.smoothing import lower_confidence_bound
from advcourse.exercises.catalogue import Exercise, Question
from advcourse.exercises.kinds import LAYERS, is_plain_network
from advcourse.exercises.notebook_01 import random_images, small_model
from advcourse.exercises.properties import equals, finite

# 10.1: a loss that does not saturate ----------------------------------------------------------------------------------

def lead(logits, y):
    true = logits.gather(1, y[:, None])[:, 0]
    others = logits.scatter(1, y[:, None], -torch.inf).amax(1)
    return others - true


def lead_probes(generator):
    probes = []
    for classes, scale in ((4, 3.0), (10, 2000.0)):
        logits = scale * torch.randn(12, classes, generator=generator).double()
        probes.append({"logits": logits, "y": torch.randint(classes, (12,), generator=generator)})
    return probes


unsaturated = Exercise(
    number="10.1",
    title="A loss that does not saturate",
    points=2,
    minutes=8,
    hints=(
        ("Which two logits matter?", "That of the true class, and the largest of all the others."),
        ("How do I leave out the true class?", "Put −∞ in its place: `logits.scatter(1, y[:, None], -torch.inf)`, then "
                                               "take the maximum."),
        ("Show me nearly all of it.", "`true = logits.gather(1, y[:, None])[:, 0]`, `others = "
                                      "logits.scatter(…).amax(1)`, and the difference."),
    ),
    reference=lead,
    probes=lead_probes,
    properties={
        "it is the largest other logit minus the true one, image by image": equals(lead, tolerance=1e-6, mistakes={
            "the sign is turned: this falls where the attack succeeds; the loss should grow towards a mistake":
                lambda logits, y: -lead(logits, y),
            "your maximum includes the true class, so that the loss never falls below 0: leave it out":
                lambda logits, y: logits.amax(1) - logits.gather(1, y[:, None])[:, 0],
            "this is the cross-entropy, which saturates: use the logits as they are, without softmax":
                lambda logits, y: F.cross_entropy(logits, y, reduction="none"),
            "you take probabilities: after the softmax everything is 0 or 1 and the slope is gone":
                lambda logits, y: lead(logits.softmax(1), y),
            "only the nearest rival can take over: the maximum of the other logits, not their mean":
                lambda logits, y: (logits.sum(1) - logits.gather(1, y[:, None])[:,
                                                                                0]) / (logits.shape[1] - 1) - logits.gather(1, y[:, None])[:, 0],
            "this is minus the true logit alone: an attack could lower all logits together and gain nothing":
                lambda logits, y: -logits.gather(1, y[:, None])[:, 0],
            "the attack may stop nowhere: keep what the loss says below 0, do not cut it off":
                lambda logits, y: lead(logits, y).clamp_min(0),
        }),
    },
)


# 10.2: backward pass differentiable approximation ---------------------------------------------------------------------

def straight_through_gradient(model, transform, x, y):
    z = transform(x).detach().requires_grad_()
    loss = F.cross_entropy(model(z), y, reduction="sum")
    return torch.autograd.grad(loss, z)[0]


def gradient_at(model, z, y, reduction="sum"):
    z = z.detach().clone().requires_grad_()
    return torch.autograd.grad(F.cross_entropy(model(z), y, reduction=reduction), z)[0]


def eight_levels(x):
    return (7 * x).round() / 7


def two_levels(x):
    return (x > 0.5).to(x.dtype)


def straight_through_probes(generator):
    probes = []
    for transform in (eight_levels, two_levels):
        x = random_images(generator)
        probes.append({"model": small_model(generator), "transform": transform, "x": x,
                       "y": torch.randint(4, (len(x),), generator=generator)})
    return probes


straight_through = Exercise(
    number="10.2",
    title="Through a staircase",
    points=3,
    minutes=10,
    hints=(
        ("Where is the gradient taken?", "At what the network really sees: the transformed image z = t(x)."),
        ("And how does it come back to x?", "As if t were the identity, dz/dx = 1: so the gradient with respect to z "
                                            "is the answer."),
        ("Show me nearly all of it.", "`z = transform(x).detach().requires_grad_()`, the summed cross-entropy of "
                                      "`model(z)`, and `torch.autograd.grad(loss, z)[0]`."),
    ),
    reference=straight_through_gradient,
    probes=straight_through_probes,
    properties={
        "it is the gradient at the transformed image": equals(straight_through_gradient, tolerance=1e-9, mistakes={
            "all zeros: that is the true gradient of a staircase, and the reason for this exercise. Take it with "
            "respect to the transformed image":
                lambda model, transform, x, y: torch.zeros_like(x),
            "you forget the transform: the network never sees x, take the gradient at `transform(x)`":
                lambda model, transform, x, y: gradient_at(model, x, y),
            "this is divided by the number of images: sum the loss over them, so that an image's gradient does not "
            "depend on the batch":
                lambda model, transform, x, y: gradient_at(model, transform(x), y, "mean"),
            "you give the sign; an attack may take it later, here the gradient itself is wanted":
                lambda model, transform, x, y: gradient_at(model, transform(x), y).sign(),
            "the sign is turned: the loss should grow along the gradient":
                lambda model, transform, x, y: -gradient_at(model, transform(x), y),
            "you multiply by the transformed image: the derivative of the identity is 1":
                lambda model, transform, x, y: gradient_at(model, transform(x), y) * transform(x),
            "use the labels y, not the model's own answers":
                lambda model, transform, x, y: gradient_at(model, transform(x), model(transform(x)).argmax(1)),
        }),
    },
)


# 10.3: the checklist --------------------------------------------------------------------------------------------------

def suspicious(left, tolerance):
    gradient = left["gradient"]
    return {
        "noise": left["noise"] < gradient - tolerance,
        "one step": left["one step"] < gradient - tolerance,
        "black box": left["black box"] < gradient - tolerance,
        "transfer": left["transfer"] < gradient - tolerance,
        "unbounded": left["unbounded"] > tolerance,
    }


def suspicious_probes(generator):
    def at_random():
        return torch.rand(1, generator=generator).item()

    probes = []
    for gradient in (0.1, 0.5, 0.9):
        below, just_below, above = gradient * at_random() * 0.4, gradient - 0.02, gradient + (1
                                                                                              - gradient) * (0.2 + 0.7
                                                                                                             * at_random())
        for kind in range(3):
            values = [(below, just_below, above)[(kind + shift) % 3] for shift in (0, 1, 2, 1)]
            unbounded = (0.0, 0.03, 0.4 + 0.5 * at_random())[kind]
            left = {"clean": 1 - 0.01 * at_random(), "gradient": gradient, "noise": values[0], "one step": values[1],
                    "black box": values[2],
                    "transfer": values[3], "unbounded": unbounded}
            probes.append({"left": left, "tolerance": 0.05})
    return probes


def rule(name):
    """Makes the property that one rule is judged as the reference judges it."""
    weaker = {"noise": "chance", "one step": "a single step", "black box": "an attack that sees only scores",
              "transfer": "another model's examples"}

    def holds(probe, result):
        left, tolerance = probe["left"], probe["tolerance"]
        wanted, told = suspicious(left, tolerance)[name], bool(result[name])
        if told == wanted:
            return None
        found, gradient = left[name], left["gradient"]
        if name == "unbounded":
            return (f"without a limit {found:.2f} are left, and you find that suspicious: a tolerance of {tolerance} "
                    "allows it" if told else
                    f"without a limit {found:.2f} are still left: every image can become any other there, so it must "
                    "be 0, whatever the gradient attack "
                    "leaves within its ε")
        if wanted:
            return f"{weaker[name]} leaves {found:.2f} and the gradient attack {gradient:.2f}: the weaker attack does better, that is suspicious"
        if found < gradient:
            return f"{weaker[name]} leaves {found:.2f} and the gradient attack {gradient:.2f}: within the tolerance of {tolerance} that is chance"
        return (f"{weaker[name]} leaves {found:.2f} and the gradient attack {gradient:.2f}: the stronger attack does "
                "better, as it should. "
                "These are accuracies: less is left by the better attack")

    return holds


checklist = Exercise(
    number="10.3",
    title="The checklist",
    points=3,
    minutes=10,
    hints=(
        ("What is being compared?", "Accuracies that attacks leave. The gradient attack should leave the least; any "
                                    "other that leaves less is a warning."),
        ("What is the tolerance for?", "A few images may fall to one attack and not to the other by chance: warn only "
                                       "where the difference exceeds it."),
        ("Show me nearly all of it.", "For noise, one step, black box and transfer: `left[name] < left['gradient'] - "
                                      "tolerance`; for unbounded: `left['unbounded'] > tolerance`."),
    ),
    reference=suspicious,
    probes=suspicious_probes,
    properties={
        "noise is judged right": rule("noise"),
        "one step is judged right": rule("one step"),
        "black-box search is judged right": rule("black box"),
        "transfer is judged right": rule("transfer"),
        "the attack without a limit is judged right": rule("unbounded"),
    },
)


# 10.4: a question -----------------------------------------------------------------------------------------------------

report = Question(
    number="10.4",
    title="Read a report",
    points=1,
    minutes=4,
    text="A paper reports on its defence: PGD leaves 88 %, one step leaves 90 %, noise 92 %. Square, with 300 queries, "
         "leaves 25 %, and adversarial "
         "examples made on an undefended network leave 20 %. What can be said of the defence?",
    choices=(
        ("At most 20 % of the images withstand: the gradients are masked, and the 88 % are a failure of the attack.",
         "An example that fools the model fools it, wherever it comes from. The lowest number found by any attack "
         "bounds the robust accuracy."),
        ("It is robust against white-box attacks and weak against black-box attacks.",
         "Whoever knows the model may run the black-box attacks, too: a white-box attacker is never worse off."),
        ("Nothing, because transfer needs another model that the attacker does not have.",
         "Networks for common tasks are easily trained, and for the truth about the defence it does not matter how an "
         "example was found."),
        ("It withstands 88 %; Square and transfer are other threat models and belong in another table.",
         "All of these examples lie in the same ε-ball. The threat model is the ball, not the method of search."),
    ),
    hints=(
        ("What is an adversarial example?", "An image in the ε-ball that is misread. How it was found is not part of "
                                            "the definition."),
        ("Which attack should win?", "The one that sees the most."),
        ("And when it does not?", "Then it did not see what it should."),
    ),
)


# 10.5: a defence, graded adaptively -----------------------------------------------------------------------------------

EPS, CLASSES = 0.15, 3
LEAST_ACCURACY, LEAST_ROBUST = 0.8, 0.6


def flags(count, generator):
    """Images of three kinds of flag, 6 x 6, and their labels: two bold stripes that noise may spoil, and faint marks
    that never lie."""
    y = torch.randint(CLASSES, (count,), generator=generator)
    x = torch.full((count, 1, 6, 6), 0.5)
    rows = torch.arange(6)
    # the left two columns: rows 0-1, 2-3 or 4-5
    bold = (rows // 2 == y[:, None]).float()[:, None, :, None].expand(-1, 1, 6, 2)
    # the right four columns
    faint = ((rows[:, None] * 4 + torch.arange(4)) % CLASSES == y[:, None, None]).float()[:, None]
    x[..., :2] += 0.5 * (bold - 0.33) + 0.22 * torch.randn(count, 1, 6, 2, generator=generator)
    x[..., 2:] += 0.1 * (faint - 0.33) + 0.03 * torch.randn(count, 1, 6, 4, generator=generator)
    return x.clamp(0, 1), y


def plain_network():
    return nn.Sequential(nn.Flatten(), nn.Linear(36, 16), nn.ReLU(), nn.Linear(16, CLASSES))


def defend(x, y, eps):
    torch.manual_seed(0)
    model = plain_network()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.03)
    for _step in range(60):
        x_adv = x.clone().requires_grad_()
        for _ in range(2):
            gradient = torch.autograd.grad(F.cross_entropy(model(x_adv), y), x_adv)[0]
            x_adv = (x_adv + 0.7 * eps * gradient.sign()).clamp(x - eps, x + eps).clamp(0, 1).detach().requires_grad_()
        optimizer.zero_grad()
        F.cross_entropy(model(x_adv), y).backward()
        optimizer.step()
    return model.requires_grad_(False)


def defend_probes(generator):
    x, y = flags(400, generator)
    return [{"x": x, "y": y, "eps": EPS}]


@functools.lru_cache(maxsize=4)
def examine(defended, seed):
    """(the audit or None, robust accuracy, clean accuracy, problem) of a defended model on images that nobody has
    seen."""
    from advcourse import evaluate

    x, y = flags(40, torch.Generator().manual_seed(seed))
    try:
        clean = evaluate.accuracy(defended, x, y)
        if clean < LEAST_ACCURACY:
            return None, 0.0, clean, None
        found = evaluate.audit(defended, x, y, eps=EPS, steps=20, queries=100)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # attacks on images that stand meet flat gradients
            robust = evaluate.robust_accuracy(defended, x, y, eps=EPS).accuracy if found.passed else 0.0
        return found, robust, clean, None
    except (ValueError, RuntimeError, IndexError, TypeError, AttributeError) as error:
        return None, 0.0, 0.0, f"your defended model cannot be asked: {error}"


def examined(probe, result):
    # The images come from the seed of the judging: in a grading that is the instructor's secret, and no probe tells it.
    return examine(result, torch.initial_seed() % 2**31 + 1)


def reads_new_images(probe, result):
    found, _, clean, problem = examined(probe, result)
    if problem:
        return problem
    if clean < LEAST_ACCURACY:
        return f"it reads only {clean:.0%} of new, unchanged images; at least {LEAST_ACCURACY:.0%} are wanted: a defence must not give up the task"
    return None if found.passed else "not counted, as its gradients are masked"


def hides_nothing(probe, result):
    found, _, _clean, problem = examined(probe, result)
    if problem or not found:
        return problem or "not audited, as it reads too few unchanged images"
    if found.passed:
        return None
    first = found.failed[0]
    best = min(found.accuracies, key=found.accuracies.get)
    broken = f" It was broken by {best.replace('other loss', 'another loss (DLR)')}: {found.accuracy:.0%} are left." if found.accuracy < LEAST_ROBUST else ""
    return f"the audit fails “{first.test}” ({first.measured}). {first.advice}{broken} Masked gradients earn nothing"


def withstands(probe, result):
    found, robust, _clean, problem = examined(probe, result)
    if problem or not found:
        return problem or "not attacked, as it reads too few unchanged images"
    if not found.passed:
        return "not counted, as its gradients are masked"
    if robust < LEAST_ROBUST:
        return (f"it hides nothing and withstands little: {robust:.0%} of new images stand all attacks, at least "
                f"{LEAST_ROBUST:.0%} are wanted. "
                "Train on adversarial examples, made anew in every step")
    if not is_plain_network(result):
        return f"it withstands, but a function cannot be graded without running it: return an nn.Sequential of {', '.join(LAYERS)}"
    return None


own_defence = Exercise(
    number="10.5",
    title="A defence that is attacked",
    points=6,
    minutes=30,
    hints=(
        ("What can work at all?", "Anything that makes the network rely on the bold stripes, which ε = 0.15 cannot "
                                  "erase, and not on the faint marks, which it can. "
         "Adversarial training does; so does a linear model with the closed form of notebook 01."),
        ("How does adversarial training go?", "In every step: from x go up the loss for a step or two of the "
                                              "gradient's sign, stay within ε and [0, 1], and train on the result."),
        ("Show me nearly all of it.", "`model = nn.Sequential(nn.Flatten(), nn.Linear(36, 16), nn.ReLU(), "
                                      "nn.Linear(16, 3))`, Adam with `lr=0.03`, some sixty steps; in each "
         "`x_adv` from three steps of `0.7 * eps` times the gradient's sign, clamped to `x - eps`, `x + eps` and to "
         "[0, 1]; then the cross-entropy of `model(x_adv)`, `backward()`, `step()`."),
    ),
    reference=defend,
    probes=defend_probes,
    properties={
        f"it reads at least {LEAST_ACCURACY:.0%} of new images": reads_new_images,
        "it hides nothing: the audit passes": hides_nothing,
        f"at least {LEAST_ROBUST:.0%} of new images stand every attack": withstands,
    },
)


# 10.6: intervals ------------------------------------------------------------------------------------------------------

def interval(weight, bias, low, high):
    centre, half = (low + high) / 2, (high - low) / 2
    centre, half = centre @ weight.T + bias, half @ weight.abs().T
    return centre - half, centre + half


def interval_probes(generator):
    probes = []
    for inputs, outputs in ((5, 3), (20, 8)):
        middle = torch.rand(6, inputs, generator=generator).double()
        half = 0.3 * torch.rand(6, inputs, generator=generator).double()
        probes.append({"weight": torch.randn(outputs, inputs, generator=generator).double(),
                       "bias": torch.randn(outputs, generator=generator).double(),
                       "low": middle - half, "high": middle + half})
    return probes


def ends_in_order(probe, result):
    if (result[0] > result[1] + 1e-9).any():
        return "some of your lower ends lie above the upper ends: a negative weight turns an interval round"


def holds_every_image(probe, result):
    weight, bias, low, high = (probe[name] for name in ("weight", "bias", "low", "high"))
    corners = low + (high - low) * torch.rand(200, *low.shape).round().to(low.dtype)
    outputs = corners @ weight.T + bias
    beyond = torch.maximum(result[0] - outputs, outputs - result[1]).max().item()
    if beyond > 1e-9:
        return f"there are images between low and high whose outputs leave your interval by {beyond:.2g}: it proves nothing"


def is_tight(probe, result):
    right = interval(**probe)
    width = ((result[1] - result[0]) / (right[1] - right[0])).max().item()
    if width > 1 + 1e-6:
        return f"your interval is up to {width:.2g} times as wide as it needs to be: only the half width goes through |W|, and it has no bias"
    if width < 1 - 1e-6 or any((a - b).abs().max() > 1e-6 for a, b in zip(result, right, strict=True)):
        return "your interval is not the one that the formula gives: the centre goes through W and the bias, the half width through |W|"


intervals = Exercise(
    number="10.6",
    title="A box through a layer",
    points=3,
    minutes=10,
    hints=(
        ("What is largest?", "w·x over a box: where a weight is positive take the upper end of its input, where it is "
                             "negative the lower one."),
        ("How is that written without cases?", "With the centre c and the half width r of the box: the centre of the "
                                               "result is W c + b, its half width |W| r."),
        ("Show me nearly all of it.", "`centre = (low + high) / 2 @ weight.T + bias`, `half = (high - low) / 2 @ "
                                      "weight.abs().T`, and `(centre - half, centre + half)`."),
    ),
    reference=interval,
    probes=interval_probes,
    properties={
        "lower ends lie below upper ends": ends_in_order,
        "no image of the box gets out": holds_every_image,
        "the interval is as narrow as it can be": is_tight,
    },
)


# 10.7: a certificate by voting ----------------------------------------------------------------------------------------

def certified_radius(count, samples, sigma, alpha):
    from scipy.stats import beta, norm

    probability = beta.ppf(alpha, count, samples - count + 1) if count else 0.0
    return float(sigma * norm.ppf(probability)) if probability > 0.5 else 0.0


def radius_probes(generator):
    probes = []
    for samples, low in ((100, 60), (1000, 900), (1000, 1000), (200, 104), (500, 150)):
        count = int(torch.randint(low, min(low + max(samples // 20, 1), samples) + 1, (1,), generator=generator))
        sigma = [0.12, 0.25, 0.5, 1.0][int(torch.randint(4, (1,), generator=generator))]
        probes.append({"count": count, "samples": samples, "sigma": sigma, "alpha": 0.001})
    return probes


def from_rate(rate, sigma, **_):
    from scipy.stats import norm

    return float(sigma * norm.ppf(rate)) if 0.5 < rate < 1 else (0.0 if rate <= 0.5 else float("inf"))


radius = Exercise(
    number="10.7",
    title="A certificate by voting",
    points=3,
    minutes=12,
    hints=(
        ("Why not count / samples?", "It is an estimate: by luck it may lie above the true probability, and then the "
                                     "certificate would be false. A lower confidence bound is wanted."),
        ("Which bound?", "Clopper and Pearson's: the α-quantile of a beta distribution, `scipy.stats.beta.ppf(alpha, "
                         "count, samples - count + 1)`."),
        ("Show me nearly all of it.", "With that bound p: `sigma * scipy.stats.norm.ppf(p)` where p > 1/2, else 0."),
    ),
    reference=certified_radius,
    probes=radius_probes,
    properties={
        "it is a finite number, and not below 0": lambda probe, result: (
            (finite(probe, torch.tensor(float(result))) and "the radius is infinite or no number: a vote of all for one "
                                                           "class proves no probability of 1")
            or ("the radius is negative: where p is not above 1/2 nothing is certified, and the radius is 0"
                if result < 0 else None)),
        "it is sigma · Φ⁻¹(p), p the lower confidence bound": equals(certified_radius, tolerance=1e-6, mistakes={
            "you take count / samples for the probability: that is an estimate, which may be too high. Use the lower "
            "confidence bound":
                lambda count, samples, sigma, alpha: from_rate(count / samples, sigma),
            "you multiply by the probability itself; the radius is sigma · Φ⁻¹(p), with the normal quantile":
                lambda count, samples, sigma, alpha: sigma * max(lower_confidence_bound(count, samples, alpha), 0)
                if lower_confidence_bound(count, samples, alpha) > 0.5 else 0.0,
            "sigma is missing: the radius is measured in units of the noise":
                lambda count, samples, sigma, alpha: certified_radius(count, samples, 1.0, alpha),
            "you halve alpha: the interval has one end here, only the lower one":
                lambda count, samples, sigma, alpha: certified_radius(count, samples, sigma, alpha / 2),
            "this is the upper confidence bound, which certifies too much: take the quantile at alpha, not at 1 − alpha":
                lambda count, samples, sigma, alpha: certified_radius(count, samples, sigma, 1 - alpha),
            "the quantile is that of beta(count, samples − count + 1): here the + 1 is missing or stands with the "
            "other number":
                lambda count, samples, sigma, alpha: shifted_radius(count, samples, sigma, alpha),
            "this is the normal approximation of the interval, which does not hold near 1: use the beta quantile":
                lambda count, samples, sigma, alpha: normal_radius(count, samples, sigma, alpha),
        }),
    },
)


def shifted_radius(count, samples, sigma, alpha):
    from scipy.stats import beta, norm

    probability = beta.ppf(alpha, count + 1, samples - count) if count < samples else 1.0
    return float(sigma * norm.ppf(probability)) if 0.5 < probability < 1 else 0.0


def normal_radius(count, samples, sigma, alpha):
    from scipy.stats import norm

    rate = count / samples
    bound = rate + norm.ppf(alpha) * (rate * (1 - rate) / samples) ** 0.5
    return from_rate(bound, sigma)
