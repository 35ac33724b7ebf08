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
# # 08 · Transferability
#
# ### What you will be able to do
#
# * measure how adversarial examples carry over from one model to another, also to SVMs, trees and nearest neighbours,
# * say what makes a source strong, and make examples that carry over better,
# * attack a model of which you know nothing but its answers.
#
# **Time** about 110 minutes · **Before** notebooks 01 and 03 · **Library** `advcourse.attacks`, `advcourse.models.classical`, `advcourse.stealing`

# %% [markdown]
# ### Threat-model card
#
# | | in this notebook |
# |---|---|
# | What does the attacker want? | any wrong class; twice, one class in particular |
# | What does the attacker know? | a model of their own, the **source**; of the **target** nothing, or only its answers (*black box*) |
# | What may be changed? | every pixel by at most ε (the ℓ∞ norm), or the image by a Euclidean length; grey values stay in [0, 1] |
# | When? | after training; in the last part the attacker may ask the target about some images first |
# | What counts as success? | the target errs on an image that was made without it |

# %% tags=["parameters"]
PROFILE = "quick"   # "full": larger sets, networks as in the papers (a GPU helps)
DATASET = "auto"    # MNIST where it can be had, else letters drawn from fonts
SEED = 0
DEVICE = "auto"
STUDENT = ""        # your name or number: it shuffles the answers of questions

# %% tags=["setup"]
from functools import partial

import torch
from scipy.stats import spearmanr
from sklearn.ensemble import RandomForestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier
from torch.nn import functional as F

from advcourse import classical, families, plots, training, widgets
from advcourse import models as networks
from advcourse.attacks import bim, di_fgsm, ensemble, fgsm, hop_skip_jump, mim, pgd, square, svm_normal, ti_fgsm
from advcourse.attacks.classical import tree_path
from advcourse.evaluate import accuracy
from advcourse.evaluate import transfer_matrix as library_matrix
from advcourse.exercises import answer, check, hint, progress, question
from advcourse.notebook import claim, compare_guess, record, start
from advcourse.stealing.remote import Refused, ask, serve
from advcourse.stealing.substitute import train_substitute

course = start("08", profile=PROFILE, dataset=DATASET, seed=SEED,
               device_name=DEVICE, student=STUDENT)

# %% [markdown]
# ## A question
#
# Below, a multilayer perceptron was attacked by one gradient step. The convolutional network had no part in it: another architecture, other
# weights, never asked. What does *it* read in the images that were made to fool the other?

# %%
x, y = course.test_images(500 if course.quick else 5000)
x_train, y_train = course.data.x_train, course.data.y_train
classes, shape = course.data.classes, course.data.x_test.shape[1:]
zoo = {"softmax": course.model("softmax"), "MLP": course.model("mlp"), "CNN": course.model("cnn")}
EPS = {"fonts": 0.1}.get(course.data.name, 0.15)   # the letters are easier to spoil

# %%
def read(model, images):
    """The names of the classes that the model sees."""
    return [classes[label] for label in model(images).argmax(1)]

x_adv = fgsm(zoo["MLP"], x, y, eps=EPS)
both = (zoo["MLP"](x_adv).argmax(1) != y) & (zoo["CNN"](x_adv).argmax(1) != y) & (zoo["CNN"](x).argmax(1) == y)
shown = x_adv[both.nonzero()[:8, 0]]
titles = [read(zoo["MLP"], shown), read(zoo["CNN"], shown)]
plots.show(plots.images([shown, shown], titles, ["the MLP reads", "the CNN reads"]), "Made for one, seen by two",
           alt="Eight adversarial images, shown twice. Above each, in the upper row, what the multilayer perceptron that "
               "they were made for reads, in the lower row what a convolutional network reads that had no part in it. "
               "Both are wrong every time.")

# %% [markdown]
# These are chosen examples; let us count them properly soon. **Transferability** is the share of adversarial examples that work on a model they were
# not made for. It turns a white-box attack into a black-box attack: train a model of your own, attack it, send the result to the other.

# %% [markdown]
# ## Move it yourself
#
# Choose the source and ε. The bars show what each of the three networks makes of the changed image, the title how often each errs on a
# hundred such images.

# %%
def carried(index, source, eps):
    made = fgsm(zoo[source], x[:100], y[:100], eps=eps)
    pictures = {"image": x[index], f"made on {source}": made[index]}
    figure, named = widgets.opinions_figure(pictures, zoo, classes, y[index].item(), None)
    errors = ", ".join(f"{name} {1 - accuracy(model, made, y[:100]):.0%}" for name, model in zoo.items())
    alt = (f"An image of class {classes[y[index]]} and its copy made on {source} with ε = {eps:.2f}; "
           f"the models name {', '.join(named)}. Errors on a hundred such copies: {errors}.")
    return figure, f"ε = {eps:.2f}, errors: {errors}", alt

controls = {"index": widgets.slider("image", 0, 99, 3), "source": widgets.choice("source", zoo, start="MLP"),
            "eps": widgets.slider("ε", 0.0, 0.3, 0.15, step=0.05)}
widgets.explore(carried, controls, static=[{"source": "MLP"}, {"source": "CNN"}], live=course.live)

# %% [markdown]
# ## Five subsets, three kinds of model
#
# If adversarial examples were accidents of overfitting, they would not survive a change of the training set. Papernot et al. (2016) put that to the
# test: five models of one kind, trained on five disjoint subsets A to E of MNIST, each attacked, each attack shown to all five.
# We draw the subsets several times, to see how much is chance.

# %%
SIZE = min(2000 if course.quick else 10_000, len(x_train) // 5)
DRAWS = 3 if course.quick else 5
drawn = [families.disjoint(x_train, y_train, 5, SIZE, seed=SEED + draw) for draw in range(DRAWS)]
x_sets, y_sets = (torch.cat(parts) for parts in zip(*drawn))

def family(make, every=1, **options):
    """A network for every subset (or every fifth: A of each draw), all of them trained at once."""
    with training.seeded(SEED):
        members = [make(shape, len(classes)).to(course.device) for _ in x_sets[::every]]
    return families.fit_together(members, x_sets[::every], y_sets[::every], seed=SEED, **options)

# %%
softmax = family(networks.softmax_regression, epochs=5, batch_size=50, learning_rate=1e-2)
print(f"{len(softmax)} softmax regressions, each from {SIZE} images of its own; of the test images they read right "
      f"{sum(accuracy(model, x, y) for model in softmax) / len(softmax):.0%} on average")

# %% [markdown]
# **Exercise 08.1.** Write the table: every attack's images, shown to every target. An attack is a function of `(x, y)` that knows its source, such as
# `partial(fgsm, model, eps=0.2)`.

# %%
def transfer_matrix(attacks, targets, x, y):
    """How often each target errs on the images of each attack.

    attacks: list of functions (x, y) -> x_adv, each of which takes its time: run it once;
    targets: list of models, from images (N, C, H, W) to logits (N, K);
    x, y: images and their labels, shape (N,).
    Returns a list of rows, one for each attack, of shares in [0, 1], one for each
    target. Every image counts, also those that a target misreads anyway.
    """
    ### BEGIN SOLUTION
    matrix = []
    for attack in attacks:
        x_adv = attack(x, y)
        matrix.append([(target(x_adv).argmax(1) != y).float().mean().item() for target in targets])
    return matrix
    ### END SOLUTION

transfer_matrix = check("08.1", transfer_matrix)

# %%
other = ~torch.eye(5, dtype=torch.bool)   # off the diagonal: source and target have seen different images

def tables(members, attack):
    """A 5 × 5 table for every draw: shape (DRAWS, 5, 5)."""
    fives = [members[i:i + 5] for i in range(0, len(members), 5)]
    return torch.tensor([transfer_matrix([partial(attack, model) for model in five], five, x, y) for five in fives])

def summary(table):
    """The mean on the diagonal and off it."""
    return table.diagonal(dim1=-2, dim2=-1).mean().item(), table[..., other].mean().item()

# %% [markdown]
# **Predict before you run.** Five softmax regressions, no image in common, one step of $\varepsilon = 0.2$. On how many percent of the images made on one does
# *another* one err?

# %%
### BEGIN SOLUTION
my_guess = 60
### END SOLUTION

# %%
measured = {"LR": tables(softmax, partial(fgsm, eps=0.2))}
on, off = summary(measured["LR"])

# %% tags=["tells"]
compare_guess(my_guess, 100 * off)
claim("A softmax regression errs on {value:.0%} of the images that were made on one with other training images.",
      off, 0.85, 1)

# %% [markdown]
# <details><summary>After your guess: what this shows</summary>
#
# Hardly fewer than on its own. So these examples are no accidents of one training set: the weights of the five have much in common.
#
# </details>

# %% [markdown]
# ## The linear SVM
#
# A linear support vector machine has one hyperplane for each class, all others on its far side. Papernot et al. (2016) step straight
# away from the class's own side, along the hyperplane's **normal**, by a fixed Euclidean length:
#
# $$x_{adv} = \text{clip}\big(x - \text{length}\cdot w_y / \lVert w_y\rVert_2\big).$$

# %% [markdown]
# **Exercise 08.2.** Write this step.

# %%
def along_normal(weight, x, y, length):
    """The images x, moved against the normal of their class's hyperplane, clipped.

    weight: tensor (K, D), a row for each class; x: images (N, C, H, W) in [0, 1] with
    C·H·W = D; y: labels, (N,); length: of the step before it is clipped, Euclidean.
    Returns images of the shape of x, in [0, 1].
    """
    ### BEGIN SOLUTION
    normal = weight / weight.norm(dim=1, keepdim=True)
    return (x - length * normal[y].view(x.shape)).clamp(0, 1)
    ### END SOLUTION

along_normal = check("08.2", along_normal)

# %% [markdown]
# The SVM comes from scikit-learn. `classical.as_model` gives any of its classifiers the form of our models: images in, scores out. A linear one
# even becomes a layer with weights, `model[1].weight`; a tree or a kernel gets no gradient, as it has none.

# %%
LENGTH = {"fonts": 1.5}.get(course.data.name, 2.0)

def svms(C, count=len(x_sets)):
    """Linear SVMs on the first `count` subsets. C: the price of a training error."""
    fits = [LinearSVC(C=C, tol=1e-2, random_state=SEED).fit(images.flatten(1), labels)
            for images, labels in zip(x_sets[:count], y_sets)]
    return [classical.as_model(fit).to(course.device) for fit in fits]

def normal_attack(model, x, y):
    return along_normal(model[1].weight, x, y, LENGTH)

svm = svms(C=0.1)
measured["SVM"] = tables(svm, normal_attack)

# %%
claim("An SVM errs on {value:.0%} of the images that were made on one with other training images.",
      summary(measured["SVM"])[1], 0.25, 0.75)

# %% [markdown]
# ## The network
#
# Third, a deep network. Quick runs take multilayer perceptrons; the full profile takes a convolutional network with dropout, which is nearer to the paper's.

# %%
def deep(shape, count):
    """Two convolutions, two hidden layers, dropout."""
    plain = networks.cnn(shape, count)
    return torch.nn.Sequential(*plain[:5], torch.nn.Dropout(0.5), *plain[5:7], torch.nn.Dropout(0.5), plain[7])

if course.quick:
    dnn = family(networks.mlp, epochs=3, batch_size=50, learning_rate=2e-3)
else:
    dnn = family(deep, epochs=8, learning_rate=2e-3)
measured["DNN"] = tables(dnn, partial(fgsm, eps=0.1 if course.quick else 0.2))

# %% tags=["tells"]
PAPER = {"LR": "98 95 95 95 95  95 98 95 95 94  94 94 98 95 95  94 95 95 98 95  95 95 95 95 98",
         "SVM": "99 41 38 40 41  34 99 32 46 34  36 41 99 38 45  37 43 37 99 38  39 37 47 37 99",
         "DNN": "81 67 66 49 54  71 86 75 53 58  67 70 84 52 57  64 64 65 68 57  75 73 74 57 80"}

def percent(text, columns):
    """A table of shares from a text of percentages."""
    return torch.tensor([float(number) / 100 for number in text.split()]).view(-1, columns)

paper = {f"{kind}, the paper": percent(numbers, 5) for kind, numbers in PAPER.items()}
ours = {f"{kind}, here": table.mean(0) for kind, table in measured.items()}
spread = {f"{kind}, here": table.std(0) for kind, table in measured.items()}

# %%
def spoken(table):
    return "{:.0%} on and {:.0%} off the diagonal".format(*summary(table))

# %% tags=["tells"]
plots.show(plots.matrices([paper, ours], "ABCDE", spread=spread, xlabel="target", ylabel="source"),
           f"Percent misread; ours: mean ± spread of {DRAWS} draws",
           alt="Six tables of five sources by five targets, the paper's above, ours below, with the percentage of adversarial "
               "images that the target misreads. Mean values: "
               + "; ".join(f"{name} {spoken(table)}" for name, table in (paper | ours).items()) + ".")
record("transfer between subsets", {name: summary(table) for name, table in (paper | ours).items()})

# %% tags=["tells"]
ratio = {kind: summary(table)[1] / summary(table)[0] for kind, table in measured.items()}
print("off the diagonal / on it:", ", ".join(f"{kind} {value:.2f}" for kind, value in ratio.items()))
claim("For softmax regression the ratio of off-diagonal to diagonal is {value:.2f} higher than for the SVM.",
      ratio["LR"] - ratio["SVM"], 0.15, 0.7)
claim("The network's ratio lies {value:.0%} of the way up from the SVM's to that of softmax regression.",
      (ratio["DNN"] - ratio["SVM"]) / (ratio["LR"] - ratio["SVM"]), 0, 0.9)

# %% [markdown]
# <details><summary>After your guess: what this shows</summary>
#
# In Papernot et al. (2016) the means off the diagonal are 95 %, 63 % and 39 %, and the slides call LR *strong*, DNN *intermediate*, SVM *weak*. Our ratios have the same order.
#
# </details>
#
# But each family was attacked in its own way, LR and DNN with two different ε, the SVM with a Euclidean length. Is it the families that we see, or what we chose?

# %% [markdown]
# ## What we chose
#
# First ε. With a larger one everything fools everyone, and there is nothing left to compare.

# %% tags=["tells"]
for name, members in {"LR": softmax, "DNN": dnn}.items():
    print(f"ε = 0.3, {name}: {spoken(tables(members, partial(fgsm, eps=0.3)))}")

# %% [markdown]
# Second the SVM's C, the price of a training error. A small C keeps the weights small and smooth, a large one lets them follow every image. We take
# the same step for all of them, $\varepsilon = 0.1$ along the sign of the margin's gradient, and look at the ratio of off-diagonal to diagonal.

# %%
def margin_attack(model, x, y, eps=0.1):
    """One step that lowers the lead of y over its strongest rival, as far as ε allows."""
    weight = model[1].weight
    rival = model(x).scatter(1, y[:, None], -torch.inf).argmax(1)
    return (x + eps * (weight[rival] - weight[y]).sign().view(x.shape)).clamp(0, 1)

prices, some = [0.0001, 0.001, 0.01, 0.1], 5 if course.quick else len(x_sets)
by_price = [tables(svm[:some] if C == 0.1 else svms(C, some), margin_attack) for C in prices]
on, off = zip(*[summary(table) for table in by_price])
lines = {"on the diagonal": on, "off the diagonal": off, "off / on": [b / a for a, b in zip(on, off)]}

# %%
figure = plots.curves(prices, lines, "C, the price of a training error", "share misread, and ratio",
                      xscale="log", ylim=(0, 1.02))
plots.show(figure, "One family, five times with each C",
           alt="Three curves against C, from 0.0001 to 0.1. The error on the diagonal rises, the ratio of off-diagonal to "
               f"diagonal falls: from {lines['off / on'][0]:.1f} to {lines['off / on'][-1]:.1f}.")
claim("From C = 0.0001 to C = 0.1 the SVM's ratio falls by {value:.2f}.",
      lines["off / on"][0] - lines["off / on"][-1], 0.08, 0.8)

# %%
question("08.3")

# %%
### BEGIN SOLUTION
choice = "a"
### END SOLUTION
answer("08.3", choice)

# %% [markdown]
# ## Across techniques
#
# Now the families attack each other. Each source needs an attack of its own: the networks and softmax regression have a gradient, the SVM has its normal.
# A **decision tree** has only thresholds. A leaf is a box, an interval for each pixel; `tree_path` moves the few pixels that the way to the nearest
# box of another class asks about, each just past its threshold.

# %% [markdown]
# A **k-nearest-neighbour** classifier has no gradient either: its answer jumps. Let every training image vote, with a weight that falls with its distance:
#
# $$p(k \mid x) = \frac{\sum_{i:\,y_i = k}\exp(-\lVert x - x_i\rVert_2^2 / T)}{\sum_i \exp(-\lVert x - x_i\rVert_2^2 / T)}.$$
#
# For a small temperature $T$ this is the nearest neighbour's answer, and it can be differentiated. **Exercise 08.4**: write it.

# %%
def soft_neighbours(x, x_train, y_train, classes, temperature):
    """The probabilities of the classes, shape (N, K), by the votes of all training images.

    x: images (N, C, H, W); x_train: images (M, C, H, W); y_train: their labels, (M,);
    classes: K; temperature: T > 0. Each row adds up to 1.
    """
    ### BEGIN SOLUTION
    distances = (x.flatten(1)[:, None] - x_train.flatten(1)[None]).square().sum(2)
    weights = (-distances / temperature).softmax(1)   # over the training images
    return weights @ F.one_hot(y_train, classes).to(weights.dtype)
    ### END SOLUTION

soft_neighbours = check("08.4", soft_neighbours)

# %% [markdown]
# The library's `classical.soft_neighbours` computes the same votes as logits, in a way that needs less memory. Papernot et al. (2016) have a sixth column, an *ensemble* that
# takes the majority of the five; we also make it a source, by attacking the three members that have a gradient at once.

# %%
cnn = family(networks.cnn, every=5, epochs=3, batch_size=50, learning_rate=3e-3) if course.quick else dnn[::5]

def techniques(draw):
    """Six models trained on subset A of one draw: from a name to (model, attack)."""
    i, images, labels = 5 * draw, x_sets[5 * draw], y_sets[5 * draw]
    flat = images.flatten(1)
    tree = DecisionTreeClassifier(random_state=SEED).fit(flat, labels)
    soft = classical.soft_neighbours(images.to(course.device), labels.to(course.device), len(classes))
    one = {"DNN": (cnn[draw], partial(fgsm, cnn[draw], eps=0.1)),
           "LR": (softmax[i], partial(fgsm, softmax[i], eps=0.1)),
           "SVM": (svm[i], partial(svm_normal, svm[i], eps=1.5)),
           "DT": (classical.as_model(tree), partial(tree_path, tree)),
           "kNN": (classical.as_model(KNeighborsClassifier(5).fit(flat, labels)), partial(fgsm, soft, eps=0.15))}
    members = [model for model, _ in one.values()]
    votes = lambda images: sum(F.one_hot(model(images).argmax(1), len(classes)) for model in members).float()
    return one | {"Ens.": (votes, partial(ensemble, [cnn[draw], softmax[i], svm[i]], eps=0.1))}

# %%
cells = []
for draw in range(DRAWS):
    models, attacks = zip(*techniques(draw).values())
    cells.append(transfer_matrix(attacks, models, x[:300], y[:300]))
across = torch.tensor(cells)
names = ["DNN", "LR", "SVM", "DT", "kNN", "Ens."]
PAPER_ACROSS = percent("""38.27 23.02 64.32 79.31 8.36 20.72   6.31 91.64 91.43 87.42 11.29 44.14
    2.51 35.56 100 80.03 5.19 15.67   0.82 12.22 8.85 89.29 3.31 5.11   11.75 42.89 82.16 82.95 41.65 31.92
    nan nan nan nan nan nan""", 6)

# %%
mean = across.mean(0)
figure = plots.matrices([{"the paper": PAPER_ACROSS, "here": mean}], names, spread={"here": across.std(0)},
                        xlabel="target", ylabel="source")
plots.show(figure, f"Percent misread across techniques; ours: mean ± spread of {DRAWS} draws",
           alt="Two tables of six sources by six targets: DNN, LR, SVM, decision tree, kNN, ensemble. In both the tree is "
               "misled by every source, kNN by few, and what is made on the tree misleads few but the tree. Ours, columns' means: "
               f"{', '.join(f'{name} {value:.0%}' for name, value in zip(names, mean.mean(0)))}.")
record("transfer across techniques", mean.tolist())
claim("The rank correlation of our thirty cells with the paper's is {value:.2f}.",
      spearmanr(mean[:5].flatten(), PAPER_ACROSS[:5].flatten())[0], 0.65, 1)
print(f"Whatever the source, the decision tree misreads at least {mean[:, 3].min():.0%}.")

# %% [markdown]
# Papernot et al. (2016) measured the left table at larger sets and step sizes of their own. The ranks agree well, the single numbers less. The tree errs on
# whatever it is shown: how much of that is transfer, and how much any change of this size would do, the table cannot say. What is made *on* the tree changes
# a few pixels by very little, and misleads few others. And a majority of weak members is no fortress.

# %% [markdown]
# And without any source? Whatever `as_model` makes is a target like any other. A forest of trees gives its scores to the square attack, and its bare labels to
# HopSkipJump (notebook 05); `from_labels` is the door for whoever gives no more.

# %%
forest = classical.as_model(RandomForestClassifier(30, random_state=SEED).fit(x_sets[0].flatten(1), y_sets[0]))
bare = classical.from_labels(classical.label_query(forest), len(classes))
some = (x[:50], y[:50])
by_scores = square(forest, *some, eps=EPS, queries=100, generator=course.generator())
by_labels = hop_skip_jump(bare, *some, norm="linf", queries=200, generator=course.generator())
print(f"the forest errs on {1 - accuracy(forest, *some):.0%} of the clean images, and on "
      f"{1 - accuracy(forest, by_scores, some[1]):.0%} after 100 questions for scores")
near = (by_labels - some[0]).flatten(1).abs().amax(1) <= EPS
print(f"after 200 for labels, {near.float().mean():.0%} of the images have a wrong one within ε")

# %% [markdown]
# ## Why it works: gradients that agree
#
# To first order an attack step on model $f$ raises the loss of model $g$ as far as their gradients point the same way. So measure that, image by image:
#
# $$S(f, g) = \frac1n\sum_{i=1}^n \cos\big(\nabla_x J_f(x_i, y_i),\ \nabla_x J_g(x_i, y_i)\big).$$
#
# **Exercise 08.5.** `loss_gradient` is given, the mean of cosines is yours.

# %%
def loss_gradient(model, x, y):
    """The gradient of the cross-entropy loss with respect to every image."""
    x = x.detach().clone().requires_grad_()
    return torch.autograd.grad(F.cross_entropy(model(x), y, reduction="sum"), x)[0]

def similarity(model_a, model_b, x, y):
    """The mean over the images of the cosine between the two models' loss gradients.

    model_a, model_b: from images (N, C, H, W) in [0, 1] to logits (N, K);
    x: such images; y: labels, shape (N,). Returns a number in [-1, 1].
    """
    ### BEGIN SOLUTION
    a, b = (loss_gradient(model, x, y).flatten(1) for model in (model_a, model_b))
    return F.cosine_similarity(a, b, dim=1).mean().item()
    ### END SOLUTION

similarity = check("08.5", similarity)

# %% [markdown]
# Six networks, from three architectures and different training sets; every pair of them is a point. Up goes the share of images that fool the target, of those that it
# reads right before; the library's `transfer_matrix` counts so where it is told to.

# %%
six = zoo | {"LR A": softmax[0], "DNN A": dnn[0], "DNN B": dnn[1]}
sources = {name: partial(fgsm, model, eps=EPS) for name, model in six.items()}
fooled = library_matrix(sources, six, x, y, measure="fooled")
cosines = torch.tensor([[similarity(f, g, x, y) for g in six.values()] for f in six.values()])
pairs = ~torch.eye(len(six), dtype=torch.bool)
points = [(cosines[pairs[:, j], j], fooled[pairs[:, j], j]) for j in range(len(six))]   # each target's five sources
rank = sum(spearmanr(*point)[0] for point in points) / len(points)

# %%
figure, axes = plots.grid(1, 1, width=5, height=3.2)
for name, point, marker, colour in zip(six, points, plots.MARKERS, plots.COLOURS):
    axes[0, 0].scatter(*point, marker=marker, color=colour, label=name, s=22)
axes[0, 0].set(xlabel="similarity of the gradients", ylabel="share fooled", ylim=(0, 1.02))
axes[0, 0].legend(title="target", fontsize=8, frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
axes[0, 0].grid(alpha=0.3)
plots.show(figure, f"What agrees, transfers (ε = {EPS:.2f})",
           alt="Thirty points, one for each pair of source and target, marked by target. For each target the share of fooled "
               "images rises with the similarity of the source's gradients to its own; the rank correlation is about "
               f"{rank:.1f} on average.")
claim("For one and the same target, similarity and transfer have a rank correlation of {value:.2f} (mean of six targets).",
      rank, 0.6, 1)

# %% [markdown]
# The similarity explains a good part, not all: for the same similarity one target is easier than another. Demontis et al. (2019) found three factors: how well the gradients agree, how
# large the target's own gradients are, and how much the source's loss surface varies. The second is the target's weakness, the third the source's complexity.

# %% [markdown]
# ## Stronger at home, weaker abroad
#
# A natural plan: attack the source as thoroughly as possible. We compare one step, more steps, and PGD that stops at the first success, all with the same ε.

# %%
hidden, source = zoo["CNN"], zoo["MLP"]
steps = [1, 2, 5, 10, 20] if course.quick else [1, 2, 5, 10, 20, 50, 100]
walks = {n: fgsm(source, x, y, eps=EPS) if n == 1 else bim(source, x, y, eps=EPS, steps=n) for n in steps}
targets = {"MLP, the source": source, "softmax": zoo["softmax"], "CNN": hidden, "DNN A": dnn[0]}
by_steps = {name: [1 - accuracy(model, walks[n], y) for n in steps] for name, model in targets.items()}
first = pgd(source, x, y, eps=EPS, stop_when_fooled=True, generator=course.generator())

# %%
figure, axes = plots.grid(1, 2, width=3.6, height=2.8)
plots.curves(steps, by_steps, "steps on the source", "error", axes=axes[0, 0], xscale="log", ylim=(0, 1.02))
epsilons = [0.05, 0.1, 0.15, 0.2, 0.3]
made = [fgsm(source, x, y, eps=eps) for eps in epsilons]
by_eps = {name: [1 - accuracy(model, x_adv, y) for x_adv in made] for name, model in targets.items()}
plots.curves(epsilons, by_eps, "ε, one step", "error", axes=axes[0, 1], ylim=(0, 1.02))
axes[0, 0].get_legend().remove()
axes[0, 0].set_xticks(steps, steps, minor=False)
axes[0, 0].minorticks_off()
plots.show(figure, "Made on the MLP, shown to others",
           alt="Left, errors against the number of steps at a fixed ε: no target's curve gains much after the first step. "
               "Right, errors against ε for one step: all curves rise steeply towards 1.")

# %%
print(f"PGD that stops at the first success: the source errs on {1 - accuracy(source, first, y):.0%}")
lost = sum(by_steps[name][0] - (1 - accuracy(targets[name], first, y)) for name in ("softmax", "CNN", "DNN A")) / 3
claim("On the other three networks it loses {value:.0f} points against a single step.", 100 * lost, 15, 95)

# %% [markdown]
# The last attack is perfect at home and almost useless abroad: it stops just behind the source's border, where the other model's border is not. Where source and target are very
# different, many steps may cost something, too: they fit the details of *this* loss surface. Larger ε always helps. Liu et al. (2017) saw the same on ImageNet: large steps carry over,
# small distances don't.

# %% [markdown]
# ## Examples made to travel
#
# So keep the search from following details. Four ways, all with the same ε and number of steps: **momentum** (MIM, notebook 03); **input diversity** (Xie et al., 2019): each gradient is taken at
# a randomly shrunken and shifted copy; **translation invariance** (Dong et al., 2019): the gradient is blurred, which is nearly its mean over shifted copies; and several sources at once.

# %%
DRAWN = course.generator()
ways = {"one step": fgsm, "ten steps": bim, "+ momentum": mim, "+ input diversity": partial(di_fgsm, generator=DRAWN),
        "+ blurred gradient": ti_fgsm}
made = {name: attack(source, x, y, eps=EPS) for name, attack in ways.items()}
others = {"CNN": hidden, "softmax": zoo["softmax"], "DNN A": dnn[0], "DNN B": dnn[1]}
travel = library_matrix(made, {"MLP, the source": source} | others, x, y)

# %%
plots.show(plots.matrix(travel.tolist(), list(made), ["MLP,\nthe source", *others], "target", "attack on the MLP"),
           f"Ways to travel (ε = {EPS:.2f})",
           alt="A table of errors, a row for each of five attacks on the multilayer perceptron, a column for each of five "
               "targets. On the CNN: " + ", ".join(f"{name} {value:.0%}" for name, value in zip(made, travel[:, 1])) + ".")
claim("On the CNN, input diversity gains {value:.0f} points over ten plain steps.",
      100 * (travel[3, 1] - travel[1, 1]), 0, 45)

# %% [markdown]
# A convolutional network, unlike the source, hardly minds a shift; the gradients of shifted copies look more like its own. With several sources the plan is as old as voting: what fools all of
# them will fool one more. Liu et al. (2017) climb the loss of the *mean probability*,
#
# $$J(x, y) = -\log\Big(\frac1M\sum_{m=1}^M p_m(y \mid x)\Big).$$
#
# **Exercise 08.6**: write it.

# %%
def ensemble_loss(models, x, y):
    """The loss of several models' mean probability, one number per image: shape (N,).

    models: a list of models, from images (N, C, H, W) to logits (N, K); x: images;
    y: labels, shape (N,). The loss keeps its gradient: an attack climbs it.
    """
    ### BEGIN SOLUTION
    probabilities = torch.stack([model(x).softmax(1) for model in models]).mean(0)
    return -probabilities.gather(1, y[:, None])[:, 0].log()
    ### END SOLUTION

ensemble_loss = check("08.6", ensemble_loss)

# %% [markdown]
# The library's `ensemble` climbs this loss with momentum. Sources are the networks of subsets A to D, the target is that of subset E. We also try **targeted** attacks, each
# image towards the class after its own: there the target must err in a prescribed way. That is harder to carry over, and we allow it twice the ε.

# %%
some, goal = (x[:300], y[:300]), (y[:300] + 1) % len(classes)
reached = {"any wrong class": [], "one class": []}
for *known, unseen in [dnn[i:i + 5] for i in range(0, len(dnn), 5)]:
    attacks = {m: partial(mim, m) for m in known} | {"all": partial(ensemble, known)}
    free = {name: partial(attack, eps=EPS) for name, attack in attacks.items()}
    aimed = {name: partial(attack, eps=2 * EPS, targeted=True) for name, attack in attacks.items()}
    reached["any wrong class"].append(library_matrix(free, {"E": unseen}, *some)[:, 0])
    reached["one class"].append(library_matrix(aimed, {"E": unseen}, some[0], goal, measure="reached")[:, 0])

# %%
gain = {}
for name, rows in reached.items():
    one, four = torch.stack(rows)[:, :4], torch.stack(rows)[:, 4]
    gain[name] = (four.mean() - one.mean()).item()
    print(f"{name:16} one source {one.mean():.0%} (between {one.min():.0%} and {one.max():.0%}), "
          f"four at once {four.mean():.0%} ± {four.std():.0%}")
claim("Four sources at once reach the wanted class of an unseen network {value:.0f} points more often than one.",
      100 * gain["one class"], 0, 30)

# %% [markdown]
# ## What do they share? Features, not bugs
#
# Ilyas et al. (2019) turned the question round. Take training images, change each by an attack towards a random *wrong* class, and label it with that class. To people the
# labels are nonsense. Train a new network on nothing but that. If adversarial changes were meaningless, it could not read clean test images.

# %%
few = torch.randperm(len(x_train), generator=torch.Generator().manual_seed(SEED))[:4000 if course.quick else 40_000]
images, labels = x_train[few].to(course.device), y_train[few].to(course.device)
shift = torch.randint(1, len(classes), labels.shape, generator=course.generator(), device=course.device)
wrong = (labels + shift) % len(classes)
changed = bim(source, images, wrong, eps=2 * EPS, targeted=True)

# %%
def learnt(images, labels):
    """The accuracy on clean test images of a new network trained on these."""
    with training.seeded(SEED + 1):
        network = networks.mlp(shape, len(classes)).to(course.device)
    training.fit(network, images, labels, epochs=5, seed=SEED)
    return accuracy(network, x, y)

claim("From wrongly labelled adversarial images alone a new network learns to read {value:.0%} of clean images.",
      learnt(changed, wrong), 0.3, 0.95)
print(f"from the same labels on unchanged images: {learnt(images, wrong):.0%}")

# %% [markdown]
# The new network never saw an image with its right label. What it learnt was in the perturbations: patterns too faint for us that really do go with the classes. Standard training picks
# them up in every model, so every model can be fooled through them. Transfer is what shared **non-robust features** look like from outside.

# %% [markdown]
# ## A model behind a wall
#
# Now the target is a service that tells labels and nothing else. Ours runs on this machine, behind real HTTP: it counts every image that it answers, it has a budget, and it lets those wait
# who ask too often.

# %%
with serve(hidden, shape, budget=100, per_second=1) as service:
    print("the service reads:", [classes[label] for label in ask(service.url, x[:5])])
    for images in (x[:5], x[:100]):
        try:
            ask(service.url, images, patience=3 if len(images) > 5 else 0)
        except Refused as refusal:
            print("refused, status", refusal.status)
    print("images answered:", service.queries, "· requests refused:", service.refused)

# %% [markdown]
# Status 429 means *too many requests*, 403 *your budget is used up*. A refused request costs nothing and tells nothing.

# %% [markdown]
# The **substitute attack** (Papernot et al., 2017) begins with a few images, asks for their labels, trains a network of its own, and attacks that. What it lacks are images to ask about. It makes them by a
# step that changes the substitute's score of the label, $s_{\text{label}}$ (a logit), as fast as possible:
#
# $$x' = \text{clip}\big(x + \text{step}\cdot\text{sign}\,\nabla_x\, s_{\text{label}}(x)\big).$$

# %% [markdown]
# **Exercise 08.7.** Write this step, the *Jacobian-based augmentation*.

# %%
def augment(model, x, labels, step):
    """New images to ask about: x + step · sign of the gradient of the label's score.

    model: the substitute, from images (N, C, H, W) to logits (N, K), the scores;
    labels: what the remote model says of x, (N,); step: a number, also below zero.
    Returns detached images, clipped to [0, 1].
    """
    ### BEGIN SOLUTION
    x = x.detach().clone().requires_grad_()
    score = model(x).gather(1, labels[:, None]).sum()
    gradient = torch.autograd.grad(score, x)[0]
    return (x + step * gradient.sign()).clamp(0, 1).detach()
    ### END SOLUTION

augment = check("08.7", augment)

# %% [markdown]
# Forwards or backwards? Forwards (step > 0) makes images that are *more* of their class; backwards goes towards the border, where answers change. We try both, each with a service of its own, and begin with a hundred
# and fifty test images that are not used afterwards. On the digits backwards is clearly better: the new images lie where the remote model changes its answer.

# %%
ROUNDS, AT = (4 if course.quick else 6), 2 * EPS
chosen = torch.randperm(1000, generator=torch.Generator().manual_seed(SEED))[:150]
beginning = course.test_images(len(course.data.x_test))[0][-1000:][chosen]
remote_says = hidden(x).argmax(1)

def watch(network):
    """How often the substitute agrees with the remote model, and how often what is made on it fools the remote model."""
    return {"agreement": accuracy(network, x, remote_says),
            "fooled": 1 - accuracy(hidden, fgsm(network, x, y, eps=AT), y)}

# %%
histories = {}
for name, step in {"forwards": 0.2, "backwards": -0.2}.items():
    with training.seeded(SEED + 2):
        substitute = networks.cnn(shape, len(classes)).to(course.device)
    with serve(hidden, shape, budget=20_000) as service:
        histories[name], _, _ = train_substitute(
            partial(ask, service.url), beginning, substitute, rounds=ROUNDS, step=step, period=ROUNDS,
            epochs=6, learning_rate=3e-3, seed=SEED, watch=watch)
        print(f"{name}: {service.queries} queries in {service.requests} requests")

# %%
figure, axes = plots.grid(1, 2, width=3.6, height=2.8)
queries = [entry["queries"] for entry in histories["forwards"]]
shown = {"agreement": "agrees with the remote model", "fooled": "remote model fooled"}
for panel, (key, ylabel) in zip(axes[0], shown.items()):
    lines = {name: [entry[key] for entry in history] for name, history in histories.items()}
    plots.curves(queries, lines, "images asked about", ylabel, axes=panel, ylim=(0, 1.02))
plots.show(figure, f"A substitute from labels alone (ε = {AT:.2f})",
           alt="Two panels against the number of images asked about. Left, the share of test images on which the substitute "
               "agrees with the remote model; right, the share of its adversarial images that fool the remote model. At the end: "
               + "; ".join(f"{name} {history[-1]['agreement']:.0%} and {history[-1]['fooled']:.0%}"
                           for name, history in histories.items()) + ".")

# %%
claim("After the last round {value:.0%} of the substitute's adversarial images fool the remote model.",
      histories["backwards"][-1]["fooled"], 0.5, 1)
record("substitute", histories)

# %% [markdown]
# Papernot et al. (2017) brought a remote MNIST classifier to misread 84.24 % of their examples with 6,400 queries, and later, with logistic regression as substitute, 96.19 % at Amazon and 88.94 % at
# Google (Papernot et al., 2016). A substitute need not be as good as its target. It needs gradients that point the same way.

# %% [markdown]
# ## What to remember
#
# * Adversarial examples carry over: between training sets, architectures, and families without a gradient. Hiding the weights is no defence.
# * How much carries over belongs to the source's complexity, the target's weakness and the agreement of their gradients, not to a family's name. Say ε, C and the sets, or the number says nothing.
# * White-box success is not strength abroad. What stops just behind the source's border stays at home.
# * Momentum, random views, blurred gradients and several sources keep an attack from fitting one model.
# * What transfers are, in good part, features: faint patterns that really go with the classes.
# * Labels alone are enough to train a substitute. Counting, budgets and rate limits make it dearer, not impossible.

# %%
progress()

# %% [markdown]
# ## Further reading
#
# * Papernot, McDaniel, Goodfellow, *Transferability in machine learning*, [arXiv:1605.07277](https://arxiv.org/abs/1605.07277): all tables of the first half.
# * Papernot et al., *Practical black-box attacks against machine learning*, [arXiv:1602.02697](https://arxiv.org/abs/1602.02697): the substitute.
# * Liu, Chen, Liu, Song, *Delving into transferable adversarial examples and black-box attacks*, [arXiv:1611.02770](https://arxiv.org/abs/1611.02770): ensembles, targeted transfer.
# * Xie et al., *Improving transferability with input diversity*, [arXiv:1803.06978](https://arxiv.org/abs/1803.06978); Dong et al., *Evading defenses by translation-invariant attacks*, [arXiv:1904.02884](https://arxiv.org/abs/1904.02884).
# * Ilyas et al., *Adversarial examples are not bugs, they are features*, [arXiv:1905.02175](https://arxiv.org/abs/1905.02175).
# * **Since corrected.** That families are strong or weak: Demontis et al. ([arXiv:1809.02861](https://arxiv.org/abs/1809.02861)) trace it to complexity and alignment. That a vote of weak defences
#   is strong: He et al. ([arXiv:1706.04701](https://arxiv.org/abs/1706.04701)). That all of it is features: a discussion on [distill.pub](https://distill.pub/2019/advex-bugs-discussion/) builds transferable examples
#   that are bugs, too.
