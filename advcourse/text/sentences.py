"""Whole sentences and greetings: text that a person could have written, put around a spam message."""

from collections.abc import Sequence

import numpy as np

from advcourse.text.good_words import IsSpam, turned


def greeted(texts: Sequence[str], greeting: str = "Dear Alex,") -> list[str]:
    """Each text behind a greeting that makes it look personal: a forged header, where messages have none."""
    return [f"{greeting} {text}" for text in texts]


def best_sentences(is_spam: IsSpam, blocked: Sequence[str], pool: Sequence[str]) -> list[str]:
    """The sentences (or greetings) of the pool by how many of these blocked messages each lets pass, the best first.

    Costs len(blocked) × len(pool) queries. Unlike words, sentences turn messages that are not cut down.
    """
    counts = turned(is_spam, blocked, pool)
    return [pool[i] for i in np.argsort(-counts, kind="stable")]


def with_sentences(texts: Sequence[str], sentences: Sequence[str], count: int, *, seed: int = 0) -> list[str]:
    """Each text with `count` different sentences behind it, drawn for each anew: no two messages need look alike.

    Raises ValueError where there are fewer sentences than that.
    """
    if count > len(sentences):
        raise ValueError(f"{count} different sentences are wanted, and there are {len(sentences)}")
    rng = np.random.default_rng(seed)
    return [" ".join([text, *(sentences[i] for i in rng.choice(len(sentences), count, replace=False))])
            for text in texts]
