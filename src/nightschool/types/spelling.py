"""How an answer is spelled after its context: with a space between them, or without."""

from __future__ import annotations

_OPENING = "([{<“‘«„¿¡-/_$#@"
_CLOSING = ".,;:!?)]}>”’»%"


def target_text(context: str, answer: str) -> str:
    """An answer as it goes on after a context (whose spaces at the end are left out).

    A space stands between them, unless the context ends with a line or an opening sign, the
    answer begins with a closing one, or their script has no spaces.
    """
    answer = answer.strip()
    shown = context.rstrip(" ")
    if not answer or shown != context:
        return f" {answer}"
    last = shown[-1:]
    if not last or last.isspace() or last in _OPENING:
        return answer
    if answer[0] in _CLOSING or (unspaced(last) and unspaced(answer[0])):
        return answer
    return f" {answer}"


def unspaced(character: str) -> bool:
    """Whether a character belongs to a script that writes words without spaces between them."""
    code = ord(character)
    ranges = ((0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x2E80, 0xA4CF))
    return any(a <= code <= b for a, b in ranges) or 0xF900 <= code <= 0xFAFF or code >= 0x20000
