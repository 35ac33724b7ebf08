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
# # 00 · Welcome
#
# ### What you will be able to do
#
# * run a notebook of this course, and run it again with other parameters,
# * solve an exercise and ask for hints,
# * say what you may attack, and what not.
#
# **Time** about 15 minutes · **Before** a little Python and PyTorch · **Library** `advcourse`

# %% [markdown]
# ### Threat-model card
#
# Every notebook opens with a card like this one: who attacks, knowing what, changing what. Without it no number about attacks or
# defences means anything.
#
# | | in this notebook |
# |---|---|
# | What does the attacker want? | nothing yet: here you meet the tools |
# | What does the attacker know? | everything: the model runs on your machine |
# | What may be changed? | one image, as much as you like |

# %% tags=["parameters"]
PROFILE = "quick"   # "full" trains everything here, on more data (a GPU helps)
DATASET = "auto"    # MNIST where it can be had, else letters drawn from fonts
SEED = 0
DEVICE = "auto"
STUDENT = ""        # your name or number: it shuffles the answers of questions

# %% tags=["setup"]
import torch

from advcourse import doctor, plots, series
from advcourse.evaluate import accuracy
from advcourse.exercises import answer, check, hint, progress, question
from advcourse.notebook import claim, compare_guess, start

course = start("00", profile=PROFILE, dataset=DATASET, seed=SEED,
               device_name=DEVICE, student=STUDENT)

# %% [markdown]
# ## A question
#
# Here is one image three times: as it is, with its pixels shuffled, and upside down. You read the first at a glance. How sure is a network
# of each?

# %%
x, y = course.test_images(1000)
classes = course.data.classes
model = course.model("cnn")
image = x[:1]

# %%
order = torch.randperm(image[0, 0].numel(), generator=torch.Generator().manual_seed(SEED))
shuffled = image.flatten(2)[:, :, order].view_as(image)
trio = torch.cat([image, shuffled, image.flip(2)])
probabilities, read = model(trio).softmax(1).max(1)
titles = [f"{classes[k]} ({p:.0%})" for p, k in zip(probabilities, read)]
plots.show(plots.images([trio], [titles]), "What the network reads",
           alt="One test image as it is, with its pixels shuffled, and upside down, with the network's reading and confidence "
               "above each. The network has an opinion on all three.")

# %% [markdown]
# A network answers whatever it is shown, sense or nonsense. This course is about what follows from that.

# %% [markdown]
# ## How a notebook works
#
# Run the cells from top to bottom (Shift + Enter). The first code cell holds the **parameters**: `PROFILE = "quick"` runs in about
# a minute on a laptop, and `"full"` wants a GPU. Change `SEED` and every random draw changes; run again with the same one and nothing does.

# %% [markdown]
# Sentences with a measured number are made by the run itself, together with the band in which the number is expected.
# Numbers from papers carry their source.

# %%
claim("The network reads {value:.1%} of the test images right.", accuracy(model, x, y), 0.9, 1)

# %% [markdown]
# **Predict before you run.** Some cells ask for a guess first. A wrong guess that you wrote down teaches more than a right number that you only read.
# The cell that tells the result is folded: run it once you have guessed.
#
# How many percent of the same images does the network read right when they stand upside down?

# %%
### BEGIN SOLUTION
my_guess = 70
### END SOLUTION

# %%
upside_down = accuracy(model, x.flip(2), y)

# %% tags=["tells"]
compare_guess(my_guess, 100 * upside_down)
claim("Upside down it reads {value:.0%} right.", upside_down, 0.1, 0.85)

# %% [markdown]
# ## How an exercise works
#
# An exercise is a function to complete. Below it, `check` tries your function on fresh random inputs and says at once what is right and what is
# not. If it is not right yet, `check` hands back our solution, so that the rest of the notebook runs in any case.

# %% [markdown]
# **Exercise 00.1.** How far apart are two images? This course mostly measures by the pixel that changed most: the ℓ∞ distance.
# Stuck? Run `hint("00.1")` in a cell of its own, up to three times.

# %%
def largest_change(x, x_p):
    """The largest absolute change of any pixel, for each pair of images.

    x, x_p: tensors of shape (N, C, H, W). Returns a tensor of shape (N,).
    """
    ### BEGIN SOLUTION
    return (x_p - x).abs().flatten(1).amax(1)
    ### END SOLUTION

largest_change = check("00.1", largest_change)

# %%
dimmed = 0.8 * image
noisy = (image + 0.1 * torch.randn(image.shape, generator=course.generator(), device=image.device)).clamp(0, 1)
versions = torch.cat([dimmed, noisy, image.flip(2)])
distances = largest_change(image.expand_as(versions), versions)
plots.show(plots.images([versions], [[f"distance {d:.2f}" for d in distances]]), "How far from the original?",
           alt="The image dimmed, with noise, and upside down, and above each the largest change of a pixel: small for the first two, "
               "near one for the last.")

# %% [markdown]
# ## What you may attack
#
# Attacks are taught here so that defences can be understood and tested. What *can* be done is not what *should* be done: people rely on
# the systems out there. Judge a case before you read the rule.

# %%
question("00.2")

# %%
### BEGIN SOLUTION
choice = "c"
### END SOLUTION
answer("00.2", choice)

# %% [markdown]
# Attack your own models, or those whose owner asked you to. If you find a weakness elsewhere, tell those who can mend it first.

# %% [markdown]
# ## The map
#
# Notebooks build on each other from left to right. Pale ones are still being written.

# %%
plots.show(series.draw(), "The course", series.alt(), on="pale: to come")

# %% [markdown]
# ## Is your machine ready?
#
# The doctor looks at what is installed, which device there is, which data, and whether the network can be reached.
# A warning means that the course runs with less; only *missing* needs your attention.

# %% tags=["nbval-ignore-output"]
if course.live:
    for row in doctor.report():
        print(f"{row.state:8} {row.what:16} {row.detail}")

# %% [markdown]
# ## What to remember
#
# * Guess first, then run; a claim shows its band.
# * `check` tells you what is wrong in words; `hint` gives one hint at a time; nothing that you break stops the notebook.
# * A model answers everything, also nonsense. Ask what it was shown before you believe it.
# * Attack what is yours, or what you were asked to test.

# %%
progress()

# %% [markdown]
# ## Further reading
#
# * Biggio, Roli, *Wild patterns: ten years after the rise of adversarial machine learning*, [arXiv:1712.03141](https://arxiv.org/abs/1712.03141).
# * The ACM's [code of ethics](https://www.acm.org/code-of-ethics), sections 1.2 (avoid harm) and 2.8 (access only where authorised).
# * NIST AI 100-2, *Adversarial machine learning: a taxonomy and terminology*, [csrc.nist.gov](https://csrc.nist.gov/pubs/ai/100/2/e2023/final).
# * **Since corrected.** Early papers called these inputs "blind spots" of single networks; that they carry over between networks was
#   known from the start, and that they may be *features* is the subject of notebook 01.
