"""The taxonomy: every attack has a card, and does what its card says."""

import importlib.util
import re
import subprocess
import sys

import pytest
import torch
from torch import nn

from advcourse import attacks
from advcourse.attacks import all_cards
from advcourse.attacks.cards import AttackCard, Table
from tests.attacks.attack_table import NOT_ATTACKS, READY, problem

AXES = {
    "input": {"random", "non-random"}, "frequency": {"one-time", "iterative"},
    "specificity": {"targeted", "non-targeted", "both"},
    "scope": {"individual", "universal"}, "realism": {"realistic", "non-realistic"},
    "falsification": {"type 1", "type 2", "both"},
    "knowledge": {"white box", "grey box", "black box: scores", "black box: labels"},
}
NAMES = [name for name in attacks.__all__ if name not in NOT_ATTACKS]
pytestmark = pytest.mark.filterwarnings("ignore:gradient masking")
every_row = pytest.mark.parametrize("attack", READY, ids=lambda row: row.id)


class Counting(nn.Module):
    """Counts its calls, and the backward passes through them."""

    def __init__(self, model):
        super().__init__()
        self.model, self.forward_calls, self.backward_calls = model, 0, 0

    def forward(self, x):
        self.forward_calls += 1
        logits = self.model(x)
        if logits.requires_grad:
            logits.register_hook(self.count)
        return logits

    def count(self, gradient):
        self.backward_calls += 1


@pytest.mark.parametrize("name", NAMES)
def test_every_attack_has_a_complete_card(name):
    card = all_cards()[name]
    assert card.name == name
    for axis, values in AXES.items():
        assert getattr(card, axis) in values, f"{axis} of {name} is {getattr(card, axis)!r}"
    for text in (card.measurement, card.method, card.paper, card.cost):
        assert isinstance(text, str) and text and "\n" not in text
    assert re.search(r"\b(19|20)\d\d\b", card.paper), "a paper has a year"
    assert re.fullmatch(r"\d\d", card.notebook)


def test_a_card_is_frozen_and_names_only_exported_attacks():
    card = all_cards()["fgsm"]
    with pytest.raises(AttributeError):
        card.name = "another"
    assert isinstance(card, AttackCard) and list(all_cards()) == NAMES


@every_row
def test_targeted_is_what_the_function_takes(attack):
    takes = "targeted" in attack.parameters
    assert attack.card.specificity == "both" if takes else attack.card.specificity in ("targeted", "non-targeted")


@every_row
def test_the_measurement_names_the_norm(attack):
    if attack.norm is not None:
        assert attack.norm in attack.card.measurement
    if "norm" in attack.parameters:
        default = attack.parameters["norm"].default
        assert default in attack.card.measurement


@pytest.mark.parametrize("name", NAMES)
def test_white_boxes_use_the_gradient_and_black_boxes_do_not(name):
    backward_calls = []
    for attack in (row for row in READY if row.name == name):
        model, x, y = problem()
        counting = Counting(model)
        attack(counting, x, y)
        assert counting.forward_calls > 0
        backward_calls.append(counting.backward_calls)
        if attack.black_box:
            assert counting.backward_calls == 0
    if all_cards()[name].knowledge == "white box":
        assert max(backward_calls) > 0


@pytest.mark.parametrize("attack", [row for row in READY if not row.trained], ids=lambda row: row.id)
def test_one_time_is_one_gradient(attack):
    model, x, y = problem()
    counting = Counting(model)
    attack(counting, x, y)
    if attack.card.frequency == "one-time":
        assert counting.backward_calls <= 1 and counting.forward_calls <= 2
    else:
        assert counting.forward_calls > 1


@pytest.mark.parametrize("name", sorted({row.name for row in READY if not row.trained}))
def test_random_is_what_depends_on_the_generator(name):
    """Non-random attacks, as they are called by default, give the same result for every seed; random ones do not."""
    rows = [row for row in READY if row.name == name and not row.options.get("random_start")]
    changed = False
    for attack in rows:
        for seed in range(4):
            model, x, y = problem(6, seed=seed)
            more = [dict(generator=torch.Generator().manual_seed(i)) if "generator" in attack.parameters else {}
                    for i in (1, 2)]
            changed |= not torch.equal(*(attack(model, x, y, **options) for options in more))
    assert changed == (all_cards()[name].input == "random")


@every_row
def test_universal_is_one_change_for_all_and_individual_is_not(attack):
    varied = 0
    for seed in range(6):
        model, x, _ = problem(8, seed=seed)
        x = x * 0.2 + 0.4  # away from 0 and 1: nothing is clipped
        labels = torch.arange(8) % 4 if attack.card.specificity == "targeted" else model(x).argmax(1)
        x_adv = attack(model, x, labels)
        # Every pixel either changes by the same for all images, or is replaced by the same, as under a patch.
        same = [(z - z[:1]).abs().amax(0) < 1e-6 for z in (x_adv - x, x_adv)]
        varied += not (same[0] | same[1]).all()
    assert (varied == 0) == (attack.card.scope == "universal")


# The table

def test_the_table_has_a_row_per_attack_and_a_column_per_field():
    table = attacks.table()
    assert [row["name"] for row in table] == NAMES and set(AXES) < set(table[0]) and isinstance(table, Table)
    assert "notebook" not in table[0]  # where it is taught is no axis: only who asks for it sees it
    assert attacks.table("notebook", name="fgsm") == [{"notebook": "03"}]


def test_the_table_can_be_narrowed():
    assert attacks.table("name", "paper", name="fgsm") == [{"name": "fgsm", "paper": "Goodfellow et al., "
                                                                                     "2014, arXiv:1412.6572"}]
    assert all(row["scope"] == "individual" for row in attacks.table("scope", scope="individual"))
    assert attacks.table(name="none") == [] and repr(attacks.table(name="none")) == "no attacks"
    for call in (lambda: attacks.table("colour"), lambda: attacks.table(colour="red")):
        with pytest.raises(ValueError, match=r"a card has the fields name, input.*; got 'colour'"):
            call()


def test_the_table_as_text_and_as_html():
    table = Table([{"name": "a<b", "cost": "1 & 2"}, {"name": "longer", "cost": "3"}])
    assert repr(table) == "name    cost\n------  -----\na<b     1 & 2\nlonger  3"
    html = table._repr_html_()
    assert html.count("<tr>") == 3 and "a&lt;b" in html and "1 &amp; 2" in html and '<th scope="col">name</th>' in html
    assert Table()._repr_html_().count("<tr>") == 1


def test_importing_the_attacks_imports_no_big_library():
    big = ("scipy", "torchvision", "matplotlib", "sklearn")
    program = "import sys, {}; print([name for name in {} if name in sys.modules])"
    loaded = [subprocess.run([sys.executable, "-c", program.format(what, big)],
                             capture_output=True, text=True, check=True).stdout
              for what in ("advcourse.attacks", "torch")]
    assert loaded[0] == loaded[1] and importlib.util.find_spec("scipy")
