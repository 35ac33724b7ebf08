"""Plausible wrong answers to exercise 13.8, each with a part of the message that it should get, and right ones."""

import random

import numpy as np


def parts(texts, seed, draw):
    """One part of each text: draw makes (length, begin) from the generator and the number of words."""
    rng, found = np.random.default_rng(seed), []
    for text in texts:
        words = text.split()
        length, begin = draw(rng, len(words))
        found.append(" ".join(words[begin:begin + length]))
    return found


def forgets_the_end_of_integers(texts, seed):
    def draw(rng, n):
        length = rng.integers((n + 1) // 2, n) if n > 1 else 1
        return length, rng.integers(n - length + 1)
    return parts(texts, seed, draw)


def rounds_down(texts, seed):
    def draw(rng, n):
        length = max(1, int(rng.uniform(0.5, 1) * n))
        return length, rng.integers(n - length + 1)
    return parts(texts, seed, draw)


def draws_the_beginning_first(texts, seed):
    def draw(rng, n):
        begin = rng.integers(n // 2 + 1)
        return rng.integers((n + 1) // 2, n - begin + 1), begin
    return parts(texts, seed, draw)


def never_begins_at_the_last_place(texts, seed):
    def draw(rng, n):
        length = rng.integers((n + 1) // 2, n + 1)
        return length, rng.integers(max(1, n - length))
    return parts(texts, seed, draw)


def begins_at_the_second_word(texts, seed):
    def draw(rng, n):
        length = rng.integers((n + 1) // 2, n + 1)
        return length, rng.integers(1, n - length + 1) if length < n else 0
    return parts(texts, seed, draw)


def takes_the_beginning(texts, seed):
    return parts(texts, seed, lambda rng, n: (rng.integers((n + 1) // 2, n + 1), 0))


def takes_the_end(texts, seed):
    def draw(rng, n):
        length = rng.integers((n + 1) // 2, n + 1)
        return length, n - length
    return parts(texts, seed, draw)


def begins_anywhere(texts, seed):
    return parts(texts, seed, lambda rng, n: (rng.integers((n + 1) // 2, n + 1), rng.integers(n)))


def rounds_a_uniform_number(texts, seed):
    def draw(rng, n):
        length = max(1, round(rng.uniform(0.5, 1) * n))
        return length, rng.integers(n - length + 1)
    return parts(texts, seed, draw)


def leaves_exactly_half(texts, seed):
    def draw(rng, n):
        return (n + 1) // 2, rng.integers(n - (n + 1) // 2 + 1)
    return parts(texts, seed, draw)


def goes_below_half(texts, seed):
    def draw(rng, n):
        length = rng.integers(1, n + 1)
        return length, rng.integers(n - length + 1)
    return parts(texts, seed, draw)


def rounds_half_down(texts, seed):
    def draw(rng, n):
        length = rng.integers(n // 2, n + 1)
        return length, rng.integers(n - length + 1)
    return parts(texts, seed, draw)


def draws_once_for_all(texts, seed):
    def draw(_, n):
        rng = np.random.default_rng(seed)
        length = rng.integers((n + 1) // 2, n + 1)
        return length, rng.integers(n - length + 1)
    return parts(texts, seed, draw)


def takes_a_seed_of_its_own(texts, seed):
    def draw(rng, n):
        length = rng.integers((n + 1) // 2, n + 1)
        return length, rng.integers(n - length + 1)
    return parts(texts, 42, draw)


def drops_words(texts, seed):
    rng = np.random.default_rng(seed)
    return [" ".join(word for word in text.split() if rng.random() < 0.75) or text.split()[0] for text in texts]


def shuffles(texts, seed):
    rng = np.random.default_rng(seed)
    return [" ".join(rng.permutation(text.split())[:rng.integers((len(text.split()) + 1) // 2,
                                                                len(text.split()) + 1)]) for text in texts]


def cuts_letters(texts, seed):
    rng = np.random.default_rng(seed)
    return [text[:max(1, int(len(text) * rng.uniform(0.5, 1)))] for text in texts]


def joins_without_blanks(texts, seed):
    def draw(rng, n):
        length = rng.integers((n + 1) // 2, n + 1)
        return length, rng.integers(n - length + 1)
    return [part.replace(" ", "") for part in parts(texts, seed, draw)]


def adds_the_parts_to_the_texts(texts, seed):
    return texts + takes_the_beginning(texts, seed)


def returns_the_texts(texts, seed):
    return list(texts)


def prefers_the_middle(texts, seed):
    def draw(rng, n):
        length = rng.integers((n + 1) // 2, n + 1)
        return length, (n - length + 1) // 2 if rng.random() < 0.5 else rng.integers(n - length + 1)
    return parts(texts, seed, draw)


def returns_lists_of_words(texts, seed):
    return [text.split() for text in takes_the_beginning(texts, seed)]


def uses_pythons_random(texts, seed):
    rng, found = random.Random(seed), []
    for text in texts:
        words = text.split()
        length = rng.randint(-(-len(words) // 2), len(words))
        begin = rng.randrange(len(words) - length + 1)
        found.append(" ".join(words[begin:][:length]))
    return found


def leaves_words_out_at_both_ends(texts, seed):
    rng, found = np.random.default_rng(seed), []
    for text in texts:
        words = text.split()
        gone = rng.integers(len(words) // 2, endpoint=True)
        front = rng.integers(gone, endpoint=True)
        found.append(" ".join(words[front:len(words) - (gone - front)]))
    return found


def uses_torch(texts, seed):
    import torch

    generator, found = torch.Generator().manual_seed(seed), []
    for words in map(str.split, texts):
        length = torch.randint((len(words) + 1) // 2, len(words) + 1, (), generator=generator).item()
        begin = torch.randint(len(words) - length + 1, (), generator=generator).item()
        found.append(" ".join(words[begin:begin + length]))
    return found


def leaves_blanks_around(texts, seed):
    return [f" {part}  " for part in uses_pythons_random(texts, seed)]


def leaves_the_seed_alone(texts, seed):
    def draw(rng, n):
        length = np.random.randint((n + 1) // 2, n + 1)
        return length, np.random.randint(n - length + 1)
    return parts(texts, seed, draw)


WRONG = [
    (forgets_the_end_of_integers, "no part is ever the whole text"),
    (rounds_down, "`int` rounds down"),
    (draws_the_beginning_first, "every length from 5 to 10 is as likely"),
    (never_begins_at_the_last_place, "the last word is never in a part"),
    (begins_at_the_second_word, "the first word is never in a part"),
    (takes_the_beginning, "every part begins with the first word"),
    (takes_the_end, "every part ends with the last word"),
    (begins_anywhere, "at least half"),
    (rounds_a_uniform_number, "half as often as the others"),
    (leaves_exactly_half, "all parts have 5 words"),
    (goes_below_half, "at least half"),
    (rounds_half_down, "at least half"),
    (draws_once_for_all, "every text gets the same part"),
    (takes_a_seed_of_its_own, "drawn with the seed 42"),
    (leaves_the_seed_alone, "a second call with the same `seed`"),
    (drops_words, "its words must follow one another"),
    (shuffles, "its words must follow one another"),
    (cuts_letters, "whole words stay"),
    (joins_without_blanks, "whole words stay"),
    (adds_the_parts_to_the_texts, "one of each is wanted"),
    (returns_the_texts, "every text gets the same part"),
    (prefers_the_middle, "beginnings are as likely"),
    (returns_lists_of_words, "a list of strings is wanted"),
]

RIGHT = [leaves_blanks_around, uses_pythons_random, leaves_words_out_at_both_ends, uses_torch]
