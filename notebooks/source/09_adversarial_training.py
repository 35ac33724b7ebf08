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
# # 09 · Adversarial training
#
# ### What you will be able to do
#
# * train a network on its own adversarial examples, in the ways that made history, each as a loss of a few lines,
# * recognise the ways in which such a training fools you: old examples, leaked labels, single steps, few steps,
# * say what robustness costs in time and in accuracy, and what it does not cover.
#
# **Time** about 110 minutes · **Before** notebooks 01 and 03 · **Library** `advcourse.defenses`, `advcourse.training`

# %% [markdown]
# ### Threat-model card
#
# | | in this notebook |
# |---|---|
# | What does the attacker want? | any wrong class |
# | What does the attacker know? | the *trained* network, everything about it, and how it was trained (*white box*) |
# | What may be changed? | every pixel by at most ε (the ℓ∞ norm); one section asks what happens in other norms |
# | When? | the defender moves first, during training; the attacker afterwards |
# | What counts as success? | a class other than the true one, whatever attack it takes |

# %% tags=["parameters"]
PROFILE = "quick"   # "full": train everything here, on more images (a GPU helps)
DATASET = "auto"    # MNIST where it can be had, else letters drawn from fonts
SEED = 0
DEVICE = "auto"
STUDENT = ""        # your name or number: it shuffles the answers of questions

# %% tags=["setup"]
import copy
import time
from functools import partial

import torch
from torch.nn import functional as F

from advcourse import models, plots, training, widgets
from advcourse.attacks import fgsm, pgd, square
from advcourse.defenses.adversarial_training import (
    kurakin_loss, logit_pairing_loss, mart_loss, pgd_loss, step_towards, trades_loss, virtual_adversarial_loss, warm_up)
from advcourse.defenses.fast_training import fast_loss, free_loss, grad_align_loss, one_step_gap
from advcourse.evaluate import accuracy
from advcourse.exercises import answer, check, hint, progress, question
from advcourse.notebook import claim, compare_guess, start

course = start("09", profile=PROFILE, dataset=DATASET, seed=SEED,
               device_name=DEVICE, student=STUDENT)

# %% [markdown]
# ## A question
#
# Two networks of the same shape. Both were attacked with the same method and the same ε, each with images made for itself.
# Look at the two rows of attacked images: which network's mistakes would you forgive?

# %%
x, y = course.test_images(300 if course.quick else 10_000)
x_train, y_train = (part.to(course.device) for part in (course.data.x_train, course.data.y_train))
classes, shape = course.data.classes, course.data.x_test.shape[1:]
standard, robust = course.model("cnn"), course.model("robust")
EPS = {"mnist": 0.2}.get(course.data.name, 0.15)   # the radius of this notebook

# %%
def attack(model, x, y, eps=EPS, steps=40, **options):
    """PGD from the notebook's seed: the attack by which we measure."""
    return pgd(model, x, y, eps=eps, steps=steps, generator=course.generator(), **options)

def read(model, images):
    """The names of the classes that the model sees."""
    return [classes[label] for label in model(images).argmax(1)]

attacked = {name: attack(model, x[:8], y[:8], eps=0.3) for name, model in [("standard", standard), ("robust", robust)]}
rows = [x[:8], attacked["standard"], attacked["robust"]]
plots.show(plots.images(rows, [read(standard, x[:8]), read(standard, rows[1]), read(robust, rows[2])],
                        ["original", "made for\nthe standard one", "made for\nthe robust one"]),
           "The same attack on two networks",
           alt="Three rows of eight images with what the network reads above each. Top: originals. Middle: attacked images of the standard network, "
               "greyish noise over the drawing, nearly all misread. Bottom: attacked images of the robust network, speckled all over and mostly "
               "read right.")

# %% [markdown]
# The second network was trained on adversarial examples of itself. Here is how, in the order in which it was found out, with the mistakes.

# %% [markdown]
# ## First way: mix them in
#
# Make adversarial examples of the training images, add them to the training set with their right labels, train again. It is augmentation,
# as with shifted or turned images. We do it for a small network and one step.

# %%
few = slice(0, 4000 if course.quick else None)
x_few, y_few = x_train[few], y_train[few]

def train(loss, network=models.mlp, epochs=5 if course.quick else 15, images=(x_few, y_few), seed=SEED, learning_rate=2e-3, batch_size=64, **options):
    """A fresh network, trained on this loss; returns it, frozen, and the history."""
    with training.seeded(seed):
        model = network(shape, len(classes)).to(course.device)
    history = training.fit(model, *images, epochs=epochs, learning_rate=learning_rate, batch_size=batch_size, loss=loss, seed=seed, **options)
    return model.requires_grad_(False), history

# %%
STEP = course.trained_eps("fgsm")   # the size of a single step: on MNIST 0.25, as in the paper
first, _ = train(training.cross_entropy_loss)
stale = fgsm(first, x_few, y_few, eps=STEP)
second, _ = train(training.cross_entropy_loss, images=(torch.cat([x_few, stale]), torch.cat([y_few, y_few])), epochs=2)
old, new = fgsm(first, x, y, eps=STEP), fgsm(second, x, y, eps=STEP)

# %%
table = [[accuracy(model, images, y) for images in (x, old, new)] for model in (first, second)]
plots.show(plots.matrix(table, ["first", "second"], ["clean", "made for\nthe first", "made for\nthe second"], "images", "network"), "Old and new examples",
           alt="Accuracy of two networks on clean images, on examples made for the first and on examples made for the second. The second network reads the "
               "old examples and errs on most of the new ones.")
claim("The second network reads {value:.0%} more of the old examples than of new ones.", table[1][1] - table[1][2], 0.4, 1)

# %% [markdown]
# The examples in the set were made for a network that no longer exists. The attacker makes new ones. So the examples have to be made
# *during* training, for the network as it is at that step.

# %% [markdown]
# ## Second way: an adversarial loss
#
# Goodfellow et al. (2015) put the attack into the loss. Every batch counts twice, clean and after one step:
#
# $$J'(x, y) = c\,J(x, y) + (1 - c)\,J(x + p, y), \qquad p = \varepsilon\,\text{sign}(\nabla_x J(x, y))$$
#
# **Exercise 09.1.** Write it. $p$ counts as given: no gradient has to flow through it. Clip $x + p$ to $[0, 1]$.

# %%
def adversarial_loss(model, x, y, eps, c):
    """c times the mean cross-entropy on x plus (1 - c) times that on x + p.

    Returns a tensor of shape (), whose gradient reaches the model's parameters through
    both parts; no gradient may be left in them.
    model: from images (N, C, H, W) in [0, 1] to logits (N, K).
    x: such images; y: their labels, shape (N,); c: in [0, 1].
    p is eps times the sign of the gradient of the cross-entropy at x; x + p is clipped
    to [0, 1].
    """
    ### BEGIN SOLUTION
    image = x.clone().requires_grad_()
    gradient = torch.autograd.grad(F.cross_entropy(model(image), y), image)[0]
    x_adv = (x + eps * gradient.sign()).clamp(0, 1).detach()
    return c * F.cross_entropy(model(x), y) + (1 - c) * F.cross_entropy(model(x_adv), y)
    ### END SOLUTION

adversarial_loss = check("09.1", adversarial_loss)

# %% [markdown]
# Your loss goes into the same loop as any other. A few epochs show where it leads; the zoo's network was trained on this very loss
# for longer and on all images.

# %%
mine, _ = train(partial(adversarial_loss, eps=STEP, c=0.5))
trained_on_fgsm = course.model("fgsm")
compared = {"ordinary, zoo": course.model("mlp"), "yours, short": mine, "adversarial, zoo": trained_on_fgsm}
table = [[accuracy(model, images, y) for images in (x, fgsm(model, x, y, eps=STEP))] for model in compared.values()]
plots.show(plots.matrix(table, list(compared), ["clean", f"FGSM, ε = {STEP}"], "images", "network"), "One step against one step",
           alt="Accuracy of three networks on clean images and on images after one step. Ordinary training falls to near zero after the step; both networks "
               "trained with the adversarial loss keep a good part, the zoo's most.")
error = 1 - accuracy(trained_on_fgsm, fgsm(trained_on_fgsm, x, y, eps=STEP), y)
claim("The zoo's network errs on {value:.1%} of them.", error, 0, 0.179)

# %% [markdown]
# Goodfellow et al. (2015) report that the error of their network under FGSM fell from 89.4 % to 17.9 %, at ε = 0.25, and the clean error from
# 0.94 % to 0.84 %.
# It looks as if the problem were solved.
#
# **Predict before you run.** PGD takes many steps inside the same ε-ball. On how many percent of the images does the zoo's network err under PGD?

# %%
### BEGIN SOLUTION
my_guess = 95
### END SOLUTION

# %%
error = 1 - accuracy(trained_on_fgsm, attack(trained_on_fgsm, x, y, eps=STEP), y)

# %% tags=["tells"]
compare_guess(my_guess, 100 * error)
claim("Under PGD the same network errs on {value:.0%} of the images.", error, 0.5, 1)

# %% [markdown]
# <details><summary>After your guess: what this shows</summary>
#
# It learnt what it was trained on: to survive *one step*. Keep this pair of numbers in mind whenever a defence is shown under one attack.
#
# </details>

# %% [markdown]
# ## Third way: at scale
#
# Kurakin et al. (2017) trained on ImageNet with batches of $m$ images of which the first $k$ are replaced by adversarial ones, made for the
# network's current state, each with an ε drawn for it. The rest of Algorithm 1 is a weighted mean:
#
# $$\text{Loss} = \frac{1}{(m - k) + \lambda k}\Big(\sum_{\text{clean}} J(x_i, y_i) + \lambda \sum_{\text{adv}} J(x_i^{adv}, y_i)\Big)$$
#
# **Exercise 09.2.** Write this loss for a batch whose adversarial images are given.

# %%
def batch_loss(model, x, x_adv, y, weight):
    """The loss of Algorithm 1 for the batch in which x_adv replaces the first k of x.

    Returns a tensor of shape (), whose gradient reaches the model's parameters.
    model: from images to logits (N, K); x: the m clean images, (m, C, H, W);
    x_adv: the adversarial versions of the first k of them; y: the m labels; weight: λ.
    """
    ### BEGIN SOLUTION
    k = len(x_adv)
    clean = F.cross_entropy(model(x[k:]), y[k:], reduction="sum")
    adversarial = F.cross_entropy(model(x_adv), y[:k], reduction="sum")
    return (clean + weight * adversarial) / (len(x) - k + weight * k)
    ### END SOLUTION

batch_loss = check("09.2", batch_loss)

# %% [markdown]
# In the library this is `kurakin_loss`. The paper uses $m = 32$, $k = 16$, λ = 0.3 (Kurakin et al., 2017). Drawing ε per image keeps the network from
# learning one step size by heart.

# %%
scale, _ = train(partial(kurakin_loss, eps=STEP, weight=0.3))
sizes = [0, STEP / 4, STEP / 2, STEP]
lines = {name: [accuracy(model, fgsm(model, x, y, eps=eps), y) for eps in sizes] for name, model in [("ordinary", first), ("Algorithm 1", scale)]}
plots.show(plots.curves(sizes, lines, "ε of the step", "accuracy under FGSM", ylim=(0, 1.02)), "Trained at many sizes",
           alt="Accuracy under FGSM against ε for ordinary training and for Algorithm 1. Both start near one; ordinary training falls much faster.")

# %% [markdown]
# ### Label leaking
#
# Kurakin et al. (2017) saw something odd: after training on FGSM, some networks read attacked images *better* than clean ones. Why?

# %%
question("09.3")

# %%
### BEGIN SOLUTION
choice = "d"
### END SOLUTION
answer("09.3", choice)

# %% [markdown]
# How much does the step $p$ alone, without the image, tell about $y$? Train softmax regression on nothing but steps.

# %%
softmax = course.model("softmax")
misread = (softmax(x).argmax(1) != y).nonzero()[:, 0]

def told_by_the_step(aim):
    """The accuracies of a model that sees only the steps made for softmax regression: on all test images, and on those that it misreads."""
    steps, test_steps = ((0.5 + 5 * (step_towards(softmax, *batch, eps=0.1, aim=aim) - batch[0])) for batch in [(x_few, y_few), (x, y)])
    probe, _ = train(training.cross_entropy_loss, network=models.softmax_regression, images=(steps, y_few), epochs=3)
    return accuracy(probe, test_steps, y), accuracy(probe, test_steps[misread], y[misread])

# %%
told = {aim: told_by_the_step(aim) for aim in ("true", "predicted")}
plots.show(plots.matrix(told.values(), ["the true label", "the model's answer"], ["all images", "misread images"], "label read off the step", "step made for"),
           "What the step tells",
           alt="How often the label is read off the step alone. Made for the true label: nearly always, also for images that are misread. Made for the "
               "model's answer: never for those.")

# %% [markdown]
# The step carries the label: the attacker put it there. A network that trains on such steps can learn to read them, and the larger the step
# the easier it is. To see it quickly, take steps so large that little of the image is left, and train on them alone.

# %%
def large_steps(model, x, y, aim):
    """The loss on images that all made one large step."""
    return training.cross_entropy_loss(model, step_towards(model, x, y, eps=0.5, aim=aim), y)

leaks = {}
for aim in ("true", "predicted"):
    network, _ = train(partial(large_steps, aim=aim))
    leaks[aim] = [accuracy(network, step_towards(network, x, y, eps=0.5, aim=way), y) for way in ("true", "predicted")]
plots.show(plots.matrix(leaks.values(), ["the true label", "its own answer"], ["the true label", "its own answer"], "attacked with", "trained with"),
           "Reading the step",
           alt="Accuracy after one large step of two networks. The one trained on steps made with true labels is better when the attacker uses the true label "
               "than when the attacker does not; for the one trained on its own answers it is not.")

# %%
helped = {aim: with_label - without for aim, (with_label, without) in leaks.items()}
claim("Trained with true labels, the network reads {value:.0%} *more* images when the attacker uses the true label.", helped["true"], 0.08, 1)
claim("Trained with its own answers: {value:+.0%}. That is the cure.", helped["predicted"], -0.6, 0.07)

# %% [markdown]
# ## Madry: the worst image in the ball
#
# One step is not the worst that can happen. Madry et al. (2018) say what training should minimise, a **saddle point**:
#
# $$\min_\theta\; \mathbb{E}_{(x,y)}\Big[\max_{\lVert\delta\rVert_\infty\le\varepsilon} J(\theta, x + \delta, y)\Big]$$
#
# PGD approximates the inner maximum; the outer minimum is ordinary training at the image found. `pgd_loss` is these two lines.
# On small networks ε must grow slowly (`warm_up`): thrown into the full ball, they give up and answer the same to everything.

# %%
count = 6000 if course.quick else len(x_train)
batches = 2 * count // 64
own, history = train(warm_up(partial(pgd_loss, steps=3), eps=EPS, batches=batches), network=models.cnn,
                     images=(x_train[:count], y_train[:count]), epochs=4 if course.quick else 20, averaging=0.98)

# %%
claim("Trained from scratch just now: {value:.1%} of the clean images are right,", accuracy(own, course.data.x_test, course.data.y_test), 0.94, 1)
claim("and {value:.1%} under PGD with 40 steps.", accuracy(own, attack(own, x, y), y), 0.7, 1)

# %% [markdown]
# That took the larger part of this notebook's time. The zoo's robust network had more steps and all images; Madry et al. (2018) report 98.8 % clean
# and 89.3 % under their strongest PGD at ε = 0.3, and AutoAttack leaves their network 88.5 % (Croce and Hein, 2020).

# %% [markdown]
# ## What it covers, and what it does not
#
# Four networks against a range of ε. The one trained on FGSM has its own ε; the robust ones have theirs.

# %%
epsilons = [0, 0.1, 0.2, 0.3, 0.4]
networks = {"standard": standard, "trained on FGSM": trained_on_fgsm, "ours, on PGD": own, "the zoo's, on PGD": robust}
some = slice(0, 100 if course.quick else None)
lines = {name: [accuracy(model, attack(model, x[some], y[some], eps=eps, steps=10), y[some]) for eps in epsilons]
         for name, model in networks.items()}

# %% tags=["tells"]
plots.show(plots.curves(epsilons, lines, "ε of the attack", "accuracy under PGD", ylim=(0, 1.02)), "Beyond the ε of training",
           alt="Accuracy under PGD against ε for four networks. The standard one and the one trained on FGSM fall to zero early; the two trained on PGD hold "
               "up to about the ε of their training and fall steeply behind it.")

# %%
# %% [markdown]
# There is no reserve: behind the ε of training the curve falls to nothing. And other norms? An image may also be changed by a given Euclidean length, some
# pixels a lot and others not at all. Nobody trained for that. We attack in the ℓ2 ball twice, by PGD and by `square`, which only asks
# questions and needs no gradient.

# %%
trained_eps = course.trained_eps("robust")
length = 0.25 * trained_eps * x[0].numel() ** 0.5   # a quarter of the length that ε in every pixel would have
ways = {f"ℓ∞, ε = {trained_eps}\nPGD": partial(attack, eps=trained_eps, steps=20),
        f"ℓ2, ε = {length:.1f}\nPGD": partial(attack, eps=length, norm="l2", steps=20),
        f"ℓ2, ε = {length:.1f}\nsquare": partial(square, eps=length, norm="l2", queries=200, generator=course.generator())}
table = [[accuracy(model, way(model, x[some], y[some]), y[some]) for way in ways.values()] for model in (standard, robust)]
plots.show(plots.matrix(table, ["standard", "robust"], list(ways), "attack", "network"), "Another norm",
           alt="Accuracy of two networks under three attacks. The standard one is low under all. The robust one is high under PGD in the norm of its training "
               "and in the Euclidean norm, and lower under the attack without gradients.")

# %% [markdown]
# If the attack without gradients finds more than PGD does, then the gradients mislead, and PGD's number says little. On MNIST, Schott et al. (2019) showed
# just this for Madry's network. Notebook 10 is about such doubts.

# %% [markdown]
# ## Move it yourself
#
# Pick an image, a network and an ε. Everything is attacked while you wait. Look at what PGD has to *draw* to change the robust network's mind.

# %%
def under_attack(name, index, eps):
    """One image, attacked on the network of this name: figure, title, alt."""
    image, model = x[index:index + 1], networks[name]
    x_adv = attack(model, image, y[index:index + 1], eps=eps, steps=20)
    probabilities = model(x_adv)[0].softmax(0).cpu()
    figure, axes = plots.grid(1, 4, width=2, height=2, width_ratios=[1, 1, 1, 2])
    plots.draw_image(axes[0, 0], image[0], f"the image: {read(model, image)[0]}")
    plots.draw_image(axes[0, 1], (x_adv - image)[0], "what is added", signed=True)
    plots.draw_image(axes[0, 2], x_adv[0], f"the sum: {read(model, x_adv)[0]}")
    plots.draw_probabilities(axes[0, 3], probabilities, classes, true=y[index].item())
    alt = (f"An image of class {classes[y[index]]}, the perturbation that PGD finds at ε = {eps:.2f}, and their sum, in which the network ({name}) sees "
           f"the true class with a probability of {probabilities[y[index]]:.0%}.")
    return figure, f"{name}, ε = {eps:.2f}", alt

controls = {"name": widgets.choice("network", list(networks)), "index": widgets.slider("image", 0, 20, 3),
            "eps": widgets.slider("ε", 0.0, 0.5, 0.2, step=0.05)}
widgets.explore(under_attack, controls, static=[{"name": name, "eps": 0.3} for name in ("standard", "the zoo's, on PGD")], live=course.live)

# %% [markdown]
# ## Gradients that people can read
#
# Ask each network which pixels matter: the gradient of its loss at the image. Nobody asked for this when robustness was trained
# (Tsipras et al., 2019).

# %%
def gradient(model, x, y):
    """The gradient of the cross-entropy loss with respect to every image."""
    x = x.clone().requires_grad_()
    return torch.autograd.grad(F.cross_entropy(model(x), y, reduction="sum"), x)[0]

gradients = {name: gradient(model, x[some], y[some]) for name, model in [("standard", standard), ("robust", robust)]}
plots.show(plots.images([x[:8], gradients["standard"][:8], gradients["robust"][:8]], row_names=["image", "standard", "robust"], signed=[1, 2]),
           "What would raise the loss",
           alt="Eight images and below each the gradients of two networks. The standard network's look like noise over the whole picture; the robust "
               "network's follow the strokes.")

# %% [markdown]
# ## Two goals, said apart: TRADES and its relatives
#
# Zhang et al. (2019) split the aim. Be right on the clean image; and nearby, give the *same answer*, whatever it is:
#
# $$J(x, y) + \beta\,\max_{\lVert x' - x\rVert\le\varepsilon} \text{KL}\big(p(x)\,\Vert\,p(x')\big)$$
#
# **Exercise 09.4.** Write this loss for given $x'$. KL is $\sum_k p_k (\log p_k - \log q_k)$ per image.

# %%
def trades(model, x, x_adv, y, beta):
    """The mean cross-entropy on x plus beta times the mean of KL(p(x) ‖ p(x_adv)).

    Returns a tensor of shape (), whose gradient reaches the model's parameters through
    both answers, p(x) and p(x_adv).
    model: from images (N, C, H, W) to logits (N, K), of which p is the softmax.
    x, x_adv: images and their adversarial versions; y: the labels, shape (N,).
    """
    ### BEGIN SOLUTION
    log_p, log_q = model(x).log_softmax(1), model(x_adv).log_softmax(1)
    divergence = (log_p.exp() * (log_p - log_q)).sum(1)
    return F.cross_entropy(model(x), y) + beta * divergence.mean()
    ### END SOLUTION

trades = check("09.4", trades)

# %% [markdown]
# β is the price of robustness. MART (Wang et al., 2020) pushes harder where the network errs; adversarial logit pairing (Kannan et al., 2018)
# pulls the logits of $x$ and $x'$ together. All of them start here from the network that you trained, for one short epoch each.

# %%
losses = {"PGD": pgd_loss, "TRADES, β = 1": partial(trades_loss, beta=1.0), "TRADES, β = 6": trades_loss, "MART": mart_loss}
part = slice(0, 800 if course.quick else None)
relatives = {}
for name, loss in losses.items():
    model = copy.deepcopy(own).requires_grad_(True)
    training.fit(model, x_train[part], y_train[part], epochs=1, batch_size=64, loss=partial(loss, eps=EPS, steps=3), seed=SEED)
    relatives[name] = [accuracy(model, x, y), accuracy(model, attack(model, x[some], y[some], steps=20), y[some])]
plots.show(plots.matrix(relatives.values(), list(relatives), ["clean", f"PGD, ε = {EPS}"], "accuracy", "loss"), "Four losses, one epoch each",
           alt="Accuracy on clean and on attacked images after one epoch with each of four losses: all of them close together.")

# %%
question("09.5")

# %%
### BEGIN SOLUTION
choice = "c"
### END SOLUTION
answer("09.5", choice)

# %% [markdown]
# ### Pairing, and its breaking
#
# Logit pairing was announced as a large step: 27.9 % on ImageNet under targeted attacks (Kannan et al., 2018). Engstrom et al. (2018) took more
# steps and found 0.6 % left. The loss can be made small by *bending the surface near the images*, so that few steps lead nowhere. Provoke it:
# pair hard, with an attack of one step.

# %%
paired, _ = train(partial(logit_pairing_loss, eps=0.3, weight=2.0, steps=1, step_size=0.3), network=models.cnn, epochs=4,
                  images=(x_train[:2000], y_train[:2000]))
weak, strong = (accuracy(paired, attack(paired, x[some], y[some], eps=0.3, steps=steps, restarts=restarts), y[some])
                for steps, restarts in ((1, 1), (20, 2)))
claim("Twenty steps and two starts leave {value:.0%} fewer images right than one step does.", weak - strong, 0.1, 1)

# %% [markdown]
# ## Cheap ways, and a catastrophe
#
# PGD with k steps costs k + 1 trainings. *Free* training (Shafahi et al., 2019) takes the step of δ from the backward pass that it needs
# anyway; *fast* training (Wong et al., 2020) makes one step from a random start. What does an epoch cost, in forward and backward passes of the plain one?

# %% tags=["nbval-ignore-output"]
def seconds(loss):
    """The time of one epoch on a few images."""
    began = time.perf_counter()
    train(loss, network=models.cnn, epochs=1, images=(x_train[:500], y_train[:500]))
    return time.perf_counter() - began

methods = {"ordinary": training.cross_entropy_loss, "free, per step": free_loss(eps=EPS), "fast": partial(fast_loss, eps=EPS),
           "GradAlign": partial(grad_align_loss, eps=EPS), "PGD, 7 steps": partial(pgd_loss, eps=EPS), "TRADES, 7 steps": partial(trades_loss, eps=EPS)}
times = {name: seconds(loss) for name, loss in methods.items()}
for name, value in times.items():
    print(f"{name:16} {value / times['ordinary']:5.1f} × ordinary training")

# %% [markdown]
# One step should be enough, then? Train on single steps alone, your loss with $c = 0$, at a large ε, and measure after every epoch with one
# step and with many.

# %%
LARGE = {"mnist": 0.3}.get(course.data.name, 0.25)
tiny = {"network": models.cnn, "images": (x_train[:1500], y_train[:1500]), "epochs": 5, "learning_rate": 4e-3,
        "measure": partial(one_step_gap, x=x[some], y=y[some], eps=LARGE, steps=10)}
ramp = {"eps": LARGE, "batches": 48}   # two epochs of warm-up
bent, blind = train(warm_up(partial(adversarial_loss, c=0), **ramp), **tiny)
seen = list(range(1, 6))
plots.show(plots.curves(seen, {"FGSM": [entry["fgsm"] for entry in blind], "PGD": [entry["pgd"] for entry in blind]}, "epoch", "accuracy under attack",
                        ylim=(0, 1)), "Catastrophic overfitting",
           alt="Accuracy under FGSM and under PGD after every epoch of training on single steps. The first rises; the second stays far below it and falls.")
claim("In the end FGSM leaves {value:.0%} more of the images right than PGD does.", blind[-1]["gap"], 0.12, 1)

# %% [markdown]
# Wong et al. (2020) noticed that this happens suddenly, within one epoch: **catastrophic overfitting**. The network has bent its loss inside the ball so that
# the gradient at the start points to a harmless place. A few PGD steps after every epoch are enough to notice (`fast_training.catastrophic_epoch`).
#
# If it is a matter of bending, one can measure it: are the gradients at $x$ and beside it alike? **Exercise 09.6.**

# %%
def alignment(model, x, y, u):
    """The mean over images of the cosine between two gradients of the loss; a number.

    The loss is the cross-entropy at y, the gradients are those with respect to the
    image, at x and at x + u.
    model: from images (N, C, H, W) to logits; x: images; y: their labels, shape (N,);
    u: of the shape of x.
    """
    ### BEGIN SOLUTION
    vectors = []
    for images in (x, x + u):
        images = images.clone().requires_grad_()
        loss = F.cross_entropy(model(images), y, reduction="sum")
        vectors.append(torch.autograd.grad(loss, images)[0].flatten(1))
    return F.cosine_similarity(*vectors).mean().item()
    ### END SOLUTION

alignment = check("09.6", alignment)

# %% [markdown]
# GradAlign (Andriushchenko and Flammarion, 2020) trains on single steps and adds a penalty, 1 − your cosine. It needs the gradient of a gradient, and no
# attack of many steps.

# %%
straight, honest = train(warm_up(partial(grad_align_loss, weight=5.0), **ramp), **tiny)
u = LARGE * (2 * torch.rand(x[some].shape, generator=course.generator(), device=x.device) - 1)
cosines = [alignment(model, x[some], y[some], u) for model in (bent, straight)]

# %%
lines = {name: [entry["pgd"] for entry in history] for name, history in [("single steps", blind), ("single steps and GradAlign", honest)]}
plots.show(plots.curves(seen, lines, "epoch", "accuracy under PGD", ylim=(0, 1)), "Kept honest",
           alt="Accuracy under PGD after every epoch, for training on single steps with and without the penalty: higher with it.")
claim("GradAlign raises the cosine of the gradients by {value:.2f}.", cosines[1] - cosines[0], 0.08, 1)

# %% [markdown]
# ## The loss seen from above
#
# Walk from one image along the gradient's sign and along a random sign. What does the loss look like?

# %%
def landscape(model, image, label, reach=0.3, side=21):
    """The loss on the plane through an image, along the sign of its gradient and along a random sign, shape (side, side)."""
    along = gradient(model, image[None], label[None])[0].sign()
    across = torch.rand(image.shape, generator=course.generator(), device=image.device).sub(0.5).sign()
    a = torch.linspace(-reach, reach, side, device=image.device)
    plane = image + a.view(-1, 1, 1, 1, 1) * across + a.view(1, -1, 1, 1, 1) * along
    labels = label.expand(side * side)
    return F.cross_entropy(model(plane.flatten(0, 1).clamp(0, 1)), labels, reduction="none").view(side, side).cpu()

seen_by = {"standard": standard, "single steps": bent, "PGD": robust}
figure, axes = plots.grid(1, 3, width=2.6, height=2.3)
for panel, (name, model) in zip(axes[0], seen_by.items()):
    loss = torch.stack([landscape(model, x[i], y[i]) for i in range(20)]).mean(0)
    drawn = panel.contourf(*[torch.linspace(-0.3, 0.3, 21)] * 2, loss, levels=12, cmap="cividis")
    figure.colorbar(drawn, ax=panel, format="%.2g")
    panel.set(xlabel="along the gradient's sign", ylabel="a random sign" if name == "standard" else "")
    panel.set_title(name, fontsize=9)
plots.show(figure, "The loss near an image, mean of 20",
           alt="Three maps of the loss around an image. For the standard network it is high on one side, along the gradient. For the one trained on "
               "single steps it is bent. For the one trained on PGD it is low nearly everywhere.")

# %% [markdown]
# ## As a regulariser, on small training sets
#
# With few images a network learns them by heart. Adversarial examples are more images, whose labels are sure as long as ε is small. Do they
# help on *clean* test images? Three hundred training images, and your loss:

# %%
small = (x_train[:300], y_train[:300])
many = course.test_images(2000)
errors = {}
for name, loss in {"ordinary": training.cross_entropy_loss, "adversarial": partial(adversarial_loss, eps=0.1, c=0.5)}.items():
    runs = [train(loss, images=small, epochs=25, batch_size=50, seed=SEED + k)[0] for k in range(2)]
    errors[name] = sum(1 - accuracy(model, *many) for model in runs) / len(runs)

# %%
claim("With 300 training images the adversarial loss lowers the clean error by {value:.1%}.", errors["ordinary"] - errors["adversarial"], -0.005, 0.06)

# %% [markdown]
# *Virtual* adversarial training (Miyato et al., 2019) needs no label for its second part: the answer at $x$ shall stay the same in the
# direction in which it changes most. So images without labels can take part. Eight labelled points in two moons, and the others without:

# %%
from sklearn.datasets import make_moons

points, side = (torch.from_numpy(part) for part in make_moons(500, noise=0.08, random_state=SEED))
points = (points.float().view(-1, 2, 1, 1) + 1.5) / 4   # into [0, 1], as images of two pixels
labelled = torch.cat([(side == k).nonzero()[:4, 0] for k in range(2)])
moons = {}
for name, loss in {"8 labels": training.cross_entropy_loss,
                   "8 labels and 492 points": partial(virtual_adversarial_loss, eps=0.05, unlabelled=points, xi=1e-3)}.items():
    with training.seeded(SEED):
        model = models.mlp((2, 1, 1), 2, hidden=50)
    training.fit(model, points[labelled].repeat(16, 1, 1, 1), side[labelled].repeat(16), epochs=150, batch_size=128, learning_rate=8e-3, loss=loss)
    moons[name] = model.requires_grad_(False)

# %%
across = torch.linspace(0, 1, 80)
figure, axes = plots.grid(1, 2, width=3.3, height=2.6)
for panel, (name, model) in zip(axes[0], moons.items()):
    score = model(torch.cartesian_prod(across, across).view(-1, 2, 1, 1)).softmax(1)[:, 1].view(80, 80).T
    panel.contourf(across, across, score, levels=10, cmap="RdBu", alpha=0.7)
    panel.scatter(*points.view(-1, 2).T, s=3, color="#777777")
    for k, marker in enumerate("os"):
        panel.scatter(*points.view(-1, 2)[labelled[side[labelled] == k]].T, marker=marker, s=40, color=plots.COLOURS[1 - k], edgecolor="white")
    panel.set_title(f"{name}: {accuracy(model, points, side):.0%} right", fontsize=9)
    panel.set(xlim=(0, 1), ylim=(0.1, 0.75), xlabel="input 1", ylabel="input 2")
plots.show(figure, "With and without unlabelled points", on="two moons",
           alt="Two maps of a classifier's score over the plane with two moons of grey points and eight labelled ones. With labels alone the border cuts "
               "straight through the moons; with the unlabelled points it bends along them.")

# %% [markdown]
# Miyato et al. (2019) report an error of 1.36 % on MNIST with 100 labels. That takes fifty thousand steps and does not fit into these minutes.

# %% [markdown]
# ## Robust overfitting, and two ways out
#
# Ordinary networks may train on and on. Robust ones get worse on new images, and soon (Rice et al., 2020). Few images make it quick to see.
# The loss that we watch is the one *under attack*.

# %%
watched = partial(pgd_loss, eps=0.05, steps=5)
held_out = (x_train[-300:], y_train[-300:])
options = {"images": (x_train[:200], y_train[:200]), "epochs": 25, "learning_rate": 5e-3, "validation": held_out, "validation_loss": watched}
last, long_run = train(partial(pgd_loss, eps=0.05, steps=3), **options)
averaged, mean_run = train(partial(pgd_loss, eps=0.05, steps=3), averaging=0.9, **options)

# %%
curves = {"training": [entry["loss"] for entry in long_run], "new images": [entry["validation_loss"] for entry in long_run],
          "new images, averaged weights": [entry["validation_loss"] for entry in mean_run]}
plots.show(plots.curves(list(range(1, 26)), curves, "epoch", "loss under attack", ylim=(0, None)), "Robust overfitting",
           alt="Loss under attack against epochs. On the training images it falls towards zero. On new images it falls, turns, and rises; with averaged "
               "weights it rises later and less.")
best = min(entry["validation_loss"] for entry in long_run)
claim("By the last epoch the loss under attack on new images is {value:.2f} times its best value.", long_run[-1]["validation_loss"] / best, 1, 4)

# %% [markdown]
# Out of it lead *early stopping* on the attacked loss (`patience`) and *averaging the weights* along the training (`averaging`).

# %% [markdown]
# ## What to remember
#
# * Adversarial training is ordinary training on the worst image that we can find near each one, made anew at every step.
# * The network learns to resist the attack that it was trained on. One step, a fixed ε, a leaked label: each of them is a loophole, and it is found.
# * Robustness ends at the ε and the norm of training. It costs time, and often accuracy.
# * Every number under attack is an upper bound. Single steps and few steps flatter; notebook 10 makes a method of doubting.
# * Watch the attacked loss on new images, and stop in time.

# %%
progress()

# %% [markdown]
# ## Further reading
#
# * Goodfellow, Shlens, Szegedy, *Explaining and harnessing adversarial examples*, [arXiv:1412.6572](https://arxiv.org/abs/1412.6572): the loss with c.
# * Kurakin, Goodfellow, Bengio, *Adversarial machine learning at scale*, [arXiv:1611.01236](https://arxiv.org/abs/1611.01236): Algorithm 1 and label leaking.
# * Madry et al., *Towards deep learning models resistant to adversarial attacks*, [arXiv:1706.06083](https://arxiv.org/abs/1706.06083).
# * Zhang et al., *TRADES*, [arXiv:1901.08573](https://arxiv.org/abs/1901.08573); Wang et al., *MART*, [OpenReview](https://openreview.net/forum?id=rklOg6EFwS).
# * Shafahi et al., *Adversarial training for free!*, [arXiv:1904.12843](https://arxiv.org/abs/1904.12843); Wong et al., *Fast is better than free*, [arXiv:2001.03994](https://arxiv.org/abs/2001.03994);
#   Andriushchenko, Flammarion, *GradAlign*, [arXiv:2007.02617](https://arxiv.org/abs/2007.02617).
# * Miyato et al., *Virtual adversarial training*, [arXiv:1704.03976](https://arxiv.org/abs/1704.03976); Rice et al., *Overfitting in adversarially robust deep learning*, [arXiv:2002.11569](https://arxiv.org/abs/2002.11569);
#   Tsipras et al., *Robustness may be at odds with accuracy*, [arXiv:1805.12152](https://arxiv.org/abs/1805.12152).
# * **Since corrected.** Training on FGSM was thought to be a defence until many steps were tried. Logit pairing ([arXiv:1803.06373](https://arxiv.org/abs/1803.06373)) did
#   not survive a closer look ([arXiv:1807.10272](https://arxiv.org/abs/1807.10272)). Madry's network, 89.3 % robust in the paper, keeps 88.5 % under AutoAttack ([arXiv:2003.01690](https://arxiv.org/abs/2003.01690)).
