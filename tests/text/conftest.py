"""Filters on messages made here, fitted once."""

import pytest

from advcourse import data
from advcourse.text import filters


@pytest.fixture(scope="session")
def parts():
    """To train on, to send, and the spammer's own mailbox."""
    return data.load("messages").split(0.5, 0.3, 0.2)


@pytest.fixture(scope="session")
def bayes(parts):
    return filters.naive_bayes(parts[0].texts, parts[0].labels)


@pytest.fixture(scope="session")
def svm(parts):
    return filters.svm(parts[0].texts, parts[0].labels)


@pytest.fixture
def toy():
    """free +2, win +1, home −1, later −1.5, lunch −0.25; bias −0.5."""
    return filters.LinearFilter({"free": 2.0, "win": 1.0, "home": -1.0, "later": -1.5, "lunch": -0.25}, -0.5)
