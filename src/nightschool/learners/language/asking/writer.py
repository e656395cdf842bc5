"""The writer: contexts of its own, as likely to be answered as those that people answered."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nightschool import heads
from nightschool.learners.language.asking.rewriting import Material
from nightschool.learners.language.lessons import generator
from nightschool.types import TEXT, Context, uniform

Embed = Callable[[Sequence[str]], NDArray[np.float32]]
Predict = Callable[[Sequence[str]], Sequence[str]]
Invent = Callable[[Sequence[str], int], Sequence[str]]

TRIES = 4
"""Rewritings tried for each context that is wanted."""

REPLIES = 500
"""Replies, the newest, from which answerability is learned."""

INVENTED = "invented"
"""The group of contexts that were written from nothing: nobody knows what they are about."""

ANSWERABLE = 0.8
"""A context is kept where a person can probably answer it, by at least this probability."""


@dataclass(frozen=True)
class Model:
    """What a model does for its writer.

    `embed` gives rows (n, d) for n texts, `predict` the answer to each, `invent` at most n texts
    like those given. `longer` and `invented` are shares of what is written, in [0, 1].
    """

    embed: Embed
    predict: Predict
    invent: Invent
    longer: float = 0.0
    invented: float = 0.0


def write(
    model: Model,
    pool: Sequence[Context],
    n: int,
    *,
    asked: Sequence[Context],
    declined: Sequence[Context],
    seed: int,
) -> list[Context]:
    """At most n new contexts: rewritings of what nobody declined, and inventions.

    `asked` is what was replied to, oldest first, and `declined` the part of it that got no
    answer. A pure function of its arguments; the pool's order is moot.
    """
    refused = {context.id for context in declined}
    known = {context.id: context for context in (*asked, *pool) if context.document.kind == TEXT}
    usable = [known[i] for i in sorted(known) if i not in refused]
    if not pool or n <= 0 or not usable:
        return []
    told = [c for c in asked if c.id in known and c.id not in refused]
    every = {
        context.id: context
        for context in (
            *_invented(model, told, n),
            *_rewritten(model, usable, n, seed),
        )
        if context.id not in known and context.id not in refused
    }
    written = list(every.values())
    if refused and written:
        odds = answerable([c.text for c in written], asked, refused, model.embed)
        written = [c for c, p in zip(written, odds, strict=True) if p >= ANSWERABLE]
    return _shared(written, n, model.invented)


def _shared(written: Sequence[Context], n: int, invented: float) -> list[Context]:
    """The first n, of them the share of inventions; where one kind is short, the other fills."""
    new = [c for c in written if c.group == INVENTED]
    rest = [c for c in written if c.group != INVENTED]
    most = max(round(invented * n), n - len(rest))
    return [*new[:most], *rest][:n]


def _invented(model: Model, told: Sequence[Context], n: int) -> list[Context]:
    wanted = round(model.invented * n)
    texts = model.invent([c.text for c in told], 2 * wanted) if wanted else ()
    return [Context.of(text, "written", INVENTED) for text in texts]


def answerable(
    texts: Sequence[str], asked: Sequence[Context], refused: set[int], embed: Embed
) -> NDArray[np.float32]:
    """How probably a person can answer each text, (n,), learned from the newest replies."""
    replies = [c for c in asked if c.document.kind == TEXT][-REPLIES:]
    told = np.array([int(c.id not in refused) for c in replies], dtype=np.int64)
    if told.size == 0:
        return np.full(len(texts), 0.5, dtype=np.float32)
    seen = embed([*texts, *(c.text for c in replies)])
    # Hidden states of one model lie close together; what tells them apart is what is left.
    centred = seen - seen.mean(axis=0)
    centred /= max(float(np.sqrt((centred**2).sum(axis=1).mean())), 1e-12)
    head = heads.fit(centred[len(texts) :], told, 2)
    return head.probs(centred[: len(texts)])[:, 1]


def _rewritten(model: Model, usable: Sequence[Context], n: int, seed: int) -> Iterator[Context]:
    """Rewritings of contexts drawn by id."""
    material = Material.of([c.text for c in usable])
    order = np.argsort(uniform([c.id for c in usable], seed), kind="stable")
    seeds = [int(order[i % len(order)]) for i in range(TRIES * n)]
    rng = generator("written", seed)
    lengthened = rng.random(len(seeds)) < model.longer
    long = sorted({i for i, more in zip(seeds, lengthened, strict=True) if more})
    said = model.predict([usable[i].text for i in long]) if long else []
    answers = dict(zip(long, said, strict=True))
    for at, more in zip(seeds, lengthened, strict=True):
        text = material.lengthen(at, answers[at], rng) if more else material.recast(at, rng)
        if text is not None:
            yield Context.of(text, "written", usable[at].group)
