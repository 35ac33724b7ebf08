"""Wrong arguments raise a ValueError that names them, in every attack that has them."""

import pytest
import torch

from tests.attacks.attack_table import READY, problem

pytestmark = pytest.mark.timeout(60)  # an attack that never ends fails here

WRONG = {
    "x below 0": dict(x=torch.full((2, 1, 6, 6), -0.1)), "x above 1": dict(x=torch.full((2, 1, 6, 6), 1.5)),
    "x nan": dict(x=torch.full((2, 1, 6, 6), float("nan"))),
    "x integer": dict(x=torch.zeros(2, 1, 6, 6, dtype=torch.int64)),
    "x half": dict(x=torch.zeros(2, 1, 6, 6, dtype=torch.float16)), "x one image": dict(x=torch.zeros(36)),
    "x a list": dict(x=[[0.0]]),
    "too few labels": dict(y=torch.zeros(1, dtype=torch.int64)),
    "labels in a column": dict(y=torch.zeros(2, 1, dtype=torch.int64)),
    "one-hot labels": dict(y=torch.eye(4)[:2]), "a list of labels": dict(y=[0, 1]),
    "label below 0": dict(y=torch.tensor([0, -1])),
    "label above": dict(y=torch.tensor([0, 4])), "eps below 0": dict(eps=-0.1), "eps nan": dict(eps=float("nan")),
    "eps infinite": dict(eps=float("inf")), "eps text": dict(eps="0.1"), "unknown norm": dict(norm="l3"),
    "no steps": dict(steps=0),
    "half a step": dict(steps=1.5), "no restarts": dict(restarts=0), "no queries": dict(queries=0),
    "step size 0": dict(step_size=0.0),
    "step size nan": dict(step_size=float("nan")),
}


@pytest.mark.parametrize("attack, wrong", [pytest.param(row, wrong, id=f"{row.id}-{wrong}") for row in READY
                                           for wrong in WRONG
                                           if set(WRONG[wrong]) <= {*row.parameters}])
def test_wrong_arguments_are_named(attack, wrong):
    arguments = dict(WRONG[wrong])
    name, = arguments
    model, x, y = problem(2)
    x, y = arguments.pop("x", x), arguments.pop("y", y)
    with pytest.raises(ValueError) as caught:
        attack(model, x, y, **arguments)
    assert name in str(caught.value) or (name == "y" and "label" in str(caught.value))


@pytest.mark.parametrize("attack", [row for row in READY if "y" in row.parameters], ids=lambda row: row.id)
def test_a_model_that_returns_no_logits_is_named(attack):
    _, x, y = problem(2)
    with pytest.raises(ValueError, match="logits"):
        attack(lambda z: z, x, y)
