"""14.4: projected gradient descent on a waveform, towards a target, at a level in dB."""

import torch
from torch.nn import functional as F

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.probes import loss_gradient, small_model
from advcourse.exercises.properties import ROUNDING, finite

SAMPLES, CLASSES = 64, 4
LEFT = 0.15  # of what the course's own steps take off the loss, an answer may leave


def waveform_pgd(model, x, target, db, lengths, steps):
    return descend(model, x, target, radii(x, db, lengths), steps)


def radii(x, db, lengths):
    own = torch.arange(x.shape[1]) < lengths[:, None]
    return 10 ** (db / 20) * x.abs().amax(1, keepdim=True) * own


def descend(model, x, target, eps, steps, size=2.5, start=0):
    """Steps of size · eps / steps from x + start · eps down the loss of the target; for each the lowest iterate."""
    best, x_adv = x, (x + start * eps).clamp(-1, 1)
    lowest = losses(model, x, target)
    for _ in range(steps):
        step = size * eps / steps * loss_gradient(model, x_adv, target).sign()
        x_adv = torch.clamp(x_adv - step, x - eps, x + eps).clamp(-1, 1)
        loss = losses(model, x_adv, target)
        best = torch.where((loss < lowest)[:, None], x_adv, best)
        lowest = torch.minimum(loss, lowest)
    return best


@torch.no_grad()
def losses(model, x, target):
    return F.cross_entropy(model(x), target, reduction="none")


def last_iterate(model, x, target, eps, steps, direction=torch.sign):
    """The end of the steps, with the places at which one may go wrong: direction: of a step, from the gradient."""
    x_adv = x
    for _ in range(steps):
        x_adv = x_adv - 2.5 * eps / steps * direction(loss_gradient(model, x_adv, target))
        x_adv = torch.clamp(x_adv, x - eps, x + eps).clamp(-1, 1)
    return x_adv


def single_step(model, x, target, eps):
    return (x - eps * loss_gradient(model, x, target).sign()).clamp(-1, 1)


def loudness(x, lengths):
    """The root mean square of each sound, relative to its largest sample, (N, 1)."""
    return (x.square().sum(1, keepdim=True) / lengths[:, None]).sqrt() / x.abs().amax(1, keepdim=True)


def pgd_probes(generator):
    """Sounds on which many steps succeed however they are taken and wherever they start, and a single one does not.

    The first model is hardly sure, so that steps along the gradient itself, not its sign, go nowhere; the second is so
    sure that behind a second softmax there is no gradient left.
    """
    def draw(db, steps, sure):
        model = small_model(generator, inputs=SAMPLES, classes=CLASSES)
        with torch.no_grad():
            for parameter in model[-1].parameters():
                parameter.mul_(sure)
        lengths = torch.randint(44, SAMPLES - 4, (300,), generator=generator)
        x = (2 * torch.rand(300, SAMPLES, generator=generator) - 1) ** 5 * (torch.arange(SAMPLES) < lengths[:, None])
        x = x * ((0.3 + 0.65 * torch.rand(300, 1, generator=generator)) / x.abs().amax(1, keepdim=True))
        target = (model(x).argmax(1) + 1 + torch.randint(CLASSES - 1, (300,), generator=generator)) % CLASSES
        eps = radii(x, db, lengths)
        reached = descend(model, x, target, eps, steps)
        best = losses(model, reached, target)
        gap = losses(model, x, target) - best
        others = [descend(model, x, target, eps, steps, size, start) for size, start in (
            (1.0, 0), (5.0, 0), (2.5, 1), (2.5, -1))]
        worst = torch.stack([losses(model, other, target) for other in others]).amax(0)
        single = losses(model, single_step(model, x, target, eps), target)
        rows = ((worst - best < 0.1 * gap) & (single - best > 0.3 * gap)).nonzero()[:, 0]
        rows = rows[reached[rows].abs().amax(1).argsort(descending=True, stable=True)[:6]]  # where clipping is needed
        return {"model": model, "x": x[rows], "target": target[rows], "db": db, "lengths": lengths[rows],
                "steps": steps}

    def enough(db, steps, sure):
        while len((probe := draw(db, steps, sure))["x"]) < 6:
            pass
        return probe

    return [enough(-10.0, 20, 0.01), enough(-8.0, 25, 100.0)]


def in_level(probe, result):
    """Within the level of each sound, and nowhere after its end."""
    if message := finite(probe, result):
        return message
    x, db, lengths = probe["x"], probe["db"], probe["lengths"]
    own = torch.arange(x.shape[1]) < lengths[:, None]
    delta, peak = result - x, x.abs().amax(1, keepdim=True)
    eps = 10 ** (db / 20) * peak
    if (delta.abs() <= eps * own + ROUNDING).all():
        return None
    if ((delta * own).abs() <= eps + ROUNDING).all():
        return ("it changes the silence after the sound, where a change is easily heard: only the first `lengths` "
                "samples of each may change")
    if (result.abs() <= eps + ROUNDING).all():
        return "it lies around 0, not around x: is it the change δ alone? Return x + δ"
    if (result >= 0).all() and (x < 0).any():
        return "it has no negative samples: clipping to [0, 1] is for images; a waveform lies in [−1, 1]"
    spill = (delta.abs() - eps).amax(1)
    for message, other in {
        "the radius follows the loudest sound of the batch: each has its own max |x|": 10 ** (db / 20) * x.abs().max(),
        "the radius is 10^(db/20) alone; it is relative to each sound: times its own max |x|": 10 ** (db / 20),
        "the radius has the sign of db turned: 10^(db/20) is below 1 for negative dB": 10 ** (-db / 20) * peak,
    }.items():
        largest = (delta * own).abs().amax(1, keepdim=True)
        if (largest <= other + ROUNDING).all() and (largest >= 0.9 * torch.as_tensor(other)).any():
            return message
    return (f"it leaves the ball by up to {spill.max().item():.2g}: after each step clip to [x − ε, x + ε], with "
            "ε = 10^(db/20) · max |x|")


def in_waveform_range(probe, result):
    """Every sample lies in [-1, 1]."""
    if message := finite(probe, result):
        return message
    if result.abs().max() > 1:
        return (f"its samples go from {result.min().item():.3g} to {result.max().item():.3g}: clip to [−1, 1], or they "
                "are cut off, or wrap, in the file")
    return None


def reaches_the_target(probe, result):
    """The loss of the target falls nearly as far as by the course's own steps, whatever these are called."""
    model, x, target, db, lengths, steps = (probe[name] for name in (
        "model", "x", "target", "db", "lengths", "steps"))
    eps = radii(x, db, lengths)
    reached = descend(model, x, target, eps, steps)
    before, best, found = (losses(model, z, target) for z in (x, reached, result))
    gap = (before - best).sum()
    if (found - best).sum() <= LEFT * gap:
        return None
    told = f"the mean loss of the target went from {before.mean():.3g} to {found.mean():.3g}"
    if torch.equal(result, x):
        return "the sounds came back unchanged: step against the gradient"
    if torch.allclose(result, last_iterate(model, x, target, eps, steps, lambda gradient: gradient), atol=1e-4):
        return f"{told}: the steps go along the gradient, however short it is; go along its *sign*"
    softened = last_iterate(lambda sounds: model(sounds).softmax(1), x, target, eps, steps)
    if torch.allclose(result, softened, atol=1e-4):
        return f"{told}: is there a softmax before the cross-entropy? It takes logits, and has one in it"
    if found.mean() > before.mean():
        return f"{told}, the wrong way: the target is the class to reach, so *subtract* the step"
    largest = (result - x).abs().amax(1) / x.abs().amax(1)
    if largest.max() <= 10 ** (db / 10) + ROUNDING:
        return f"{told}: the radius is 10^(db/10), which is for powers; the largest sample is an amplitude: 10^(db/20)"
    if (largest <= 10 ** (db / 20) * loudness(x, lengths)[:, 0] + ROUNDING).all():
        return f"{told}: the radius is relative to the root mean square of x; take its largest sample"
    if torch.allclose(result, single_step(model, x, target, eps), atol=1e-5):
        return f"{told}; this is a single step: take `steps` of them, each with a new gradient"
    return (f"{told}; {steps} steps of 2.5 ε / steps along the gradient's sign, clipped after each, take it to "
            f"{best.mean():.3g}")


exercise = Exercise(
    number="14.4",
    title="Steps on a waveform",
    points=4,
    minutes=15,
    hints=(
        ("How large is ε here?",
         "Another one for each sound: 10^(db/20) · max |x|. As a tensor of shape (N, 1) it broadcasts over the "
         "samples; times the mask of own samples it is 0 in the silence."),
        ("What is different from images?",
         "The range: a waveform lies in [−1, 1]. And here the target's loss must *fall*, so the step is subtracted."),
        ("Show me nearly all of it.",
         "In each step: the gradient at x_adv of the summed cross-entropy of target, "
         "`x_adv = x_adv - 2.5 * eps / steps * gradient.sign()`, then "
         "`x_adv = torch.clamp(x_adv, x - eps, x + eps).clamp(-1, 1)`."),
    ),
    reference=waveform_pgd,
    probes=pgd_probes,
    gates={
        "the change stays within its level, on the sound's own samples": in_level,
        "the result is a waveform": in_waveform_range,
    },
    properties={"the loss of the target falls as far as such steps take it": reaches_the_target},
)
