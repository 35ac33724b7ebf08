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
# # 01 · Adversarial examples
#
# ### What you will be able to do
#
# * make an adversarial example with your own hands, on a linear model and on a network,
# * tell it apart from noise of the same size,
# * say why such examples exist, as far as anyone knows.
#
# **Time** about 90 minutes · **Before** notebook 00 · **Library** `advcourse.attacks`, `advcourse.plots`

# %% [markdown]
# ### Threat-model card
#
# | | in this notebook |
# |---|---|
# | What does the attacker want? | any wrong class; later, one class in particular |
# | What does the attacker know? | everything: architecture and weights (*white box*) |
# | What may be changed? | every pixel, each by at most ε (the ℓ∞ norm); grey values stay in [0, 1] |
# | When? | after training, one image at a time, one step |
# | What counts as success? | the model's class changes while people still read the original |

# %% tags=["parameters"]
PROFILE = "quick"   # "full": train everything here, on more images (a GPU helps)
DATASET = "auto"    # MNIST where it can be had, else letters drawn from fonts
SEED = 0
DEVICE = "auto"
STUDENT = ""        # your name or number: it shuffles the answers of questions

# %% tags=["setup"]
import torch
from torch.nn import functional as F

from advcourse import models, plots, training, widgets
from advcourse.attacks import fgsm
from advcourse.evaluate import accuracy
from advcourse.exercises import answer, check, hint, progress, question
from advcourse.notebook import claim, compare_guess, record, start

course = start("01", profile=PROFILE, dataset=DATASET, seed=SEED,
               device_name=DEVICE, student=STUDENT)

# %% [markdown]
# ## A question
#
# Two rows of images. Read them aloud. The network that we ask reads the upper row without a mistake.
# What does it read in the lower row?

# %%
x, y = course.test_images(1000 if course.quick else 10_000)
classes = course.data.classes
cnn = course.model("cnn")
x_adv = fgsm(cnn, x, y, eps=0.2)

# %%
def read(model, images):
    """The names of the classes that the model sees."""
    return [classes[label] for label in model(images).argmax(1)]

fooled = ((cnn(x).argmax(1) == y) & (cnn(x_adv).argmax(1) != y)).nonzero()[:8, 0]
plots.show(plots.images([x[fooled], x_adv[fooled]], [read(cnn, x[fooled]), read(cnn, x_adv[fooled])], ["original", "changed"]),
           "What the network reads",
           alt="Eight test images and below each a slightly changed copy. People read the same in both rows; above each "
               "picture stands what the network reads: right in the upper row, wrong in every one of the lower row.")

# %% [markdown]
# Every picture in the lower row is an **adversarial example**: an input that was changed a little, on purpose, so that a model
# gets it wrong. By the end of this notebook you will have written the function that made them.

# %% [markdown]
# ## Local generalisation
#
# A model generalises *locally* when slight changes do not matter to it. Formally: take an image $x$ of class $y$ that the
# model $f$ gets right, $f(x) = y$, and a second image $x_p = x + p$ near it. Then
#
# $$d(x, x_p) \le \varepsilon \quad\Longrightarrow\quad f(x_p) = f(x).$$
#
# Here $d$ is the largest change of any pixel, $\lVert x_p - x\rVert_\infty$, and ε is small enough that nobody minds.
# The images that satisfy the left side form the **ε-ball** around $x$.

# %% [markdown]
# **Exercise 01.1.** Any wild image can be brought into the ε-ball by clipping. Write the function that does it; you will need it
# in almost every attack of the course.

# %%
def project(x_p, x, eps):
    """The allowed image nearest to x_p: within eps of x in every pixel, and in [0, 1].

    x_p, x: tensors of shape (N, C, H, W), x in [0, 1]; eps: a number.
    Returns a tensor of the same shape.
    """
    ### BEGIN SOLUTION
    return torch.clamp(x_p, x - eps, x + eps).clamp(0, 1)
    ### END SOLUTION

project = check("01.1", project)

# %% [markdown]
# Does the network generalise locally? The obvious test is to draw random changes and look.
# We push every pixel a full ε up or down by the toss of a coin.

# %%
def random_signs(images):
    """A tensor of +1 and −1, tossed with the notebook's seed."""
    coins = torch.rand(images.shape, generator=course.generator(), device=images.device)
    return (coins < 0.5).to(images.dtype) * 2 - 1

x_p = project(x + 0.1 * random_signs(x), x, eps=0.1)
same = (cnn(x_p).argmax(1) == cnn(x).argmax(1)).float().mean()
claim("Random changes of ±0.1 leave the network's answer as it was on {value:.1%} of the images.", same, 0.85, 1)

# %% [markdown]
# It looks as if local generalisation held. But the statement says *every* $x_p$ in the ball, and we tried one per image.
# The ball has as many dimensions as the image has pixels, and somebody who means harm does not toss coins.

# %% [markdown]
# ## By hand, on a linear model
#
# Softmax regression gives class $k$ the score $w_k^\top x + b_k$. Its weights are one picture per class:
# blue pixels speak against the class, red ones for it.

# %%
softmax = course.model("softmax")
weight, bias = softmax[1].weight.detach(), softmax[1].bias.detach()
shape = course.data.x_test.shape[1:]
plots.show(plots.images([weight.view(-1, *shape)], [classes], signed=[0]),
           "The weights of softmax regression",
           alt="One picture per class with the class's weights, blue for negative and red for positive. The shape of the class "
               "can be made out, surrounded by noise.")

# %% [markdown]
# To turn class $y$ into class $t$ an attacker raises $t$'s lead over $y$, $(w_t - w_y)^\top \delta$, with every entry of δ limited
# by ε. **Exercise 01.2**: which δ raises it most? There is a closed form.

# %%
def linear_attack(weight, y, target, eps):
    """Of all perturbations within ±eps, the one that raises target's lead over y most.

    weight: tensor of shape (K, n), one row per class; y, target: two class numbers;
    eps: a number, the limit for every entry. Returns a tensor of shape (n,).
    """
    ### BEGIN SOLUTION
    return eps * (weight[target] - weight[y]).sign()
    ### END SOLUTION

linear_attack = check("01.2", linear_attack)

# %% [markdown]
# The lead grows by exactly $\varepsilon\,\lVert w_t - w_y\rVert_1$. So for a linear model we can say how large ε must be: the lead
# that $y$ has, divided by that norm. No experiment is needed, and no defence can hide it.

# %%
logits = softmax(x)
lead = logits.gather(1, y[:, None]) - logits
reach = (weight[y][:, None] - weight[None]).abs().sum(2)
needed = (lead / reach).masked_fill(F.one_hot(y, len(classes)).bool(), float("inf"))
smallest, nearest = needed.min(1)

# %%
right = smallest > 0
claim("Half of the images that softmax regression reads right need no more than ε = {value:.3f}.",
      smallest[right].median(), 0.01, 0.09)

# %% [markdown]
# One limit is missing: black cannot get blacker. Half of what the attacker wants to do to a black background is lost in clipping, so with
# grey values kept in [0, 1] the ε above is a *lower bound*. Below, one image at three times its bound.

# %%
i = smallest.masked_fill(~right, float("inf")).argsort()[right.sum() // 2].item()
eps = 3 * smallest[i].item()
delta = linear_attack(weight, y[i].item(), nearest[i].item(), eps).view(shape)
plots.show(*widgets.perturbation_figure(softmax, x[i], delta / eps, eps, "the linear attack", classes))

# %%
signs = torch.stack([linear_attack(weight, a, b, 1.0) for a, b in zip(y[right].tolist(), nearest[right].tolist())])
x_three = (x[right] + 3 * smallest[right].view(-1, 1, 1, 1) * signs.view(-1, *shape)).clamp(0, 1)
flipped = (softmax(x_three).argmax(1) != y[right]).float().mean()
claim("Inside [0, 1], three times the bound changes the class of {value:.0%} of the images.", flipped, 0.6, 1)

# %% [markdown]
# A small part of the way from black to white, and the answer flips. Does it need a linear model?

# %% [markdown]
# ## One step on any network
#
# A network has no weight picture, but near $x$ it is almost linear, and the gradient of its loss takes the weights' place:
# $J(x + \delta) \approx J(x) + \delta^\top \nabla_x J(x, y)$. The same argument as before gives the best δ.
# This is the *fast gradient sign method* (Goodfellow et al., 2015).

# %% [markdown]
# **Exercise 01.3.** One step: up the loss, by ε in every pixel, then back into [0, 1].

# %%
def one_step(model, x, y, eps):
    """One step of eps in every pixel, along the sign of the cross-entropy's gradient.

    model: from images (N, C, H, W) in [0, 1] to logits (N, K);
    x: such images; y: their labels, shape (N,); eps: a number.
    Returns the changed images, in [0, 1].
    """
    ### BEGIN SOLUTION
    x = x.clone().requires_grad_()
    loss = F.cross_entropy(model(x), y)
    gradient = torch.autograd.grad(loss, x)[0]
    return (x + eps * gradient.sign()).clamp(0, 1).detach()
    ### END SOLUTION

one_step = check("01.3", one_step)

# %% [markdown]
# **Predict before you run.** Softmax regression reads most test images right. Every pixel may change by a quarter of the
# way from black to white: on how many percent of the images does it err after your step? And when the signs are tossed?

# %%
### BEGIN SOLUTION
my_guess = 99
my_guess_for_coins = 50
### END SOLUTION

# %%
error = 1 - accuracy(softmax, one_step(softmax, x, y, 0.25), y)
coin_error = 1 - accuracy(softmax, (x + 0.25 * random_signs(x)).clamp(0, 1), y)

# %% tags=["tells"]
compare_guess(my_guess, 100 * error)
compare_guess(my_guess_for_coins, 100 * coin_error)
claim("At ε = 0.25 softmax regression errs on {value:.1%} of the attacked images.", error, 0.99, 1)
claim("With tossed signs of the same size it errs on {value:.1%}.", coin_error, 0.2, 0.85)

# %% [markdown]
# <details><summary>After your guess: what this shows</summary>
#
# Goodfellow et al. (2015) report an error of 99.9 % for softmax regression on MNIST at this ε. Both rows of numbers
# change every pixel by the same amount. Only the *direction* differs.
#
# </details>

# %% [markdown]
# ## Noise of the same size
#
# Is an adversarial example just an unlucky piece of noise? Give Gaussian noise the same Euclidean length as the perturbation,
# image by image, and ask the network again.

# %%
def of_same_length(noise, delta):
    """The noise, scaled image by image to the Euclidean length of delta."""
    length = delta.flatten(1).norm(dim=1) / noise.flatten(1).norm(dim=1)
    return noise * length.view(-1, 1, 1, 1)

x_adv = one_step(cnn, x, y, 0.15)
noise = torch.randn(x.shape, generator=course.generator(), device=x.device)
x_noise = (x + of_same_length(noise, x_adv - x)).clamp(0, 1)

# %%
fooled = ((cnn(x).argmax(1) == y) & (cnn(x_adv).argmax(1) != y)).nonzero()[:8, 0]
rows = [images[fooled] for images in (x, x_adv, x_noise)]

# %% tags=["tells"]
plots.show(plots.images(rows, [read(cnn, row) for row in rows], ["original", "adversarial", "Gaussian"]),
           "The same length, three directions",
           alt="Three rows of eight images: originals, adversarial examples and images with Gaussian noise of the same length. "
               "People read all three rows alike. The network errs on every adversarial one and hardly on any noisy one.")

# %% tags=["tells"]
claim("Accuracy of the network on adversarial images: {value:.1%}.", accuracy(cnn, x_adv, y), 0, 0.35)
claim("Accuracy on images with Gaussian noise of the same length: {value:.1%}.", accuracy(cnn, x_noise, y), 0.9, 1)

# %% [markdown]
# ## Where machines are the stronger readers
#
# People and networks can disagree the other way round. Train a network on very noisy images: it learns to see what we cannot.
# The loss below adds noise of a random strength, up to twice the range of grey values, to every batch.

# %%
def noisy_loss(model, x, y):
    """Cross-entropy on images with Gaussian noise, its strength drawn per image from [0, 2]."""
    strength = 2 * torch.rand(len(x), 1, 1, 1, device=x.device)
    return F.cross_entropy(model((x + strength * torch.randn_like(x)).clamp(0, 1)), y)

hardened = models.cnn(shape, len(classes)).to(course.device)
few = slice(0, 10_000 if course.quick else None)
history = training.fit(hardened, course.data.x_train[few], course.data.y_train[few], epochs=5, learning_rate=2e-3,
                       loss=noisy_loss, seed=SEED)

# %%
x_strong = (x + 1.0 * noise).clamp(0, 1)
read_right = (hardened(x_strong).argmax(1) == y).nonzero()[:8, 0]
plots.show(plots.images([x_strong[read_right], x[read_right]], [read(hardened, x_strong[read_right]), [""] * 8],
                        ["with noise", "before"]),
           "Can you read the upper row?",
           alt="Eight images under noise so strong that people see little but snow, with what the network reads in each, and "
               "below them the same images before the noise: the network was right about all eight.")
claim("Under this noise the network that was trained on noise still reads {value:.0%} of all test images.",
      accuracy(hardened, x_strong, y), 0.5, 0.95)

# %% [markdown]
# So neither "people see it and models don't" nor the reverse holds in general: the two look at different things.
# Keep that in mind for the last section.

# %% [markdown]
# ## How accuracy falls
#
# One ε tells little. **Exercise 01.4**: the accuracy for a list of them.

# %%
def accuracy_curve(model, attack, x, y, epsilons):
    """The accuracy under attack, a share in [0, 1], for each eps in epsilons.

    model: from images (N, C, H, W) to logits (N, K); x, y: images and labels;
    attack: a function (model, x, y, eps) -> x_adv, such as your one_step.
    Returns a list of numbers, in the order of epsilons.
    """
    ### BEGIN SOLUTION
    accuracies = []
    for eps in epsilons:
        x_adv = attack(model, x, y, eps)
        right = model(x_adv).argmax(1) == y
        accuracies.append(right.float().mean().item())
    return accuracies
    ### END SOLUTION

accuracy_curve = check("01.4", accuracy_curve)

# %%
def coin_step(model, x, y, eps):
    return (x + eps * random_signs(x)).clamp(0, 1)

mlp = course.model("mlp")
epsilons = [0, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3]
lines = {name: accuracy_curve(model, one_step, x, y, epsilons)
         for name, model in [("softmax regression", softmax), ("multilayer perceptron", mlp), ("convolutional network", cnn)]}
lines["convolutional network, tossed signs"] = accuracy_curve(cnn, coin_step, x, y, epsilons)

# %%
plots.show(plots.curves(epsilons, lines, "ε, the largest change of a pixel", "accuracy", ylim=(0, 1.02)), "Accuracy under one step",
           alt="Accuracy against ε for three models under attack and one under random signs. All three attacked models fall from "
               "above 0.9 to near 0 before ε = 0.3, the linear one first; under random signs the network stays above 0.9.")
claim("At ε = 0.1 the multilayer perceptron is still right about {value:.0%} of the images.",
      lines["multilayer perceptron"][3], 0, 0.3)
record("accuracy under one step", {"epsilons": epsilons, **lines})

# %% [markdown]
# ## Move it yourself
#
# Pick an image, a direction and an ε. *Up the loss* is your step; *tossed signs* changes every pixel by as much; the other
# directions go down the loss of a class that you would like the network to see.

# %%
def loss_gradient(model, x, y):
    """The gradient of the cross-entropy loss with respect to every image."""
    x = x.clone().requires_grad_()
    return torch.autograd.grad(F.cross_entropy(model(x), y, reduction="sum"), x)[0]

some, labels = x[:20], y[:20]
directions = {"up the loss": loss_gradient(cnn, some, labels).sign(), "tossed signs": random_signs(some)}
for target, name in enumerate(classes):
    directions[f"towards {name}"] = -loss_gradient(cnn, some, torch.full_like(labels, target)).sign()
widgets.perturbation(cnn, some, directions, classes, eps=0.2, live=course.live)

# %% [markdown]
# ## Why? First suspect: overfitting
#
# A model may fail here because it has learnt its training images by heart. Two things would follow: (a) it would react to
# tiny changes, having followed every quirk of the data; (b) it would put blobs of probability into places where no data ever was.
# Both are easy to see in two dimensions.

# %%
from sklearn.svm import SVC

random = torch.Generator().manual_seed(SEED)
points = torch.randn(60, 2, generator=random)
sides = (points[:, 0] + 0.9 * torch.randn(60, generator=random) > 0).long()
fits = {"fitted well": SVC(kernel="linear", C=0.1), "overfitted": SVC(gamma=8.0, C=1000.0)}
across = torch.linspace(-4, 4, 120)
plane = torch.cartesian_prod(across, across)

# %%
figure, axes = plots.grid(1, 2, width=3.6, height=3)
for panel, (name, svm) in zip(axes[0], fits.items()):
    score = torch.from_numpy(svm.fit(points, sides).decision_function(plane)).view(120, 120).T
    panel.contourf(across, across, score.clamp(-1, 1), levels=9, cmap="RdBu", alpha=0.8)
    for side, marker in enumerate("os"):
        panel.scatter(*points[sides == side].T, marker=marker, s=14, color=plots.COLOURS[1 - side], edgecolor="white")
    panel.set_title(f"{name}: {svm.score(points, sides):.0%} of its training points", fontsize=9)
    panel.set(xlabel="input 1", ylabel="input 2")
plots.show(figure, "Overfitting in the plane", on="synthetic points",
           alt="Two maps of a classifier's score over the plane. The well fitted one is split by one straight border. The overfitted "
               "one has small blobs around single training points, and borders close to nearly all of them.")

# %% [markdown]
# (b) has a counterpart on images. **Exercise 01.5**: start from pure noise, which is nothing at all, and change it until the
# network gives a class a probability $p \ge 0.99$. Here nothing need stay small.

# %%
def fooling_image(model, x, target):
    """An image that the model assigns to `target` with a probability of at least 0.99.

    model: from images to logits; x: noise to start from, shape (1, C, H, W), in [0, 1];
    target: a class number. Returns an image of that shape, in [0, 1].
    """
    ### BEGIN SOLUTION
    label = torch.tensor([target], device=x.device)
    for _ in range(100):
        x = x.detach().requires_grad_()
        gradient = torch.autograd.grad(F.cross_entropy(model(x), label), x)[0]
        x = (x - 0.02 * gradient.sign()).clamp(0, 1)
    return x.detach()
    ### END SOLUTION

fooling_image = check("01.5", fooling_image)

# %%
start_image = torch.rand(1, *shape, generator=course.generator(), device=course.device)
images = torch.cat([fooling_image(cnn, start_image, target) for target in range(len(classes))])
sure = cnn(images).softmax(1).diagonal()
plots.show(plots.images([images], [[f"{name}: {p:.1%}" for name, p in zip(classes, sure)]]),
           "Noise that the network is sure of",
           alt="Ten pictures of what looks like noise; above each a class and the network's confidence in it, at least 99 percent.")
claim("Its lowest confidence in these ten pictures is {value:.2%}.", sure.min(), 0.99, 1)

# %% [markdown]
# So blobs in unseen places exist. But is overfitting to blame? Look at the two things that overfitting cannot explain.
# First: these models do *not* overfit. They are about as good on images that they have never seen.

# %%
count = len(x)
seen, seen_labels = course.data.x_train[:count].to(course.device), course.data.y_train[:count].to(course.device)
gap = accuracy(softmax, seen, seen_labels) - accuracy(softmax, x, y)
claim("Accuracy of softmax regression on training images, minus that on test images: {value:+.3f}.", gap, -0.05, 0.1)

# %% [markdown]
# Second: **transfer**. Train two networks on different images, with different starting weights, and show the second one the images
# that were made to fool the first.

# %%
half = 10_000 if course.quick else len(course.data.x_train) // 2
half = min(half, len(course.data.x_train) // 2)
pair = []
for k in range(2):
    network = models.mlp(shape, len(classes)).to(course.device)
    part = slice(k * half, (k + 1) * half)
    training.fit(network, course.data.x_train[part], course.data.y_train[part], epochs=6, seed=SEED + k)
    pair.append(network)

# %%
first, second = pair
x_adv, x_coin = one_step(first, x, y, 0.1), coin_step(first, x, y, 0.1)
made_for_first, carried_over, by_chance = (
    1 - accuracy(first, x_adv, y), 1 - accuracy(second, x_adv, y), 1 - accuracy(second, x_coin, y))
both = (first(x_adv).argmax(1) != y) & (second(x_adv).argmax(1) != y)
agree = (first(x_adv).argmax(1) == second(x_adv).argmax(1))[both].float().mean()

# %%
claim("Error of the first network on images made for it: {value:.0%}.", made_for_first, 0.75, 1)
claim("Error of the second network on the same images: {value:.0%}.", carried_over, 0.4, 1)
claim("That is {value:.1f} times its error under tossed signs.", carried_over / by_chance, 2, 20)
claim("Where both err, they give the same wrong class in {value:.0%} of the cases.", agree, 0.5, 1)

# %% [markdown]
# Two networks that share no training image share their mistakes. What follows?

# %%
question("01.6")

# %%
### BEGIN SOLUTION
choice = "b"
### END SOLUTION
answer("01.6", choice)

# %% [markdown]
# What an overfitted model learnt by accident would not hurt a model that never saw its images. What the two share comes from elsewhere:
# from the task, from the data, or from the kind of function that both compute.

# %% [markdown]
# ## Second suspect: too many small changes
#
# Look at the linear model again. Its score changes by $w^\top\delta$. What do more pixels do to it?

# %%
question("01.7")

# %%
### BEGIN SOLUTION
choice = "b"
### END SOLUTION
answer("01.7", choice)

# %% [markdown]
# At worst the change is $\varepsilon\lVert w\rVert_1$: one term per pixel. With weights of a given average size, it grows *in step with
# the number of inputs*, while $\lVert\delta\rVert_\infty$ stays at ε. Coin tosses cancel, and grow only like its square root.

# %%
sizes = [10, 100, 1000, 10_000, 100_000]
worst, tossed = [], []
for n in sizes:
    w = torch.randn(100, n, generator=random)
    worst.append((0.1 * w.abs().sum(1)).mean().item())
    coins = torch.randint(0, 2, (100, n), generator=random) * 2 - 1
    tossed.append((0.1 * (w * coins).sum(1)).pow(2).mean().sqrt().item())

# %%
plots.show(plots.curves(sizes, {"worst δ": worst, "tossed signs": tossed}, "number of inputs n", "change of the score wᵀδ",
                        xscale="log", yscale="log"),
           "The same ε, more inputs", on="random linear models",
           alt="Change of a linear score against the number of inputs, both axes logarithmic. The worst perturbation's line rises "
               "with slope one, that of tossed signs with slope one half.")
slope = torch.tensor([worst[-1] / worst[0]]).log10().item() / 4
claim("Slope of the worst change on this plot: {value:.2f}.", slope, 0.9, 1.1)

# %% [markdown]
# Trained weights are not random. So vary the number of inputs of a real model: shrink or enlarge the images, train softmax regression on each
# size, and compare its worst change with that of tossed signs.

# %%
sides = [7, 14, 28, 56]
advantage = []
for side in sides:
    resized = F.interpolate(course.data.x_train[:5000], size=(side, side), mode="bilinear", antialias=True).clamp(0, 1)
    linear = models.softmax_regression((shape[0], side, side), len(classes)).to(course.device)
    training.fit(linear, resized, course.data.y_train[:5000], epochs=4, seed=SEED)
    rows = linear[1].weight.detach()
    difference = (rows[:, None] - rows[None]).flatten(0, 1)
    advantage.append((difference.abs().sum(1) / difference.norm(dim=1)).nanmean().item())

# %%
plots.show(plots.curves(sides, {"softmax regression": advantage}, "side of the image in pixels, √n",
                        "worst change / that of tossed signs", xlim=(0, 60), ylim=(0, None)),
           "How much better than chance the attacker does",
           alt="Ratio of the worst change to the typical change under tossed signs, against the side of the image: nearly a straight "
               "line through the origin.")
claim("From 7 × 7 to 56 × 56 pixels the attacker's advantage over chance grows {value:.1f}-fold.",
      advantage[-1] / advantage[0], 5, 10)

# %% [markdown]
# Sixty-four times as many inputs, and about eight times the advantage: the square root, as the linear argument says.
# The sum grows with n for the attacker and with √n for chance.

# %% [markdown]
# ## Networks are nearly straight
#
# Why does the argument carry over to networks? ReLU networks are *piecewise linear*. Walk from an image along the adversarial
# direction and plot the logits: if the network bends wildly we should see it.

# %%
steps = torch.linspace(-0.5, 0.5, 81, device=course.device)
sign = loss_gradient(cnn, x[:200], y[:200]).sign()
with torch.no_grad():
    walk = torch.stack([cnn(x[:200] + step * sign) for step in steps])

# %%
rivals = walk[-1, 0].argsort(descending=True)
shown = [y[0].item()] + [k for k in rivals.tolist() if k != y[0]][:4]
plots.show(plots.curves(steps.tolist(), {f"class {classes[k]}": walk[:, 0, k].tolist() for k in shown},
                        "ε along the sign of the gradient", "logit"),
           f"Five logits of one image of class {classes[y[0]]}",
           alt="Five logits of one image along a line through it. They bend little; the true class leads at ε = 0 and is "
               "overtaken within a short distance to the right.")

# %%
def straightness(values, at):
    """R² of a straight line fitted to each column of values, (steps, images), over the positions `at`."""
    at, values = at - at.mean(), values - values.mean(0)
    return (at[:, None] * values).sum(0) ** 2 / (at.square().sum() * values.square().sum(0))

near = (steps >= 0) & (steps <= 0.15)
true_logit = walk.gather(2, y[:200].view(1, -1, 1).expand(len(steps), -1, 1))[:, :, 0]
share = (straightness(true_logit[near], steps[near]) >= 0.9).float().mean()
claim("A straight line explains at least 90 % of the true class's logit, up to ε = 0.15, for {value:.0%} of the images.", share, 0.8, 1)

# %% [markdown]
# ## Linear models far from the data
#
# A linear score does not know where the data ends. Walk away from an image in *any* direction and some class wins by an ever
# larger margin: the model gets surer as there is less and less to be sure of.

# %%
distances = [0, 1, 2, 5, 10, 20, 50]
away = torch.randn(x[:200].shape, generator=course.generator(), device=x.device)
confidence = {name: [model(x[:200] + d * away).softmax(1).amax(1).mean().item() for d in distances]
              for name, model in [("softmax regression", softmax), ("convolutional network", cnn)]}
plots.show(plots.curves(distances, confidence, "length of the walk, in grey values per pixel", "mean confidence", ylim=(0, 1.02)),
           "Ever surer of nothing",
           alt="Mean confidence of two models against the distance walked from the images in random directions: after a dip close "
               "to the data both rise towards one.")
claim("Fifty grey values away from anything real, softmax regression is {value:.1%} sure on average.",
      confidence["softmax regression"][-1], 0.95, 1)

# %% [markdown]
# ## What research has since added: features, not bugs
#
# Linearity explains why one step works. It does not explain why the directions exist, and why they mean the same to different networks.
# Ilyas et al. (2019) propose: they are *features*. Patterns that people do not see do predict the class, and models use them.
# Their experiment is easy to repeat. Take training images, and change each a little so that a network reads a class drawn at random.

# %%
def towards(model, x, target, eps=3.0, steps=10):
    """x, moved down the loss of the target class by at most eps in Euclidean length."""
    delta = torch.zeros_like(x)
    for _ in range(steps):
        gradient = loss_gradient(model, x + delta, target)
        delta -= eps / 4 * gradient / gradient.flatten(1).norm(dim=1).clamp_min(1e-12).view(-1, 1, 1, 1)
        delta *= (eps / delta.flatten(1).norm(dim=1).clamp_min(1e-12)).clamp(max=1).view(-1, 1, 1, 1)
        delta = (x + delta).clamp(0, 1) - x
    return (x + delta).detach()

clean, truth = course.data.x_train[few].to(course.device), course.data.y_train[few].to(course.device)
drawn = torch.randint(len(classes), truth.shape, generator=course.generator(), device=course.device)
relabelled = torch.cat([towards(mlp, *batch) for batch in zip(clean.split(500), drawn.split(500))])

# %%
plots.show(plots.images([relabelled[:10]], [[f"label {classes[label]}" for label in drawn[:10]]]),
           "A training set that looks mislabelled",
           alt="Ten training images, slightly changed, with the labels they now carry. To people nearly all labels look wrong.")

# %% [markdown]
# **Predict before you run.** A fresh network is trained on these images and labels alone. To people nine of ten labels are wrong.
# How many percent of *clean, rightly labelled* test images will it read right? Chance gives about ten.

# %%
### BEGIN SOLUTION
my_guess = 50
### END SOLUTION

# %%
student = models.mlp(shape, len(classes)).to(course.device)
training.fit(student, relabelled, drawn, epochs=6, seed=SEED + 3)
learnt = accuracy(student, x, y)

# %% tags=["tells"]
compare_guess(my_guess, 100 * learnt)
claim("A network trained on nothing but such images reads {value:.0%} of the clean test images right.", learnt, 0.3, 0.97)

# %% [markdown]
# <details><summary>After your guess: what this shows</summary>
#
# What was added to those images, and looks like noise to us, was enough to learn the task from. On CIFAR-10, Ilyas et al. (2019)
# reach 63.3 % this way.
#
# </details>
#
# The debate is not over: Tanay and Griffin (2016) point to decision borders that tilt along directions with little data, Gilmer
# et al. (2018) to the geometry of high dimensions, and Nakkiran (2019) shows adversarial examples that are plain bugs.

# %% [markdown]
# ## What are they good for?
#
# * **Evaluate**: how far does a model generalise locally? A test set of average cases cannot tell.
# * **Attack**: evade a spam filter, a face recogniser, a malware detector (Dalvi et al., 2004; Biggio et al., 2013).
# * **Train**: mix them into the training set; they act as a regulariser and as a defence (notebook 09).
# * **Conceal**: keep a face from being recognised by machines while people still know it (notebook 07).

# %% [markdown]
# ## What to remember
#
# * An adversarial example is a *direction*, not an amount: noise of the same size does next to nothing.
# * For a linear model the best direction has a closed form, ε · sign of the weights; for a network its gradient plays that part.
# * The effect adds up over the inputs: small in every pixel, large in the sum.
# * They carry over between models trained on different images, so overfitting is not the reason.
# * Models do use patterns that we do not see. Whether to call that a bug depends on what you want from them.

# %%
progress()

# %% [markdown]
# ## Further reading
#
# * Szegedy et al., *Intriguing properties of neural networks*, [arXiv:1312.6199](https://arxiv.org/abs/1312.6199): the discovery.
# * Goodfellow, Shlens, Szegedy, *Explaining and harnessing adversarial examples*, [arXiv:1412.6572](https://arxiv.org/abs/1412.6572): the linear explanation, and one step.
# * Biggio et al., *Evasion attacks against machine learning at test time*, [arXiv:1708.06131](https://arxiv.org/abs/1708.06131): a year earlier, on SVMs and PDF files.
# * Ilyas et al., *Adversarial examples are not bugs, they are features*, [arXiv:1905.02175](https://arxiv.org/abs/1905.02175), and the [discussion in Distill](https://distill.pub/2019/advex-bugs-discussion/) with Nakkiran's counter-example.
# * Tanay, Griffin, *A boundary tilting perspective*, [arXiv:1608.07690](https://arxiv.org/abs/1608.07690); Gilmer et al., *Adversarial spheres*, [arXiv:1801.02774](https://arxiv.org/abs/1801.02774).
# * **Since corrected.** The first papers blamed the activation functions for being too linear. Linearity explains why one step is
#   enough; why the directions exist and transfer is still argued about.
