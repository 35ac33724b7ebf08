"""The exercises of notebook 00: a first function, and what one may do."""

import torch

from advcourse.exercises.catalogue import Exercise, Question
from advcourse.exercises.properties import equals


def largest_change(x, x_p):
    return (x_p - x).abs().flatten(1).amax(1)


def change_probes(generator):
    pairs = [torch.rand(2, count, 1, 5, 5, generator=generator) for count in (1, 4)]
    # One pair in which the largest change is downwards: x_p = x but for one pixel that loses 0.5.
    x = torch.rand(3, 1, 5, 5, generator=generator) * 0.4 + 0.5
    darker = x.clone()
    darker[:, 0, 2, 2] -= 0.5
    return [{"x": a, "x_p": b} for a, b in pairs] + [{"x": x, "x_p": darker}]


first_function = Exercise(
    number="00.1",
    title="How far apart are two images?",
    points=2,
    minutes=4,
    hints=(
        ("Where do I start?", "Subtract the images. What the sign of a difference says does not matter for its size."),
        ("I get one number for the whole batch.", "Keep the first dimension: `.flatten(1)` makes one row per image, "
                                                  "and "
         "`.amax(1)` takes the largest entry of each row."),
        ("Show me nearly all of it.", "It is one line: the absolute value of `x_p - x`, flattened from dimension 1, "
                                      "then "
         "the largest entry over dimension 1."),
    ),
    reference=largest_change,
    probes=change_probes,
    properties={
        "it is the largest change of a pixel": equals(largest_change, mistakes={
            "a pixel that gets darker counts as much as one that gets brighter: take the absolute value first":
                lambda x, x_p: (x_p - x).flatten(1).amax(1),
            "a pixel that gets brighter counts as much as one that gets darker: take the absolute value first":
                lambda x, x_p: (x - x_p).flatten(1).amax(1),
            "this is the average change of a pixel; wanted is the largest":
                lambda x, x_p: (x_p - x).abs().flatten(1).mean(1),
            "this is the sum of all changes (the ℓ1 norm); wanted is the largest one (the ℓ∞ norm)":
                lambda x, x_p: (x_p - x).abs().flatten(1).sum(1),
            "this is the Euclidean length (the ℓ2 norm); wanted is the largest single change (the ℓ∞ norm)":
                lambda x, x_p: (x_p - x).flatten(1).norm(dim=1),
            "this is the smallest change; wanted is the largest":
                lambda x, x_p: (x_p - x).abs().flatten(1).amin(1),
            "this is the largest pixel, not the largest change: subtract x from x_p":
                lambda x, x_p: x_p.flatten(1).amax(1),
        }),
    },
)


conduct = Question(
    number="00.2",
    title="What may you attack?",
    points=1,
    minutes=2,
    text="You have found a way to make a bank's face-recognition app accept the wrong person. "
         "Which of these is in keeping with what this course asks of you?",
    choices=(
        ("You stop at models that are your own or that you were given leave to test, and report what you find to those "
         "who "
         "can mend it.",
         "Leave first, disclosure after: whoever can mend the system hears of it before anybody else does."),
        ("You try it on the live app once, with a friend's account, to be sure of it.",
         "A live service without its owner's leave is off limits, even once and even with a friend's consent: the "
         "friend "
         "does not own the service."),
        ("You post the picture that fools it, so that people are warned.",
         "Publishing before those who can mend it know arms everyone who would misuse it. Disclose first, publish "
         "later."),
        ("You keep it to yourself: talking about attacks only helps attackers.",
         "Silence leaves the hole open for whoever finds it next. Research on attacks is public so that defences can "
         "exist; "
         "the order is what counts."),
    ),
    hints=(
        ("Is this about law or about manners?", "Both. Ask who owns the system, and who is hurt if you are wrong."),
        ("Does consent settle it?", "Consent must come from the owner of the system that is tested."),
        ("What happens afterwards?", "Think of who should hear of a weakness first."),
    ),
)
