"""13.1: the weights of naive Bayes."""

import math
from collections import Counter

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.probes import distance, random_words, shuffled, telling_apart


def log_odds(ham, spam, smoothing):
    return weights(ham, spam, smoothing)


def weights(ham, spam, smoothing, *, once=True, added=None, below=None, whole=None, logarithm=math.log, sign=1,
            classes=(1, 1)):
    """The weights, with the places at which one may go wrong as arguments.

    added: to each count, `smoothing` by default; below: to each total, from the number of words, `added` for each word
    by default; whole: the total of a class, from its counts and its messages.
    """
    counts = [Counter(word for message in messages for word in (set(message) if once else message))
              for messages in (ham, spam)]
    vocabulary = sorted({*counts[0], *counts[1]})
    added = smoothing if added is None else added
    more = added * len(vocabulary) if below is None else below
    shares = []
    for count, messages in zip(counts, (ham, spam), strict=True):
        total = sum(count.values()) if whole is None else whole(count, messages)
        shares.append({word: (count[word] + added) / (total + more) for word in vocabulary})
    return {word: sign * (classes[1] * logarithm(shares[1][word]) - classes[0] * logarithm(shares[0][word]))
            for word in vocabulary}


def log_odds_probes(generator):
    def draw(smoothing):
        names = random_words(generator, 9)

        def message(own, length):
            chosen = shuffled([*names[:5], *own], generator)[:length]
            return shuffled([*chosen, chosen[0]], generator)  # one word twice

        ham = [message(names[5:7], 2 + place % 3) for place in range(8)]
        spam = [message(names[7:], 3 + place % 2) for place in range(5)]
        return {"ham": ham, "spam": spam, "smoothing": smoothing}

    return [telling_apart(lambda given=given: draw(given), listed(log_odds), map(listed, MISTAKES.values()))
            for given in (0.5, 2.0)]


def listed(formula):
    """The weights that a formula gives, as a list, in the order of the words."""
    return lambda **probe: [weight for _, weight in sorted(formula(**probe).items())]


def changed(**options):
    return lambda ham, spam, smoothing: weights(ham, spam, smoothing, **options)


def own_vocabularies(ham, spam, smoothing):
    sizes = [len({word for message in messages for word in message}) for messages in (ham, spam)]
    both = len({word for message in [*ham, *spam] for word in message})
    shift = [math.log(sum(len(set(message)) for message in messages) + smoothing * size)
             - math.log(sum(len(set(message)) for message in messages) + smoothing * both)
             for messages, size in zip((ham, spam), sizes, strict=True)]
    return {word: weight - shift[1] + shift[0] for word, weight in weights(ham, spam, smoothing).items()}


def with_prior(ham, spam, smoothing):
    return {word: weight + math.log(len(spam) / len(ham)) for word, weight in weights(ham, spam, smoothing).items()}


MISTAKES = {
    "a word that stands twice in a message is counted twice: count in how many messages it stands, `set(message)`":
        changed(once=False),
    "the sign is turned: a word of spam must weigh more than 0, so spam's logarithm comes first": changed(sign=-1),
    "you divide by the number of messages; the total of a class is the sum of its counts, over all words":
        changed(whole=lambda count, messages: len(messages)),
    "you divide by the number of messages, plus the smoothing twice: that is the Bernoulli model. The total of a class "
    "is the sum of its counts, over all words":
        lambda ham, spam, smoothing: weights(ham, spam, smoothing, below=2 * smoothing,
                                             whole=lambda count, messages: len(messages)),
    "the smoothing is added to the counts and not to their total: with + s for every word, the total grows by s · V":
        changed(below=0.0),
    "the total grows by the smoothing once; s is added to each of the V counts, so it grows by s · V":
        lambda ham, spam, smoothing: weights(ham, spam, smoothing, below=smoothing),
    "this is smoothed by 1, whatever `smoothing` says":
        lambda ham, spam, smoothing: weights(ham, spam, smoothing, added=1.0),
    "this is the logarithm to base 10; wanted is the natural one, `math.log`": changed(logarithm=math.log10),
    "this is the logarithm to base 2; wanted is the natural one, `math.log`": changed(logarithm=math.log2),
    "this is the logarithm of spam's share alone: take away that of ham's": changed(classes=(0, 1)),
    "this is the difference of the shares; it is that of their logarithms": changed(logarithm=lambda share: share),
    "this is the ratio of the shares; its logarithm is wanted":
        lambda ham, spam, smoothing: {word: math.exp(weight)
                                      for word, weight in weights(ham, spam, smoothing).items()},
    "V is the number of different words in both classes together; you take that of each class alone": own_vocabularies,
    "the odds of spam itself are in each weight: they belong into the bias, once": with_prior,
}


def finite_weights(probe, result):
    infinite = sorted(word for word, weight in result.items() if not math.isfinite(weight))
    if infinite:
        return (f"the weight of {infinite[0]!r} is infinite: one class never holds it, and the logarithm of 0 decides "
                "alone. Add the smoothing to every count")
    return None


def is_formula(probe, result):
    def near(formula):
        return distance(listed(lambda **_: result)(), listed(formula)(**probe)) <= 1e-4

    if near(log_odds):
        return None
    for message, formula in MISTAKES.items():
        if near(formula):
            return message
    wanted = log_odds(**probe)
    worst = max(sorted(wanted), key=lambda word: abs(result[word] - wanted[word]))
    return (f"the weight of {worst!r} is {result[worst]:.3g}, and the formula gives {wanted[worst]:.3g}: count in how "
            "many messages of each class it stands, add the smoothing, divide by the total of the class")


exercise = Exercise(
    number="13.1",
    title="What a word says",
    points=3,
    minutes=12,
    hints=(
        ("What do I count?",
         "For each class and each word, in how many messages of the class it stands. A `collections.Counter` gives 0 "
         "for words that it never saw."),
        ("What do I divide by?",
         "By the sum of all smoothed counts of the class, so that its shares add up to 1: the sum of the counts, and "
         "the smoothing once for each word of the vocabulary, which is that of both classes."),
        ("Show me nearly all of it.",
         "`n = Counter(word for message in spam for word in set(message))`, the same of ham; then for each word "
         "`log((n[word] + smoothing) / (sum(n.values()) + smoothing * len(vocabulary)))`, of spam minus of ham."),
    ),
    reference=log_odds,
    probes=log_odds_probes,
    gates={"every weight is a number": finite_weights},
    properties={"the weights are those of the formula": is_formula},
)
