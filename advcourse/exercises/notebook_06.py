"""The exercises of notebook 06: one perturbation for many images, and perturbations that survive the world."""

from functools import partial

import torch
from torch.nn import functional as F

from advcourse.exercises.catalogue import Exercise, Question
from advcourse.exercises.notebook_01 import linear_model, loss_gradient, random_images, small_model
from advcourse.exercises.properties import equals, finite, in_unit_range

# 06.1: the fooling rate -----------------------------------------------------------------------------------------------

def fooling_rate(model, x, delta):
    changed = model((x + delta).clamp(0, 1)).argmax(1) != model(x).argmax(1)
    return changed.float().mean().item()


def fooling_probes(generator):
    model, x = small_model(generator), random_images(generator, count=80)
    return [{"model": model, "x": x, "delta": size * torch.randn(1, 6, 6, generator=generator).double()}
            for size in (0.1, 0.3)]


def fooling_rate_without_clip(model, x, delta):
    return (model(x + delta).argmax(1) != model(x).argmax(1)).float().mean().item()


def fooling_rate_backwards(model, x, delta):
    return fooling_rate(model, x, -delta)


def share_read_as_the_perturbation(model, x, delta):
    """The mistake of asking the model about delta itself."""
    return (model(x).argmax(1) != model(delta[None].clamp(0, 1)).argmax(1)).float().mean().item()


def share_of_changed_logits(model, x, delta):
    return (model((x + delta).clamp(0, 1)) != model(x)).any(1).float().mean().item()


def mean_loss_of_probability(model, x, delta):
    clean = model(x).softmax(1)
    answer = clean.argmax(1, keepdim=True)
    return (clean - model((x + delta).clamp(0, 1)).softmax(1)).gather(1, answer).mean().item()


fooling = Exercise(
    number="06.1",
    title="The fooling rate",
    points=2,
    minutes=6,
    hints=(
        ("Which two answers do I compare?", "What the model says of x, and what it says of x + delta. No label is "
                                            "needed."),
        ("What has to happen to x + delta first?", "It must be an image: `.clamp(0, 1)`. One delta of shape (C, H, W) "
                                                   "is added to "
         "all N images at once by broadcasting."),
        ("Show me nearly all of it.", "Compare `model((x + delta).clamp(0, 1)).argmax(1)` with `model(x).argmax(1)` by "
                                      "`!=`, then "
         "`.float().mean().item()`."),
    ),
    reference=fooling_rate,
    probes=fooling_probes,
    properties={
        "it is the share of images whose class changes": equals(fooling_rate, tolerance=1e-4, mistakes={
            "this is the share of images that keep their class; wanted is the share whose class changes":
                lambda **probe: 1 - fooling_rate(**probe),
            "this is a percentage; wanted is a share between 0 and 1":
                lambda **probe: 100 * fooling_rate(**probe),
            "this is a count; divide by the number of images":
                lambda **probe: len(probe["x"]) * fooling_rate(**probe),
            "x + delta leaves [0, 1] and is no image: clip it before the model sees it":
                fooling_rate_without_clip,
            "you subtract delta; it is to be added":
                fooling_rate_backwards,
            "the model is to see x + delta, not delta alone":
                share_read_as_the_perturbation,
            "you compare logits, which always change a little; compare the classes, `.argmax(1)`":
                share_of_changed_logits,
            "this is how much probability the answers lose; wanted is how many answers change":
                mean_loss_of_probability,
        }),
    },
)


# 06.2: one step of a universal perturbation ---------------------------------------------------------------------------

def shared_gradient(model, x, y, delta):
    """The gradient of the mean loss of all images with respect to the delta that they share."""
    delta = delta.detach().clone().requires_grad_()
    with torch.enable_grad():
        loss = F.cross_entropy(model((x + delta).clamp(0, 1)), y)
    return torch.autograd.grad(loss, delta)[0]


def universal_step(model, x, y, delta, eps, step_size):
    return (delta + step_size * shared_gradient(model, x, y, delta).sign()).clamp(-eps, eps)


def universal_probes(generator):
    probes = []
    for step_size in (0.05, 0.1, 0.2):
        model, x = small_model(generator), random_images(generator, count=8)
        y = torch.randint(4, (len(x),), generator=generator)  # not always what the model says
        # Many entries are within a step of the border: some leave the ball, others must not be cut.
        delta = (2 * torch.rand(1, 6, 6, generator=generator).double() - 1) * 0.3
        probes.append({"model": model, "x": x, "y": y, "delta": delta, "eps": 0.3, "step_size": step_size})
    return probes


def no_entry_beyond_eps(probe, result):
    if message := finite(probe, result):
        return message
    beyond = (result.abs().max() - probe["eps"]).item()
    if beyond > 1e-6:
        return (f"an entry of your delta exceeds ε = {probe['eps']} by {beyond:.2g}: project after the step, "
                "which for this norm means to clip every entry to [−ε, ε]")
    return None


def step_at_clipped_images(model, x, y, delta, eps, step_size):
    """Right, too: the gradient at the clipped images, pixels that the clip holds included."""
    gradient = loss_gradient(model, (x + delta).clamp(0, 1), y).sum(0)
    return (delta + step_size * gradient.sign()).clamp(-eps, eps)


def step_at_unclipped_images(model, x, y, delta, eps, step_size):
    gradient = loss_gradient(model, x + delta, y).sum(0)
    return (delta + step_size * gradient.sign()).clamp(-eps, eps)


def step_at_clean_images(model, x, y, delta, eps, step_size):
    return (delta + step_size * loss_gradient(model, x, y).sum(0).sign()).clamp(-eps, eps)


def step_of_the_first_image(model, x, y, delta, eps, step_size):
    return universal_step(model, x[:1], y[:1], delta, eps, step_size)


def step_by_votes(model, x, y, delta, eps, step_size):
    """The mistake of adding up signs: every image has one vote, however much it has to gain."""
    votes = loss_gradient(model, (x + delta).clamp(0, 1), y).sign().sum(0)
    return (delta + step_size * votes.sign()).clamp(-eps, eps)


def step_without_sign(model, x, y, delta, eps, step_size):
    return (delta + step_size * shared_gradient(model, x, y, delta)).clamp(-eps, eps)


follows_the_formula = equals(universal_step, mistakes={
    "you go down the loss: add the step, an attack goes uphill":
        lambda **probe: universal_step(**probe | {"step_size": -probe["step_size"]}),
    "entries move in proportion to their gradient: take its sign, so that every one goes the full step":
        step_without_sign,
    "you start from zero and lose the delta that you were given: take the gradient at x + delta, and add the step to "
    "delta":
        lambda **probe: universal_step(**probe | {"delta": 0 * probe["delta"]}),
    "the gradient is taken at the clean x: the images that the model sees carry the present delta":
        step_at_clean_images,
    "this follows the first image alone; the loss is the mean over all images":
        step_of_the_first_image,
    "you take signs image by image and add them up; add the gradients up first, and take the sign once":
        step_by_votes,
    "the step is not of size step_size; ε is only the limit for delta as a whole":
        lambda **probe: universal_step(**probe | {"step_size": probe["eps"]}),
    "the images under delta leave [0, 1]: the model is to see `(x + delta).clamp(0, 1)`":
        step_at_unclipped_images,
    "delta is a perturbation, not an image: its entries may be negative. Clip to [−ε, ε], not to [0, 1]":
        lambda **probe: universal_step(**probe).clamp(0, 1),
    "you followed the model's own answers; use the labels y that you are given":
        lambda **probe: universal_step(**probe | {"y": probe["model"](probe["x"]).argmax(1).detach()}),
})


def follows_the_shared_gradient(probe, result):
    """Whether the gradient passes through the clip to [0, 1] or stops at it: both are steps up the mean loss."""
    if (result - step_at_clipped_images(**probe)).abs().max() <= 1e-5:
        return None
    return follows_the_formula(probe, result)


universal = Exercise(
    number="06.2",
    title="A step of a universal perturbation",
    points=4,
    minutes=12,
    hints=(
        ("What is new compared with one image?", "Nothing but this: δ has no batch dimension. All images share it, so "
                                                 "one gradient, "
         "that of their mean loss, moves it."),
        ("How do I get a gradient for delta?", "`delta = delta.clone().requires_grad_()`, then the loss of "
         "`model((x + delta).clamp(0, 1))` at y, then `torch.autograd.grad(loss, delta)[0]`: broadcasting adds the "
         "images up."),
        ("Show me nearly all of it.", "`(delta + step_size * gradient.sign()).clamp(-eps, eps).detach()`."),
    ),
    reference=universal_step,
    probes=universal_probes,
    properties={
        "no entry of delta exceeds ε": no_entry_beyond_eps,
        "it is one projected step up the mean loss": follows_the_shared_gradient,
    },
)


# 06.3: a question on universality -------------------------------------------------------------------------------------

shared = Question(
    number="06.3",
    title="Why one pattern is enough",
    points=1,
    minutes=3,
    text="A δ that was found on some training images changes the model's answer on most test images, which it has "
         "never seen. "
         "A random δ of the same size does much less. What must be so for this to happen?",
    choices=(
        ("The directions that lead out of the classes are much alike from image to image.",
         "Only then can one vector point along them for all images, also for unseen ones. Moosavi-Dezfooli et al. "
         "(2017) find that "
         "the normals of the decision borders near different images span few dimensions."),
        ("The δ has learnt its training images by heart.",
         "Then it would work on those alone. The gap between seen and unseen images is what measures this, and it "
         "closes as images are added."),
        ("The borders around every image lie at the same distance in all directions.",
         "Then the direction would not matter, and a random δ of the same size would do as well."),
        ("The test images are the training images with other labels.",
         "They are other images. And δ was found without any label but the model's own answers."),
    ),
    hints=(
        ("Each image has its own shortest way out.", "If these ways were unrelated, a sum of them would cancel, like "
                                                     "coin tosses."),
        ("What did the random δ show?", "That size alone is not it: the direction is."),
        ("One direction for many images?", "Then these images must have something in common."),
    ),
)


# 06.4: the EOT gradient -----------------------------------------------------------------------------------------------

def eot_gradient(model, x, y, transforms):
    x = x.detach().clone().requires_grad_()
    with torch.enable_grad():
        loss = sum(F.cross_entropy(model(transform(x)), y) for transform in transforms) / len(transforms)
    return torch.autograd.grad(loss, x)[0]


def turned(x, quarters):
    return torch.rot90(x, quarters, dims=(2, 3))


def shifted(x, pixels):
    return torch.roll(x, pixels, dims=3)


def lit(x, light):
    return (light * x).clamp(0, 1)


def eot_probes(generator):
    model, x = small_model(generator), random_images(generator)
    y = torch.randint(4, (len(x),), generator=generator)
    return [{"model": model, "x": x, "y": y, "transforms": transforms} for transforms in (
        [partial(turned, quarters=1), partial(shifted, pixels=2), partial(lit, light=0.5)],
        [partial(lit, light=0.7), partial(lit, light=1.3), partial(turned, quarters=2), partial(shifted, pixels=-1)])]


def gradient_through_first(model, x, y, transforms):
    return eot_gradient(model, x, y, transforms[:1])


def gradient_through_last(model, x, y, transforms):
    return eot_gradient(model, x, y, transforms[-1:])


def gradient_through_all_in_a_row(model, x, y, transforms):
    """The mistake of applying one transform after the other."""
    def chain(images):
        for transform in transforms:
            images = transform(images)
        return images
    return eot_gradient(model, x, y, [chain])


def gradient_of_the_mean_image(model, x, y, transforms):
    return eot_gradient(model, x, y, [lambda images: sum(t(images) for t in transforms) / len(transforms)])


def gradient_of_the_mean_logits(model, x, y, transforms):
    x = x.detach().clone().requires_grad_()
    loss = F.cross_entropy(sum(model(transform(x)) for transform in transforms) / len(transforms), y)
    return torch.autograd.grad(loss, x)[0]


def gradient_that_stays_turned(model, x, y, transforms):
    """The mistake of taking gradients at the transformed images, and not through the transform."""
    return sum(loss_gradient(model, transform(x), y) for transform in transforms) / len(transforms) / len(x)


def mean_of_signs(model, x, y, transforms):
    return sum(eot_gradient(model, x, y, [transform]).sign() for transform in transforms) / len(transforms)


expectation = Exercise(
    number="06.4",
    title="The gradient over transformations",
    points=4,
    minutes=12,
    hints=(
        ("What is averaged?", "The loss: one loss for every transform, all at the same x and the same labels, then "
                              "their mean. "
         "The gradient of a mean is the mean of the gradients, so either may be computed."),
        ("How does the gradient get through a transform?", "By itself: the transforms are made of tensor operations. "
                                                           "Make x require grad, "
         "give `model(transform(x))` to the loss, and differentiate with respect to x."),
        ("Show me nearly all of it.", "`loss = sum(F.cross_entropy(model(transform(x)), y) for transform in "
                                      "transforms) / len(transforms)`, "
         "then `torch.autograd.grad(loss, x)[0]`."),
    ),
    reference=eot_gradient,
    probes=eot_probes,
    properties={
        "the gradient is finite": finite,
        "it is the gradient of the mean loss": equals(eot_gradient, tolerance=1e-6, mistakes={
            "no transform is in it: the model is to see `transform(x)`, not x":
                lambda **probe: eot_gradient(**probe | {"transforms": [torch.clone]}),
            "only the first transform is in it: does your function return inside the loop?":
                gradient_through_first,
            "only the last transform is in it: add up the losses of all, don't overwrite them":
                gradient_through_last,
            "you apply the transforms one after the other; each is to be applied to x itself":
                gradient_through_all_in_a_row,
            "this is the sum over the transforms: divide by their number":
                lambda **probe: len(probe["transforms"]) * eot_gradient(**probe),
            "this is the sum over the images: the loss is the mean over them, as `F.cross_entropy` gives it":
                lambda **probe: len(probe["x"]) * eot_gradient(**probe),
            "this is the sum over images and transforms: the loss is the mean over both":
                lambda **probe: len(probe["x"]) * len(probe["transforms"]) * eot_gradient(**probe),
            "you average the transformed images into one blurred image; average the losses instead":
                gradient_of_the_mean_image,
            "you average the logits before the loss; average the losses, one for every transform":
                gradient_of_the_mean_logits,
            "these gradients belong to the transformed images, and were not turned back: differentiate with respect to "
            "x, through the transform":
                gradient_that_stays_turned,
            "you average signs: average the gradients, the sign is taken later":
                mean_of_signs,
            "this is the sign of the gradient; wanted is the gradient itself":
                lambda **probe: eot_gradient(**probe).sign(),
            "the gradient has the wrong sign: the loss as it is, no minus":
                lambda **probe: -eot_gradient(**probe),
        }),
    },
)


# 06.5: the destruction rate -------------------------------------------------------------------------------------------

def destruction_rate(model, x, x_adv, x_photo, y):
    right, right_adv, right_photo = (model(images).argmax(1) == y for images in (x, x_adv, x_photo))
    adversarial = right & ~right_adv
    return ((adversarial & right_photo).sum() / adversarial.sum()).item()


def destruction_probes(generator):
    # on a linear model every class is read somewhere, whatever the seed
    model, probes = linear_model(generator).double(), []
    for size in (0.3, 0.6):
        x = random_images(generator, count=300)
        noise = [size * torch.randn(x.shape, generator=generator).double() for _ in range(2)]
        x_adv = (x + noise[0]).clamp(0, 1)
        x_photo = (x + 0.5 * noise[0] + 0.5 * noise[1]).clamp(0, 1)
        predicted = model(x).argmax(1).detach()
        # the model is wrong about a third
        y = torch.where(torch.arange(len(x)) % 3 == 0, (predicted + 1) % 4, predicted)
        probes.append({"model": model, "x": x, "x_adv": x_adv, "x_photo": x_photo, "y": y})
    return probes


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


destruction = Exercise(
    number="06.5",
    title="The destruction rate",
    points=3,
    minutes=8,
    hints=(
        ("Who counts at all?", "Only images that were a successful attack on the computer: the model is right about x "
                               "and wrong about x_adv."),
        ("And who of these is destroyed?", "Those about whose photograph the model is right again."),
        ("Show me nearly all of it.", "`adversarial = right & ~right_adv`, then `(adversarial & right_photo).sum() / "
                                      "adversarial.sum()`; "
         "each of the three masks is `model(images).argmax(1) == y`. End with `.item()`."),
    ),
    reference=destruction_rate,
    probes=destruction_probes,
    properties={
        "it is Kurakin's destruction rate": equals(destruction_rate, tolerance=1e-4, mistakes={
            "this is the share that survives; the destruction rate is the share that the camera makes harmless":
                lambda **probe: 1 - destruction_rate(**probe),
            "this is a percentage; wanted is a share between 0 and 1":
                lambda **probe: 100 * destruction_rate(**probe),
            "you divide by the number of all images; divide by the number of successful attacks":
                ratio(lambda right, adv, photo: (right & ~adv & photo, torch.ones_like(right))),
            "you divide by the number of images that the model reads right; some of those were never attacked with "
            "success":
                ratio(lambda right, adv, photo: (right & ~adv & photo, right)),
            "images that the model misread before the attack are counted: ask for `model(x)` to be right, too":
                ratio(lambda right, adv, photo: (~adv & photo, ~adv)),
            "images whose attack failed are counted: ask for `model(x_adv)` to be wrong, too":
                ratio(lambda right, adv, photo: (right & photo, right)),
            "this is the accuracy on the photographs; only successful attacks count":
                ratio(lambda right, adv, photo: (photo, torch.ones_like(photo))),
            "the denominator is right, the numerator counts other images, too: it must hold for the same image that x "
            "is read right, "
            "x_adv wrong, and x_photo right again":
                ratio(lambda right, adv, photo: (photo, right & ~adv)),
            "an attack is destroyed where the photograph is read as y again, not wherever the answer changes":
                photographs_unlike_the_file,
        }),
    },
)


# 06.6: a question on cameras as a defence -----------------------------------------------------------------------------

camera = Question(
    number="06.6",
    title="Is the camera a defence?",
    points=1,
    minutes=3,
    text="A company tests its sign reader with least-likely-class examples that were printed and photographed. Most of "
         "them are read "
         "rightly again. It concludes that its camera protects it. What is wrong with that?",
    choices=(
        ("An attacker who knows of the camera optimises through it, and with a larger ε loses less to begin with.",
         "The test was made with attacks that did not expect a camera. A defence has to be judged against an attacker "
         "who knows it: "
         "that is what expectation over transformation is for."),
        ("Nothing: what the camera destroys cannot hurt.",
         "It says something about these examples only, not about the ones that somebody makes once the camera is known."),
        ("The test set was too small.",
         "More of the same examples would give the same answer more precisely, and it would still be the answer to the "
         "wrong question."),
        ("The camera should have been better, with less noise and blur.",
         "A better camera passes more of the perturbation on and destroys less."),
    ),
    hints=(
        ("Who made these examples?", "Somebody who optimised for the file, not for the photograph."),
        ("What would a smarter attacker do?", "Put the camera into the loss."),
        ("Has the notebook done so?", "Yes: compare the two attacks on photographs above."),
    ),
)


# 06.7: a patch is put on ----------------------------------------------------------------------------------------------

def put_on(x, pattern, mask):
    return (1 - mask) * x + mask * pattern


def patch_probes(generator):
    probes = []
    for hard in (True, False):
        x = random_images(generator, count=5)
        pattern = torch.rand(1, 6, 6, generator=generator).double()
        mask = torch.zeros(6, 6).double()
        # A soft rim, as a sticker has that was turned and interpolated: there image and pattern mix.
        mask[1:4, 2:5] = 1 if hard else 0.2 + 0.6 * torch.rand(3, 3, generator=generator).double()
        probes.append({"x": x, "pattern": pattern, "mask": mask})
    return probes


def keeps_the_rest(probe, result):
    outside = (probe["mask"] == 0).expand_as(result)
    changed = (result - probe["x"])[outside].abs().max().item()
    if changed > 1e-6:
        return f"pixels outside the mask change by up to {changed:.2g}: where m = 0 the image must stay as it is"
    return None


sticker = Exercise(
    number="06.7",
    title="Put the patch on",
    points=2,
    minutes=5,
    hints=(
        ("What should a pixel show?", "Under the mask (m = 1) the pattern, outside (m = 0) the image, and in between a "
                                      "mixture."),
        ("How do I write a mixture?", "As a weighted mean: the weights m and 1 − m add up to one."),
        ("Show me nearly all of it.", "`(1 - mask) * x + mask * pattern`; broadcasting does the rest."),
    ),
    reference=put_on,
    probes=patch_probes,
    properties={
        "what it gives are images": partial(in_unit_range, name="result"),
        "outside the mask nothing changes": keeps_the_rest,
        "it is (1 − m) · x + m · p": equals(put_on, mistakes={
            "the pattern is added to what is under it; a sticker hides it: the image's share there is 1 − m":
                lambda x, pattern, mask: (x + mask * pattern).clamp(0, 1),
            "the images come back without the patch":
                lambda x, pattern, mask: x,
            "the mask is the wrong way round: the pattern belongs where m = 1":
                lambda x, pattern, mask: mask * x + (1 - mask) * pattern,
            "where the mask lies between 0 and 1, image and pattern are mixed in the shares 1 − m and m; you choose "
            "one of them":
                lambda x, pattern, mask: torch.where(mask > 0, pattern, x),
            "where the mask lies between 0 and 1, image and pattern are mixed; you choose one of the two":
                lambda x, pattern, mask: torch.where(mask > 0.5, pattern, x),
            "the place under the mask is blank: add m · pattern":
                lambda x, pattern, mask: (1 - mask) * x,
        }),
    },
)
