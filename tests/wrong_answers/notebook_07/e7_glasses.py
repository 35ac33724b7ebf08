"""Plausible wrong answers to exercise 07.7, each with a part of the message that it should get, and right ones."""

import torch
from torch.nn import functional as F

from advcourse.exercises.notebook_07.e7_glasses import frame_step, wear


def frame_gradient(model, x, frame, mask, label, loss=F.cross_entropy):
    frame = frame.clone().requires_grad_()
    return torch.autograd.grad(loss(model(wear(x, frame, mask)), label), frame)[0]


def turns_the_step_round(model, x, frame, mask, label, step_size):
    return (frame - step_size * frame_gradient(model, x, frame, mask, label).sign()).clamp(0, 1)


def goes_up_always(model, x, frame, mask, label, step_size):
    return (frame + abs(step_size) * frame_gradient(model, x, frame, mask, label).sign()).clamp(0, 1)


def forgets_the_sign(model, x, frame, mask, label, step_size):
    return (frame + step_size * frame_gradient(model, x, frame, mask, label)).clamp(0, 1)


def forgets_to_clip(model, x, frame, mask, label, step_size):
    return frame + step_size * frame_gradient(model, x, frame, mask, label).sign()


def differentiates_bare_faces(model, x, frame, mask, label, step_size):
    leaf = x.clone().requires_grad_()
    gradient = torch.autograd.grad(F.cross_entropy(model(leaf), label), leaf)[0]
    return (frame + step_size * (mask * gradient).sign()).clamp(0, 1)


def forgets_the_frame(model, x, frame, mask, label, step_size):
    frame = frame.clone().requires_grad_()
    return frame + step_size * torch.autograd.grad(F.cross_entropy(model(x), label), frame)[0].sign()


def returns_the_faces(model, x, frame, mask, label, step_size):
    return wear(x, frame_step(model, x, frame, mask, label, step_size), mask)


def returns_the_step(model, x, frame, mask, label, step_size):
    return step_size * frame_gradient(model, x, frame, mask, label).sign()


def takes_the_softmax_twice(model, x, frame, mask, label, step_size):
    gradient = frame_gradient(model, x, frame, mask, label, lambda logits, y: F.cross_entropy(logits.softmax(1), y))
    return (frame + step_size * gradient.sign()).clamp(0, 1)


def takes_the_squared_error(model, x, frame, mask, label, step_size):
    gradient = frame_gradient(model, x, frame, mask, label,
                              lambda logits, y: F.mse_loss(logits, F.one_hot(y, 4).float()))
    return (frame + step_size * gradient.sign()).clamp(0, 1)


def lowers_the_score(model, x, frame, mask, label, step_size):
    gradient = frame_gradient(model, x, frame, mask, label, lambda logits, y: -logits[range(len(y)), y].sum())
    return (frame + step_size * gradient.sign()).clamp(0, 1)


def follows_the_answers(model, x, frame, mask, label, step_size):
    return frame_step(model, x, frame, mask, model(wear(x, frame, mask)).argmax(1), step_size)


def makes_one_frame_for_all(model, x, frame, mask, label, step_size):
    return (frame + step_size * frame_gradient(model, x, frame, mask, label).mean(0).sign()).clamp(0, 1)


def takes_the_sign_first(model, x, frame, mask, label, step_size):
    worn = wear(x, frame, mask).requires_grad_()
    gradient = torch.autograd.grad(F.cross_entropy(model(worn), label), worn)[0]
    return (frame + step_size * mask * gradient.sign()).clamp(0, 1)


def leaves_a_gradient(model, x, frame, mask, label, step_size):
    frame.requires_grad_()
    F.cross_entropy(model(wear(x, frame, mask)), label).backward()
    return (frame + step_size * frame.grad.sign()).clamp(0, 1).detach()


def steps_by_backward(model, x, frame, mask, label, step_size):
    leaf = torch.nn.Parameter(frame.clone())
    F.nll_loss(model(torch.lerp(x, leaf, mask.expand_as(x))).log_softmax(1), label).backward()
    return torch.clip(frame + step_size * torch.sign(leaf.grad), 0, 1).numpy()


def moves_what_nobody_sees(model, x, frame, mask, label, step_size):
    """The gradient at the faces: it moves pixels outside the mask, too, which do no harm."""
    worn = (x + mask * (frame - x)).requires_grad_()
    gradient = torch.autograd.grad(F.cross_entropy(model(worn), label, reduction="sum"), worn)[0]
    return (frame + step_size * gradient.sign()).clamp(0, 1).double()


def steps_face_by_face(model, x, frame, mask, label, step_size):
    frames = []
    for face, one, name in zip(x, frame, label, strict=True):
        one = one.clone().requires_grad_()
        loss = F.cross_entropy(model(wear(face, one, mask)[None]), name[None])
        one = one + step_size * torch.autograd.grad(loss, one)[0].sign()
        frames.append(one.clamp(0, 1))
    return torch.stack(frames)


WRONG = [
    (turns_the_step_round, "turned round"),
    (goes_up_always, "always goes up"),
    (forgets_the_sign, "take its sign"),
    (forgets_to_clip, "Clip to [0, 1]"),
    (differentiates_bare_faces, "at the bare faces"),
    (forgets_the_frame, "not have been used"),
    (returns_the_faces, "wanted is the frame alone"),
    (returns_the_step, "this is the step alone"),
    (takes_the_softmax_twice, "`cross_entropy` of probabilities"),
    (takes_the_squared_error, "squared error of"),
    (lowers_the_score, "the logit of y alone"),
    (follows_the_answers, "the model's own answers"),
    (makes_one_frame_for_all, "a frame of its own"),
    (takes_the_sign_first, "before the mask comes in"),
    (leaves_a_gradient, "leaves a gradient in `frame`"),
]

RIGHT = [steps_by_backward, moves_what_nobody_sees, steps_face_by_face]
