"""What every notebook does: set itself up, claim what it measured, compare a guess with the result."""

import html
import os
from dataclasses import dataclass
from functools import partial

import torch

from advcourse import data, device, exercises
from advcourse.exercises.display import emit

PROFILES = ("quick", "full")


@dataclass(frozen=True)
class Course:
    """How this run of a notebook was set up: the parameters, resolved."""

    notebook: str
    profile: str
    data: data.Dataset
    seed: int
    device: torch.device

    @property
    def quick(self):
        return self.profile == "quick"

    @property
    def live(self):
        """Whether a person sits at this kernel: then widgets move; else they show a static picture."""
        return not os.environ.get("ADVCOURSE_STATIC")

    def generator(self):
        """A fresh random generator on this run's device, seeded with SEED."""
        return torch.Generator(self.device).manual_seed(self.seed)

    def test_images(self, count):
        """`count` test images and their labels, on this run's device: the first ones with SEED 0, else those that SEED draws."""
        chosen = torch.arange(len(self.data.x_test))
        if self.seed:
            chosen = torch.randperm(len(chosen), generator=torch.Generator().manual_seed(self.seed))
        return self.data.x_test[chosen[:count]].to(self.device), self.data.y_test[chosen[:count]].to(self.device)

    def model(self, kind):
        """The network of this kind for this run's data set, in eval mode, its weights frozen.

        kind: "softmax", "mlp" or "cnn"; "fgsm" or "robust", an mlp trained on FGSM images and a cnn trained on those of PGD (notebook 09).
        It comes from the zoo. The full profile trains it here instead, and so does a data set that the zoo does not know.
        """
        from advcourse import models, training, zoo
        from advcourse.defenses.adversarial_training import goodfellow_loss, pgd_loss, warm_up

        name = f"{self.data.name}-{kind}"
        if self.quick and name in zoo.names():
            return zoo.load(name, device=self.device)
        networks = {"softmax": models.softmax_regression, "mlp": models.mlp, "cnn": models.cnn, "fgsm": models.mlp, "robust": models.cnn}
        with training.seeded(self.seed):
            network = networks[kind](self.data.x_train.shape[1:], len(self.data.classes)).to(self.device)
        epochs = max(10, 100_000 // len(self.data.x_train))  # a small data set takes more rounds
        loss = training.cross_entropy_loss
        if kind in ("fgsm", "robust"):
            eps, batches = self.trained_eps(kind), epochs * len(self.data.x_train) // 128 // 3
            loss = partial(goodfellow_loss, eps=eps) if kind == "fgsm" else warm_up(pgd_loss, eps=eps, batches=batches)
        training.fit(network, self.data.x_train, self.data.y_train, epochs=epochs, loss=loss, seed=self.seed)
        return network.requires_grad_(False)

    def trained_eps(self, kind):
        """The eps of the examples on which the network of this kind ("fgsm" or "robust") was trained; 0.1 for data that the zoo does not know."""
        from advcourse import zoo

        name = f"{self.data.name}-{kind}"
        return zoo.RECIPES[name][3][-1][2] if name in zoo.names() else 0.1


def start(notebook, *, profile="quick", dataset="auto", seed=0, device_name="auto", student="", instead=None):
    """Set a notebook up and return its Course; the first output says what this run is made on.

    notebook: its number, such as "01"; the other arguments are the values of its parameters cell.
    instead: for a notebook on one kind of pictures: from a data set that has none to the one that takes its place.
    Raises ValueError for an unknown profile, data set or device.
    """
    from advcourse import plots

    if profile not in PROFILES:
        raise ValueError(f"PROFILE is {profile!r}; it must be one of {', '.join(PROFILES)}")
    dataset, asked = (instead or {}).get(dataset, dataset), dataset
    course = Course(notebook, profile, data.load(dataset, seed=seed), seed, device.choose(device_name))
    torch.manual_seed(seed)
    plots.data_name = course.data.name
    exercises.set_student(student)
    exercises.set_notebook(notebook)
    settings = {"profile": profile, "dataset": course.data.name, "seed": seed, "device": str(course.device)}
    text = " · ".join(f"{name} {value}" for name, value in settings.items())
    card = course.data.card + ("" if dataset == asked else f" (in place of {asked}, which this notebook cannot use)")
    emit({"kind": "start", "notebook": notebook, **settings}, f"Notebook {notebook}: {text}\n{card}")
    return course


def claim(sentence, value, low, high):
    """Say `sentence` with the measured value in it, and record whether it lies in the band [low, high].

    sentence: a format string with one `{value}` field, such as "The error is {value:.1%}."
    A value outside the band is shown as such and does not stop the notebook: it is something to find out about.
    """
    value, low, high = float(value), float(low), float(high)
    if not low <= high:
        raise ValueError(f"the band of a claim must be low <= high; got low={low}, high={high}")
    said, holds = sentence.format(value=value), low <= value <= high
    verdict = "✓ measured" if holds else f"✗ outside the expected band [{low:g}, {high:g}]"
    emit({"kind": "claim", "sentence": sentence, "value": value, "low": low, "high": high, "holds": holds},
         f"{said} ({verdict})", f'<div>{html.escape(said)} <span style="opacity:.7">{verdict}</span></div>')


def record(name, value):
    """Leave `value` (a number, a string, or lists and dicts of them) under `name` for programs that read the run."""
    emit({"kind": "record", "name": name, "value": value}, f"recorded: {name}")


def compare_guess(guess, value, unit="%"):
    """Put a guess made before the run beside the result; an open guess (`...` or None) is kindly asked for."""
    if guess is None or guess is ...:
        text = f"The result is {value:.3g} {unit}. You made no guess: go back, write one down, and run both cells again."
    else:
        text = f"You guessed {guess:g} {unit}; the result is {value:.3g} {unit}."
    emit({"kind": "guess", "value": float(value)}, text)
