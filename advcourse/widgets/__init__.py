"""Interactive pictures: controls, and one file for each picture that a notebook needs."""

from advcourse.widgets.controls import choice, explore, slider
from advcourse.widgets.draws import draws_figure
from advcourse.widgets.opinions import opinions_figure
from advcourse.widgets.perturbations import perturbation, perturbation_figure

__all__ = ["attack_card_figure", "attack_cards", "choice", "draws_figure", "explore", "loudness", "loudness_figure",
           "opinions_figure", "perturbation", "perturbation_figure", "slider", "tangent_plane_figure", "try_attack",
           "walk_figure"]
