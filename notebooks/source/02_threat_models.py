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
# # 02 · Threat models
#
# ### What you will be able to do
#
# * place any attack on nine axes, and see what a claim of robustness leaves out,
# * decide whether an attack has succeeded, and measure how large it is, in four ways,
# * name attacks that no norm describes, and “attacks” that change what the picture *is*.
#
# **Time** about 100 minutes · **Before** notebook 01 · **Library** `advcourse.attacks`, `advcourse.evaluate`

# %% [markdown]
# ### Threat-model card
#
# | | in this notebook |
# |---|---|
# | What does the attacker want? | it varies: any wrong class, one class, a false alarm, a miss |
# | What does the attacker know? | it varies: the weights, a similar network, scores, or labels alone |
# | What may be changed? | it varies: a ball in one of four norms, a few pixels, the angle, a corner |
# | When? | always after training |
# | What counts as success? | the subject of the first exercise |

# %% tags=["parameters"]
PROFILE = "quick"   # "full": ten times as many images (a GPU helps)
DATASET = "auto"    # MNIST where it can be had, else letters drawn from fonts
SEED = 0
DEVICE = "auto"
STUDENT = ""        # your name or number: it shuffles the answers of questions

# %% tags=["setup"]
import math

import torch
from torch.nn import functional as F

from advcourse import attacks, plots, widgets
from advcourse.attacks import bim, fgsm, fmn, hop_skip_jump, patch, pgd, spatial, square, towards_image, universal
from advcourse.attacks.cards import Table
from advcourse.attacks.patches import apply_patch
from advcourse.evaluate import accuracy, predict
from advcourse.exercises import answer, check, hint, progress, question
from advcourse.notebook import claim, compare_guess, record, start

course = start("02", profile=PROFILE, dataset=DATASET, seed=SEED,
               device_name=DEVICE, student=STUDENT)

# %% [markdown]
# ## A question
#
# Here is one network. Is it robust? We keep the test images that it reads right, and let five attackers at them.

# %%
classes = course.data.classes
cnn = course.model("cnn")
x, y = course.test_images(200 if course.quick else 2000)
right = predict(cnn, x).argmax(1) == y
x, y = x[right], y[right]
side = x.shape[-1]

# %%
def tossed(images, eps):
    """The images with every pixel pushed up or down by eps at the toss of a coin, inside [0, 1]."""
    coins = torch.rand(images.shape, generator=course.generator(), device=images.device)
    return (images + eps * (2 * (coins < 0.5) - 1)).clamp(0, 1)

corner = torch.zeros(x.shape[-2:], device=x.device)
corner[-side // 3:, :side // 3] = 1
sticker = patch(cnn, x, y, mask=corner, steps=60, generator=course.generator())

# %%
attackers = {
    "nobody": x,
    "coins, ε = 0.1": tossed(x, 0.1),
    "one step, ε = 0.1": fgsm(cnn, x, y, eps=0.1),
    "40 steps, ε = 0.1": pgd(cnn, x, y, eps=0.1, generator=course.generator()),
    "one sticker": apply_patch(x, sticker, corner),
    "turn and shift": spatial(cnn, x, y, angles=9, shifts=3),
}
left = {name: accuracy(cnn, images, y) for name, images in attackers.items()}
titles = [f"{name}\n{share:.0%} right" for name, share in left.items()]
firsts = torch.cat([images[:1] for images in attackers.values()])
plots.show(plots.images([firsts], [titles]), "One network, five attackers",
           alt="One test image, untouched and as each of five attackers leaves it, and the network's accuracy: "
               + ", ".join(f"{name} {share:.0%}" for name, share in left.items()) + ".")

# %%
claim("Between the kindest and the harshest of these attackers its accuracy falls by {value:.0%}.",
      max(left.values()) - min(left.values()), 0.9, 1)

# %% [markdown]
# So “is it robust?” has no answer. *Against whom?* has one. A **threat model** says who: what the attacker wants, knows and may do.
# A number without it cannot be checked, and cannot be compared with another.

# %% [markdown]
# ## Nine axes
#
# The lectures sort attacks along nine axes, much as surveys do (Yuan et al., 2019). The library holds a card for each of its attacks.
# Pick one, and see where it stands and what it does. You will understand each row by the end: come back after every section.

# %%
widgets.attack_cards(cnn, x[:20], y[:20], classes, live=course.live)

# %% [markdown]
# The cards can be filtered like a table. Which attacks want answers only, no gradients?

# %%
attacks.table("name", "measurement", "specificity", "paper", knowledge="black box: labels")

# %% [markdown]
# ## When has an attack succeeded?
#
# Take an image $x$ of class $y$ that the model reads right, $\hat y = f(x) = y$, and a changed image $x_p = x + p$ whose
# distance is limited, $d(x, x_p) \le \varepsilon$. With $\hat y_p = f(x_p)$, the attack has succeeded when
#
# $$\hat y_p \ne \hat y \quad\text{(non-targeted)} \qquad\text{or}\qquad \hat y_p = y_\text{target} \quad\text{(targeted)}.$$

# %% [markdown]
# **Exercise 02.1.** Write it down for a batch. Every condition counts: reports have been wrong by leaving one out.

# %%
def succeeds(model, x, x_p, y, eps, target=None):
    """For every image: is x_p an adversarial example of x?

    model: from images (N, C, H, W) to logits (N, K); x, x_p: the images before and after;
    y: the true labels, shape (N,); eps: the largest allowed change of a pixel;
    target: the class number to be reached, or None where any wrong class will do.
    Returns a tensor of True and False, shape (N,).
    """
    ### BEGIN SOLUTION
    before, after = model(x).argmax(1), model(x_p).argmax(1)
    near = (x_p - x).abs().flatten(1).amax(1) <= eps
    reached = after != y if target is None else after == target
    return (before == y) & near & reached
    ### END SOLUTION

succeeds = check("02.1", succeeds)

# %% [markdown]
# ## Axis 1: where does it start?
#
# **Non-random input**: an example from the data. **Random input**: numbers from a distribution. Below, four starts are driven
# towards one class by the same attack. People can say what the last one shows, and nothing about the others.

# %%
target = (y[:1] + 1) % len(classes)
shape = (1, *x.shape[1:])
random = course.generator()
starts = torch.cat([
    torch.full(shape, 0.5, device=x.device),
    torch.rand(shape, generator=random, device=x.device),
    (0.5 + 0.2 * torch.randn(shape, generator=random, device=x.device)).clamp(0, 1),
    x[:1],
])
ends = bim(cnn, starts, target.expand(4), eps=0.25, steps=40, targeted=True)

# %%
def reading(model, images):
    """What the model reads in each image, and how sure it is."""
    sure, label = predict(model, images).softmax(1).max(1)
    return [f"{classes[k]} ({p:.0%})" for k, p in zip(label, sure)]

names = ["grey", "uniform noise", "Gaussian noise", "a test image"]
plots.show(plots.images([starts, ends], [names, reading(cnn, ends)], ["start", "end"]),
           f"Four starts, one goal: {classes[target.item()]}",
           alt="Grey, uniform noise, Gaussian noise and a test image, and below each the same after the attack. "
               "The network now reads: " + ", ".join(reading(cnn, ends)) + ". To people only the last shows anything, "
               "and still what it showed before.")

# %% [markdown]
# On the library's cards the word means a bit more: “random” stands where an attack draws numbers at all, for its start or on its way.
# Such an attack gives another picture with another seed, so say how often you ran it.

# %% [markdown]
# ## Axis 2: how often does it look?
#
# **One-time** attacks use the gradient once. **Iterative** ones move a little and look again. The ball is the same; what differs is
# how well they find the worst point in it.

# %%
steps = [1, 2, 3, 5, 10]
lines = {}
for eps in (0.05, 0.1):
    results = [fgsm(cnn, x, y, eps=eps)] + [bim(cnn, x, y, eps=eps, steps=n) for n in steps[1:]]
    lines[f"ε = {eps}"] = [succeeds(cnn, x, x_p, y, eps + 1e-6).float().mean().item() for x_p in results]

# %%
small = plots.grid(1, 1, width=4.6, height=2.3)[1][0, 0]
plots.show(plots.curves(steps, lines, "steps", "share of images fooled", small, ylim=(0, 1.02)),
           "The same ball, more looks",
           alt="Share of images fooled against the number of steps, from 1 to 10, for two sizes of the ball. Both curves "
               "rise from one step to a few, and then get flat.")
claim("At ε = 0.05 ten steps fool {value:.0%} more of the images than one step does.",
      lines["ε = 0.05"][-1] - lines["ε = 0.05"][0], 0.02, 0.3)

# %% [markdown]
# What was measured with one step is therefore a *lower bound* on what the ball allows. A defence that stops one step may not have
# closed anything (notebook 10).

# %% [markdown]
# ## Axis 3: any wrong class, or one?
#
# A **non-targeted** attack may take the shortest way out. A **targeted** one has a goal, and some goals are far. Below, one image is
# changed as little as possible, in Euclidean length, to be read as each class in turn.

# %%
few = 12
goals = torch.arange(len(classes), device=x.device).repeat(few)
copies = x[:few].repeat_interleave(len(classes), 0)
reached = fmn(cnn, copies, goals, norm="l2", steps=60, targeted=True)
length = (reached - copies).flatten(1).norm(dim=1).view(few, -1)
length[predict(cnn, reached).argmax(1).view(few, -1) != goals.view(few, -1)] = math.inf  # never got there

# %%
titles = [f"as {name}: {d:.1f}" for name, d in zip(classes, length[0])]
plots.show(plots.images([reached[:5], reached[5:10]], [titles[:5], titles[5:10]]),
           f"The nearest image that is read as …, from {classes[y[0]]}",
           alt="One image changed just so much that the network reads it as each of the classes, with the Euclidean length "
               "of the change: " + ", ".join(titles[:10]) + ". People read the first class in nearly all of them.")
wrong = length.masked_fill(F.one_hot(y[:few], len(classes)).bool(), math.inf)
ratio = (wrong.sort(1).values[:, len(classes) // 2 - 1] / wrong.amin(1)).median()
claim("A class in the middle of the list is {value:.1f} times as far as the nearest wrong one.", ratio, 1.2, 3)

# %% [markdown]
# ## Axis 4: one image, or all?
#
# An **individual** perturbation is made for one image. A **universal** one is made once, and added to whatever comes
# (Moosavi-Dezfooli et al., 2017). It is made on training images below, and tried on test images.
#
# **Predict before you run.** Let ε be a fifth of the way from black to white. On how many percent of images that it was not made
# on does the one perturbation fool the network? And the same number of tossed coins?

# %%
### BEGIN SOLUTION
my_guess = 40
my_guess_for_coins = 5
### END SOLUTION

# %%
count = 500 if course.quick else 5000
one = universal(cnn, course.data.x_train[:count].to(course.device), eps=0.2, steps=8, generator=course.generator())
for_each = pgd(cnn, x, y, eps=0.2, steps=10, generator=course.generator())
for_all = (x + one).clamp(0, 1)
by_one = 1 - accuracy(cnn, for_all, y)
by_coins = 1 - accuracy(cnn, tossed(x, 0.2), y)

# %% tags=["tells"]
compare_guess(my_guess, 100 * by_one)
compare_guess(my_guess_for_coins, 100 * by_coins)
claim("One perturbation for all fools the network on {value:.0%} of images that it was not made on.", by_one, 0.2, 0.97)

# %%
hit = (predict(cnn, for_all).argmax(1) != y).nonzero()[:4, 0]
rows = [for_each[hit] - x[hit], for_each[hit], one.expand(len(hit), *one.shape), for_all[hit]]
blank = [""] * len(hit)

# %% tags=["tells"]
plots.show(plots.images(rows, [blank, reading(cnn, for_each[hit]), blank, reading(cnn, for_all[hit])],
                        ["made for each", "and added", "made for all", "and added"], signed=[0, 2]),
           "Four perturbations, or one four times",
           alt="Four images under perturbations of their own, which all look different, and under one perturbation that is "
               "the same for all. The network errs on every one of them.")

# %% [markdown]
# Made once, it costs the attacker nothing per image, and can be printed.
# Notebook 06 is about that.

# %% [markdown]
# ## Axis 5: how is the change measured?
#
# The family of rulers is $\lVert\delta\rVert_p = \bigl(\sum_i |\delta_i|^p\bigr)^{1/p}$. For $p = 1$ it adds up the changes, for $p = 2$ it is
# Euclidean length. In the limit $p \to \infty$ the largest change is left, and for $p \to 0$, without the root, the *number* of entries that change at all.

# %% [markdown]
# **Exercise 02.2.** Write all four in one function.

# %%
def size(delta, p):
    """The ℓp size of every perturbation in a batch; for p = 0, how many entries change.

    delta: perturbations, shape (N, C, H, W) or (N, n); p: 0, 1, 2 or math.inf.
    Returns a tensor of shape (N,).
    """
    ### BEGIN SOLUTION
    flat = delta.flatten(1).abs()
    if p == 0:
        return (flat > 0).sum(1).to(delta.dtype)
    if p == math.inf:
        return flat.amax(1)
    return (flat ** p).sum(1) ** (1 / p)
    ### END SOLUTION

size = check("02.2", size)

# %% [markdown]
# The **unit ball** of a ruler holds every δ of size at most one. With two pixels it can be drawn, with your function:

# %%
rulers = {"ℓ0": 0, "ℓ1": 1, "ℓ2": 2, "ℓ∞": math.inf}
line = torch.arange(-30, 31) / 20
plane = torch.cartesian_prod(line, line)
figure, axes = plots.grid(1, 4, width=1.9, height=2.1)
for panel, (name, p) in zip(axes[0], rulers.items()):
    inside = (size(plane, p) <= 1).view(61, 61).T
    panel.imshow(inside, cmap="Blues", vmax=1.3, extent=(-1.5, 1.5, -1.5, 1.5), interpolation="nearest")
    panel.set(title=f"{name} at most 1", xlabel="change of pixel 1", xticks=(-1, 0, 1), yticks=(-1, 0, 1))
axes[0, 0].set_ylabel("change of pixel 2")
plots.show(figure, "Four unit balls", on="two pixels",
           alt="The unit balls of four rulers in the plane. l0: only the two axes, without end. l1: a square on its corner. "
               "l2: a disc. l-infinity: a square on its side.")

# %% [markdown]
# The first is no ball at all: it has no inside, and it never ends. A **norm** must obey three laws: only zero has size zero, two sides of a
# triangle are not shorter than the third, and $\lVert a\,\delta\rVert = |a|\,\lVert\delta\rVert$. The last is called homogeneity. Test it.

# %%
delta = fgsm(cnn, x[:50], y[:50], eps=0.1) - x[:50]
scales = [0, 0.001, 0.25, 0.5, 1, 1.5, 2]
grown = {name: [(size(a * delta, p) / size(delta, p)).mean().item() for a in scales] for name, p in rulers.items()}
small = plots.grid(1, 1, width=4.6, height=2.1)[1][0, 0]
shown = {"ℓ0": grown["ℓ0"], "ℓ1, ℓ2 and ℓ∞": grown["ℓ2"]}
plots.show(plots.curves(scales, shown, "a", "size of a·δ / size of δ", small), "A perturbation, scaled",
           alt="Size of a scaled perturbation over its size before. l1, l2 and l-infinity share a straight line through the "
               "origin. l0 is zero at zero and one everywhere else.")

# %% [markdown]
# ℓ0 counts. Doubling a change does not double the count: $\lVert 2\delta\rVert_0 = \lVert\delta\rVert_0$, so homogeneity fails. People still say “ℓ0 norm”,
# and so do papers; it is a useful ruler all the same. The others hang together: $\lVert\delta\rVert_\infty \le \lVert\delta\rVert_2 \le \lVert\delta\rVert_1 \le n\,\lVert\delta\rVert_\infty$.

# %% [markdown]
# ### The same length, four looks
#
# To compare, we need perturbations of exactly equal size. **Exercise 02.3**: bring any image into the *Euclidean* ball.
# (In notebook 01 you did it for ℓ∞, by clipping. Here clipping is not the nearest point.)

# %%
def onto_ball(x_p, x, eps):
    """The point nearest to x_p whose Euclidean distance from x is at most eps.

    x_p, x: tensors of shape (N, C, H, W); eps: a number. Every image has its own
    distance. Returns a tensor of that shape. (Leave [0, 1] aside here.)
    """
    ### BEGIN SOLUTION
    delta = x_p - x
    length = delta.flatten(1).norm(dim=1).clamp_min(1e-12)
    return x + delta * (eps / length).clamp(max=1).view(-1, 1, 1, 1)
    ### END SOLUTION

onto_ball = check("02.3", onto_ball)

# %%
room = torch.where(x < 0.5, 1 - x, -x)  # the way to the other end of the grey scale
block = torch.zeros_like(x)
block[..., :3, :3] = 1
tenth = (torch.rand(x.shape, generator=course.generator(), device=x.device) < 0.1).to(x.dtype)
same = {
    "nine pixels": onto_ball(x + room * block, x, 2),
    "one pixel in ten": onto_ball(x + room * tenth, x, 2),
    "every pixel": onto_ball(x + room.sign(), x, 2),
    "up the loss": pgd(cnn, x, y, eps=2, norm="l2", steps=20, generator=course.generator()),
}

# %%
def sizes(delta):
    """The four sizes of one perturbation, in two lines."""
    of = {name: size(delta[None], p).item() for name, p in rulers.items()}
    return f"ℓ0 {of['ℓ0']:.0f}, ℓ1 {of['ℓ1']:.1f}\nℓ2 {of['ℓ2']:.2f}, ℓ∞ {of['ℓ∞']:.2f}"

def show_looks(batches, names, title, alt):
    """The first image of every batch, and below it what was added to it, with its four sizes."""
    firsts = torch.cat([images[:1] for images in batches])
    added = firsts - x[:1]
    plots.show(plots.images([firsts, added], [names, [sizes(delta) for delta in added]], signed=[1]), title, alt)

# %%
error = {name: 1 - accuracy(cnn, images, y) for name, images in same.items()}
show_looks(same.values(), [f"{name}:\n{e:.0%} fooled" for name, e in error.items()], "One Euclidean length",
           alt="One image under four perturbations of Euclidean length 2, and the perturbations. Share of images fooled: "
               + ", ".join(f"{name} {e:.0%}" for name, e in error.items()) + ".")

claim("Up the loss, this length fools the network on {value:.0%} of the images.", error["up the loss"], 0.9, 1)

# %% [markdown]
# ### The attack follows the ruler
#
# Which ruler the threat model names decides what an attack looks like. Here one attack (FMN, notebook 04) looks for the smallest change that fools, by each
# ruler in turn. The table has the medians over the images.

# %%
part = slice(0, 40 if course.quick else 400)
smallest = {name: fmn(cnn, x[part], y[part], norm=norm) for name, norm in zip(rulers, ("l0", "l1", "l2", "linf"))}
medians = {made: {name: size(x_p - x[part], p).median().item() for name, p in rulers.items()}
           for made, x_p in smallest.items()}
record("smallest changes", medians)
Table({"made small in": made} | {f"measured in {name}": f"{value:.3g}" for name, value in row.items()}
      for made, row in medians.items())

# %%
show_looks(smallest.values(), [f"small in {name}" for name in rulers], "The smallest change that fools, by four rulers",
           alt="One image under four attacks and the four perturbations. l0: a few pixels changed fully. l1: some more. "
               "l2: a blurred pattern. l-infinity: every pixel a little.")
claim("Made small in ℓ2, the change touches {value:.0f} times as many pixels as made small in ℓ0.",
      medians["ℓ2"]["ℓ0"] / medians["ℓ0"]["ℓ0"], 30, 200)

# %% [markdown]
# Each row wins its own column. A defence that is trained for one of the rows says little about the others (Tramèr and Boneh, 2019).

# %% [markdown]
# ## Axis 6: must the result look like something?
#
# **Non-realistic** output: anything that fools will do, such as the noise of axis 1. **Realistic** output: close to a real example. Both start
# from the same grey image below, and both end in the class that we ask for.

# %%
pictures, wanted_class = x[:4], (y[:4] + 1) % len(classes)
grey = torch.full_like(pictures, 0.5)
anything = bim(cnn, grey, wanted_class, eps=0.25, steps=40, targeted=True)
close = towards_image(cnn, grey, wanted_class, image=pictures)

# %%
rows = [anything, close, pictures]
plots.show(plots.images(rows, [reading(cnn, row) for row in rows], ["non-realistic", "realistic", "the example"]),
           "Two kinds of output, the same reading",
           alt="Three rows of four images: grey patterns, images that look like the examples below them, and the examples. "
               "The network reads the same wrong classes in the first and the second row.")
apart = size(close - pictures, 2).median() / size(anything - pictures, 2).median()
claim("The realistic ones are at {value:.0%} of the distance that the others have from the example.", apart, 0.02, 0.3)

# %% [markdown]
# The second row stops as soon as the class is reached, so the network is less sure there. A guard who looks at the camera's picture
# stops the first row, and not the second. Where nobody looks, the first is enough.
# In newer papers “realistic” has a second meaning, a thing that one can print, wear or say; the cards use it so, too.

# %% [markdown]
# ## Axis 7: which error?
#
# A detector answers yes or no, so it can be wrong in two ways. **Type 1**: a negative is called positive, a false alarm. **Type 2**: a positive is called
# negative, a miss. Richard Dawkins puts animals before the same choice: to overlook a pattern that is there, or to see one that is not, which
# he calls superstition.
#
# **Exercise 02.4.** Both rates.

# %%
def error_rates(said, truth):
    """The rates of type 1 and type 2 errors, as a tuple of two numbers in [0, 1].

    said, truth: tensors of True (positive) and False (negative), shape (N,): the
    detector's answers, and what is so.
    """
    ### BEGIN SOLUTION
    type_1 = (said & ~truth).sum() / (~truth).sum()
    type_2 = (~said & truth).sum() / truth.sum()
    return type_1.item(), type_2.item()
    ### END SOLUTION

error_rates = check("02.4", error_rates)

# %% [markdown]
# We make a detector of the network: “is it a member of this one class?” Then we attack it in both directions, with the step in every pixel
# limited as before.

# %%
kind = min(3, len(classes) - 1)

def detector(images):
    """Two logits per image: it belongs to another class, it belongs to ours."""
    logits = cnn(images)
    others = torch.cat([logits[:, :kind], logits[:, kind + 1:]], 1).logsumexp(1)
    return torch.stack([others, logits[:, kind]], 1)

truth = y == kind
epsilons = [0, 0.025, 0.05, 0.1, 0.15, 0.2]
attacked = [bim(detector, x, truth.long(), eps=eps) for eps in epsilons]
rates = [error_rates(predict(detector, x_p).argmax(1) == 1, truth) for x_p in attacked]
coin_rates = [error_rates(predict(detector, tossed(x, eps)).argmax(1) == 1, truth) for eps in epsilons]

# %%
lines = {"type 1, attacked": [a for a, b in rates], "type 2, attacked": [b for a, b in rates],
         "type 1, coins": [a for a, b in coin_rates], "type 2, coins": [b for a, b in coin_rates]}
plots.show(plots.curves(epsilons, lines, "ε, the largest change of a pixel", "rate of errors", ylim=(-0.02, 1.02)),
           f"Is it a {classes[kind]}? False alarms and misses",
           alt="Rates of both errors against ε, under attack and under tossed coins. Under attack both rise towards one, "
               "the misses first; under coins both stay lower.")

# %%
x_p, said = attacked[3], predict(detector, attacked[3]).argmax(1) == 1
alarms, misses = (said & ~truth).nonzero()[:4, 0], (~said & truth).nonzero()[:4, 0]
plots.show(plots.images([x_p[alarms], x_p[misses]], row_names=["type 1", "type 2"]),
           f"Is it a {classes[kind]}? Upper row: yes. Lower row: no",
           alt="Upper row: images of other classes in which the detector sees its class. Lower row: images of its class in "
               "which it does not.")
claim("At ε = 0.1 the attacked detector misses {value:.0%} of its own class.", rates[3][1], 0.4, 1)
claim("It raises a false alarm for {value:.0%} of the others.", rates[3][0], 0.15, 0.8)

# %% [markdown]
# The two rates differ, because to leave one class is easier than to reach one: a miss is non-targeted for the ten-class network
# behind the detector, a false alarm is targeted. Noise that a network is sure of, as in notebook 01, is a type 1 error (Nguyen et al., 2015).
# Which of the two hurts depends on the job: say so, and report both.

# %% [markdown]
# ## Axis 8: what does the attacker know?
#
# * **White box**: all of it, weights and gradients.
# * **Grey box**: something in between. Here: the task and the training data, so that a network can be trained at home and attacked in its place.
# * **Black box**: answers to questions only. The lectures mean the label alone; papers since count services that give scores as well.

# %%
x_few, y_few = x[:60 if course.quick else 300], y[:60 if course.quick else 300]
home = course.model("mlp")
budget = 0.15
knows = {
    "nothing: coins": tossed(x_few, budget),
    "a similar network": pgd(home, x_few, y_few, eps=budget, steps=20, generator=course.generator()),
    "labels, 600 questions": hop_skip_jump(cnn, x_few, y_few, norm="linf", queries=600, generator=course.generator()),
    "scores, 300 questions": square(cnn, x_few, y_few, eps=budget, queries=300, generator=course.generator()),
    "the weights, 20 steps": pgd(cnn, x_few, y_few, eps=budget, steps=20, generator=course.generator()),
}
found = {name: succeeds(cnn, x_few, x_p, y_few, budget + 1e-6).float().mean().item() for name, x_p in knows.items()}

# %%
figure, axes = plots.grid(1, 1, width=6.5, height=2.3)
bars = axes[0, 0].barh(list(found), list(found.values()), color=plots.COLOURS[0])
axes[0, 0].bar_label(bars, [f"{share:.0%}" for share in found.values()], padding=3, fontsize=8)
axes[0, 0].set(xlabel=f"share of images fooled within ε = {budget}", xlim=(0, 1.1))
axes[0, 0].spines[["top", "right"]].set_visible(False)
plots.show(figure, "What knowing is worth",
           alt="Bars of the share of images fooled by what the attacker knows: "
               + ", ".join(f"{name} {share:.0%}" for name, share in found.items()) + ".")
record("fooled by knowledge", found)

# %%
claim("Three hundred questions answered by scores fool {value:.0%} of what the weights fool.",
      found["scores, 300 questions"] / found["the weights, 20 steps"], 0.8, 1)

# %% [markdown]
# Scores are worth nearly as much as the weights. Keeping a model secret is no defence to rely on, as cryptographers have said since
# Kerckhoffs (1883): assume that the enemy knows the system. And state the number of questions, for it is part of the threat model.

# %% [markdown]
# ## Axis 9: the method
#
# Last, *how* the worst point is sought. The same ball, the same goal, three methods: draw at random and keep the best, change one square at a time, follow the gradient.

# %%
def keep_best(images, labels, eps, draws):
    """Random search: of `draws` tosses of coins, the one with the highest loss, image by image."""
    random, best, highest = course.generator(), images, images.new_full((len(images),), -math.inf)
    for _ in range(draws):
        coins = torch.randint(0, 2, images.shape, generator=random, device=images.device) * 2 - 1
        tried = (images + eps * coins).clamp(0, 1)
        loss = F.cross_entropy(predict(cnn, tried), labels, reduction="none")
        best = torch.where((loss > highest).view(-1, 1, 1, 1), tried, best)
        highest = torch.maximum(loss, highest)
    return best

# %%
looks = [1, 3, 10, 30, 100]
methods = {
    "draw and keep": lambda n: keep_best(x_few, y_few, budget, n),
    "squares": lambda n: square(cnn, x_few, y_few, eps=budget, queries=n, generator=course.generator()),
    "gradient": lambda n: bim(cnn, x_few, y_few, eps=budget, steps=n),
}
lines = {name: [1 - accuracy(cnn, method(n), y_few) for n in looks] for name, method in methods.items()}
small = plots.grid(1, 1, width=4.6, height=2.3)[1][0, 0]
plots.show(plots.curves(looks, lines, "passes through the network per image", "share of images fooled", small,
                        xscale="log", ylim=(-0.02, 1.02)), f"Three methods, ε = {budget}",
           alt="Share of images fooled against passes through the network, on a logarithmic axis, for three methods. The "
               "gradient is there after a few passes, squares after about a hundred, and drawing at random stays below.")

# %% [markdown]
# Notebooks 03 to 06 are about methods: gradients, optimisation, questions, and perturbations that can be printed. The axis matters because a
# *failed attack* says only that this method failed.

# %% [markdown]
# ## Beyond norms
#
# A turned image is the same to people. In Euclidean length it has moved far. Compare the turns of the beginning, those that fooled, with the
# nearest image of *another* class.

# %%
turned = attackers["turn and shift"]
went = predict(cnn, turned).argmax(1) != y
others, other_labels = course.data.x_train[:3000].to(x.device), course.data.y_train[:3000].to(x.device)
distance = torch.cdist(x.flatten(1), others.flatten(1))
distance[y[:, None] == other_labels] = math.inf
nearest = distance.argmin(1)
claim("The turn that fools is {value:.1f} times as long as the way to the nearest image of another class.",
      (size(turned - x, 2) / distance.amin(1))[went].median(), 1, 2.5)

# %% [markdown]
# So an ℓ2 ball that holds the turn holds other classes as well: no number ε describes “the same to people”. Turns have their own axes, degrees and pixels
# (Engstrom et al., 2019), stickers have a place (Brown et al., 2017). ℓp balls are a stand-in that is easy to compute with, no more.

# %% [markdown]
# ### When the picture really changes
#
# The opposite happens, too. Start from an image, take its nearest neighbour of another class, and go towards it as far as an ℓ∞ ball of ε = $0.4$ allows.
# All of these are *inside* a ball in which papers have promised that nothing changes.

# %%
goal = others[nearest]
invalid = torch.clamp(goal, x - 0.4, x + 0.4)
closest = (goal - invalid).flatten(1).square().sum(1).argsort()[:40]  # where the ball leaves least to be wished
shown = closest[:5]
new = other_labels[nearest]
titles = [[classes[k] for k in y[shown]], ["?"] * 5, [classes[k] for k in new[shown]]]
plots.show(plots.images([x[shown], invalid[shown], goal[shown]], titles, ["from", "inside the ball", "towards"]),
           "What do you read in the middle?",
           alt="Five images, images inside their ball of radius 0.4, and the neighbours of another class towards which they "
               "were moved. Many of the images in the middle are read as the lower class, or as neither.")
became = predict(cnn, invalid[closest]).argmax(1) == new[closest]
claim("In the 40 clearest cases the network reads {value:.0%} as the class below, as a person might.",
      became.float().mean(), 0.3, 1)

# %% [markdown]
# Such an image is **invalid** as an adversarial example: its class has changed, so a new answer is right. A network that is “robust” in this ball must repeat the
# old answer, and be wrong. Tramèr et al. (2020) break certified networks this way: they call it an *invariance-based* attack. The condition in exercise 02.1
# never asks whether $x_p$ still shows $y$: it trusts the ball to ensure it.

# %% [markdown]
# ## Real cases
#
# Four cases, four questions. Go through the nine axes for each before you answer.

# %%
question("02.5")

# %%
### BEGIN SOLUTION
choice = "c"
### END SOLUTION
answer("02.5", choice)

# %%
question("02.6")

# %%
### BEGIN SOLUTION
choice = "b"
### END SOLUTION
answer("02.6", choice)

# %%
question("02.7")

# %%
### BEGIN SOLUTION
choice = "c"
### END SOLUTION
answer("02.7", choice)

# %%
question("02.8")

# %%
### BEGIN SOLUTION
choice = "a"
### END SOLUTION
answer("02.8", choice)

# %% [markdown]
# ## What to remember
#
# * A model is not robust or fragile by itself, but against a threat model: goal, knowledge, and what may be changed.
# * Success has three conditions: right before, near enough, and the wanted answer after.
# * The ruler shapes the attack. ℓ0 counts and is no norm; the four balls hold very different images.
# * Misses and false alarms are different attacks, and the numbers differ.
# * Secrecy buys little: scores alone are nearly enough.
# * A ball is a stand-in for “looks the same”. It leaves out turns and stickers, and when it is large it lets other classes in.

# %%
progress()

# %% [markdown]
# ## Further reading
#
# * Yuan, He, Zhu, Li, *Adversarial examples: attacks and defenses for deep learning*, [arXiv:1712.07107](https://arxiv.org/abs/1712.07107): a survey along such axes.
# * Papernot et al., *The limitations of deep learning in adversarial settings*, [arXiv:1511.07528](https://arxiv.org/abs/1511.07528): goals and knowledge as a plane.
# * Carlini et al., *On evaluating adversarial robustness*, [arXiv:1902.06705](https://arxiv.org/abs/1902.06705): what a threat model has to say.
# * Vassilev et al., *Adversarial machine learning: a taxonomy*, [NIST AI 100-2](https://csrc.nist.gov/pubs/ai/100/2/e2025/final), and [MITRE ATLAS](https://atlas.mitre.org): the words that practitioners use today.
# * Sharif et al., [doi:10.1145/2976749.2978392](https://doi.org/10.1145/2976749.2978392); Eykholt et al., [arXiv:1707.08945](https://arxiv.org/abs/1707.08945);
#   Carlini and Wagner on speech, [arXiv:1801.01944](https://arxiv.org/abs/1801.01944); Lowd and Meek, *Good word attacks on statistical spam filters*, CEAS 2005: the real cases.
# * Nguyen, Yosinski, Clune, *Deep neural networks are easily fooled*, [arXiv:1412.1897](https://arxiv.org/abs/1412.1897): type 1 errors; Brown et al.,
#   *Adversarial patch*, [arXiv:1712.09665](https://arxiv.org/abs/1712.09665): a place instead of a norm.
# * Tramèr, Boneh, *Adversarial training and robustness for multiple perturbations*, [arXiv:1904.13000](https://arxiv.org/abs/1904.13000).
# * **Since corrected.** “Adversarial” once meant a small ℓp ball. Gilmer et al., *Motivating the rules of the game*, [arXiv:1807.06732](https://arxiv.org/abs/1807.06732), ask whom
#   such a ball describes; Engstrom et al., [arXiv:1712.02779](https://arxiv.org/abs/1712.02779), leave it by turning; Tramèr et al., [arXiv:2002.04599](https://arxiv.org/abs/2002.04599), show
#   that being *too* robust in it is a mistake as well.
