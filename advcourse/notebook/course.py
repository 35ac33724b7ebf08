"""What every notebook does: set itself up, claim what it measured, compare a guess with the result."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from packaging.version import Version
from torch import nn

from advcourse import data, device, doctor, exercises, files
from advcourse.exercises.display import emit
from advcourse.notebook import placeholders
from advcourse.randomness import check_seed
from advcourse.version import __version__

PROFILES = ("quick", "full")


@dataclass(frozen=True)
class Course:
    """How this run of a notebook was set up: the parameters, resolved."""

    notebook: str
    profile: str
    data: Any  # data.Dataset, data.Messages or data.Sounds
    seed: int
    device: torch.device

    @property
    def quick(self) -> bool:
        return self.profile == "quick"

    @property
    def live(self) -> bool:
        """Whether a person sits at this kernel: then widgets move; else they show a static picture."""
        return not os.environ.get("ADVCOURSE_STATIC")

    def generator(self) -> torch.Generator:
        """A fresh random generator on this run's device, seeded with SEED."""
        return torch.Generator(self.device).manual_seed(self.seed)

    def test_images(self, count: int) -> tuple[torch.Tensor, torch.Tensor]:
        """`count` test images and their labels, on this run's device.

        The first ones with SEED 0, else those that SEED draws.
        """
        chosen = torch.arange(len(self.data.x_test))
        if self.seed:
            chosen = torch.randperm(len(chosen), generator=torch.Generator().manual_seed(self.seed))
        return self.data.x_test[chosen[:count]].to(self.device), self.data.y_test[chosen[:count]].to(self.device)

    def model(self, kind: str) -> nn.Module:
        """The network of this kind for this run's data set, in eval mode, its weights frozen.

        kind: "softmax", "mlp" or "cnn"; "fgsm" or "robust", an mlp trained on FGSM images and a cnn trained on those of
        PGD (notebook 09). For sounds "words", "noisy" (trained in noise) or "strings" (notebook 14).

        It comes from the zoo. The full profile trains it here by the zoo's own recipe, and so does a data set that the
        zoo does not know.
        """
        from advcourse import zoo  # with it come the attacks: not every notebook needs them

        name = f"{self.data.name}-{kind}"
        if self.quick and name in zoo.names():
            return zoo.load(name, device=self.device)
        return zoo.train_network(name, self.data, seed=self.seed, device=self.device)

    def trained_eps(self, kind: str) -> float | None:
        """The eps of the examples on which the network of this kind ("fgsm" or "robust") was trained."""
        from advcourse import zoo

        return zoo.recipe(f"{self.data.name}-{kind}").eps


def start(notebook: str, *, version: str | None = None, profile: str = "quick", dataset: str = "auto", seed: int = 0,
          device_name: str = "auto", student: str | int = "", kind: type = data.Dataset,
          instead: Mapping[str, str | tuple[str, str]] | None = None) -> Course:
    """Set a notebook up and return its Course; the first output says what this run is made on.

    notebook: its number, such as "01".
    version: of the course from which the notebook was built; the build writes it. The first output warns where the
        installed course is of another.
    profile, dataset, seed, device_name, student: the values of its parameters cell, PROFILE ("quick" or "full"),
        DATASET (see `data.load`), SEED, DEVICE (see `device.choose`) and STUDENT.
    kind: of its data: data.Dataset (images), data.Messages or data.Sounds.
    instead: for a notebook on data of its own: from a data set that it cannot use to the one that takes its place, or
        to a real one and the made one that takes its place where it cannot be had (see `data.first_of`).
    Raises ValueError for an unknown profile, data set or device, for data of another kind, and for a seed or a version
    that is none.
    """
    from advcourse import plots

    if profile not in PROFILES:
        raise ValueError(f"PROFILE is {profile!r}; it must be one of {', '.join(PROFILES)}")
    check_seed(seed)
    warning = version_warning(version)
    dataset, asked = (instead or {}).get(dataset, dataset), dataset
    loaded = data.first_of(*dataset, seed=seed) if isinstance(dataset, tuple) else data.load(dataset, seed=seed)
    if not isinstance(loaded, kind):
        raise ValueError(f"notebook {notebook} cannot use DATASET = {asked!r} ({loaded.card}): it needs data of "
                         'another kind, and "auto" takes what suits it')
    course = Course(notebook, profile, loaded, seed, device.choose(device_name))
    torch.manual_seed(seed)
    plots.data_name = course.data.name
    exercises.set_student(student)
    exercises.set_notebook(notebook)
    placeholders.put(notebook)
    settings = {"profile": profile, "dataset": course.data.name, "seed": seed, "device": str(course.device)}
    text = " · ".join(f"{name} {value}" for name, value in settings.items())
    kept = dataset == asked or isinstance(dataset, tuple)
    card = loaded.card + ("" if kept else f" (in place of {asked}, which this notebook cannot use)")
    versions = {"notebook": version, "course": __version__}
    emit({"kind": "start", "notebook": notebook, **settings, "versions": versions, "warning": warning},
         "\n".join(filter(None, [f"Notebook {notebook}: {text}", card, warning])))
    return course


def version_warning(version: str | None) -> str | None:
    """A line that says which is older, the notebook of this version or the installed course, and what to do.

    None where they are of one version, or the notebook does not tell its own. ValueError for what is no version.
    """
    if version is None or Version(version) == Version(__version__):
        return None
    if Version(version) < Version(__version__):
        return (f"This notebook ({version}) is older than the installed course ({__version__}): where something does "
                "not run, take the new notebook from where you got this one, and copy your work into it.")
    source = doctor.archive(doctor.repository())
    update = "`git pull` in the course's clone" if files.checkout() else f"`%pip install --upgrade {source}`"
    return (f"The installed course ({__version__}) is older than this notebook ({version}): update it with {update}, "
            "and restart the kernel.")
