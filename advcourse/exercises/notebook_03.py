"""The exercises of notebook 03: attacks that follow the gradient, one step or many."""

import torch

from advcourse.exercises.catalogue import Exercise, Question
from advcourse.exercises.notebook_01 import linear_model, loss_gradient, random_images, small_model
from advcourse.exercises.properties import equals, finite, in_ball, in_unit_range


def labels_and_targets(model, x, classes=4):
    """Labels of which a third is not what the model says, and for each image another class as its target."""
    predicted = model(x).argmax(1).detach()
    y = torch.where(torch.arange(len(x)) % 3 == 0, (predicted + 1) % classes, predicted)
    return y, (y + 1 + torch.arange(len(x)) % (classes - 1)) % classes


def towards(x_adv, x, eps):
    """x_adv, clipped into the ε-ball around x and to grey values."""
    return torch.clamp(x_adv, x - eps, x + eps).clamp(0, 1)


def moves_the_loss_the_right_way(probe, result):
    """Up the loss of y; down where `targeted`. Judged on the batch, from where the step started."""
    if message := finite(probe, result):
        return message
    model, y, targeted = probe["model"], probe["y"], probe["targeted"]
    before, after = (torch.nn.functional.cross_entropy(model(images), y).item()
                     for images in (probe.get("x_adv", probe["x"]), result))
    if after == before:
        return f"the loss stayed at {before:.3g}: nothing was attacked"
    if targeted and after > before:
        return (f"targeted=True, and the loss of the target rose from {before:.3g} to {after:.3g}: y is now the class "
                "to reach, "
                "so go down its loss, which means to subtract the step")
    if not targeted and after < before:
        return f"targeted=False, and the loss of y fell from {before:.3g} to {after:.3g}: go up, which means to add the step"
    return None


# 03.1: one step, both ways --------------------------------------------------------------------------------------------

def fgsm_step(model, x, y, eps, targeted):
    direction = loss_gradient(model, x, y).sign()
    return (x - eps * direction if targeted else x + eps * direction).clamp(0, 1)


def step_probes(generator):
    model, x = small_model(generator), random_images(generator)
    y, target = labels_and_targets(model, x)
    return [{"model": model, "x": x, "y": y, "eps": 0.1, "targeted": False},
            {"model": model, "x": x, "y": target, "eps": 0.04, "targeted": True}]


def step_away_from_prediction(model, x, y, eps, targeted):
    return fgsm_step(model, x, model(x).argmax(1), eps, False)


both_ways = Exercise(
    number="03.1",
    title="One step, both ways",
    points=3,
    minutes=8,
    hints=(
        ("What changes when there is a target?", "The label. `y` is then the class to reach, and its loss should "
                                                 "become *small*."),
        ("Which way does a loss become small?", "Against its gradient. One sign in the formula changes, nothing else."),
        ("Show me nearly all of it.", "`step = eps * loss_gradient(model, x, y).sign()`; then `x - step` if targeted, "
                                      "else `x + step`; "
         "then clamp to [0, 1]."),
    ),
    reference=fgsm_step,
    probes=step_probes,
    properties={
        "every pixel stays within ε of x": in_ball("linf"),
        "every pixel is a grey value in [0, 1]": in_unit_range,
        "the loss of y goes up, or down where y is a target": moves_the_loss_the_right_way,
        "it is x ± ε · sign(gradient), clipped": equals(fgsm_step, mistakes={
            "you step away from what the model says now; use the labels y that you are given": step_away_from_prediction,
            "pixels move in proportion to their gradient: take its sign, so that every pixel goes the full step":
                lambda model, x, y, eps, targeted: (x + (1 - 2 * targeted) * (
                    eps * loss_gradient(model, x, y)).clamp(-eps, eps)).clamp(0, 1),
            "this is a step of Euclidean length ε, and most pixels hardly move: take the sign of the gradient instead":
                lambda model, x, y, eps,
                targeted: (x + (1 - 2 * targeted) * eps * unit(loss_gradient(model, x, y))).clamp(0, 1),
            "this is half a step: a pixel may move by the full ε, either way":
                lambda model, x, y, eps, targeted: fgsm_step(model, x, y, eps / 2, targeted),
        }),
    },
)


# 03.2: one step of the basic iterative method -------------------------------------------------------------------------

def bim_step(model, x_adv, x, y, eps, step_size, targeted):
    direction = loss_gradient(model, x_adv, y).sign()
    moved = x_adv - step_size * direction if targeted else x_adv + step_size * direction
    return towards(moved, x, eps)


def bim_probes(generator):
    model, x = small_model(generator), random_images(generator)
    y, target = labels_and_targets(model, x)
    wandered = towards(x + 0.2 * (torch.rand(x.shape, generator=generator).double() - 0.5), x, 0.1)
    return [{"model": model, "x_adv": wandered, "x": x, "y": y, "eps": 0.1, "step_size": 0.04, "targeted": False},
            {"model": model, "x_adv": wandered, "x": x, "y": target, "eps": 0.1, "step_size": 0.02, "targeted": True}]


def clipped_around_x_adv(model, x_adv, x, y, eps, step_size, targeted):
    return bim_step(model, x_adv, x_adv, y, eps, step_size, targeted)


def gradient_taken_at_x(model, x_adv, x, y, eps, step_size, targeted):
    direction = loss_gradient(model, x, y).sign()
    return towards(x_adv + (1 - 2 * targeted) * step_size * direction, x, eps)


def stays_around_x(probe, result):
    """In the ball around x; a step that was clipped around x_adv, or not at all, is told so."""
    problem = in_ball("linf")(probe, result)
    if problem and torch.allclose(result, clipped_around_x_adv(**probe)):
        return ("without a Clip, or with one around x_adv, every step may go further away from x. Clip in the formula "
                "is to the ball "
                "around the *clean* image: `torch.clamp(…, x - eps, x + eps)`")
    return problem


one_small_step = Exercise(
    number="03.2",
    title="One small step, and Clip",
    points=4,
    minutes=12,
    hints=(
        ("There are two images. Which is for what?", "The gradient is taken where you are, at `x_adv`. The ball is "
                                                     "around where you came from, `x`."),
        ("What does Clip do?", "It is `project` of exercise 01.1: within eps of x in every pixel, then within [0, 1]."),
        ("Show me nearly all of it.", "`direction = loss_gradient(model, x_adv, y).sign()`; add `step_size * "
                                      "direction` to x_adv, or subtract it "
         "where targeted; `torch.clamp(that, x - eps, x + eps).clamp(0, 1)`."),
    ),
    reference=bim_step,
    probes=bim_probes,
    properties={
        "every pixel stays within ε of the clean image": stays_around_x,
        "every pixel is a grey value in [0, 1]": in_unit_range,
        "the loss of y goes up, or down where y is a target": moves_the_loss_the_right_way,
        "it is Clip(x_adv ± step_size · sign(gradient))": equals(bim_step, mistakes={
            "the gradient is that of the clean image x; from the second step on it must be taken where you are, at "
            "x_adv":
                gradient_taken_at_x,
            "you start again from x: the new step begins at x_adv, and x is only needed for Clip":
                lambda model, x_adv, x, y, eps, step_size, targeted: bim_step(model, x, x, y, eps, step_size, targeted),
            "the gradient is right but the step begins at x: add it to x_adv, or the earlier steps are lost":
                lambda model, x_adv, x, y, eps, step_size, targeted: towards(
                    x + (1 - 2 * targeted) * step_size * loss_gradient(model, x_adv, y).sign(), x, eps),
            "this step has size ε: step_size says how far to go, and ε only how far from x you may end up":
                lambda model, x_adv, x, y, eps, step_size, targeted: bim_step(model, x_adv, x, y, eps, eps, targeted),
            "pixels move in proportion to their gradient: take its sign, so that every pixel goes the full step":
                lambda model, x_adv, x, y, eps, step_size, targeted: towards(
                    x_adv + (1 - 2 * targeted) * step_size * loss_gradient(model, x_adv, y), x, eps),
            "this clips to a ball of radius step_size around x: Clip is to the ball of radius ε":
                lambda model, x_adv, x, y, eps, step_size,
                targeted: bim_step(model, x_adv, x, y, step_size, step_size, targeted),
        }),
    },
)


# 03.3: the least likely class -----------------------------------------------------------------------------------------

def least_likely_class(model, x):
    return model(x).argmin(1).detach()


def class_probes(generator):
    # Five classes, so that least likely, second and likeliest are all different ones.
    return [{"model": linear_model(generator, classes=5), "x": random_images(generator, count=count)}
            for count in (7, 12)]


def the_least_likely(probe, result):
    """The least likely class of every image; the usual mix-ups are told by name."""
    logits = probe["model"](probe["x"])
    order = logits.argsort(1)
    if torch.equal(result, order[:, 0]):
        return None
    if torch.equal(result, order[:, -1]):
        return "these are the classes that the model thinks *most* likely: the attack would stay where it is. Take the smallest"
    if torch.equal(result, order[:, -2]):
        return "these are the second most likely classes, the easiest targets; wanted is the hardest, the least likely one"
    if torch.equal(result, order[:, 1]):
        return "these are the second least likely classes: take the smallest entry itself"
    if torch.equal(result, (-logits).softmax(1).argmin(1)) or torch.equal(result, logits.abs().argmin(1)):
        return "you look for the logit nearest to zero; a very negative logit is less likely than that, so leave out the absolute value"
    if (result == result[0]).all():
        return f"every image got class {result[0].item()}; each image has a least likely class of its own: search along dim=1"
    wrong = (result != order[:, 0]).sum().item()
    return f"{wrong} of {len(result)} targets are not the class with the smallest logit"


least_likely = Exercise(
    number="03.3",
    title="The least likely class",
    points=2,
    minutes=5,
    hints=(
        ("Do I need probabilities?", "No. Softmax keeps the order: the smallest logit has the smallest probability."),
        ("Along which dimension?", "The logits have the shape (N, K): one row per image. Look along dimension 1."),
        ("Show me nearly all of it.", "`model(x)` has a method `.argmin(1)`."),
    ),
    reference=least_likely_class,
    probes=class_probes,
    properties={"each target is the class that the model thinks least likely": the_least_likely},
)


# 03.4: the momentum ---------------------------------------------------------------------------------------------------

def add_momentum(momentum, gradient, decay):
    size = gradient.abs().flatten(1).sum(1).clamp_min(1e-12)
    return decay * momentum + gradient / size.view(-1, 1, 1, 1)


def momentum_probes(generator):
    def draw(scale=1.0):
        return torch.randn(6, 1, 5, 5, generator=generator).double() * scale

    # Gradients of very different sizes, as they are in practice, and one image whose gradient has vanished.
    gradient = draw() * 10.0 ** torch.linspace(-6, 2, 6).double().view(-1, 1, 1, 1)
    vanished = draw()
    vanished[2] = 0
    return [{"momentum": draw(0.1), "gradient": gradient, "decay": 1.0},
            {"momentum": draw(0.1), "gradient": vanished, "decay": 0.5}]


def survives_a_vanished_gradient(probe, result):
    empty = ~probe["gradient"].flatten(1).any(1)
    if not torch.isfinite(result).all():
        return ("where the gradient of an image is zero everywhere, you divide by zero: keep the divisor away from 0, "
                "for instance with `.clamp_min(1e-12)`")
    if empty.any() and (result - probe["decay"] * probe["momentum"])[empty].abs().max() > 1e-6:
        return "where the gradient is zero nothing comes in: what is left there is decay · momentum"
    return None


def scaled(norm):
    """The mistake of dividing by something else: `norm` takes the gradient to the divisors, one for each image."""
    def formula(momentum, gradient, decay):
        return decay * momentum + gradient / norm(gradient.flatten(1)).clamp_min(1e-12).view(-1, 1, 1, 1)
    return formula


momentum = Exercise(
    number="03.4",
    title="The momentum",
    points=3,
    minutes=10,
    hints=(
        ("What is the ℓ₁ norm of an image's gradient?", "The sum of the absolute values of all its entries, one number "
                                                        "for each image."),
        ("How do I get one number for each image?", "`gradient.abs().flatten(1).sum(1)` has the shape (N,); with "
                                                    "`.view(-1, 1, 1, 1)` "
         "it can divide images."),
        ("Show me nearly all of it.", "`decay * momentum + gradient / size`, with size as above and "
                                      "`.clamp_min(1e-12)` against "
         "gradients that are zero."),
    ),
    reference=add_momentum,
    probes=momentum_probes,
    properties={
        "a gradient that is zero does no harm": survives_a_vanished_gradient,
        "it is decay · momentum + gradient / ‖gradient‖₁": equals(add_momentum, mistakes={
            "you divide by the Euclidean norm; the formula has the sum of the absolute values": scaled(lambda rows: rows.norm(dim=1)),
            "you divide by the mean of the absolute values; the formula has their sum": scaled(lambda rows: rows.abs().mean(1)),
            "you divide by the largest entry; the formula has the sum of the absolute values": scaled(lambda rows: rows.abs().amax(1)),
            "you divide the whole batch by one number: an image with a large gradient then drowns the others. Sum "
            "image by image":
                scaled(lambda rows: rows.abs().sum().expand(len(rows))),
            "the gradient comes in as it is: divide it by its ℓ₁ norm first, or the largest gradient rules the sum":
                lambda momentum, gradient, decay: decay * momentum + gradient,
            "the old momentum is lost: this is the new gradient alone":
                lambda momentum, gradient, decay: add_momentum(momentum, gradient, 0.0),
            "you add signs: the sign is taken of the *sum*, later, when the step is made":
                lambda momentum, gradient, decay: decay * momentum + gradient.sign(),
            "decay multiplies the gradient too; it belongs to the old momentum only":
                lambda momentum, gradient, decay: decay * add_momentum(momentum, gradient, 1.0),
            "this is a weighted mean, decay · old + (1 − decay) · new; in MIM the new gradient comes in with weight 1":
                lambda momentum, gradient, decay: decay * momentum
                + (1 - decay) * add_momentum(0 * momentum, gradient, 0.0),
            "you normalise the whole sum; only the new gradient is divided":
                lambda momentum, gradient, decay: add_momentum(0 * momentum, decay * momentum + gradient, 0.0),
        }),
    },
)


# 03.5: PGD in the Euclidean ball --------------------------------------------------------------------------------------

def unit(gradient):
    """The gradient, each image's of Euclidean length 1."""
    return gradient / gradient.flatten(1).norm(dim=1).clamp_min(1e-12).view(-1, 1, 1, 1)


def into_euclidean_ball(x_adv, x, eps):
    delta = x_adv - x
    length = delta.flatten(1).norm(dim=1).clamp_min(1e-12).view(-1, 1, 1, 1)
    return x + delta * (eps / length).clamp(max=1)


def climb(model, x, y, eps, step_size, steps, noise, *, direction=unit, back=into_euclidean_ball, start=None, sign=1,
          box_first=False):
    """pgd_l2, with every part of it exchangeable, so that the mistakes can be written down."""
    x_adv = (x + eps * noise).clamp(0, 1) if start is None else start(x, eps, noise)
    for _ in range(steps):
        moved = x_adv + sign * step_size * direction(loss_gradient(model, x_adv, y))
        x_adv = back(moved.clamp(0, 1), x, eps) if box_first else back(moved, x, eps).clamp(0, 1)
    return x_adv


def pgd_l2(model, x, y, eps, step_size, steps, noise):
    return climb(model, x, y, eps, step_size, steps, noise)


def pgd_probes(generator):
    model, x = small_model(generator, sharpness=2.0), random_images(generator)
    y, _ = labels_and_targets(model, x)
    noise = unit(torch.randn(x.shape, generator=generator).double()) * torch.rand(len(x), 1, 1, 1,
                                                                                  generator=generator).double()
    return [{"model": model, "x": x, "y": y, "eps": eps, "step_size": step_size, "steps": steps, "noise": noise}
            for eps, step_size, steps in ((0.8, 0.1, 0), (0.8, 0.3, 1), (0.5, 0.2, 3))]


def starts_at_random(probe, result):
    """With no step taken, the start is what comes back."""
    x, eps, noise = probe["x"], probe["eps"], probe["noise"]
    if probe["steps"] or torch.allclose(result, (x + eps * noise).clamp(0, 1), atol=1e-6):
        return None
    if torch.allclose(result, x):
        return "with steps=0 you return x itself: start at a random point of the ball, x + eps * noise, clipped to [0, 1]"
    if torch.allclose(result, (x + noise).clamp(0, 1), atol=1e-6):
        return "with steps=0 you return x + noise: the noise has a length of up to 1 and must be scaled to the ball, eps * noise"
    if torch.allclose(result, (x + eps * unit(noise)).clamp(0, 1), atol=1e-6):
        return "you start on the border of the ball: leave the noise's length as it is, it is drawn so that the inside is reached too"
    if torch.allclose(result, noise):
        return "you start at the noise alone: the start is near the image, x + eps * noise"
    return "with steps=0 the start should come back: x + eps * noise, clipped to [0, 1]"


def goes_uphill(probe, result):
    if not probe["steps"]:
        return None
    before, after = (torch.nn.functional.cross_entropy(probe["model"](images), probe["y"]).item()
                     for images in ((probe["x"] + probe["eps"] * probe["noise"]).clamp(0, 1), result))
    if after < before:
        return f"{probe['steps']} steps took the loss from {before:.3g} down to {after:.3g}: an attack on y goes uphill, so add the step"
    return None


def pgd_in_either_order(probe, result):
    """The reference's result, also where the student clips to [0, 1] before the ball: both are allowed."""
    if torch.allclose(result, climb(**probe, box_first=True), atol=1e-6):
        return None
    return equals(pgd_l2, mistakes={
        "you step along the sign, which is right in the ℓ∞ ball; here the step is gradient / ‖gradient‖₂ · step_size":
            lambda **probe: climb(**probe, direction=torch.sign),
        "the step is as long as the gradient happens to be: divide it by its length, image by image":
            lambda **probe: climb(**probe, direction=lambda gradient: gradient),
        "you divide by the length of the whole batch's gradient: every image has a length of its own":
            lambda **probe: climb(**probe, direction=lambda gradient: gradient / gradient.norm()),
        "your images are pushed out to the border of the ball: scale δ only where it is *longer* than ε":
            lambda **probe: climb(**probe, back=lambda x_adv, x, eps: x + eps * unit(x_adv - x)),
        "only one step was made: repeat it `steps` times": lambda **probe: climb(**probe
                                                                                 | {"steps": min(1, probe["steps"])}),
        "the walk starts at x: start from a random point of the ball, x + eps * noise":
            lambda **probe: climb(**probe, start=lambda x, eps, noise: x),
    })(probe, result)


def stays_in_euclidean_ball(probe, result):
    problem = in_ball("l2")(probe, result)
    if problem and torch.allclose(result, climb(**probe, back=towards), atol=1e-6):
        return ("δ gets longer than ε, and nothing brings it back: to clip every pixel to ± ε does not, since that "
                "ball is far larger. "
                "Shorten the whole δ, by ε / ‖δ‖₂, where it is longer than ε")
    if problem and torch.allclose(result, climb(**probe, direction=torch.sign, back=towards), atol=1e-6):
        return "this is PGD in the ℓ∞ ball: both the step and the way back are other ones in the Euclidean ball"
    return problem


euclidean = Exercise(
    number="03.5",
    title="PGD in the Euclidean ball",
    points=5,
    minutes=18,
    hints=(
        ("What differs from 03.2?", "Three things: where the walk starts, the step (no sign: the gradient itself, "
                                    "scaled to the length "
         "step_size), and the way back (the whole δ is shortened, not clipped pixel by pixel)."),
        ("How do I get back into the ball?", "With δ = x_adv − x: multiply it by `(eps / length).clamp(max=1)`, where "
                                             "length is each image's own, "
         "`delta.flatten(1).norm(dim=1).view(-1, 1, 1, 1)`."),
        ("Show me nearly all of it.", "`x_adv = (x + eps * noise).clamp(0, 1)`; then `steps` times: add `step_size * "
                                      "unit(gradient)`, where unit "
         "divides each image's gradient by its length; shorten δ; `.clamp(0, 1)`. Keep lengths away from 0 with "
         "`.clamp_min(1e-12)`."),
    ),
    reference=pgd_l2,
    probes=pgd_probes,
    properties={
        "the walk starts at a random point of the ball": starts_at_random,
        "δ is never longer than ε": stays_in_euclidean_ball,
        "every pixel is a grey value in [0, 1]": in_unit_range,
        "the loss goes up": goes_uphill,
        "every step is what the formula says": pgd_in_either_order,
    },
)


# 03.6 and 03.7: questions ---------------------------------------------------------------------------------------------

too_short = Question(
    number="03.6",
    title="A weak attack",
    points=1,
    minutes=3,
    text="A paper attacks its own defence with ε = 0.3, a step size of 0.005 and 20 steps from the image itself, keeps "
         "the last iterate, and "
         "finds that nine images in ten survive. What do you object first?",
    choices=(
        ("Twenty steps of 0.005 end at most 0.1 away: the attack never saw most of the ball.",
         "Steps times step size must be larger than ε, with something to spare. By convention it is 2.5 ε, and more "
         "steps should change little."),
        ("The attack should have kept the best iterate.",
         "True, but with such small steps the last iterate is nearly always the best: the walk goes uphill and has not "
         "got far."),
        ("Without a random start an attack proves nothing.",
         "A random start helps where the loss is rough at the image. It helps little on most images, and here the walk "
         "is far too short."),
        ("Nothing: twenty steps are what everybody takes.",
         "The number of steps alone says nothing. What matters is how far they reach together, and whether more of "
         "them would change the result."),
    ),
    hints=(
        ("How far can the attack get?", "Each step moves a pixel by at most the step size."),
        ("Multiply.", "Twenty times 0.005. Compare it with ε."),
        ("And the other complaints?", "They matter by a few points. This one decides how much of the ball is searched "
                                      "at all."),
    ),
)

trained_on_one_step = Question(
    number="03.7",
    title="Trained on one step",
    points=1,
    minutes=3,
    text="A network is trained on FGSM images. Afterwards FGSM fools few images, and PGD with the same ε fools nearly "
         "all. "
         "What has the network learnt?",
    choices=(
        ("To bend its loss so that the gradient at the image points to a harmless place; the dangerous images are "
         "still in the ball.",
         "One step follows the gradient at the image and nothing else, so that is all the training had to spoil. This "
         "is called gradient "
         "masking, and many steps walk around it."),
        ("To be robust against small changes, but PGD makes larger ones.",
         "Both attacks stay within the same ε in every pixel."),
        ("Nothing: the training failed, as one sees from its accuracy on FGSM images.",
         "On FGSM images it does very well. It learnt exactly what it was trained on."),
        ("To recognise FGSM images by heart, since it has seen these very images in training.",
         "The accuracy is measured on test images, whose FGSM images it has never seen."),
    ),
    hints=(
        ("What does FGSM know of the loss?", "Its gradient at one point, the clean image."),
        ("What is the cheapest way to make that useless?", "Not to remove the adversarial images, but to make the "
                                                           "gradient point elsewhere."),
        ("How does one notice?", "By an attack that looks again after each step, and by one that starts at random."),
    ),
)
