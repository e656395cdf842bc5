"""Large parts of documents: bytes read from their files when somebody looks at them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from nightschool.types import (
    Answer,
    AnsweredQuestion,
    AnswerError,
    Context,
    Document,
    Example,
    Question,
    WarehouseError,
)
from nightschool.warehouse.codec import sha256
from nightschool.warehouse.files import Files


class Stored(Mapping[str, bytes]):
    """The parts of a stored document; each look reads a file."""

    def __init__(self, files: Files, blobs: Mapping[str, str]) -> None:
        self._files = files
        self._blobs = blobs

    def __getitem__(self, name: str) -> bytes:
        return self._files.blob(self._blobs[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._blobs)

    def __len__(self) -> int:
        return len(self._blobs)


class Parts:
    """Puts the parts of new documents away, and gives those of stored ones back."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def put(self, document: Document) -> None:
        """Keep every part of a document, durably, before a record names it.

        Raises AnswerError when a part does not have the hash that the document gives it, or a
        part that is named is neither here nor kept already.
        """
        for part, name in document.blobs.items():
            data = document.parts.get(part) if not isinstance(document.parts, Stored) else None
            if data is None:
                self._kept(part, name)
            elif sha256(data) != name:
                raise AnswerError(f"The part {part!r} does not have the sha256 {name!r}.")
            else:
                self._files.put_blob(data)

    def _kept(self, part: str, name: str) -> None:
        try:
            self._files.touch_blob(name)
        except WarehouseError as error:
            raise AnswerError(
                f"The part {part!r} with the sha256 {name!r} was never sent; send its bytes."
            ) from error

    def document(self, document: Document) -> Document:
        """A stored document with its parts."""
        if not document.blobs:
            return document
        return replace(document, parts=Stored(self._files, document.blobs))

    def context(self, context: Context) -> Context:
        """A stored context with its parts."""
        if not context.document.blobs:
            return context
        return replace(context, document=self.document(context.document))

    def question(self, question: Question) -> Question:
        """A stored question with its parts."""
        if not question.context.document.blobs:
            return question
        return replace(question, context=self.context(question.context))

    def answer(self, answer: Answer) -> Answer:
        """A stored answer with its parts."""
        if answer.document is None or not answer.document.blobs:
            return answer
        return replace(answer, document=self.document(answer.document))

    def answered(self, answered: AnsweredQuestion) -> AnsweredQuestion:
        """A stored question and its answers with their parts."""
        given = tuple(map(self.answer, answered.answers))
        return AnsweredQuestion(self.question(answered.question), given)

    def example(self, example: Example) -> Example:
        """A stored example with its parts."""
        context, target = self.document(example.context), self.document(example.target)
        return replace(example, context=context, target=target)
