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
# # 03 · Gradient attacks
#
# ### What you will be able to do
#
# * write five attacks that follow the gradient: FGSM both ways, BIM, least-likely class, MIM and PGD,
# * choose their ε, step size and number of steps, and tell a strong attack from one that only looks strong,
# * say which of the claims made for fast gradients hold.
#
# **Time** about 100 minutes · **Before** notebook 01 · **Library** `advcourse.attacks`

# %% [markdown]
# ### Threat-model card
#
# | | in this notebook |
# |---|---|
# | What does the attacker want? | any wrong class, or one class in particular |
# | What does the attacker know? | everything: architecture and weights (*white box*); for transfer, those of another network |
# | What may be changed? | every pixel by at most ε (ℓ∞), or all together by at most ε (ℓ₂); grey values stay in [0, 1] |
# | When? | after training, one image at a time, in one step or many |
# | What counts as success? | the model's class is wrong, or is the target |

# %% tags=["parameters"]
PROFILE = "quick"   # "full": more images, and networks trained here (a GPU helps)
DATASET = "auto"    # MNIST where it can be had, else letters drawn from fonts; in "full" also try "cifar10"
SEED = 0
DEVICE = "auto"
STUDENT = ""        # your name or number: it shuffles the answers of questions

# %% tags=["setup"]
import copy

import torch
from torch.nn import functional as F

from advcourse import plots, training, widgets
from advcourse.attacks import fgsm, pgd
from advcourse.evaluate import accuracy, predict
from advcourse.exercises import answer, check, hint, progress, question
from advcourse.notebook import claim, compare_guess, record, start

course = start("03", profile=PROFILE, dataset=DATASET, seed=SEED,
               device_name=DEVICE, student=STUDENT)

# %% [markdown]
# ## A question
#
# Two attackers have the same network, the same images and the same ε. Both follow the gradient of the loss. The first fails on all of
# these images, the second succeeds on all of them. What does the second do that the first does not?

# %%
x, y = course.test_images(200 if course.quick else 2000)
classes, cnn = course.data.classes, course.model("cnn")
unit = 1.0 if x.shape[1] == 1 else 0.1   # photographs need a tenth of the ε of strokes on a plain ground
eps = 0.1 * unit
one, many = fgsm(cnn, x, y, eps=eps), pgd(cnn, x, y, eps=eps, steps=10, generator=course.generator())

# %%
def read(images):
    """The names of the classes that the network sees."""
    return [classes[label] for label in cnn(images).argmax(1)]

differ = ((cnn(one).argmax(1) == y) & (cnn(many).argmax(1) != y)).nonzero()[:7, 0]
rows = [images[differ] for images in (x, one, many)]
plots.show(plots.images(rows, [read(row) for row in rows], ["original", "first", "second"]),
           "The same ε, two attackers",
           alt="Three rows of images: originals, and the images of two attackers. People read all rows alike. "
               "The network reads the first two rows right and every image of the third row wrong.")

# %% [markdown]
# The first takes one large step. The second takes small ones, and looks at the gradient again after each. This notebook
# is about what lies between these two rows.

# %% [markdown]
# ## The compass
#
# All attacks of this notebook use one thing: the gradient of the loss *with respect to the image*. You wrote this in exercise 01.3. One thing is
# new, the double precision of the loss; the last section shows what it is for.

# %%
def loss_gradient(model, x, y):
    """The gradient of the cross-entropy loss with respect to every image: a tensor of the shape of x."""
    x = x.clone().requires_grad_()
    return torch.autograd.grad(F.cross_entropy(model(x).double(), y, reduction="sum"), x)[0]

# %% [markdown]
# Walk from each image along the sign of its gradient, and, for comparison, *across* it: tossed signs, half of which agree with the gradient
# and half of which do not. Both change every pixel by the same amount.

# %%
sign = loss_gradient(cnn, x, y).sign()
coins = torch.randint(0, 2, x.shape, generator=course.generator(), device=x.device) * 2 - 1
reaches = [0.25 * eps * k for k in range(-8, 13)]

def mean_loss(direction):
    return [F.cross_entropy(predict(cnn, (x + reach * direction).clamp(0, 1)), y).item() for reach in reaches]

slopes = {"along the gradient's sign": mean_loss(sign), "across: tossed signs": mean_loss(coins)}

# %%
plots.show(plots.curves(reaches, slopes, "step, in grey values per pixel", "mean loss"),
           "The loss along and across the gradient",
           alt="Mean loss against the length of the step, from minus two to plus three ε. Along the gradient's sign the loss "
               "is near zero on the left and rises steeply on the right; across it changes far less.")
rise = [values[12] - values[8] for values in slopes.values()]
claim("One step of our ε along the gradient's sign adds {value:.1f} to the mean loss.", rise[0], 1, 25)
claim("One step of the same size across it adds {value:.2f}.", rise[1], -0.05, 0.8)

# %% [markdown]
# There are as many directions across as there are pixels, less one. Nearly all of them are harmless.
#
# ## One step, both ways
#
# *Up* the loss of the true class leads to any other class: $x^{adv} = x + \varepsilon\,\mathrm{sign}\,\nabla_x J(x, y_{true})$.
# *Down* the loss of a target class leads to the target: $x^{adv} = x - \varepsilon\,\mathrm{sign}\,\nabla_x J(x, y_{target})$.

# %% [markdown]
# **Exercise 03.1.** Write both.

# %%
def fgsm_step(model, x, y, eps, targeted):
    """The fast gradient sign method: one step of size eps, then back into [0, 1].

    model: from images (N, C, H, W) in [0, 1] to logits (N, K).
    x: such images; y: labels, shape (N,).
    targeted: False: y are the true classes, to get away from;
        True: y are the classes to reach.
    Returns images like x.
    """
    ### BEGIN SOLUTION
    step = eps * loss_gradient(model, x, y).sign()
    return (x - step if targeted else x + step).clamp(0, 1)
    ### END SOLUTION

fgsm_step = check("03.1", fgsm_step)

# %% [markdown]
# **Predict before you run.** Draw a wrong class for every image and take one step towards it, with two and a half times our ε. Without a target
# this step fools the network nearly always. On how many percent of the images does it reach the class that was drawn?

# %%
### BEGIN SOLUTION
my_guess = 40
### END SOLUTION

# %%
drawn = torch.randint(1, len(classes), y.shape, generator=course.generator(), device=y.device)
target = (y + drawn) % len(classes)
reached = accuracy(cnn, fgsm_step(cnn, x, target, 2.5 * eps, True), target)
wrong = 1 - accuracy(cnn, fgsm_step(cnn, x, y, 2.5 * eps, False), y)

# %% tags=["tells"]
compare_guess(my_guess, 100 * reached)
claim("One step away from the truth makes the network err on {value:.0%} of the images.", wrong, 0.9, 1)
claim("One step towards a drawn class reaches it on {value:.0%}.", reached, 0.1, 0.8)

# %% [markdown]
# <details><summary>After your guess: what this shows</summary>
#
# To leave a class is easy, to reach a given one is not. A single straight step is not precise enough: the direction that was right
# at the start is wrong a little later.
#
# </details>

# %% [markdown]
# ## Many small steps
#
# So look again. The *basic iterative method*, also called I-FGSM (Kurakin et al., 2016), takes steps of size α and comes back into the ball after each:
#
# $$x_0 = x, \qquad x_{n+1} = \mathrm{Clip}_{x,\varepsilon}\{x_n + \alpha\,\mathrm{sign}\,\nabla_x J(x_n, y)\}.$$
#
# $\mathrm{Clip}_{x,\varepsilon}$ is what you wrote in exercise 01.1: within ε of the clean $x$, pixel by pixel, and within [0, 1].

# %% [markdown]
# **Exercise 03.2.** Write one step. Mind which image belongs where.

# %%
def bim_step(model, x_adv, x, y, eps, step_size, targeted):
    """One step of the basic iterative method, from x_adv to the next iterate.

    x_adv: where the walk is now; x: the clean images, the centres of the balls;
        both (N, C, H, W) in [0, 1].
    y, targeted: as for fgsm_step.
    eps: how far from x a pixel may end up; step_size: how far it goes from x_adv.
    Returns images like x.
    """
    ### BEGIN SOLUTION
    step = step_size * loss_gradient(model, x_adv, y).sign()
    moved = x_adv - step if targeted else x_adv + step
    return torch.clamp(moved, x - eps, x + eps).clamp(0, 1)
    ### END SOLUTION

bim_step = check("03.2", bim_step)

# %% [markdown]
# The rest is a loop. We keep all iterates, so that we can look at the walk later. The step size is $2.5\,\varepsilon$ divided by the number of steps,
# so that a walk can cross the ball and turn round.

# %%
def walk(model, x, y, eps, step_size, steps, start=None, targeted=False):
    """All iterates of a walk, shape (steps + 1, N, C, H, W); it starts at x unless told otherwise."""
    path = [x if start is None else start]
    for _ in range(steps):
        path.append(bim_step(model, path[-1], x, y, eps, step_size, targeted))
    return torch.stack(path)

def bim(model, x, y, eps, steps=10, targeted=False):
    """The last iterate of the basic iterative method."""
    return walk(model, x, y, eps, 2.5 * eps / steps, steps, targeted=targeted)[-1]

# %%
by_one, by_ten = fgsm_step(cnn, x, y, eps, False), bim(cnn, x, y, eps)
left_by_one, left_by_ten = accuracy(cnn, by_one, y), accuracy(cnn, by_ten, y)
claim("One step leaves the network right {value:.1f} times as often as ten steps within the same ε.",
      left_by_one / max(left_by_ten, 1 / len(x)), 1.1, 10)
claim("Ten steps reach the drawn class on {value:.0%} of the images.",
      accuracy(cnn, bim(cnn, x, target, 2.5 * eps, targeted=True), target), 0.6, 1)

# %% [markdown]
# ## Move it yourself
#
# The loss seen from above, on the plane that holds the image (at the origin), the end of one large step (the cross) and the end of the walk.
# On the dashed line the class changes. Move the step size: when does the walk fail to arrive, and when does it jump about?

# %%
stubborn = (cnn(by_one).argmax(1) == y) & (cnn(by_ten).argmax(1) != y)
order = stubborn.long().argsort(descending=True, stable=True)[:20]   # first the images that one step cannot fool

def walk_picture(index, steps, share):
    i = order[index]
    path = walk(cnn, x[i : i + 1], y[i : i + 1], eps, share * eps, steps)[:, 0]
    figure, alt = widgets.walk_figure(cnn, path, y[i].item(), eps, classes)
    return figure, f"{steps} steps of {share:.2f} ε", f"{steps} steps of {share:.2f} ε. {alt}"

controls = {"index": widgets.slider("image", 0, len(order) - 1, 0), "steps": widgets.slider("steps", 1, 30, 10),
            "share": widgets.slider("α / ε", 0.05, 2.0, 0.25, step=0.05)}
widgets.explore(walk_picture, controls, static=[{}, {"share": 2.0}], live=course.live)

# %% [markdown]
# ## The hardest target
#
# A network that takes one breed of dog for another has made an interesting mistake only for dogs. Kurakin et al. (2016) wanted
# worse ones: the target is the class that the model thinks *least likely* for the clean image,
# $y_{target} = \mathrm{argmin}_k\, p(k \mid x)$.

# %% [markdown]
# **Exercise 03.3.** Find it.

# %%
def least_likely_class(model, x):
    """For each image the class that the model thinks least likely.

    model, x: as for fgsm_step. Returns labels, whole numbers of shape (N,).
    """
    ### BEGIN SOLUTION
    return model(x).argmin(1)
    ### END SOLUTION

least_likely_class = check("03.3", least_likely_class)

# %%
def least_likely(model, x, y, eps, steps=10):
    """BIM towards the class that is least likely for the clean x; it needs no labels."""
    return bim(model, x, least_likely_class(model, x), eps, steps, targeted=True)

hardest = least_likely_class(cnn, x)
claim("At two and a half times our ε the least likely class is reached on {value:.0%} of the images.",
      accuracy(cnn, least_likely(cnn, x, y, 2.5 * eps), hardest), 0.2, 1)

# %% [markdown]
# ## Momentum
#
# Steps that follow every bump of one network's loss may not mean much to another network. Dong et al. (2018) let the walk roll like a ball: a running
# sum of the gradients, each divided by its ℓ₁ norm so that none counts more than the others,
#
# $$g_{n+1} = \mu\, g_n + \frac{\nabla_x J(x_n, y)}{\lVert\nabla_x J(x_n, y)\rVert_1}, \qquad
#   x_{n+1} = \mathrm{Clip}_{x,\varepsilon}\{x_n + \alpha\,\mathrm{sign}\, g_{n+1}\}.$$

# %% [markdown]
# **Exercise 03.4.** Write the sum on the left. Each image has a norm of its own, and a gradient may be zero.

# %%
def add_momentum(momentum, gradient, decay):
    """The next momentum: decay · old one + gradient / its l1 norm, image by image.

    momentum, gradient: tensors of shape (N, C, H, W); decay: the paper's μ, a number.
    Where an image's gradient is zero everywhere, it adds nothing.
    Returns a tensor of that shape.
    """
    ### BEGIN SOLUTION
    size = gradient.abs().flatten(1).sum(1).clamp_min(1e-12)
    return decay * momentum + gradient / size.view(-1, 1, 1, 1)
    ### END SOLUTION

add_momentum = check("03.4", add_momentum)

# %%
def mim(model, x, y, eps, steps=10, decay=1.0):
    """The last iterate of the momentum iterative method."""
    x_adv, momentum = x, torch.zeros_like(x)
    for _ in range(steps):
        momentum = add_momentum(momentum, loss_gradient(model, x_adv, y), decay)
        x_adv = torch.clamp(x_adv + 2.5 * eps / steps * momentum.sign(), x - eps, x + eps).clamp(0, 1)
    return x_adv

# %% [markdown]
# Is it worth it? Show the images to a network that the attacker has never seen.

# %%
def one_step(model, x, y, eps):
    return fgsm_step(model, x, y, eps, False)

other = course.model("mlp")
errors = {name: 1 - accuracy(other, attack(cnn, x, y, eps), y)
          for name, attack in [("FGSM", one_step), ("BIM", bim), ("MIM", mim)]}
claim("Of the images that BIM makes on one network, another errs on {value:.0%}.", errors["BIM"], 0.15, 0.95)
claim("MIM adds {value:+.3f} to that share.", errors["MIM"] - errors["BIM"], -0.05, 0.1)
claim("FGSM, with a single step, adds {value:+.3f}.", errors["FGSM"] - errors["BIM"], -0.1, 0.12)

# %% [markdown]
# In the paper the gain is large: from one Inception network to the next MIM fools 48.8 % where I-FGSM fools 22.8 % and FGSM 28.2 % (Dong et al., 2018).
# Our small networks are so alike that there is little to gain. One thing holds on both scales: more steps are much stronger on the network
# that they were made on, and hardly on another one.

# %% [markdown]
# ## PGD: start anywhere, and another norm
#
# *Projected gradient descent* (Madry et al., 2018) is BIM from a random point of the ball. The start matters where the loss is rough at the image itself,
# and it makes restarts possible: another start, another chance.

# %%
def noise_like(x, seed=0):
    """Random numbers for random starts: shape of x, each in [-1, 1]."""
    generator = torch.Generator(x.device).manual_seed(SEED + seed)
    return 2 * torch.rand(x.shape, generator=generator, device=x.device) - 1

def pgd_linf(model, x, y, eps, steps=10):
    """The last iterate of PGD in the ball of the largest change."""
    start = (x + eps * noise_like(x)).clamp(0, 1)
    return walk(model, x, y, eps, 2.5 * eps / steps, steps, start)[-1]

# %% [markdown]
# In the Euclidean ball, $\lVert\delta\rVert_2 \le \varepsilon$, both the step and the way back change. The best step of a given length is along the gradient itself,
# $\alpha\,\nabla/\lVert\nabla\rVert_2$. Whoever is outside comes back on the straight line to the centre: δ is scaled by $\varepsilon / \lVert\delta\rVert_2$.
#
# **Exercise 03.5.** Write all of it: the start, the steps, the way back.

# %%
def pgd_l2(model, x, y, eps, step_size, steps, noise):
    """The last iterate of PGD in the Euclidean ball of radius eps around each image, up the loss of y.

    noise: random, of the shape of x, for each image of Euclidean length at most 1.
    Start at x + eps · noise, clipped to [0, 1]. After each step, of Euclidean length step_size:
    first back into the ball, then into [0, 1]. Returns images like x.
    """
    ### BEGIN SOLUTION
    def length(delta):
        return delta.flatten(1).norm(dim=1).clamp_min(1e-12).view(-1, 1, 1, 1)

    x_adv = (x + eps * noise).clamp(0, 1)
    for _ in range(steps):
        gradient = loss_gradient(model, x_adv, y)
        delta = x_adv + step_size * gradient / length(gradient) - x
        x_adv = (x + delta * (eps / length(delta)).clamp(max=1)).clamp(0, 1)
    return x_adv
    ### END SOLUTION

pgd_l2 = check("03.5", pgd_l2)

# %%
inside = noise_like(x) / noise_like(x).flatten(1).norm(dim=1).view(-1, 1, 1, 1)
euclidean = pgd_l2(cnn, x, y, 2.5 * unit, 0.6 * unit, 10, inside)
claim("With a length of δ of at most 2.5 (photographs: a tenth), PGD leaves the network right on {value:.0%} of the "
      "images.", accuracy(cnn, euclidean, y), 0, 0.25)

# %% [markdown]
# What do these attacks add? One image, and below it what each attack changed (blue darker, red lighter, each scaled to its own largest change).

# %%
i = order[0]
image, label = x[i : i + 1], y[i : i + 1]
made = {"FGSM": one_step, "BIM": bim, "least likely": least_likely, "MIM": mim, "PGD": pgd_linf}
made = {name: attack(cnn, image, label, 2 * eps) for name, attack in made.items()}
made["PGD, l2"] = euclidean[i : i + 1]
changed = torch.cat(list(made.values()))
titles = [f"{name}: {seen}" for name, seen in zip(made, read(changed))]
plots.show(plots.images([changed, changed - image], [titles, [""] * len(made)], ["image", "added"], signed=[1]),
           "What each attack adds",
           alt="One image attacked in six ways, and below what was added. The sign attacks change most pixels by the full ε "
               "or not at all; PGD in the Euclidean ball changes few pixels much, on and around the strokes.")

# %% [markdown]
# ## All of them: accuracy against ε
#
# Kurakin et al. (2017) drew this figure for Inception v3 on ImageNet. *Top-1* accuracy counts an image when the true class comes first; *top-5* when it is among
# the first five. With a thousand classes the second is a mild demand. With ten it is half of all classes, so read it as: how far down
# did the truth fall?

# %% [markdown]
# **Predict before you run.** With 1000 classes the least-likely attack was the most destructive of them (Kurakin et al., 2017). Ours has ten. At our ε: on how many
# percent of the images is the network right under it? For FGSM you have seen the curve in notebook 01.

# %%
### BEGIN SOLUTION
my_guess = 20
### END SOLUTION

# %%
def random_signs(model, x, y, eps):
    return (x + eps * coins).clamp(0, 1)

def top(k, model, x, y):
    """The share of the images whose class is among the k that the model thinks likeliest."""
    return (predict(model, x).topk(k, dim=1).indices == y[:, None]).any(1).double().mean().item()

epsilons = [round(share * unit, 4) for share in (0, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3)]
attacks = {"random signs": random_signs, "FGSM": one_step, "BIM": bim,
           "least likely": least_likely, "MIM": mim, "PGD": pgd_linf}
first, fifth = {}, {}
for name, attack in attacks.items():
    images = [attack(cnn, x, y, radius) if radius else x for radius in epsilons]
    first[name], fifth[name] = ([top(k, cnn, x_adv, y) for x_adv in images] for k in (1, 5))

# %% tags=["tells"]
figure, axes = plots.grid(1, 2, width=4.3, height=3, width_ratios=[1, 1.4], sharey=True)
plots.curves(epsilons, first, "ε", "accuracy", axes=axes[0, 0], title="top 1", ylim=(0, 1.02))
axes[0, 0].get_legend().remove()
plots.curves(epsilons, fifth, "ε", "", axes=axes[0, 1], title="top 5")
plots.show(figure, "Accuracy against ε, for six ways to change the images",
           alt="Two panels with accuracy against ε. Top 1: BIM, MIM and PGD fall fastest and together, then FGSM, then the "
               "least-likely class method; random signs do far less. Top 5: all fall later and more slowly.")
record("accuracy against eps", {"epsilons": epsilons, "top 1": first, "top 5": fifth})

# %% tags=["tells"]
at = epsilons.index(round(eps, 4))
compare_guess(my_guess, 100 * first["least likely"][at])
claim("At our ε the network is right on {value:.0%} of the images under FGSM.", first["FGSM"][at], 0.01, 0.55)
claim("Under the strongest of the iterated attacks, on {value:.0%}.",
      min(first[name][at] for name in ("BIM", "MIM", "PGD")), 0, 0.2)
claim("The least-likely attack leaves {value:.1f} times as many images right as FGSM does.",
      first["least likely"][at] / max(first["FGSM"][at], 1 / len(x)), 1.2, 20)
claim("The truth is among the top five of ten under PGD on {value:.0%}.", fifth["PGD"][at], 0.7, 1)

# %% [markdown]
# <details><summary>After your guess: what this shows</summary>
#
# On ImageNet the fast method halves the top-1 accuracy even at the smallest ε, iterated ones are better for ε below 48 of 255 grey levels, and the least-likely
# class destroys most images already at a small ε (Kurakin et al., 2017). On our images the second of these holds. The first needs a larger ε, as white strokes on black
# are plainer than photographs. The last does not hold: the way to the least likely of ten classes is long, and with a thousand it seems to lead through many others.
#
# </details>

# %% [markdown]
# ## Steps, step size, and which iterate to keep
#
# An attack has knobs of its own, and with them turned wrongly it looks as if the network were robust. For every step size we walk once, and look both
# at the image after the n-th step and at the *best* so far.

# %%
counts, shares = [1, 2, 5, 10, 20], [0.02, 0.05, 0.1, 0.25, 1.0, 2.0]
last, best = [], []
for share in shares:
    path = walk(cnn, x, y, eps, share * eps, counts[-1])
    right = torch.stack([predict(cnn, x_adv).argmax(1) == y for x_adv in path])
    last.append([right[n].double().mean().item() for n in counts])
    best.append([right[: n + 1].all(0).double().mean().item() for n in counts])

# %%
figure, axes = plots.grid(1, 2, width=3.8, height=3, sharey=True)
for panel, values, title in zip(axes[0], (last, best), ("the last iterate", "the best iterate")):
    panel.imshow(values, cmap="cividis", vmin=0, vmax=1, aspect="auto")
    for r, row in enumerate(values):
        for c, value in enumerate(row):
            colour = "white" if value < 0.5 else "black"
            panel.text(c, r, f"{value:.2f}", ha="center", va="center", fontsize=8, color=colour)
    panel.set(xticks=range(len(counts)), xticklabels=counts, xlabel="steps", title=title)
    panel.set(yticks=range(len(shares)), yticklabels=shares)
axes[0, 0].set_ylabel("step size / ε")
plots.show(figure, "Accuracy under BIM",
           alt="Two tables of accuracies against steps and step size. Accuracy is high where steps times step size stay below "
               "ε, low elsewhere. For the largest step sizes the best iterate is at least as good as the last.")

# %%
claim("Twenty steps of ε/50 leave the network right on {value:.0%} of the images.", last[0][4], 0.3, 0.98)
claim("Twenty steps of ε/10, on {value:.0%}.", last[2][4], 0, 0.2)
claim("With steps of 2 ε, keeping the best of twenty iterates in place of the last takes another {value:.3f} off the "
      "accuracy.",
      last[5][4] - best[5][4], 0, 0.2)

# %%
question("03.6")

# %%
### BEGIN SOLUTION
choice = "b"
### END SOLUTION
answer("03.6", choice)

# %% [markdown]
# Two rules follow. Steps times step size must exceed ε, or the attack never sees most of the ball. And keep the best iterate: it costs nothing and
# cannot be worse. `advcourse.attacks.pgd` does.

# %% [markdown]
# And restarts? Run PGD from several random points, and count an image as fooled when any run fools it. The ε is smaller here, so that something
# is left to gain.

# %%
small, standing, left = 0.6 * eps, torch.ones_like(y, dtype=torch.bool), []
for restart in range(5):
    path = walk(cnn, x, y, small, small / 4, 10, start=(x + small * noise_like(x, restart)).clamp(0, 1))
    standing &= predict(cnn, path[-1]).argmax(1) == y
    left.append(standing.double().mean().item())
claim("Four more starts take {value:.3f} off the accuracy.", left[0] - left[-1], 0, 0.06)

# %% [markdown]
# Here one start is nearly as good as five: the loss of a network that nobody defended goes uphill everywhere. On one that was trained against PGD
# twenty starts take its accuracy from 91.8 % to 89.3 % (Madry et al., 2018).

# %% [markdown]
# ## What the lecture claims for fast gradients
#
# | | claim | verdict |
# |---|---|---|
# | 1 | They use gradients of the loss with respect to the input | yes, that is the definition |
# | 2 | Descent for targeted, ascent for non-targeted attacks | yes: your exercise 03.1 |
# | 3 | Very effective for images | yes against any wrong class; for a given class, and against iterated attacks, no |
# | 4 | Fast and easy to compute | yes: one pass forward and one back |
# | 5 | ε controls the size of the change | of the change, yes; not of the effect: a larger ε can fool *fewer* images |
# | 6 | They can be used for adversarial training at run time | yes, and alone they do not make the network robust |
# | 7 | For networks the gradient comes from backpropagation | yes, where rounding leaves something of it |
#
# Claims 5, 6 and 7 deserve a look. For 6 we train a network on images that it is attacked with at that moment: half of the loss is that of the clean images, half that
# of FGSM images (Goodfellow et al., 2015).

# %%
strong = 0.3 * unit

def fast_adversarial_loss(model, x, y):
    return (F.cross_entropy(model(x), y) + F.cross_entropy(model(fgsm_step(model, x, y, strong, False)), y)) / 2

trained = copy.deepcopy(other).requires_grad_()
count = 10_000 if course.quick else len(course.data.x_train)
training.fit(trained, course.data.x_train[:count], course.data.y_train[:count], epochs=6, seed=SEED,
             loss=fast_adversarial_loss)
trained = trained.requires_grad_(False)

# %%
clean = accuracy(trained, x, y)
under_one, under_many = (accuracy(trained, attack(trained, x, y, strong), y) for attack in (one_step, pgd_linf))
claim("The trained network is right on {value:.0%} of the clean images.", clean, 0.95, 1)
claim("Under FGSM, with the ε of its training, on {value:.0%}.", under_one, 0.5, 1)
claim("Before the training it was right there on {value:.0%}.",
      accuracy(other, one_step(other, x, y, strong), y), 0, 0.1)
claim("Under PGD with the same ε, on {value:.0%}.", under_many, 0, 0.1)

# %% [markdown]
# A network that looks as if it were robust, and is not. On CIFAR-10 it is the same: Madry et al. (2018) report 95.1 % under FGSM and 0.0 % under PGD for a network trained so.
# What did the training do?

# %%
question("03.7")

# %%
### BEGIN SOLUTION
choice = "c"
### END SOLUTION
answer("03.7", choice)

# %% [markdown]
# Look at the loss around one image, and at the accuracy under FGSM for other ε.

# %% tags=["varies-by-processor"]
by_one, by_ten = one_step(trained, x, y, strong), pgd_linf(trained, x, y, strong)
held = (trained(by_one).argmax(1) == y) & (trained(by_ten).argmax(1) != y)
i = held.long().argmax()   # the first image that holds against one step and not against ten
path = walk(trained, x[i : i + 1], y[i : i + 1], strong, strong / 4, 10)[:, 0]
figure, alt = widgets.walk_figure(trained, path, y[i].item(), strong, classes)
plots.show(figure, "The loss of a network trained on FGSM images", alt)

# %%
shares = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.2]
under = {name: [accuracy(trained, attack(trained, x, y, share * strong), y) for share in shares]
         for name, attack in [("FGSM", one_step), ("PGD", pgd_linf)]}
plots.show(plots.curves(shares, under, "ε / the ε of the training", "accuracy", ylim=(0, 1.02)),
           "A larger ε can be weaker",
           alt="Accuracy of the trained network against ε. Under FGSM it falls, and then rises again towards the ε of the "
               "training; under PGD it falls to zero and stays there.")
claim("Between its lowest point and the ε of the training, accuracy under FGSM rises by {value:.2f}.",
      under["FGSM"][8] - min(under["FGSM"][:8]), 0.03, 0.5)

# %% [markdown]
# The training has put a valley exactly where one step of ε ends. The dangerous images are still in the ball, and a walk that looks again finds them.
# One speaks of *gradient masking* (Tramèr et al., 2018).

# %% [markdown]
# Claim 7 fails in a duller way. Cross-entropy's gradient holds the factor $1 - p(y \mid x)$. Where the network is sure, 32-bit numbers round it to zero,
# and half of the gradient is lost: the half that leads away from $y$. `loss_gradient` therefore takes the loss in double precision. Without it:

# %%
def rough_gradient(model, x, y):
    """The gradient as most people write it, in the precision of the model."""
    x = x.clone().requires_grad_()
    return torch.autograd.grad(F.cross_entropy(model(x), y, reduction="sum"), x)[0]

rough = accuracy(cnn, (x + eps * rough_gradient(cnn, x, y).sign()).clamp(0, 1), y)
claim("With the rough gradient FGSM leaves the network right on {value:.0%} of the images.", rough, 0.05, 0.6)
claim("With the exact one, on {value:.0%}.", first["FGSM"][at], 0.01, 0.55)

# %% [markdown]
# How much this matters depends on how sure the network is: little on MNIST, a lot on the letters from fonts. And that was an honest network. One that wants to hide multiplies its logits by a thousand: every decision stays as it was, and the
# probabilities become 0 and 1 in any precision.

# %%
def sharp(images):
    return 1000 * cnn(images)

silent = (loss_gradient(sharp, x, y).flatten(1) == 0).all(1).double().mean()
claim("The gradient is now exactly zero, in every pixel, on {value:.0%} of the images.", silent, 0.8, 1)
claim("FGSM at our ε then leaves the network right on {value:.0%}.",
      accuracy(sharp, one_step(sharp, x, y, eps), y), 0.75, 1)

# %% [markdown]
# Nothing became more robust: an attack that divides the logits by a thousand first is as strong as before. Notebook 10 collects such traps.

# %% [markdown]
# ## What to remember
#
# * All gradient attacks share one compass, $\nabla_x J$. They differ in where they start, how far they step, and how they come back.
# * One step is cheap, and carries over to other networks about as well as many. Many steps are stronger on the network itself, above all towards a target.
# * Steps × step size must exceed ε; keep the best iterate; on a defended network start more than once.
# * A network trained on one step can be blind to many. Never judge a defence by FGSM.
# * What holds for a thousand classes need not hold for ten.

# %%
progress()

# %% [markdown]
# ## Further reading
#
# * Goodfellow, Shlens, Szegedy, *Explaining and harnessing adversarial examples*, [arXiv:1412.6572](https://arxiv.org/abs/1412.6572): FGSM.
# * Kurakin, Goodfellow, Bengio, *Adversarial examples in the physical world*, [arXiv:1607.02533](https://arxiv.org/abs/1607.02533): BIM and the least-likely class; our figure is theirs.
# * Kurakin, Goodfellow, Bengio, *Adversarial machine learning at scale*, [arXiv:1611.01236](https://arxiv.org/abs/1611.01236): training on one step, and *label leaking*.
# * Dong et al., *Boosting adversarial attacks with momentum*, [arXiv:1710.06081](https://arxiv.org/abs/1710.06081): MIM.
# * Madry et al., *Towards deep learning models resistant to adversarial attacks*, [arXiv:1706.06083](https://arxiv.org/abs/1706.06083): PGD, restarts, and training with it.
# * Tramèr et al., *Ensemble adversarial training*, [arXiv:1705.07204](https://arxiv.org/abs/1705.07204): gradient masking.
# * **Since corrected.** Training with FGSM is not hopeless: with a random start it works (Wong et al., 2020, [arXiv:2001.03994](https://arxiv.org/abs/2001.03994)),
#   until it collapses all at once, *catastrophic overfitting* (Andriushchenko and Flammarion, 2020, [arXiv:2007.02617](https://arxiv.org/abs/2007.02617)).
# * **Since corrected.** A fixed step size makes PGD weaker than need be. Auto-PGD chooses its own, and a set of attacks replaces the single one
#   (Croce and Hein, 2020, [arXiv:2003.01690](https://arxiv.org/abs/2003.01690)).
