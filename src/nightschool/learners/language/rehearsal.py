"""Rehearsal: questions to which the original texts give the answer, in the form that is asked."""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from random import Random

_SENTENCE_END = re.compile(r"[.!?\n]\s+")
_WORD = re.compile(r"\s+([^\W_]+)")
_LONGEST = 8


def mine(
    texts: Sequence[str], contexts: Sequence[str], *, n: int, seed: int
) -> list[tuple[str, str]]:
    """At most n pairs of context and next word, cut from the texts where questions would end.

    Contexts that end in "Now Jane has", "Now Tom has" make the form "Now ... has"; each text is
    cut after such forms. Where no text has one, it is cut between any two words.
    """
    # Not Python's own hash, which differs from process to process.
    rng = Random(hashlib.sha256(f"rehearsal {seed}".encode()).digest())
    found = [pair for form in _forms(contexts) for text in texts for pair in _cuts(text, form)]
    if not found:
        found = [pair for text in texts for pair in _anywhere(text, rng)]
    found = list(dict.fromkeys(found))
    return rng.sample(found, min(n, len(found)))


def _forms(contexts: Sequence[str]) -> list[re.Pattern[str]]:
    """Forms of the contexts' last sentences; a word that mostly differs may be any word."""
    alike: dict[tuple[int, str], list[list[str]]] = defaultdict(list)
    for context in contexts:
        words = _SENTENCE_END.split(context.strip())[-1].split()
        if words:
            alike[len(words), words[-1]].append(words)
    forms: list[re.Pattern[str]] = []
    for (_, _), sentences in sorted(alike.items(), key=lambda item: (-len(item[1]), item[0])):
        if len(sentences) < max(2, len(contexts) // 20) and forms:
            break
        pieces = [_piece(words) for words in zip(*sentences, strict=True)][-_LONGEST:]
        forms.append(re.compile(r"(?<!\S)" + r"\s+".join(pieces) + r"(?=\s)"))
    return forms


def _piece(words: Sequence[str]) -> str:
    word, times = Counter(words).most_common(1)[0]
    return re.escape(word) if 2 * times > len(words) or len(words) == 1 else r"\S+"


def _cuts(text: str, form: re.Pattern[str]) -> Iterator[tuple[str, str]]:
    for match in form.finditer(text):
        if word := _WORD.match(text, match.end()):
            yield text[: match.end()], word[1]


def _anywhere(text: str, rng: Random) -> Iterator[tuple[str, str]]:
    places = [m for m in _WORD.finditer(text) if m.start() > 0]
    for match in rng.sample(places, min(2, len(places))):
        yield text[: match.start()], match[1]
