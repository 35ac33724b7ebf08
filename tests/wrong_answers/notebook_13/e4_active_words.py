"""Plausible wrong answers to exercise 13.4, each with a part of the message that it should get, and right ones."""


def cut_down(is_spam, message):
    left = message.split()
    for word in message.split():
        fewer = [other for other in left if other != word]
        if fewer and is_spam([" ".join(fewer)])[0]:
            left = fewer
    return left


def asks_about_the_whole_message(is_spam, message, pool, k):
    said = is_spam([f"{message} {word}" for word in pool])
    return [word for word, spam in zip(pool, said, strict=True) if not spam][:k]


def cuts_until_it_is_ham(is_spam, message, pool, k):
    left = message.split()
    while left and is_spam([" ".join(left)])[0]:
        left.pop()
    said = is_spam([" ".join([*left, word]) for word in pool])
    return [word for word, spam in zip(pool, said, strict=True) if not spam][:k]


def asks_about_words_alone(is_spam, message, pool, k):
    return [word for word, spam in zip(pool, is_spam(pool), strict=True) if not spam][:k]


def turns_the_comparison(is_spam, message, pool, k):
    left = cut_down(is_spam, message)
    said = is_spam([" ".join([*left, word]) for word in pool])
    return [word for word, spam in zip(pool, said, strict=True) if spam][:k]


def cuts_for_every_word(is_spam, message, pool, k):
    return [word for word in pool if not is_spam([" ".join([*cut_down(is_spam, message), word])])[0]][:k]


def cuts_until_nothing_changes(is_spam, message, pool, k):
    left = message.split()
    for _ in range(10):
        left = cut_down(is_spam, " ".join(left))
    said = is_spam([" ".join([*left, word]) for word in pool])
    return [word for word, spam in zip(pool, said, strict=True) if not spam][:k]


def asks_every_question_twice(is_spam, message, pool, k):
    left = cut_down(is_spam, message)
    return [word for word in pool if not is_spam([" ".join([*left, word])])[0]
            and not is_spam([" ".join([word, *left])])[0] and not is_spam([" ".join([*left, word])])[0]
            and not is_spam([" ".join([word, *left])])[0]][:k]


def asks_beyond_the_pool(is_spam, message, pool, k):
    left = cut_down(is_spam, message)
    said = is_spam([" ".join([*left, word]) for _ in range(2) for word in pool])
    return [word for word, spam in zip(pool, said, strict=False) if not spam][:k]


def returns_all(is_spam, message, pool, k):
    left = cut_down(is_spam, message)
    said = is_spam([" ".join([*left, word]) for word in pool])
    return [word for word, spam in zip(pool, said, strict=True) if not spam]


def sorts_them(is_spam, message, pool, k):
    return sorted(returns_all(is_spam, message, pool, k), key=lambda word: word[::-1])[-k:]


def returns_messages(is_spam, message, pool, k):
    return [f"{message} {word}" for word in returns_all(is_spam, message, pool, k)[:k]]


def returns_one_word_again_and_again(is_spam, message, pool, k):
    return returns_all(is_spam, message, pool, k)[:1] * k


def asks_about_one_string(is_spam, message, pool, k):
    return [word for word in pool if not is_spam(f"{message} {word}")][:k]


def asks_a_generator(is_spam, message, pool, k):
    left = cut_down(is_spam, message)
    said = is_spam(" ".join([*left, word]) for word in pool)
    return [word for word, spam in zip(pool, said, strict=True) if not spam][:k]


def takes_the_last_ones(is_spam, message, pool, k):
    return returns_all(is_spam, message, pool, k)[-k:]


def cuts_from_the_end(is_spam, message, pool, k):
    left = message.split()
    for word in reversed(message.split()):
        rest = [other for other in left if other != word]
        if is_spam([" ".join(rest)])[0]:
            left = rest
    found = []
    for word in pool:
        if not is_spam([" ".join([word, *left])])[0]:
            found.append(word)
        if len(found) == k:
            break
    return found


def works_on_arrays(is_spam, message, pool, k):
    import numpy as np

    words = np.array(message.split())
    keep = np.ones(len(words), dtype=bool)
    for place in range(len(words)):
        keep[place] = False
        keep[place] = not is_spam([" ".join(words[keep])])[0]
    return np.array(pool)[~is_spam([" ".join([*words[keep], word]) for word in pool])][:k]


def halves_first(is_spam, message, pool, k):
    """The shortest spam prefix by bisection, then word by word."""
    words = message.split()
    low, high = 0, len(words)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_spam([" ".join(words[:middle])])[0] else (middle, high)
    left = words[:high]
    for word in words[:high - 1]:
        fewer = [other for other in left if other != word]
        if fewer and is_spam([" ".join(fewer)])[0]:
            left = fewer
    return [word for word in pool if not is_spam([" ".join(left) + " " + word])[0]][:k]


WRONG = [
    (asks_about_the_whole_message, "you found no word"),
    (cuts_until_it_is_ham, "turns no message that is barely spam"),
    (asks_about_words_alone, "turns no message that is barely spam"),
    (turns_the_comparison, "leaves a message spam that barely is"),
    (cuts_for_every_word, "cut the message down once"),
    (cuts_until_nothing_changes, "are enough: cut the message down once"),
    (asks_every_question_twice, "are enough: cut the message down once"),
    (asks_beyond_the_pool, "are enough: cut the message down once"),
    (returns_all, "k = 4 are wanted"),
    (sorts_them, "in the order of the pool"),
    (returns_messages, "is no word of the pool"),
    (returns_one_word_again_and_again, "a word comes twice"),
    (asks_about_one_string, "put it in brackets"),
    (asks_a_generator, "make a list of it"),
    (takes_the_last_ones, "in the order of the pool"),
]

RIGHT = [cuts_from_the_end, works_on_arrays, halves_first]
