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
# # 11 · Augmentation
#
# ### What you will be able to do
#
# * write flips, random resized crops, colour changes and CutMix for a whole batch, and test a random one by its distribution,
# * say which changes keep the label of *your* images, how much data they are worth, and when they hurt,
# * tell robustness against bad weather from robustness against an attacker, and measure both.
#
# **Time** about 120 minutes · **Before** notebook 01; 09 for one section · **Library** `advcourse.invariance`, `advcourse.data.scenes`

# %% [markdown]
# ### Threat-model card
#
# | | augmentation | corruptions | attack |
# |---|---|---|---|
# | Who chooses the change? | we do, by chance, in training | weather and cameras, by chance | an adversary, against this network |
# | What do they know? | which changes keep the label | nothing | everything (*white box*) |
# | What may change? | what we are sure of: position, size, light | what photographs suffer, in five severities | every pixel by at most ε |
# | When? | at every step of training | after training | after training |
# | What counts as success? | fewer errors on new images | none: it just happens | a class other than the true one |

# %% tags=["parameters"]
PROFILE = "quick"   # "full": more images and steps (a GPU helps)
DATASET = "auto"    # MNIST where it can be had, else letters drawn from fonts
SEED = 0
DEVICE = "auto"
STUDENT = ""        # your name or number: it shuffles the answers of questions

# %% tags=["setup"]
import math
import time

import torch
from torch.nn import functional as F
from torchvision.transforms import v2

from advcourse import data, invariance, models, plots, training, widgets
from advcourse.attacks import pgd
from advcourse.data import scenes
from advcourse.evaluate import accuracy, predict
from advcourse.exercises import answer, check, hint, progress, question
from advcourse.notebook import claim, compare_guess, start

course = start("11", profile=PROFILE, dataset=DATASET, seed=SEED,
               device_name=DEVICE, student=STUDENT)

# %% [markdown]
# ## A question
#
# The same image eight times, and below it a scene. In which of them would you sign that the label is still the same?

# %%
x, y = course.test_images(2000 if course.quick else 10_000)
x_train, y_train = (part.to(course.device) for part in (course.data.x_train,
                                                        course.data.y_train))
classes = course.data.classes
world, kinds = scenes.single(6, seed=SEED + 7)
pictures = scenes.pictures(world).to(course.device)

# %%
def ways(image):
    """One image, (1, C, H, W), as it is and after seven changes."""
    one, box = torch.tensor([True]), torch.tensor([[0.3, 0.3, 0.4, 0.4]])
    return torch.cat([image, invariance.flip(image, one),
                      invariance.flip(image, one, "top-bottom"),
                      image.rot90(2, (2, 3)), invariance.resized_crop(image, box),
                      invariance.recolour(image, brightness=0.4),
                      invariance.corrupt(image, "Gaussian noise", 3, seed=SEED),
                      1 - image])

names = ["as it is", "left-right", "top-bottom", "half a turn", "crop", "dim", "noise",
         "negative"]
plots.show(plots.images([ways(x[1:2].cpu()), ways(pictures[:1].cpu())], [names] * 2),
           "Still the same?", on=f"{course.data.name} and scenes",
           alt="Two rows of eight pictures: a digit or letter, and below it a scene "
               "with one object. Each is shown as it is, flipped left-right and "
               "top-bottom, turned by half, cropped to a small part, dim, noisy and as "
               "a negative.")

# %% [markdown]
# A change that keeps the label is *knowledge*: it holds for images that nobody has collected. **Augmentation** hands this knowledge to the network in the
# only language that training understands, more images. If the knowledge is false, training believes that, too.

# %% [markdown]
# ## Flips
#
# **Exercise 11.1.** Write both flips, for a batch in which each image has a coin of its own.

# %%
def flip(x, which, direction):
    """The images, those for which `which` is True flipped; a new tensor like x.

    x: images (N, C, H, W); which: (N,) bool; direction: "left-right", which exchanges
    columns, or "top-bottom", which exchanges rows.
    """
    ### BEGIN SOLUTION
    flipped = x.flip(-1 if direction == "left-right" else -2)
    return torch.where(which.view(-1, 1, 1, 1), flipped, x)
    ### END SOLUTION

flip = check("11.1", flip)

# %%
def flipped(direction):
    """A change of batches: a fair coin for each image decides whether it is flipped."""
    return lambda x: flip(x, torch.rand(len(x), device=x.device) < 0.5, direction)

with training.seeded(SEED):
    rows = [images[:4] for images in (pictures, flipped("left-right")(pictures),
                                      flipped("top-bottom")(pictures))]
plots.show(plots.images(rows, row_names=["original", "left-right", "top-bottom"]),
           "A coin for each image", on="scenes",
           alt="Three rows of four scenes. Top: originals. Middle: some of them "
               "mirrored left to right. Bottom: some of them upside down.")

# %% [markdown]
# Mirrored scenes look like scenes. Do mirrored digits look like digits?

# %%
question("11.2")

# %%
### BEGIN SOLUTION
choice = "c"
### END SOLUTION
answer("11.2", choice)

# %% [markdown]
# Networks that are compared are trained alike: the same start, the same number of steps, the same images in the same order, changed as they
# come. Only the change differs, so whatever a table shows is its doing.

# %%
def train(x, y, change=lambda x: x, mix=None, steps=350 if course.quick else 3000,
          size=32, network=models.cnn, rate=3e-3):
    """A fresh network after so many steps of `size` images, frozen.

    Each batch is changed by `change`, and mixed with itself by `mix`.
    """
    rows = torch.randint(len(x), (size * steps,),
                         generator=torch.Generator().manual_seed(SEED)).to(x.device)
    count = int(y.max()) + 1
    with training.seeded(SEED):
        model = network(tuple(x.shape[1:]), count).to(course.device)

    def loss(model, x, y):
        x = change(x)
        if mix:
            x, y = mix(x, F.one_hot(y, count).float(),
                       torch.randperm(len(x), device=x.device))
        return F.cross_entropy(model(x), y)

    training.fit(model, x[rows], y[rows], epochs=1, batch_size=size,
                 learning_rate=training.one_cycle(rate), loss=loss, seed=SEED)
    return model.requires_grad_(False)

def error(model, x=x, y=y):
    """The share of test images that the model gets wrong."""
    return 1 - accuracy(model, x, y)

# %%
thousand = x_train[:1000], y_train[:1000]
by_flip = {"no flips": train(*thousand)} | {
    direction: train(*thousand, flipped(direction))
    for direction in ("left-right", "top-bottom")}

# %%
def confused(model):
    """How often each pair of classes is confused, whichever way round: (K, K)."""
    table = torch.zeros(len(classes), len(classes))
    seen = predict(model, x).argmax(1).cpu()
    table.index_put_((y.cpu(), seen), torch.ones(len(y)), accumulate=True)
    return (table + table.T).triu(1)

tables = {name: confused(model) for name, model in by_flip.items()}
more = {name: tables[name] - tables["no flips"] for name in list(tables)[1:]}
for name, table in more.items():
    counts, places = table.flatten().topk(3)
    worst = [f"{classes[place // len(classes)]} and {classes[place % len(classes)]} "
             f"({count:+.0f})" for count, place in zip(counts, places.tolist())]
    print(f"{name}: more often confused are {', '.join(worst)}")

# %%
for name, table in more.items():
    claim(f"With {name} flips the pair that suffers most is confused in {{value:.0f}} "
          "more of the test images.", table.max(),
          2 if course.data.name == "mnist" else 0.5, 400)
    claim(f"With {name} flips the error changes by {{value:+.1f}} percentage points.",
          100 * (error(by_flip[name]) - error(by_flip["no flips"])),
          0.5 if course.data.name == "mnist" else -4, 20)

# %% [markdown]
# A mirror is no friend of writing: the training images now say that both sides are one. (Letters suffer less from top-bottom flips: B, C, D, E, H and I are their own
# images there.)
#
# ### Where a flip is knowledge
#
# Scenes of one object each. In the training set all of them happen to face right, as a set of photographs may. The test set holds the same
# scenes twice, facing right and facing left.

# %%
def facing(way, count, seed):
    """Scenes whose objects all face this way, and the kinds of these objects."""
    latents, kinds = scenes.single(count, seed=seed, facing=way)
    return scenes.pictures(latents).to(course.device), kinds.to(course.device)

one_way = facing("right", 120, 2 * SEED + 100)
right, left = (facing(way, 400, 2 * SEED + 101) for way in ("right", "left"))
by_mirror = {"no flips": lambda x: x, "left-right": flipped("left-right"),
             "top-bottom": flipped("top-bottom")}
by_mirror = {name: train(*one_way, change, steps=80, rate=1e-2,
                         network=models.pooling_cnn)
             for name, change in by_mirror.items()}

# %%
table = [[accuracy(model, *images) for images in (right, left)]
         for model in by_mirror.values()]
plots.show(plots.matrix(table, list(by_mirror),
                        ["facing right,\nas in training", "facing left"], "test images",
                        "trained with"),
           "Scenes in the mirror", on="scenes",
           alt="Accuracy of three networks on scenes facing right and on the same "
               "scenes facing left. Without flips the second is lower; with left-right "
               "flips both are equal; with top-bottom flips it is lower again.")
claim("Without flips {value:.1f} percentage points are lost on the mirrored scenes.",
      100 * (table[0][0] - table[0][1]), 0.5, 30)
claim("With left-right flips {value:.1f} percentage points more of them are right;",
      100 * (table[1][1] - table[0][1]), 0.5, 30)
claim("with top-bottom flips {value:+.1f}.", 100 * (table[2][1] - table[0][1]), -20, 10)

# %% [markdown]
# The same three lines, once false and once true. The last row is the control: the same code with a flip that says nothing true about scenes. No library knows which
# is which: it depends on what is in the images.
#
# Photographs of animals and vehicles have no left and right, either. Set the switch if you have CIFAR-10, or can wait for 170 MB and some minutes:

# %%
PHOTOS = not course.quick   # True: from the disk, else by download

def by_photograph():
    """Other photographs, and networks trained on 1,000 with three kinds of flips."""
    photos = data.load("cifar10", train=1000, test=1500)
    photos_x, photos_y, *test = (part.to(course.device) for part in (
        photos.x_train, photos.y_train, photos.x_test, photos.y_test))
    changes = [lambda x: x, flipped("left-right"), flipped("top-bottom")]
    return test, [train(photos_x, photos_y, change, steps=400, size=64, rate=1e-2,
                        network=models.pooling_cnn) for change in changes]

if PHOTOS:
    test, (as_they_are, sideways, upside_down) = by_photograph()
    claim("With left-right flips {value:.1f} percentage points more of them are right;",
          100 * (accuracy(sideways, *test) - accuracy(as_they_are, *test)), 0.5, 15)
    claim("with top-bottom flips {value:.1f} fewer.",
          100 * (accuracy(as_they_are, *test) - accuracy(upside_down, *test)), 0.5, 15)

# %% [markdown]
# ## Crops
#
# The best known augmentation of photographs cuts out a box and enlarges it to the full size: a *random resized crop*. The share of the area is uniform
# between $8\,\%$ and $100\,\%$, width : height is between 3 : 4 and 4 : 3, and the place is uniform wherever the box fits.
#
# **Exercise 11.3.** Draw the boxes. 3 : 4 must be as likely as 4 : 3, so it is the *logarithm* of the aspect ratio that is uniform. How can one test a function
# whose result is never the same? By ten thousand results: `check` compares their distribution with the right one.

# %%
def crop_boxes(n):
    """n random boxes in a square image: (n, 4), float32.

    The columns are left, top, width, height, as shares of the image's side.
    area = width · height: uniform in [0.08, 1]; aspect = width / height: its logarithm
    is uniform in [-log(4/3), log(4/3)]. A box with a side above 1 does not fit: draw
    its area and its aspect again, until it fits. The place is uniform where it fits.
    Take random numbers from torch.rand; seed nothing.
    """
    ### BEGIN SOLUTION
    boxes, missing = torch.empty(n, 4), torch.arange(n)
    while len(missing):
        area = 0.08 + 0.92 * torch.rand(len(missing))
        aspect = torch.exp((2 * torch.rand(len(missing)) - 1) * math.log(4 / 3))
        sides = torch.stack([(area * aspect).sqrt(), (area / aspect).sqrt()], 1)
        left_top = torch.rand(len(missing), 2) * (1 - sides)
        boxes[missing] = torch.cat([left_top, sides], 1)
        missing = missing[(sides > 1).any(1)]
    return boxes
    ### END SOLUTION

crop_boxes = check("11.3", crop_boxes)

# %%
with training.seeded(SEED):
    boxes = crop_boxes(10_000)
width, height = boxes[:, 2], boxes[:, 3]
shown = {"area, share of the image": width * height,
         "logarithm of width / height": (width / height).log(),
         "left / (1 − width)": boxes[:, 0] / (1 - width)}
figure, axes = plots.grid(1, 3, width=2.6, height=1.9)
for panel, (name, values) in zip(axes[0], shown.items()):
    panel.hist(values.tolist(), bins=30, color=plots.COLOURS[0])
    panel.set(xlabel=name, ylabel="boxes" if panel is axes[0, 0] else "")
plots.show(figure, "Ten thousand boxes", on="random numbers",
           alt="Three histograms. The area is even up to three quarters and falls from "
               "there to 1, where few shapes fit. The logarithm of the aspect ratio "
               "is even and symmetric about 0, a little higher in the middle. The "
               "place is even.")

# %% [markdown]
# Why does the first histogram fall at the end? Large boxes fit only if they are nearly square.
#
# **Exercise 11.4.** Now cut and enlarge. Do it for the whole batch at once: for every pixel of the result, say where it comes *from*, and read there.

# %%
def resized_crop(x, boxes):
    """The contents of the boxes, each enlarged to the size of its image; like x.

    x: images (N, C, H, W); boxes: (N, 4), float32, left, top, width, height as shares.
    The middle of pixel (row i, column j) of the result shows the point
    (left + width · (j + 1/2) / W, top + height · (i + 1/2) / H) of the image, read
    bilinearly between the middles of its pixels; beyond the outermost of these the
    image goes on as it ends ("border").
    """
    ### BEGIN SOLUTION
    left, top, width, height = boxes.unbind(1)
    zero = torch.zeros_like(left)
    theta = torch.stack([width, zero, 2 * left + width - 1, zero, height,
                         2 * top + height - 1], 1)
    grid = F.affine_grid(theta.view(-1, 2, 3), list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, padding_mode="border", align_corners=False)
    ### END SOLUTION

resized_crop = check("11.4", resized_crop)

# %%
def cropped(x):
    """A change of batches: a random resized crop of each image."""
    return resized_crop(x, crop_boxes(len(x)).to(x.device))

with training.seeded(SEED):
    rows = [pictures[k:k + 1].expand(6, -1, -1, -1) for k in (0, 1)]
    rows = [torch.cat([row[:1], cropped(row)[1:]]) for row in rows]
plots.show(plots.images(rows, [["original"] + [""] * 5] * 2), "Random resized crops",
           on="scenes",
           alt="Two rows of six pictures: a scene and five random parts of it, "
               "enlarged. In some of them the object is cut or missing.")

# %% [markdown]
# Look closely: in some crops the object is *not there* any more, and the label says that it is. On photographs with one large object that is rare enough. Keep it in
# mind for small objects.
#
# ## Colours
#
# Light changes, and labels do not. Brightness $b$ multiplies everything; saturation $s$ multiplies the distance of each pixel from its own grey, the luma ℓ;
# $m$ moves the mean of each channel:
#
# $$x' = \text{clip}_{[0, 1]}\big(b\,(\ell + s\,(x - \ell)) + m\big), \qquad \ell = 0.299\,R + 0.587\,G + 0.114\,B$$
#
# **Exercise 11.5.** Each image has factors of its own.

# %%
def recolour(x, brightness, saturation, offset):
    """The formula above, image by image; like x.

    x: images (N, 3, H, W) in [0, 1]; brightness, saturation: (N,), factors;
    offset: (N, 3), what is added to each channel.
    """
    ### BEGIN SOLUTION
    weights = torch.tensor([0.299, 0.587, 0.114], device=x.device).view(3, 1, 1)
    luma = (weights * x).sum(1, keepdim=True)
    b, s = brightness.view(-1, 1, 1, 1), saturation.view(-1, 1, 1, 1)
    return (b * (luma + s * (x - luma)) + offset[:, :, None, None]).clamp(0, 1)
    ### END SOLUTION

recolour = check("11.5", recolour)

# %%
one = pictures[:1].expand(5, -1, -1, -1)
levels = torch.linspace(0.5, 1.5, 5, device=course.device)
same, none = torch.ones_like(levels), torch.zeros(5, 3, device=course.device)
red = torch.stack([0.4 * (levels - 1), 0 * levels, 0 * levels], 1)
rows = {"brightness": recolour(one, levels, same, none),
        "saturation": recolour(one, same, 2 * levels - 1, none),
        "mean of red": recolour(one, same, same, red),
        "hue": invariance.recolour(one, hue=0.6 * (levels - 1)),
        "contrast": invariance.recolour(one, contrast=levels)}
plots.show(plots.images(list(rows.values()), row_names=list(rows)), "Other light",
           on="scenes",
           alt="Five rows of five versions of a scene: from dark to bright; from grey "
               "to strong colours; with less and more red; with its hue turned either "
               "way; from low to high contrast.")

# %% [markdown]
# Hue and contrast come from the library, whose `recolour` has all four in one matrix per image. Its hue is a rotation about the axis of grey, so that grey stays grey
# for every angle; well-known libraries divide by the colour's strength there, and made black or NaN of grey.
#
# ### All of it, with torchvision
#
# In your own projects, do not write this yourself: `torchvision.transforms.v2` has it all, is maintained, and is a part of most installations. The recipe for photographs, and
# three that choose for you:

# %%
usual = v2.Compose([v2.RandomResizedCrop(32), v2.RandomHorizontalFlip(),
                    v2.ColorJitter(0.5, 0.5, 0.5, 0.1)])
recipes = {"usual": usual, "RandAug.": v2.RandAugment(),
           "TrivialAug.": v2.TrivialAugmentWide(), "AugMix": v2.AugMix()}
with training.seeded(SEED):
    rows = [torch.stack([recipe(pictures[0].cpu()) for _ in range(4)])
            for recipe in recipes.values()]
plots.show(plots.images(rows, row_names=list(recipes)), "Recipes of torchvision",
           on="scenes",
           alt="Four rows of four random versions of one scene, by four recipes. The "
               "first shows parts of it in other light; the others turn, shear, shift "
               "and recolour it, some strongly.")

# %% [markdown]
# One trap. Give such a transform 64 images at once, and see what it draws.

# %%
copies = pictures[:1].cpu().expand(64, -1, -1, -1)
with training.seeded(SEED):
    at_once = usual(copies)
    one_by_one = torch.stack([usual(image) for image in copies])
strong = {"left_right": 0.5, "area": (0.08, 1), "brightness": 0.5, "contrast": 0.5,
          "saturation": 0.5, "hue": 0.1, "generator": course.generator()}
ours = invariance.apply(copies.to(course.device), invariance.draws(64, **strong))
claim("Given the whole batch, torchvision makes {value:.0f} different image of 64 "
      "copies:", len(at_once.unique(dim=0)), 1, 1)
claim("called image by image, {value:.0f};", len(one_by_one.unique(dim=0)), 64, 64)
claim("the library's batched form, {value:.0f}.", len(ours.unique(dim=0)), 64, 64)

# %% [markdown]
# It draws *once for all it is given*, by design ([torchvision issue 2929](https://github.com/pytorch/vision/issues/2929)). In a data loader, which calls it for each image, all is well; on a batch
# it quietly is no augmentation of the kind that you meant. Called image by image it is right, and slow:

# %% tags=["nbval-ignore-output"]
batch = torch.cat([copies] * 4)
began = time.perf_counter()
torch.stack([usual(image) for image in batch])
between = time.perf_counter()
invariance.apply(batch.to(course.device), invariance.draws(256, **strong))
print(f"256 images: {1000 * (between - began):.0f} ms one by one, "
      f"{1000 * (time.perf_counter() - between):.0f} ms as a batch")

# %% [markdown]
# ### Noise and erasing
#
# Two changes take something away. *Noise* hides fine structure; *random erasing* (Zhong et al., 2020) fills a box with noise, so that no single part of an object may be trusted.

# %%
chance = course.generator()

def noisy(x):
    """A change of batches: Gaussian noise on each image, of a strength of its own."""
    strength = 0.5 * torch.rand(len(x), device=x.device)
    return invariance.add_noise(x, strength, generator=chance)

def erased(x):
    """A change of batches: in each image a box of a tenth or so becomes noise."""
    boxes = invariance.crop_boxes(len(x), generator=chance, area=(0.02, 0.33),
                                  aspect=(0.3, 3.3))
    return invariance.erase(x, boxes, generator=chance)

with training.seeded(SEED):
    rows = [change(pictures[:1].expand(6, -1, -1, -1)) for change in (noisy, erased)]
plots.show(plots.images([row[:3] for row in rows], row_names=["noise", "erasing"]),
           "Taken away", on="scenes",
           alt="Two rows of three versions of a scene: under noise, weak to strong, "
               "and with a box of noise at a random place in each.")

# %% [markdown]
# ## What is it worth?
#
# Shifts by up to two pixels keep the label of every image here. Train with and without them, on more and more images, with the same number of steps.
#
# **Predict before you run.** A network saw 1,000 images, each shifted anew whenever it came. To do as well without shifts, how many images would it need?

# %%
### BEGIN SOLUTION
my_guess = 4000
### END SOLUTION

# %%
def shifted(x):
    """A change of batches: a shift of each image by up to two pixels either way."""
    return invariance.shift(x, torch.randint(-2, 3, (len(x), 2), device=x.device))

sizes = [250, 1000, 4000]
augmented = [train(x_train[:n], y_train[:n], shifted) for n in sizes]
plain = [by_flip["no flips"] if n == 1000 else train(x_train[:n], y_train[:n])
         for n in sizes]
errors = {"as they are": [error(model) for model in plain],
          "shifted": [error(model) for model in augmented]}
few_plain, few_shifted = errors["as they are"][1], errors["shifted"][1]   # 1,000 images

# %%
def worth(goal, sizes, errors):
    """The number of images at which a curve of errors reaches the goal.

    It is straight in the logarithms, beyond its ends, too, up to ten times the last.
    """
    logs = [(math.log(n), math.log(e)) for n, e in zip(sizes, errors)]
    (n0, e0), (n1, e1) = logs[1:] if errors[1] > goal else logs[:2]
    if e1 >= e0:
        return 10 * sizes[-1]   # it falls no more
    return min(math.exp(n0 + (math.log(goal) - e0) * (n1 - n0) / (e1 - e0)),
               10 * sizes[-1])

# %% tags=["tells"]
compare_guess(my_guess, worth(few_shifted, sizes, errors["as they are"]), "images")
plots.show(plots.curves([f"{n:,}" for n in sizes],
                        {name: [100 * e for e in row] for name, row in errors.items()},
                        "training images", "error on test images, %", ylim=(0, None)),
           "Shifts and sample size",
           alt="Error on test images against the number of training images, each four "
               "times the one before, with and without shifts. Both fall; the curve "
               "with shifts lies below the other everywhere.")

# %% tags=["tells"]
claim("1,000 images with shifts are worth {value:,.0f} as they are.",
      worth(few_shifted, sizes, errors["as they are"]), 1200, 40_000)
for n, without, with_shifts in list(zip(sizes, *errors.values()))[:2]:
    claim(f"With {n:,} images shifts leave {{value:.0%}} of the error.",
          with_shifts / without, 0.2, 0.95)

# %% [markdown]
# <details><summary>After your guess: what this shows</summary>
#
# Shifting is worth a multiple of the images: knowledge that you put in need not be learnt from examples. The gain is largest where images are few. (Where the curve without shifts
# goes flat, no number of images would do; then 40,000 stands here.)
#
# </details>
#
# ### On the fly, or stored

# %%
question("11.6")

# %%
### BEGIN SOLUTION
choice = "d"
### END SOLUTION
answer("11.6", choice)

# %%
def stored(copies, n=1000):
    """A network trained on copies of n images, each shifted once beforehand."""
    with training.seeded(SEED):
        return train(shifted(x_train[:n].repeat(copies, 1, 1, 1)),
                     y_train[:n].repeat(copies))

kept = {"none": few_plain, "1 stored": error(stored(1)),
        "25 stored": error(stored(25)), "on the fly": few_shifted}
for name, value in kept.items():
    print(f"{name:>12} {value:6.1%}")

# %%
claim("25 stored copies leave an error that differs by {value:+.1f} percentage points "
      "from that on the fly.",
      100 * (kept["25 stored"] - kept["on the fly"]), -3, 3)
claim("A single stored copy leaves {value:.1f} percentage points more than on the fly.",
      100 * (kept["1 stored"] - kept["on the fly"]), 0.3, 12)
claim("The stored copies take {value:.0f} MB, at one byte a pixel.",
      25 * x_train[:1000].numel() / 1e6, 1, 80)

# %% [markdown]
# "Generate on the fly" is good advice for your disk. That it lowers the error, too, is true only beside few copies.
#
# ## Two images in one
#
# *Mixup* (Zhang et al., 2018) trains on weighted means of two images, and of their labels. *CutMix* (Yun et al., 2019) pastes a box of one into the other, and gives each label its share of
# the pixels. The box is drawn around a random centre, so it may hang over the edge; then only the part inside counts.
#
# **Exercise 11.7.** Write CutMix. The weight of a label is the share of pixels that its image *really* gave.

# %%
def cutmix(x, y, partner, boxes):
    """Images with a box of each taken from its partner, and their labels; a pair.

    x: (N, C, H, W); y: (N, K), float32, the probability of each class; partner: (N,),
    int64: image i gets pixels of x[partner[i]]; boxes: (N, 4), int64: left, top, right,
    bottom in pixels, the last two not inside any more. Boxes may hang over the edge.
    Returns images like x and labels like y, which add up to 1 in each row.
    """
    ### BEGIN SOLUTION
    height, width = x.shape[2:]
    images, labels = x.clone(), y.clone()
    for i, (left, top, right, bottom) in enumerate(boxes.tolist()):
        left, top = max(left, 0), max(top, 0)
        right, bottom = min(right, width), min(bottom, height)
        images[i, :, top:bottom, left:right] = x[partner[i], :, top:bottom, left:right]
        share = (right - left) * (bottom - top) / (width * height)
        labels[i] = (1 - share) * y[i] + share * y[partner[i]]
    return images, labels
    ### END SOLUTION

cutmix = check("11.7", cutmix)

# %%
soft, partner = F.one_hot(kinds, len(scenes.OBJECTS)).float(), torch.arange(6).roll(1)
drawn = torch.tensor([[4, 6, 20, 22], [-6, 8, 14, 28], [12, -4, 30, 14],
                      [16, 16, 40, 40], [0, 0, 16, 32], [10, 10, 22, 22]])
mixed, mixed_labels = cutmix(pictures.cpu(), soft, partner, drawn)
blend, _ = invariance.mixup(pictures.cpu(), soft, partner, 0.6)

# %%
def told(label):
    """The classes in a label, and their shares."""
    return "\n".join(f"{name} {share:.0%}"
                     for name, share in zip(scenes.OBJECTS, label.tolist()) if share)

titles = [[scenes.OBJECTS[kind] for kind in kinds], [""] * 6, map(told, mixed_labels)]
plots.show(plots.images([pictures, blend, mixed], [list(row) for row in titles],
                        ["original", "mixup", "CutMix"]), "Two in one", on="scenes",
           alt="Three rows of six scenes. Top: originals with their labels. Middle: "
               "each blended with its left neighbour. Bottom: each with a box of its "
               "left neighbour, and labels in proportion.")

# %% [markdown]
# torchvision has both, as `v2.MixUp` and `v2.CutMix`, which want a batch and its labels. How many different shares do they draw for sixty images, each of a class of its own?

# %%
sixty, own = pictures.cpu().repeat(10, 1, 1, 1), torch.arange(60)
with training.seeded(SEED):
    _, theirs = v2.CutMix(num_classes=60)(sixty, own)
_, ours = invariance.cutmix(sixty, F.one_hot(own).float(), own.roll(1),
                            invariance.cutmix_boxes(60, generator=course.generator()
                                                    ).cpu())
for name, labels in {"v2.CutMix": theirs, "the library's": ours}.items():
    claim(f"Different shares in a batch of {name}: {{value:.0f}}.",
          len(labels.amax(1).unique()), *((1, 1) if labels is theirs else (30, 60)))

# %% [markdown]
# One box for the whole batch is what the paper did, too. It costs nothing in the long run; over a few hundred steps, each step is a bit more of a gamble.

# %% [markdown]
# ### Strength belongs to the budget
#
# Which of all these helps? Train on 1,000 images again, the same number of steps, once with each. (The library's `mixup` and `cutmix` work on a whole batch at once.)

# %%
def relit(x):
    """A change of batches: brightness and contrast by factors from 0.5 to 1.5."""
    return invariance.apply(x, invariance.draws(len(x), brightness=0.5, contrast=0.5,
                                                generator=chance))

def mixed_up(x, y, partner):
    """A mix of batches: mixup with shares from a Beta distribution."""
    weights = invariance.mixup_weights(len(x), generator=chance)
    return invariance.mixup(x, y, partner, weights)

def cut_up(x, y, partner):
    """A mix of batches: CutMix with boxes of uniform area."""
    boxes = invariance.cutmix_boxes(len(x), generator=chance)
    return invariance.cutmix(x, y, partner, boxes)

# %%
changes = {"other light": relit, "noise": noisy, "erasing": erased,
           "crops from 8 %": cropped}
strengths = {"nothing": few_plain, "shifts": few_shifted}
strengths |= {name: error(train(*thousand, change)) for name, change in changes.items()}
strengths |= {name: error(train(*thousand, mix=mix))
              for name, mix in {"mixup": mixed_up, "CutMix": cut_up}.items()}

# %%
plots.show(plots.bars(strengths, "error on test images"),
           "Eight trainings of the same length",
           alt="Bars of the error on test images after training with nothing, shifts, "
               "other light, noise, erasing, crops from eight percent of the area, "
               "mixup and CutMix. Shifts have the shortest bar.")
claim("Crops from 8 % of the area leave an error {value:.1f} percentage points above "
      "that of shifts.", 100 * (strengths["crops from 8 %"] - strengths["shifts"]), 0.3,
      40)

# %% [markdown]
# The strongest recipes are made for long trainings of large networks on many photographs: there the training set is learnt by heart otherwise. A small network with a few hundred steps
# has not even learnt the images as they are. *Augmentation pays where the network over-fits; its strength belongs to the budget.* And a digit cropped to a twelfth of its area may be no digit.
#
# ## Labels that move along
#
# In segmentation every pixel has a label. Whatever moves the image must move the labels, by the same random numbers; light, noise and erasing must leave them alone. In the library the draws are
# an object of their own:

# %%
rendered = scenes.render(scenes.latents(3, seed=SEED + 3))
draws = invariance.draws(3, generator=torch.Generator().manual_seed(SEED),
                         left_right=0.5, area=(0.3, 1), brightness=0.5, hue=0.1)
images = invariance.apply(rendered.x, draws)
labels = invariance.apply_to_labels(rendered.labels, draws)

# %%
colours = 0.25 + 0.75 * torch.rand(len(scenes.LABELS), 3,
                                   generator=torch.Generator().manual_seed(3))
before, after = (colours[each].movedim(3, 1) for each in (rendered.labels, labels))
plots.show(plots.images([rendered.x, before, images, after],
                        row_names=["scene", "labels", "augmented", "its labels"]),
           "One draw for both", on="scenes",
           alt="Four rows of three pictures: scenes with several objects, the labels "
               "of their pixels as areas of colour, the scenes after flips, crops and "
               "other light, and their labels, which moved along.")
claim("Labels that came up in the process: {value:.0f}.",
      len(set(labels.unique().tolist()) - set(rendered.labels.unique().tolist())), 0, 0)

# %% [markdown]
# Labels are whole numbers: what lies between label 2 and label 4 is not label 3. So images are read bilinearly, and labels from the nearest pixel.
#
# ## At test time
#
# What was not trained can be asked for: show the network several versions of an image, and average what it says. The network that saw objects facing right only, asked about each
# scene *and* its mirror image:

# %%
def averaged(model, views):
    """A model: the mean of the probabilities over a list of views of each image."""
    return lambda x: sum(model(view(x)).softmax(1) for view in views) / len(views)

unaided = by_mirror["no flips"]
both_ways = averaged(unaided, [lambda x: x, lambda x: x.flip(-1)])
claim("On mirrored scenes, averaging both views makes {value:.1f} percentage points "
      "more right.",
      100 * (accuracy(both_ways, *left) - accuracy(unaided, *left)), 0.3, 30)

# %%
def moved(by):
    """A view: every image moved by so many pixels to the right and down."""
    return lambda x: invariance.shift(x, torch.tensor([by] * len(x), device=x.device))

nine = averaged(plain[1], [moved((right, down)) for right in (-1, 0, 1)
                           for down in (-1, 0, 1)])
claim("Nine shifts of each test image change the error of the network without shifts "
      "by {value:+.1f} percentage points,",
      100 * (error(nine) - few_plain), -6, 1)
claim("training with shifts by {value:+.1f}, and asks once.",
      100 * (few_shifted - few_plain), -20, -0.3)

# %% [markdown]
# It costs as many forward passes as views, at every use. Training with the views costs once.
#
# ## Bad weather and bad intentions
#
# Augmentation is chosen by us. Now the changes come from outside. Fifteen *corruptions* at five severities, ours after Hendrycks and Dietterich (2019), on networks that were trained without most of them:

# %%
one = x[1:2].cpu()
shown = torch.cat([one, *[invariance.corrupt(one, name, 4, seed=SEED)
                          for name in invariance.CORRUPTIONS]])
titles = ["original", *invariance.CORRUPTIONS]
plots.show(plots.images([shown[:8], shown[8:]], [titles[:8], titles[8:]]),
           "Fifteen corruptions, severity 4",
           alt="An image and fifteen corrupted versions of it, among them noise, blur, "
               "fog, a dim one, stripes in which it is its own negative, and shifts.")

# %% [markdown]
# Four networks of the same shape, in two pairs. The first two are trained here, in a few hundred steps, alike but for the noise. The other two were trained for long: one as usual (with shifts by a pixel), one by PGD (notebook 09), for an attacker.

# %%
many = slice(0, 10_000 if course.quick else None)
ordinary, on_noise = (train(x_train[many], y_train[many], change,
                            steps=400 if course.quick else 6000)
                      for change in (lambda x: x, noisy))
longer, robust = course.model("cnn"), course.model("robust")
networks = {"ordinary": ordinary, "trained on noise": on_noise,
            "ordinary, longer": longer, "trained by PGD": robust}

# %% [markdown]
# **Predict before you run.** The network trained by PGD withstands changes of every pixel. Now all pixels are multiplied by a quarter: the image is *dim*, and perfectly clear to you. Of how many
# percent of the images does it name the class?

# %%
### BEGIN SOLUTION
my_guess = 90
### END SOLUTION

# %%
some = slice(0, 200 if course.quick else 2000)
x_some, y_some = x[some], y[some]

def corrupted_errors(models):
    """For each model its errors, (15, 5); all see the same corrupted images."""
    tables = {name: torch.zeros(len(invariance.CORRUPTIONS), 5) for name in models}
    for row, corruption in enumerate(invariance.CORRUPTIONS):
        for severity in range(1, 6):
            images = invariance.corrupt(x_some, corruption, severity, seed=SEED)
            for name, model in models.items():
                tables[name][row, severity - 1] = error(model, images, y_some)
    return tables

measured = networks | {"softmax": course.model("softmax")}
by_corruption = corrupted_errors(measured)
clean = {name: error(model, x_some, y_some) for name, model in measured.items()}

# %% tags=["tells"]
dim = list(invariance.CORRUPTIONS).index("dim")
compare_guess(my_guess, 100 * (1 - by_corruption["trained by PGD"][dim, 4]))
lost = (by_corruption["trained by PGD"] - by_corruption["ordinary, longer"])[dim].mean()
claim("On dim images the one trained by PGD is right {value:.0f} percentage points "
      "less often than the ordinary one of its pair.", 100 * lost, 5, 90)

# %% tags=["tells"]
signs = torch.randn(x_some.shape, generator=course.generator(), device=x.device).sign()
at_random = {name: accuracy(model, (x_some + 0.1 * signs).clamp(0, 1), y_some)
             for name, model in networks.items()}
attacked = {name: accuracy(model, pgd(model, x_some, y_some, eps=0.1, steps=20,
                                      generator=course.generator()), y_some)
            for name, model in networks.items()}

# %% tags=["tells"]
by_row = torch.stack([by_corruption[name].mean(1) for name in networks], 1)
table = [[1 - clean[name] for name in networks], *(1 - by_row).tolist(),
         list(at_random.values()), list(attacked.values())]
names = ["clean", *invariance.CORRUPTIONS, "random signs, ε = 0.1", "PGD, ε = 0.1"]
columns = [name.replace("ed ", "ed\n").replace(", ", ",\n") for name in networks]
plots.show(plots.matrix(table, names, columns, "network", ""),
           "Corruptions and an attack, one table",
           alt="Accuracy of four networks on clean images, under fifteen corruptions, "
               "each the mean over five severities, under random signs, and under PGD. "
               "Random signs of the same size harm nobody. Both ordinary networks fall "
               "far under PGD; the one trained on noise keeps a good part, the one "
               "trained by PGD nearly all.")

# %% tags=["tells"]
gauss = list(invariance.CORRUPTIONS).index("Gaussian noise")
claim("Training on noise makes {value:.0f} percentage points more right under PGD,",
      100 * (attacked["trained on noise"] - attacked["ordinary"]), 8, 100)
claim("training by PGD makes {value:.0f} percentage points more right under "
      "noise, each beside the ordinary one of its pair.",
      100 * (by_corruption["ordinary, longer"]
             - by_corruption["trained by PGD"])[gauss].mean(), 2, 80)

# %% [markdown]
# <details><summary>After your guess: what this shows</summary>
#
# Small noise and small attacks are relatives: who is far from the boundary in most directions has gained something in the worst (Ford et al., 2019). But the network trained by PGD learnt to ignore grey
# values below its threshold, and in a dim image that is where the drawing is. "Robust" without *against what* says nothing.
#
# </details>
#
# ### One number for a table
#
# Severities of one corruption may be harder than those of another. So errors are compared with those of a *baseline*, corruption by corruption; ours is softmax regression. With $E_{c,s}$ and $B_{c,s}$ the errors of
# a network and of the baseline, and $C$ corruptions,
#
# $$\text{mCE} = \frac1C \sum_c \frac{\sum_s E_{c,s}}{\sum_s B_{c,s}}, \qquad \text{relative mCE} = \frac1C \sum_c \frac{\sum_s (E_{c,s} - E_\text{clean})}{\sum_s (B_{c,s} - B_\text{clean})}$$
#
# **Exercise 11.8.** Write both.

# %%
def corruption_errors(errors, clean, base_errors, base_clean):
    """The mean corruption error and the relative one: a pair of numbers.

    errors, base_errors: (C, S), a row for each corruption and a column for each
    severity, of the network and of the baseline; clean, base_clean: their errors on
    clean images, numbers.
    """
    ### BEGIN SOLUTION
    absolute = (errors.sum(1) / base_errors.sum(1)).mean()
    relative = ((errors - clean).sum(1) / (base_errors - base_clean).sum(1)).mean()
    return absolute.item(), relative.item()
    ### END SOLUTION

corruption_errors = check("11.8", corruption_errors)

# %% [markdown]
# A corruption that does not trouble the baseline would divide by nearly nothing: we count those that cost it three percentage points or more.

# %%
base = by_corruption["softmax"]
counted = base.mean(1) - clean["softmax"] > 0.03
means = {name: corruption_errors(by_corruption[name][counted], clean[name],
                                 base[counted], clean["softmax"]) for name in networks}
for name, (absolute, relative) in means.items():
    print(f"{name:>17}: mCE {absolute:.2f}, relative {relative:.2f}")
change = means["trained on noise"][0] - means["ordinary"][0]
claim("Training on noise changes the mean corruption error by {value:+.2f} of the "
      "baseline's.", change, -0.6, 0.1 if course.data.name == "mnist" else 0.6)

# %%
question("11.9")

# %%
### BEGIN SOLUTION
choice = "a"
### END SOLUTION
answer("11.9", choice)

# %% [markdown]
# ### Which frequencies?
#
# Yin et al. (2019) found on CIFAR-10 and ImageNet that networks trained on noise or by PGD gain against fine changes, and *lose* against coarse ones such as fog. Does that come back here? Noise of one
# length, in three bands of frequencies:

# %%
BANDS = {"low": (0, 0.1), "middle": (0.1, 0.25), "high": (0.25, 1)}   # cycles per pixel

def noise_in(band, x, length=8.0):
    """Noise with frequencies in this band alone, of this Euclidean length."""
    white = torch.randn(x.shape, generator=course.generator(), device=x.device)
    waves = torch.fft.fft2(white)
    across, down = (torch.fft.fftfreq(side, device=x.device)
                    for side in (x.shape[3], x.shape[2]))
    size = (across.square() + down.square()[:, None]).sqrt()
    noise = torch.fft.ifft2(waves * ((size >= band[0]) & (size < band[1]))).real
    return length * noise / noise.flatten(1).norm(dim=1).view(-1, 1, 1, 1)

# %%
in_band = [(x_some + noise_in(band, x_some)).clamp(0, 1) for band in BANDS.values()]
table = [[accuracy(model, images, y_some) for images in in_band]
         for model in networks.values()]
figure = plots.matrix(table, list(networks), list(BANDS), "frequencies of the noise",
                      "network")
plots.show(figure, "Noise of one length in three bands",
           alt="Accuracy of four networks under noise of low, middle and high "
               "frequencies, which is hardest at low ones.")
claim("Against low frequencies the network trained by PGD is {value:+.0f} percentage "
      "points better than the ordinary one of its pair.",
      100 * (table[3][0] - table[2][0]), 2, 90)

# %% [markdown]
# It does not: the network trained by PGD gains at low frequencies, too, since its threshold swallows a faint cloud. What does come back is the order of the bands. A finding about photographs need not be one about writing.
#
# ## Move it yourself
#
# Choose what may happen to an image. The networks answer to two hundred draws each time; the picture shows the first. Begin with *brightness*, and find out which network gives up first.

# %%
augmenters = {"ordinary": longer, "trained with flips": by_flip["left-right"],
              "trained by PGD": robust}

def draw_again(index, mirrored, area, brightness, count=200):
    """How three networks read many draws of one image: figure, title, alt."""
    generator = course.generator()
    draws = invariance.draws(count, generator=generator, left_right=float(mirrored),
                             area=(area, 1) if area < 1 else None)
    image = x[index:index + 1]
    many = invariance.recolour(invariance.apply(image.expand(count, -1, -1, -1), draws),
                               brightness=brightness)
    figure, alt = widgets.draws_figure(image[0], many, augmenters, classes,
                                       y[index].item())
    crops = f"crops from {area:.0%}" if area < 1 else "no crops"
    title = f"{crops}, brightness {brightness:.2f}"
    title += ", mirrored" * mirrored
    return figure, title, f"{alt} The draws: {title}."

controls = {"index": widgets.slider("image", 0, 30, 1),
            "mirrored": widgets.choice("left-right", [("no", False), ("yes", True)],
                                       False),
            "area": widgets.slider("least area", 0.1, 1.0, 1.0, step=0.1),
            "brightness": widgets.slider("brightness", 0.1, 1.5, 1.0, step=0.1)}
widgets.explore(draw_again, controls,
                static=[{"brightness": 0.3}, {"area": 0.3, "mirrored": True}],
                live=course.live)

# %% [markdown]
# ## Other libraries, today
#
# The same augmentation, a flip, a crop and other light, five times. **torchvision v2** (maintained, BSD; each call is one draw, so call it per image):
#
# ```python
# v2.Compose([v2.RandomResizedCrop(32), v2.RandomHorizontalFlip(), v2.ColorJitter(.5, .5, .5, .1)])(image)
# ```
#
# **Kornia** (maintained, Apache 2; batches on any device, each image its own draw, differentiable):
#
# ```python
# K = kornia.augmentation
# torch.nn.Sequential(K.RandomResizedCrop((32, 32)), K.RandomHorizontalFlip(), K.ColorJitter(.5, .5, .5, .1))(x)
# ```
#
# **Albumentations** (`2.0.8` was its last version, MIT; NumPy arrays, height × width × channels. Its successor AlbumentationsX has the same import name, and a licence, AGPL or a paid one, that may bind *your* code):
#
# ```python
# A.Compose([A.RandomResizedCrop(size=(32, 32)), A.HorizontalFlip(), A.ColorJitter((.5, 1.5), (.5, 1.5), (.5, 1.5), (-.1, .1))])(image=array)["image"]
# ```
#
# **imgaug** (last release in 2020, MIT; beside NumPy 2 it cannot even be imported):
#
# ```python
# iaa.Sequential([iaa.Crop(percent=(0, .3)), iaa.Fliplr(.5), iaa.MultiplyBrightness((.5, 1.5))])(images=arrays)
# ```
#
# **This course** (for learning, and for small images that are in memory anyway):
#
# ```python
# invariance.apply(x, invariance.draws(len(x), generator=generator, area=(.08, 1), left_right=.5,
#                                      brightness=.5, contrast=.5, saturation=.5, hue=.1))
# ```
#
# Old tutorials name the third and the fourth. Look at the date of a library before you build on it, and at its licence before you hand it on. And try its trap: 64 copies of one image in, how many different ones out?

# %% [markdown]
# ## What to remember
#
# * Augmentation is knowledge about labels, handed over as images. False knowledge is learnt as willingly as true.
# * A random function is tested by its distribution. Uniform area is not uniform side, and a uniform ratio is not a uniform logarithm.
# * Each image has its own draw; images and the labels of their pixels share one; grey stays grey.
# * It is worth a multiple of the images where they are few. On the fly saves memory rather than error. The strength belongs to the budget.
# * Noise, weather and attackers are three things. Training for one buys something against another, and costs something against a third: measure all of them, on what played no part in the choice.

# %%
progress()

# %% [markdown]
# ## Further reading
#
# * Zhong et al., *Random erasing data augmentation*, [arXiv:1708.04896](https://arxiv.org/abs/1708.04896); Zhang et al., *mixup*, [arXiv:1710.09412](https://arxiv.org/abs/1710.09412);
#   Yun et al., *CutMix*, [arXiv:1905.04899](https://arxiv.org/abs/1905.04899).
# * Cubuk et al., *RandAugment*, [arXiv:1909.13719](https://arxiv.org/abs/1909.13719); Müller, Hutter, *TrivialAugment*, [arXiv:2103.10158](https://arxiv.org/abs/2103.10158); Hendrycks et al., *AugMix*,
#   [arXiv:1912.02781](https://arxiv.org/abs/1912.02781).
# * Hendrycks, Dietterich, *Benchmarking neural network robustness to common corruptions and perturbations*, [arXiv:1903.12261](https://arxiv.org/abs/1903.12261).
# * Ford, Gilmer et al., *Adversarial examples are a natural consequence of test error in noise*, [arXiv:1901.10513](https://arxiv.org/abs/1901.10513); Yin et al., *A Fourier perspective on model robustness*,
#   [arXiv:1906.08988](https://arxiv.org/abs/1906.08988).
# * **Since corrected.** imgaug and Albumentations were the usual advice for years, and neither is maintained. Early versions of well-known libraries drew the aspect ratio uniformly in place of its logarithm, one scale for a
#   whole batch, or mixed labels by the box that was drawn in place of the one that was pasted ([CutMix issue 1](https://github.com/clovaai/CutMix-PyTorch/issues/1)).
