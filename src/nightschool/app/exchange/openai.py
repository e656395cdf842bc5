"""OpenAI's JSON lines for fine-tuning: chat messages, and the older prompt and completion.

Formats: https://platform.openai.com/docs/guides/supervised-fine-tuning (messages, with a `weight`
of 0 for what is not learned) and https://platform.openai.com/docs/api-reference/fine-tuning/
(chat input, completions input).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from nightschool.app.exchange.replies import Said, Wishes, a_list, a_text, an_object, lines
from nightschool.types import PoolError, Reply

PERSON = "openai"


def read(path: Path, wishes: Wishes) -> Iterator[Said]:
    """Each line as a context and its answer; whose they are the format does not say."""
    person = wishes.person or PERSON
    for where, row in lines(path):
        if "messages" in row:
            context, answer = _conversation(row, where)
        elif "prompt" in row and "completion" in row:
            context = a_text(row["prompt"], "prompt", where)
            answer = a_text(row["completion"], "completion", where).strip()
        else:
            raise PoolError(
                f"{where}: needs messages, or prompt and completion (found {sorted(row)})."
            )
        yield Said(where, context, person, Reply.ANSWER, answer)


def _conversation(row: Mapping[str, Any], where: str) -> tuple[str, str]:
    """What was said before the last message, and the last message, the assistant's."""
    messages = [
        an_object(message, f"{where}, messages")
        for message in a_list(row["messages"], "messages", where)
    ]
    if not messages or messages[-1].get("role") != "assistant":
        raise PoolError(f"{where}: the last message must be the assistant's, which is learned.")
    if messages[-1].get("weight") == 0:
        raise PoolError(f"{where}: its last message has weight 0; there is nothing to learn.")
    *before, last = messages
    if not before:
        raise PoolError(f"{where}: an answer without a question; put the user's message first.")
    return shown(before, where), content(last, where).strip()


def shown(messages: Sequence[Mapping[str, Any]], where: str) -> str:
    """Messages as one context, one below the other: as a served model without a template has it."""
    return "\n".join(content(message, where) for message in messages)


def content(message: Mapping[str, Any], where: str) -> str:
    """The text of a message, also of one in parts; PoolError where it holds anything else."""
    said = message.get("content")
    if isinstance(said, list):
        parts = [an_object(part, f"{where}, content") for part in said]
        if any(part.get("type") != "text" for part in parts):
            raise PoolError(f"{where}: a message holds something that is no text.")
        said = "".join(str(part.get("text", "")) for part in parts)
    return a_text(said, "content", where)
