"""06.5: the destruction rate."""

import torch

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.probes import linear_model, mixed_labels, random_images, telling_apart
from advcourse.exercises.properties import equals


def destruction_rate(model, x, x_adv, x_photo, y):
    right, right_adv, right_photo = (model(images).argmax(1) == y for images in (x, x_adv, x_photo))
    adversarial = right & ~right_adv
    return ((adversarial & right_photo).sum() / adversarial.sum()).item()


def destruction_probes(generator):
    def draw(size):
        model = linear_model(generator)  # on which every class is read somewhere, whatever the seed
        x = random_images(generator, count=300).view(-1, 2, 3, 6)
        noise = size * torch.randn(2, *x.shape, generator=generator)
        x_adv, x_photo = (x + noise[0]).clamp(0, 1), (x + noise.mean(0)).clamp(0, 1)
        return {"model": model, "x": x, "x_adv": x_adv, "x_photo": x_photo, "y": mixed_labels(model, x)}

    return [telling_apart(lambda size=size: draw(size), destruction_rate, MISTAKES.values()) for size in (0.3, 0.6)]


def masks(model, x, x_adv, x_photo, y):
    """Where the model is right about the image, about its adversarial copy, and about the photograph of that."""
    return tuple(model(images).argmax(1) == y for images in (x, x_adv, x_photo))


def photographs_unlike_the_file(model, x, x_adv, x_photo, y):
    right, right_adv, _ = masks(model, x, x_adv, x_photo, y)
    adversarial = right & ~right_adv
    moved = model(x_photo).argmax(1) != model(x_adv).argmax(1)
    return ((adversarial & moved).sum() / adversarial.sum()).item()


def ratio(choose):
    """From a rule that gives numerator and denominator, as masks, the formula that divides their sizes."""
    def formula(**probe):
        top, bottom = choose(*masks(**probe))
        return (top.sum() / bottom.sum()).item()
    return formula


MISTAKES = {
    "this is the share that survives; the destruction rate is the share that the camera makes harmless":
        lambda **probe: 1 - destruction_rate(**probe),
    "this is a percentage; wanted is a share between 0 and 1":
        lambda **probe: 100 * destruction_rate(**probe),
    "this is a count; divide by the number of successful attacks":
        ratio(lambda right, adv, photo: (right & ~adv & photo, torch.ones(1))),
    "you divide by the number of all images; divide by the number of successful attacks":
        ratio(lambda right, adv, photo: (right & ~adv & photo, torch.ones_like(right))),
    "you divide by the number of images that the model reads right; "
    "some of those were never attacked with success":
        ratio(lambda right, adv, photo: (right & ~adv & photo, right)),
    "you divide by the number of images whose copy is misread; some of those were misread before the attack, too":
        ratio(lambda right, adv, photo: (right & ~adv & photo, ~adv)),
    "images that the model misread before the attack are counted: ask for `model(x)` to be right, too":
        ratio(lambda right, adv, photo: (~adv & photo, ~adv)),
    "images whose attack failed are counted: ask for `model(x_adv)` to be wrong, too":
        ratio(lambda right, adv, photo: (right & photo, right)),
    "this is the accuracy on the photographs; only successful attacks count":
        ratio(lambda right, adv, photo: (photo, torch.ones_like(photo))),
    "this is the share of attacks that succeed; wanted is how many of those the camera undoes":
        ratio(lambda right, adv, photo: (right & ~adv, right)),
    "the denominator is right, the numerator counts other images, too: it must hold for the same image that x "
    "is read right, x_adv wrong, and x_photo right again":
        ratio(lambda right, adv, photo: (photo, right & ~adv)),
    "an attack is destroyed where the photograph is read as y again, not wherever the answer changes":
        photographs_unlike_the_file,
    "you compare with the model's own answer on x; right is what agrees with y":
        lambda **probe: destruction_rate(**probe | {"y": probe["model"](probe["x"]).argmax(1)}),
    "x_adv and x_photo have changed places":
        lambda **probe: destruction_rate(**probe | {"x_adv": probe["x_photo"], "x_photo": probe["x_adv"]}),
}


exercise = Exercise(
    number="06.5",
    title="The destruction rate",
    points=3,
    minutes=8,
    hints=(
        ("Who counts at all?",
         "Only images that were a successful attack on the computer: "
         "the model is right about x and wrong about x_adv."),
        ("And who of these is destroyed?", "Those about whose photograph the model is right again."),
        ("Show me nearly all of it.",
         "`adversarial = right & ~right_adv`, then `(adversarial & right_photo).sum() / adversarial.sum()`; each of "
         "the three masks is `model(images).argmax(1) == y`. End with `.item()`."),
    ),
    reference=destruction_rate,
    probes=destruction_probes,
    properties={"it is Kurakin's destruction rate": equals(destruction_rate, MISTAKES, tolerance=1e-4)},
)
