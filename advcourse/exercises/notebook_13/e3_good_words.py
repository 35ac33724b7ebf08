"""13.3: good words from the spammer's own mailbox."""

from collections import Counter
from fractions import Fraction

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.probes import random_words, shuffled

# In how many messages of ham and of spam each word stands. Their ratios differ, but for one tie.
STANDING = ((9, 0), (5, 0), (5, 0), (10, 2), (6, 1), (2, 0), (11, 4), (1, 0), (12, 8), (4, 6), (3, 9), (0, 3), (0, 8))
HAM, SPAM = 14, 10
OFTEN = (11, 4)  # this word stands three times in each of its messages of ham


def good_words(ham, spam, k):
    return ranked(ham, spam, k, lambda in_ham, in_spam: Fraction(in_ham + 1, in_spam + 1))


def ranked(ham, spam, k, score, *, once=True, everything=False, ties=1):
    """The k words of the highest score, with the places at which one may go wrong as arguments."""
    counts = [Counter(word for message in messages for word in (set(message) if once else message))
              for messages in (ham, spam)]
    names = sorted({*counts[0], *(counts[1] if everything else ())})[::ties]
    return sorted(names, key=lambda word: -score(counts[0][word], counts[1][word]))[:k]


def good_words_probes(generator):
    def draw(k):
        names = random_words(generator, len(STANDING))
        ham, spam = [[] for _ in range(HAM)], [[] for _ in range(SPAM)]
        for word, standing in zip(names, STANDING, strict=True):
            for messages, count in zip((ham, spam), standing, strict=True):
                for message in shuffled(messages, generator)[:count]:
                    message += [word] * (3 if standing == OFTEN and messages is ham else 1)
        if not all([*ham, *spam]):
            return draw(k)
        return {"ham": [shuffled(message, generator) for message in ham],
                "spam": [shuffled(message, generator) for message in spam], "k": k}

    return [draw(6), draw(2)]


def scored(score, **options):
    return lambda ham, spam, k: ranked(ham, spam, k, score, **options)


def ratio(in_ham, in_spam):
    return Fraction(in_ham + 1, in_spam + 1)


MISTAKES = {
    "these are the words that stand in the most ham: many of them are common in spam, too. Divide by spam's share":
        scored(lambda in_ham, in_spam: in_ham),
    "without the + 1 a word that no spam holds comes first, however rare it is: add 1 to each count":
        scored(lambda in_ham, in_spam: in_ham / in_spam if in_spam else 1000 + in_ham),
    "this ranks by the difference of the shares; it is their ratio":
        scored(lambda in_ham, in_spam: in_ham / HAM - in_spam / SPAM),
    "a word that stands three times in a message is counted three times: count messages, `set(message)`":
        scored(ratio, once=False),
    "these are the words of spam: the ratio is turned, ham's share stands above the line":
        scored(lambda in_ham, in_spam: -ratio(in_ham, in_spam), everything=True),
    "these are the worst of ham's words: the largest ratio comes first":
        scored(lambda in_ham, in_spam: -ratio(in_ham, in_spam)),
    "words of an equal ratio stand in the order of the alphabet, the first first; only the ratio goes downwards":
        scored(ratio, ties=-1),
    "these are the words that stand in the least spam: they must be common in ham, too":
        scored(lambda in_ham, in_spam: -in_spam),
    "these are the words that stand in the least ham: rare words are not the good ones":
        scored(lambda in_ham, in_spam: -in_ham),
}


def best_words(probe, result):
    wanted = good_words(**probe)
    if result == wanted:
        return None
    if len(result) != probe["k"]:
        return f"you return {len(result)} words, and k = {probe['k']} are wanted"
    for message, mistake in MISTAKES.items():
        if result == mistake(**probe):
            return message
    known = {word for message in probe["ham"] for word in message}
    if strange := [word for word in result if word not in known]:
        return f"{strange[0]!r} stands in no ham: look among the words of the ham"
    if sorted(result) == sorted(wanted):
        return "these are the words, in another order: the largest ratio first, of equals the first in the alphabet"
    first = next(place for place, word in enumerate(wanted) if result[place] != word)
    return (f"your word number {first + 1} is {result[first]!r}, and the largest ratio that is left is that of "
            f"{wanted[first]!r}")


exercise = Exercise(
    number="13.3",
    title="Good words, for nothing",
    points=3,
    minutes=10,
    hints=(
        ("What do I count?",
         "In how many messages of each kind a word stands: a `collections.Counter` over `set(message)` of all "
         "messages. It gives 0 for words that it never saw."),
        ("How do I sort by two things at once?",
         "By a tuple: `sorted(words, key=lambda word: (-ratio(word), word))` puts large ratios first and leaves equals "
         "in the order of the alphabet."),
        ("Show me nearly all of it.",
         "`n = Counter(word for message in ham for word in set(message))`, `m` the same of spam, then "
         "`sorted(n, key=lambda word: (-(n[word] + 1) / (m[word] + 1), word))[:k]`: the numbers of messages change no "
         "order."),
    ),
    reference=good_words,
    probes=good_words_probes,
    properties={"they are the k words of the largest ratio": best_words},
)
