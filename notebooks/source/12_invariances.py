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
# # 12 · Invariances
#
# ### What you will be able to do
#
# * put what you know about images into a distance, into a training set, into a loss and into a network,
# * say what each of these buys against plain augmentation, which is hard to beat,
# * tell an invariance, which we *know*, from robustness, which we *want*, and show an image on which wanting too much is a mistake.
#
# **Time** about 120 minutes · **Before** notebooks 01, 03 and 09 · **Library** `advcourse.invariance`

# %% [markdown]
# ### Threat-model card
#
# | | in this notebook |
# |---|---|
# | What does the attacker want? | any wrong class |
# | What does the attacker know? | everything about the model (*white box*) |
# | What may be changed? | first the position, size and angle of a drawing; then every pixel by at most ε (the ℓ∞ norm) |
# | When? | after training |
# | What counts as success? | a class other than the true one, and towards the end the question who says which one that is |

# %% tags=["parameters"]
PROFILE = "quick"   # "full": more images everywhere (a GPU helps)
DATASET = "auto"    # MNIST where it can be had, else letters drawn from fonts
SEED = 0
DEVICE = "auto"
STUDENT = ""        # your name or number: it shuffles the answers of questions

# %% tags=["setup"]
import time
from functools import partial

import torch
from sklearn.svm import SVC
from torch.nn import functional as F

from advcourse import invariance, models, plots, training, widgets
from advcourse.attacks import pgd, spatial
from advcourse.attacks.transformations import move
from advcourse.evaluate import accuracy
from advcourse.exercises import answer, check, hint, progress, question
from advcourse.invariance import moves, tangents as library
from advcourse.invariance.column_generation import (
    averaged, column_generation, enumeration)
from advcourse.invariance.orbits import (
    movement, orbit, pixel_shifts, pooled, quarter_turns)
from advcourse.invariance.shifts import NEIGHBOURS, shift_all, shifts_within
from advcourse.invariance.tangent_distance import tangent_distances, tangent_neighbours
from advcourse.invariance.tangent_prop import tangent_prop_loss
from advcourse.invariance.too_invariant import towards_another_class
from advcourse.invariance.worst_case_loss import gaussian_penalty
from advcourse.notebook import claim, compare_guess, start

course = start("12", profile=PROFILE, dataset=DATASET, seed=SEED,
               device_name=DEVICE, student=STUDENT)

# %% [markdown]
# ## A question
#
# Images, the same moved by two pixels, the same after PGD, and with random noise. Above each stands what a network reads.
# Every row still shows you what was drawn. But what do you *know* of a shift that you do not know of the noise?
# The lecture's last slide answers in two lines; try it in your own words first.

# %%
x, y = course.test_images(500 if course.quick else 5000)
many = course.test_images(2000 if course.quick else 10_000)
train_x, train_y = (part.to(course.device)
                    for part in (course.data.x_train, course.data.y_train))
few = slice(0, 2000 if course.quick else 10_000)
classes, shape = course.data.classes, course.data.x_test.shape[1:]
cnn, robust = course.model("cnn"), course.model("robust")
EPS = 0.1

# %%
def attack(model, x, y, eps=EPS, steps=10):
    """PGD from the notebook's seed."""
    return pgd(model, x, y, eps=eps, steps=steps, generator=course.generator())

def signs(x):
    """Random signs, the control of every change by ε."""
    noise = torch.rand(x.shape, generator=course.generator(), device=x.device)
    return (noise - 0.5).sign()

def apart(one, other):
    """The mean Euclidean distance between images and their changed versions."""
    return (one - other).flatten(1).norm(dim=1).mean().item()

# %%
versions = {"original": x, "moved by\n2 pixels": shift_all(x, 2, 0),
            f"PGD, ε = {EPS}": attack(cnn, x, y),
            "random signs": (x + EPS * signs(x)).clamp(0, 1)}
rows = [images[:8] for images in versions.values()]
names = [[classes[k] for k in cnn(row).argmax(1)] for row in rows]
plots.show(plots.images(rows, names, list(versions)), "Two ways to change an image",
           alt="Four rows of eight images with what a network reads above each: "
               "originals, moved by two pixels, after an attack with faint noise all "
               "over, and with random noise of the same size.")

# %%
right = [accuracy(cnn, images, y) for images in versions.values()]
claim("The attack costs the network {value:.0%} more of its answers than random signs.",
      right[3] - right[2], 0.5, 1)
ratio = apart(x, versions["moved by\n2 pixels"]) / apart(x, versions[f"PGD, ε = {EPS}"])
claim("And yet two pixels move an image {value:.1f} times as far (‖·‖₂).",
      ratio, 2, 7)

# %% [markdown]
# Of a shift we **know** that it leaves a digit what it is: this is an *invariance*, and we may use it. Of a change of every pixel by ε we
# do **not** know it. A defence treats the second like the first. This notebook builds machines on the first, follows the step to the second,
# and ends where it goes wrong.

# %% [markdown]
# ## What a small shift does to an image
#
# Move an image, turn it, size it: as the amount grows, the image walks along a curve through the space of all images. All these curves together are
# its *orbit*. Near the image the orbit is flat, and directions in it are derivatives, the **tangents** (Simard et al., 1993). With $x_u$ and $x_v$
# the derivatives of the image to the right and down, and $u$, $v$ a pixel's place measured from the centre, they are:
#
# | shift right, down | size | rotation | two stretches | thickness |
# |---|---|---|---|---|
# | $x_u$, $\; x_v$ | $u\,x_u + v\,x_v$ | $v\,x_u - u\,x_v$ | $u\,x_u - v\,x_v$, $\; v\,x_u + u\,x_v$ | $x_u^2 + x_v^2$ |
#
# **Exercise 12.1.** Write them for a batch of grey images. A tangent's sign and length do not matter; its place does.

# %%
def tangents(x):
    """The seven tangents of each image, shape (N, 7, H, W), floating point.

    x: grey images, shape (N, H, W).
    In this order: x_u and x_v (shifts), u x_u + v x_v (size), v x_u − u x_v (rotation),
    u x_u − v x_v and v x_u + u x_v (stretches), x_u² + x_v² (thickness).
    x_u, x_v: the derivatives to the right and down, by differences of neighbours.
    u, v: columns to the right and rows down from the centre of the image.
    """
    ### BEGIN SOLUTION
    down, right = torch.gradient(x, dim=(1, 2))
    v = (torch.arange(x.shape[1], device=x.device) - (x.shape[1] - 1) / 2)[:, None]
    u = torch.arange(x.shape[2], device=x.device) - (x.shape[2] - 1) / 2
    size, rotation = u * right + v * down, v * right - u * down
    axes, diagonal = u * right - v * down, v * right + u * down
    thickness = right.square() + down.square()
    return torch.stack([right, down, size, rotation, axes, diagonal, thickness], 1)
    ### END SOLUTION

tangents = check("12.1", tangents)

# %% [markdown]
# Between two pixels of a sharp edge there is no derivative worth the name, so the image is smoothed first. Here are your tangents, and what
# becomes of an image that takes a step along each, forwards and back.

# %%
soft = library.smooth(x[:1])
directions = F.normalize(tangents(soft[:, 0])[0].flatten(1)).view(7, *shape)
rows = [directions, *((soft + way * directions).clamp(0, 1) for way in (3, -3))]
names = [name.replace(" along", "\nalong") for name in library.NAMES]
titles = [names, [""] * 7, [""] * 7]
plots.show(plots.images(rows, titles, ["tangent", "plus", "minus"], signed=[0]),
           "Seven tangents of one image",
           alt="Seven tangents of a drawn sign in blue and red, and below each the "
               "smoothed sign with the tangent added and taken off: moved, sized, "
               "turned, stretched, thicker and thinner.")

# %% [markdown]
# How far does a tangent carry? The straight line leaves the curve sooner or later. For shifts of growing size: what share of the way
# does the tangent miss? (Between pixels, the smoothed image is shifted by turning the phases of its waves, which is exact.)

# %%
def moved_smoothly(images, pixels):
    """Images, all of them moved to the right; what leaves comes in on the left."""
    waves = torch.fft.rfftfreq(shape[2], device=x.device)
    turned = torch.fft.rfft(images) * torch.exp(-2j * torch.pi * pixels * waves)
    return torch.fft.irfft(turned, n=shape[2])

def missed(pixels):
    """What share of a shift by so many pixels its tangent does not give, on average."""
    start = library.smooth(x[:100])
    line = start + pixels * library.tangents(x[:100])[:, 0]
    end = moved_smoothly(start, pixels)
    return apart(line, end) / apart(start, end)

pixels = [0.25, 0.5, 1, 2, 3, 4]
shares = [missed(size) for size in pixels]
figure = plots.curves(pixels, {"missed": shares}, "shift in pixels",
                      "‖line − curve‖ / ‖way‖", ylim=(0, None))
plots.show(figure, "Where the line leaves the curve",
           alt="The share of the way that the tangent misses, against the shift in "
               "pixels: least at a quarter of a pixel and growing with the shift.")
claim("At three pixels it misses {value:.2f} of the way more than at half a pixel.",
      shares[4] - shares[1], 0.4, 1.4)

# %% [markdown]
# ## A distance that forgives
#
# A nearest neighbour is only as good as its distance. Simard et al. (1993) let both images move in their tangent planes first:
#
# $$d(x, y) = \min_{a,\,b}\; \lVert\, (x + T_x a) - (y + T_y b) \,\rVert_2$$
#
# **Exercise 12.2.** Write it for one pair. It is a least-squares problem in $a$ and $b$ together; the rows of `x_tangents` and `y_tangents` are the
# tangents.

# %%
def tangent_distance(x, x_tangents, y, y_tangents):
    """The smallest Euclidean distance between the two tangent planes; a number.

    x, y: flat images, shape (D,).
    x_tangents, y_tangents: the tangents of each, one in a row, shape (K, D).
    """
    ### BEGIN SOLUTION
    matrix = torch.cat([x_tangents, -y_tangents]).T
    steps = torch.linalg.lstsq(matrix, (y - x)[:, None]).solution
    return ((x - y) + (matrix @ steps)[:, 0]).norm().item()
    ### END SOLUTION

tangent_distance = check("12.2", tangent_distance)

# %% [markdown]
# The library does the same for all pairs at once, by one matrix product. On twenty pairs you should agree.

# %%
ours = tangent_distances(x[:4], train_x[:5])
pairs = [[(library.smooth(image)[0].flatten(), library.tangents(image)[0].flatten(1))
          for image in images.split(1)] for images in (x[:4], train_x[:5])]
yours = torch.tensor([[tangent_distance(*one, *other) for other in pairs[1]]
                      for one in pairs[0]], device=x.device)
claim("Your distances and the library's differ by at most {value:.1%}.",
      ((yours - ours).abs() / ours).max(), 0, 0.01)

# %% [markdown]
# Now all pairs of test and training images, and the label of the nearest one. Four distances: the Euclidean one of the raw images; that of the
# smoothed images; one image moves; both move. And a control, in which one image moves in seven *random* smooth directions.
#
# **Predict before you run.** From the raw Euclidean distance to two moving images some errors disappear. What percentage of *these* disappears by
# smoothing alone?

# %%
### BEGIN SOLUTION
my_guess = 30
### END SOLUTION

# %%
stored = few if course.data.name == "mnist" else slice(0, 300)   # letters are easier

def neighbour_error(distances):
    """The error of the nearest image's label; distances: (tests, trainings)."""
    return (train_y[stored][distances.argmin(1)] != y).double().mean().item()

def without(images, directions):
    """The smoothed images, flat, without what lies along the orthonormal columns."""
    images = library.smooth(images).flatten(1)
    return images - images @ directions @ directions.T

# %%
known = train_x[stored]
noise = torch.randn(7, *shape, generator=course.generator(), device=x.device)
at_random = torch.linalg.qr(library.smooth(noise).flatten(1).T).Q
distances = {"raw": torch.cdist(x.flatten(1), known.flatten(1)),
             "smoothed": tangent_distances(x, known, sides=0),
             "random directions": torch.cdist(without(x, at_random),
                                              without(known, at_random)),
             "one image moves": tangent_distances(x, known, sides=1),
             "both move": tangent_distances(x, known, sides=2)}
errors = {name: neighbour_error(found) for name, found in distances.items()}

# %% tags=["tells"]
plots.show(plots.bars(errors, "error"), "The nearest neighbour by five distances",
           alt="Bars of the nearest neighbour's error. The raw distance errs most, the "
               "smoothed one and that with random directions less, least those where "
               "one image moves or both do.")

# %% tags=["tells"]
gained = errors["raw"] - errors["both move"]
compare_guess(my_guess, 100 * (errors["raw"] - errors["smoothed"]) / gained)
claim("With two moving images {value:.0%} of the raw distance's errors remain,",
      errors["both move"] / errors["raw"], 0, 0.6)
claim("and {value:.0%} of those of the smoothed distance.",
      errors["both move"] / errors["smoothed"], 0, 0.75)
claim("Random directions give {value:.1%} more errors than the tangents of one image.",
      errors["random directions"] - errors["one image moves"], 0.01, 0.2)

# %% [markdown]
# <details><summary>After your guess: what this shows</summary>
#
# A part of the gain has nothing to do with tangents: smoothing alone forgives small shifts. Without this control it would be booked on the
# tangents' account. On all of MNIST, at 16 × 16 pixels, LeCun et al. (1998) report an error of 1.1 % for the nearest neighbour by tangent distance,
# and 5.0 % by the Euclidean one.
#
# </details>

# %% [markdown]
# ### Move it yourself
#
# The image walks along its orbit and, beside it, straight on in its tangent plane. Both are measured against another image of the same class.
# Where do they part? Which of the two would a machine follow that only knows the tangents?

# %%
sizes = [k / 2 for k in range(-8, 9)]
partner = (y == y[0]).nonzero()[1, 0]   # another image of the class of the first

def walk(pixels, degrees):
    """Image 0 so far to the right and turned, on its orbit and on its tangent plane."""
    turns = x.new_tensor([[degrees, size / shape[2], 0] for size in sizes])
    real = library.smooth(move(x[:1].expand(len(sizes), *shape), turns))
    right, turn = library.tangents(x[:1])[0, [0, 3]]
    rim = degrees * torch.pi / 180 * (max(shape) - 1) / 2
    steps = x.new_tensor(sizes).view(-1, 1, 1, 1)
    line = library.smooth(x[:1]) + rim * turn + steps * right
    figure, alt = widgets.tangent_plane_figure(
        real, line, library.smooth(x[partner][None])[0], sizes, sizes.index(pixels),
        unit="pixels")
    return figure, f"{pixels:+g} pixels, {degrees:+d}°", alt

controls = {"pixels": widgets.slider("pixels", -4.0, 4.0, 0.0, step=0.5),
            "degrees": widgets.slider("degrees", -40, 40, 0, step=5)}
far = [{"pixels": 1.0}, {"pixels": 3.0, "degrees": 20}]
widgets.explore(walk, controls, static=far, live=course.live)

# %% [markdown]
# ## Tangents for a network
#
# *Tangent prop* (Simard et al., 1992) trains a network so that its answer does not change along the tangents: to the loss it adds
# $\beta\,\lVert\partial z(x + a\,t)/\partial a\rVert^2$, $z$ the logits. Beside it the plainest thing there is: move every training image by a random pixel. Both
# know the same, and both get the same number of steps.

# %%
learnt = slice(0, 1000 if course.quick else 5000)

def train(loss, network=models.mlp, epochs=20, learning_rate=2e-3):
    """A fresh network, trained on this loss, frozen."""
    with training.seeded(SEED):
        model = network(shape, len(classes)).to(course.device)
    training.fit(model, train_x[learnt], train_y[learnt], epochs=epochs, batch_size=64,
                 learning_rate=learning_rate, loss=loss, seed=SEED)
    return model.requires_grad_(False)

def one_pixel_loss(model, x, y):
    """The loss on images that are each moved by −1, 0 or 1 pixel in both directions."""
    by = torch.randint(-1, 2, (len(x), 2), device=x.device)
    return training.cross_entropy_loss(model, invariance.shift(x, by), y)

# %%
losses = {"plain": training.cross_entropy_loss,
          "tangent prop": partial(tangent_prop_loss, weight=0.3),
          "one pixel": one_pixel_loss}
networks = {name: train(loss) for name, loss in losses.items()}
by = torch.randint(-2, 3, (len(many[0]), 2), generator=course.generator(),
                   device=x.device)
moved = invariance.shift(many[0], by)
table = {name: [1 - accuracy(model, images, many[1]) for images in (many[0], moved)]
         for name, model in networks.items()}

# %%
columns = ["clean", "moved by up to\n2 pixels"]
plots.show(plots.matrix(table.values(), list(table), columns, "error", "trained with"),
           "Tangent prop against one pixel",
           alt="Errors of three networks on clean and on moved test images. Tangent "
               "prop lowers the error on moved images a little; moving the training "
               "images by one pixel lowers both much more.")
claim("On moved images tangent prop leaves {value:.0%} of plain training's errors,",
      table["tangent prop"][1] / table["plain"][1], 0.7, 0.99)
claim("and one pixel of jitter leaves {value:.0%} of tangent prop's.",
      table["one pixel"][1] / table["tangent prop"][1], 0.35, 0.8)

# %% [markdown]
# A tangent is a statement about infinitely small shifts. A pixel is as wide as the edge of a stroke, and there the line has left the curve already:
# you saw it above. That a network learns more from *real* moved images is a reason why augmentation has won.

# %% [markdown]
# ## Only the boundary
#
# Moving everything multiplies the data. A support vector machine tells which images it needs: the support vectors, at the boundary. Schölkopf et
# al. (1996) train once, move only these, and train again on them and their copies: *virtual support vectors*.
#
# **Exercise 12.3.** Make the second training set.

# %%
def virtual_examples(x, y, support, shifts):
    """The support vectors, and each of them moved by each of the shifts, with labels.

    Returns (images, labels), S · (1 + len(shifts)) of each, in any order, as long as
    each image has its own label.
    x: images, shape (N, C, H, W); y: their labels, shape (N,), int64.
    support: the rows of x that are support vectors, shape (S,), int64.
    shifts: pairs (right, down) of whole pixels, which may be negative. What leaves the
    image is lost, and black (0) comes in.
    """
    ### BEGIN SOLUTION
    kept = x[support]
    copies = [F.pad(kept, (right, -right, down, -down)) for right, down in shifts]
    return torch.cat([kept, *copies]), y[support].repeat(1 + len(shifts))
    ### END SOLUTION

virtual_examples = check("12.3", virtual_examples)

# %% [markdown]
# Four machines: on the images as they are, on the virtual support vectors, on as many images picked at random and moved alike, and on everything
# moved.

# %%
def machine(images, labels):
    """A support vector machine with a polynomial kernel."""
    svm = SVC(kernel="poly", degree=5, coef0=1, gamma=1 / 50, C=10)
    return svm.fit(images.detach().flatten(1).cpu().numpy(), labels.cpu().numpy())

def svm_error(images, labels):
    """The error on test images of a machine that was fitted on these."""
    tests, wanted = (part.cpu().numpy() for part in many)
    return 1 - machine(images, labels).score(tests.reshape(len(tests), -1), wanted)

# %%
images, labels = train_x[learnt], train_y[learnt]
support = torch.from_numpy(machine(images, labels).support_).long().to(x.device)
order = torch.randperm(len(images), generator=course.generator(), device=x.device)
chosen = {"virtual": support, "random": order[:len(support)], "all moved": order}
sets = {"as they are": (images, labels)}
for name, rows in chosen.items():
    sets[name] = virtual_examples(images, labels, rows, NEIGHBOURS)

# %%
svm_errors = {f"{name}: {len(data[0])} images": svm_error(*data)
              for name, data in sets.items()}
plots.show(plots.bars(svm_errors, "error"), "Which images to move",
           alt="Bars of the error of four support vector machines. Those on the images "
               "as they are and on random ones with shifts err most; those on virtual "
               "support vectors and on everything err least, and nearly alike.")
plain, virtual, at_random, everything = svm_errors.values()
claim("Virtual support vectors leave {value:.0%} of the errors,",
      virtual / plain, 0.05, 0.88)
claim("with {value:.0%} of the images that moving everything takes.",
      len(sets["virtual"][0]) / len(sets["all moved"][0]), 0.45, 0.7)
claim("From moving everything the error differs by {value:+.1%}.",
      virtual - everything, -0.004, 0.004)
claim("As many images at random, moved alike, make {value:.1%} more errors.",
      at_random - virtual, 0.001, 0.1)

# %% [markdown]
# It is the boundary that matters, and not how many images there are. On all of MNIST, a virtual support vector machine of degree 9 errs on 0.8 % (LeCun et al., 1998),
# and one with shifts of two pixels, on straightened digits, on 0.56 % (DeCoste and Schölkopf, 2002).

# %% [markdown]
# ## The worst of all changes
#
# Teo et al. (2007) write what all of this has in common as one loss. $\Delta$ is a set of changes, and $\eta(\delta)$ says how plausible each is:
#
# $$L(x, y, f) = \sup_{\delta\in\Delta}\; \eta(\delta)\; l\big(f(x + \delta),\, y\big), \qquad 0 \le \eta \le 1$$
#
# For a finite set the sup is a maximum. **Exercise 12.4.** Given the losses of each image under each change, write it, averaged over the images.

# %%
def worst_case(losses, eta):
    """The mean over images of the largest of eta · loss; a tensor of shape ().

    Its gradient must reach the losses.
    losses: of each image under each of K changes, shape (N, K), none negative.
    eta: the weight of each change, in [0, 1], shape (K,).
    """
    ### BEGIN SOLUTION
    return (eta * losses).amax(1).mean()
    ### END SOLUTION

worst_case = check("12.4", worst_case)

# %% [markdown]
# The set: all shifts by up to two pixels, twenty-five of them. $\eta(\delta) = \exp(-\lVert\delta\rVert^2 / 2\tau^2)$: far ones count less. The
# model is linear, so that $l$ is convex in its weights. A maximum of convex functions is convex: halfway between two models the loss is never above
# the mean of the two ends. Hold it against random pairs, far ones and near ones.

# %%
shifts, changes = shifts_within(2), pixel_shifts(2)
part = slice(0, 400 if course.quick else 2000)
changed, changed_y = orbit(train_x[part], changes).cpu(), train_y[part].cpu()

def objective(weights, tau, images=changed[:50], y=changed_y[:50]):
    """The worst-case loss of the linear model with these weights."""
    logits = images.flatten(2) @ weights
    losses = F.cross_entropy(logits.flatten(0, 1), y.repeat_interleave(len(shifts)),
                             reduction="none")
    return worst_case(losses.view(len(y), -1), gaussian_penalty(shifts, tau))

# %%
draw = partial(torch.randn, shape.numel(), len(classes),
               generator=torch.Generator().manual_seed(SEED))
below = []
for k in range(60):
    u = 0.1 * draw()
    v = u + (0.1, 0.01)[k % 2] * draw()
    ends = (objective(u, 1.5) + objective(v, 1.5)) / 2
    below.append((ends - objective((u + v) / 2, 1.5)).item())
claim("Of 60 pairs each lies lower halfway than its ends do, by {value:.2g} or more.",
      min(below), 1e-6, 100)

# %%
start_weights = 0.1 * draw()
logits = changed[:50, 0].flatten(1) @ start_weights
gap = objective(start_weights, 0) - F.cross_entropy(logits, changed_y[:50])
claim("With η = 1 for no shift, 0 for others, it is plain training's, to {value:.1g}.",
      gap.abs(), 0, 1e-5)

# %%
question("12.5")

# %%
### BEGIN SOLUTION
choice = "c"
### END SOLUTION
answer("12.5", choice)

# %% [markdown]
# ### Few changes matter
#
# Must one train on all twenty-five copies of every image? Most are never the worst. *Column generation* starts with the images as they are,
# minimises, looks for the worst change of each image, adds it, and repeats. The least objective over *some* changes is never above that over all: a
# lower bound. The model itself gives an upper one, and they meet.

# %%
DECAY = 1e-2   # λ, of the squared weights

def learn(tau, method=column_generation):
    """Softmax regression of least worst-case loss, its rounds, the processor's time."""
    began = time.process_time()
    model, rounds = method(changed, changed_y, gaussian_penalty(shifts, tau),
                           classes=len(classes), decay=DECAY)
    return model, rounds, time.process_time() - began

model, rounds, spent = learn(1.5)
bounds = {side: [getattr(one, side) for one in rounds] for side in ("upper", "lower")}
plots.show(plots.curves(range(1, len(rounds) + 1), bounds, "round", "objective"),
           "Two bounds on the least objective",
           alt="Upper and lower bound of the least objective against the round: far "
               "apart at first, together at the end.")
claim("Of 25 shifts an image needs {value:.1f},", rounds[-1].columns, 2.5, 9)
claim("and the bounds are {value:.2%} apart.",
      1 - rounds[-1].lower / rounds[-1].upper, -1e-6, 0.0101)

# %% [markdown]
# What does that save? The same minimum, until the bounds are as near, with all twenty-five from the start.

# %%
_, _, spent_on_all = learn(1.5, enumeration)
claim("Column generation takes {value:.0%} of the time of all columns.",
      spent / spent_on_all, 0.1, 0.7)

# %% [markdown]
# ### What it buys, and what it costs
#
# From τ = 0, plain training, to large τ, where all shifts count in full. The error on clean test images, the mean over their twenty-five
# shifts, and the share of images that *some* shift makes it misread. The dashed lines belong to plain averaging over all shifts, which is augmentation.

# %%
test_changed = orbit(x, changes).cpu()

def shift_errors(model):
    """The error on unmoved images, over all shifts, and at the worst of each image."""
    read = model(test_changed.flatten(0, 1)).argmax(1).view(-1, len(shifts))
    wrong = (read != y.cpu()[:, None]).double()
    return [part.mean().item() for part in (wrong[:, 0], wrong, wrong.amax(1))]

taus = [0, 0.75, 1.5, 2.5]
found = [shift_errors(model if tau == 1.5 else learn(tau)[0]) for tau in taus]
clean, shifted, worst = zip(*found)
mean = averaged(changed, changed_y, classes=len(classes), decay=DECAY)
of_the_mean = shift_errors(mean)

# %%
lines = {"clean": clean, "shifted": shifted, "worst shift": worst}
figure = plots.curves(taus, lines, "τ in pixels", "error", ylim=(0, None))
for height, colour in zip(of_the_mean, plots.COLOURS):
    figure.axes[0].axhline(height, color=colour, linestyle="dashed", linewidth=1)
plots.show(figure, "The worst case over τ; dashed: averaging",
           alt="Error on clean and shifted images and at the worst shift, against τ. "
               "On shifted images it falls and flattens, at the worst shift it falls "
               "last; on clean ones it is highest at the largest τ. Dashed, averaging: "
               "lowest on shifted images, and not so at the worst shift.")
claim("At τ = 1.5 the error on shifted images is {value:.0%} below plain training's.",
      1 - shifted[2] / shifted[0], 0.15, 0.5)
claim("From there to τ = 2.5 the error on clean images rises by {value:.1%},",
      clean[3] - clean[2], 0.005, 0.15)
claim("and {value:+.1%} is all that this does to the one on shifted images.",
      shifted[3] - shifted[2], -0.05, 0.05)
claim("On these, averaging makes {value:.1%} fewer errors than the best τ.",
      min(shifted) - of_the_mean[1], 0.005, 0.08)
claim("Where the worst shift counts, τ = 2.5 makes {value:.1%} fewer than averaging.",
      of_the_mean[2] - worst[3], 0.004, 0.2)

# %% [markdown]
# The plain mean wins where chance chooses the shift, the sup where an opponent does. And what the sup promises of an image holds for each of its
# shifts; a mean promises nothing about any one of them.

# %% [markdown]
# ## The bridge to attacks
#
# Now let Δ be the ball $\lVert\delta\rVert_\infty \le \varepsilon$ and η = 1 in it. For two classes and a linear model, $l$ the logistic loss
# $\log(1 + e^{-m})$ of the margin $m = y\,(w^\top x + b)$, $y = \pm 1$, the sup needs no search at all.
#
# **Exercise 12.6.** What does the worst δ make of the margin? Write the sup in closed form, for each image.

# %%
def linear_worst_case(weight, bias, x, y, eps):
    """The largest log(1 + exp(−margin)) within eps of each image, shape (N,).

    The margin is y (wᵀx + b). Every pixel may change by at most eps, and leave [0, 1].
    weight: w, shape (D,); bias: b, a number; eps: at least 0.
    x: images, shape (N, C, H, W) with C · H · W = D; y: −1.0 or 1.0 each, shape (N,).
    """
    ### BEGIN SOLUTION
    margin = y * (x.flatten(1) @ weight + bias) - eps * weight.abs().sum()
    return F.softplus(-margin)
    ### END SOLUTION

linear_worst_case = check("12.6", linear_worst_case)

# %% [markdown]
# Compare it with the fast gradient sign method, which steps along the sign of the gradient (here without clipping), and with random signs of the
# same size.

# %%
softmax = course.model("softmax")
first, second = 3, 5
two = (y == first) | (y == second)
pair, sides = x[two], torch.where(y[two] == first, 1.0, -1.0)
weight = (softmax[1].weight[first] - softmax[1].weight[second]).detach()
bias = (softmax[1].bias[first] - softmax[1].bias[second]).item()

def logistic(images):
    """The logistic loss of each image of the pair of classes."""
    return F.softplus(-sides * (images.flatten(1) @ weight + bias))

# %%
image = pair.clone().requires_grad_()
gradient, = torch.autograd.grad(logistic(image).sum(), image)
by_fgsm = logistic(pair + EPS * gradient.sign())
closed = linear_worst_case(weight, bias, pair, sides, EPS)
draws = signs(pair.expand(100, *pair.shape))
by_chance = torch.stack([logistic(pair + EPS * draw) for draw in draws]).amax(0)
claim("Your sup and the loss at FGSM's image differ by at most {value:.1g}.",
      (closed - by_fgsm).abs().max(), 0, 1e-3)
claim("The best of 100 random signs gets {value:.0%} of the rise of the loss.",
      (by_chance - logistic(pair)).mean() / (closed - logistic(pair)).mean(), 0, 0.2)

# %% [markdown]
# So FGSM is this sup, solved exactly, for a linear model; for a network PGD searches for it, and adversarial training (notebook 09) minimises it.
# What began as *use what you know* has become *assume what you want*, by one change: Δ holds what an attacker might do, and no longer what leaves
# the class as it is.

# %% [markdown]
# ## Too invariant
#
# Within a large enough ball the class does change. Take an image, and go as far as ε allows towards a training image of another class; no network
# is asked. Ten of those that a nearest neighbour reads as the new class: above each stands the old class and the one that it was drawn towards. In
# how many do you see the new one?

# %%
WIDE = {"mnist": 0.4}.get(course.data.name, 0.3)
old_x, old_y = x[:300], y[:300]
blends, new_y = towards_another_class(old_x, old_y, train_x[few], train_y[few],
                                      eps=WIDE)
neighbour = tangent_neighbours(train_x[few], train_y[few], len(classes), sides=1)
turned = (neighbour(blends).argmax(1) == new_y).nonzero()[:10, 0]
titles = [f"{classes[a]} → {classes[b]}" for a, b in zip(old_y[turned], new_y[turned])]
plots.show(plots.images([old_x[turned], blends[turned]], [titles, [""] * len(turned)],
                        ["image", "blend"]), f"Towards another class, ε = {WIDE}",
           alt="Ten images and below each a blend in which grey strokes of another "
               "class appear and its own strokes fade. Some read as the new class, "
               "some as neither.")

# %% [markdown]
# **Predict before you run.** The network `robust` was trained to keep its answer in a ball. On what percentage of all these blends does it answer
# with the *old* class?

# %%
### BEGIN SOLUTION
my_guess_for_robust = 85
### END SOLUTION

# %%
noisy = (old_x + WIDE * signs(old_x)).clamp(0, 1)
judges = {"nearest neighbour": neighbour, "cnn": cnn, "robust": robust}
answers = {name: judge(blends).argmax(1) for name, judge in judges.items()}
share = lambda mask: mask.double().mean().item()
kept = {name: share(said == old_y) for name, said in answers.items()}
table = [[kept[name], share(said == new_y), accuracy(judges[name], noisy, old_y)]
         for name, said in answers.items()]

# %% tags=["tells"]
columns = ["old class,\nblend", "new class,\nblend", "old class,\nrandom signs"]
plots.show(plots.matrix(table, list(judges), columns, "answer", "judge"),
           "Who follows the drawing?",
           alt="How often three judges give the old class and the new class to blends, "
               "and the old class to images with random noise of the same size. The "
               "robust network keeps the old class most often.")
compare_guess(my_guess_for_robust, 100 * kept["robust"])
claim("The robust network keeps {value:.0%} more old classes than the neighbour does.",
      kept["robust"] - kept["nearest neighbour"], 0.2, 1)
agreed = (answers["nearest neighbour"] == new_y) & (answers["cnn"] == new_y)
claim("Where the two others both see the new class, it says the old on {value:.0%}.",
      share(answers["robust"][agreed] == old_y[agreed]), 0.15, 0.9)

# %%
question("12.7")

# %%
### BEGIN SOLUTION
choice = "b"
### END SOLUTION
answer("12.7", choice)

# %% [markdown]
# No panel of people has judged these images: there are two judges that were not trained to be robust, and you. Tramèr et al. (2020) align the
# images before they blend them, and ask people. That a network can ignore what makes the class, and yet do well on ordinary test images, is the
# point of Jacobsen et al. (2019).

# %% [markdown]
# ## A network that cannot move
#
# Training makes a network nearly invariant. Averaging makes it exactly so. Turns by 0, 90, 180 and 270 degrees form a *group*: one after the other
# is again one of them. So the mean of the network's answers over all four is the same wherever one starts.
#
# **Exercise 12.8.** Write this mean.

# %%
def group_average(model, x):
    """The mean of the model's logits over the four quarter turns of x, shape (N, K).

    model: from images (N, C, H, H) to logits (N, K); x: such images, as high as wide.
    """
    ### BEGIN SOLUTION
    return torch.stack([model(torch.rot90(x, k, (2, 3))) for k in range(4)]).mean(0)
    ### END SOLUTION

group_average = check("12.8", group_average)

# %% [markdown]
# Invariance as a number: when the image goes round its orbit, what share of the probability moves to other classes, on average? 0 is invariant. For
# quarter turns and for shifts by one pixel, beside accuracy, clean and under attack. `pooled` takes the mean, or the largest answer of each class,
# over any list of changes. Shifts that lose what leaves the image are *no* group. (The last network is the zoo's, which had more images.)

# %%
net = networks["plain"]
compared = {"plain": net, "trained: one pixel": networks["one pixel"],
            "mean over turns": partial(group_average, net),
            "largest over turns": pooled(net, quarter_turns(), "max"),
            "mean over shifts": pooled(net, pixel_shifts(1)), "trained: PGD": robust}
has_gradients = compared | {"mean over turns": pooled(net, quarter_turns())}
some = slice(0, 150 if course.quick else 1000)
speckled = (x + EPS * signs(x)).clamp(0, 1)
table = {name: [accuracy(model, x, y), accuracy(model, speckled, y),
                movement(model, x, quarter_turns()).mean().item(),
                movement(model, x, pixel_shifts(1)).mean().item(),
                accuracy(model, attack(has_gradients[name], x[some], y[some]), y[some])]
         for name, model in compared.items()}

# %%
columns = ["right,\nclean", "right,\nnoise", "moves,\nturned", "moves,\nshifted",
           "right,\nPGD"]
plots.show(plots.matrix(table.values(), list(table), columns, "share", "model"),
           "Right, invariant, robust: three things",
           alt="Six models by five shares: right on clean ones and with random signs, "
               "moving under quarter turns and under shifts by a pixel, right under "
               "attack. Under turns nothing moves for the two over turns.")
claim("Averaged over the group, {value:.2%} of the probability moves under turns.",
      table["mean over turns"][2], 0, 1e-4)
claim("For it, the network gives up {value:.0%} of its accuracy on clean images.",
      table["plain"][0] - table["mean over turns"][0], 0.2, 0.85)
claim("Training on shifted images takes {value:.0%} off what moves under shifts.",
      1 - table["trained: one pixel"][3] / table["plain"][3], 0.3, 0.85)
claim("Under attack, the mean over shifts reads {value:.0%} fewer than PGD training.",
      table["trained: PGD"][4] - table["mean over shifts"][4], 0.6, 1)

# %% [markdown]
# Invariance to what is *no* invariance of the task costs accuracy: a six on its head is a nine. And no invariance to moves brings robustness to ε: these
# are different sets of changes.

# %% [markdown]
# ## The attacker in the known family
#
# Back to what we know, with an opponent. Of all rotations by at most 20° and shifts by at most two pixels, which is the worst? Only three
# numbers are to be found, so a grid will do; random tries and gradient ascent are the alternatives (Engstrom et al., 2019), here for the same price: a
# step of ascent goes forward and back, and costs as much as three moves that are only tried. Two networks are
# trained on moved images, at about equal cost, too: many epochs of random moves, or few with the worst of five.

# %%
FAMILY = {"rotation": 20.0, "translation": 2 / shape[2]}   # degrees; share of the width
trained_with = {"plain": (training.cross_entropy_loss, 6),
                "random moves": (partial(moves.random_move_loss, **FAMILY), 15),
                "worst of five": (partial(moves.worst_move_loss, tries=5, **FAMILY), 6)}
movers = {name: train(loss, network=models.cnn, epochs=epochs, learning_rate=3e-3)
          for name, (loss, epochs) in trained_with.items()}

# %%
searches = {"random,\n45 moves": {"search": "random", "tries": 45},
            "gradient,\n15 steps": {"search": "gradient", "tries": 3, "steps": 5},
            "grid,\n45 moves": {"search": "grid", "angles": 5, "shifts": 3}}

# %%
def under_moves(model):
    """Accuracy on clean images, on randomly moved ones, and under the searches."""
    with training.seeded(SEED):
        chance = moves.random_moves(x[some], **FAMILY)
    search = partial(spatial, model, x[some], y[some], **FAMILY)
    worst = [search(generator=course.generator(), **how) for how in searches.values()]
    return [accuracy(model, images, y[some]) for images in (x[some], chance, *worst)]

table = {name: under_moves(model) for name, model in movers.items()}

# %%
columns = ["clean", "moved at\nrandom", *searches]
figure = plots.matrix(table.values(), list(table), columns, "accuracy", "trained with")
plots.show(figure, "The worst move",
           alt="Accuracy of three networks on clean images, on randomly moved ones and "
               "under three searches for the worst move. Training on moves raises all "
               "but the clean one; the grid finds the most.")
claim("The worst of the grid costs plain training {value:.0%} more than chance does.",
      table["plain"][1] - table["plain"][4], 0.4, 0.95)
claim("Training on random moves wins back {value:.0%} under the grid,",
      table["random moves"][4] - table["plain"][4], 0.08, 0.6)
claim("training on the worst of five {value:.0%}.",
      table["worst of five"][4] - table["plain"][4], 0.01, 0.6)
claim("For the first, the grid finds {value:.0%} more mistakes than the gradient does.",
      table["random moves"][3] - table["random moves"][4], 0.1, 0.9)

# %% [markdown]
# Much that you learnt about PGD comes back: a strong search, training on its result, a gap between chance and worst case. Two things do not. The
# gradient loses to plain trying, as in Engstrom et al. (2019): three numbers are few, and the loss is no single hill. And the labels are sure, whoever
# moves the image: this is robustness to an invariance.

# %% [markdown]
# ## What to remember
#
# * An invariance is knowledge: the class stays, whoever makes the change. It goes into a distance, into the data, into the loss, or into the
#   network itself.
# * Tangents are knowledge about small changes. They help a nearest neighbour much and a network little; one real pixel of jitter beats them there.
# * Hold every gain against its control: smoothing alone, random directions, random images, plain averaging.
# * sup η · l is one formula for invariances and for attacks; FGSM is its closed form for a linear model. What differs is whether we know the label.
# * Robustness treats what we do not know as known. Inside a large ball the class changes, and a robust network that keeps its answer is wrong.

# %%
progress()

# %% [markdown]
# ## Further reading
#
# * Simard, LeCun, Denker, *Efficient pattern recognition using a new transformation distance*, NIPS 5, 1993 (the lecture's slide says 1995); Simard,
#   Victorri, LeCun, Denker, *Tangent prop*, NIPS 4, 1992.
# * LeCun, Bottou, Bengio, Haffner, *Gradient-based learning applied to document recognition*, Proceedings of the IEEE, 1998: the table of errors on
#   MNIST.
# * Schölkopf, Burges, Vapnik, *Incorporating invariances in support vector learning machines*, ICANN 1996; DeCoste, Schölkopf, *Training invariant
#   support vector machines*, Machine Learning 46, 2002.
# * Teo, Globerson, Roweis, Smola, *Convex learning with invariances*, NIPS 2007 (the lecture's slide says 2005).
# * Jacobsen et al., *Excessive invariance causes adversarial vulnerability*, [arXiv:1811.00401](https://arxiv.org/abs/1811.00401); Tramèr et al.,
#   *Fundamental tradeoffs between invariance and sensitivity to adversarial perturbations*, [arXiv:2002.04599](https://arxiv.org/abs/2002.04599).
# * Engstrom et al., *Exploring the landscape of spatial robustness*, [arXiv:1712.02779](https://arxiv.org/abs/1712.02779).
# * **Since corrected.** A proof of robustness in a large ball was taken for progress in itself. That the network may be *wrong* there, because the
#   class changes, was said in 2019 and 2020, by the two papers on excessive invariance.
