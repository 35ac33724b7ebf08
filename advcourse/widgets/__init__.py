"""Interactive pictures: controls, and one file for each picture that a notebook needs."""

from advcourse.widgets.controls import choice, explore, slider
from advcourse.widgets.draws import draws_figure
from advcourse.widgets.opinions import opinions_figure
from advcourse.widgets.perturbations import perturbation, perturbation_figure
from advcourse.widgets.sounds import loudness, loudness_figure
from advcourse.widgets.tangent_plane import tangent_plane_figure
from advcourse.widgets.taxonomy import attack_card_figure, attack_cards, try_attack
from advcourse.widgets.walk import walk_figure

__all__ = ["attack_card_figure", "attack_cards", "choice", "draws_figure", "explore", "loudness", "loudness_figure",
           "opinions_figure", "perturbation", "perturbation_figure", "slider", "tangent_plane_figure", "try_attack",
           "walk_figure"]
