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
# # 05 · Sparse and black-box attacks
#
# ### What you will be able to do
#
# * fool a network by changing a handful of pixels, and say how the pixels are chosen,
# * attack a model that answers questions but shows neither weights nor gradient,
# * count what such an attack costs, in questions,
# * tell a defence that works from one that only hides its gradient.
#
# **Time** about 100 minutes · **Before** notebooks 01 and 03 · **Library** `advcourse.attacks`, `advcourse.plots`

# %% [markdown]
# ### Threat-model card
#
# | | in this notebook |
# |---|---|
# | What does the attacker want? | any wrong class; for the saliency map, one class in particular |
# | What does the attacker know? | first everything (*white box*), then only scores, at last only the label (*black box*) |
# | What may be changed? | a few pixels as much as one likes (ℓ0); later every pixel by at most ε (ℓ∞); grey values stay in [0, 1] |
# | When? | after training, one image at a time, with many questions to the model |
# | What counts as success? | the model's class changes while people still read the original |

# %% tags=["parameters"]
PROFILE = "quick"   # "full": more images and more questions (a GPU helps)
DATASET = "auto"    # MNIST where it can be had, else letters drawn from fonts
SEED = 0
DEVICE = "auto"
STUDENT = ""        # your name or number: it shuffles the answers of questions

# %% tags=["setup"]
import math
import warnings

import torch

from advcourse import plots, widgets
from advcourse.attacks import hop_skip_jump, jsma, nes, one_pixel, pgd, spsa, square
from advcourse.evaluate import accuracy
from advcourse.exercises import answer, check, hint, progress, question
from advcourse.notebook import claim, compare_guess, record, start

course = start("05", profile=PROFILE, dataset=DATASET, seed=SEED,
               device_name=DEVICE, student=STUDENT)

# %% [markdown]
# ## A question
#
# In notebook 01 every pixel moved a little. Below, most pixels did not move at all. How many did?

# %%
cnn, classes = course.model("cnn"), course.data.classes
x, y = course.test_images(100 if course.quick else 1000)
right = cnn(x).argmax(1) == y
x, y = x[right], y[right]

# %%
def read(images):
    """The names of the classes that the network sees."""
    return [classes[label] for label in cnn(images).argmax(1)]

def changed_pixels(x_adv, x):
    """How many pixels of each image differ: the ℓ0 distance."""
    return (x_adv != x).any(1).flatten(1).sum(1)

few = jsma(cnn, x[:8], y[:8])
names = [f"{name}: {n} px" for name, n in zip(read(few), changed_pixels(few, x[:8]))]
plots.show(plots.images([x[:8], few], [read(x[:8]), names], ["original", "changed"]),
           "What the network reads",
           alt="Eight test images and below each a copy with a few pixels turned white. People read both rows alike. The network reads "
               "the upper row right and the lower row wrong; above each copy stands how many pixels were changed.")

# %% [markdown]
# The changes are easy to see and hard to take seriously: a few specks of dust. *Sparse* attacks ask for the smallest *number* of changed
# pixels, $\lVert\delta\rVert_0$, and do not mind how much each of them changes.

# %% [markdown]
# ## Which pixels matter?
#
# Who has the network can compute how every logit $z_k$ reacts to every pixel $x_p$: the **Jacobian** $\partial z_k / \partial x_p$, one row for
# each class. To reach class $t$ by making pixel $p$ brighter, two things are wanted:
#
# $$a_p = \frac{\partial z_t}{\partial x_p} > 0 \qquad\text{and}\qquad b_p = \sum_{k \ne t} \frac{\partial z_k}{\partial x_p} < 0.$$
#
# The **saliency map** (Papernot et al., 2016) is $a_p\,|b_p|$ where both hold, and zero elsewhere.

# %%
def jacobian(model, image):
    """How each logit changes with each pixel value of one image: a tensor of shape (K, n)."""
    rows = torch.autograd.functional.jacobian(lambda images: model(images)[0], image[None])
    return rows.reshape(len(rows), -1)

# %% [markdown]
# **Exercise 05.1.** Write the map.

# %%
def saliency_map(jacobian, target):
    """For every pixel a · |b| where a > 0 and b < 0, else 0.

    jacobian: tensor of shape (K, n), one row for each class; target: a class number.
    a is the target's row, b the sum of all other rows.
    Returns a tensor of shape (n,).
    """
    ### BEGIN SOLUTION
    a = jacobian[target]
    b = jacobian.sum(0) - a
    return torch.where((a > 0) & (b < 0), a * b.abs(), 0)
    ### END SOLUTION

saliency_map = check("05.1", saliency_map)

# %%
shape = x.shape[1:]
target = (y[0].item() + 1) % len(classes)
rows = jacobian(cnn, x[0])
maps = {f"a: class {classes[target]}": rows[target], "b: all other classes": rows.sum(0) - rows[target],
        "saliency map": saliency_map(rows, target)}
figure, axes = plots.grid(1, 4, width=2, height=2)
plots.draw_image(axes[0, 0], x[0], f"class {classes[y[0]]}")
for panel, (title, values) in zip(axes[0, 1:], maps.items()):
    plots.draw_image(panel, values.view(shape), title, signed=True)
plots.show(figure, f"Which pixels lead to class {classes[target]}?",
           alt="An image; how the target's logit reacts to each pixel, in red where brighter helps; how the sum of the other logits "
               "reacts; and the saliency map, which is zero for most pixels and large for a few near the strokes.")

# %% [markdown]
# The map is strict: a pixel that helps the target *and* helps its rivals is worth nothing. Two such pixels may still make a good pair, one
# paying for the other. So the attack adds up the Jacobian's columns of *every pair* of pixels, and takes the most salient pair.
# There are many pairs, but your function does not mind.

# %%
def best_pair(rows, target, free):
    """The two most salient pixel values of those that are `free` to move, a bool tensor (n,)."""
    two = torch.stack([rows[target], rows.sum(0) - rows[target]])  # all that the map looks at
    pairs = two[:, :, None] + two[:, None, :]
    worth = saliency_map(pairs.flatten(1), 0).view(len(free), -1) * free * free[:, None]
    worth.fill_diagonal_(0)
    return list(divmod(worth.argmax().item(), len(free)))

def saliency_walk(image, target, pairs):
    """The image after 0, 1, 2 … pairs of its pixel values have been turned white."""
    walk = [image]
    for _ in range(pairs):
        values = walk[-1].flatten().clone()
        values[best_pair(jacobian(cnn, walk[-1]), target, values < 0.99)] = 1
        walk.append(values.view(image.shape))
    return torch.stack(walk)

# %% [markdown]
# ## Move it yourself
#
# The slider says how many pairs of pixels are turned white. Watch the target's probability: when does the network change its mind, and when
# would you?

# %%
pairs = 20
starts = [(i, (y[i].item() + 1) % len(classes)) for i in range(4)]
walks = [saliency_walk(x[i], goal, pairs) for i, goal in starts]

def walk_figure(image, pairs):
    (i, goal), walk = starts[image], walks[image]
    probabilities = cnn(walk).softmax(1)
    figure, axes = plots.grid(1, 3, width=2.2, height=2.2, width_ratios=[1, 1.4, 1.4])
    changed = changed_pixels(walk, walk[:1])[pairs]
    plots.draw_image(axes[0, 0], walk[pairs], f"{changed} pixels changed")
    plots.draw_probabilities(axes[0, 1], probabilities[pairs], classes, true=y[i].item(), target=goal)
    plots.curves(list(range(len(walk))), {"target": probabilities[:, goal].tolist()}, "pairs",
                 f"probability of {classes[goal]}", axes=axes[0, 2], ylim=(0, 1.02))
    axes[0, 2].axvline(pairs, color="black", linewidth=1)
    alt = (f"{pairs} pairs of pixels turned white, from class {classes[y[i]]} towards class {classes[goal]}: the image, "
           f"the network's probabilities (it reads {classes[probabilities[pairs].argmax()]}), and the target's "
           "probability against the number of pairs.")
    return figure, f"{pairs} pairs, towards {classes[goal]}", alt

controls = {"image": widgets.slider("image", 0, len(walks) - 1, 0), "pairs": widgets.slider("pairs", 0, pairs, 0)}
widgets.explore(walk_figure, controls, static=[{"pairs": 0}, {"pairs": pairs}], live=course.live)

# %% [markdown]
# How does it do on many images, each sent towards a class drawn at random? The library's `jsma` takes the same pairs, and stops at the first
# success. With `others="all"` it uses your map, which is the paper's. By default it weighs the other classes by how likely they are:
# why push down what is beaten already?

# %%
count = 30 if course.quick else 500
shift = torch.randint(1, len(classes), (count,), generator=course.generator(), device=y.device)
goal = (y[:count] + shift) % len(classes)
reached, share = {}, {}
for others in ("all", "likely"):
    x_adv = jsma(cnn, x[:count], goal, targeted=True, others=others)
    success = cnn(x_adv).argmax(1) == goal
    reached[others] = success.double().mean().item()
    share[others] = changed_pixels(x_adv, x[:count])[success].double().mean().item() / shape[1:].numel()

# %%
claim("With the paper's map {value:.0%} of the images reach a class drawn at random.", reached["all"], 0.5, 1)
claim("Those that do needed {value:.1%} of their pixels on average.", share["all"], 0.01, 0.08)
claim("With likely rivals weighing more, {value:.0%} get there.", reached["likely"], 0.75, 1)
print(f"They needed {share['likely']:.1%} of their pixels.")

# %% [markdown]
# On LeNet and MNIST, Papernot et al. (2016) report a success of 97.10 % with 4.02 % of the pixels. Carlini and Wagner (2017) later showed that
# the greedy choice is far from the fewest: on their MNIST network JSMA needs 56 pixels for an average target, and their ℓ0 attack 16.

# %% [markdown]
# ## One pixel, and no gradient
#
# How far down can one go? Su et al. (2019) changed a *single* pixel, and did not even use the gradient: they bred the pixel.
# A **candidate** is a short list of numbers in [0, 1], its *genes*: row, column and colour. The model is asked
# about each candidate, and the better ones live on. Nothing but the model's scores is needed.

# %%
def recoloured(image, genes):
    """One copy of the image (C, H, W) for each candidate; genes: (S, 2 + C), row, column and colour, all in [0, 1]."""
    channels, height, width = image.shape
    row, column = (genes[:, 0] * height).long().clamp(max=height - 1), (genes[:, 1] * width).long().clamp(max=width - 1)
    images = image.repeat(len(genes), 1, 1, 1)
    images[torch.arange(len(genes), device=genes.device), :, row, column] = genes[:, 2:]
    return images

# %% [markdown]
# **Differential evolution** makes a child for every candidate out of three different others, $r_1 + F\,(r_2 - r_3)$: a neighbour of $r_1$, away from
# it by a share $F$ of the distance between two candidates. Early on they are far apart and the children jump about; later all are close together and the search gets fine.
# **Exercise 05.2**: one generation.

# %%
def next_generation(population, losses, loss_of, others, factor):
    """Each candidate, or its child where that has a smaller loss.

    population: tensor (S, G) with entries in [0, 1]; losses: theirs, shape (S,).
    loss_of: from candidates (S, G) to their losses (S,): ask it once.
    others: for each candidate three different others by number, tensor (3, S).
    A child is first + factor * (second − third), clipped to [0, 1].
    Returns both, the next population and its losses.
    """
    ### BEGIN SOLUTION
    first, second, third = population[others]
    children = (first + factor * (second - third)).clamp(0, 1)
    new_losses = loss_of(children)
    better = new_losses < losses
    return torch.where(better[:, None], children, population), torch.where(better, new_losses, losses)
    ### END SOLUTION

next_generation = check("05.2", next_generation)

# %% [markdown]
# What is to become small is the **margin**: how far the right class's logit leads over the largest other. Where it is negative, the network errs.
# Below, forty candidates look for one pixel.

# %%
def margin(images, label, model=cnn):
    """How far the label's logit leads over the largest other: negative where the model errs."""
    logits = model(images)
    others = logits.clone()
    others[:, label] = -math.inf
    return logits[:, label] - others.amax(1)

margins = torch.cat([margin(image, label) for image, label in zip(x.split(1), y)])
i = margins.argsort()[5].item()  # an image that the network is not too sure of
generator = course.generator()
population = torch.rand(40, 2 + shape[0], generator=generator, device=x.device)
loss_of = lambda genes: margin(recoloured(x[i], genes), y[i])
history = [(population, loss_of(population))]
for _ in range(15):
    order = torch.rand(40, 40, generator=generator, device=x.device).fill_diagonal_(2)
    others = order.argsort(1)[:, :3].T  # three different ones, and none is the candidate
    history.append(next_generation(*history[-1], loss_of, others, 0.5))

# %%
shown = [0, 5, 15]
figure, axes = plots.grid(1, len(shown), width=2.2, height=2.2)
for panel, generation in zip(axes[0], shown):
    genes, losses = history[generation]
    plots.draw_image(panel, x[i], f"generation {generation}, best margin {losses.min():.1f}")
    panel.scatter(genes[:, 1].cpu() * shape[2] - 0.5, genes[:, 0].cpu() * shape[1] - 0.5, s=14, color=plots.COLOURS[4])
plots.show(figure, "Forty candidates for one pixel",
           alt="The same image three times with a dot for each candidate pixel. At first the dots lie all over the image; after fifteen "
               "generations they crowd in a few places, and the best margin is smaller.")

# %% [markdown]
# **Predict before you run.** Take images that the network reads right, and let evolution look for *one* pixel each. On how many percent of them
# will it find one that changes the class?

# %%
### BEGIN SOLUTION
my_guess = 2
### END SOLUTION

# %%
count, queries = (30, 500) if course.quick else (500, 10_000)
pixels = [1, 3, 5, 10]
some, labels = x[:count], y[:count]
bred = [1 - accuracy(cnn, one_pixel(cnn, some, labels, pixels=k, queries=queries, generator=course.generator()), labels)
        for k in pixels]
salient = jsma(cnn, some, labels)
fooled, needed = cnn(salient).argmax(1) != labels, changed_pixels(salient, some)
computed = [(fooled & (needed <= k)).double().mean().item() for k in pixels]

# %% tags=["tells"]
compare_guess(my_guess, 100 * bred[0])
lines = {"saliency map (knows the network)": computed, "evolution (sees its scores)": bred}
plots.show(plots.curves(pixels, lines, "pixels that may change", "share of images fooled", ylim=(-0.02, 1.02)),
           "Success against pixels",
           alt="Share of images fooled against the number of pixels that may change, for the saliency map and for evolution. Both start "
               "near zero at one pixel; at ten pixels the saliency map is far ahead.")
record("success against pixels", {"pixels": pixels, "saliency map": computed, "evolution": bred})
claim("One bred pixel fools the network on {value:.0%} of the images.", bred[0], 0, 0.15)
claim("With up to ten pixels, the saliency map fools it on {value:.0%}.", computed[-1], 0.3, 1)

# %% [markdown]
# <details><summary>After your guess: what this shows</summary>
#
# Here one pixel is weak, and it is fair to say so. More pixels help evolution less than one would think: the genes get more, the questions do not.
# The famous figures come from other pictures: Su et al. (2019) report
# 67.97 % of the CIFAR-10 images (in the version used on Kaggle) and 16.04 % of the ImageNet images, with one pixel. Small colour images and networks that are
# rarely sure make it easier; a white stroke on black, read with great confidence, makes it hard. Try `DATASET = "cifar10"`.
#
# </details>

# %% [markdown]
# ## Ask, and count
#
# Back to changes of at most ε in every pixel, but without the network's weights. From outside, an attack is a series of **queries**: an image goes
# in, scores or a label come out. Every query costs time or money, and may be noticed. So we count them exactly: a wrapper sees each image
# that is shown to the model, and ends the attack at the first one inside the ε-ball that fools it.

# %%
class Fooled(Exception):
    """Raised to end an attack at its first success."""

def queries_until_fooled(model, attack, x, y, eps):
    """How many images the attack shows to the model, up to the first that fools it within eps; infinite if none does.

    attack: a function (model, x, y); x: one image, (1, C, H, W); y: its label, (1,).
    """
    asked = 0

    def counting(images):
        nonlocal asked
        logits = model(images)
        allowed = ((images - x).abs() <= eps + 1e-6) & (images >= 0) & (images <= 1)
        success = (logits.argmax(1) != y) & allowed.flatten(1).all(1)
        if success.any():
            asked += success.nonzero()[0].item() + 1
            raise Fooled
        asked += len(images)
        return logits

    try:
        attack(counting, x, y)
    except Fooled:
        return asked
    return math.inf

# %% [markdown]
# ## Measure the gradient
#
# The gradient is hidden, but slopes can be measured: ask on both sides of $x$ along a direction $v$ of random signs, and compare.
# The average over some directions is SPSA's estimate (Uesato et al., 2018), two queries for each direction:
#
# $$\hat g = \frac1S \sum_{s=1}^{S} \frac{f(x + \delta v_s) - f(x - \delta v_s)}{2\delta}\; v_s.$$
#
# NES (Ilyas et al., 2018) is the same with Gaussian $v_s$. **Exercise 05.3**: write it.

# %%
def estimate_gradient(loss_of, x, directions, delta):
    """The gradient of the loss at x, estimated from two queries for each direction.

    loss_of: from images (N, C, H, W) to their losses (N,); every image is a query.
    x: one image, (1, C, H, W); directions: (S, C, H, W) of entries ±1.
    delta: how far to go, either way. Returns a tensor of the shape of x.
    """
    ### BEGIN SOLUTION
    rise = loss_of(x + delta * directions) - loss_of(x - delta * directions)
    return (rise.view(-1, 1, 1, 1) / (2 * delta) * directions).mean(0, keepdim=True)
    ### END SOLUTION

estimate_gradient = check("05.3", estimate_gradient)

# %%
def random_signs(count, generator):
    """`count` directions of +1 and −1."""
    coins = torch.rand(count, *shape, generator=generator, device=x.device)
    return (coins < 0.5).to(x.dtype) * 2 - 1

def cosine(estimate, gradient):
    return torch.cosine_similarity(estimate.flatten(), gradient.flatten(), dim=0).item()

samples, generator, cosines = [10, 30, 100, 300, 1000], course.generator(), []
for image, label in zip(x[:10].split(1), y[:10]):
    image = image.clone().requires_grad_()
    gradient = torch.autograd.grad(margin(image, label).sum(), image)[0]
    directions = random_signs(samples[-1], generator)
    loss_of = lambda images: margin(images, label)
    cosines.append([cosine(estimate_gradient(loss_of, image.detach(), directions[:s], 0.01), gradient) for s in samples])

# %%
mean = torch.tensor(cosines).mean(0).tolist()
expected = [math.sqrt(s / (s + shape.numel())) for s in samples]
plots.show(plots.curves([2 * s for s in samples], {"measured": mean, "√(S / (S + n))": expected}, "queries, 2 S",
                        "cosine with the gradient", xscale="log", ylim=(0, 1)),
           "How good is the estimate?",
           alt="Cosine between estimated and true gradient against the number of queries, on a logarithmic axis: it rises slowly from "
               "near 0.1 to above 0.6, close to the formula's line.")

# %% [markdown]
# In theory the cosine is about $\sqrt{S/(S+n)}$ for $n$ pixel values: to get the direction right one would have to ask more often than there are pixels.
# But an attack does not need the right direction, only one that goes uphill. Many steps along poor estimates get there, too.

# %% [markdown]
# ## A defence that sounds sensible
#
# Small changes of grey values do the harm, so let the network see four grey values only: round every
# pixel to 0, 1/3, 2/3 or 1.

# %%
def rounded(images):
    return (images * 3).round() / 3

def defended(images):
    """The same network behind rounded pixels."""
    return cnn(rounded(images))

count, eps = 30 if course.quick else 500, 0.2
some, labels = x[:count], y[:count]
print(f"With rounded pixels the network still reads {accuracy(defended, some, labels):.0%} of these images.")

# %% [markdown]
# **Predict before you run.** PGD with this `eps` fools the plain network on nearly every image. On how many percent of the images will the defended
# network still be right?

# %%
### BEGIN SOLUTION
my_guess = 98
### END SOLUTION

# %%
with warnings.catch_warnings(record=True) as warned:
    warnings.simplefilter("always")
    x_pgd = pgd(defended, some, labels, eps=eps, steps=20, generator=course.generator())
x_plain = pgd(cnn, some, labels, eps=eps, steps=20, generator=course.generator())
left = {"PGD, no defence": accuracy(cnn, x_plain, labels), "no attack": accuracy(defended, some, labels),
        "PGD": accuracy(defended, x_pgd, labels)}

# %% tags=["tells"]
compare_guess(my_guess, 100 * left["PGD"])
claim("With the defence PGD leaves an accuracy of {value:.0%}.", left["PGD"], 0.75, 1)

# %% [markdown]
# What does the library itself say about this run?

# %% tags=["tells"]
for warning in warned:
    print(warning.message)

# %% [markdown]
# <details><summary>After your guess: what this shows</summary>
#
# Rounding is a staircase: flat nearly everywhere, so its derivative is zero, and the whole gradient with it. PGD stood in the fog and did not move.
#
# </details>
#
# An attack that only asks needs no derivative. It needs one thought: with a δ much smaller than a step of the rounding both questions get the same
# answer, so take a coarse one. First your own estimate, in PGD's place, counted by the wrapper.

# %%
def my_spsa(model, x, y):
    """PGD's small steps along your estimate, 65 queries each."""
    generator, x_adv = course.generator(), x
    for _ in range(20):
        gradient = estimate_gradient(lambda images: margin(images, y, model), x_adv, random_signs(32, generator), 0.1)
        x_adv = torch.clamp(x_adv - 0.04 * gradient.sign(), x - eps, x + eps).clamp(0, 1)
        model(x_adv)

own = [queries_until_fooled(defended, my_spsa, image, label, eps) for image, label in zip(some[:10].split(1), labels)]
fooled = sum(n < math.inf for n in own) / len(own)

# %% tags=["tells"]
claim("Your estimate fools the defended network on {value:.0%} of ten images.", fooled, 0.4, 1)

# %% [markdown]
# Now the library's attacks, on all of them.

# %%
ask = {"generator": course.generator(), "eps": eps, "queries": 1000 if course.quick else 10_000}
left["SPSA, δ = 0.01"] = accuracy(defended, spsa(defended, some, labels, samples=64, delta=0.01, **ask), labels)
left["SPSA, δ = 0.1"] = accuracy(defended, spsa(defended, some, labels, samples=64, delta=0.1, **ask), labels)
left["Square"] = accuracy(defended, square(defended, some, labels, **ask), labels)

# %% [markdown]
# And who knows the defence does not even have to ask. Keep the rounding on the way forward, and on the way back *pretend* that it was not there, as if
# its derivative were one. Athalye et al. (2018) call this BPDA, backward pass differentiable approximation. It is one line.

# %%
def pretending(images):
    """The defended network, with a gradient that ignores the rounding."""
    return cnn(images + (rounded(images) - images).detach())

x_bpda = pgd(pretending, some, labels, eps=eps, steps=20, generator=course.generator())
left["PGD with BPDA"] = accuracy(defended, x_bpda, labels)

# %% tags=["tells"]
figure, axes = plots.grid(1, 1, width=6, height=2.4)
colours = ["#999999"] + 2 * [plots.COLOURS[0]] + 4 * [plots.COLOURS[1]]
bars = axes[0, 0].barh(list(left), list(left.values()), color=colours)
axes[0, 0].bar_label(bars, fmt="{:.0%}", padding=3, fontsize=8)
axes[0, 0].spines[["top", "right"]].set_visible(False)
axes[0, 0].set(xlim=(0, 1.1), xlabel="accuracy that is left", ylim=(len(left) - 0.4, -0.6))
plots.show(figure, "The rounded network at ε = 0.2",
           alt="Bars of the accuracy that is left. Under PGD without the defence it is near zero; with it, without attack and under PGD, high. Under SPSA with a coarse step, Square and "
               "PGD with a pretended gradient it is near zero; under SPSA with a fine step it lies between.")
record("accuracy of the rounded network", left)
claim("SPSA with a coarse δ leaves {value:.0%}.", left["SPSA, δ = 0.1"], 0, 0.4)
claim("PGD with the pretended gradient leaves {value:.0%}.", left["PGD with BPDA"], 0, 0.15)

# %% tags=["tells"]
question("05.4")

# %%
### BEGIN SOLUTION
choice = "d"
### END SOLUTION
answer("05.4", choice)

# %% [markdown]
# <details><summary>After your answer: what this is called</summary>
#
# The rounding did not remove the adversarial examples. It removed the signpost to them. This is called **gradient masking**, or obfuscated
# gradients, and it has fooled many authors: of nine defences published at one conference seven relied on it, of which six were broken completely and
# one in part (Athalye et al., 2018).
#
# </details>

# %% [markdown]
# ## Only the label
#
# Now the model keeps its scores to itself as well and names a class, no more. A small change of the image then changes nothing at all, so there is no
# slope to measure. One thing is left: the place where the answer *flips*. Start from any image that is read wrong, and halve the way to the
# original again and again. **Exercise 05.5**.

# %%
def to_the_boundary(is_wrong, x, x_wrong, steps):
    """For each image a point on the straight way from x to x_wrong: wrong, but only just.

    is_wrong: from N images like x to a bool tensor (N,); ask it once a step, which
        costs one query for each image.
    x: images (N, C, H, W) that are read right; x_wrong: as many that are not.
    steps: how often the way that is left, at first all of it, is halved.
    Returns images of the shape of x, all of them wrong.
    """
    ### BEGIN SOLUTION
    right, wrong = x, x_wrong
    for _ in range(steps):
        middle = (right + wrong) / 2
        err = is_wrong(middle).view(-1, 1, 1, 1)
        right, wrong = torch.where(err, right, middle), torch.where(err, middle, wrong)
    return wrong
    ### END SOLUTION

to_the_boundary = check("05.5", to_the_boundary)

# %% [markdown]
# At the flip one can feel which way the boundary runs: ask about random points around, and average those that are wrong. **HopSkipJump**
# (Chen et al., 2020) does just that, jumps away from the original along this direction, and halves its way back to a point that is nearer.

# %%
few, few_labels = x[:6], y[:6]
noise = torch.rand(len(few), *shape, generator=course.generator(), device=x.device)
others = torch.stack([x[y != label][0] for label in few_labels])  # for the rare noise that is read right
strange = torch.where((cnn(noise).argmax(1) != few_labels).view(-1, 1, 1, 1), noise, others)
halved = to_the_boundary(lambda images: cnn(images).argmax(1) != few_labels, few, strange, 12)
budgets = [200, 1000] if course.quick else [200, 1000, 10_000]
nearer = {f"{q} queries": hop_skip_jump(cnn, few, few_labels, queries=q, starts=strange, generator=course.generator())
          for q in budgets}

# %%
rows = {"original": few, "start": strange, "12 halvings": halved, **nearer}
away = {name: (images - few).flatten(1).norm(dim=1) for name, images in rows.items()}
titles = [[f"{name}, ℓ2 {d:.1f}" for name, d in zip(read(images), away[row])] for row, images in rows.items()]
plots.show(plots.images(list(rows.values()), titles, list(rows)), "By labels alone: what is read, and how far away",
           alt="Rows of six images: the originals; the starts, mostly noise; the images after twelve halvings, with the original faintly "
               "visible under noise; and HopSkipJump's, closer to the originals with every row. All but the first row are read wrong.")
claim("After 1,000 queries the images are {value:.1f} times nearer (in the ℓ2 norm) than after halving alone.",
      (away["12 halvings"].mean() / away["1000 queries"].mean()), 1.5, 10)

# %% [markdown]
# ## The price of knowing less
#
# Every attack needs something of the model. First think of what that was.

# %%
question("05.6")

# %%
### BEGIN SOLUTION
choice = "a"
### END SOLUTION
answer("05.6", choice)

# %% [markdown]
# Four attacks, one ball, and the wrapper counts. SPSA and NES measure gradients. **Square** (Andriushchenko et al., 2020) measures nothing: it
# changes a random square of pixels by ±ε and keeps the change if the margin shrinks. HopSkipJump you have just met.
#
# **Predict before you run.** In the median over the images, how many queries will SPSA need?

# %%
### BEGIN SOLUTION
my_guess = 300
### END SOLUTION

# %%
most, count = (1000, 20) if course.quick else (10_000, 200)
black_boxes = {
    "Square": lambda *one: square(*one, eps=eps, queries=most, generator=course.generator()),
    "SPSA": lambda *one: spsa(*one, eps=eps, queries=most, samples=32, generator=course.generator()),
    "NES": lambda *one: nes(*one, eps=eps, queries=most, samples=32, generator=course.generator()),
    "HopSkipJump": lambda *one: hop_skip_jump(*one, norm="linf", queries=most, generator=course.generator())}
one_by_one = list(zip(x[:count].split(1), y[:count].split(1)))
spent = {name: torch.tensor([queries_until_fooled(cnn, attack, *one, eps) for one in one_by_one])
         for name, attack in black_boxes.items()}

# %%
grid = [round(10 ** (k / 5)) for k in range(int(5 * math.log10(most)) + 1)]
success = {name: [(numbers <= q).double().mean().item() for q in grid] for name, numbers in spent.items()}
medians = {name: numbers.median().item() for name, numbers in spent.items()}

# %% tags=["tells"]
plots.show(plots.curves(grid, success, "queries", "share of images fooled", xscale="log", ylim=(-0.02, 1.02)),
           f"Success against queries at ε = {eps}",
           alt="Share of images fooled against the number of queries, on a logarithmic axis. Square's curve rises first, within tens of "
               "queries; those of SPSA and NES follow after hundreds; HopSkipJump's is spread widely.")
record("success against queries", {"queries": grid, **success})

# %% tags=["tells"]
compare_guess(my_guess, medians["SPSA"], "queries")
claim("In the median Square needs {value:.0f} queries.", medians["Square"], 1, 60)
claim("By labels alone {value:.0%} of the images fell within the budget.", success["HopSkipJump"][-1], 0.4, 1)

# %% [markdown]
# A random search that knows what adversarial examples look like (large patches at the border of the ball) beats the careful measurement of a gradient.
# On ImageNet, Andriushchenko et al. (2020) report that it needs 1.8 to 3 times fewer queries than the best attack before it.

# %% [markdown]
# ## What to remember
#
# * A few pixels are enough if they are chosen with the Jacobian; pairs are better than single pixels, since one can pay for the other.
# * One pixel is enough only where the picture is small and the model unsure. Ask on which data a famous number was measured.
# * Hiding weights does not protect: scores let an attacker measure the gradient, or search without one. Labels alone cost more queries, not safety.
# * An attack that fails proves nothing. Where PGD fails and a black-box attack succeeds, the gradient is masked.
# * Count queries exactly, at the model's door.

# %%
progress()

# %% [markdown]
# ## Further reading
#
# * Papernot et al., *The limitations of deep learning in adversarial settings*, [arXiv:1511.07528](https://arxiv.org/abs/1511.07528): the saliency map.
# * Su, Vargas, Sakurai, *One pixel attack for fooling deep neural networks*, [arXiv:1710.08864](https://arxiv.org/abs/1710.08864).
# * Uesato et al., *Adversarial risk and the dangers of evaluating against weak attacks*, [arXiv:1802.05666](https://arxiv.org/abs/1802.05666): SPSA;
#   Ilyas et al., *Black-box adversarial attacks with limited queries and information*, [arXiv:1804.08598](https://arxiv.org/abs/1804.08598): NES.
# * Andriushchenko et al., *Square attack*, [arXiv:1912.00049](https://arxiv.org/abs/1912.00049); Chen, Jordan, Wainwright, *HopSkipJumpAttack*,
#   [arXiv:1904.02144](https://arxiv.org/abs/1904.02144).
# * Athalye, Carlini, Wagner, *Obfuscated gradients give a false sense of security*, [arXiv:1802.00420](https://arxiv.org/abs/1802.00420).
# * **Since corrected.** The saliency map's pixels are not the fewest: Carlini and Wagner's ℓ0 attack needs less than a third of them
#   ([arXiv:1608.04644](https://arxiv.org/abs/1608.04644)). One-pixel success varies several-fold from network to network. And rounding, like other ways to
#   take the gradient away, is no longer counted as a defence by itself: evaluations are expected to include attacks without gradients and attacks made for the
#   defence at hand (Carlini et al., *On evaluating adversarial robustness*, [arXiv:1902.06705](https://arxiv.org/abs/1902.06705)).
