"""Attacks: each is one function (model, x, y, *, ...) that returns x_adv; `table()` shows what tells them apart.

One family per file: by the gradient (gradient, autopgd), for the smallest change (minimum_norm, carlini_wagner,
elastic_net, box_lbfgs, fab; their last step is in line_search), of few pixels (sparse), by queries alone (score_based,
square, decision_based), for many images (universal, patches, advgan), by features, without labels (virtual), under
transformations, to be carried over to other models (transfer), on models that are no networks (classical). What all of
them promise is in contract.py, what they climb in losses.py, norms and balls in geometry.py, what a card says in
cards.py.
"""

import functools
import importlib
import sys
import types

from advcourse.attacks.advgan import advgan
from advcourse.attacks.autopgd import apgd
from advcourse.attacks.box_lbfgs import lbfgs
from advcourse.attacks.cards import AttackCard, Table, tabulate
from advcourse.attacks.carlini_wagner import cw_l0, cw_l2, cw_linf
from advcourse.attacks.classical import svm_normal
from advcourse.attacks.decision_based import boundary, hop_skip_jump
from advcourse.attacks.elastic_net import ead
from advcourse.attacks.fab import fab
from advcourse.attacks.features import feature_adversary, towards_image
from advcourse.attacks.gradient import bim, fgsm, least_likely, mim, pgd
from advcourse.attacks.minimum_norm import deepfool, fmn
from advcourse.attacks.patches import patch
from advcourse.attacks.score_based import nes, spsa
from advcourse.attacks.sparse import jsma, one_pixel
from advcourse.attacks.square import square
from advcourse.attacks.transfer import di_fgsm, ensemble, ti_fgsm
from advcourse.attacks.transformations import eot, print_photo, spatial
from advcourse.attacks.universal import universal
from advcourse.attacks.virtual import virtual_adversarial

__all__ = [  # noqa: RUF022 (the order of the course: tables show it)
    "fgsm", "bim", "least_likely", "mim", "di_fgsm", "ti_fgsm", "ensemble", "svm_normal", "pgd", "apgd", "lbfgs",
    "cw_l2", "cw_l0", "cw_linf", "ead", "deepfool", "fmn", "fab", "feature_adversary", "virtual_adversarial",
    "towards_image", "jsma", "one_pixel", "spsa", "nes", "square", "boundary", "hop_skip_jump", "universal", "eot",
    "spatial", "patch", "print_photo", "advgan", "table",
]


class _AttackModule(types.ModuleType):
    """A file that is called as the attack of its own name: `attacks.square(model, x, y, eps=0.1)`.

    Without it the function would hide its file: `import advcourse.attacks.square as s` would give the function.
    """

    def __call__(self, *arguments, **options):
        return self.__wrapped__(*arguments, **options)

    def __reduce__(self):  # copies and other processes get the module, by its name
        return importlib.import_module, (self.__name__,)


for _name in ("advgan", "fab", "square", "universal"):
    _function = globals()[_name]
    _module = globals()[_name] = sys.modules[_function.__module__]
    _module.__class__ = _AttackModule
    functools.update_wrapper(_module, _function, assigned=("__doc__", "__module__", "__annotations__"), updated=())


def all_cards() -> dict[str, AttackCard]:
    """Every attack's card, by the attack's name, in the order of `__all__`; each family declares its own as CARDS."""
    families = [sys.modules[globals()[name].__module__] for name in __all__]
    declared = {card.name: card for family in families for card in getattr(family, "CARDS", ())}
    return {name: declared[name] for name in __all__ if name in declared}


def table(*columns: str, **where: str) -> Table:
    """The taxonomy: one row per attack, as a list of dicts that shows as a table.

        table("name", "knowledge", "measurement", specificity="both", scope="individual")

    columns: which fields of the cards, in this order; by default all but the notebook.
    where: which attacks: those of which each named field has the given value.
    Returns a Table, a list of dicts from column to text.
    Raises ValueError for a field that no card has.
    """
    return tabulate(all_cards().values(), *columns, **where)
