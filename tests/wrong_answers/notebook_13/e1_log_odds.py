"""Plausible wrong answers to exercise 13.1, each with a part of the message that it should get, and right ones."""

import math
from collections import Counter

import numpy as np


def counts(ham, spam, once=True):
    return [Counter(word for message in messages for word in (set(message) if once else message))
            for messages in (ham, spam)]


def counts_a_word_twice(ham, spam, smoothing):
    return by_shares(counts(ham, spam, once=False), smoothing)


def by_shares(found, smoothing, logarithm=math.log):
    vocabulary = set(found[0]) | set(found[1])
    totals = [sum(count.values()) + smoothing * len(vocabulary) for count in found]
    return {word: logarithm((found[1][word] + smoothing) / totals[1])
            - logarithm((found[0][word] + smoothing) / totals[0]) for word in vocabulary}


def turns_the_sign(ham, spam, smoothing):
    return by_shares(counts(spam, ham), smoothing)


def divides_by_messages(ham, spam, smoothing):
    n, m = counts(ham, spam)
    return {word: math.log((m[word] + smoothing) / (len(spam) + smoothing * len({*n, *m})))
            - math.log((n[word] + smoothing) / (len(ham) + smoothing * len({*n, *m}))) for word in {*n, *m}}


def writes_bernoulli(ham, spam, smoothing):
    n, m = counts(ham, spam)
    return {word: math.log((m[word] + smoothing) / (len(spam) + 2 * smoothing))
            - math.log((n[word] + smoothing) / (len(ham) + 2 * smoothing)) for word in {*n, *m}}


def smooths_above_the_line_only(ham, spam, smoothing):
    n, m = counts(ham, spam)
    return {word: math.log((m[word] + smoothing) / sum(m.values()))
            - math.log((n[word] + smoothing) / sum(n.values())) for word in {*n, *m}}


def smooths_the_total_once(ham, spam, smoothing):
    n, m = counts(ham, spam)
    return {word: math.log((m[word] + smoothing) / (sum(m.values()) + smoothing))
            - math.log((n[word] + smoothing) / (sum(n.values()) + smoothing)) for word in {*n, *m}}


def smooths_by_one(ham, spam, smoothing):
    return by_shares(counts(ham, spam), 1)


def does_not_smooth(ham, spam, smoothing):
    return by_shares(counts(ham, spam), 0)


def does_not_smooth_in_numpy(ham, spam, smoothing):
    with np.errstate(divide="ignore"):
        return by_shares(counts(ham, spam), 0, np.log)


def takes_the_logarithm_to_ten(ham, spam, smoothing):
    return by_shares(counts(ham, spam), smoothing, math.log10)


def takes_the_logarithm_to_two(ham, spam, smoothing):
    return by_shares(counts(ham, spam), smoothing, math.log2)


def looks_at_spam_alone(ham, spam, smoothing):
    n, m = counts(ham, spam)
    total = sum(m.values()) + smoothing * len({*n, *m})
    return {word: math.log((m[word] + smoothing) / total) for word in {*n, *m}}


def forgets_the_logarithm(ham, spam, smoothing):
    return by_shares(counts(ham, spam), smoothing, float)


def returns_the_ratio(ham, spam, smoothing):
    return {word: math.exp(weight) for word, weight in by_shares(counts(ham, spam), smoothing).items()}


def takes_the_vocabulary_of_each_class(ham, spam, smoothing):
    n, m = counts(ham, spam)
    return {word: math.log((m[word] + smoothing) / (sum(m.values()) + smoothing * len(m)))
            - math.log((n[word] + smoothing) / (sum(n.values()) + smoothing * len(n))) for word in {*n, *m}}


def adds_the_prior_to_every_word(ham, spam, smoothing):
    prior = math.log(len(spam) / len(ham))
    return {word: prior + weight for word, weight in by_shares(counts(ham, spam), smoothing).items()}


def forgets_words_of_ham(ham, spam, smoothing):
    weights, known = by_shares(counts(ham, spam), smoothing), counts(ham, spam)[1]
    return {word: weight for word, weight in weights.items() if word in known}


def returns_a_list(ham, spam, smoothing):
    return list(by_shares(counts(ham, spam), smoothing).values())


def goes_through_the_messages(ham, spam, smoothing):
    table = {}
    for kind, messages in enumerate((ham, spam)):
        for message in messages:
            for word in dict.fromkeys(message):
                table.setdefault(word, [smoothing, smoothing])[kind] += 1
    totals = [sum(row[kind] for row in table.values()) for kind in (0, 1)]
    return {word: math.log(row[1] * totals[0] / (row[0] * totals[1])) for word, row in table.items()}


def takes_the_words_of_numpy(ham, spam, smoothing):
    vocabulary = np.unique([word for message in ham + spam for word in message])
    weights = Counter()
    for word in vocabulary:
        weights[word] = by_shares(counts(ham, spam), smoothing)[word]
    return weights


def works_in_numpy(ham, spam, smoothing):
    vocabulary = sorted({word for message in ham + spam for word in message})
    count = np.array([[sum(word in message for message in messages) for word in vocabulary]
                      for messages in (ham, spam)]) + smoothing
    logarithms = np.log(count / count.sum(1, keepdims=True))
    return dict(zip(vocabulary, logarithms[1] - logarithms[0], strict=True))


def asks_scikit_learn(ham, spam, smoothing):
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.naive_bayes import MultinomialNB

    counter = CountVectorizer(analyzer=lambda message: message, binary=True)
    model = MultinomialNB(alpha=smoothing).fit(counter.fit_transform(ham + spam), [0] * len(ham) + [1] * len(spam))
    weights = model.feature_log_prob_[1] - model.feature_log_prob_[0]
    return dict(zip(counter.get_feature_names_out().tolist(), weights, strict=True))


WRONG = [
    (counts_a_word_twice, "is counted twice"),
    (turns_the_sign, "the sign is turned"),
    (divides_by_messages, "you divide by the number of messages"),
    (writes_bernoulli, "the Bernoulli model"),
    (smooths_above_the_line_only, "not to their total"),
    (smooths_the_total_once, "it grows by s · V"),
    (smooths_by_one, "smoothed by 1"),
    (does_not_smooth, "your function raises"),
    (does_not_smooth_in_numpy, "is infinite"),
    (takes_the_logarithm_to_ten, "to base 10"),
    (takes_the_logarithm_to_two, "to base 2"),
    (looks_at_spam_alone, "spam's share alone"),
    (forgets_the_logarithm, "the difference of the shares"),
    (returns_the_ratio, "the ratio of the shares"),
    (takes_the_vocabulary_of_each_class, "that of each class alone"),
    (adds_the_prior_to_every_word, "they belong into the bias"),
    (forgets_words_of_ham, "a dict with the keys"),
    (returns_a_list, "a dict with the keys"),
]

RIGHT = [takes_the_words_of_numpy, goes_through_the_messages, works_in_numpy, asks_scikit_learn]
