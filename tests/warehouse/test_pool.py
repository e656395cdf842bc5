from __future__ import annotations

import dataclasses

from nightschool.types import Context, Partition, Reply
from nightschool.warehouse import Added, Warehouse, pool
from tests.warehouse.helpers import answer, contexts, picks, side


def test_contexts_are_added_once_each_and_stream_in_chunks(
    warehouse: Warehouse, monkeypatch: object
) -> None:
    many = contexts(2 * pool.AT_ONCE + 5)
    added = warehouse.add_contexts(iter([*many, many[0]]), side)
    assert added == Added(new=len(many) - 10, known=11, training=len(many) - 10, exam=0)
    assert warehouse.add_contexts(contexts(3, "exam 2"), side) == Added(3, 0, 0, 3)
    assert warehouse.add_contexts(many, side) == Added(0, len(many), 0, 0)
    assert set(warehouse.contexts(Partition.TRAINING)) == set(many)


def test_a_context_keeps_its_partition_for_ever(warehouse: Warehouse) -> None:
    exam = warehouse.contexts(Partition.EXAM)
    warehouse.add_contexts(exam, lambda _: Partition.TRAINING)
    louder = [Context.of(c.text.upper() + "!") for c in exam]  # the same after normalising
    warehouse.add_contexts(louder, lambda _: Partition.TRAINING)
    assert warehouse.contexts(Partition.EXAM) == exam


def test_contexts_come_back_as_they_were_brought(warehouse: Warehouse) -> None:
    strange = Context.of("Ünïcode\n\tand \U0001f600 'quotes' too", "written", "skill")
    document = dataclasses.replace(strange.document, kind="drawing", parts={"png": b"ink"})
    drawn = Context(document, "pool", "")
    warehouse.add_contexts([strange, drawn], side)
    assert warehouse.is_known(strange.id)
    assert not warehouse.is_known(1)
    found = {c.id: c for c in warehouse.contexts(Partition.TRAINING)}
    assert found[strange.id] == strange
    assert found[drawn.id] == drawn
    assert found[drawn.id].document.parts["png"] == b"ink"


def test_answered_contexts_are_those_with_a_reply_that_counts(warehouse: Warehouse) -> None:
    first, second, *_ = warehouse.queue()
    warehouse.keep(answer("a", first.id))
    warehouse.keep(dataclasses.replace(answer("b", second.id), reply=Reply.SKIP, document=None))
    done = {first.context.id, second.context.id}
    assert {c.id for c in warehouse.contexts(Partition.TRAINING, answered=True)} == done
    rest = {c.id for c in warehouse.contexts(Partition.TRAINING, answered=False)}
    assert rest == {c.id for c in contexts(10)} - done


def test_unknown_contexts_are_added_when_they_are_posted(warehouse: Warehouse) -> None:
    written = Context.of("written by the model", "written")
    assert warehouse.post(picks([written]), warehouse.champion()) == 1
    assert warehouse.is_known(written.id)
