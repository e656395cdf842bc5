"""One job, choice by choice and piece by piece."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from typing import cast

from nightschool.types.serving import Prompt, Scored, ScoredToken, Scorer
from nightschool.web.completions.job import Job, Piece, Usage
from nightschool.web.serving import Served

_SEEDS = 1 << 31


def choices(served: Served, job: Job) -> Iterator[Piece]:
    """The pieces of every choice, one choice after the other."""
    seed = job.seed if job.seed is not None else secrets.randbelow(_SEEDS)
    prompts = [prompt for prompt in job.texts(served) for _ in range(job.n)]
    for index, prompt in enumerate(prompts):
        own = (seed + index) % _SEEDS
        # The prompt of several choices was read for each, but is counted once, as OpenAI does.
        first = index % job.n == 0
        if job.logprobs is None:
            yield from _written(served, job, prompt, index, own, first)
        else:
            yield _scored(served, job, prompt, index, own, first)


def _written(
    served: Served, job: Job, prompt: Prompt, index: int, seed: int, first: bool
) -> Iterator[Piece]:
    """A choice as the model writes it."""
    if job.echo and (shown := _spelled(served, prompt)):
        yield Piece(index, shown)
    count, said = 0, ""
    for text in served.generator.complete(
        cast(str, prompt),  # tokens only where the model takes them
        max_tokens=job.max_tokens,
        temperature=job.temperature,
        seed=seed,
        stop=job.stop,
    ):
        count += 1
        said += text
        yield Piece(index, text)
    # The interface does not say why a text ended; a piece is a token for our own learner.
    finish = "length" if count >= job.max_tokens else "stop"
    yield Piece(index, "", finish, _usage(served, prompt if first else "", said))


def _spelled(served: Served, prompt: Prompt) -> str:
    return prompt if isinstance(prompt, str) else cast(Scorer, served.generator).spell(prompt)


def _usage(served: Served, prompt: Prompt, said: str) -> Usage | None:
    """Tokens read and written; None for a model that does not count. What was said is re-read."""
    count = getattr(served.generator, "count", None)
    if count is None:
        return None
    # The model's own mark of a beginning belongs to the prompt alone.
    written = count(said) - count("") if said else 0
    return Usage(count(prompt) if prompt else 0, written)


def _scored(served: Served, job: Job, prompt: Prompt, index: int, seed: int, first: bool) -> Piece:
    """A choice whole, with the probability of every token."""
    found = cast(Scorer, served.generator).score(
        prompt,
        max_tokens=job.max_tokens,
        temperature=job.temperature,
        seed=seed,
        top=job.logprobs or 0,
    )
    written, stopped = until(found.written, job.stop)
    tokens = [*(found.prompt if job.echo else ()), *written]
    text = "".join(token.text for token in tokens)
    usage = Usage(len(found.prompt) if first else 0, len(written))
    finish = "stop" if stopped or found.ended else "length"
    return Piece(index, text, finish, usage, table(tokens, ended=_ended(found, stopped)))


def _ended(found: Scored, stopped: bool) -> bool:
    return found.ended and not stopped


def until(tokens: Sequence[ScoredToken], stop: Sequence[str]) -> tuple[list[ScoredToken], bool]:
    """The tokens before the first stop string, the last one perhaps cut; whether there was one."""
    text = "".join(token.text for token in tokens)
    ends = [at for s in stop if (at := text.find(s)) >= 0]
    if not ends:
        return list(tokens), False
    kept, left = [], min(ends)
    for token in tokens:
        if left <= 0:
            break
        kept.append(ScoredToken(token.text[:left], token.name, token.logprob, token.top))
        left -= len(token.text)
    return kept, True


def table(tokens: Sequence[ScoredToken], *, ended: bool = False) -> dict[str, list[object]]:
    """Tokens in OpenAI's words: names, log probabilities, the most probable, and offsets."""
    offsets, at = [], 0
    for token in tokens:
        offsets.append(at)
        at += len(token.text)
    return {
        "tokens": [token.name for token in tokens],
        "token_logprobs": [token.logprob for token in tokens],
        "top_logprobs": [dict(t.top) if t.logprob is not None else None for t in tokens],
        "text_offset": list(offsets),
    }
