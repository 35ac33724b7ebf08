"""WHILE TRUE: the host learns from the newest spam, the spammer finds what passes the new filter."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from advcourse.text.filters import Filter, Fit, Labels, LinearFilter
from advcourse.text.good_words import add, added, best_words

Attack = Callable[[Filter, Sequence[str]], list[str]]


class Round(NamedTuple):
    """One turn of the loop."""

    words: float  # that the spammer added, on average
    before: float  # the share of the round's spam that the filter of the round before catches
    after: float  # that the new filter catches, on spam of the same round that it has not seen
    blocked: float  # the share of ham that the new filter blocks


def race(fit: Fit, texts: Sequence[str], labels: Labels, *, spam: Sequence[str], ham: Sequence[str], attack: Attack,
         rounds: int = 10, seed: int = 0) -> Iterator[Round]:
    """Attack and retraining by turns, from a filter that was fitted on the texts; yields each `Round`.

    fit: from texts and labels to a filter; attack: from the filter and spam to spam that is meant to pass it; spam:
    what the spammer wants to send in every round; ham: on which blocked ham is counted, never learnt from.
    In every round half of the spam, drawn anew, is recognised, labelled and added to the texts.
    """
    rng = np.random.default_rng(seed)
    texts, labels = list(texts), list(labels)
    judge = fit(texts, labels)
    for _ in range(rounds):
        sent = attack(judge, spam)
        seen = rng.permutation(len(sent)) < len(sent) // 2
        before = judge.is_spam(sent).mean()
        texts += [text for text, known in zip(sent, seen, strict=True) if known]
        labels += [1] * seen.sum()
        judge = fit(texts, labels)
        after = judge.is_spam([text for text, known in zip(sent, seen, strict=True) if not known]).mean()
        words = np.mean([added(old, new) for old, new in zip(spam, sent, strict=True)])
        yield Round(words, before, after, judge.is_spam(ham).mean())


def add_best(count: int) -> Attack:
    """The attack that adds the `count` best words of the filter that is in force."""

    def attack(judge: LinearFilter, spam: Sequence[str]) -> list[str]:
        extra = best_words(judge)[:count]
        return [add(text, extra) for text in spam]

    return attack


def add_enough(caught: float = 0.2, step: int = 5, most: int = 200) -> Attack:
    """The attack that adds as few best words as leave this share caught at most: a multiple of `step`, up to `most`."""

    def attack(judge: LinearFilter, spam: Sequence[str]) -> list[str]:
        for count in range(0, most + 1, step):
            sent = add_best(count)(judge, spam)
            if judge.is_spam(sent).mean() <= caught:
                break
        return sent

    return attack
