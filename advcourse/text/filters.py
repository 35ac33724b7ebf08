"""Spam filters that see which words stand in a message: naive Bayes, logistic regression, a linear SVM, a network.

A filter gives a message a score, and takes it for spam where that is above 0.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC
from torch import nn

from advcourse.randomness import seeded
from advcourse.text.features import presence, presence_of
from advcourse.text.tokens import words

Labels = Sequence[int] | np.ndarray
Fit = Callable[[Sequence[str], Labels], "Filter"]


class Filter(ABC):
    """What every filter does."""

    @abstractmethod
    def scores(self, texts: Sequence[str]) -> np.ndarray:
        """How much each text looks like spam: float64, shape (N,)."""

    def is_spam(self, texts: Sequence[str]) -> np.ndarray:
        """Whether each text is taken for spam: bool, shape (N,)."""
        if isinstance(texts, str):
            raise ValueError(f"is_spam takes a list of texts; got the one text {texts[:40]!r}: put it in brackets")
        return self.scores(texts) > 0


@dataclass(frozen=True, eq=False)
class LinearFilter(Filter):
    """score(text) = bias + the sum of the weights of its words, each counted once; unknown words weigh nothing."""

    weights: dict[str, float] = field(repr=False)
    bias: float

    def scores(self, texts: Sequence[str]) -> np.ndarray:
        return np.array([self.bias + sum(self.weights.get(word, 0.0) for word in words(text)) for text in texts])


@dataclass(frozen=True, eq=False)
class NetworkFilter(Filter):
    """A network over the same zeros and ones."""

    vocabulary: list[str] = field(repr=False)
    network: nn.Module = field(repr=False)

    @torch.no_grad()
    def scores(self, texts: Sequence[str]) -> np.ndarray:
        return self.network(_dense(presence_of(texts, self.vocabulary))).flatten().double().numpy()


class Rates(NamedTuple):
    """Both kinds of error, and the accuracy that hides them: always saying ham scores 87 % on the SMS."""

    accuracy: float
    caught: float  # of spam
    blocked: float  # of ham


def rates(judge: Filter, texts: Sequence[str], labels: Labels) -> Rates:
    """What the filter gets right on these texts, of which there must be both kinds; labels: 0 for ham, 1 for spam."""
    spam, said = _both_kinds(labels), judge.is_spam(texts)
    return Rates((said == spam).mean(), said[spam].mean(), said[~spam].mean())


def naive_bayes(texts: Sequence[str], labels: Labels, *, absent: bool = False, smoothing: float = 1.0) -> LinearFilter:
    """Naive Bayes on which words are there, each message holding a word once or not at all.

    absent=False, the multinomial model: a word's weight is log p(word | spam) − log p(word | ham), where p is the share
    of all words of the class, with `smoothing` added to each count; a word that is not there says nothing.
    absent=True, the Bernoulli model: p is the share of the messages of the class that hold the word, and words that
    are not there count, too. That is linear as well: their part stands in the bias.
    Metsis, Androutsopoulos, Paliouras 2006 compare these and others on mail.
    """
    x, vocabulary = presence(texts)
    spam = _both_kinds(labels)
    count = np.array([x[~spam].sum(0).A1, x[spam].sum(0).A1])  # of the messages of each class with the word
    messages = np.array([[(~spam).sum()], [spam.sum()]])
    bias = np.log(messages[1, 0] / messages[0, 0])
    if absent:
        p = (count + smoothing) / (messages + 2 * smoothing)
        weights = np.log(p / (1 - p))
        bias += np.log(1 - p).sum(1) @ (-1, 1)
    else:
        count = count + smoothing
        weights = np.log(count / count.sum(1, keepdims=True))
    return linear(vocabulary, weights[1] - weights[0], bias)


def logistic(texts: Sequence[str], labels: Labels) -> LinearFilter:
    """Logistic regression, C = 10."""
    return _linear_model(LogisticRegression(C=10, max_iter=1000), texts, labels)


def svm(texts: Sequence[str], labels: Labels) -> LinearFilter:
    """A linear SVM, C = 0.1."""
    return _linear_model(LinearSVC(C=0.1, random_state=0), texts, labels)


def network(texts: Sequence[str], labels: Labels, *, hidden: int = 32, epochs: int = 6, seed: int = 0) -> NetworkFilter:
    """A network with one hidden layer, trained by Adam on the logistic loss."""
    matrix, vocabulary = presence(texts)
    x, y = _dense(matrix), torch.from_numpy(_both_kinds(labels)).float()
    with seeded(seed):
        model = nn.Sequential(nn.Linear(len(vocabulary), hidden), nn.ReLU(), nn.Linear(hidden, 1))
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
        for _ in range(epochs):
            for batch in torch.randperm(len(x)).split(64):
                optimizer.zero_grad()
                nn.functional.binary_cross_entropy_with_logits(model(x[batch]).flatten(), y[batch]).backward()
                optimizer.step()
    return NetworkFilter(vocabulary, model.eval().requires_grad_(False))


def linear(vocabulary: Sequence[str], weights: np.ndarray | Sequence[float], bias: float) -> LinearFilter:
    """A LinearFilter from V words and their V weights."""
    return LinearFilter(dict(zip(vocabulary, map(float, weights), strict=True)), float(bias))


def _linear_model(model, texts, labels):
    x, vocabulary = presence(texts)
    model.fit(x, _both_kinds(labels))
    return linear(vocabulary, model.coef_[0], model.intercept_[0])


def _both_kinds(labels):
    """Which are spam, as bools; ValueError unless both kinds are among them, and nothing else."""
    labels = np.asarray(labels)
    if set(labels.tolist()) != {0, 1}:
        found = sorted(set(labels.tolist()))
        raise ValueError(f"labels must be 0 for ham and 1 for spam, and both be there; got {found}")
    return labels == 1


def _dense(matrix: csr_matrix) -> torch.Tensor:
    return torch.from_numpy(matrix.toarray()).float()
