"""07.7: a step for the frame of the glasses."""

from functools import partial

import torch
from torch.nn import functional as F

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.probes import WRONG_LOSSES, is_clear, random_images, small_model, telling_apart
from advcourse.exercises.properties import equals, in_unit_range


def frame_step(model, x, frame, mask, label, step_size):
    frame = frame.clone().requires_grad_()
    worn = (1 - mask) * x + mask * frame
    gradient = torch.autograd.grad(F.cross_entropy(model(worn), label, reduction="sum"), frame)[0]
    return (frame + step_size * gradient.sign()).clamp(0, 1).detach()


def wear(x, frame, mask):
    return (1 - mask) * x + mask * frame


def frame_probes(generator):
    """Steps up and down, on images at which rounding decides no sign, under a mask with a soft rim."""
    def draw(step_size):
        model = small_model(generator)
        x, frame = (random_images(generator, count=120).view(-1, 2, 3, 6) for _ in range(2))
        mask = torch.tensor([[0, 0, 0, 0, 0, 0], [0, 1, 1, 0.7, 1, 1], [0.2, 1, 0.4, 0, 1, 0]])
        clear = (is_clear(model, x) & is_clear(model, wear(x, frame, mask))).nonzero()[:5, 0]
        label = torch.randint(4, (len(clear),), generator=generator)
        return {"model": model, "x": x[clear], "frame": frame[clear], "mask": mask, "label": label,
                "step_size": step_size}

    return [telling_apart(lambda step_size=step_size: draw(step_size), frame_step, MISTAKES.values())
            for step_size in (0.1, -0.25)]


def gradient_at(images, model, label, loss=F.cross_entropy):
    images = images.detach().clone().requires_grad_()
    with torch.enable_grad():
        return torch.autograd.grad(loss(model(images), label), images)[0]


def step_along(direction):
    """The clipped step along direction(model, x, worn, mask, label)."""
    def formula(model, x, frame, mask, label, step_size):
        change = direction(model=model, x=x, worn=wear(x, frame, mask), mask=mask, label=label)
        return (frame + step_size * change).clamp(0, 1)
    return formula


def step_with_loss(loss):
    """The step along the gradient's sign of another loss, of (logits, label)."""
    return step_along(lambda model, x, worn, mask, label: mask.sign() * gradient_at(worn, model, label, loss).sign())


def step_alone(model, x, frame, mask, label):
    return mask.sign() * gradient_at(wear(x, frame, mask), model, label).sign()


def sum_of_losses(logits, label):
    return F.cross_entropy(logits, label, reduction="sum")


ALWAYS_UP = {  # right where the step is positive, and turned round where it is not
    "the step always goes up: a negative step_size goes down the loss, so multiply by `step_size` itself":
        lambda **probe: frame_step(**probe | {"step_size": abs(probe["step_size"])}),
}
MISTAKES = {
    "the direction is turned round: `step_size` has its own sign, so add the step as it is":
        lambda **probe: frame_step(**probe | {"step_size": -probe["step_size"]}),
    "pixels move in proportion to their gradient: take its sign":
        step_along(lambda model, x, worn, mask, label: mask * gradient_at(worn, model, label, sum_of_losses)),
    "pixels move in proportion to their gradient, and that of the batch's mean: take its sign":
        step_along(lambda model, x, worn, mask, label: mask * gradient_at(worn, model, label)),
    "the sign is taken before the mask comes in: at the rim, too, every pixel of the frame goes the full step":
        step_along(lambda model, x, worn, mask, label: mask * gradient_at(worn, model, label).sign()),
    "the gradient is taken at the bare faces: the model is to see them with the frame on":
        step_along(lambda model, x, worn, mask, label: mask.sign() * gradient_at(x, model, label).sign()),
    "all frames follow the sum of the gradients; each face has a frame of its own":
        step_along(lambda model, x, worn, mask, label: mask.sign() * gradient_at(worn, model, label).sum(0).sign()),
    "you follow the model's own answers; use the labels that you are given":
        step_along(lambda model, x, worn, mask, label:
                   mask.sign() * gradient_at(worn, model, model(worn).argmax(1)).sign()),
    "these are the faces with the frame on; wanted is the frame alone":
        lambda x, frame, mask, **rest: wear(x, frame_step(x=x, frame=frame, mask=mask, **rest), mask),
    "this is the step alone: add it to the frame":
        lambda frame, step_size, **rest: step_size * step_alone(frame=frame, **rest),
    "the frames came back unchanged":
        lambda frame, **rest: frame,
} | {message: step_with_loss(loss) for message, loss in WRONG_LOSSES.items()}


def under_the_mask(formula):
    """What a frame holds outside of its mask nobody sees: there it stays."""
    return lambda **probe: torch.where(probe["mask"] > 0, formula(**probe), probe["frame"])


is_the_step = equals(frame_step, {message: under_the_mask(formula)
                                  for message, formula in (ALWAYS_UP | MISTAKES).items()})


def is_the_step_under_the_mask(probe, result):
    return is_the_step(probe, under_the_mask(lambda **_: result)(**probe))


exercise = Exercise(
    number="07.7",
    title="A step for the frame",
    points=3,
    minutes=10,
    hints=(
        ("What is the attack free to change?",
         "Only the frame. So the frame needs a gradient, and the photograph none: `frame.clone().requires_grad_()`."),
        ("How does the loss come to depend on the frame?",
         "Through the faces that wear it: give `wear(x, frame, mask)` to the model, the cross-entropy at `label` to "
         "`torch.autograd.grad(loss, frame)`."),
        ("Show me nearly all of it.",
         "`loss = F.cross_entropy(model(wear(x, frame, mask)), label, reduction=\"sum\")`, its `gradient` by the "
         "frame, then `(frame + step_size * gradient.sign()).clamp(0, 1).detach()`."),
    ),
    reference=frame_step,
    probes=frame_probes,
    gates={"every frame is in grey values": partial(in_unit_range, name="frame")},
    properties={"it is one step of every frame, up or down its loss": is_the_step_under_the_mask},
)
