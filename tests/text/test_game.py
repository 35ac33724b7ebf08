"""The cheapest evasion against all possible ones, the filter that knows it, deleted words, copies, and the loop."""

import itertools

import numpy as np
import pytest
import torch
from sklearn.svm import LinearSVC

from advcourse import data
from advcourse.text import augmentation, filters
from advcourse.text.arms_race import add_best, add_enough, race
from advcourse.text.deletion import robust_to_deletion, without_worst, worst_case_hinge
from advcourse.text.evasion import AwareFilter, cheapest_words, in_order
from advcourse.text.good_words import add, added, best_words
from advcourse.text.tokens import words
from tests.data.test_texts import needs_sms

WORDS = ["ab", "bc", "cd", "de", "ef", "fg", "gh", "hi", "ij", "jk", "kl", "lm"]


def cheapest_of_all(judge, text, costs):
    """The cost of the cheapest set of words that makes the text pass, by trying every set."""
    good = sorted(costs.keys() - words(text))
    prices = [sum(costs[word] for word in chosen) for size in range(len(good) + 1)
              for chosen in itertools.combinations(good, size) if judge.scores([add(text, chosen)])[0] <= 0]
    return min(prices, default=None)


@pytest.mark.parametrize("seed", range(12))
def test_the_cheapest_words_are_the_cheapest_of_all(seed):
    rng = np.random.default_rng(seed)
    judge = filters.LinearFilter({**dict(zip(WORDS, rng.uniform(-1.5, 0.3, 12), strict=True)), "win": 3.0}, 0.5)
    costs = dict(zip(WORDS[:9], rng.uniform(0.2, 2, 9), strict=True))
    for text in ("win", "win ab bc", "win now kl", "lunch kl lm"):
        found, wanted = cheapest_words(judge, text, costs), cheapest_of_all(judge, text, costs)
        if wanted is None:
            assert found is None
        else:
            assert judge.scores([add(text, found)])[0] <= 0 and not set(found) & words(text)
            assert sum(costs[word] for word in found) == pytest.approx(wanted)


def test_best_weight_or_best_bargain_first_is_not_the_cheapest():
    judge = filters.LinearFilter({"win": 3.0, "ab": -2.9, "bc": -1.6, "cd": -1.5}, 0.0)
    costs = {"ab": 2.0, "bc": 1.2, "cd": 1.1}
    assert cheapest_words(judge, "win", costs) == ["bc", "cd"]
    assert min(costs, key=lambda word: costs[word] / -judge.weights[word]) == "ab"


def test_what_needs_nothing_what_cannot_be_and_costs_below_nothing(toy):
    assert cheapest_words(toy, "home", {"later": 1}) == []
    assert cheapest_words(toy, "free win", {"lunch": 1, "home": 1, "free": 0}) is None
    assert cheapest_words(toy, "free home", {"home": 1, "later": 1}) == ["later"]
    with pytest.raises(ValueError, match="costs must not be negative; got -1"):
        cheapest_words(toy, "free", {"later": -1})


def test_equal_costs_make_the_order_of_weights_the_cheapest(bayes, parts):
    order = best_words(bayes)
    costs = dict.fromkeys(order, 1.0)
    for text in parts[1].spam[:25]:
        sent = in_order(bayes, text, order, budget=100)
        assert not bayes.is_spam([sent])[0] and added(text, sent) == len(cheapest_words(bayes, text, costs))


def test_the_budget_is_kept_or_nothing_is_done(toy):
    order = ["later", "home", "lunch"]
    assert in_order(toy, "free win", order, 2) == "free win later home"
    assert in_order(toy, "free win", order, 1) == "free win", "too few: it might as well stay as it is"
    assert in_order(toy, "free win later", order, 1) == "free win later home", "what is there already costs nothing"
    assert in_order(toy, "home", order, 5) == "home"


@pytest.mark.parametrize("seed", range(8))
def test_the_aware_filter_blocks_what_the_spammer_can_have_made_and_nothing_else(seed):
    """Against the definition: is there a set of words, without which the text is spam, that the spammer would add?"""
    rng = np.random.default_rng(seed)
    judge = filters.LinearFilter(dict(zip(WORDS[:8], rng.uniform(-2, 1.5, 8), strict=True)), 0.5)
    order = best_words(judge) if seed % 2 else [str(word) for word in rng.permutation(best_words(judge))]
    aware = AwareFilter(judge, order)
    for size in range(9):
        for there in itertools.combinations(WORDS[:8], size):
            text = " ".join(there)
            made = any(
                judge.is_spam([rest])[0] and words(in_order(judge, rest, order, 8)) == set(there)
                for count in range(1, size + 1) for gone in itertools.combinations(there, count)
                for rest in [" ".join(word for word in there if word not in gone)]
            )  # fmt: skip
            assert aware.is_spam([text])[0] == (judge.is_spam([text])[0] or made), text


def test_the_aware_filter_beats_the_adversary_it_knows_and_no_other(bayes, parts):
    spam, ham, order = parts[1].spam, parts[1].ham, best_words(bayes)
    aware = AwareFilter(bayes, order)
    known = [in_order(bayes, text, order, 20) for text in spam]
    other = [in_order(bayes, text, order[1:], 20) for text in spam]  # leaves out one word
    assert bayes.is_spam(known).mean() < 0.05 < 0.9 < aware.is_spam(known).mean()
    assert bayes.is_spam(other).mean() < 0.05 and aware.is_spam(other).mean() < 0.2
    assert aware.is_spam(ham).mean() <= bayes.is_spam(ham).mean() + 0.01


def test_the_worst_case_is_the_worst_of_all_deletions():
    generator = torch.Generator().manual_seed(0)
    x = torch.randint(2, (20, 7), generator=generator).float()
    y = torch.randint(2, (20,), generator=generator) * 2.0 - 1
    weights, bias = torch.randn(7, generator=generator), torch.tensor([0.2])
    for deleted in range(4):
        worst = torch.zeros(20)
        for gone in itertools.combinations(range(7), deleted):
            left = x.clone()
            left[:, list(gone)] = 0
            worst = torch.maximum(worst, (1 - y * (left @ weights + bias)).clamp(min=0))
        assert worst_case_hinge(x, y, weights, bias, deleted) == pytest.approx(worst.mean().item(), abs=1e-6)


def test_without_deletion_it_is_an_svm(parts):
    """The control: the objective of LinearSVC with the hinge and C = 1 / (decay · N), reached to within 8 %."""
    texts, labels = parts[1].texts, parts[1].labels
    found = robust_to_deletion(texts, labels, 0, decay=1e-2, epochs=60)
    x, vocabulary = filters.presence(texts)
    model = LinearSVC(C=1 / (1e-2 * len(texts)), loss="hinge", intercept_scaling=10, max_iter=10_000, random_state=0)
    model.fit(x, labels)

    def objective(weights, bias):
        margins = (2 * np.asarray(labels) - 1) * (x @ weights + bias)
        return 1e-2 / 2 * (weights @ weights) + np.maximum(0, 1 - margins).mean()

    ours = objective(np.array([found.weights[word] for word in vocabulary]), found.bias)
    assert ours < 1.08 * objective(model.coef_[0], model.intercept_[0])


def test_deleted_words_are_the_worst_and_the_rest_stays(toy):
    assert without_worst(toy, "FREE win, free home 100", 1) == "win, home 100"
    assert without_worst(toy, "home later", 3) == "home later"


@needs_sms
def test_robust_to_deletion_catches_twice_as_much_of_what_lost_its_worst_words():
    train, test, _ = data.cleaned(data.load("sms-spam")).split(0.5, 0.3, 0.2)
    caught, clean = [], []
    for deleted in (0, 4):
        judge = robust_to_deletion(train.texts, train.labels, deleted)
        caught.append(judge.is_spam([without_worst(judge, text, 8) for text in test.spam]).mean())
        clean.append(filters.rates(judge, test.texts, test.labels))
    assert caught[1] > 2 * caught[0]
    assert clean[1].caught > clean[0].caught - 0.06 and clean[1].blocked < 0.01


TEN = list("abcdefghij")


def test_substrings_are_consecutive_of_every_length_at_every_place():
    rng = np.random.default_rng(0)
    drawn = ["".join(augmentation.substring(TEN, rng)) for _ in range(10_000)]
    assert all(text in "abcdefghij" for text in drawn)
    assert {len(text) for text in drawn} == set(range(5, 11))
    assert np.mean([len(text) for text in drawn]) == pytest.approx(7.5, abs=0.1)
    first = [text[0] for text in drawn if len(text) == 7]
    assert {*first} == set("abcd") and all(abs(first.count(start) / len(first) - 0.25) < 0.05 for start in "abcd")
    assert augmentation.substring(["a"], rng) == ["a"]


def test_removal_leaves_the_share_the_order_and_never_nothing():
    rng = np.random.default_rng(0)
    drawn = [augmentation.removal(TEN, rng) for _ in range(10_000)]
    assert all(kept == sorted(kept) and kept for kept in drawn)
    share = np.array([[word in kept for word in TEN] for kept in drawn]).mean(0)
    assert np.all(np.abs(share - 0.8) < 0.02), "each word alike (TextAttack 426 leaves one)"
    assert {len(kept) for kept in drawn} >= {5, 6, 7, 8, 9, 10}, "each for itself: not always a fifth"
    few = [augmentation.removal(["a", "b"], rng, share=1) for _ in range(100)]
    assert {tuple(kept) for kept in few} == {("a",), ("b",)}, "where all go, any may stay"


def test_insertion_keeps_the_message_and_puts_words_everywhere():
    rng = np.random.default_rng(0)
    drawn = [augmentation.insertion(TEN, rng, others=["X", "Y"]) for _ in range(2000)]
    assert all([word for word in text if word not in "XY"] == TEN and len(text) == 15 for text in drawn)
    ends = [np.mean([text[place] in "XY" for text in drawn]) for place in (0, -1)]
    assert min(ends) > 0.2 and list("abcdefghij") == TEN


def test_augmented_texts_keep_their_labels_and_come_by_the_seed():
    texts, labels = ["a b c d e f", "u v w x y z"], [0, 1]
    more, more_labels = augmentation.augmented(texts, labels, augmentation.removal, copies=20, seed=1)
    assert more[:2] == texts and len(more) == 42
    assert all(set(text.split()) <= set(texts[label].split()) for text, label in zip(more, more_labels, strict=True))
    assert more == augmentation.augmented(texts, labels, augmentation.removal, copies=20, seed=1)[0]
    assert more != augmentation.augmented(texts, labels, augmentation.removal, copies=20, seed=2)[0]
    assert len(set(more)) > 10, "each copy is drawn anew"
    _, spam_only = augmentation.augmented(texts, labels, augmentation.removal, copies=5, only=1)
    assert spam_only.tolist() == [0, 1, 1, 1, 1, 1, 1]


def test_copies_help_where_there_are_few_messages(parts):
    few, others = parts[2].split(0.25)[0], parts[1]
    texts, labels = augmentation.augmented(few.texts, few.labels, augmentation.substring)
    plain, more = filters.logistic(few.texts, few.labels), filters.logistic(texts, labels)
    assert more.is_spam(others.spam).mean() > plain.is_spam(others.spam).mean()


def test_naive_bayes_saws_and_an_svm_learns_to_resist(parts):
    train, send, _ = parts
    bayes, svm = (list(race(fit, train.texts, train.labels, spam=send.spam, ham=send.ham, attack=add_best(20)))
                  for fit in (filters.naive_bayes, filters.svm))
    assert all(turn.before < 0.25 and turn.after > 0.95 and turn.words == 20 for turn in bayes)
    assert svm[0].before < 0.05 and svm[-1].before > 0.5 and min(turn.after for turn in svm) > 0.95


def test_a_round_counts_before_on_all_and_after_on_what_was_not_learnt():
    """A filter that knows the texts it was given by heart catches none of the others."""

    class Memory(filters.Filter):
        def __init__(self, texts, labels):
            self.spam = {text for text, label in zip(texts, labels, strict=True) if label}

        def scores(self, texts):
            return np.array([1.0 if text in self.spam else -1.0 for text in texts])

    sent = []

    def attack(judge, spam):
        sent.append([f"{text} again {len(sent)}" for text in spam])
        return sent[-1]

    spam, ham = ["a", "b", "c", "d"], ["x", "y"]
    rounds = list(race(Memory, ["a", "z"], [1, 0], spam=spam, ham=ham, attack=attack, rounds=3))
    assert [(turn.before, turn.after, turn.blocked, turn.words) for turn in rounds] == [(0, 0, 0, 2)] * 3
    assert len(sent) == 3


def test_enough_words_are_no_more_than_needed(svm, parts):
    spam = parts[1].spam
    sent = add_enough(0.2, step=5)(svm, spam)
    count = added(spam[0], sent[0])
    assert count % 5 == 0 and svm.is_spam(sent).mean() <= 0.2
    assert svm.is_spam(add_best(count - 5)(svm, spam)).mean() > 0.2
    assert added(spam[0], add_enough(0.0, most=5)(svm, spam)[0]) == 5, "no more than the most"
