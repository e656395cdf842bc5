from __future__ import annotations

import dataclasses

import pytest
from sqlalchemy import select

from nightschool.types import Partition, Pick, Reply
from nightschool.warehouse import Warehouse, tables
from nightschool.warehouse.queue import AGAIN_AFTER, RECENT
from tests.warehouse.helpers import answer, contexts, picks, undo

DAY = AGAIN_AFTER


def with_spares(warehouse: Warehouse) -> list[int]:
    """Four queued (the second is an exam question) and three spare; returns their contexts."""
    train, exam = contexts(6), contexts(1, "exam")
    chosen = picks([train[0], exam[0], *train[1:]])
    chosen[4:] = [dataclasses.replace(pick, spare=True) for pick in chosen[4:]]
    assert warehouse.post(chosen, warehouse.champion(), now=0) == 4
    return [pick.context.id for pick in chosen]


def asked(warehouse: Warehouse) -> list[int]:
    return [question.context.id for question in warehouse.queue()]


def test_spares_wait_behind_the_queue_and_do_not_make_it_longer(warehouse: Warehouse) -> None:
    names = with_spares(warehouse)
    assert asked(warehouse) == names[:4]
    assert [q.context.id for q in warehouse.spares()] == names[4:]
    assert warehouse.queue_left() == 4
    assert warehouse.counts().questions == 13  # ten before, the first of them again, three more


def test_reranking_swaps_the_best_in_and_leaves_exam_and_length_alone(
    warehouse: Warehouse,
) -> None:
    names = with_spares(warehouse)
    order = [names[6], names[1], names[3], names[0], names[4], names[2], names[5]]
    assert warehouse.rerank(0, order, now=0) == 5
    assert asked(warehouse) == [names[6], names[1], names[3], names[0]]
    assert [q.context.id for q in warehouse.spares()] == [names[4], names[2], names[5]]
    assert warehouse.rerank(0, order, now=0) == 0
    with warehouse.begin_night(now=1.0) as night:
        night.post(picks(contexts(10)[8:]), warehouse.champion())
    assert warehouse.rerank(0, order[::-1], now=0) == 0
    assert len(asked(warehouse)) == 2


def test_what_somebody_has_before_them_and_what_was_answered_stays(warehouse: Warehouse) -> None:
    names = with_spares(warehouse)
    first = warehouse.lease("anna", 60, now=0)
    assert first is not None
    assert first.context.id == names[0]
    warehouse.keep(answer("a", warehouse.queue()[2].id))
    warehouse.rerank(0, [names[6], names[5], names[0], names[3], names[2]], now=0)
    assert asked(warehouse) == [names[0], names[1], names[6]]
    assert warehouse.lease("anna", 60, now=1) == first


def test_going_on_moves_spares_into_the_queue_under_their_own_names(warehouse: Warehouse) -> None:
    with_spares(warehouse)
    for i, question in enumerate(warehouse.queue()):
        warehouse.keep(answer(f"a{i}", question.id))
    spares = warehouse.spares()
    more = picks([q.context for q in spares[:2]])
    before = warehouse.counts().questions
    assert warehouse.append(more, warehouse.champion()) == 2
    assert [q.id for q in warehouse.queue()] == [q.id for q in spares[:2]]
    assert [q.id for q in warehouse.spares()] == [spares[2].id]
    assert warehouse.counts().questions == before + 2


def test_a_new_queue_takes_the_place_of_old_spares(warehouse: Warehouse) -> None:
    names = with_spares(warehouse)
    warehouse.post(picks(contexts(10)[8:]), warehouse.champion(), now=0)
    assert names[6] not in asked(warehouse)
    warehouse.reserve([names[5]])
    assert names[5] not in [q.context.id for q in warehouse.spares()]


def again(warehouse: Warehouse, at: float = 0.0, last: bool = False) -> str:
    """The first context, answered by anna, is posted to be asked again, first or last."""
    question = warehouse.queue()[0]
    said = dataclasses.replace(answer("first", question.id), at=at)
    warehouse.keep(said)
    pick = dataclasses.replace(picks([question.context])[0], again=True)
    with warehouse.begin_night(now=1.0) as night:
        others = picks(contexts(3)[1:])
        night.post([*others, pick] if last else [pick, *others], warehouse.champion())
    found = warehouse.queue()[-1 if last else 0]
    assert found.context == question.context
    assert found.id != question.id
    return found.id


def test_an_answered_context_is_asked_again_of_somebody_else(warehouse: Warehouse) -> None:
    warehouse.keep(answer("ben", warehouse.queue()[5].id, "ben"))
    name = again(warehouse)
    mine = warehouse.lease("anna", 60, now=9 * DAY)
    assert mine is not None
    assert mine.id != name  # nobody checks their own answer
    theirs = warehouse.lease("ben", 60, now=2)
    assert theirs is not None
    assert theirs.id == name
    assert warehouse.keep(answer("second", name, "ben", "no"))
    assert name not in [q.id for q in warehouse.queue()]
    [both] = [a for a in warehouse.answered(Partition.TRAINING) if len(a.answers) == 2]
    assert [a.id for a in both.answers] == ["first", "second"]


def test_who_is_alone_is_asked_again_a_day_later(warehouse: Warehouse) -> None:
    name = again(warehouse, last=True)
    others = [q.id for q in warehouse.queue()[:-1]]
    assert warehouse.lease("anna", 60, others, now=DAY - 1) is None
    later = warehouse.lease("anna", 60, others, now=DAY + 1)
    assert later is not None
    assert later.id == name
    warehouse.keep(answer("second", name))
    warehouse.retract(undo("r", "second"))
    back = warehouse.lease("anna", 60, now=DAY + 100)
    assert back is not None
    assert back.id == name  # what was taken back is asked first, though the first answer stands


@pytest.mark.parametrize("reply", [Reply.SKIP, Reply.CANT_TELL])
def test_any_reply_ends_a_question_that_is_asked_again(warehouse: Warehouse, reply: Reply) -> None:
    warehouse.keep(answer("ben", warehouse.queue()[5].id, "ben"))
    name = again(warehouse)
    left = warehouse.queue_left()
    said = dataclasses.replace(answer("second", name, "ben"), reply=reply, document=None)
    warehouse.keep(said)
    assert warehouse.queue_left() == left - 1


def test_a_night_that_is_resumed_leaves_no_spares_of_its_first_choice(
    warehouse: Warehouse,
) -> None:
    def chosen(*names: int) -> list[Pick]:
        two = picks([contexts(5)[i] for i in names])
        return [*two[:2], *(dataclasses.replace(pick, spare=True) for pick in two[2:])]

    with warehouse.begin_night(now=1.0) as night:
        night.post(chosen(0, 1, 2, 3), warehouse.champion())
        night.post(chosen(2, 3, 1, 4), warehouse.champion())
    ids = [context.id for context in contexts(5)]
    assert [q.context.id for q in warehouse.spares()] == [ids[1], ids[4]]
    warehouse.rerank(night.number, [ids[3], ids[1], ids[4], ids[2], ids[0]], now=0)
    assert asked(warehouse) == [ids[3], ids[1]]
    assert [q.context.id for q in warehouse.spares()] == [ids[4], ids[2]]


def lent(warehouse: Warehouse, now: float) -> str:
    question = warehouse.lease("anna", 0, now=now)
    assert question is not None
    return question.id


def test_once_somebody_has_been_away_long_enough_the_other_is_alone(warehouse: Warehouse) -> None:
    warehouse.keep(answer("ben", warehouse.queue()[5].id, "ben"))  # at 100 seconds
    name = again(warehouse)
    assert warehouse.active(50 + RECENT) == {"ben"}
    assert lent(warehouse, 99 + RECENT) != name
    assert lent(warehouse, 100 + RECENT) == name


def test_an_answer_that_was_taken_back_makes_nobody_wait(warehouse: Warehouse) -> None:
    warehouse.keep(answer("ben", warehouse.queue()[5].id, "ben"))
    name = again(warehouse)
    assert lent(warehouse, DAY) != name
    warehouse.retract(undo("r", "ben", "ben"))
    assert warehouse.active(DAY) == {"anna"}
    assert lent(warehouse, DAY) == name


def test_what_a_test_file_takes_over_is_no_spare_any_more(warehouse: Warehouse) -> None:
    names = with_spares(warehouse)
    warehouse.reserve([names[5]])
    query = select(tables.questions.c.spare).where(tables.questions.c.context_id == names[5])
    with warehouse._log.read() as connection:
        assert set(connection.scalars(query)) == {False}
