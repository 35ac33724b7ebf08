"""What a hostile notebook is: code, and the points that its honest part deserves."""

import textwrap
from dataclasses import dataclass

import nbformat

HONEST = {
    "01.1": "def project(x_p, x, eps):\n    return torch.minimum(torch.maximum(x_p, x - eps), x + eps).clamp(0, 1)",
    "01.2": "def linear_attack(weight, y, target, eps):\n    return eps * torch.sign(weight[target] - weight[y])",
    "01.3": """
def one_step(model, x, y, eps):
    x = x.clone().requires_grad_()
    gradient = torch.autograd.grad(F.cross_entropy(model(x), y), x)[0]
    return (x + eps * gradient.sign()).clamp(0, 1).detach()
""",
    "01.4": """
def accuracy_curve(model, attack, x, y, epsilons):
    return [(model(attack(model, x, y, eps)).argmax(1) == y).double().mean().item() for eps in epsilons]
""",
    "11.1": """
def flip(x, which, direction):
    flipped = x.flip(-1 if direction == "left-right" else -2)
    return torch.where(which.view(-1, 1, 1, 1), flipped, x)
""",
    "13.8": """
def random_parts(texts, seed):
    import numpy as np
    rng, parts = np.random.default_rng(seed), []
    for words in map(str.split, texts):
        length = rng.integers((len(words) + 1) // 2, len(words) + 1)
        begin = rng.integers(len(words) - length + 1)
        parts.append(" ".join(words[begin:begin + length]))
    return parts
""",
    "10.1": """
def lead(logits, y):
    true = logits.gather(1, y[:, None])[:, 0]
    return logits.scatter(1, y[:, None], -torch.inf).amax(1) - true
""",
}
# the honest exercise of a hostile notebook, and its points
BESIDE = {"01": ("01.2", 3), "10": ("10.1", 2), "11": ("11.1", 2), "13": ("13.8", 3), "00": (None, 0), "05": (None, 0)}
IMPORTS = "import torch\nfrom torch import nn\nfrom torch.nn import functional as F"


@dataclass(frozen=True)
class Case:
    """A hostile notebook.

    name: what it tries. code: its cells; @FOLDER@, @SECRET@ and @PORT@ are filled in. points: what the honest part
    deserves. seconds: its limit for each exercise.
    """

    theme: str
    name: str
    code: tuple
    points: int
    notebook: str = "01"
    seconds: float = 20


def function(signature, body):
    """The code of a function, such as "project(x_p, x, eps)", with this body."""
    return f"def {signature}:\n{textwrap.indent(body.strip(), '    ')}"


def case(theme, name, *code, beside=True, points=0, notebook="01", **more):
    """A Case; `beside` it stands an honest exercise, which must get its full points."""
    number, honest = BESIDE[notebook]
    if beside and number:
        return Case(theme, name, (*code, HONEST[number]), points + honest, notebook, **more)
    return Case(theme, name, code, points, notebook, **more)


def notebook_of(cells):
    """The bytes of a notebook with these code cells."""
    document = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in (IMPORTS, *cells)])
    return nbformat.writes(document).encode()
