from __future__ import annotations

import dataclasses

import pytest

from nightschool.types import Partition, Reply, Retract, UnknownQuestion
from nightschool.warehouse import Warehouse, queue
from tests.warehouse.helpers import answer, contexts, picks, undo


def test_questions_come_by_rank_and_are_kept_for_the_person_who_has_them(
    warehouse: Warehouse,
) -> None:
    first = warehouse.lease("anna", 60, now=0)
    second = warehouse.lease("ben", 60, now=1)
    assert first is not None
    assert second is not None
    assert (first.rank, second.rank) == (0, 1)
    assert first.context == contexts(1)[0]
    assert warehouse.lease("anna", 60, now=2) == first
    assert warehouse.question(first.id) == first
    with pytest.raises(UnknownQuestion, match="nowhere"):
        warehouse.question("nowhere")


def test_a_client_fetches_ahead_by_saying_what_it_holds(warehouse: Warehouse) -> None:
    hold: list[str] = []
    for rank in range(3):
        question = warehouse.lease("anna", 60, hold, now=0)
        assert question is not None
        assert question.rank == rank
        hold.append(question.id)
    ahead = warehouse.lease("ben", 60, now=0)
    assert ahead is not None
    assert ahead.rank == 3
    warehouse.keep(answer("a", hold[0]))
    again = warehouse.lease("anna", 60, now=1)
    assert again is not None
    assert again.id == hold[1]


def test_a_lease_runs_out_and_a_late_answer_is_kept_beside_the_other(
    warehouse: Warehouse,
) -> None:
    first = warehouse.lease("anna", 60, now=0)
    assert first is not None
    early = warehouse.lease("ben", 60, now=59.9)
    assert early is not None
    assert early.rank == 1
    late = warehouse.lease("cleo", 60, now=60)
    assert late == first
    assert warehouse.keep(answer("c", first.id, "cleo"))
    assert warehouse.keep(answer("a", first.id, "anna"))
    [both] = warehouse.answered(Partition.TRAINING)
    assert [a.person for a in both.answers] == ["cleo", "anna"]


def test_answered_and_skipped_questions_are_not_asked_again(warehouse: Warehouse) -> None:
    for i, reply in enumerate([Reply.SKIP, Reply.BAD_QUESTION, Reply.CANT_TELL]):
        question = warehouse.lease("anna", 60, now=0)
        assert question is not None
        assert question.rank == i
        warehouse.keep(dataclasses.replace(answer(f"{i}", question.id), reply=reply, document=None))
    assert warehouse.queue_left() == 7
    other = warehouse.lease("ben", 60, now=0)
    assert other is not None
    assert other.rank == 3


def test_the_queue_ends(warehouse: Warehouse) -> None:
    for i, question in enumerate(warehouse.queue()):
        warehouse.keep(answer(str(i), question.id))
    assert warehouse.lease("anna", 60) is None
    assert warehouse.queue_left() == 0


def test_what_a_person_took_back_is_asked_first_newest_first(warehouse: Warehouse) -> None:
    one, two, three, *_ = (question.id for question in warehouse.queue())
    for i, question in enumerate((one, two, three)):
        warehouse.keep(answer(f"a{i}", question))
    warehouse.retract(undo("r0", "a0"))
    warehouse.retract(undo("r1", "a1"))
    other = warehouse.lease("anna", 60, now=0)
    assert other is not None
    assert other.id == two
    assert warehouse.lease("anna", 60, now=1) == other
    held = warehouse.lease("anna", 60, [two], now=0)
    assert held is not None
    assert held.id == one
    ben = warehouse.lease("ben", 60, now=0)  # both are Anna's now
    assert ben is not None
    assert ben.rank == 3
    warehouse.keep(answer("a3", two))
    warehouse.keep(answer("a4", one))
    after = warehouse.lease("anna", 60, now=0)
    assert after is not None
    assert after.rank == 4


def test_what_was_taken_back_is_asked_again_even_when_a_night_replaced_the_queue(
    warehouse: Warehouse,
) -> None:
    first = warehouse.lease("anna", 60, now=0)
    assert first is not None
    warehouse.keep(answer("a", first.id))
    warehouse.post(picks(contexts(10)[5:]), warehouse.champion(), now=1000)
    warehouse.retract(undo("r", "a"))
    again = warehouse.lease("anna", 60, now=1000)
    assert again == first


def test_posting_replaces_what_is_unanswered_and_not_before_anybody(warehouse: Warehouse) -> None:
    answered, leased, expired, *rest = warehouse.queue()
    warehouse.keep(answer("a", answered.id))
    warehouse.lease("anna", 200, now=0)
    warehouse.lease("ben", 50, now=0)
    chosen = [*contexts(4), contexts(4)[3], *contexts(2, "exam")]
    assert warehouse.post(picks(chosen), warehouse.champion(), now=100) == 4
    queue = warehouse.queue()
    assert leased in queue
    assert answered.context not in [question.context for question in queue]
    ranks = [question.rank for question in queue if question != leased]
    assert ranks == [2, 3, 5, 6]
    assert queue[-1].partition == Partition.EXAM
    assert warehouse.keep(answer("b", rest[-1].id))  # replaced, yet still answerable
    assert warehouse.keep(answer("c", leased.id))
    again = warehouse.lease("ben", 60, now=100)
    assert again is not None
    assert again.context == expired.context


def test_posting_nothing_empties_the_queue(warehouse: Warehouse) -> None:
    assert warehouse.post([], warehouse.champion()) == 0
    assert warehouse.queue_left() == 0


def test_posting_the_same_twice_changes_nothing(warehouse: Warehouse) -> None:
    before = warehouse.queue()
    warehouse.lease("anna", 60, now=0)
    warehouse.post(picks(contexts(10)), warehouse.champion(), now=1)
    assert warehouse.queue() == before


def test_a_reloaded_page_shows_the_same_question_though_a_better_one_is_free_again(
    warehouse: Warehouse,
) -> None:
    warehouse.lease("ben", 10, now=0)
    mine = warehouse.lease("anna", 60, now=0)
    assert mine is not None
    assert mine.rank == 1
    assert warehouse.lease("anna", 60, now=20) == mine


def test_a_withdrawn_answer_is_not_thrown_back_at_its_person(warehouse: Warehouse) -> None:
    first, second, *_ = warehouse.queue()
    warehouse.keep(answer("a", second.id))
    warehouse.post(picks([first.context]), warehouse.champion(), now=0)
    warehouse.retract(dataclasses.replace(undo("r", "a"), why=Retract.WITHDRAWAL))
    assert warehouse.lease("anna", 60, now=0) == first


def test_the_newest_nights_questions_come_before_what_an_older_one_left(
    warehouse: Warehouse,
) -> None:
    left = warehouse.lease("ben", 60, now=0)
    with warehouse.begin_night(now=30) as night:
        night.post(picks(contexts(10)[8:]), warehouse.champion())
    assert [q.night for q in warehouse.queue()] == [1, 1, 0]
    first = warehouse.lease("anna", 60, now=100)
    assert first is not None
    assert (first.night, first.rank) == (1, 0)
    assert warehouse.queue()[-1] == left


def test_one_person_has_twenty_questions_before_them_and_no_more(warehouse: Warehouse) -> None:
    warehouse.post(picks(contexts(30)), warehouse.champion(), now=0)
    hold: list[str] = []
    for i in range(queue.MOST_LEASED):
        given = warehouse.lease("anna", 60, hold, now=i / 10)
        assert given is not None
        hold.append(given.id)
    assert len(set(hold)) == warehouse.leases(2) == 20
    again = [warehouse.lease("anna", 60, hold, now=2 + i) for i in range(2)]
    assert {q.id for q in again if q} <= set(hold)
    assert None not in again
    assert warehouse.leases(5) == 20
    others = warehouse.lease("ben", 60, now=5)
    assert others is not None
    assert others.id not in hold
    warehouse.keep(answer("a", hold[0], "anna"))  # what is answered makes room
    more = warehouse.lease("anna", 60, hold, now=6)
    assert more is not None
    assert more.id not in {*hold, others.id}


def test_the_name_of_a_question_is_the_same_when_it_is_posted_anew_and_tells_no_place(
    warehouse: Warehouse,
) -> None:
    chosen = picks(contexts(5))
    warehouse.post(chosen, warehouse.champion(), now=0)
    names = [q.id for q in warehouse.queue()]
    assert len(set(names)) == 5
    assert {len(name) for name in names} == {len("q0-") + 20}
    warehouse.post(chosen, warehouse.champion(), now=0)
    assert [q.id for q in warehouse.queue()] == names
    warehouse.set_meta("partition_key", "ab" * 16)
    warehouse.post(chosen, warehouse.champion(), now=0)
    assert not {q.id for q in warehouse.queue()} & set(names)  # nobody tells it without the key


def test_what_was_taken_back_is_not_asked_of_its_person_when_others_have_said_enough(
    warehouse: Warehouse,
) -> None:
    first, second, *_ = warehouse.queue()
    assert warehouse.lease("anna", 60.0, now=1.0) == first
    warehouse.keep(answer("a", first.id))
    warehouse.retract(undo("r", "a"))
    warehouse.keep(answer("b", first.id, "ben"))
    assert warehouse.lease("anna", 60.0, now=2.0) == second
