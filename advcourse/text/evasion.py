"""Spam as a game (Dalvi et al. 2004): the cheapest way past a filter, and the filter that knows that way."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from advcourse.text.filters import Filter, LinearFilter
from advcourse.text.good_words import add
from advcourse.text.tokens import words

CLEARLY = 1e-6  # by how much a score falls below 0, so that no rounding decides


def cheapest_words(judge: LinearFilter, text: str, costs: Mapping[str, float]) -> list[str] | None:
    """The words that make the text pass at the lowest total cost; None where all of them together do not.

    costs: from the words that may be added to what each costs, ≥ 0; words that the text holds already change nothing.

        min Σ cost_j z_j   over z_j in {0, 1},   so that score(text) + Σ weight_j z_j ≤ 0

    It is a knapsack, solved exactly. The words of the best weight alone, or of the best weight for their cost, are only
    near it. Raises ValueError for negative costs.
    """
    if min(costs.values(), default=0) < 0:
        raise ValueError(f"costs must not be negative; got {min(costs.values())}")
    score = judge.scores([text])[0]
    if score <= 0:
        return []
    good = sorted(word for word in costs.keys() - words(text) if judge.weights.get(word, 0) < 0)
    weights = np.array([judge.weights[word] for word in good])
    if score + weights.sum() > -CLEARLY:
        return None
    chosen = milp([costs[word] for word in good], integrality=np.ones(len(good)), bounds=Bounds(0, 1),
                  constraints=LinearConstraint(weights[None], -np.inf, -score - CLEARLY)).x  # fmt: skip
    return [word for word, z in zip(good, chosen, strict=True) if z > 0.5]


def in_order(judge: Filter, text: str, order: Sequence[str], budget: int) -> str:
    """The text with words of `order` added, from its beginning, until it passes; unchanged where `budget` are too few.

    Words that it holds already are passed over. With every word at the same price, and `order` by weight, this is
    `cheapest_words`. Lists of words cost a query for each word.
    """
    there, text_adv = words(text), text
    for word in [word for word in order if word not in there][:budget]:
        if not judge.is_spam([text_adv])[0]:
            break
        text_adv = add(text_adv, [word])
    return text if judge.is_spam([text_adv])[0] else text_adv


@dataclass(frozen=True, eq=False)
class AwareFilter(Filter):
    """A filter that plays the spammer's part: what a spammer would have made of a blocked message is blocked.

    judge: the filter that the spammer knows; order: the words as the spammer adds them, such as `best_words`.

    A text that passes, but that `in_order` would make of another one that is spam to `judge`, scores 1. This is the
    answer to that spammer (in Dalvi et al. the probability of the other text decides, too), and to no other.
    """

    judge: LinearFilter
    order: Sequence[str]

    def scores(self, texts: Sequence[str]) -> np.ndarray:
        scores = self.judge.scores(texts)
        return np.array([1.0 if score <= 0 and self._made(score, words(text)) else score
                         for text, score in zip(texts, scores, strict=True)])  # fmt: skip

    def _made(self, score, there):
        """Whether one word of the order, before which the text holds all others, is what lets it pass."""
        for word in self.order:
            if word not in there:
                return False
            if score - self.judge.weights[word] > 0:
                return True
        return False
