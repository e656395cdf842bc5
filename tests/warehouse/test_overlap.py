"""Questions that several people are asked: as many as are wanted, each of them once."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Select

from nightschool.warehouse import Warehouse, queue
from tests.postgres import sqlite_only
from tests.warehouse.helpers import answer, contexts, picks, undo


@pytest.fixture
def shared(warehouse: Warehouse) -> Warehouse:
    """The queue: two questions for three people each, then one for one."""
    chosen = [replace(pick, wanted=3) for pick in picks(contexts(2))] + picks(contexts(3)[2:])
    warehouse.post(chosen, warehouse.champion(), now=0.0)
    return warehouse


def give(warehouse: Warehouse, person: str, *hold: str, now: float = 1.0) -> int | None:
    """The rank of what that person gets."""
    question = warehouse.lease(person, 60, hold, now=now)
    return None if question is None else question.rank


def test_so_many_people_have_it_at_once_and_no_more(shared: Warehouse) -> None:
    assert [give(shared, person) for person in ("anna", "ben", "cleo")] == [0, 0, 0]
    assert [give(shared, person) for person in ("dan", "eve", "fay", "gus")] == [1, 1, 1, 2]
    assert give(shared, "hal") is None
    # Leases that run out make room again.
    assert give(shared, "hal", now=61.0) == 0


def test_a_reply_counts_for_one_of_them_and_nobody_is_asked_twice(shared: Warehouse) -> None:
    first, second, _ = (question.id for question in shared.queue())
    shared.keep(answer("a", first, "anna"))
    shared.keep(answer("b", first, "ben"))
    assert shared.queue_left() == 3
    assert give(shared, "anna") == 1
    assert give(shared, "ben") == 1
    assert give(shared, "cleo") == 0
    assert give(shared, "dan") == 1  # Cleo has the last place of the first one
    shared.keep(answer("c", first, "cleo"))
    assert shared.queue_left() == 2
    assert give(shared, "eve") == 2
    shared.keep(answer("d", second, "dan"))
    assert {q.id: q.wanted for q in shared.queue()}[second] == 3


def test_who_is_alone_gets_everything_once(shared: Warehouse) -> None:
    for rank, question in enumerate(shared.queue()):
        assert give(shared, "anna") == rank
        shared.keep(answer(f"a{rank}", question.id))
    assert give(shared, "anna") is None
    assert shared.queue_left() == 2  # for somebody else


def test_an_answer_taken_back_makes_room_and_comes_back_to_its_person_first(
    shared: Warehouse,
) -> None:
    first = shared.queue()[0].id
    for person in ("anna", "ben", "cleo"):
        shared.keep(answer(person, first, person))
    assert give(shared, "dan") == 1
    shared.retract(undo("u", "anna"))
    assert give(shared, "anna") == 0
    assert give(shared, "eve") == 1  # Anna has the place
    shared.keep(answer("again", first, "anna"))
    shared.retract(undo("v", "ben", "ben"))
    assert give(shared, "fay") == 0  # while Ben is away anybody may have it
    assert give(shared, "ben") == 0  # and he is asked again all the same


def test_the_owners_word_ends_the_wait(shared: Warehouse) -> None:
    first = shared.queue()[0].id
    shared.keep(answer("a", first, "anna"))
    shared.keep(replace(answer("s", first, "olga"), settles=True))
    assert shared.queue_left() == 2
    assert give(shared, "ben") == 1
    shared.retract(undo("u", "s", "olga"))
    assert give(shared, "cleo") == 0


def test_what_a_client_says_it_holds_stays_its_own(warehouse: Warehouse) -> None:
    first = warehouse.lease("anna", 60, now=0)
    assert first is not None
    ahead = warehouse.lease("anna", 60, [first.id], now=50)
    assert ahead is not None
    assert give(warehouse, "ben", now=100) == 2
    # When it speaks no more its leases run out as before.
    assert give(warehouse, "ben", warehouse.queue()[2].id, now=111) == 0


def test_leases_that_are_over_are_swept_away(warehouse: Warehouse) -> None:
    for now in range(0, 1000, 100):
        give(warehouse, "anna", now=float(now))
        give(warehouse, "ben", now=float(now))
    with warehouse._log.read() as connection:
        rows = connection.exec_driver_sql("SELECT count(*) FROM leases").scalar()
    assert rows == 2


@sqlite_only
def test_what_got_all_its_replies_is_passed_over_at_once(warehouse: Warehouse) -> None:
    first, second, *_ = (question.id for question in warehouse.queue())
    warehouse.keep(answer("a", first))
    warehouse.keep(answer("b", second))
    warehouse.retract(undo("u", "b"))

    def plan(query: Select[tuple[object]]) -> list[str]:
        given = query.params(me="ben", now=0.0, hold=["x"], about=0)
        words = {"compile_kwargs": {"literal_binds": True}}
        with warehouse._log.read() as connection:
            text = str(given.compile(connection, **words))
            return [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}")]

    with warehouse._log.read() as connection:
        done = connection.exec_driver_sql("SELECT id FROM questions WHERE done").scalars().all()
    assert done == [first]
    best, own, undone = plan(queue.BEST), plan(queue._OWN), plan(queue._UNDONE)
    assert best[0] == "SEARCH questions USING INDEX questions_queue (queued=? AND done=?)"
    assert own[0].startswith("SEARCH leases USING")
    assert undone[0].startswith("SEARCH retractions_1 USING INDEX retractions_person (person=?)")
    # But for one look at who else answers, which only a question that is asked again needs.
    scans = {step for steps in (best, own, undone) for step in steps if step.startswith("SCAN")}
    assert scans <= {"SCAN answers_1"}
    assert not any("TEMP B-TREE FOR ORDER BY" in step for step in (*best, *undone))


def test_what_somebody_holds_is_not_added_again(warehouse: Warehouse) -> None:
    (chosen,) = picks(contexts(1))
    warehouse.post([chosen], warehouse.champion(), now=0.0)
    (question,) = warehouse.queue()
    warehouse.keep(answer("a", question.id, "anna"))
    warehouse.post([], warehouse.champion(), now=1.0)
    warehouse.retract(undo("u", "a", "anna"))
    assert give(warehouse, "anna") == 0  # from a queue that is gone
    assert warehouse.append([chosen], warehouse.champion(), now=2.0) == 0
    assert warehouse.append([chosen], warehouse.champion(), now=100.0) == 1


def test_undo_takes_back_no_word_that_settled_something(shared: Warehouse) -> None:
    first, second, _ = (question.id for question in shared.queue())
    shared.keep(answer("own", second, "olga"))
    shared.keep(replace(answer("s", first, "olga"), settles=True))
    last = shared.last_answer("olga")
    assert last is not None
    assert last.id == "own"


def test_minutes_that_were_given_stay_given(shared: Warehouse) -> None:
    first, second, _ = (question.id for question in shared.queue())
    shared.keep(replace(answer("a", first), seconds=3.0))
    shared.keep(replace(answer("b", second), seconds=4.0))
    shared.retract(undo("u", "b"))
    assert shared.digest.effort(60.0) == (1, 2, 7.0)
