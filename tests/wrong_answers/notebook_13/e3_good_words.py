"""Plausible wrong answers to exercise 13.3, each with a part of the message that it should get, and right ones."""

import math
from collections import Counter

import numpy as np


def counts(ham, spam):
    return [Counter(word for message in messages for word in set(message)) for messages in (ham, spam)]


def takes_the_most_frequent(ham, spam, k):
    n, _ = counts(ham, spam)
    return sorted(n, key=lambda word: (-n[word], word))[:k]


def does_not_smooth(ham, spam, k):
    n, m = counts(ham, spam)
    return sorted(n, key=lambda word: (-n[word] / m[word] if m[word] else -1e9 - n[word], word))[:k]


def divides_by_almost_nothing(ham, spam, k):
    n, m = counts(ham, spam)
    return sorted(n, key=lambda word: (-n[word] / (m[word] + 1e-9), word))[:k]


def takes_the_difference(ham, spam, k):
    n, m = counts(ham, spam)
    return sorted(n, key=lambda word: (m[word] / len(spam) - n[word] / len(ham), word))[:k]


def counts_a_word_three_times(ham, spam, k):
    n, m = (Counter(word for message in messages for word in message) for messages in (ham, spam))
    return sorted(n, key=lambda word: (-(n[word] + 1) / (m[word] + 1), word))[:k]


def turns_the_ratio(ham, spam, k):
    n, m = counts(ham, spam)
    return sorted(n | m, key=lambda word: (-(m[word] + 1) / (n[word] + 1), word))[:k]


def takes_the_worst(ham, spam, k):
    n, m = counts(ham, spam)
    return sorted(n, key=lambda word: ((n[word] + 1) / (m[word] + 1), word))[:k]


def turns_the_alphabet(ham, spam, k):
    n, m = counts(ham, spam)
    return sorted(n, key=lambda word: ((n[word] + 1) / (m[word] + 1), word))[::-1][:k]


def takes_what_is_rare_in_spam(ham, spam, k):
    n, m = counts(ham, spam)
    return sorted(n, key=lambda word: (m[word], word))[:k]


def takes_what_is_rare_in_ham(ham, spam, k):
    n, _ = counts(ham, spam)
    return sorted(n, key=lambda word: (n[word], word))[:k]


def returns_all(ham, spam, k):
    n, m = counts(ham, spam)
    return sorted(n, key=lambda word: (-(n[word] + 1) / (m[word] + 1), word))


def returns_one_too_few(ham, spam, k):
    return returns_all(ham, spam, k)[:k - 1]


def sorts_by_the_alphabet(ham, spam, k):
    return sorted(returns_all(ham, spam, k)[:k])[::-1]


def returns_letters(ham, spam, k):
    return sorted({letter for message in ham for word in message for letter in word})[:k]


def returns_the_ratios(ham, spam, k):
    n, m = counts(ham, spam)
    return [(word, (n[word] + 1) / (m[word] + 1)) for word in returns_all(ham, spam, k)[:k]]


def returns_a_set(ham, spam, k):
    return set(returns_all(ham, spam, k)[:k])


def divides_the_shares(ham, spam, k):
    n, m = counts(ham, spam)
    shares = {word: (n[word] + 1) / (len(ham) + 2) / ((m[word] + 1) / (len(spam) + 2)) for word in sorted(n)}
    return sorted(shares, key=lambda word: -round(shares[word], 9))[:k]


def takes_logarithms(ham, spam, k):
    n, m = counts(ham, spam)
    return sorted(sorted(n), key=lambda word: round(math.log(n[word] + 1) - math.log(m[word] + 1), 9),
                  reverse=True)[:k]


def works_in_numpy(ham, spam, k):
    names = np.array(sorted({word for message in ham for word in message}))
    n, m = (np.array([sum(word in message for message in messages) for word in names]) for messages in (ham, spam))
    return names[np.argsort(-(n + 1) / (m + 1), kind="stable")][:k]


def picks_one_after_the_other(ham, spam, k):
    left, picked = {word for message in ham for word in message}, []
    for _ in range(k):
        def ratio(word):
            return (1 + sum(word in message for message in ham)) / (1 + sum(word in message for message in spam))
        best = max(map(ratio, left))
        picked.append(min(word for word in left if ratio(word) == best))
        left.remove(picked[-1])
    return picked


WRONG = [
    (takes_the_most_frequent, "stand in the most ham"),
    (does_not_smooth, "without the + 1"),
    (divides_by_almost_nothing, "without the + 1"),
    (takes_the_difference, "the difference of the shares"),
    (counts_a_word_three_times, "counted three times"),
    (turns_the_ratio, "the words of spam"),
    (takes_the_worst, "the worst of ham's words"),
    (turns_the_alphabet, "in the order of the alphabet"),
    (takes_what_is_rare_in_spam, "in the least spam"),
    (takes_what_is_rare_in_ham, "in the least ham"),
    (returns_all, "k = 6 are wanted"),
    (returns_one_too_few, "k = 6 are wanted"),
    (sorts_by_the_alphabet, "in another order"),
    (returns_letters, "stands in no ham"),
    (returns_the_ratios, "a list of strings is wanted"),
    (returns_a_set, "a list of strings is wanted"),
]

RIGHT = [divides_the_shares, takes_logarithms, works_in_numpy, picks_one_after_the_other]
