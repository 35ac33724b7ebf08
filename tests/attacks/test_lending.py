"""Every attack asks the model that it was lent, which takes large batches in parts, and never the one behind it."""

import pytest

from advcourse.attacks import contract
from tests.attacks.attack_table import READY, problem
from tests.attacks.counting import Counting


@pytest.mark.filterwarnings("ignore:gradient masking")
@pytest.mark.parametrize("attack", READY, ids=lambda row: row.id)
def test_the_model_never_sees_more_than_a_part(attack, monkeypatch):
    model, x, y = problem(5)
    counting = Counting(model)
    monkeypatch.setattr(contract, "PART", 2 * x[0].numel())
    attack(counting, x, y)
    assert 0 < max(counting.sizes) <= 2
