"""Good words: which ones are found, from what, at which price."""

import numpy as np
import pytest

from advcourse.text import good_words
from advcourse.text.good_words import (
    active_words,
    added,
    barely_spam,
    best_words,
    by_ratio,
    frequent,
    turned,
    words_needed,
)

HAM = ["see you at home", "home later", "see you later you", "free later"]
SPAM = ["free win", "win at home", "free free"]


def test_frequent_words_count_messages():
    assert frequent(HAM) == ["later", "home", "see", "you", "at", "free"]


def test_the_ratio_is_of_shares_with_one_added():
    # later 4/6, see and you 3/6, over 1/5 each; home 3/6, at and free 2/6, over 2/5, 2/5 and 3/5.
    assert by_ratio(HAM, SPAM) == ["later", "see", "you", "home", "at", "free"]
    rare = by_ratio(["often"] * 50 + ["rarely"], ["often"])
    assert rare == ["often", "rarely"], "a word seen once is no better than it looks"


def test_best_words_are_the_weights(toy):
    assert best_words(toy) == ["later", "home", "lunch"]


class Asked:
    """A filter's labels, counted."""

    def __init__(self, judge):
        self.judge, self.count = judge, 0

    def __call__(self, texts):
        self.count += len(texts)
        return self.judge.is_spam(texts)


def test_barely_spam_is_spam_and_no_word_of_it_can_go(toy, svm, parts):
    rng = np.random.default_rng(0)
    assert {barely_spam(toy.is_spam, "free win now please", rng) for _ in range(30)} == {"free", "win"}
    for text in parts[2].spam[:20]:
        asked = Asked(svm)
        left = barely_spam(asked, text, rng)
        assert asked.count <= len(text.split()) and set(left.split()) <= set(text.split())
        assert svm.is_spam([left])[0] == svm.is_spam([text])[0]
    assert barely_spam(toy.is_spam, "home", rng) == "home"


def test_turned_counts_texts(toy):
    pool = ["later", "home", "lunch", "home later", "win"]
    assert turned(toy.is_spam, ["free", "win", "free win"], pool).tolist() == [2, 1, 0, 3, 0]


def test_active_words_pass_where_the_frequent_ones_need_twice_as_many(bayes, svm, parts):
    _, send, own = parts
    for judge in (bayes, svm):
        asked = Asked(judge)
        pool = frequent(own.ham)
        found = active_words(asked, own.spam, pool)
        longest = max(len(text.split()) for text in own.spam)
        assert asked.count <= len(own.spam) + 8 * (len(pool) + longest)
        active, passive = (np.median(words_needed(judge, send.spam, order)) for order in (found, pool))
        assert active <= 0.5 * passive and 5 <= passive <= 60
        assert np.median(words_needed(judge, send.spam, best_words(judge))) <= active
        assert found == active_words(judge.is_spam, own.spam, pool), "it comes by its seed"


def test_one_start_finds_less_than_eight(svm, parts):
    """From one message alone, what is left may be spam by more than any word can mend (Lowd and Meek have one)."""
    _, _, own = parts
    pool = frequent(own.ham)
    found = [len(active_words(svm.is_spam, own.spam, pool, starts=1, seed=seed)) for seed in range(10)]
    assert min(found) < 0.5 * len(active_words(svm.is_spam, own.spam, pool))


def test_a_filter_that_blocks_nothing_gives_no_start(toy):
    with pytest.raises(ValueError, match="none of the 2 messages is blocked"):
        active_words(toy.is_spam, ["home", "lunch"], ["later"])


def test_words_needed_counts_blocked_messages_alone(toy):
    """The share of what passes has blocked spam below it: not what passed before (TextFooler 17, TextAttack 527)."""
    spam = ["free", "home", "win", "free win now", "free free win free"]
    assert words_needed(toy, spam, ["lunch", "home", "later"]).tolist() == [3, 2, 3, 3]
    assert words_needed(toy, spam, ["lunch", "home", "later"], most=2).tolist() == [np.inf, 2, np.inf, np.inf]
    assert words_needed(toy, ["home"], ["later"]).tolist() == []


def test_words_are_counted_from_the_two_texts():
    assert added("free win", good_words.add("free win", ["home", "see you"])) == 3
