"""Tokens, features and filters, against scikit-learn and against formulas worked by hand."""

import math

import numpy as np
import pytest
import torch
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.naive_bayes import BernoulliNB, MultinomialNB

from advcourse import data
from advcourse.text import filters
from advcourse.text.features import presence, presence_of
from advcourse.text.tokens import spans, tokens, words
from tests.data.test_texts import needs_sms


@pytest.mark.parametrize(
    "text, wanted",
    [
        ("u 2 £", ["u", "#1", "£"]),  # scikit-learn drops all three: issues 6098, 8587, 14811
        ("WIN £1000 NOW!!", ["win", "£", "#4", "now", "!", "!"]),
        ("call 09061701461", ["call", "#6"]),
        ("I'll don’t 'quoted'", ["i'll", "don't", "quoted"]),
        ("txt2win", ["txt", "#1", "win"]),
        ("² x² ½ über", ["²", "x²", "½", "über"]),  # '²'.isdigit() is true, and it is no number
        ("snake_case a-b", ["snake", "case", "a", "b"]),
        ("fr\u200bee", ["fr", "ee"]),
        ("", []),
    ],
)
def test_tokens(text, wanted):
    assert tokens(text) == wanted
    assert words(text) == set(wanted)
    assert [text[begin:end].lower().replace("’", "'") for token, begin, end in spans(text) if token[0] != "#"] == [
        token for token in wanted if token[0] != "#"]  # fmt: skip


def test_presence_is_one_or_zero_and_needs_two_messages():
    matrix, vocabulary = presence(["go go home", "go now", "now 22"])
    assert vocabulary == ["go", "now"] and matrix.toarray().tolist() == [[1, 0], [1, 1], [0, 1]]
    assert presence_of(["home now now"], vocabulary).toarray().tolist() == [[0, 1]]
    with pytest.raises(ValueError, match="no word stands in 2 of the 2 texts"):
        presence(["go", "home"])


LABELLED = [("free win now", 1), ("free prize", 1), ("see you now", 0), ("you win", 0), ("see me free", 0)]
TEXTS, LABELS = [text for text, _ in LABELLED], [label for _, label in LABELLED]


@pytest.mark.parametrize("absent, model", [(False, MultinomialNB(alpha=0.7)), (True, BernoulliNB(alpha=0.7))])
def test_naive_bayes_is_scikit_learns(absent, model, parts):
    for texts, labels in ((TEXTS, LABELS), (parts[0].texts, parts[0].labels)):
        judge = filters.naive_bayes(texts, labels, absent=absent, smoothing=0.7)
        counter = CountVectorizer(analyzer=tokens, binary=True, min_df=2)
        model.fit(counter.fit_transform(texts), labels)
        fresh = [*parts[1].texts, "", "unheard of"]
        log_p = model.predict_joint_log_proba(counter.transform(fresh))
        np.testing.assert_allclose(judge.scores(fresh), log_p[:, 1] - log_p[:, 0], atol=1e-8)


def test_naive_bayes_by_hand():
    judge = filters.naive_bayes(TEXTS, LABELS)
    # Words in two messages: free, now, win, see, you. Of spam 2, 1, 1, 0, 0 hold them, of ham 1, 1, 1, 2, 2.
    assert judge.weights["free"] == pytest.approx(math.log(3 / 9) - math.log(2 / 12))
    assert judge.weights["see"] == pytest.approx(math.log(1 / 9) - math.log(3 / 12))
    assert judge.bias == pytest.approx(math.log(2 / 3)) and set(judge.weights) == {"free", "now", "win", "see", "you"}


def test_a_score_is_the_bias_and_each_word_once(toy):
    assert toy.scores(["free FREE win nothing", "home", ""]).tolist() == [2.5, -1.5, -0.5]
    assert toy.is_spam(["free", "free later", "win"]).tolist() == [True, False, True]
    for text in ("free win home", "later free"):  # without a word the score falls by its weight (TextAttack 549)
        for word in text.split():
            rest = " ".join(other for other in text.split() if other != word)
            assert toy.scores([text])[0] - toy.scores([rest])[0] == toy.weights[word]


def test_is_spam_wants_a_list(toy):
    with pytest.raises(ValueError, match="takes a list of texts; got the one text 'free'"):
        toy.is_spam("free")


@pytest.mark.parametrize("fit", [filters.naive_bayes, filters.logistic, filters.svm, filters.network])
def test_labels_must_be_of_both_kinds(fit):
    for labels in ([0] * 5, [1, 2, 1, 2, 1], ["ham", "spam", "ham", "spam", "ham"]):
        with pytest.raises(ValueError, match="0 for ham and 1 for spam"):
            fit(TEXTS, labels)


def test_rates_count_both_errors(toy):
    said = filters.rates(toy, ["free", "win", "home", "lunch", "free win", "later win"], [1, 1, 0, 0, 0, 1])
    assert said == (pytest.approx(4 / 6), pytest.approx(2 / 3), pytest.approx(1 / 3))


ALL = {"naive Bayes": filters.naive_bayes, "Bernoulli": lambda x, y: filters.naive_bayes(x, y, absent=True),
       "logistic": filters.logistic, "svm": filters.svm, "network": filters.network}  # fmt: skip


@needs_sms
@pytest.mark.parametrize("fit", ALL.values(), ids=ALL)
def test_every_filter_works_on_real_messages(fit):
    train, test = data.cleaned(data.load("sms-spam")).split(0.7, 0.3)
    found = filters.rates(fit(train.texts, train.labels), test.texts, test.labels)
    assert found.accuracy > 0.98 and found.caught > 0.89 and found.blocked < 0.012


@pytest.mark.parametrize("fit", ALL.values(), ids=ALL)
def test_every_filter_errs_on_messages_made_here_a_little(fit, parts):
    train, test = parts[0], parts[1]
    found = filters.rates(fit(train.texts, train.labels), test.texts, test.labels)
    assert 0.96 < found.accuracy < 1 and found.caught > 0.9 and found.blocked < 0.035


def test_a_network_comes_by_its_seed_and_leaves_the_random_numbers_alone(parts):
    texts, labels = parts[2].texts, parts[2].labels
    before = torch.get_rng_state()
    one, same, other = (filters.network(texts, labels, epochs=1, seed=seed).scores(texts[:20]) for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    assert np.array_equal(one, same) and not np.array_equal(one, other)
