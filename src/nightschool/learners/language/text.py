"""Text and tokens: how contexts and answers are spelled for a model, with no string magic."""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nightschool.types import LearnerError
from nightschool.types.spelling import target_text, unspaced

# A target that begins with a space is spelled after a letter, any other after a line's end, and
# what was spelled before it is taken off again: so an answer has the same tokens in every
# context, whatever a tokenizer adds to the beginning of a text.
_AFTER_WORD = "a"
_AFTER_LINE = "\n"
_SPACE_MARKS = ("Ġ", "▁", "Ċ", "ĉ", "č", " ", "\n", "\t", "\r")
_LINE_MARKS = ("\n", "Ċ", "<0x0A>")


class Text:
    """A tokenizer as a learner needs it: special tokens in a text are only text."""

    def __init__(self, tokenizer: Any, vocabulary: int, stops: Iterable[int] = ()) -> None:
        self.tokenizer = tokenizer
        self.vocabulary = vocabulary
        self._lock = threading.Lock()
        self._plain = _plain_backend(tokenizer)
        self._answers: dict[str, tuple[int, ...]] = {}
        self.prefix = self._beginning()
        self.end, self.stops = self._ends(set(stops))
        pieces = tokenizer.convert_ids_to_tokens(list(range(min(vocabulary, len(tokenizer)))))
        self.is_end = self._end_mask(pieces)
        self.goes_on = self._goes_on_mask(pieces)

    @property
    def begin(self) -> list[int]:
        """What stands before a text that begins: the tokenizer's own, or the end of another text.

        A model with neither begins with a line's end.
        """
        if self.prefix:
            return list(self.prefix)
        return [self.end] if self.end is not None else self.encode("\n")[:1] or [0]

    def encode(self, text: str) -> list[int]:
        """The tokens of a text alone; strings that look like special tokens are spelled out."""
        return self.encode_all([text])[0]

    def encode_all(self, texts: Sequence[str]) -> list[list[int]]:
        """The tokens of each text."""
        if self._plain is not None:
            return [e.ids for e in self._plain.encode_batch(list(texts), add_special_tokens=False)]
        with self._lock:
            return [
                list(self.tokenizer.encode(t, add_special_tokens=False, split_special_tokens=True))
                for t in texts
            ]

    def contexts(self, texts: Sequence[str]) -> list[list[int]]:
        """Contexts as shown to the model: what the tokenizer begins with, then the text.

        Spaces at the end are left out, for they belong to the answer.
        """
        return [[*self.prefix, *ids] for ids in self.encode_all([t.rstrip(" ") for t in texts])]

    def answer(self, context: str, answer: str) -> tuple[int, ...]:
        """The tokens of an answer after a context, the same ones after every such context."""
        target = target_text(context, answer)
        found = self._answers.get(target)
        if found is None:
            found = self._spell(target)
            if len(self._answers) < 100_000:
                self._answers[target] = found
        return found

    def decode(self, ids: Sequence[int], after: Sequence[int] = ()) -> str:
        """The text of some tokens, as it reads after others; special tokens are left out."""
        before = self._decode(after) if after else ""
        whole = self._decode([*after, *ids])
        return whole[len(before) :] if whole.startswith(before) else self._decode(ids)

    def name(self, token: int) -> str:
        """What the tokenizer itself calls a token."""
        return str(self.tokenizer.convert_ids_to_tokens(token))

    def chat(self, messages: Sequence[Mapping[str, str]]) -> list[int] | None:
        """The tokens of a chat by the tokenizer's template; None where it has none.

        Raises LearnerError for a message that holds one of the template's own marks: it could
        pretend to be somebody else's turn.
        """
        if not getattr(self.tokenizer, "chat_template", None):
            return None
        marks = {*self.tokenizer.all_special_tokens, *self.tokenizer.get_added_vocab()}
        for message in messages:
            if found := sorted(m for m in marks if m.strip() and m in message["content"]):
                raise LearnerError(
                    f"A message holds the model's own mark {found[0]!r}; leave it out."
                )
        with self._lock:
            try:
                whole = self.tokenizer.apply_chat_template(
                    [dict(m) for m in messages], tokenize=False, add_generation_prompt=True
                )
            except Exception as error:  # a template raises what it likes, such as for its roles
                raise LearnerError(f"The model's chat template refuses this: {error}") from error
            return list(self.tokenizer.encode(whole, add_special_tokens=False))

    def _decode(self, ids: Sequence[int]) -> str:
        if self._plain is not None:
            return str(self._plain.decode(list(ids), skip_special_tokens=True))
        with self._lock:
            return str(self.tokenizer.decode(list(ids), skip_special_tokens=True))

    def _spell(self, target: str) -> tuple[int, ...]:
        anchor = _AFTER_WORD if target.startswith(" ") else _AFTER_LINE
        before, whole = self.encode_all([anchor, anchor + target])
        if whole[: len(before)] == before and len(whole) > len(before):
            return tuple(whole[len(before) :])
        return tuple(self.encode(target))

    def _beginning(self) -> list[int]:
        """The special tokens that this tokenizer puts before every text (none for many)."""
        whole = list(self.tokenizer.encode("a"))
        bare = self.encode("a")
        for at in range(len(whole) - len(bare) + 1):
            if whole[at : at + len(bare)] == bare:
                return whole[:at]
        return []

    def _ends(self, stops: set[int]) -> tuple[int | None, frozenset[int]]:
        """The token learned as the end of an answer (where there is one), and all such tokens."""
        end = self.tokenizer.eos_token_id
        if isinstance(end, list):
            end = end[0] if end else None
        if end is None:
            line = self._spell("\n")
            end = line[0] if len(line) == 1 else None
        stops |= {end} if end is not None else set()
        return end, frozenset(stops)

    def _end_mask(self, pieces: Sequence[str | None]) -> NDArray[np.bool_]:
        mask = np.zeros(self.vocabulary, dtype=bool)
        for i, piece in enumerate(pieces):
            mask[i] = i in self.stops or (piece or "").startswith(_LINE_MARKS)
        return mask

    def _goes_on_mask(self, pieces: Sequence[str | None]) -> NDArray[np.bool_]:
        """Which tokens, right after a word, make that word longer ("teen" after " four")."""
        special = set(getattr(self.tokenizer, "all_special_ids", ()))
        mask = np.zeros(self.vocabulary, dtype=bool)
        for i, piece in enumerate(pieces):
            if not piece or i in self.stops or i in special or piece.startswith(_SPACE_MARKS):
                continue
            first = piece.removeprefix("##")[:1]
            mask[i] = first.isalnum() and not unspaced(first)
        return mask


def ends_in_word(answer: str) -> bool:
    """Whether a following letter would make the answer another word."""
    last = answer.strip()[-1:]
    return bool(last) and unicodedata.category(last)[0] in "LN" and not unspaced(last)


def _plain_backend(tokenizer: Any) -> Any | None:
    """A copy of the fast tokenizer that knows no special tokens, cuts nothing and pads nothing."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        return None
    from tokenizers import Tokenizer

    try:
        plain = Tokenizer.from_str(backend.to_str())
    except Exception as error:  # the Rust side raises bare Exception
        raise LearnerError(f"The tokenizer cannot be copied ({error}); save it again.") from error
    plain.encode_special_tokens = True
    plain.no_truncation()
    plain.no_padding()
    return plain
