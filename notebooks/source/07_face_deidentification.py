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
# # 07 · Hiding a face from machines
#
# ### What you will be able to do
#
# * make a face recogniser see any person you like, in noise and in a photograph of somebody else,
# * hide a photograph from a recogniser, and measure what still leaks,
# * put the attack on the frame of a pair of glasses,
# * say what such a protection is worth, and to whom you owe a word before you try it.
#
# **Time** about 100 minutes · **Before** notebooks 01 and 03 · **Library** `advcourse.attacks`, `advcourse.data`

# %% [markdown]
# ### Threat-model card
#
# Here the roles are mixed: the one who attacks the recogniser may be the one who needs protection.
#
# | | in this notebook |
# |---|---|
# | What does the attacker want? | not to be named; or to be named as a certain other person |
# | What does the attacker know? | one recogniser, completely (*white box*); nothing of the others that will see the picture |
# | What may be changed? | first everything; then little, measured from a photograph; at last only the frame of the glasses |
# | When? | before the photograph is published; other recognisers are trained years later |
# | What counts as success? | the recogniser gives the wrong name, people still see who it is |

# %% tags=["parameters"]
PROFILE = "quick"   # "full": longer training, more photographs (a GPU helps)
DATASET = "faces"   # drawn people; "orl-faces", "yale-b" and "celeba" are photographs of real ones
SEED = 0
DEVICE = "auto"
STUDENT = ""        # your name or number: it shuffles the answers of questions

# %% tags=["setup"]
import torch
from torch.nn import functional as F

from advcourse import models, plots, training, widgets
from advcourse.attacks import patch, pgd, towards_image
from advcourse.attacks.patches import glasses_mask
from advcourse.evaluate import accuracy
from advcourse.exercises import answer, check, hint, progress, question
from advcourse.notebook import claim, compare_guess, record, start

# A data set of other things is replaced by one of faces; the output says so.
course = start("07", profile=PROFILE, dataset=DATASET, seed=SEED,
               device_name=DEVICE, student=STUDENT,
               instead={"auto": "faces", "fonts": "faces", "mnist": "orl-faces"})

# %% [markdown]
# ## A question
#
# A photo service names everybody in the pictures that you upload. Below are photographs of five people, twice.
# Who is in the lower row? You have no trouble. The recogniser has.

# %%
x, y = course.test_images(320 if course.quick else 3000)
x_train, y_train = course.data.x_train.to(course.device), course.data.y_train.to(course.device)
people = course.data.classes
shape = x.shape[1:]

def train(network, x, y, steps):
    """Train a network on batches of 64, about `steps` of them in quick and four times as many in full."""
    epochs = -(-steps * (1 if course.quick else 4) * 64 // len(x))
    training.fit(network.to(course.device), x, y, epochs=epochs, batch_size=64, learning_rate=1.5e-3, seed=SEED)
    return network.requires_grad_(False)

# %%
# Cropped grey faces are easy enough for a multilayer perceptron; colour photographs want a convolutional network.
kind = models.mlp if shape[0] == 1 else models.cnn
recogniser = train(kind(shape, len(people)), x_train, y_train, steps=600)
x_hidden = pgd(recogniser, x, y, eps=0.04, steps=10)

# %%
def named(model, images):
    """The names that the model gives to the people in the images."""
    return [people[label] for label in model(images).argmax(1)]

fooled = ((recogniser(x).argmax(1) == y) & (recogniser(x_hidden).argmax(1) != y)).nonzero()[:5, 0]
rows = [x[fooled], x_hidden[fooled]]
plots.show(plots.images(rows, [named(recogniser, row) for row in rows], ["published", "protected"]),
           "Whom the recogniser sees",
           alt="Photographs of five people and below each a copy with a little change that looks like faint grain. "
               "Above each stands the name that the recogniser gives: right in the upper, wrong in the lower row.")

# %% [markdown]
# The lower row is **de-identified**: for this recogniser somebody else is in the picture. This notebook builds that, measures it,
# and then asks what it is worth.

# %% [markdown]
# ## Whose faces are these?

# %%
question("07.1")

# %%
### BEGIN SOLUTION
choice = "d"
### END SOLUTION
answer("07.1", choice)

# %% [markdown]
# Whose faces are in this notebook? Nobody's, unless you chose otherwise. `DATASET = "faces"` draws people who do not exist, so that there is no one to ask. The other sets show real people:
#
# * `orl-faces`: 40 people of the Olivetti Research Laboratory, free with credit to it (Samaria and Harter, 1994).
# * `yale-b`: Extended Yale B, 38 people under many lights, for research (Georghiades et al., 2001). You fetch it yourself; the error message says where to put it.
# * `celeba`: pictures of celebrities collected from the web, for research that is not commercial (Liu et al., 2015). Nobody asked them.
#
# A licence says what the maker of a collection allows; it does not speak for the people in it. In much of the world a face is personal data. So: recognise,
# change and publish faces only of those who agreed to just that, and keep pictures of real people out of notebooks that you hand on.

# %% [markdown]
# ## The recogniser
#
# It is a plain classifier with one class per person. To work at all it has to see through light, pose and expression: below, two
# photographs each of five people.

# %%
album = [torch.stack([x_train[y_train == person][k] for person in range(5)]) for k in range(2)]
plots.show(plots.images(album, [people[:5], [""] * 5]), "Two photographs of each person",
           alt="Two photographs of each of five people, who turn, tilt and smile in changing light.")
claim("On photographs that it has not seen, the recogniser gives the right name to {value:.1%}.",
      accuracy(recogniser, x, y), 0.85, 1)

# %% [markdown]
# ## Any person, out of nothing
#
# First without any limit. Start from noise and go down the loss of a chosen person until the recogniser is sure. The result need not look like anything: the course
# calls that a *non-realistic* output. **Exercise 07.2**: do it for a whole batch, with a goal for the confidence. An image that has
# reached its goal stops; the others continue. Near the goal, steps of fixed length along the gradient converge; sign steps oscillate.

# %%
def from_noise(model, x, target, confidence):
    """Images that the model assigns to their targets with at least the given confidence.

    x: noise to start from, shape (N, C, H, W), in [0, 1]; target: a class for each
    image, shape (N,); confidence: the probability that is wanted of the target, such as
    0.99. An image that has it already stays as it is.
    Returns detached images of the shape of x, in [0, 1]. 500 steps of length 0.5 are
    always enough here.
    """
    ### BEGIN SOLUTION
    for _ in range(500):
        x = x.detach().requires_grad_()
        logits = model(x)
        short = logits.softmax(1).gather(1, target[:, None])[:, 0] < confidence
        if not short.any():
            break
        gradient = torch.autograd.grad(F.cross_entropy(logits, target, reduction="sum"), x)[0]
        length = gradient.flatten(1).norm(dim=1).clamp_min(1e-12)
        x = (x - 0.5 * (short / length).view(-1, 1, 1, 1) * gradient).clamp(0, 1)
    return x.detach()
    ### END SOLUTION

from_noise = check("07.2", from_noise)

# %%
everybody = torch.arange(len(people), device=course.device)
noise = torch.rand(len(people), *shape, generator=course.generator(), device=course.device)
images = from_noise(recogniser, noise, everybody, 0.99)
sure = recogniser(images).softmax(1).diagonal()
plots.show(plots.images([images[:5]], [[f"{name}: {p:.1%}" for name, p in zip(people, sure)]]),
           "Five people, says the recogniser",
           alt="Five pictures of noise, in which hardly anything can be made out; above each a name and a "
               "confidence of at least 99 percent.")
claim("Of all people in the data set, the share that noise can stand for at 99 % confidence: {value:.0%}.",
      (sure >= 0.99).float().mean(), 0.97, 1)

# %% [markdown]
# Every name can be had, which is the lecture's first result on faces. It opens a door that checks *only* the name. Where a person looks at the picture too,
# it has to look like somebody.

# %% [markdown]
# ## Any person, in a picture of another
#
# A *realistic* output is one close to a real picture. Two wishes, one objective: the image $z$ should be named $t$, and look like the photograph $x$,
#
# $$\min_z \; J(f(z), t) \;+\; \lambda \, \lVert z - x \rVert_2^2 .$$
#
# **Exercise 07.3**: write it, one number per image.

# %%
def realistic_loss(model, z, picture, target, weight):
    """Cross-entropy at the target + weight · squared Euclidean distance to the picture.

    z, picture: images of shape (N, C, H, W); target: the classes to be seen, shape (N,);
    weight: λ, a number. Returns one number per image, shape (N,), with its gradient:
    z moves down it.
    """
    ### BEGIN SOLUTION
    loss = F.cross_entropy(model(z), target, reduction="none")
    return loss + weight * (z - picture).square().flatten(1).sum(1)
    ### END SOLUTION

realistic_loss = check("07.3", realistic_loss)

# %%
def descend(picture, target, weight, steps=100):
    """Adam on the realistic loss, from noise; its steps get shorter and shorter."""
    z = torch.rand(picture.shape, generator=course.generator(), device=picture.device).requires_grad_()
    optimizer = torch.optim.Adam([z], lr=0.05)
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = 0.05 * (1 - step / steps)
        z.grad, = torch.autograd.grad(realistic_loss(recogniser, z, picture, target, weight).sum(), z)
        optimizer.step()
        z.data.clamp_(0, 1)
    return z.detach()

# %%
# One test photograph per person that the recogniser names right.
right = recogniser(x).argmax(1) == y
found = [(right & (y == person)).nonzero()[:1, 0] for person in range(len(people))]
chosen = torch.cat(found)[:20]
pictures, who = x[chosen], y[chosen]
target = who.roll(-1)
z = descend(pictures, target, weight=0.2)

# %%
def portion(z, picture):
    """The length of the change as a share of the length of the picture, per image."""
    return (z - picture).flatten(1).norm(dim=1) / picture.flatten(1).norm(dim=1)

rows = [images[:4] for images in (pictures, z, z - pictures)]
titles = [[people[k] for k in who[:4]], named(recogniser, z[:4]), [""] * 4]
plots.show(plots.images(rows, titles, ["photograph", "ends up as", "difference"], signed=[2]),
           "From noise to a face, with another's name",
           alt="Four photographs; below each the image that started as noise and ended close to it, named as the "
               "next person; at the bottom the difference, in which traces of the other face can be guessed.")
claim("With λ = 0.2 the recogniser gives the wanted name in {value:.0%} of 20 pictures.",
      accuracy(recogniser, z, target), 0.95, 1)
claim("They differ from the photographs by {value:.1%} of a photograph's length.",
      portion(z, pictures).mean(), 0.1, 0.2)

# %% [markdown]
# The weight is a nuisance. Where it is too large, the picture is nearly perfect and the name is the old one. Better to *demand* the name and to ask for the nearest
# picture that has it. The library's `towards_image` does so, by shrinking a sphere around the photograph as long as the name holds.

# %%
strict = descend(pictures, target, weight=1.0)
nearest = towards_image(recogniser, torch.rand_like(pictures), target, image=pictures, steps=100)
claim("With λ = 1 only {value:.0%} get the wanted name.", accuracy(recogniser, strict, target), 0.1, 0.75)
claim("With the name demanded: {value:.0%}.", accuracy(recogniser, nearest, target), 0.98, 1)
claim("And the distance is only {value:.2f} times that with λ = 0.2.",
      portion(nearest, pictures).mean() / portion(z, pictures).mean(), 0.7, 0.95)

# %% [markdown]
# ## Anybody as anybody
#
# The lecture's second result: *any* person can be made into any other. So take all pairs.

# %%
count = len(pictures)
source = torch.arange(count, device=course.device).repeat_interleave(count)
goal = torch.arange(count, device=course.device).repeat(count)
pairs = towards_image(recogniser, pictures[source], who[goal], image=pictures[source], steps=60)
reached = recogniser(pairs).argmax(1) == who[goal]
distance = portion(pairs, pictures[source]).view(count, count)

# %%
grid = pairs.view(count, count, *shape)[:4, :4]
titles = [[f"→ {people[k]}" for k in who[:4]], *[[""] * 4] * 3]
plots.show(plots.images(list(grid), titles, [people[k] for k in who[:4]]), "Rows: who it is. Columns: who is named",
           alt="Four rows of four pictures. In each row people see the same person, with a change that is hard to see in "
               "some and a shadow of other hair in others; the recogniser names another person in each column. On the "
               "diagonal nothing is changed.")

# %%
figure, axes = plots.grid(1, 1, width=4.6, height=3.6)
drawn = axes[0, 0].imshow(100 * distance.cpu(), cmap="cividis", extent=(0.5, count + 0.5, count + 0.5, 0.5))
figure.colorbar(drawn, label="change, % of the picture's length")
axes[0, 0].set(xlabel="who is named (number of the person)", ylabel="who it is (number of the person)",
               xticks=range(1, count + 1, 3), yticks=range(1, count + 1, 3))
plots.show(figure, "How far it is from each to each",
           alt="A matrix of colours, one row per person in the picture and one column per person named. The diagonal "
               "is zero. Some rows and columns are darker than others: these people are easy to hide, or easy to "
               "be taken for.")
others = source != goal
by_column = distance.sum(0) / (count - 1)
claim("Of all pairs of two people, the share that can be had: {value:.0%}.",
      reached[others].float().mean(), 0.98, 1)
claim("The change is {value:.1%} of a photograph's length on average over the pairs.", by_column.mean(), 0.08, 0.18)
claim("To be taken for the hardest person needs {value:.1f} times the change that the easiest one needs.",
      by_column.max() / by_column.min(), 1.4, 3.5)

# %% [markdown]
# The darkest columns belong to people who are easy to be taken for. If you guard a door with a recogniser, they are your weak point, and they did nothing wrong.

# %% [markdown]
# ## Hidden, and leaking
#
# Now the protector's side. Any wrong name will do, and the change must be small in every pixel: the ε-ball of notebook 01. Two numbers tell how good the protection is.
# *Hidden*: of the photographs that the recogniser named right, how many does it not name any more? *Leaked*: of those, how many does **another** recogniser still name right?

# %% [markdown]
# **Exercise 07.4**: compute both from the names that were given.

# %%
def hidden_and_leaked(before, after, other, y):
    """(hidden, leaked): two shares in [0, 1].

    before, after: the classes that the recogniser gives before and after the change;
    other: what another one gives after it; y: the true classes; all of shape (N,).
    Photographs that the recogniser got wrong before do not count.
    hidden: of the rest, those that are wrong after.
    leaked: of the hidden, those that the other gets right; 0.0 if none is hidden.
    """
    ### BEGIN SOLUTION
    known = before == y
    gone = known & (after != y)
    hidden = (gone.sum() / known.sum()).item()
    leaked = ((other == y) & gone).sum() / gone.sum() if gone.any() else torch.tensor(0.0)
    return hidden, leaked.item()
    ### END SOLUTION

hidden_and_leaked = check("07.4", hidden_and_leaked)

# %% [markdown]
# We take two others. One is a network of another kind, trained on the same people by somebody else. The second is no network at all: it looks for the
# photograph in its album that differs least, pixel by pixel.

# %%
second = train(models.cnn(shape, len(people)), x_train, y_train, steps=300)

def most_similar(images):
    """The classes of the photographs in the album that are nearest to the images."""
    return y_train[torch.cdist(images.flatten(1), x_train.flatten(1)).argmin(1)]

# %% [markdown]
# **Predict before you run.** With $\varepsilon = 0.04$ hardly a photograph is named by the recogniser that the change was made for. How many percent of these does the other
# network still name right?

# %%
### BEGIN SOLUTION
my_guess = 20
### END SOLUTION

# %%
before = recogniser(x).argmax(1)
hidden, leaked = hidden_and_leaked(before, recogniser(x_hidden).argmax(1), second(x_hidden).argmax(1), y)
_, leaked_to_album = hidden_and_leaked(before, recogniser(x_hidden).argmax(1), most_similar(x_hidden), y)

# %% tags=["tells"]
compare_guess(my_guess, 100 * leaked)
claim("At ε = 0.04 hidden from the recogniser: {value:.0%} of the photographs that it knew.", hidden, 0.8, 1)
claim("Of these the other network still names {value:.0%}.", leaked, 0.5, 0.95)
claim("A look through the album finds the right person for {value:.0%}.", leaked_to_album, 0.4, 1)

# %%
epsilons = [0, 0.01, 0.02, 0.03, 0.04, 0.06, 0.08]
lines = {"the recogniser": [], "another network": [], "the album": []}
for eps in epsilons:
    x_p = pgd(recogniser, x[:200], y[:200], eps=eps, steps=10)
    for name, classes in zip(lines, (recogniser(x_p).argmax(1), second(x_p).argmax(1), most_similar(x_p))):
        lines[name].append((classes == y[:200]).float().mean().item())

# %% tags=["varies-by-processor", "tells"]
plots.show(plots.curves(epsilons, lines, "ε, the largest change of a pixel", "photographs named right",
                        ylim=(0, 1.02)),
           "Who still knows whom",
           alt="Share of photographs named right against ε. The recogniser that was attacked falls to nearly zero "
               "by ε = 0.04. The other network falls much later, and the album's line falls least of all.")
record("named right", {"epsilons": epsilons, **lines})

# %% [markdown]
# And a fourth recogniser has not been asked: *you*. Look at the lower row at the top of this notebook again. People who know a face are not even slowed down.

# %% tags=["tells"]
question("07.5")

# %%
### BEGIN SOLUTION
choice = "c"
### END SOLUTION
answer("07.5", choice)

# %% [markdown]
# ## Move it yourself
#
# Choose who is in the picture and whom the recogniser should name, then move ε. How much does it take until the first network gives the wanted name? And the second?

# %%
def protect(person, wanted, eps):
    """The widget's figure, its title and its alt text."""
    x_p = pgd(recogniser, pictures[person:person + 1], who[wanted:wanted + 1], eps=eps, steps=20, targeted=True)[0]
    shown = {"in the picture": pictures[person], "to be named": pictures[wanted], "the result": x_p}
    figure, names = widgets.opinions_figure(shown, {"the recogniser": recogniser, "another network": second},
                                            people, true=who[person].item(), target=who[wanted].item())
    title = f"{people[who[person]]} → {people[who[wanted]]} with ε = {eps:.2f}"
    return figure, title, (f"{title}: a photograph, the person to be named, and the changed photograph. "
                           f"The recogniser names {names[0]}, the other network {names[1]}.")

# %% tags=["varies-by-processor"]
# Start with two people who are rather near to each other.
nearest_pairs = distance.masked_fill(distance == 0, torch.inf).flatten().argsort()
person, wanted = divmod(nearest_pairs[count * count // 8].item(), count)
names = [(people[label], at) for at, label in enumerate(who.tolist())]
controls = {"person": widgets.choice("in picture", names, person),
            "wanted": widgets.choice("to name", names, wanted),
            "eps": widgets.slider("ε", 0.0, 0.1, 0.05, step=0.01)}
widgets.explore(protect, controls, static=[{"eps": 0.02}, {"eps": 0.05}], live=course.live)

# %% [markdown]
# Blue marks the person in the picture, orange the one to be named. Usually there is a range of ε in which the two networks disagree.

# %% [markdown]
# ## Once published, for ever
#
# Two tools brought this idea to the public. *Fawkes* (Shan et al., 2020) changes the pictures that you publish so that a recogniser trained on them
# learns a wrong idea of you; its authors report a protection of 95 % and more. *LowKey* (Cherepanova et al., 2021) brought two commercial services below 1 %.

# %%
question("07.6")

# %%
### BEGIN SOLUTION
choice = "d"
### END SOLUTION
answer("07.6", choice)

# %% [markdown]
# The photograph is changed **once**, and the recogniser is trained later, by people who have read the papers too. Play the collector. Gather photographs that are all protected, with the right names beside them, and train a new network on nothing else.

# %%
collected = pgd(recogniser, x_train, y_train, eps=0.04, steps=10)
later = train(kind(shape, len(people)), collected, y_train, steps=600)
claim("The old recogniser names {value:.0%} of protected photographs.", accuracy(recogniser, x_hidden, y), 0, 0.2)
claim("The later one, which has seen only protected ones: {value:.0%}.", accuracy(later, x_hidden, y), 0.65, 1)
claim("And of photographs without protection it names {value:.0%}.", accuracy(later, x, y), 0.6, 1)

# %% [markdown]
# Nothing was needed but time. Radiya-Dixit et al. (2022) show the same for Fawkes and LowKey on real recognisers: a better network that comes out later suffices,
# and so does training on pictures that went through the tool. There is no arms race either: the pictures that were collected cannot be changed any more.

# %% [markdown]
# ## Glasses
#
# A camera in the street takes its own pictures; only what you wear can be changed. Sharif et al. (2016) printed frames of glasses. The change may be as strong as it likes, but
# only inside a mask $m$, here about a sixteenth of the picture:
#
# $$x_p = (1 - m) \cdot x + m \cdot \text{frame} .$$
#
# Now the *frame* is what the attacker moves, and the loss sees it through the face that wears it: up the loss of the person's own name to hide, down the
# loss of another name to pass as them. **Exercise 07.7**: one step for the frames.

# %%
def wear(x, frame, mask):
    """The images x with the frame on, as patches are put on in notebook 06."""
    return (1 - mask) * x + mask * frame

# %%
def frame_step(model, x, frame, mask, label, step_size):
    """The frames after one signed step on the cross-entropy of the faces that wear them.

    x: faces (N, C, H, W) in [0, 1]; frame: one for each, of the same shape, in [0, 1];
    mask: (H, W), in [0, 1], 1 where the frame hides the face; label: classes, (N,);
    step_size: above 0 to go up the loss of the label, below 0 to go down.
    Every pixel under the mask moves by step_size along the sign of its gradient, and
    is clipped to [0, 1]. Returns a detached tensor of the shape of frame.
    """
    ### BEGIN SOLUTION
    frame = frame.clone().requires_grad_()
    loss = F.cross_entropy(model(wear(x, frame, mask)), label, reduction="sum")
    gradient = torch.autograd.grad(loss, frame)[0]
    return (frame + step_size * gradient.sign()).clamp(0, 1).detach()
    ### END SOLUTION

frame_step = check("07.7", frame_step)

# %%
# Eyes sit a little lower in these photographs than the library's mask expects.
mask = glasses_mask(shape).roll(shape[1] // 16, 0).to(x)
known = right.nonzero()[:200, 0]
faces, names_of = x[known], y[known]

def design(label, sign, steps=60):
    """A frame for each photograph: signed steps that fall to 0, up (+1) or down (-1) the loss of the label."""
    frame = torch.full_like(faces, 0.5)
    for step in range(steps):
        size = sign * 0.2 * (1 - step / steps)
        frame = frame_step(recogniser, faces, frame, mask, label, size)
    return wear(faces, frame, mask)

# %%
black = wear(faces, torch.zeros_like(faces), mask)
dodge, someone_else = design(names_of, +1), (names_of + 1) % len(people)
impersonate = design(someone_else, -1)
shown = (recogniser(dodge).argmax(1) != names_of).nonzero()[:5, 0]
rows = [black[shown], dodge[shown]]
plots.show(plots.images(rows, [named(recogniser, row) for row in rows], ["black frame", "made to hide"]),
           "Glasses that hide (in truth: " + ", ".join(people[k] for k in names_of[shown]) + ")",
           alt="Five faces with plain black glasses, and below with frames in black and white that were computed. "
               "The names above the lower row are wrong.")

# %%
claim("Plain black frames hide {value:.0%} of the faces from the recogniser.",
      1 - accuracy(recogniser, black, names_of), 0, 0.6)
claim("Frames made for the purpose hide {value:.0%}.", 1 - accuracy(recogniser, dodge, names_of), 0.5, 1)
claim("As one certain other person, drawn without choice, they pass {value:.0%}.",
      accuracy(recogniser, impersonate, someone_else), 0, 0.2)

# %% [markdown]
# To hide is easy, to be a certain other person is hard: on so few pixels it works for some pairs only. It was so with printed frames too:
# of three people in Sharif et al. (2016), two passed as their target in about 88 % of the pictures, the third in about 16 %.

# %% [markdown]
# One more step to the street: a frame is printed once, and must work on pictures that do not exist yet. `patch` makes one from a person's old photographs.

# %%
hides = []
for person in range(10):
    old, new = x_train[y_train == person], faces[names_of == person]
    frame = patch(recogniser, old, y_train[y_train == person], mask=mask, steps=60, batch_size=20,
                  generator=course.generator())
    hides.append((recogniser(wear(new, frame, mask)).argmax(1) != person).float())
claim("One frame per person, made from other photographs, hides {value:.0%} of new ones.",
      torch.cat(hides).mean(), 0.25, 1)

# %% [markdown]
# ## What to remember
#
# * A classifier of faces can be made to name anybody, from noise (non-realistic) and in a picture of anybody else (realistic).
# * Demanding the name and minimising the distance beats weighing the one against the other.
# * Hidden from one recogniser is not hidden: other networks, an album and people still know the face. Always report what leaks.
# * A protection that is published once has to beat every recogniser that is ever trained. It does not.
# * The same mathematics protects a protester and lets an intruder in. What you may do is a question of consent and law, not of technique.

# %%
progress()

# %% [markdown]
# ## Further reading
#
# * Sharif, Bhagavatula, Bauer, Reiter, *Accessorize to a crime*, [doi:10.1145/2976749.2978392](https://doi.org/10.1145/2976749.2978392): glasses; and their
#   *General framework for adversarial examples with objectives*, [arXiv:1801.00349](https://arxiv.org/abs/1801.00349), where a network designs them.
# * Chatzikyriakidis, Papaioannidis, Pitas, *Adversarial face de-identification*, ICIP 2019, pages 684 to 688: the lecture's line of work.
# * Shan et al., *Fawkes: protecting privacy against unauthorized deep learning models*, [arXiv:2002.08327](https://arxiv.org/abs/2002.08327);
#   Cherepanova et al., *LowKey*, [arXiv:2101.07922](https://arxiv.org/abs/2101.07922).
# * **Since corrected.** Radiya-Dixit, Hong, Carlini, Tramèr, *Data poisoning won't save you from facial recognition*,
#   [arXiv:2106.14851](https://arxiv.org/abs/2106.14851), ICLR 2022: recognisers that come later undo the protection of pictures collected before, and
#   the tools gave their users a false sense of security.
# * Large recognisers compare features and do not classify: the same attacks work on the features (notebook 04 has the method).
