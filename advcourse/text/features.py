"""From texts to a matrix of zeros and ones: which word stands in which text."""

from collections.abc import Sequence

from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import CountVectorizer

from advcourse.text.tokens import tokens


def presence(texts: Sequence[str], least: int = 2) -> tuple[csr_matrix, list[str]]:
    """Which words stand in which texts, and the words.

    texts: N strings; least: in how many of them a word must stand.
    Returns a sparse matrix of zeros and ones, float64, shape (N, V), and the V words of its columns, in alphabetical
    order. Raises ValueError where no word stands in so many texts.
    """
    counter = CountVectorizer(analyzer=tokens, binary=True, min_df=least, dtype=float)
    try:
        matrix = counter.fit_transform(texts)
    except ValueError:
        raise ValueError(f"no word stands in {least} of the {len(texts)} texts: nothing can be learnt") from None
    return matrix, counter.get_feature_names_out().tolist()


def presence_of(texts: Sequence[str], vocabulary: Sequence[str]) -> csr_matrix:
    """Which of these words stand in which texts: as `presence`, with the columns of `vocabulary`."""
    return CountVectorizer(analyzer=tokens, binary=True, vocabulary=vocabulary, dtype=float).transform(texts)
