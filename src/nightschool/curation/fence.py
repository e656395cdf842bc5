"""A dataset without what the exam asks: replay must not teach the test."""

from __future__ import annotations

import re
from collections.abc import Sequence, Set
from dataclasses import dataclass

from nightschool.types import TEXT, Context, Dataset, Document, Example, Manifest

_SENTENCE = re.compile(r"(?<=[.!?\n])\s+")
_WORD_END = re.compile(r"\S(?=\s|$|[.!?,;:])")


@dataclass(frozen=True)
class FencedDataset:
    """A dataset whose original documents hold no context of the exam, compared by hash."""

    inner: Dataset
    exam: Set[int]

    @property
    def manifest(self) -> Manifest:
        """The manifest of the dataset inside."""
        return self.inner.manifest

    @property
    def new(self) -> Sequence[Example]:
        """Tonight's examples, less any about an exam context."""
        return self._examples(self.inner.new)

    def earlier(self, n: int, seed: int) -> Sequence[Example]:
        """Earlier examples, less any about an exam context."""
        return self._examples(self.inner.earlier(n, seed))

    def original(self, n: int, seed: int) -> Sequence[Document]:
        """Original documents, less those that contain an exam context."""
        return [d for d in self.inner.original(n, seed) if not holds(d, self.exam)]

    def _examples(self, examples: Sequence[Example]) -> Sequence[Example]:
        return [e for e in examples if Context(e.context).id not in self.exam]


def holds(document: Document, exam: Set[int]) -> bool:
    """Whether a text contains an exam context: from a sentence's start to a word's end."""
    if document.kind != TEXT or not exam:
        return False
    text = document.body
    starts = [0, *(m.end() for m in _SENTENCE.finditer(text))]
    ends = [m.end() for m in _WORD_END.finditer(text)]
    return any(Context.of(text[a:b]).id in exam for a in starts for b in ends if b > a)
