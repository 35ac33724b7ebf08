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
# # 10 · Honest evaluation
#
# ### What you will be able to do
#
# * tell a defence that withstands attacks from one that only blinds them, and break the second kind,
# * audit a claim of robustness with a checklist, and read the report,
# * say what can be *proved* about a network: from below, exactly, and from above.
#
# **Time** about 120 minutes · **Before** notebooks 03, 05 and 09 · **Library** `advcourse.defenses`, `advcourse.evaluate`

# %% [markdown]
# ### Threat-model card
#
# | | in this notebook |
# |---|---|
# | What does the attacker want? | any wrong class, and later: not to be noticed |
# | What does the attacker know? | everything, *the defence included* |
# | What may be changed? | every pixel by at most ε (ℓ∞), or the Euclidean length of the change; grey values stay in [0, 1] |
# | When? | after training; the attack is chosen after the defence |
# | What counts as success? | one image in the ball that is misread. How it was found does not matter |

# %% tags=["parameters"]
PROFILE = "quick"   # "full": more images and longer attacks (a GPU helps)
DATASET = "auto"    # MNIST where it can be had, else letters drawn from fonts
SEED = 0
DEVICE = "auto"
STUDENT = ""        # your name or number: it shuffles the answers of questions

# %% tags=["setup"]
import tempfile
import warnings
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

from advcourse import attacks, evaluate, models, plots, training, widgets
from advcourse.defenses import bounds, detection, masking, smoothing
from advcourse.evaluate import accuracy
from advcourse.exercises import answer, check, hint, progress, question
from advcourse.notebook import claim, compare_guess, record, start

course = start("10", profile=PROFILE, dataset=DATASET, seed=SEED,
               device_name=DEVICE, student=STUDENT)
# The library warns where a gradient is zero; here we look ourselves.
warnings.filterwarnings("ignore", "gradient masking")

# %% [markdown]
# ## A question
#
# Somebody presents a defence. Round every pixel to eight grey values before the network sees it: small perturbations are rounded away, so the
# argument goes, and digits look the same. They attack it by PGD and show you the numbers. Do you believe them?

# %%
x, y = course.test_images(100 if course.quick else 2000)
x_train, y_train = (part.to(course.device) for part in (course.data.x_train, course.data.y_train))
classes, shape = course.data.classes, x.shape[1:]
EPS = 0.1
network = course.model("mlp")
defended = masking.quantised(network, levels=8)

# %%
def left_by_pgd(model, images=x, labels=y):
    """The accuracy that PGD with ten steps leaves."""
    images_adv = attacks.pgd(model, images, labels, eps=EPS, steps=10, generator=course.generator())
    return accuracy(model, images_adv, labels)

shown = {"undefended": left_by_pgd(network), "defended": left_by_pgd(defended)}
claim("Under PGD the defended network is right about {value:.0%} of the images,", shown["defended"], 0.85, 1)
claim("which is {value:.0f} points more than the undefended one.",
      100 * (shown["defended"] - shown["undefended"]), 70, 100)

# %% [markdown]
# Before you answer: take the adversarial examples that were made for the *undefended* network, and show them to the defended one.

# %%
x_adv = attacks.pgd(network, x, y, eps=EPS, steps=40, generator=course.generator())
transferred = accuracy(defended, x_adv, y)
fooled = ((defended(x).argmax(1) == y) & (defended(x_adv).argmax(1) != y)).nonzero()[:8, 0]
read = [[classes[k] for k in defended(images[fooled]).argmax(1)] for images in (x, x_adv)]
plots.show(plots.images([x[fooled], x_adv[fooled]], read, ["original", "changed"]), "What the defended network reads",
           alt="Eight test images and below each a changed copy within the same ε. People read both rows alike. "
               "The defended network reads the upper row right and every image of the lower row wrong.")
claim("On examples made for the other network the defended one is right about {value:.0%}.",
      transferred, 0, 0.3)

# %% [markdown]
# The lower row lies in the same ball that PGD searched in vain. So the ball is full of adversarial examples, and the defence has not removed one of
# them. It has taken away what PGD goes by: rounding is flat, its derivative is zero. This is **gradient masking**.

# %% [markdown]
# ## Four ways to fool oneself
#
# Nobody plants such a thing on purpose. It happens while one looks for a defence, and it happened to most of those published in some years: of nine
# defences at one conference, seven rested on masked gradients, six fell completely and one in part (Athalye et al., 2018). First the softmax.

# %% [markdown]
# ### Saturation
#
# Multiply all logits by a large number. The answers stay; the softmax becomes so sure that the cross-entropy is zero up to rounding, and so is its slope.
# *Defensive distillation* (Papernot et al., 2016) does it by training: at a temperature of 100, logits become a hundred times as large.

# %%
saturated = masking.saturated(network, scale=1000)
def cross_entropy(logits, y):
    """One number per image."""
    return F.cross_entropy(logits, y, reduction="none")

for name, model in [("network", network), ("saturated", saturated)]:
    gradient = attacks.contract.input_gradient(model, x, lambda logits: cross_entropy(logits, y))[2]
    zero = (gradient == 0).flatten(1).all(1).float().mean()
    print(f"{name}: the gradient is exactly zero on {zero:.0%} of the images")

# %% [markdown]
# The cure is a loss that cannot saturate. **Exercise 10.1**: how far is the best *wrong* class ahead of the right one, in logits? It grows towards a
# mistake and is positive exactly where there is one.

# %%
def lead(logits, y):
    """The largest logit of a wrong class minus the logit of the right one, per image.

    logits: tensor of shape (N, K); y: the right classes, shape (N,).
    Returns a tensor of shape (N,), through which a gradient reaches the logits.
    """
    ### BEGIN SOLUTION
    true = logits.gather(1, y[:, None])[:, 0]
    others = logits.scatter(1, y[:, None], -torch.inf).amax(1)
    return others - true
    ### END SOLUTION

lead = check("10.1", lead)

# %%
def climb(model, loss, steps=10):
    """Ten steps up the loss, inside the ball around x: BIM with a loss of one's own."""
    x_adv = x
    for _ in range(steps):
        gradient = attacks.contract.input_gradient(model, x_adv, lambda logits: loss(logits, y))[2]
        x_adv = (x_adv + EPS / 4 * gradient.sign()).clamp(x - EPS, x + EPS).clamp(0, 1)
    return x_adv

by_cross_entropy, by_lead = (accuracy(saturated, climb(saturated, loss), y) for loss in (cross_entropy, lead))
claim("Ten steps up your loss fool the saturated network on {value:.0f} points more of the images "
      "than ten up the cross-entropy.", 100 * (by_cross_entropy - by_lead), 70, 100)

# %% [markdown]
# The paper on distillation reported that attacks succeed on half a percent of the images; with a loss like yours Carlini and Wagner (2017) reached every
# one of them.

# %% [markdown]
# ### Transforms without a slope
#
# Rounding, JPEG, sorting, anything outside of autograd. **BPDA**, *backward pass differentiable approximation* (Athalye et al., 2018), goes forward through
# the transform $t$ and backward through something like it. As $t(x) \approx x$, the identity will do:
#
# $$\nabla_x J\big(f(t(x))\big) \;\approx\; \nabla_z J\big(f(z)\big)\Big|_{z=t(x)}$$

# %% [markdown]
# **Exercise 10.2.** The gradient that an attacker uses.

# %%
def straight_through_gradient(model, transform, x, y):
    """The gradient of the cross-entropy of model(transform(x)), summed over the images.

    The transform's derivative is taken to be 1.
    model: from images (N, C, H, W) to logits (N, K); transform: from images to images,
    without a useful derivative; x: images in [0, 1]; y: their labels, shape (N,).
    Returns a tensor of the shape of x.
    """
    ### BEGIN SOLUTION
    z = transform(x).detach().requires_grad_()
    loss = F.cross_entropy(model(z), y, reduction="sum")
    return torch.autograd.grad(loss, z)[0]
    ### END SOLUTION

straight_through_gradient = check("10.2", straight_through_gradient)

# %%
def eight_levels(images):
    return (7 * images).round() / 7

x_adv = x
for _ in range(10):
    gradient = straight_through_gradient(network, eight_levels, x_adv, y)
    x_adv = (x_adv + EPS / 4 * gradient.sign()).clamp(x - EPS, x + EPS).clamp(0, 1)
by_bpda = accuracy(defended, x_adv, y)
claim("With your gradient, ten steps leave the quantised network {value:.0%}.", by_bpda, 0, 0.25)

# %% [markdown]
# ### Shattered gradients, and random ones
#
# Add a wave to every grey value, invisible but steep: the gradient is there, it is even right, and it says nothing about a step of visible size. Or draw
# the wave's phase anew at every call, so that the gradient is mostly noise. What does an attack *see*? Choose a defence and walk along a line.

# %%
with training.seeded(SEED):
    student = models.mlp(shape, len(classes)).to(course.device)
defences = {
    "none": network,
    "saturated": saturated,
    "distilled": masking.distilled(network, student, x_train[:3000 if course.quick else None]),
    "quantised": defended,
    "jpeg": masking.jpeg_compressed(network),
    "stairs": masking.stepped(network),
    "ripples": masking.rippled(network),
    "dither": masking.dithered(network),
}

# %%
step = (attacks.fgsm(network, x, y, eps=EPS) - x) / EPS   # the worst direction of the undefended network

def along_a_line(name, index):
    """The two losses of one image along that direction, and what the network reads."""
    away = torch.linspace(-EPS, EPS, 201, device=x.device)
    with torch.no_grad():
        logits = defences[name]((x[index] + away.view(-1, 1, 1, 1) * step[index]).clamp(0, 1))
    labels = y[index].expand(len(logits))
    figure, panels = plots.grid(1, 2, width=3.4, height=2.3)
    for panel, label, loss in zip(panels[0], ("cross-entropy", "lead of a wrong class"), (cross_entropy, lead)):
        plots.curves(away.tolist(), {"": loss(logits, labels).tolist()}, "step along the worst direction", label, panel)
    panels[0, 1].axhline(0, color="black", linewidth=0.6)
    part = "a part" if (lead(logits, labels) > 0).any() else "no part"
    alt = (f"Defence: {name}. The cross-entropy and the lead of the best wrong class along a line through image {index}. "
           f"The lead is above 0 on {part} of it: there the image is misread.")
    return figure, f"What an attack sees: {name}", alt

controls = {"name": widgets.choice("defence", list(defences)),
            "index": widgets.slider("image", 0, len(x) - 1, 0)}
widgets.explore(along_a_line, controls, live=course.live,
                static=[{"name": name} for name in ("saturated", "quantised", "ripples")])

# %% [markdown]
# In all of them the lead climbs above zero long before ε: the image is misread there, as by the undefended network. They differ in what the slope at 0 says about
# the way there: nothing on a plateau, nothing on a stair, and on the ripples anything, since they are steeper than the hill.

# %% [markdown]
# **Predict before you run.** Seven defences. A hurried author attacks each by ten small gradient steps from the image, or by a single one. We attack each by what
# its weakness asks for. What is the *highest* accuracy, in percent, that any of the seven keeps then?

# %%
### BEGIN SOLUTION
my_guess = 20
### END SOLUTION

# %%
def margin_attack(model):
    return attacks.apgd(model, x, y, eps=EPS, loss="dlr", steps=30, generator=course.generator())

def bpda_attack(model):
    return attacks.pgd(masking.bpda(model, network), x, y, eps=EPS, steps=20, generator=course.generator())

def score_attack(model):
    return attacks.square(model, x, y, eps=EPS, queries=400, generator=course.generator())

def random_starts(model):
    return attacks.pgd(model, x, y, eps=EPS, restarts=2, generator=course.generator())

def transfer(model):
    return attacks.pgd(network, x, y, eps=EPS, steps=20, generator=course.generator())

def mean_over_calls(model):
    return attacks.eot(model, x, y, eps=EPS, steps=15, samples=12, transform=lambda images: images)

def more_steps(model):
    return attacks.pgd(model, x, y, eps=EPS, steps=100, step_size=EPS / 10, generator=course.generator())

right_attack = [
    ("saturated", "better loss", margin_attack),
    ("distilled", "better loss", margin_attack),
    ("quantised", "BPDA", bpda_attack),
    ("jpeg", "black box", score_attack),
    ("stairs", "random starts", random_starts),
    ("ripples", "transfer", transfer),
    ("dither", "more steps", more_steps),
    ("dither", "EOT", mean_over_calls),
]

# %%
rows, table = [], []
for name, tool, attack in right_attack:
    model, steps = defences[name], 1 if name == "stairs" else 10
    naive = x if name == "jpeg" else attacks.bim(model, x, y, eps=EPS, steps=steps)   # jpeg: an error
    table.append([accuracy(model, images, y) for images in (x, naive, attack(model))])
    rows.append(f"{name} ({tool})")
columns = ["no attack", "naive attack", "right attack"]

# %% tags=["tells"]
plots.show(plots.matrix(table, rows, columns, "accuracy under", "defence (what breaks it)"),
           f"Shown robust, then broken (ε = {EPS})",
           alt="A table of accuracies, one row for each of seven defences, two for the dithered one. Without an attack and "
               "under the naive one most cells are dark, that is high; in the last column, under the right attack, all are pale.")

# %% tags=["tells"]
compare_guess(my_guess, 100 * max(row[2] for row in table))
claim("The naive attacks leave {value:.0%} on average,", sum(row[1] for row in table) / len(table), 0.65, 1)
claim("and the right ones never more than {value:.0%}.", max(row[2] for row in table), 0, 0.5)

# %% [markdown]
# ## The checklist
#
# You will not always know what is hidden. But masked gradients give themselves away: attacks that ought to be weaker do better than attacks that ought
# to be stronger. Carlini et al. (2019) made a checklist of such signs. **Exercise 10.3**: judge the numbers of a paper.

# %%
def suspicious(left, tolerance):
    """Which of five signs of masked gradients a table of results shows.

    left: the accuracy, in [0, 1], that is left by no attack ("clean") and by attacks:
        "gradient", the paper's own, with many steps; "noise", random changes of the
        same size; "one step"; "black box", scores only; "transfer", examples of another
        model; and "unbounded", the gradient attack with no limit on the change.
    tolerance: smaller differences are chance, also that between "unbounded" and 0.
    Returns a dict from "noise", "one step", "black box", "transfer" and "unbounded" to
    True (suspicious) or False.
    """
    ### BEGIN SOLUTION
    weaker = ("noise", "one step", "black box", "transfer")
    found = {name: left[name] < left["gradient"] - tolerance for name in weaker}
    found["unbounded"] = left["unbounded"] > tolerance
    return found
    ### END SOLUTION

suspicious = check("10.3", suspicious)

# %%
question("10.4")

# %%
### BEGIN SOLUTION
choice = "c"
### END SOLUTION
answer("10.4", choice)

# %% [markdown]
# The library has the whole list as one function. It needs no knowledge of the defence, only the model and some images.

# %%
few = slice(0, 30 if course.quick else 200)
effort = {"steps": 20, "queries": 200} if course.quick else {"steps": 100, "queries": 2000}
print(report := evaluate.audit(defences["quantised"], x[few], y[few], eps=EPS, **effort))

# %%
plots.show(report.figure(), "The report's picture: the quantised network", alt=report.alt())
with tempfile.TemporaryDirectory() as folder:
    size = report.write(Path(folder) / "audit.html", title="The quantised network").stat().st_size
print("report.write(path) leaves all of this as one HTML file" if size > 10_000 else "the report is too small")

# %% [markdown]
# Three panels, three signs. Accuracy should fall to zero as ε grows; more steps should never help less; the loss should rise along the attack. Now the same
# for all seven, for the undefended network, and for one that is honestly defended: trained on PGD examples, ε growing from 0, as in notebook 09.

# %%
with training.seeded(SEED):
    robust = models.mlp(shape, len(classes)).to(course.device)
generator, batches = course.generator(), 0

def pgd_loss(model, images, labels):
    """Cross-entropy on adversarial examples of the network as it is; eps grows over the first hundred batches."""
    global batches
    batches += 1
    examples = attacks.pgd(model, images, labels, eps=EPS * min(1, batches / 100), steps=4, generator=generator)
    return F.cross_entropy(model(examples), labels)

some = slice(0, 4000 if course.quick else None)
training.fit(robust, x_train[some], y_train[some], epochs=6 if course.quick else 20, learning_rate=3e-3, loss=pgd_loss,
             seed=SEED)
robust.requires_grad_(False)

# %%
everything = defences | {"trained": robust}
audits = {name: evaluate.audit(model, x[few], y[few], eps=EPS, **effort) for name, model in everything.items()}
tests = [finding.test for finding in audits["none"].findings if finding.passed is not None]
figure, panels = plots.grid(1, 1, width=7.2, height=3.4)
for row, test in enumerate(tests):
    for column, found in enumerate(audits.values()):
        passed = next(finding.passed for finding in found.findings if finding.test == test)
        mark, look = {True: ("ok", {"color": "#888888"}), None: ("–", {"color": "#888888"}),
                      False: ("FAIL", {"color": plots.COLOURS[1], "weight": "bold"})}[passed]
        panels[0, 0].text(column, row, mark, ha="center", va="center", fontsize=8, **look)
panels[0, 0].set(xticks=range(len(audits)), yticks=range(len(tests)),
                 xlim=(-0.5, len(audits) - 0.5), ylim=(len(tests) - 0.5, -0.5))
panels[0, 0].set_xticklabels(audits, fontsize=8, rotation=30)
panels[0, 0].set_yticklabels(tests, fontsize=8)
panels[0, 0].tick_params(length=0)
plots.show(figure, "The audit of nine models",
           alt="A table of verdicts: one row per sanity test, one column per model. The columns of the undefended and of the "
               "adversarially trained network hold no failure; every column of the seven planted defences holds one or more.")

# %%
wrong = [name for name, found in audits.items() if found.passed != (name in ("none", "trained"))]
claim("Of the nine verdicts (seven planted defences, two honest models) {value:.0f} are wrong.",
      len(wrong), 0, 1)

# %% [markdown]
# Passing proves nothing: the undefended network passes, too. An audit says that a measurement may be *believed*, not that it is good. Its clean accuracy,
# its robust accuracy and its passed audit together are a claim.

# %% [markdown]
# ## Your turn to defend
#
# Now you are the author. **Exercise 10.5**: the images are flags of three stripes, six by six pixels, and the class is the stripe that differs from the
# other two: a light one between dark ones, or a dark one between light ones. Light and dark lie far more than 2ε apart, so every ball has one right
# answer. An ordinary network keeps next to nothing of it under attack, and one that was trained on single steps (notebook 09) not much more.

# %% [markdown]
# Return a network that withstands. The check trains it twice, draws new images, audits it, and runs `evaluate.robust_accuracy`. It passes with enough
# accuracy on clean images *and* under all attacks. Masked gradients earn nothing. The check examines any function, but whoever grades it takes numbers,
# no code: an `nn.Sequential` of `Flatten`, `Linear`, `ReLU`, `Tanh`, `Sigmoid` and `Identity`, made with PyTorch and NumPy alone, in seconds.

# %%
def defend(x, y, eps):
    """A network that withstands: an nn.Sequential from images to logits (N, 3).

    x: training images in [0, 1], (COUNT, 1, 6, 6); y: their labels, 0 to 2, (COUNT,).
    eps: how far the attacker may move each pixel.
    """
    ### BEGIN SOLUTION
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(36, 64), nn.ReLU(), nn.Linear(64, 3))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for step in range(120):
        radius = eps * min(1, (step + 1) / 60)   # it grows: see notebook 09
        x_adv = x.clone()
        for _ in range(5):
            x_adv.requires_grad_()
            loss = F.cross_entropy(model(x_adv), y)
            x_adv = x_adv + 0.5 * radius * torch.autograd.grad(loss, x_adv)[0].sign()
            x_adv = x_adv.clamp(x - radius, x + radius).clamp(0, 1).detach()
        optimizer.zero_grad()
        F.cross_entropy(model(x_adv), y).backward()
        optimizer.step()
    return model.requires_grad_(False)
    ### END SOLUTION

defend = check("10.5", defend)

# %% [markdown]
# ## If you cannot withstand them, detect them?
#
# Let the network be fooled, and raise an alarm. Four ideas of the literature: adversarial images leave the *principal components* of natural ones
# (statistics); a *second network* learns to tell them apart; they lie where few training images do, in *feature space*; an *autoencoder* fails to give
# them back (MagNet; Meng and Chen, 2017). Each yields a score, and a threshold that 5 % of clean images exceed (Carlini & Wagner, 2017, tested ten).

# %%
fit, labels, held_out = x_train[:2000], y_train[:2000], x_train[2000:3000]
NOISY = {"fonts": 0.15}.get(course.data.name, 0.25)   # larger changes: easier for the detectors
seen = attacks.fgsm(network, fit, labels, eps=NOISY)
scores = {
    "components": detection.residual_score(fit),
    "second network": detection.network_score(fit, seen, seed=SEED),
    "feature density": detection.density_score(network, network[:-1], fit),
    "autoencoder": detection.reconstruction_score(fit, seed=SEED),
}
alarms = {name: detection.alarm(score, held_out, false_alarms=0.05) for name, score in scores.items()}

# %% [markdown]
# An attacker who knows the detector attacks both at once. Carlini and Wagner (2017) make one model out of the two, with one class more that means *caught*:
# its logit exceeds the others exactly when the alarm is raised. Then any attack of the course will do, towards a class that is neither right nor *caught*.

# %%
naive = attacks.fgsm(network, x, y, eps=NOISY)
table, steps = [], 40 if course.quick else 400
for name, alarm in alarms.items():
    adaptive = detection.bypass(network, alarm, x, y, eps=NOISY, steps=steps, generator=course.generator())
    table.append([detection.caught(alarm, x), detection.caught(alarm, naive), detection.caught(alarm, adaptive),
                  detection.undetected(network, alarm, adaptive, y)])
columns = ["caught:\nclean", "caught:\nFGSM", "caught:\nadaptive", "unseen:\nadaptive"]
plots.show(plots.matrix(table, alarms, columns, "share of the images", "detector"),
           f"Four detectors (ε = {NOISY})",
           alt="A table: for each of four detectors the share of images that raise the alarm, clean ones, FGSM examples and "
               "adaptive ones, and last the share of adaptive ones that fool the network unseen. Few clean images and few "
               "adaptive ones are caught; the last column is dark for all four.")

# %%
claim("The adaptive attack fools the network unseen on at least {value:.0%} of the images, whichever detector is on guard.",
      min(row[3] for row in table), 0.6, 1)

# %% [markdown]
# In their paper all ten detectors fell. It is no accident: a good detector would make a good robust classifier, so that detecting is about as hard as
# withstanding (Tramèr, 2022).

# %% [markdown]
# ## What can be proved
#
# An attack that fails proves nothing. An attack that succeeds proves an **upper bound**: the nearest adversarial example is at most this far. A proof would
# be a **lower bound**: there is none nearer. The cheapest one pushes the whole ball, as a box, through the network.

# %% [markdown]
# **Exercise 10.6.** Every input lies between `low` and `high`. Between what do the outputs of a linear layer lie? (A ReLU just cuts both ends at 0.)

# %%
def interval(weight, bias, low, high):
    """The smallest and largest of weight x + bias over all x with low <= x <= high.

    weight: shape (M, D); bias: shape (M,); low, high: shape (N, D).
    Returns (lowest, highest), both (N, M).
    """
    ### BEGIN SOLUTION
    centre, half = (low + high) / 2, (high - low) / 2
    centre, half = centre @ weight.T + bias, half @ weight.abs().T
    return centre - half, centre + half
    ### END SOLUTION

interval = check("10.6", interval)

# %% [markdown]
# Intervals forget that units move together, so the bound is loose, and looser with every layer. For a small network the *exact* distance can be computed: a ReLU
# is on or off, which is one 0-1 variable, and everything else is linear. That makes a **mixed-integer program** (Tjeng et al., 2019), solved here by HiGHS.

# %%
def shrink(images):
    """The images as 7 x 7 pixels: the program grows with every pixel and every unit."""
    return F.adaptive_avg_pool2d(images, 7)

with training.seeded(SEED):
    small = nn.Sequential(nn.Flatten(), nn.Linear(49 * shape[0], 16), nn.ReLU(), nn.Linear(16, len(classes)))
small.to(course.device)
training.fit(small, shrink(x_train[:5000]), y_train[:5000], epochs=12, learning_rate=5e-3, seed=SEED)
small.requires_grad_(False)
right = (small(shrink(x)).argmax(1) == y).nonzero()[:12 if course.quick else 100, 0]
tiny, tiny_y = shrink(x[right]), y[right]

# %%
fgsm_reach = torch.full((len(tiny),), torch.inf, device=tiny.device)
for eps in [0.2 - 0.005 * k for k in range(40)]:   # from large to small: the last success counts
    reached = small(attacks.fgsm(small, tiny, tiny_y, eps=eps)).argmax(1) != tiny_y
    fgsm_reach[reached] = eps
attack = attacks.geometry.distance(attacks.fmn(small, tiny, tiny_y, norm="linf"), tiny, "linf")
lower = bounds.interval_distance(small, tiny, tiny_y)
exact = [bounds.exact_distance(small, image, label, upper=1.001 * radius + 1e-6)
         for image, label, radius in zip(tiny, tiny_y.tolist(), attack.tolist())]

# %%
order = attack.argsort().tolist()
places = range(len(order))
figure, panels = plots.grid(1, 1, width=6.5, height=3)
lines = [("FGSM: upper bound", fgsm_reach, "v", {}),
         ("FMN attack: upper bound", attack, "s", {"markersize": 8, "markerfacecolor": "none"}),
         ("exact (mixed-integer program)", [one.upper for one in exact], "o", {}),
         ("intervals: lower bound", lower, "^", {})]
for (name, values, marker, look), colour in zip(lines, plots.COLOURS):
    panels[0, 0].plot(places, [float(values[k]) for k in order], marker, color=colour, label=name, **{"markersize": 5} | look)
panels[0, 0].set(xlabel="image, sorted by distance", ylabel="distance (ℓ∞)", xticks=[], ylim=(0, None))
panels[0, 0].spines[["top", "right"]].set_visible(False)
panels[0, 0].legend(fontsize=8, frameon=False)
plots.show(figure, "Lower bound, exact, upper bound",
           alt="For each of some images four distances above each other: lowest the interval bound, then the exact distance, the "
               "FMN attack on or just above it, and FGSM's at or above that. The interval bound is about half of the exact one.")

# %%
distances, below, above = torch.tensor([one.upper for one in exact]), lower.cpu(), attack.cpu()
out_of_order = (below > distances + 1e-5) | (distances > 1.001 * above + 1e-5)
claim("On {value:.0f} of the images a bound lies on the wrong side of the exact distance.", out_of_order.sum(), 0, 0)
claim("On average intervals prove {value:.0%} of the exact distance.", (below / distances).mean(), 0.3, 0.75)
record("attack over exact distance", (above / distances).mean().item())

# %% [markdown]
# A good attack sits on the exact values, FGSM above them, and intervals prove about half. Where all three meet, nothing is left to argue about. But the exact way ends
# soon: with each unit that may be on or off the search can double.

# %% [markdown]
# ## A proof for any network
#
# **Randomised smoothing** (Cohen et al., 2019) asks nothing of the network. Add Gaussian noise, ask many times, let the answers vote. If the winning class has
# probability $p$ under noise of strength σ, no change of Euclidean length below $\sigma\,\Phi^{-1}(p)$ can make it lose.

# %% [markdown]
# Only, $p$ is not known. From `count` votes among `samples` we take the *lower confidence bound* of Clopper and Pearson: with probability $1-\alpha$ the true $p$ is
# larger. **Exercise 10.7**: the radius that is then certain.

# %%
def certified_radius(count, samples, sigma, alpha):
    """The radius within which the vote cannot change, with confidence 1 - alpha.

    count: how many of `samples` noisy copies were given the winning class.
    sigma: the standard deviation of the noise.
    Returns a number, 0 where nothing can be said.
    """
    ### BEGIN SOLUTION
    from scipy.stats import beta, norm
    p = beta.ppf(alpha, count, samples - count + 1) if count > 0 else 0.0
    return float(sigma * norm.ppf(p)) if p > 0.5 else 0.0
    ### END SOLUTION

certified_radius = check("10.7", certified_radius)

# %%
radii = torch.linspace(0, 1.2, 25).tolist()
voters, some = {}, slice(0, 6000 if course.quick else None)
for sigma in (0.25, 0.5):
    with training.seeded(SEED):
        voters[sigma] = models.mlp(shape, len(classes)).to(course.device)
    training.fit(voters[sigma], x_train[some], y_train[some], epochs=4 if course.quick else 20, learning_rate=2e-3,
                 loss=smoothing.noisy_loss(sigma), seed=SEED)

# %%
images, labels = (part[:60 if course.quick else 500] for part in (x, y))
certain, samples = {}, 1000 if course.quick else 10_000
for sigma, voter in voters.items():
    answers, radius = smoothing.certify(voter, images, sigma=sigma, samples=samples, generator=course.generator())
    certain[f"certified, σ = {sigma}"] = [smoothing.certified_accuracy(answers, radius, labels, r) for r in radii]
for sigma, voter in voters.items():
    hit = attacks.geometry.distance(attacks.fmn(voter, images, labels, norm="l2"), images, "l2")
    hit[voter(images).argmax(1) != labels] = 0
    certain[f"attacked, σ = {sigma}"] = [(hit > r).float().mean().item() for r in radii]

# %%
plots.show(plots.curves(radii, certain, "radius (Euclidean)", "accuracy", ylim=(0, 1.02)), "What a vote can guarantee",
           alt="Accuracy against the Euclidean radius for two strengths of noise. The certified curve of the weaker noise falls to "
               "zero before a radius of one, that of the stronger later; what an attack on the networks leaves lies above.")
claim("With σ = 0.5, {value:.0%} of the images are certainly read right within a radius of a half.",
      certain["certified, σ = 0.5"][10], 0.25, 0.97)
record("certified", {name: [round(value, 3) for value in line] for name, line in certain.items()})

# %% [markdown]
# On CIFAR-10 the paper certifies 77, 61, 42 and 25 % at radii 0, 0.25, 0.5 and 0.75 with σ = 0.25 (Cohen et al., 2019). More noise buys larger radii and costs accuracy: the
# curves cross. And mind what is promised: a Euclidean radius, with a confidence, for the vote, not for the single network.

# %% [markdown]
# ## What to remember
#
# * An attack that fails says something about the attack first. The lowest accuracy that *any* attack leaves is the most one may claim.
# * Masked gradients show: black-box beats white-box, noise beats gradients, no limit and still no success. `evaluate.audit` looks for all of it.
# * Attack adaptively: saturated → another loss; no slope → BPDA; random → EOT; strange → transfer and black-box search; a detector → one more class.
# * A proof is a lower bound, an attack an upper bound; small networks can be solved exactly, large ones certified by voting.

# %%
progress()

# %% [markdown]
# ## Further reading
#
# * Athalye, Carlini, Wagner, [Obfuscated gradients give a false sense of security](https://arxiv.org/abs/1802.00420), 2018: BPDA, EOT, and seven broken defences.
# * Carlini et al., [On evaluating adversarial robustness](https://arxiv.org/abs/1902.06705), 2019: the checklist, kept up to date by its authors.
# * Tramèr et al., [On adaptive attacks to adversarial example defenses](https://arxiv.org/abs/2002.08347), 2020: thirteen more, whose authors knew the checklist. A recipe
#   does not replace thinking about the defence at hand.
# * Carlini, Wagner, [Adversarial examples are not easily detected](https://arxiv.org/abs/1705.07263), 2017; Tramèr, [Detecting adversarial examples is (nearly) as hard as
#   classifying them](https://arxiv.org/abs/2107.11630), 2022.
# * Tjeng, Xiao, Tedrake, [Evaluating robustness of neural networks with mixed integer programming](https://arxiv.org/abs/1711.07356), 2019; Cohen, Rosenfeld, Kolter,
#   [Certified adversarial robustness via randomized smoothing](https://arxiv.org/abs/1902.02918), 2019.
# * Papernot et al., [Distillation as a defense](https://arxiv.org/abs/1511.04508), 2016, and Carlini, Wagner, [Towards evaluating the robustness of neural
#   networks](https://arxiv.org/abs/1608.04644), 2017, which broke it. *Since corrected*: adversarial logit pairing, recommended in many lectures of its year, reported 27.9 % on
#   ImageNet and keeps 0.6 % under a thousand steps ([Engstrom et al., 2018](https://arxiv.org/abs/1807.10272)).
