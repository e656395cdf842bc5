"""The writer: what it keeps, what it leaves out, and what its choices depend on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

import numpy as np
import pytest
from test_asking_rewriting import CITIES, DRIVERS, HALVES, journey

from nightschool.learners.language.asking.writer import INVENTED, Model, answerable, write
from nightschool.types import Context, Document

OPEN = "Now {} dreams of"


def embed(texts: Sequence[str]) -> np.ndarray:
    """A direction for the last word, and a little of the length."""
    rows = [[1.0, float(t.endswith("of")), len(t) / 1000, 0.0] for t in texts]
    return np.array(rows, dtype=np.float32)


def predict(texts: Sequence[str]) -> list[str]:
    return [HALVES.get(t.split()[2], "two") for t in texts]


@pytest.fixture(scope="module")
def pool() -> list[Context]:
    rng = Random(6)
    texts = sorted({journey(rng) for _ in range(260)})
    groups = ["travel" if text.endswith("in") else "loads" for text in texts]
    pairs = zip(texts, groups, strict=True)
    return [Context.of(text, group=group) for text, group in pairs]


def dreams() -> list[Context]:
    """Open-ended contexts: two thirds of those that there could be."""
    return [
        Context.of(f"{name} slept in {city}. {OPEN.format(name)}", group="dreams")
        for i, name in enumerate(DRIVERS)
        for j, city in enumerate(CITIES)
        if (i + 2 * j) % 3
    ]


def invent(texts: Sequence[str], n: int) -> list[str]:
    return [f"Invention {i} of" if i % 2 else f"Invention {i} is" for i in range(n)]


MODEL = Model(embed, predict, invent)


def made(
    pool: Sequence[Context], n: int = 40, model: Model = MODEL, **changes: object
) -> list[Context]:
    return write(model, pool, n, **{"asked": (), "declined": (), "seed": 1, **changes})


def test_written_contexts_are_new_and_say_where_they_come_from(pool: list[Context]):
    written = made(pool)
    assert len(written) == 40
    assert len({c.id for c in written}) == 40
    assert not {c.id for c in written} & {c.id for c in pool}
    assert {c.source for c in written} == {"written"}
    assert {c.group for c in written} == {"travel", "loads"}
    assert all((c.group == "travel") == c.text.endswith("in") for c in written)


def test_the_same_seed_writes_the_same_whatever_the_order(pool: list[Context]):
    assert made(pool) == made(pool[::-1])
    assert made(pool) != made(pool, seed=2)


def test_what_nobody_could_answer_is_left_out(pool: list[Context]):
    open_ended = dreams()
    everything = [*pool, *open_ended]
    before = made(everything, 80)
    assert any(c.group == "dreams" for c in before)
    asked = [*pool[:20], *open_ended[:12]]
    after = made(everything, 80, asked=asked, declined=open_ended[:12])
    assert len(after) > 40
    assert not any(c.group == "dreams" for c in after)


def test_a_declined_context_is_no_seed(pool: list[Context]):
    one = Context.of("Kim slept in Rome. Now Kim dreams of", group="dreams")
    assert not made([one], asked=[one], declined=[one])


def test_answerability_is_learned_from_replies(pool: list[Context]):
    texts = [pool[0].text, dreams()[0].text]
    assert np.allclose(answerable(texts, (), set(), embed), 0.5)
    replies = [*pool[:15], *dreams()[:15]]
    odds = answerable(texts, replies, {c.id for c in dreams()[:15]}, embed)
    assert odds[0] > 0.8
    assert odds[1] < 0.2


def test_longer_ones_on_request(pool: list[Context]):
    seen = set()

    def watched(texts: Sequence[str]) -> list[str]:
        seen.update(texts)
        return predict(texts)

    longest = max(c.text.count(".") for c in pool)
    plain = made(pool, model=replace(MODEL, predict=watched))
    assert max(c.text.count(".") for c in plain) == longest
    assert not seen
    longer = made(pool, model=replace(MODEL, predict=watched, longer=1.0))
    assert longer
    assert min(c.text.count(".") for c in longer) > longest - 1
    assert seen


def test_inventions_are_a_share_and_judged_like_all_others(pool: list[Context]):
    told = []

    def watched(texts: Sequence[str], n: int) -> list[str]:
        told.append(list(texts))
        return invent(texts, n)

    model = replace(MODEL, invent=watched, invented=0.25)
    asked = [*pool[:20], *dreams()[:12]]
    written = made(pool, 40, model, asked=asked, declined=dreams()[:12])
    own = [c for c in written if c.group == INVENTED]
    assert len(written) == 40
    assert len(own) == 10
    assert all(c.text.endswith("is") for c in own)
    assert told == [[c.text for c in pool[:20]]]


@pytest.mark.parametrize("n", [0, -1])
def test_nothing_on_request_for_nothing(pool: list[Context], n: int):
    assert made(pool, n) == []
    assert made([], 5) == []


def test_other_kinds_are_left_alone(pool: list[Context]):
    drawing = Context(Document("{}", "caption"))
    assert made([drawing]) == []
    assert made([*pool, drawing]) == made(pool)


def test_a_pool_without_two_of_a_kind_gives_nothing():
    assert made([Context.of("Once"), Context.of("upon a time"), Context.of("there was")]) == []
