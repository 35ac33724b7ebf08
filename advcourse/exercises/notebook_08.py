"""The exercises of notebook 08: adversarial examples that carry over, why they do, and what that is good for."""

from functools import partial

import torch
from torch.nn import functional as F

from advcourse.exercises.catalogue import Exercise, Question
from advcourse.exercises.notebook_01 import loss_gradient, one_step, random_images, small_model
from advcourse.exercises.properties import equals, finite, in_unit_range


def per_image(values):
    """One number for each image, (N,), in the shape that multiplies images, (N, 1, 1, 1)."""
    return values.view(-1, 1, 1, 1)


# 08.1: the transfer matrix --------------------------------------------------------------------------------------------

def transfer_matrix(attacks, targets, x, y):
    made = [attack(x, y) for attack in attacks]
    return [[(target(x_adv).argmax(1) != y).float().mean().item() for target in targets] for x_adv in made]


def matrix_probes(generator):
    probes = []
    for sources, count, eps in ((2, 3, 0.1), (3, 2, 0.05)):
        models, x = [small_model(generator) for _ in range(3)], random_images(generator, count=60)
        y = models[0](x).argmax(1).detach()
        attacks = [partial(step_on, model, eps) for model in models[:sources]]
        probes.append({"attacks": attacks, "targets": models[3 - count:], "x": x, "y": y})
    return probes


def step_on(model, eps, x, y):
    return one_step(model, x, y, eps)


def transposed(attacks, targets, x, y):
    return [list(column) for column in zip(*transfer_matrix(attacks, targets, x, y), strict=True)]


def matrix_with(count):
    """The matrix whose cell is count(target, x_adv, x, y)."""
    def matrix(attacks, targets, x, y):
        made = [attack(x, y) for attack in attacks]
        return [[count(target, x_adv, x, y).float().mean().item() for target in targets] for x_adv in made]
    return matrix


def attacked_in_a_row(attacks, targets, x, y):
    """The mistake of attacking what the attack before has changed."""
    rows, x_adv = [], x
    for attack in attacks:
        x_adv = attack(x_adv, y)
        rows.append([(target(x_adv).argmax(1) != y).float().mean().item() for target in targets])
    return rows


matrix = Exercise(
    number="08.1",
    title="The transfer matrix",
    points=3,
    minutes=10,
    hints=(
        ("How often is each attack run?", "Once. Its images are then shown to every target: one row of the matrix."),
        ("What stands in a cell?", "The share of these images that the target does not read as y: "
                                   "`(target(x_adv).argmax(1) != y).float().mean().item()`."),
        ("Show me nearly all of it.", "Two loops: for each attack, `x_adv = attack(x, y)` and an empty row; for each "
                                      "target append the cell to the row; "
         "then append the row to the matrix."),
    ),
    reference=transfer_matrix,
    probes=matrix_probes,
    properties={
        "every cell is the target's error on the source's images": equals(transfer_matrix, tolerance=1e-4, mistakes={
            "rows and columns have changed places: a row belongs to the source, a column to the target":
                transposed,
            "these are accuracies; wanted is the error, the share that the target reads wrong":
                matrix_with(lambda target, x_adv, x, y: target(x_adv).argmax(1) == y),
            "these are percentages; wanted are shares between 0 and 1":
                lambda **probe: [[100 * cell for cell in row] for row in transfer_matrix(**probe)],
            "these are counts; divide by the number of images":
                lambda **probe: [[len(probe["x"]) * cell for cell in row] for row in transfer_matrix(**probe)],
            "the targets were shown the clean images: give them what the attack returned":
                matrix_with(lambda target, x_adv, x, y: target(x).argmax(1) != y),
            "you count where the target changes its mind; count where it does not say y":
                matrix_with(lambda target, x_adv, x, y: target(x_adv).argmax(1) != target(x).argmax(1)),
            "images that the target misreads anyway are left out of the count: here every image counts":
                matrix_with(lambda target, x_adv, x, y: (target(x_adv).argmax(1) != y) & (target(x).argmax(1) == y)),
            "each attack starts from the images that the one before it changed: start from x every time":
                attacked_in_a_row,
        }),
    },
)


# 08.2: along the normal -----------------------------------------------------------------------------------------------

def along_normal(weight, x, y, length):
    normal = weight / weight.norm(dim=1, keepdim=True)
    return (x - length * normal[y].view(x.shape)).clamp(0, 1)


def normal_probes(generator):
    probes = []
    for length in (0.3, 1.2):
        x = random_images(generator)
        weight = torch.randn(4, 36, generator=generator).double() * torch.tensor([[0.2], [0.7], [2.0], [5.0]])
        probes.append({"weight": weight.double(), "x": x, "y": torch.arange(len(x)) % 4, "length": length})
    return probes


def normal_step(direction):
    """x plus `length` times a direction made from (weight, y), clipped."""
    return lambda weight, x, y, length: (x + length * direction(weight, y).view(x.shape)).clamp(0, 1)


def unit(rows):
    return rows / rows.norm(dim=1, keepdim=True)


def strongest_rival(weight, x, y, length):
    scores = (x.flatten(1) @ weight.T).scatter(1, y[:, None], -torch.inf)
    return (x + length * unit(weight[scores.argmax(1)] - weight[y]).view(x.shape)).clamp(0, 1)


normal = Exercise(
    number="08.2",
    title="Along the hyperplane's normal",
    points=3,
    minutes=8,
    hints=(
        ("Which way is the hyperplane?", "The score of class y is wᵀx + b. It falls fastest against w, which stands at "
                                         "right angles on the hyperplane."),
        ("How long is the step?", "Exactly `length`, in Euclidean length: divide each row by its norm before you "
                                  "multiply, `weight.norm(dim=1, keepdim=True)`."),
        ("Show me nearly all of it.", "`normal = weight / weight.norm(dim=1, keepdim=True)`; then `x - length * "
                                      "normal[y].view(x.shape)`, clamped to [0, 1]."),
    ),
    reference=along_normal,
    probes=normal_probes,
    properties={
        "every pixel is a grey value in [0, 1]": in_unit_range,
        "it is x − length · w / ‖w‖, clipped": equals(along_normal, mistakes={
            "you go towards the class's own side; the score of y should fall: subtract the step":
                normal_step(lambda weight, y: unit(weight)[y]),
            "the step has the length of the weights: divide each row by its norm, so that all steps are equally long":
                normal_step(lambda weight, y: -weight[y]),
            "you divide by the norm of the whole matrix; each class has a normal of its own: the norm of each row":
                normal_step(lambda weight, y: -weight[y] / weight.norm()),
            "this is the sign of the weights, the best step in ℓ∞; for a given Euclidean length the best step is along "
            "w itself":
                normal_step(lambda weight, y: -weight[y].sign()),
            "the normal has to have Euclidean length 1; you divide by the sum of the absolute values":
                normal_step(lambda weight, y: -weight[y] / weight[y].abs().sum(1, keepdim=True)),
            "this goes towards the strongest rival; an SVM of one class against all has a hyperplane of its own, and "
            "no rival":
                strongest_rival,
            "the images came back unchanged":
                lambda weight, x, y, length: x,
        }),
    },
)


# 08.3: a question on strength -----------------------------------------------------------------------------------------

strength = Question(
    number="08.3",
    title="What makes a source strong?",
    points=1,
    minutes=3,
    text="On the slides stands “LR: strong, SVM: weak”. Both are linear. You have just changed the SVM's C. What do "
         "the tables say about strength?",
    choices=(
        ("It belongs to how simple and how well pinned down a model is: a strongly regularised SVM transfers, too.",
         "Little regularisation lets the weights follow the images that happen to be in one subset. What five models "
         "have learnt in common is what "
         "carries over, and regularisation leaves little else."),
        ("It belongs to the family: logistic regression is strong, SVMs are weak.",
         "Then C could not change it. It moves the ratio from far below to near that of logistic regression."),
        ("It belongs to ε alone: with a larger ε every source is strong.",
         "A large ε hides the differences, as any table shows once all its cells are full. It does not explain them "
         "where they can be seen."),
        ("Linear models are weak sources, as they cannot imitate a network.",
         "The strongest of the three tables belongs to a linear model."),
    ),
    hints=(
        ("What does C do?", "It is the price of a training error. A small C keeps the weights small and smooth."),
        ("What do five SVMs with a large C have in common?", "Less: each follows the quirks of its own images."),
        ("Which choice could explain both tables?", "One that speaks of the model as it was trained, not of its name."),
    ),
)


# 08.4: soft nearest neighbours ----------------------------------------------------------------------------------------

def soft_neighbours(x, x_train, y_train, classes, temperature):
    distances = (x.flatten(1)[:, None] - x_train.flatten(1)[None]).square().sum(2)
    weights = (-distances / temperature).softmax(1)
    return weights @ F.one_hot(y_train, classes).to(weights.dtype)


def neighbour_probes(generator):
    probes = []
    for temperature in (0.5, 2.0):
        x_train, x = random_images(generator, count=15), random_images(generator, count=5)
        y_train = torch.tensor([0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 3])  # not equally many of each
        probes.append({"x": x, "x_train": x_train, "y_train": y_train, "classes": 4, "temperature": temperature})
    return probes


def neighbours_with(weigh):
    """The class sums of weights made from (differences (N, M, D), temperature)."""
    def probabilities(x, x_train, y_train, classes, temperature):
        differences = x.flatten(1)[:, None] - x_train.flatten(1)[None]
        return weigh(differences, temperature) @ F.one_hot(y_train, classes).to(x.dtype)
    return probabilities


def mean_of_each_class(x, x_train, y_train, classes, temperature):
    shares = soft_neighbours(x, x_train, y_train, classes, temperature) / torch.bincount(y_train, minlength=classes)
    return shares / shares.sum(1, keepdim=True)


def softmax_of_the_sums(x, x_train, y_train, classes, temperature):
    return soft_neighbours(x, x_train, y_train, classes, temperature).softmax(1)


neighbours = Exercise(
    number="08.4",
    title="Soft nearest neighbours",
    points=4,
    minutes=14,
    hints=(
        ("How do I get all distances at once?", "`x.flatten(1)[:, None] - x_train.flatten(1)[None]` has shape (N, M, "
                                                "pixels); square it and sum over the last dimension."),
        ("Where does the fraction come from?", "The weights of one image, exp(−distance / temperature) over their sum, "
                                               "are a softmax over the training images: "
         "`(-distances / temperature).softmax(1)`."),
        ("Show me nearly all of it.", "Add up the weights by class: multiply them with `F.one_hot(y_train, classes)`, "
                                      "turned into the dtype of the weights: `weights @ one_hot`."),
    ),
    reference=soft_neighbours,
    probes=neighbour_probes,
    properties={
        "the probabilities are numbers": finite,
        "they are the votes of the formula": equals(soft_neighbours, tolerance=1e-6, mistakes={
            "the farther an image is, the more its vote counts: the exponent needs a minus":
                neighbours_with(lambda d, t: (d.square().sum(2) / t).softmax(1)),
            "the distances are not squared":
                neighbours_with(lambda d, t: (-d.norm(dim=2) / t).softmax(1)),
            "you add up absolute differences; the formula has squared ones":
                neighbours_with(lambda d, t: (-d.abs().sum(2) / t).softmax(1)),
            "you take the mean of the squared differences; the formula has their sum":
                neighbours_with(lambda d, t: (-d.square().mean(2) / t).softmax(1)),
            "the temperature is missing: divide the distances by it":
                neighbours_with(lambda d, t: (-d.square().sum(2)).softmax(1)),
            "you multiply by the temperature: divide by it":
                neighbours_with(lambda d, t: (-d.square().sum(2) * t).softmax(1)),
            "only the nearest image votes: that is hard nearest neighbours, and it has no gradient":
                neighbours_with(lambda d, t: F.one_hot(d.square().sum(2).argmin(1), d.shape[1]).to(d.dtype)),
            "the votes are not shares: divide by the sum over all training images, which softmax does":
                neighbours_with(lambda d, t: (-d.square().sum(2) / t).exp()),
            "the weights are normalised over the wrong dimension: for each image of x they should add up to 1 over the "
            "training images":
                neighbours_with(lambda d, t: (-d.square().sum(2) / t).softmax(0)),
            "every class counts the same here, however many images it has; in the formula every *image* has a vote":
                mean_of_each_class,
            "there is one softmax too many: the sums of the weights are probabilities already":
                softmax_of_the_sums,
        }),
    },
)


# 08.5: the similarity of gradients ------------------------------------------------------------------------------------

def similarity(model_a, model_b, x, y):
    a, b = (loss_gradient(model, x, y).flatten(1) for model in (model_a, model_b))
    return F.cosine_similarity(a, b, dim=1).mean().item()


def similarity_probes(generator):
    probes = []
    for kin in (False, True):
        model_a, model_b, x = small_model(generator), small_model(generator), random_images(generator, count=20)
        if kin:
            with torch.no_grad():
                for ours, theirs in zip(model_b.parameters(), model_a.parameters(), strict=True):
                    ours.copy_(0.7 * theirs + 0.5 * ours)
        predicted = model_a(x).argmax(1).detach()
        y = torch.where(torch.arange(len(x)) % 3 == 0, (predicted + 1) % 4, predicted)
        probes.append({"model_a": model_a, "model_b": model_b, "x": x, "y": y})
    return probes


def compare_gradients(compare, gradient=loss_gradient):
    return lambda model_a, model_b, x, y: compare(*(gradient(model, x, y) for model in (model_a, model_b)))


def gradient_at_answers(model, x, y):
    return loss_gradient(model, x, model(x).argmax(1).detach())


def score_gradient(model, x, y):
    x = x.detach().clone().requires_grad_()
    with torch.enable_grad():
        return torch.autograd.grad(model(x).gather(1, y[:, None]).sum(), x)[0]


def all_scores_gradient(model, x, y):
    x = x.detach().clone().requires_grad_()
    with torch.enable_grad():
        return torch.autograd.grad(model(x).sum(), x)[0]


def mean_cosine(a, b):
    return F.cosine_similarity(a.flatten(1), b.flatten(1), dim=1).mean().item()


gradients = Exercise(
    number="08.5",
    title="The similarity of gradients",
    points=3,
    minutes=10,
    hints=(
        ("What do I compare?", "For each image the two gradients of the loss with respect to that image, one from each "
                               "model, as two long vectors."),
        ("How long may they be?", "The cosine does not ask: it divides by both lengths. "
                                  "`F.cosine_similarity(a.flatten(1), b.flatten(1), dim=1)` gives one for each image."),
        ("Show me nearly all of it.", "Take `loss_gradient(model_a, x, y)` and the same of model_b, flatten both, take "
                                      "the cosines, then `.mean().item()`."),
    ),
    reference=similarity,
    probes=similarity_probes,
    properties={
        "it is the mean cosine of the loss gradients": equals(similarity, tolerance=1e-5, mistakes={
            "you flatten the whole batch into one vector, so that images with large gradients outvote the others: one "
            "cosine for each image, then the mean":
                compare_gradients(lambda a, b: F.cosine_similarity(a.flatten(), b.flatten(), dim=0).item()),
            "these are scalar products: divide by the lengths of both gradients":
                compare_gradients(lambda a, b: (a * b).flatten(1).sum(1).mean().item()),
            "these are cosines of the gradients' signs; compare the gradients themselves":
                compare_gradients(lambda a, b: mean_cosine(a.sign(), b.sign())),
            "you take the mean gradient over the images before you compare; compare image by image, then take the mean":
                compare_gradients(lambda a, b: F.cosine_similarity(a.mean(0).flatten(), b.mean(0).flatten(),
                                                                   dim=0).item()),
            "you take the absolute value: gradients that point in opposite directions are not alike":
                compare_gradients(lambda a, b: F.cosine_similarity(a.flatten(1), b.flatten(1),
                                                                   dim=1).abs().mean().item()),
            "this is one minus the cosine, a distance; wanted is the similarity":
                compare_gradients(lambda a, b: 1 - mean_cosine(a, b)),
            "this is the sum over the images: take the mean":
                compare_gradients(lambda a, b: len(a) * mean_cosine(a, b)),
            "you took the loss at each model's own answer; both are to be asked about the same label, y":
                compare_gradients(mean_cosine, gradient_at_answers),
            "these are gradients of the score of y, not of the loss, in which the other scores have a say, too":
                compare_gradients(mean_cosine, score_gradient),
            "these are gradients of the sum of all scores: differentiate the loss":
                compare_gradients(mean_cosine, all_scores_gradient),
        }),
    },
)


# 08.6: the loss of an ensemble ----------------------------------------------------------------------------------------

def ensemble_loss(models, x, y):
    probabilities = torch.stack([model(x).softmax(1) for model in models]).mean(0)
    return -probabilities.gather(1, y[:, None])[:, 0].log()


def ensemble_probes(generator):
    probes = []
    for count in (2, 3):
        models = [small_model(generator, sharpness=1.0) for _ in range(count)]
        x = random_images(generator, count=8)
        probes.append({"models": models, "x": x, "y": torch.arange(8) % 4})
    return probes


def of_each(models, x, y):
    """The losses of the models, (M, N)."""
    return torch.stack([F.cross_entropy(model(x), y, reduction="none") for model in models])


def loss_of_mean_logits(models, x, y):
    return F.cross_entropy(torch.stack([model(x) for model in models]).mean(0), y, reduction="none")


def softmax_twice(models, x, y):
    return F.cross_entropy(torch.stack([model(x).softmax(1) for model in models]).mean(0), y, reduction="none")


together = Exercise(
    number="08.6",
    title="The loss of several models",
    points=3,
    minutes=10,
    hints=(
        ("What is averaged?", "The probabilities: each model's logits go through softmax, then the mean over the "
                              "models is taken. The logarithm comes last."),
        ("How do I pick the probability of y?", "`probabilities.gather(1, y[:, None])[:, 0]` has one number for each "
                                                "image."),
        ("Show me nearly all of it.", "`torch.stack([model(x).softmax(1) for model in models]).mean(0)`, gather y from "
                                      "it, then `-….log()`."),
    ),
    reference=ensemble_loss,
    probes=ensemble_probes,
    properties={
        "the losses are numbers": finite,
        "it is −log of the mean probability of y": equals(ensemble_loss, tolerance=1e-6, mistakes={
            "this is the mean of the models' losses: take the mean of the probabilities first and the logarithm last":
                lambda **probe: of_each(**probe).mean(0),
            "this is the sum of the models' losses: take the mean of the probabilities first and the logarithm last":
                lambda **probe: of_each(**probe).sum(0),
            "you average the logits: average the probabilities, after the softmax":
                loss_of_mean_logits,
            "cross_entropy takes logits and applies another softmax; you have probabilities already: take −log of the "
            "one of y":
                softmax_twice,
            "the minus is missing: a loss is small where the probability is large":
                lambda **probe: -ensemble_loss(**probe),
            "this is the probability itself; the loss is its −log":
                lambda **probe: (-ensemble_loss(**probe)).exp(),
            "you add the probabilities up: divide by the number of models":
                lambda models, x, y: ensemble_loss(models, x, y) - torch.tensor(float(len(models))).log(),
            "only the first model is in it: does your function return inside the loop?":
                lambda models, x, y: ensemble_loss(models[:1], x, y),
            "only the last model is in it: add up the probabilities of all":
                lambda models, x, y: ensemble_loss(models[-1:], x, y),
            "this is the largest loss of any of the models; wanted is the loss of their mean probability":
                lambda **probe: of_each(**probe).amax(0),
        }),
    },
)


# 08.7: Jacobian-based augmentation ------------------------------------------------------------------------------------

def augment(model, x, labels, step):
    return (x + step * score_gradient(model, x, labels).sign()).clamp(0, 1)


def augment_probes(generator):
    probes = []
    for step in (0.1, -0.2):
        model, x = small_model(generator), random_images(generator)
        answers = model(x).argmax(1).detach()
        # the remote model does not always agree
        labels = torch.where(torch.arange(len(x)) % 3 == 0, (answers + 1) % 4, answers)
        probes.append({"model": model, "x": x, "labels": labels, "step": step})
    return probes


def augment_along(gradient):
    return lambda model, x, labels, step: (x + step * gradient(model, x, labels)).clamp(0, 1)


new_questions = Exercise(
    number="08.7",
    title="New questions for the remote model",
    points=4,
    minutes=12,
    hints=(
        ("Which derivative is it?", "Of one score alone: the substitute's score (logit) of the label that the remote "
                                    "model gave, with respect to the image."),
        ("How do I get it for all images at once?", "Pick the scores with `model(x).gather(1, labels[:, None])`, add "
                                                    "them up, and differentiate the sum with respect to x: "
         "each image's gradient is its own."),
        ("Show me nearly all of it.", "`gradient = torch.autograd.grad(model(x).gather(1, labels[:, None]).sum(), "
                                      "x)[0]` with an x that requires grad; then "
         "`(x + step * gradient.sign()).clamp(0, 1).detach()`."),
    ),
    reference=augment,
    probes=augment_probes,
    properties={
        "every pixel is a grey value in [0, 1]": partial(in_unit_range, name="new image"),
        "it is x + step · sign(∇ score of the label), clipped": equals(augment, mistakes={
            "this is the gradient of the loss; take that of the label's score alone":
                augment_along(lambda model, x, labels: loss_gradient(model, x, labels).sign()),
            "you follow the loss downhill; take the gradient of the label's score alone, which knows nothing of the "
            "other scores":
                augment_along(lambda model, x, labels: -loss_gradient(model, x, labels).sign()),
            "the direction is turned round: `step` has its own sign, add it as it is":
                augment_along(lambda model, x, labels: -score_gradient(model, x, labels).sign()),
            "pixels move in proportion to the gradient: take its sign":
                augment_along(score_gradient),
            "you took the score of the substitute's own answer; take that of the remote model's label":
                augment_along(lambda model, x, labels: score_gradient(model, x, model(x).argmax(1).detach()).sign()),
            "you differentiate the sum of all scores; pick the label's":
                augment_along(lambda model, x, labels: all_scores_gradient(model, x, labels).sign()),
            "the step is always forward: a negative step goes backwards, so multiply by `step` itself":
                lambda model, x, labels, step: augment(model, x, labels, abs(step)),
            "the images came back unchanged":
                lambda model, x, labels, step: x,
        }),
    },
)
