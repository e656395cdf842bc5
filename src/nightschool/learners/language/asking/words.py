"""Words of a pool, and which of them are interchangeable: learned from the pool alone."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.sparse import csr_matrix
from scipy.spatial.distance import squareform

# A word, or a sign, with the white space before it: joined, the pieces are the text again.
_PIECE = re.compile(r"\s*(?:\w+(?:['’-]\w+)*|[^\w\s])")

_OFFSETS = (-2, -1, 1, 2)
_LEAST = 3
_MOST = 1500
_APART = 0.68
"""Cosine distance at which classes are no longer merged; at 0.72 words that only look alike are."""
_ROUNDS = 2


def pieces(text: str) -> list[str]:
    """The words and signs of a text, each with the white space before it; none at the end."""
    return _PIECE.findall(text)


def words(text: str) -> list[str]:
    """The words and signs of a text."""
    return [piece.strip() for piece in pieces(text)]


def word_classes(texts: Sequence[str], smallest: int = 4) -> dict[str, int]:
    """The class of each word that has at least `smallest - 1` others that stand where it stands.

    Words are compared by their neighbours, two to either side (positive pointwise mutual
    information and cosine: Turney & Pantel 2010, "From frequency to meaning"), and merged by
    average linkage; in a second round neighbours count by their classes. Words seen fewer than
    three times have none. Rarely is a class of two or three more than chance, and words such as
    "her" and "his" must agree with others: they stay as they are.
    """
    read = [words(text) for text in texts]
    counts = Counter(word for sentence in read for word in sentence if word[0].isalnum())
    common = sorted(counts, key=lambda word: (-counts[word], word))[:_MOST]
    vocabulary = sorted(word for word in common if counts[word] >= _LEAST)
    classes: dict[str, int] = {}
    if len(vocabulary) < 2:
        return classes
    for _ in range(_ROUNDS):
        seen = _neighbours(read, vocabulary, classes)
        classes = _large(vocabulary, _clusters(seen), smallest)
    return classes


def _neighbours(
    read: Sequence[Sequence[str]], vocabulary: Sequence[str], classes: Mapping[str, int]
) -> csr_matrix:
    """How often each word has each neighbour: counts (words, neighbours)."""
    place = {word: i for i, word in enumerate(vocabulary)}
    columns: dict[tuple[int, object], int] = {}
    counts: Counter[tuple[int, int]] = Counter()
    for sentence in read:
        shown: list[object] = [classes.get(word, word) for word in sentence]
        edged = ["", "", *shown, "", ""]
        for at, word in enumerate(sentence):
            if word in place:
                for offset in _OFFSETS:
                    column = columns.setdefault((offset, edged[at + 2 + offset]), len(columns))
                    counts[place[word], column] += 1
    keys = np.array(list(counts), dtype=np.int64)
    values = np.array(list(counts.values()), dtype=np.float64)
    return csr_matrix((values, (keys[:, 0], keys[:, 1])), (len(vocabulary), len(columns)))


def _clusters(counts: csr_matrix) -> NDArray[np.int64]:
    """A cluster (words,) for each word, by what its neighbours say about it."""
    seen = counts.tocoo()
    by_word = np.asarray(counts.sum(axis=1)).ravel()
    by_neighbour = np.asarray(counts.sum(axis=0)).ravel()
    expected = by_word[seen.row] * by_neighbour[seen.col] / seen.data.sum()
    # Rare pairs look surprising by chance: they are discounted (Pantel & Lin 2002).
    telling = np.maximum(np.log(seen.data / expected), 0) * seen.data / (seen.data + 1)
    vectors = csr_matrix((telling, (seen.row, seen.col)), counts.shape)
    norms = np.sqrt(np.asarray(vectors.multiply(vectors).sum(axis=1)).ravel())
    alike = (vectors @ vectors.T).toarray() / np.maximum(np.outer(norms, norms), 1e-12)
    apart = np.clip(1 - (alike + alike.T) / 2, 0, 1)
    np.fill_diagonal(apart, 0)
    tree = linkage(squareform(apart, checks=False), "average")
    return np.asarray(fcluster(tree, _APART, "distance"), dtype=np.int64)


def _large(vocabulary: Sequence[str], clusters: NDArray[np.int64], smallest: int) -> dict[str, int]:
    sizes = Counter(clusters.tolist())
    pairs = zip(vocabulary, clusters.tolist(), strict=True)
    return {word: cluster for word, cluster in pairs if sizes[cluster] >= smallest}
