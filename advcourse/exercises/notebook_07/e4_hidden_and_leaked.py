"""07.4: hidden and leaked."""

import torch

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.probes import telling_apart
from advcourse.exercises.properties import equals


def hidden_and_leaked(before, after, other, y):
    known = before == y
    gone = known & (after != y)
    hidden = (gone.sum() / known.sum()).item()
    leaked = ((other == y) & gone).sum() / gone.sum() if gone.any() else torch.tensor(0.0)
    return hidden, leaked.item()


def answers(y, right, generator):
    """Answers to images of the classes y, each right with the probability `right`."""
    wrong = (y + torch.randint(1, 5, y.shape, generator=generator)) % 5
    return torch.where(torch.rand(y.shape, generator=generator) < right, y, wrong)


def share_probes(generator):
    """Answers that are right with different probabilities; in the last probe nothing is hidden."""
    def draw(right_before, right_after, right_other):
        y = torch.randint(5, (400,), generator=generator)
        before, after, other = (answers(y, right, generator) for right in (right_before, right_after, right_other))
        return {"before": before, "after": before.clone() if right_after == 1 else after, "other": other, "y": y}

    told = [telling_apart(lambda given=given: draw(*given), part, mistakes.values())
            for given in ((0.8, 0.4, 0.62), (0.6, 0.25, 0.7))
            for part, mistakes in ((hidden, WRONG_HIDDEN), (leaked, WRONG_LEAKED))]
    return [*told, draw(0.7, 1, 0.5)]


def hidden(**probe):
    return hidden_and_leaked(**probe)[0]


def leaked(**probe):
    return hidden_and_leaked(**probe)[1]


def share(count):
    """A formula that a student may have written, from a function of four masks to (part, whole)."""
    def formula(before, after, other, y):
        part, whole = count(known=before == y, changed=after != before, wrong=after != y, caught=other == y)
        return (part.sum() / whole.sum().clamp_min(1)).item()
    return formula


WRONG_HIDDEN = {
    "the two shares have changed places: hidden comes first":
        leaked,
    "hidden is a percentage; wanted is a share between 0 and 1":
        lambda **probe: 100 * hidden(**probe),
    "hidden is a count; divide by the number of photographs that the recogniser knew":
        share(lambda known, changed, wrong, caught: (known & wrong, torch.ones(1))),
    "the first is the share that is *not* hidden; count those that are wrong after":
        share(lambda known, changed, wrong, caught: (known & ~wrong, known)),
    "photographs that the recogniser got wrong before count as hidden: leave them out above and below the line":
        share(lambda known, changed, wrong, caught: (wrong, wrong | True)),
    "you divide by the number of all photographs; only those count that the recogniser named right before":
        share(lambda known, changed, wrong, caught: (known & wrong, wrong | True)),
    "photographs that the recogniser got wrong before count above the line of your hidden, and not below it":
        share(lambda known, changed, wrong, caught: (wrong, known)),
    "you divide by the number that are wrong after; divide by the number that were right before":
        share(lambda known, changed, wrong, caught: (known & wrong, wrong)),
    "hidden means *wrong* after, of those that were right before; "
    "you count every changed answer, also from wrong to right":
        share(lambda known, changed, wrong, caught: (changed, changed | True)),
    "you asked the other recogniser; hidden is what the first one, in `after`, does not name any more":
        share(lambda known, changed, wrong, caught: (known & ~caught, known)),
}
WRONG_LEAKED = {
    "the two shares have changed places: leaked comes second":
        hidden,
    "leaked is a percentage; wanted is a share between 0 and 1":
        lambda **probe: 100 * leaked(**probe),
    "leaked is a count; divide by the number of hidden photographs":
        share(lambda known, changed, wrong, caught: (known & wrong & caught, torch.ones(1))),
    "the second is the share that does *not* leak; count those that the other gets right":
        share(lambda known, changed, wrong, caught: (known & wrong & ~caught, known & wrong)),
    "photographs that the recogniser got wrong before count as leaked: leave them out, they were never hidden":
        share(lambda known, changed, wrong, caught: (wrong & caught, wrong)),
    "leaked is a share of the *hidden* photographs; you divide by all that the recogniser knew":
        share(lambda known, changed, wrong, caught: (known & wrong & caught, known)),
    "leaked is a share of the *hidden* photographs; you divide by the number of all":
        share(lambda known, changed, wrong, caught: (known & wrong & caught, caught | True)),
    "your leaked is the other's accuracy on everything; it counts the hidden photographs only":
        share(lambda known, changed, wrong, caught: (caught, caught | True)),
    "your leaked is the other's accuracy on all that the recogniser knew; it counts the hidden photographs only":
        share(lambda known, changed, wrong, caught: (known & caught, known)),
    "your leaked counts photographs that are not hidden, too, and divides by the hidden ones":
        share(lambda known, changed, wrong, caught: (caught, known & wrong)),
}


def shows(place, formula, mistakes):
    """The property that one of the two shares is right."""
    holds = equals(formula, mistakes)
    return lambda probe, result: holds(probe, result[place])


exercise = Exercise(
    number="07.4",
    title="Hidden, and leaking",
    points=3,
    minutes=10,
    hints=(
        ("Which photographs count?",
         "`known = before == y`: those that the recogniser named right. The hidden ones are `known & (after != y)`."),
        ("What do I divide by?", "Hidden: by the number of known ones. Leaked: by the number of hidden ones."),
        ("Show me nearly all of it.",
         "`gone = known & (after != y)`; hidden is `gone.sum() / known.sum()`, leaked is `((other == y) & gone).sum() "
         "/ gone.sum()`, or 0.0 where `gone.any()` is false. `.item()` makes a number of each."),
    ),
    reference=hidden_and_leaked,
    probes=share_probes,
    properties={
        "hidden is right": shows(0, hidden, WRONG_HIDDEN),
        "leaked is right": shows(1, leaked, WRONG_LEAKED),
    },
)
