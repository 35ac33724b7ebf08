"""Good-word attacks (Lowd and Meek 2005): words are added to a message until the filter takes it for ham.

Which words? `frequent` and `by_ratio` look at the spammer's own mail, `active_words` asks the filter for labels, and
`best_words` knows its weights.
"""

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from advcourse.text.filters import Filter, LinearFilter
from advcourse.text.tokens import tokens, words

IsSpam = Callable[[list[str]], Sequence[bool] | np.ndarray]


def add(text: str, extra: Sequence[str]) -> str:
    """The text with more behind it."""
    return " ".join([text, *extra])


def frequent(ham: Sequence[str]) -> list[str]:
    """All words of these messages; those in the most messages first, and of equals the first in the alphabet."""
    count = Counter(word for text in ham for word in words(text))
    return sorted(count, key=lambda word: (-count[word], word))


def by_ratio(ham: Sequence[str], spam: Sequence[str]) -> list[str]:
    """All words of the ham; those first that stand in a larger share of ham than of spam, by the ratio of the two.

        (ham messages with the word + 1) / (ham messages + 2)  over the same for spam

    Without the + 1 every word that no spam happens to hold would come first, however rare.
    """
    in_ham, in_spam = (Counter(word for text in texts for word in words(text)) for texts in (ham, spam))
    ratio = {word: (in_ham[word] + 1) / (len(ham) + 2) / ((in_spam[word] + 1) / (len(spam) + 2)) for word in in_ham}
    return sorted(ratio, key=lambda word: (-ratio[word], word))


def best_words(judge: LinearFilter) -> list[str]:
    """The words with which the filter takes a text for ham, by weight: what no attacker can beat."""
    good = [word for word, weight in judge.weights.items() if weight < 0]
    return sorted(good, key=lambda word: (judge.weights[word], word))


def barely_spam(is_spam: IsSpam, text: str, rng: np.random.Generator) -> str:
    """What is left of a spam message when words are taken out, in random order, as long as it stays spam.

    Costs one query for each token. A message that is not spam comes back as it is.
    """
    left = text.split()
    for word in rng.permutation(left):
        fewer = left.copy()
        fewer.remove(word)
        if fewer and is_spam([" ".join(fewer)])[0]:
            left = fewer
    return " ".join(left)


def turned(is_spam: IsSpam, texts: Sequence[str], pool: Sequence[str]) -> np.ndarray:
    """How many of the texts each entry of the pool lets pass: int64, one for each entry.

    texts: blocked as they are. Costs len(texts) × len(pool) queries, in a batch for each text.
    """
    said = [np.asarray(is_spam([add(text, [entry]) for entry in pool]), dtype=bool) for text in texts]
    return (~np.stack(said)).sum(0)


def active_words(is_spam: IsSpam, spam: Sequence[str], pool: Sequence[str], *, starts: int = 8, seed: int = 0,
                 ) -> list[str]:
    """Good words found by asking for labels alone; those first that turn the most starts.

    is_spam: from a list of texts to whether each is spam; spam: messages, of which `starts` that are blocked are drawn;
    pool: the words to try. Each start is cut down to `barely_spam`, and every word of the pool is added to it: it is
    good where that lets it pass.
    Returns the words that turned a start, ties in the order of the pool. Costs starts × (len(pool) + a message's
    length) queries.
    Lowd and Meek (2005) have one start. Messages are short here, and what is left of one may still be spam by more than
    any word can mend: then nothing is found. Raises ValueError where no message is blocked.
    """
    rng = np.random.default_rng(seed)
    blocked = [text for text, said in zip(spam, is_spam(list(spam)), strict=True) if said]
    if not blocked:
        raise ValueError(f"none of the {len(spam)} messages is blocked: there is nothing to start from")
    chosen = rng.choice(len(blocked), min(starts, len(blocked)), replace=False)
    counts = turned(is_spam, [barely_spam(is_spam, blocked[start], rng) for start in chosen], pool)
    order = np.argsort(-counts, kind="stable")
    return [pool[i] for i in order if counts[i]]


def words_needed(judge: Filter, spam: Sequence[str], order: Sequence[str], most: int = 200) -> np.ndarray:
    """How many words, taken in this order, each blocked message needs to pass.

    spam: messages; those that pass as they are do not count. Returns float64, one for each blocked message: the
    smallest number of words, or infinity where the first `most` are not enough.
    """
    texts = [text for text, said in zip(spam, judge.is_spam(spam), strict=True) if said]
    needed = np.full(len(texts), np.inf)
    left = np.arange(len(texts))
    for count, word in enumerate(order[:most], 1):
        if not len(left):
            break
        texts = [add(text, [word]) for text in texts]
        said = judge.is_spam(texts)
        needed[left[~said]] = count
        left, texts = left[said], [text for text, still in zip(texts, said, strict=True) if still]
    return needed


def added(text: str, text_adv: str) -> int:
    """How many more tokens the second text has."""
    return len(tokens(text_adv)) - len(tokens(text))
