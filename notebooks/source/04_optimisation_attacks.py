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
# # 04 · Optimisation attacks
#
# ### What you will be able to do
#
# * write the search for the *nearest* adversarial example as an optimisation problem, in four ways,
# * say how near it can be at all, where the model is linear, and how close each attack comes to that,
# * tell what a distance proves and what it does not.
#
# **Time** about 90 minutes · **Before** notebooks 01 and 03 · **Library** `advcourse.attacks`

# %% [markdown]
# ### Threat-model card
#
# | | in this notebook |
# |---|---|
# | What does the attacker want? | any wrong class, or one class in particular, sometimes with high confidence |
# | What does the attacker know? | everything: architecture and weights (*white box*) |
# | What may be changed? | every pixel, by any amount; grey values stay in [0, 1]. The change should be *small*, mostly in Euclidean length (ℓ2) |
# | When? | after training, one image at a time, many steps |
# | What counts as success? | the wished class, at the smallest distance from the original |

# %% tags=["parameters"]
PROFILE = "quick"   # "full": train everything here, on more images (a GPU helps)
DATASET = "auto"    # MNIST where it can be had, else letters drawn from fonts
SEED = 0
DEVICE = "auto"
STUDENT = ""        # your name or number: it shuffles the answers of questions

# %% tags=["setup"]
import math
import time

import torch
from torch.nn import functional as F

from advcourse import plots, widgets
from advcourse.attacks import cw_l2, deepfool, ead, feature_adversary, fmn, lbfgs, virtual_adversarial
from advcourse.attacks.fab import to_plane
from advcourse.attacks.features import feature_distance
from advcourse.exercises import answer, check, hint, progress, question
from advcourse.notebook import claim, compare_guess, record, start

course = start("04", profile=PROFILE, dataset=DATASET, seed=SEED,
               device_name=DEVICE, student=STUDENT)

# %% [markdown]
# ## A question
#
# The first picture is a training image, drawn at random. Read the other ten, left to right. They were made one from the other:
# each is a small change of the one before it.

# %%
classes, shape = course.data.classes, course.data.x_train.shape[1:]
softmax, cnn = course.model("softmax"), course.model("cnn")

def label(k):
    return torch.tensor([k], device=course.device)

def towards(image, k):
    """The nearest image to this one that softmax regression takes for class k with a probability of 99 %."""
    return lbfgs(softmax, image, label(k), targeted=True, probability=0.99, steps=20, search_steps=3)

# %%
random = torch.Generator().manual_seed(SEED)
drawn = torch.randint(len(course.data.x_train), (2 if course.quick else 10,), generator=random)
originals = course.data.x_train[drawn].to(course.device)

def chain(image):
    """The image, driven through all classes, one after the other."""
    images = [image]
    for k in range(len(classes)):
        images.append(towards(images[-1], k))
    return torch.cat(images)

chains = [chain(image) for image in originals[:, None]]

# %%
sure = softmax(chains[0][1:]).softmax(1).diagonal()
titles = ["original"] + [f"{name}: {p:.1%}" for name, p in zip(classes, sure)]
plots.show(plots.images([chains[0][:6], chains[0][6:]], [titles[:6], titles[6:]]), "What softmax regression reads",
           alt="A training image and ten images made from it, one after the other. Above each stands the "
               "class that softmax regression reads, every class once, each with a probability of at least "
               "99 percent. People still see the original, under growing smudges.")

# %%
probabilities = torch.cat([softmax(images[1:]).softmax(1).diagonal() for images in chains])
claim("Random training images, driven through every class: the lowest probability of a wished class is {value:.2%}.",
      probabilities.min(), 0.99, 1)

# %% [markdown]
# Every class can be had, one after the other, and you still see the first picture. Do you see it as well in the last image as in
# the second? We come back to that at the end, with a ruler. First: how are such images found, and how near can they be?

# %% [markdown]
# ## The problem
#
# Szegedy et al. (2014) asked for the *nearest* image of a target class $t$:
#
# $$\min_{x^{adv}} \lVert x^{adv} - x\rVert_2^2 \quad\text{such that}\quad f(x^{adv}) = t, \quad x^{adv} \in [0, 1]^n.$$
#
# For a network this is hard: the constraint is a yes or a no, and has no gradient. Everything in this notebook is a way around that.
# Before the ways, the one case in which the answer is known.

# %% [markdown]
# ## Lower bound, exact, upper bound
#
# Softmax regression gives class $k$ the logit $z_k = w_k^\top x + b_k$. The images on which $k$ draws level with $y$ form a plane, and the
# distance of a point to a plane has a closed form: the *margin* $z_y - z_k$, divided by $\lVert w_y - w_k\rVert_2$.

# %% [markdown]
# **Exercise 04.1.** How far must an image move until *some* other class draws level?

# %%
def linear_distance(weight, bias, x, y):
    """How far each image is from the nearest one that W x + b gives to another class.

    weight: (K, n), bias: (K,); x: images, (N, C, H, W); y: their labels, (N,).
    Grey values are not limited here.
    Returns Euclidean distances, (N,), 0 where the model does not see y on x already.
    """
    ### BEGIN SOLUTION
    logits = x.flatten(1) @ weight.T + bias
    lead = logits.gather(1, y[:, None]) - logits
    distance = lead / (weight[y][:, None] - weight).norm(dim=2)
    return distance.scatter(1, y[:, None], math.inf).amin(1).clamp_min(0)
    ### END SOLUTION

linear_distance = check("04.1", linear_distance)

# %%
weight, bias = softmax[1].weight, softmax[1].bias
x, y = course.test_images(500 if course.quick else 5000)
right = (softmax(x).argmax(1) == y) & (cnn(x).argmax(1) == y)
x, y = x[right], y[right]
lower = linear_distance(weight, bias, x, y)
claim("For half of the images that it reads right, the nearest wrong class is no more than {value:.2f} away.",
      lower.median(), 0.25, 1)

# %% [markdown]
# An image of length ten or so, and less than one from another class. But as in notebook 01, black cannot get blacker, so this
# is only a **lower bound**. With grey values kept in [0, 1] the nearest point of each plane is still found **exactly**: pixels that meet a limit
# stop there, and the others go on. `to_plane` does that.

# %%
def distance_in_box(x, y):
    """The exact distance to the nearest image in [0, 1] that softmax regression gives to another class."""
    logits, nearest = softmax(x), torch.full((len(x),), math.inf, device=x.device)
    for k in range(len(classes)):
        gap = logits[:, k] - logits.gather(1, y[:, None])[:, 0]
        w = (weight[k] - weight[y]).view_as(x)
        step = to_plane(x, gap, w, "l2")
        arrived = (y != k) & (gap + (w * step).flatten(1).sum(1) > -1e-3)
        nearest = torch.where(arrived, torch.minimum(nearest, step.flatten(1).norm(dim=1)), nearest)
    return nearest

exact = distance_in_box(x, y)
claim("The limits of grey make the way {value:.2f} times as long, in the median.",
      (exact / lower).median(), 1.05, 1.5)

# %% [markdown]
# Whatever an attack finds is an **upper bound**: something was found *there*, so the nearest is no farther. For networks there is no
# exact value, which is why we measure all attacks on this linear model first.

# %% [markdown]
# ## L-BFGS: a wish with a price
#
# The way around of Szegedy et al. (2014): put a *loss* in place of the hard constraint, which is small when the wish is nearly fulfilled, and a price $c$ on the change:
#
# $$\min_{x^{adv} \in [0, 1]^n}\; c\,\lVert x^{adv} - x\rVert_2^2 + \mathrm{loss}(x^{adv}, t).$$
#
# That is smooth, and L-BFGS, a solver that builds an idea of the curvature from past gradients, is good at such problems. Its variant L-BFGS-B keeps the box.

# %%
from scipy.optimize import minimize

def solve(model, image, target, c):
    """The image that L-BFGS-B finds for the price c; target: tensor of one label."""
    def objective(values):
        x_adv = torch.tensor(values, dtype=image.dtype, device=image.device).view_as(image).requires_grad_()
        value = c * (x_adv - image).square().sum() + F.cross_entropy(model(x_adv), target)
        return value.item(), torch.autograd.grad(value, x_adv)[0].flatten().double().cpu().numpy()

    origin = image.flatten().double().cpu().numpy()
    found = minimize(objective, origin, jac=True, method="L-BFGS-B", bounds=[(0, 1)] * len(origin),
                     options={"maxiter": 50})
    return torch.tensor(found.x, dtype=image.dtype, device=image.device).view_as(image)

# %% [markdown]
# What does the price do? Move it. Each image is attacked towards the next class; the picture on the right shows what you pay (distance) and
# what you get (probability of the target). The dotted line is the lower bound for this target, from exercise 04.1's formula.

# %%
prices = [10 ** (power / 2) for power in range(-6, 6)]
some = range(4)
wishes = [(y[i].item() + 1) % len(classes) for i in some]
answers = [torch.cat([solve(softmax, x[i:i + 1], label(wish), c) for c in prices])
           for i, wish in zip(some, wishes)]

# %%
def price_figure(index, price):
    image, x_adv, wish = x[index], answers[index], wishes[index]
    distance = (x_adv - image).flatten(1).norm(dim=1).tolist()
    p = softmax(x_adv).softmax(1)[:, wish].tolist()
    figure, axes = plots.grid(1, 4, width=1.7, height=2.1, width_ratios=[1, 1, 1, 2.6])
    plots.draw_image(axes[0, 0], image, f"the image: {classes[y[index]]}")
    plots.draw_image(axes[0, 1], x_adv[price] - image, f"the change: {distance[price]:.2f}", signed=True)
    plots.draw_image(axes[0, 2], x_adv[price], f"{classes[wish]}: {p[price]:.1%}")
    z, true = softmax(image[None])[0], y[index]
    bound = (z[true] - z[wish]) / (weight[true] - weight[wish]).norm()
    plots.curves(prices, {"distance": distance, "probability of the target": p}, "price c", "",
                 axes=axes[0, 3], xscale="log")
    axes[0, 3].axhline(bound.item(), color="grey", linestyle=":")
    axes[0, 3].axvline(prices[price], color="black", linewidth=1)
    axes[0, 3].legend(fontsize=8, framealpha=1)
    alt = (f"Image {index}, at the price c = {prices[price]:.3g}: the change has length {distance[price]:.1f} "
           f"and the target class a probability of {p[price]:.0%}. Beside it, distance and probability against "
           "the price: both fall as it rises.")
    return figure, f"c = {prices[price]:.3g}", alt

controls = {"index": widgets.slider("image", 0, 3, 0), "price": widgets.slider("price", 0, 11, 3)}
widgets.explore(price_figure, controls, static=[{"price": price} for price in (0, 6, 11)], live=course.live)

# %% [markdown]
# A low price buys certainty and a long way; a high price buys nothing. The nearest *success* belongs to the **largest c that still works**, and it is
# found by binary search. **Exercise 04.2.** c may lie anywhere between a thousandth and a thousand: which midpoint should you test?

# %%
def largest_weight(works, low, high, steps):
    """The largest c found by `steps` halvings at which the attack still works.

    works: a function; works(c) is True or False. It is True at low, False at high,
        and changes once in between. Every call is a whole attack: one a halving.
    Returns a number.
    """
    ### BEGIN SOLUTION
    for _ in range(steps):
        middle = math.sqrt(low * high)
        if works(middle):
            low = middle
        else:
            high = middle
    return low
    ### END SOLUTION

largest_weight = check("04.2", largest_weight)

# %%
def works(c):
    return softmax(solve(softmax, x[:1], label(wishes[0]), c)).argmax().item() == wishes[0]

c = largest_weight(works, 1e-3, 1e3, steps=12)
x_adv = solve(softmax, x[:1], label(wishes[0]), c)
bound = (softmax(x[:1])[0, y[0]] - softmax(x[:1])[0, wishes[0]]) / (weight[y[0]] - weight[wishes[0]]).norm()
claim("At the largest price that works, the first image moved {value:.2f} times as far as the lower bound for its target.",
      (x_adv - x[:1]).norm() / bound, 1, 3.5)

# %% [markdown]
# One image, one target, a dozen calls of a solver. It works on any network, and nobody would call it fast.

# %% [markdown]
# ## DeepFool: from plane to plane
#
# A network is nearly linear near $x$ (notebook 01), so exercise 04.1 almost applies. Write $f_k(x) = z_k - z_y$, negative while $y$ wins, and
# $w_k = \nabla f_k(x)$. Near $x$, the border with class $k$ is the plane $f_k(x) + w_k^\top r = 0$. Derive the shortest $r$ on it: which direction
# must it have, and how long must it be? Moosavi-Dezfooli et al. (2016) take the nearest of these planes, step there, and do it again.

# %% [markdown]
# **Exercise 04.3.** One step, for one image.

# %%
def deepfool_step(model, x, y):
    """The image x moved onto the nearest of its linearised decision boundaries.

    Nearest in Euclidean length; exactly onto it, with no overshoot and no clipping.
    model: from images in [0, 1] to logits (1, K).
    x: one image, (1, C, H, W); y: the class that the model sees on it, a number.
    Returns an image like x.
    """
    ### BEGIN SOLUTION
    x = x.clone().requires_grad_()
    logits = model(x)[0]
    nearest, result = math.inf, x
    for k in range(len(logits)):
        if k == y:
            continue
        gap = logits[k] - logits[y]
        w = torch.autograd.grad(gap, x, retain_graph=True)[0]
        if gap.abs() / w.norm() < nearest:
            nearest, result = gap.abs() / w.norm(), x + gap.abs() / w.norm() ** 2 * w
    return result.detach()
    ### END SOLUTION

deepfool_step = check("04.3", deepfool_step)

# %%
stepped = torch.cat([deepfool_step(softmax, x[i:i + 1], y[i].item()) for i in range(20)])
claim("On the linear model one step is as long as exercise 04.1 says, within a factor of {value:.4f}.",
      ((stepped - x[:20]).flatten(1).norm(dim=1) / lower[:20]).max(), 0.999, 1.001)

# %% [markdown]
# **Predict before you run.** Now the convolutional network, whose planes are only nearly right. We step until the class changes,
# each time a little farther than to the plane. How many steps will an image need on average?

# %%
### BEGIN SOLUTION
my_guess = 2.5
### END SOLUTION

# %%
def steps_needed(image, k, clip):
    """How many steps of DeepFool change the class of the image; 10 where that many did not."""
    x_adv = image
    for step in range(1, 11):
        x_adv = x_adv + 1.02 * (deepfool_step(cnn, x_adv, k) - x_adv)
        x_adv = x_adv.clamp(0, 1) if clip else x_adv
        if cnn(x_adv).argmax() != k:
            break
    return step

needed, clipped = (torch.tensor([float(steps_needed(x[i:i + 1], y[i].item(), clip)) for i in range(12)])
                   for clip in (False, True))

# %% tags=["tells"]
compare_guess(my_guess, needed.mean(), unit="steps")
claim("Twelve images need {value:.1f} steps on average.", needed.mean(), 1, 5)
claim("Clipped to [0, 1] after every step, {value:.1f}; we stop at ten.", clipped.mean(), 4, 10)

# %% [markdown]
# Black pixels again: what the step wants to do to them is lost in clipping, and the border is never reached. The paper does not clip. The library's DeepFool does,
# but leaves out of $w_k$ the pixels that cannot move, so that the others do their part.

# %%
found = deepfool(cnn, x[:100], y[:100])
relative = ((found - x[:100]).flatten(1).norm(dim=1) / x[:100].flatten(1).norm(dim=1)).mean()
claim("The library's DeepFool changes an image by {value:.3f} of its own length on average.", relative, 0.04, 0.25)

# %% [markdown]
# Moosavi-Dezfooli et al. (2016) call this mean ρ and report 0.20 for a LeNet on MNIST, and 0.11 for a network without convolutions; the fast gradient
# sign method needs 1.0 and 0.39. Another network has another ρ: compare the order, not the digits.

# %% [markdown]
# ## Carlini and Wagner: a better loss
#
# DeepFool knows no target and never looks back: it finds *a* near image, not the nearest. Carlini and Wagner (2017) went back to the penalty and asked what was
# wrong with it. Cross-entropy never rests: however sure the model is, it asks for more. Their loss does rest:
#
# $$f_6(x^{adv}) = \max\Big(\max_{i \ne t} z_i - z_t,\; -\kappa\Big).$$
#
# It works on logits, is positive until $t$ wins, and once $t$ leads by $\kappa$ it is flat: from there on only the distance counts.

# %% [markdown]
# **Exercise 04.4.** Write it, for a batch.

# %%
def cw_loss(logits, target, kappa):
    """Carlini and Wagner's f6: by how much the target is behind the best other class.

    logits: (N, K); target: the classes to reach, (N,); kappa: a number >= 0.
    Returns a loss for each image, (N,), not below −kappa; its gradient is used.
    """
    ### BEGIN SOLUTION
    wanted = logits.gather(1, target[:, None])[:, 0]
    others = logits.scatter(1, target[:, None], -math.inf).amax(1)
    return (others - wanted).clamp_min(-kappa)
    ### END SOLUTION

cw_loss = check("04.4", cw_loss)

# %% [markdown]
# The box is their second idea. Instead of clipping, which hides from the optimiser what happened, they write $x^{adv} = \tfrac12(\tanh w + 1)$ and optimise
# over $w$, which may be any number. Here is the whole attack for one $c$, which now weighs the *loss*:

# %%
def carlini_wagner(model, x, target, c, kappa=0.0, steps=100):
    """The images after so many steps of Adam on ‖x_adv − x‖² + c · f6."""
    w = torch.atanh((2 * x - 1) * 0.999).requires_grad_()
    adam = torch.optim.Adam([w], lr=0.1)
    for _ in range(steps):
        x_adv = (w.tanh() + 1) / 2
        loss = (x_adv - x).square().sum() + c * cw_loss(model(x_adv), target, kappa).sum()
        adam.zero_grad()
        loss.backward()
        adam.step()
    return ((w.tanh() + 1) / 2).detach()

# %%
few, labels = x[:20], y[:20]
target = (labels + 1) % len(classes)
tried = {c: carlini_wagner(cnn, few, target, c) for c in (0.1, 1.0, 10.0)}
for c, x_adv in tried.items():
    hit = cnn(x_adv).argmax(1) == target
    mean = (x_adv - few).flatten(1).norm(dim=1)[hit].mean() if hit.any() else 0.0
    record(f"Carlini and Wagner, c = {c:g}",
           {"success": hit.float().mean().item(), "mean length": float(mean)})
claim("With c = 10, {value:.0%} of the images reach their target.",
      (cnn(tried[10.0]).argmax(1) == target).float().mean(), 0.85, 1)
claim("With c = 0.1, {value:.0%} do.", (cnn(tried[0.1]).argmax(1) == target).float().mean(), 0, 0.35)

# %% [markdown]
# So here, too, c needs a search, one for each image; the library's `cw_l2` does it. Carlini and Wagner (2017) report a mean length of 1.76 for random
# targets on MNIST, with success on every image.
#
# And κ? It buys a lead. What is it good for? Show the images to a network that they were not made for.

# %%
mlp = course.model("mlp")
confident = {kappa: cw_l2(cnn, few, labels, confidence=kappa, steps=50) for kappa in (0, 10)}
lengths = {kappa: (x_adv - few).flatten(1).norm(dim=1).median() for kappa, x_adv in confident.items()}
carried = {kappa: (mlp(x_adv).argmax(1) != labels).float().mean() for kappa, x_adv in confident.items()}
claim("With κ = 10 the change is {value:.1f} times as long as with κ = 0.",
      lengths[10] / lengths[0], 1.3, 4)
claim("Another network's error on these images rises by {value:.0%} of all images.",
      carried[10] - carried[0], 0.15, 0.95)

# %% [markdown]
# The nearest adversarial image sits right on the border, and the border of another network runs elsewhere. Confidence carries over.

# %% [markdown]
# ## EAD: fewer pixels
#
# The Euclidean length likes to spread a change over all pixels a little. Add $\beta\lVert\delta\rVert_1$ to Carlini and Wagner's problem and a pixel must earn its change:
# that is the *elastic net* of Chen et al. (2018). The ℓ1 norm has a kink at 0 where gradients rattle. The cure: a gradient step for everything else, then *shrink* every change
# by β and let it vanish where it is smaller.

# %% [markdown]
# **Exercise 04.5.** Write the operator. z is the image after the gradient step.

# %%
def shrink(z, x, beta):
    """The image whose change from x is that of z, shrunk by beta in every pixel.

    z, x: tensors of the same shape, x in [0, 1]; beta: a number >= 0.
    Changes up to beta vanish. Returns an image in [0, 1], clipped at the end.
    """
    ### BEGIN SOLUTION
    delta = z - x
    return (x + delta.sign() * (delta.abs() - beta).clamp_min(0)).clamp(0, 1)
    ### END SOLUTION

shrink = check("04.5", shrink)

# %%
x_cw, x_ead = cw_l2(cnn, few, labels), ead(cnn, few, labels, rule="l1")
figure = plots.images([few[:4], (x_cw - few)[:4], (x_ead - few)[:4]],
                      row_names=["original", "change by C&W", "change by EAD"], signed=[1, 2])
plots.show(figure, "Where the change goes",
           alt="Four images and the changes that two attacks make to them. Those of Carlini and Wagner are "
               "smooth clouds all over the image, those of the elastic net a few strong pixels on an empty "
               "ground.")

# %%
def changed(x_adv):
    return (x_adv - few).flatten(1)

claim("EAD's changes have {value:.2f} times the ℓ1 norm of Carlini and Wagner's.",
      (changed(x_ead).abs().sum(1) / changed(x_cw).abs().sum(1)).median(), 0.25, 0.92)

# %% [markdown]
# ## FMN: one attack, four norms
#
# FMN (Pintor et al., 2021) turns the question round: take a ball of radius ε and make gradient steps inside it. Where the image is adversarial, shrink the ball; where it is not,
# let it grow. There is no c to search for, and the ball may be that of any norm.

# %%
norms = {"l0": "ℓ0", "l1": "ℓ1", "l2": "ℓ2", "linf": "ℓ∞"}
nearest = [fmn(cnn, few, labels, norm=norm) for norm in norms]
figure = plots.images([few[:4], *[(x_adv - few)[:4] for x_adv in nearest]],
                      row_names=["original", *[f"nearest in {name}" for name in norms.values()]], signed=[1, 2, 3, 4])
plots.show(figure, "The smallest change, by four rulers",
           alt="Four images, and below each the smallest changes found in four norms: in l0 a few pixels "
               "changed strongly, in l1 some more, in l2 a cloud, in l-infinity most pixels by the same "
               "small amount.")

# %% [markdown]
# ## How far from the truth?
#
# On softmax regression the exact distance is known. How much farther away is what each attack finds?

# %%
count, fewer = (24, 4) if course.quick else (200, 20)   # fewer for L-BFGS, which is slow
attacks = {"DeepFool": deepfool, "FMN": fmn, "C&W": cw_l2,
           "EAD": lambda *batch: ead(*batch, rule="l1"),
           "L-BFGS": lambda *batch: lbfgs(*batch, steps=20, search_steps=3)}
ratios = {}
for name, attack in attacks.items():
    batch = slice(0, fewer if name == "L-BFGS" else count)
    ratios[name] = (attack(softmax, x[batch], y[batch]) - x[batch]).flatten(1).norm(dim=1) / exact[batch]

# %%
figure, axes = plots.grid(1, 1, width=6, height=2.4)
panel = axes[0, 0]
for row, (name, ratio) in enumerate(ratios.items()):
    panel.scatter(ratio.tolist(), [row] * len(ratio), s=14, alpha=0.4, color=plots.COLOURS[0], edgecolor="none")
    panel.plot([ratio.median().item()] * 2, [row - 0.3, row + 0.3], color=plots.COLOURS[1], linewidth=2.5)
panel.axvline(1, color="black", linewidth=1)
panel.set(xlabel="distance found / exact distance (ℓ2)", ylim=(len(ratios) - 0.5, -0.5))
panel.set_yticks(range(len(ratios)), ratios)
plots.show(figure, "Upper bounds on softmax regression",
           alt="For five attacks, the distances found divided by the exact one, a point per image and a line"
               " at the median. All lie at or above 1: DeepFool on it, FMN too but for a straggler, Carlini and "
               "Wagner and L-BFGS close to it, EAD, which minimises something else, farther off.")

# %%
claim("In the median DeepFool ends {value:.4f} times as far away as the nearest image.",
      ratios["DeepFool"].median(), 0.999, 1.01)
claim("In the median L-BFGS ends {value:.2f} times as far.", ratios["L-BFGS"].median(), 0.999, 1.35)

# %% [markdown]
# No point lies below 1: an attack cannot be nearer than the nearest. DeepFool is as good as exact here. On a network nobody knows the truth, but we
# can lay the attacks side by side.

# %%
def row(name, attack):
    """Median sizes of an attack's changes to the network's images, and its time per image."""
    batch = slice(0, fewer if name == "L-BFGS" else count)
    begin = time.perf_counter()
    x_adv = attack(cnn, x[batch], y[batch])
    milliseconds = 1000 * (time.perf_counter() - begin) / len(x_adv)
    delta = (x_adv - x[batch]).flatten(1)
    sizes = [(delta != 0).sum(1).float(), delta.abs().sum(1), delta.norm(dim=1), delta.abs().amax(1)]
    return [size.median().item() for size in sizes] + [milliseconds]

attacks |= {"FMN, ℓ1": lambda *batch: fmn(*batch, norm="l1"),
            "FMN, ℓ∞": lambda *batch: fmn(*batch, norm="linf")}
table = {name: row(name, attack) for name, attack in attacks.items()}

# %%
figure, axes = plots.grid(1, 1, width=6.5, height=2.3)
cells = [[f"{a:.0f}", f"{b:.1f}", f"{c:.2f}", f"{d:.2f}", f"{e:.1f}"] for a, b, c, d, e in table.values()]
rows = [name + (f" ({fewer} images)" if name == "L-BFGS" else "") for name in table]
grid = axes[0, 0].table(cells, rowLabels=rows, colLabels=[*norms.values(), "ms per image"], loc="center",
                        cellLoc="center")
grid.scale(1, 1.35)
axes[0, 0].set_axis_off()
plots.show(figure, "Median change of the convolutional network's images",
           alt="A table of attacks: the median size of their changes in l0, l1, l2 and l-infinity, and their"
               " time per image. The three kinds of FMN are best in their own norms; L-BFGS, which is tried "
               "on fewer images, takes many times as long as any other.")
record("median l0, l1, l2 and linf of the changes", {name: sizes[:4] for name, sizes in table.items()})

# %%
claim("L-BFGS needs {value:.0f} times as long for an image as DeepFool.",
      table["L-BFGS"][4] / table["DeepFool"][4], 5, 500)

# %%
question("04.6")

# %%
### BEGIN SOLUTION
choice = "a"
### END SOLUTION
answer("04.6", choice)

# %% [markdown]
# ## The same length, at random
#
# Now the lecture's table: (a) images under an adversarial change, which people read and the model does not, (b) images under Gaussian noise. To be fair, the noise gets
# exactly the length of the adversarial change, image by image. The model is softmax regression, the attack DeepFool.

# %%
x_adv = x + 1.05 * (deepfool(softmax, x, y) - x)
length = (x_adv - x).flatten(1).norm(dim=1).view(-1, 1, 1, 1)
noise = torch.randn(x.shape, generator=course.generator(), device=x.device)
noise = noise / noise.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
pairs = [torch.stack([x[:4], copies[:4].clamp(0, 1)], 1).flatten(0, 1) for copies in (x_adv, x + length * noise)]
read = [[classes[k] for k in softmax(images).argmax(1)] for images in pairs]
plots.show(plots.images(pairs, read, ["(a) adversarial", "(b) Gaussian"]), "Original and changed, in pairs",
           alt="Two rows of four pairs: an original and its changed copy. People see no difference within a "
               "pair. Above each stands what softmax regression reads: in the row of adversarial changes the"
               " second of each pair is wrong, in the row of Gaussian noise it is right.")

# %%
multiples = [1, 2, 4, 8, 16, 32]
error = [(softmax((x + m * length * noise).clamp(0, 1)).argmax(1) != y).float().mean().item() for m in multiples]
claim("Gaussian noise of the same length: {value:.1%}.", error[0], 0, 0.03)
claim("Gaussian noise eight times as long: {value:.0%}.", error[3], 0.03, 0.4)

# %% [markdown]
# The lecture also shows noise in which *people* fail and the model does not. Softmax regression is not that strong: where we cannot read an image, neither can it.
# In notebook 01 a network that was *trained* on noise managed.

# %% [markdown]
# ## Two other wishes
#
# An attack need not aim at a class. *Feature adversaries* (Sabour et al., 2016) ask that the **hidden layer** see another picture, the *guide*, while the pixels hardly change. Where features are all that is used later,
# in a search engine say, that is worse than a wrong class.

# %%
others = [(labels != k).nonzero()[:, 0] for k in labels]
guides = few[torch.stack([other[i % len(other)] for i, other in enumerate(others)])]
x_guided = feature_adversary(cnn, few, guides, eps=0.2, layer=cnn[6], steps=60)
before, after = (feature_distance(cnn, images, guides, layer=cnn[6]) for images in (few, x_guided))
figure = plots.images([few[:4], guides[:4], x_guided[:4]], row_names=["image", "guide", "features\nof the guide"])
plots.show(figure, "Seen by the hidden layer",
           alt="Four images, four guides of other classes, and the images changed so that the network's "
               "hidden layer sees the guide: people still see the first row.")
claim("Their features come {value:.0%} of the way to the guide's, in the median.",
      1 - (after / before).median(), 0.25, 0.75)

# %% [markdown]
# And an attack need not know the label. The *virtual adversarial* direction (Miyato et al., 2019) is the one in which the model's **own answer** changes most, whatever that answer is.
# It needs no label, so it can be used on images that have none, to train a model to be smooth (notebook 09).

# %%
x_virtual = virtual_adversarial(cnn, few, eps=2.0, generator=course.generator())
x_random = (few + 2.0 * noise[:20]).clamp(0, 1)
claim("A virtual adversarial change of length 2 changes the answer on {value:.0%} of the images.",
      (cnn(x_virtual).argmax(1) != labels).float().mean(), 0.4, 1)
claim("A random one of that length changes it on {value:.0%}.",
      (cnn(x_random).argmax(1) != labels).float().mean(), 0, 0.1)

# %% [markdown]
# ## Back to the chain, with a ruler
#
# The first picture of this notebook was honest about probabilities and silent about distances. Here they are: the distance of every image of the chain from the **original**,
# and beside it the distance of an attack that starts from the original each time.

# %%
direct = [torch.cat([towards(image, k) for k in range(len(classes))]) for image in originals[:, None]]
chained = torch.stack([(images[1:] - images[0]).flatten(1).norm(dim=1) for images in chains])
straight = torch.stack([(images - image).flatten(1).norm(dim=1) for images, image in zip(direct, originals)])
hop = torch.stack([(images[1:] - images[:-1]).flatten(1).norm(dim=1) for images in chains])
lines = {"chain, from the original": chained.mean(0).tolist(),
         "chain, from the image before": hop.mean(0).tolist(),
         "attack from the original": straight.mean(0).tolist()}
figure = plots.curves(range(1, len(classes) + 1), lines, "step of the chain", "ℓ2 distance, mean over the chains",
                      ylim=(0, None))
plots.show(figure, "How far the chain has drifted",
           alt="Distance against step of the chain. The distance from the original grows over the first "
               "steps and stays high; the distance from the image before, and that of attacks that start "
               "from the original, vary around a lower level.")

# %%
figure = plots.images([chains[0][-5:], direct[0][-5:]], [classes[-5:]] * 2, ["chain", "direct"])
plots.show(figure, "The same classes, two ways",
           alt="The last five images of the chain and, for the same classes, five images made directly from "
               "the original: the chain's are full of grey smudges, the direct ones much cleaner.")
claim("At the end of the chain the image is {value:.1f} times as far from the original as a direct attack needs on average.",
      chained[:, -1].mean() / straight.mean(), 1.2, 4)

# %%
question("04.7")

# %%
### BEGIN SOLUTION
choice = "c"
### END SOLUTION
answer("04.7", choice)

# %% [markdown]
# "People still see the original" is what you said at the top, or not. It holds for longer than the model's own answer does, but a distance this large is not *imperceptible*, and no
# formula here knows what people see. The ℓ2 norm is a ruler, not a reader.

# %% [markdown]
# ## What to remember
#
# * The nearest adversarial example is a constrained problem; attacks differ in how they get rid of the constraint: a penalty with a price (L-BFGS, C&W, EAD), linearised borders (DeepFool), a ball that breathes (FMN).
# * A price needs a search. The best one belongs to one image, not to a data set.
# * For a linear model the distance has a closed form, and grey limits make it longer. That is the yardstick for attacks.
# * What an attack finds is an upper bound. Only a proof gives a lower one, and a failed attack is no proof.
# * The norm that you minimise decides what the change looks like. State it, and the reference image too: every step of the chain is as short as the solver can make it, and the sum is not.

# %%
progress()

# %% [markdown]
# ## Further reading
#
# * Szegedy et al., *Intriguing properties of neural networks*, [arXiv:1312.6199](https://arxiv.org/abs/1312.6199): L-BFGS. The paper's penalty is c times the length, not its square; the square came later.
# * Moosavi-Dezfooli, Fawzi, Frossard, *DeepFool*, [arXiv:1511.04599](https://arxiv.org/abs/1511.04599).
# * Carlini, Wagner, *Towards evaluating the robustness of neural networks*, [arXiv:1608.04644](https://arxiv.org/abs/1608.04644): seven losses compared, and defensive distillation broken.
# * Chen et al., *EAD*, [arXiv:1709.04114](https://arxiv.org/abs/1709.04114); Pintor et al., *Fast minimum-norm adversarial attacks*, [arXiv:2102.12827](https://arxiv.org/abs/2102.12827).
# * Sabour et al., *Adversarial manipulation of deep representations*, [arXiv:1511.05122](https://arxiv.org/abs/1511.05122); Miyato et al., *Virtual adversarial training*, [arXiv:1704.03976](https://arxiv.org/abs/1704.03976).
# * **Since corrected.** Defensive distillation was reported to stop nearly all attacks; Carlini and Wagner's loss on logits broke it completely ([arXiv:1608.04644](https://arxiv.org/abs/1608.04644)). Distances from one
#   attack with default settings were long read as "robustness"; today several attacks are run and the smallest distance is reported ([Croce and Hein, arXiv:2003.01690](https://arxiv.org/abs/2003.01690)), or a
#   bound is proved ([Wong and Kolter, arXiv:1711.00851](https://arxiv.org/abs/1711.00851)). And a small ℓp distance is not what people mean by "looks the same": notebook 02.
