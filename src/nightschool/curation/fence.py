"""A dataset without what the exam asks: replay must not teach the test."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nightschool.types import (
    PICTURE,
    TEXT,
    Context,
    Dataset,
    Document,
    Example,
    Manifest,
    normalise,
)

LEAD = 4
"""Words by which a place in a text is looked up; a longer context is then compared by its id."""


class Fence:
    """Finds what the exam holds: its contexts in texts, and its own drawings and trajectories.

    A text is looked through in one pass over its words, however many contexts there are; what is
    no text is known by its hash, whether it is a context or one of the `accepted` answers.
    """

    def __init__(self, contexts: Iterable[Document], accepted: Iterable[Document] = ()) -> None:
        self._answers = {_name(document) for document in accepted if document.kind != TEXT}
        self._ids: set[int] = set()
        self._lengths: dict[tuple[str, ...], set[int]] = {}
        for document in contexts:
            words = document.body.split()
            if words:
                self._ids.add(Context(document).id)
            if words and document.kind == TEXT:
                lead = tuple(map(normalise, words[:LEAD]))
                self._lengths.setdefault(lead, set()).add(len(words))
        self._leads = sorted({len(lead) for lead in self._lengths})

    def has(self, document: Document) -> bool:
        """Whether a document is a context of the exam."""
        return Context(document).id in self._ids

    def keeps(self, document: Document) -> bool:
        """Whether a document that is no text is one of the exam's answers."""
        return document.kind != TEXT and _name(document) in self._answers

    def holds(self, document: Document) -> bool:
        """Whether a text contains a context of the exam, from any word to any other."""
        if document.kind != TEXT:
            return self.keeps(document) or self.has(document)
        if not self._ids:
            return False
        words = document.body.split()
        bare = list(map(normalise, words))
        return any(
            Context.of(" ".join(words[start : start + length])).id in self._ids
            for start in range(len(words))
            for lead in self._leads
            for length in self._lengths.get(tuple(bare[start : start + lead]), ())
            if start + length <= len(words)
        )


def _name(document: Document) -> str:
    """What an answer that is no text is known by: a drawing by its picture, under any caption."""
    return document.blobs.get(PICTURE) or document.digest.hex()


@dataclass(frozen=True)
class FencedDataset:
    """A dataset whose original documents hold no context of the exam, and none of its answers."""

    inner: Dataset
    fence: Fence

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
        return [d for d in self.inner.original(n, seed) if not self.fence.holds(d)]

    def _examples(self, examples: Sequence[Example]) -> Sequence[Example]:
        return [
            e for e in examples if not (self.fence.has(e.context) or self.fence.keeps(e.target))
        ]
