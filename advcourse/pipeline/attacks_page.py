"""The page of the docs about the attacks, from their cards, their signatures and the first lines of their files."""

import ast
import inspect
import re
import sys
from pathlib import Path

from advcourse import attacks
from advcourse.attacks import all_cards

PLACE = "docs/attacks.md"
HEAD = """\
# The attacks

Made from the cards and the signatures in `advcourse/attacks` by `advcourse build`: change those.

Every attack is one function, `attack(model, x, y, *, …) -> x_adv`, on any callable from images in [0, 1] to
logits, and with `low=-1, high=1` from waveforms:

```python
from advcourse import attacks, data, evaluate, zoo

model, digits = zoo.load("mnist-cnn"), data.load("mnist")
x, y = digits.x_test[:100], digits.y_test[:100]
x_adv = attacks.pgd(model, x, y, eps=0.1)
print(evaluate.accuracy(model, x, y), evaluate.accuracy(model, x_adv, y))
print(evaluate.robust_accuracy(model, x, y, eps=0.1))
```

x_adv is detached, has the shape, the type and the device of x, and lies in the ball and in its range exactly. It is the
best image seen, not the last. Nothing else changes: not the model's mode, parameters or gradients, not the global
random state. Wrong arguments raise `ValueError`.
`attacks.table()` shows all cards, `attacks.table("name", "paper", knowledge="black box: labels")` some.

How strong and how fast they are beside those of foolbox, torchattacks, ART, cleverhans and AutoAttack's authors:
[measured](../benchmarks/results/attacks.md).

![For every attack, how many times as fast as the fastest peer whose result is as good][picture]

[picture]: ../benchmarks/results/attacks.png
"""
COLUMNS = ("attack", "idea", "measured in", "specificity", "knowledge", "cost", "paper", "taught in notebook")


def page():
    """The whole page as Markdown: one part per file of attacks, in the order of `advcourse.attacks.__all__`."""
    families = {}
    for name, card in all_cards().items():
        families.setdefault(getattr(attacks, name).__module__, []).append(card)
    return HEAD + "".join("\n" + family(sys.modules[module], members) for module, members in families.items())


def family(module, members):
    """One file's part: what its attacks have in common, a row for each of them, and how they are called."""
    # From the source: a file that is called as its attack, such as square.py, shows the attack's docstring as its own.
    source = Path(module.__file__).read_text(encoding="utf-8")
    title, _, idea = ast.get_docstring(ast.parse(source)).partition("\n\n")
    file = module.__name__.rpartition(".")[2]
    rows = [(f"`{card.name}`", card.method, card.measurement, card.specificity, card.knowledge, card.cost,
             linked(card.paper), card.notebook) for card in members]
    lines = [" | ".join(cell.replace("|", "\\|") for cell in row) for row in (COLUMNS, ["---"] * len(COLUMNS), *rows)]
    calls = "\n".join(f"{card.name}{untyped(getattr(attacks, card.name))}" for card in members)
    parts = [f"## {title.rstrip('.')}", " ".join(idea.split()), f"In [`{file}.py`](../advcourse/attacks/{file}.py):",
             "\n".join(f"| {line} |" for line in lines), f"```python\n{calls}\n```"]
    return "\n\n".join(part for part in parts if part) + "\n"


def untyped(function):
    """The function's signature without its hints: parameters and defaults."""
    signature = inspect.signature(function)
    parameters = [parameter.replace(annotation=parameter.empty) for parameter in signature.parameters.values()]
    return signature.replace(parameters=parameters, return_annotation=signature.empty)


def linked(paper):
    """A card's paper with its arXiv number and its DOI as links."""
    paper = re.sub(r"arXiv:([\d.]+)", r"[arXiv:\1](https://arxiv.org/abs/\1)", paper)
    return re.sub(r"doi:(10\.[^\s;]+)", r"[doi:\1](https://doi.org/\1)", paper)
