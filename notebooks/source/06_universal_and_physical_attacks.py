# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 06 · Universal and physical attacks
#
# ### What you will be able to do
#
# * find one perturbation that fools a network on most images, also on images that it has never seen,
# * make adversarial examples that survive being turned, lit and photographed, and measure how many do,
# * put a patch on an image, and say what it costs to attack by a trained network instead of a gradient.
#
# **Time** about 100 minutes · **Before** notebooks 01 and 03 · **Library** `advcourse.attacks`

# %% [markdown]
# ### Threat-model card
#
# | | in this notebook |
# |---|---|
# | What does the attacker want? | any other answer; with turned images and with patches, one class in particular |
# | What does the attacker know? | the network (*white box*), some images of the same kind, and what may happen to the result |
# | What may be changed? | every pixel by at most ε (the ℓ∞ norm); with a patch, a few pixels without limit |
# | When? | once and in advance: the same δ for all images, or an image that goes out of the attacker's hands |
# | What counts as success? | the answer changes on images that were not there yet, or after print, light and camera |

# %% tags=["parameters"]
PROFILE = "quick"   # "full": more images and longer searches (a GPU helps)
DATASET = "auto"    # MNIST where it can be had, else letters drawn from fonts
SEED = 0
DEVICE = "auto"
STUDENT = ""        # your name or number: it shuffles the answers of questions

# %% tags=["setup"]
from functools import partial

import torch
from torch.nn import functional as F
from torchvision.transforms.v2.functional import InterpolationMode, affine

from advcourse import plots, widgets
from advcourse.attacks import advgan, bim, eot, fgsm, least_likely, patch, pgd, print_photo
from advcourse.attacks.universal import add_universal, universal
from advcourse.evaluate import accuracy
from advcourse.exercises import answer, check, hint, progress, question
from advcourse.notebook import claim, compare_guess, record, start

course = start("06", profile=PROFILE, dataset=DATASET, seed=SEED,
               device_name=DEVICE, student=STUDENT)

# %% [markdown]
# ## A question
#
# So far every image got a perturbation of its own. Somebody who wants to spoil a whole camera would need one pattern for everything
# that it will ever see: a smear on the lens. Does such a pattern exist?

# %%
x, y = course.test_images(500 if course.quick else 10_000)
x_train, y_train = (part.to(course.device) for part in (course.data.x_train, course.data.y_train))
classes = course.data.classes
models = {"softmax": course.model("softmax"), "mlp": course.model("mlp"), "cnn": course.model("cnn")}
cnn = models["cnn"]
EPS = {"fonts": 0.2}.get(course.data.name, 0.3)   # the letters are easier to spoil
delta = universal(cnn, x_train[:1000], eps=EPS, steps=3, generator=course.generator())

# %%
def read(model, images):
    """The names of the classes that the model sees."""
    return [classes[label] for label in model(images).argmax(1)]

changed = add_universal(x, delta)
fooled = ((cnn(x).argmax(1) == y) & (cnn(changed).argmax(1) != y)).nonzero()[:8, 0]
shown = [x[fooled], delta.expand(len(fooled), *delta.shape), changed[fooled]]
plots.show(plots.images(shown, [read(cnn, shown[0]), ["+"] * len(fooled), read(cnn, shown[2])], ["image", "the same δ", "sum"], signed=[1]),
           "One pattern, many images",
           alt="Three rows of eight pictures. Upper row: test images with the class that the network reads, all right. Middle row: eight times the "
               "same pattern of blue and red. Lower row: image plus pattern; people still read the original, the network reads something else.")

# %% [markdown]
# The pattern in the middle was found on training images. It had never met the images above it. Such a δ is a **universal
# perturbation** (Moosavi-Dezfooli et al., 2017), and you are going to make one.

# %% [markdown]
# ## The fooling rate
#
# How good is a δ? It is the share of images on which the network's *answer* changes. No label is needed:
#
# $$\text{fooling rate} = \frac1n\sum_{i=1}^n \big[\, f(\text{clip}(x_i+\delta)) \ne f(x_i) \,\big]$$
#
# Here clip keeps grey values in $[0, 1]$, and the bracket counts 1 where its statement is true. **Exercise 06.1**: write it.

# %%
def fooling_rate(model, x, delta):
    """The share of images, in [0, 1], whose predicted class changes when delta is added.

    model: from images (N, C, H, W) in [0, 1] to logits (N, K); x: such images;
    delta: one perturbation for all, shape (C, H, W), of both signs. The sum is clipped
    to [0, 1] before the model sees it. Returns a number.
    """
    ### BEGIN SOLUTION
    changed = model((x + delta).clamp(0, 1)).argmax(1) != model(x).argmax(1)
    return changed.float().mean().item()
    ### END SOLUTION

fooling_rate = check("06.1", fooling_rate)

# %% [markdown]
# ## One step for all
#
# Moosavi-Dezfooli et al. (2017) walk through the images one by one, and add to δ the smallest change that DeepFool finds for each image which
# δ does not fool yet. Today one mostly does what you know from PGD, with one difference: δ has no batch dimension. All images of a
# mini-batch share it, so it follows the gradient of their *mean* loss (Shafahi et al., 2020).

# %% [markdown]
# **Exercise 06.2.** One step: up the mean loss, `step_size` in every entry, then back into the ball around zero.

# %%
def universal_step(model, x, y, delta, eps, step_size):
    """delta after one step up the mean cross-entropy of the model on clip(x + delta).

    x: images (N, C, H, W) in [0, 1]; y: the labels to leave, shape (N,);
    delta: shape (C, H, W). Every entry moves by step_size along the sign of the
    gradient, then back into [-eps, eps] where it left it.
    Returns a detached tensor of the shape of delta.
    """
    ### BEGIN SOLUTION
    delta = delta.clone().requires_grad_()
    loss = F.cross_entropy(model((x + delta).clamp(0, 1)), y)
    gradient = torch.autograd.grad(loss, delta)[0]
    return (delta + step_size * gradient.sign()).clamp(-eps, eps).detach()
    ### END SOLUTION

universal_step = check("06.2", universal_step)

# %% [markdown]
# The rest is a loop over mini-batches, with steps that get smaller. The labels to leave are the model's own answers, so an attacker
# needs images and no labels.

# %%
def find_universal(model, images, eps, steps=40 if course.quick else 400, seed=SEED):
    """A universal perturbation, shape (C, H, W), from `steps` mini-batches of 50 images."""
    generator = torch.Generator(images.device).manual_seed(seed)
    answers, delta = model(images).argmax(1), torch.zeros_like(images[0])
    for step in range(steps):
        batch = torch.randint(len(images), (50,), generator=generator, device=images.device)
        size = eps / 2 * (1 - step / steps)
        delta = universal_step(model, images[batch], answers[batch], delta, eps, size)
    return delta

# %% [markdown]
# **Predict before you run.** Take the first thousand training images, find a δ, and add it to *test* images. On how many percent of
# them does the network change its answer? And for a δ with the same ε whose signs are tossed?

# %%
### BEGIN SOLUTION
my_guess = 60
my_guess_for_coins = 20
### END SOLUTION

# %%
coins = torch.randn(delta.shape, generator=course.generator(), device=course.device).sign()
delta = find_universal(cnn, x_train[:1000], EPS)
rate, coin_rate = fooling_rate(cnn, x, delta), fooling_rate(cnn, x, EPS * coins)

# %% tags=["tells"]
compare_guess(my_guess, 100 * rate)
compare_guess(my_guess_for_coins, 100 * coin_rate)
claim("The universal perturbation changes {value:.0%} of the answers on images that it has never seen.", rate, 0.4, 1)
claim("With tossed signs and the same ε it would be {value:.0f} points less.", 100 * (rate - coin_rate), 10, 90)

# %% [markdown]
# <details><summary>After your guess: what this shows</summary>
#
# On ImageNet, where ε is ten of 256 grey levels, the paper reports between 77.8 % (VGG-19) and 93.7 % (VGG-F) on images not used
# for the search (Moosavi-Dezfooli et al., 2017). Small grey digits need a much larger ε, and you see the pattern: quasi-invisible it is not.
#
# </details>

# %% [markdown]
# ## How large, and how many?
#
# Two questions: how does the rate grow with ε, and how many images does the search need? The first for all three networks.

# %%
epsilons = [0.05, 0.1, 0.15, 0.2, 0.3]
lines = {name: [fooling_rate(model, x, find_universal(model, x_train[:1000], eps)) for eps in epsilons]
         for name, model in models.items()}
lines["cnn, tossed signs"] = [fooling_rate(cnn, x, eps * coins) for eps in epsilons]

# %% tags=["varies-by-processor", "tells"]
plots.show(plots.curves(epsilons, lines, "ε, the largest change of a pixel", "fooling rate", ylim=(0, 1.02)),
           "Fooling rate against the size of δ",
           alt="Fooling rate on test images against ε. For softmax regression, the multilayer perceptron and the convolutional network it "
               "rises steeply with ε towards 0.9; for tossed signs on the convolutional network it stays well below.")
record("fooling rate against eps", {"epsilons": epsilons, **lines})

# %% [markdown]
# Now the number of images. On a few, δ can learn them by heart; does it then work on others? Each point is the mean of three searches
# on different images; of twenty where a search has a single image, because what it finds there is a matter of luck.

# %%
counts = [count for count in (1, 15, 75, 375) if 3 * count <= len(x_train)]
seen, unseen = [], []
for count in counts:
    parts = x_train.split(count)[:max(3, 20 // count)]
    deltas = [find_universal(cnn, part, EPS, seed=SEED + k) for k, part in enumerate(parts)]
    seen.append(sum(fooling_rate(cnn, part, found) for part, found in zip(parts, deltas)) / len(parts))
    unseen.append(sum(fooling_rate(cnn, x, found) for found in deltas) / len(parts))

# %% tags=["tells"]
plots.show(plots.curves(counts, {"the images of the search": seen, "test images": unseen}, "images that the search used",
                        "fooling rate", xscale="log", xticks=counts, xticklabels=counts, ylim=(0, 1.02)),
           "How many images it takes",
           alt=f"Fooling rate against the number of images, on a logarithmic axis. With one it is {seen[0]:.0%} on the image of the search and "
               f"{unseen[0]:.0%} on test images. Then the curves approach each other; with {counts[-1]} they are at {seen[-1]:.0%} and {unseen[-1]:.0%}.")
claim("With one image, the rate on the image of the search exceeds that on test images by {value:.0f} points.",
      100 * (seen[0] - unseen[0]), 15, 90)
claim("With the most images the two rates differ by {value:.1f} points.", 100 * abs(seen[-1] - unseen[-1]), 0, 12)

# %% [markdown]
# The two curves meet early. Moosavi-Dezfooli et al. (2017) need 500 images, fewer than ImageNet has classes, to fool GoogLeNet on more than 30 % of
# its validation images. What does that say about the network?

# %% tags=["tells"]
question("06.3")

# %%
### BEGIN SOLUTION
choice = "a"
### END SOLUTION
answer("06.3", choice)

# %% [markdown]
# ## Across networks
#
# If the directions belong to the *task*, then a δ made for one network should disturb another. One row per network that δ was made for, one
# column per network that it is tried on. The last row is chance: compare every number with the one below it.

# %%
deltas = {name: find_universal(model, x_train[:1000], EPS) for name, model in models.items()}
rows = deltas | {"tossed signs": EPS * coins}
table = [[fooling_rate(model, x, found) for model in models.values()] for found in rows.values()]

# %% tags=["tells"]
plots.show(plots.matrix(table, rows, models, "tried on", "made for"), "Fooling rates across networks",
           alt="A table of fooling rates: rows softmax, mlp, cnn and tossed signs, columns softmax, mlp, cnn. The diagonal is darkest; the cells beside "
               "it are mostly darker than those of the last row.")

# %%
others = [table[i][j] for i in range(3) for j in range(3) if i != j]
claim("On networks that it was not made for, δ changes on average {value:.0f} points more of the answers than tossed signs.",
      100 * (sum(others) / 6 - sum(table[3]) / 3), 2, 60)

# %% [markdown]
# ## What does it look like?
#
# Look at the three δ, and at what the networks answer once they are fooled. We never asked for a particular class.

# %% tags=["varies-by-processor"]
def favourite(model, found):
    """The class that most of the fooled images are given, and its share among them."""
    after = model(add_universal(x, found)).argmax(1)
    counts = torch.bincount(after[after != model(x).argmax(1)], minlength=len(classes))
    return classes[counts.argmax()], (counts.max() / counts.sum()).item()

favourites = [favourite(models[name], found) for name, found in deltas.items()]
titles = [f"{name}: “{label}” {share:.0%}" for name, (label, share) in zip(deltas, favourites)]
figure, axes = plots.grid(1, 3, width=2, height=2)
for panel, found, title in zip(axes[0], deltas.values(), titles):
    plots.draw_image(panel, found, title, signed=True)
plots.show(figure, "Three universal perturbations, and where they lead",
           alt=f"The perturbations of the three networks, red for brighter and blue for darker, each a pattern of large patches. The class that most "
               f"fooled images are given: {'; '.join(titles)}.")

# %%
claim("Of the images that the convolutional network is fooled on, {value:.0%} are given the same class.", favourites[2][1], 0.25, 1)

# %% [markdown]
# So δ behaves like a *picture of a class* laid over every image. Moosavi-Dezfooli et al. (2017) already saw such dominant labels. Zhang et al. (2020)
# turn the view round: for the network δ is the image, and the image is the noise.

# %% [markdown]
# ## Out into the world: turned, smaller, darker
#
# A perturbation is computed for one grid of pixels. Turn the image a little and every pixel becomes a mixture of its neighbours.
# Does the attack survive? The function below turns, scales and lights images; gradients pass through all of it.

# %%
def view(images, degrees=0.0, scale=1.0, light=1.0):
    """The images, shape (N, C, H, W), turned, scaled about their centre, and multiplied by the light; in [0, 1]."""
    moved = affine(images, angle=degrees, translate=[0, 0], scale=scale, shear=[0.0, 0.0],
                   interpolation=InterpolationMode.BILINEAR)
    return (light * moved).clamp(0, 1)

def random_view(generator):
    """A function from images to images: a view drawn at random."""
    turn, size, light = (2 * torch.rand(3, generator=generator) - 1).tolist()
    return partial(view, degrees=40 * turn, scale=1 + 0.2 * size, light=1 + 0.4 * light)

# %% [markdown]
# **Expectation over transformation** (EOT; Athalye et al., 2018) does not attack the image but the *average view* of it:
#
# $$\max_{\lVert\delta\rVert_\infty\le\varepsilon}\; \mathbb E_{t\sim T}\; J\big(f(t(x+\delta)), y\big)
#   \qquad\text{with the gradient}\qquad \frac1m\sum_{j=1}^m \nabla_x J\big(f(t_j(x)), y\big)$$
#
# where $t_1, \dots, t_m$ are drawn anew in every step. **Exercise 06.4**: the gradient.

# %%
def eot_gradient(model, x, y, transforms):
    """The gradient by x of the cross-entropy's mean over all images and transforms.

    x: images (N, C, H, W); y: labels (N,);
    transforms: a list of differentiable functions from images to images, each of which
    is applied to x itself. Returns a detached tensor of the shape of x.
    """
    ### BEGIN SOLUTION
    x = x.clone().requires_grad_()
    loss = sum(F.cross_entropy(model(transform(x)), y) for transform in transforms) / len(transforms)
    return torch.autograd.grad(loss, x)[0]
    ### END SOLUTION

eot_gradient = check("06.4", eot_gradient)

# %% [markdown]
# Give every image a target class, drawn among the wrong ones, and go *down* the loss of the target. Plain PGD gets the same ε and no transforms.

# %%
some, labels = (part[:30 if course.quick else 500] for part in (x, y))
drawn = torch.randint(1, len(classes), labels.shape, generator=course.generator(), device=course.device)
target = (labels + drawn) % len(classes)
plain = pgd(cnn, some, target, eps=0.3, targeted=True, generator=course.generator())

# %%
dice, steps = torch.Generator().manual_seed(SEED), 30 if course.quick else 200
robust = some
for step in range(steps):
    gradient = eot_gradient(cnn, robust, target, [random_view(dice) for _ in range(8)])
    size = 3.6 / steps * (1 - step / steps)
    robust = (robust - size * gradient.sign()).clamp(some - 0.3, some + 0.3).clamp(0, 1)

# %%
def reached(images, transform):
    """For each image, whether the network reads its target after the transform."""
    return (cnn(transform(images)).argmax(1) == target).float()

angles = list(range(-60, 61, 10))
pictures = {"EOT": robust, "plain PGD": plain, "untouched": some}
lines = {name: [reached(images, partial(view, degrees=angle)).mean().item() for angle in angles]
         for name, images in pictures.items()}
plots.show(plots.curves(angles, lines, "degrees by which the image is turned", "read as the target", ylim=(-0.02, 1.02)),
           "Success when the image is turned",
           alt=f"Share of images read as the target against the angle. Plain PGD peaks at 0 degrees and falls quickly to both sides: at 40 degrees "
               f"it is {lines['plain PGD'][10]:.0%}. EOT stays high to about 40 degrees, where it is {lines['EOT'][10]:.0%}. Untouched images stay near 0.")

# %%
views = [random_view(dice) for _ in range(50)]
shares = {name: torch.stack([reached(images, transform) for transform in views]).mean(0)
          for name, images in pictures.items()}
gain = (shares["EOT"] - shares["plain PGD"]).mean()
claim("Over fifty new random views, EOT's images are read as their target in {value:.0%} of the cases.",
      shares["EOT"].mean(), 0.65, 1)
claim("That is {value:.0f} points more than with plain PGD at the same ε.", 100 * gain, 5, 60)

# %% [markdown]
# Athalye et al. (2018) reach the target in 96.4 % of the views on ImageNet. They also printed a turtle in three dimensions: of 100 photographs,
# 82 % were read as *rifle*. A drawback shows as well: where one view is all that counts, plain PGD needs no such effort.

# %% [markdown]
# ## Move it yourself
#
# Left the image made by plain PGD, right the one made by EOT, both turned and lit alike. Blue is the true class, orange the target. Find
# the angle at which the left attack breaks. The eight images are those on which the two differ most.

# %%
order = (shares["EOT"] - shares["plain PGD"]).argsort(descending=True)[:8]

def compare_views(index, degrees, light):
    """Image `index` of both attacks in the same view, with the network's probabilities: figure, title, alt."""
    i = order[index]
    seen = view(torch.stack([plain[i], robust[i]]), degrees, light=light)
    probabilities = cnn(seen).softmax(1).cpu()
    figure, axes = plots.grid(1, 4, width=2.1, height=1.9, width_ratios=[1, 1.7, 1, 1.7])
    figure.get_layout_engine().set(w_pad=0.12)
    says = [f"{name}: {classes[p.argmax()]} ({p.max():.0%})" for name, p in zip(["plain PGD", "EOT"], probabilities)]
    for k in range(2):
        plots.draw_image(axes[0, 2 * k], seen[k], says[k])
        plots.draw_probabilities(axes[0, 2 * k + 1], probabilities[k], classes, labels[i].item(), target[i].item())
    title = f"Turned by {degrees}°, light × {light:.1f}"
    alt = f"{title}. The class is {classes[labels[i]]}, the target {classes[target[i]]}. The network reads {says[0]}; {says[1]}."
    return figure, title, alt

# %%
controls = {"index": widgets.slider("image", 0, len(order) - 1, 0),
            "degrees": widgets.slider("degrees", -60, 60, 30, step=5),
            "light": widgets.slider("light", 0.4, 1.6, 1.0, step=0.1)}
widgets.explore(compare_views, controls, static=[{"degrees": 0}, {"degrees": 30}], live=course.live)

# %% [markdown]
# ## Printed and photographed
#
# Kurakin et al. (2017) printed adversarial examples, photographed them with a phone, and gave the photographs to the network.
# `print_photo` is a simulation of that way: perspective, lighting, blur, sensor noise and JPEG, drawn anew for every image. We compare their three
# attacks: *fast* (one step), *basic* (many small steps), and *least likely* (many small steps towards the class that the network finds least likely).

# %%
attacks = {"fast": fgsm, "basic": bim, "least likely": least_likely}
epsilons, camera = [0.1, 0.15, 0.2], course.generator()
images, truth = x[:200], y[:200]
made = {name: [attack(cnn, images, truth, eps=eps) for eps in epsilons] for name, attack in attacks.items()}

# %% [markdown]
# Below, one image at the smallest ε, as a file and in six photographs. One image proves nothing; look, then let us count.

# %%
files = {name: at[0] for name, at in made.items()}
i = torch.stack([cnn(copies).argmax(1) != truth for copies in files.values()]).sum(0).argmax().item()
rows = [torch.cat([copies[i:i + 1], print_photo(copies[i].repeat(6, 1, 1, 1), generator=camera)])
        for copies in files.values()]

# %%
titles = [[f"file: {now[0]}"] + [f"photo: {name}" for name in now[1:]] for now in (read(cnn, row) for row in rows)]
plots.show(plots.images(rows, titles, list(files)), f"One image of class {classes[truth[i]]}, six photographs",
           alt="Three rows: an adversarial file and six simulated photographs of it, for the fast, the basic and the least-likely attack. Above each "
               f"stands what the network reads. Photographs read rightly again, of six: "
               f"{', '.join(f'{name} {read(cnn, row[1:]).count(classes[truth[i]])}' for name, row in zip(files, rows))}.")

# %% [markdown]
# How many attacks does the camera undo? Count only images that the network reads right and whose attack worked as a file.
# With $C(x, y) = 1$ where the network reads $x$ as $y$, else 0, and $\bar C = 1 - C$, the **destruction rate** is
#
# $$d = \frac{\sum_i C(x_i, y_i)\;\bar C(x_i^{adv}, y_i)\;C(t(x_i^{adv}), y_i)}{\sum_i C(x_i, y_i)\;\bar C(x_i^{adv}, y_i)}$$
#
# **Exercise 06.5**: write it, with the photographs $t(x^{adv})$ given.

# %%
def destruction_rate(model, x, x_adv, x_photo, y):
    """Kurakin's destruction rate: a share in [0, 1].

    x, x_adv, x_photo: images (N, C, H, W), the originals, their adversarial copies,
    the photographs of those; y: labels, shape (N,). At least one image is adversarial.
    Returns a number.
    """
    ### BEGIN SOLUTION
    right, right_adv, right_photo = (model(images).argmax(1) == y for images in (x, x_adv, x_photo))
    adversarial = right & ~right_adv
    return ((adversarial & right_photo).sum() / adversarial.sum()).item()
    ### END SOLUTION

destruction_rate = check("06.5", destruction_rate)

# %%
def destroyed(x_adv, transform=partial(print_photo, generator=camera)):
    """The destruction rate of these adversarial copies of `images`: the mean of two photographs of each."""
    return sum(destruction_rate(cnn, images, x_adv, transform(x_adv), truth) for _ in range(2)) / 2

lines = {name: [destroyed(x_adv) for x_adv in at] for name, at in made.items()}
plots.show(plots.curves(epsilons, lines, "ε, the largest change of a pixel", "destruction rate", ylim=(0, 1)),
           "What the camera destroys",
           alt="Destruction rate against ε for three attacks. All fall as ε grows. The least-likely attack's curve lies above the other two, "
               "which are close to each other. From the smallest to the largest ε: "
               + "; ".join(f"{name} {', '.join(f'{d:.0%}' for d in rates)}" for name, rates in lines.items()) + ".")

# %%
claim("At ε = 0.1 the destruction rate of least-likely examples is {value:.0f} points above that of fast ones.",
      100 * (lines["least likely"][0] - lines["fast"][0]), 1, 60)
claim("That of basic ones differs from it by {value:+.0f} points.", 100 * (lines["basic"][0] - lines["fast"][0]), -20, 15)
record("destruction rates", {"epsilons": epsilons, **lines})

# %% [markdown]
# **What holds, and what does not.** In Kurakin et al. (2017) fast examples survive best: at their largest ε the rates are 12.5 % for fast, 40.4 % for basic
# and 72.2 % for least likely. Two findings come back here: least-likely examples suffer most, and larger ones suffer less. That fast
# beats basic does *not* come back. On our small network basic examples are no delicate patterns; they lie further beyond the
# border than fast ones, and have more to lose before they cross it again.

# %% [markdown]
# Which part of the way destroys? Switch on one part of the camera at a time.

# %%
off = {"perspective": 0, "lighting": 0, "blur": 0, "noise": 0, "quality": None}
parts = {"perspective": 0.08, "lighting": 0.2, "blur": 0.7, "noise": 0.03, "quality": 75}
table = [[destroyed(x_adv, partial(print_photo, generator=camera, **(off | {part: size}))) for x_adv in files.values()]
         for part, size in parts.items()]
names = ["perspective", "lighting", "blur", "sensor noise", "JPEG"]
plots.show(plots.matrix(table, names, attacks, "attack", "the camera does only"), "Destruction rates by cause, ε = 0.1",
           alt="A table of destruction rates, one row for each part of the camera and one column per attack: "
               + "; ".join(f"{name} {', '.join(f'{d:.0%}' for d in row)}" for name, row in zip(names, table)) + ".")

# %% [markdown]
# Kurakin et al. (2017) found that light and contrast hardly matter, and that blur, noise and JPEG destroy most. They had 299 × 299 pixels
# and attacks of fine grain. On 28 × 28 pixels the perturbation is coarse, blur takes little of it, and moving the image matters more. Such
# findings belong to their data.

# %%
question("06.6")

# %%
### BEGIN SOLUTION
choice = "b"
### END SOLUTION
answer("06.6", choice)

# %% [markdown]
# An attacker who *knows* of the camera puts it into the loss. It is differentiable, and EOT takes it as it is. Where basic examples survive
# anyway, as most do on the letters, there is little left to gain.

# %%
x_basic = bim(cnn, some, labels, eps=EPS / 3)
x_eot = eot(cnn, some, labels, eps=EPS / 3, transform=print_photo, steps=20 if course.quick else 100,
            generator=course.generator())

def photo_error(images, photographs=10):
    """The network's error on photographs of the images."""
    seen = [print_photo(images, generator=camera) for _ in range(photographs)]
    return 1 - accuracy(cnn, torch.cat(seen), labels.repeat(photographs))

basic_error, eot_error = photo_error(x_basic), photo_error(x_eot)
claim("Error on photographs of basic examples: {value:.0%}.", basic_error, 0.2, 1)
claim("With the camera in the loss, at the same ε, it is {value:.0f} points higher.", 100 * (eot_error - basic_error), -4, 50)

# %% [markdown]
# ## A patch
#
# Brown et al. (2017) put both ideas together and dropped the small ε: a **patch** may look as it likes, but only inside a mask; it is the same
# for every image; and it is trained under random places, angles and sizes, so that it can be printed and laid beside anything.
# Patch $p$ and mask $m$ make of an image $(1 - m)\cdot x + m\cdot p$. **Exercise 06.7**: put it on.

# %%
def put_on(x, pattern, mask):
    """The images x with the pattern on them: (1 − m) · x + m · p.

    x: images (N, C, H, W) in [0, 1]; pattern: shape (C, H, W) in [0, 1];
    mask: shape (H, W) in [0, 1], in between at the rim of a sticker that was turned.
    Returns images of the shape of x.
    """
    ### BEGIN SOLUTION
    return (1 - mask) * x + mask * pattern
    ### END SOLUTION

put_on = check("06.7", put_on)

# %% [markdown]
# The library's `patch` does the rest: Adam on the pixels under the mask. The patch is to make every image read as one class. It covers the middle of
# the image; people see that something is there, and mostly still what is beneath.

# %%
height, width = x.shape[2:]
mask = torch.zeros(height, width, device=course.device)
mask[round(0.32 * height):round(0.68 * height), round(0.32 * width):round(0.68 * width)] = 1
goal = 3
wanted = torch.full((2000,), goal, device=course.device)[:len(x_train)]
pattern = patch(cnn, x_train[:2000], wanted, mask=mask, targeted=True, steps=60 if course.quick else 500,
                generator=course.generator())

# %%
others = x[y != goal]
controls = {"patch": put_on(others, pattern, mask), "white square": put_on(others, torch.ones_like(pattern), mask),
            "patch, 5 px aside": put_on(others, pattern.roll(5, 2), mask.roll(5, 1))}
rows = [covered[:6] for covered in controls.values()]
plots.show(plots.images(rows, [read(cnn, row) for row in rows], list(controls)), f"A patch that says “{classes[goal]}”",
           alt=f"Three rows of six test images with a square on them: the trained patch, a white square, and the patch five pixels further right. "
               f"Under the patch the network mostly reads {classes[goal]}, under the white square never or hardly ever.")

# %%
said = {name: (cnn(covered).argmax(1) == goal).float().mean().item() for name, covered in controls.items()}
claim("With the patch the network reads the wanted class in {value:.0%} of the images of other classes.", said["patch"], 0.5, 1)
claim("With a white square in its place, in {value:.0%}.", said["white square"], 0, 0.15)
record("read as the wanted class", said)

# %% [markdown]
# The white square shows that hiding something is not the point. The third row shows a limit: our patch was trained in one place,
# and a small network on centred images has never learnt that a thing may be anywhere. Brown's networks on photographs have, and
# `patch(..., place=...)` trains over places as EOT does.

# %% [markdown]
# ## A network that attacks
#
# Every attack so far follows gradients when it meets the image. AdvGAN (Xiao et al., 2018) pays in advance: it *trains* a generator $G$ that
# turns any image into an adversarial one, against a discriminator that keeps it looking natural. Afterwards an attack is a
# single forward pass, and the attacked model is not needed any more.

# %%
few = 400 if course.quick else 20_000
attack = advgan(cnn, x_train[:few], y_train[:few], eps=0.3, epochs=5, batch_size=50, generator=course.generator())
x_gan = attack(x)
claim("On images that it was not trained on, the trained generator drives the network's error to {value:.0%}.",
      1 - accuracy(cnn, x_gan, y), 0.6, 1)

# %%
fooled = (cnn(x_gan).argmax(1) != y).nonzero()[:6, 0]
rows = [x[fooled], x_gan[fooled]]
plots.show(plots.images(rows, [read(cnn, row) for row in rows], ["image", "AdvGAN"]), "One forward pass",
           alt="Six test images, and below what the generator made of them. People read the same in both rows; the network reads the lower row wrong.")
plots.show(plots.images([(x_gan - x)[fooled]], signed=[0]), "What was added",
           alt="What the generator added to each of these six images, red for brighter and blue for darker. Behind the six shapes the pattern is much alike.")

# %% [markdown]
# Compare what was added. $G$ may answer each image in its own way, and yet adds nearly the same to all of them. Is that a universal perturbation?
# Take the mean of what it adds, and add that to every image.

# %%
common = (x_gan - x).mean(0)
claim("The mean of what the generator adds, added to all images, changes {value:.0%} of the answers.",
      fooling_rate(cnn, x, common), 0.1, 0.8)

# %% [markdown]
# A good part of the attack is common to all images; the rest is fitted to each of them.

# %% [markdown]
# What does an attack cost when it is needed? The times below depend on your machine; look at their ratios.

# %% tags=["nbval-ignore-output"]
import time

some_more, their_labels = x[:100], y[:100]
ways = {"AdvGAN, trained": lambda: attack(some_more), "FGSM": lambda: fgsm(cnn, some_more, their_labels, eps=0.3),
        "PGD, 10 steps": lambda: pgd(cnn, some_more, their_labels, eps=0.3, steps=10, generator=course.generator()),
        "PGD, 40 steps": lambda: pgd(cnn, some_more, their_labels, eps=0.3, generator=course.generator())}
for name, way in ways.items():
    began = time.perf_counter()
    x_adv = way().cpu()   # .cpu() waits for a GPU to finish
    milliseconds = 1000 * (time.perf_counter() - began) / len(x_adv)
    record(f"milliseconds per image, {name}", milliseconds)
    print(f"{name:16} {milliseconds:6.2f} ms per image, error {1 - accuracy(cnn, x_adv.to(y.device), their_labels):.0%}")

# %% [markdown]
# The generator is many times faster than forty steps of PGD. Note two things that the comparison hides. FGSM is as cheap and, on an
# *undefended* network, at least as strong. And the generator's training is not in its time. AdvGAN's real advantage is that it needs no gradient
# when it attacks: Xiao et al. (2018) brought the accuracy of a hardened MNIST network, seen as a black box, down to 92.76 %, the best entry of its day.

# %% [markdown]
# ## What to remember
#
# * One δ can fool a network on most images. It is found on few, needs no labels, works on unseen images and in part on other networks.
# * It behaves like a picture of one class laid over everything: the directions out of the classes are shared.
# * A plain adversarial example is made for one grid of pixels. Optimise the *expected* loss and it survives what you can simulate.
# * The destruction rate counts only attacks that worked. Say which channel, which ε and which data: the order of attacks changes with them.
# * "The camera destroys it" is no defence as long as the attacker did not know of the camera.

# %%
progress()

# %% [markdown]
# ## Further reading
#
# * Moosavi-Dezfooli, Fawzi, Fawzi, Frossard, *Universal adversarial perturbations*, [arXiv:1610.08401](https://arxiv.org/abs/1610.08401); Shafahi et al.,
#   *Universal adversarial training*, [arXiv:1811.11304](https://arxiv.org/abs/1811.11304): the mini-batch way, and a defence.
# * Athalye, Engstrom, Ilyas, Kwok, *Synthesizing robust adversarial examples*, [arXiv:1707.07397](https://arxiv.org/abs/1707.07397): EOT and the turtle.
# * Kurakin, Goodfellow, Bengio, *Adversarial examples in the physical world*, [arXiv:1607.02533](https://arxiv.org/abs/1607.02533): print, photograph, destruction rate.
# * Brown, Mané, Roy, Abadi, Gilmer, *Adversarial patch*, [arXiv:1712.09665](https://arxiv.org/abs/1712.09665); Eykholt et al., *Robust physical-world attacks*,
#   [arXiv:1707.08945](https://arxiv.org/abs/1707.08945): stickers on stop signs.
# * Xiao, Li, Zhu, He, Liu, Song, *Generating adversarial examples with adversarial networks*, [arXiv:1801.02610](https://arxiv.org/abs/1801.02610): AdvGAN.
# * **Since corrected.** Lu et al. ([arXiv:1707.03501](https://arxiv.org/abs/1707.03501)) concluded in 2017 that a moving camera makes adversarial signs harmless; EOT was the answer,
#   still in that year. That universal perturbations are mere noise for the network was corrected by Zhang et al. ([arXiv:2007.06189](https://arxiv.org/abs/2007.06189)): they carry
#   the features, and images act as the noise. The survey [arXiv:2103.01498](https://arxiv.org/abs/2103.01498) goes on from there.
