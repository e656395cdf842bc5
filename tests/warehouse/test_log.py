from __future__ import annotations

import threading
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from nightschool.types import UnknownQuestion, WarehouseError
from nightschool.warehouse import Warehouse
from nightschool.warehouse import log as log_module
from nightschool.warehouse.log import Log, open_log
from tests.warehouse.helpers import answer


def values(log: Log) -> list[str]:
    with log.read() as connection:
        return list(connection.scalars(text("SELECT key FROM meta ORDER BY key")))


def insert(key: str, fails: bool = False) -> log_module.Callable[[Connection], str]:
    def work(connection: Connection) -> str:
        connection.execute(text("INSERT INTO meta VALUES (:key, '')"), {"key": key})
        if fails:
            raise KeyError(key)
        return key

    return work


@pytest.fixture
def log(tmp_path: Path) -> log_module.Iterator[Log]:
    log = open_log(tmp_path)
    yield log
    log.close()


def test_waiting_writes_share_one_commit_and_a_failing_one_harms_no_neighbour(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, entered = threading.Event(), threading.Event()
    sizes: list[int] = []
    commit = Log._commit

    def counted(self: Log, jobs: list[log_module._Job]) -> object:
        sizes.append(len(jobs))
        return commit(self, jobs)

    monkeypatch.setattr(Log, "_commit", counted)

    def first(_: Connection) -> None:
        entered.set()
        assert gate.wait(5)

    outcome: dict[str, object] = {}

    def write(key: str) -> None:
        try:
            outcome[key] = log.write(insert(key, fails=key == "c"))
        except KeyError as error:
            outcome[key] = error

    threads = [threading.Thread(target=log.write, args=(first,))]
    threads[0].start()
    assert entered.wait(5)
    threads += [threading.Thread(target=write, args=(key,)) for key in "abcde"]
    for thread in threads[1:]:
        thread.start()
    while log._jobs.qsize() < 5:
        pass
    gate.set()
    for thread in threads:
        thread.join()
    assert sizes == [1, 5]
    assert values(log) == ["a", "b", "d", "e"]
    assert isinstance(outcome["c"], KeyError)
    assert outcome["a"] == "a"


def test_a_write_is_durable_and_visible_when_it_returns(log: Log) -> None:
    log.write(insert("a"))
    assert values(log) == ["a"]
    with log.read() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert connection.execute(text("PRAGMA synchronous")).scalar() == 2


def test_a_failed_commit_fails_every_write_in_it_by_a_readable_error(log: Log) -> None:
    with pytest.raises(WarehouseError, match=r"could not be written .*no such table: nowhere"):
        log.write(lambda c: c.execute(text("INSERT INTO nowhere VALUES (1)")))

    def aborts(connection: Connection) -> None:
        connection.exec_driver_sql("ROLLBACK")  # as SQLite does by itself on a full disk

    with pytest.raises(WarehouseError, match="could not be written"):
        log.write(aborts)
    log.write(insert("after"))
    assert values(log) == ["after"]


def test_a_closed_log_says_so_and_closing_waits_for_what_was_asked(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    for key in "abc":
        log.write(insert(key))
    log.close()
    log.close()
    with pytest.raises(WarehouseError, match="closed"):
        log.write(insert("d"))


def test_a_log_from_before_a_fork_says_so(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "_process", 1)
    with pytest.raises(WarehouseError, match="fork"):
        log.write(insert("a"))


def test_eight_threads_keep_answers_and_all_are_there_once(warehouse: Warehouse) -> None:
    questions = [question.id for question in warehouse.queue()]
    news: list[bool] = []

    def keep(thread: int) -> None:
        for i in range(25):
            # Each answer is sent twice, by two threads: one of them keeps it.
            name = f"{thread // 2}-{i}"
            sent = answer(name, questions[i % 10], f"person{thread // 2}")
            news.append(warehouse.keep(sent))
            with pytest.raises(UnknownQuestion):
                warehouse.keep(answer(f"bad-{thread}-{i}", "nowhere"))

    threads = [threading.Thread(target=keep, args=(t,)) for t in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kept = [a.id for a in warehouse.answers()]
    assert len(kept) == len(set(kept)) == 100
    assert sum(news) == 100
    assert len(news) == 200
    assert [person.id for person in warehouse.people()] == [f"person{i}" for i in range(4)]


def test_two_processes_write_in_turn_without_errors(folder: Path, warehouse: Warehouse) -> None:
    """Two open warehouses stand for two processes (the server and the night)."""
    questions = [question.id for question in warehouse.queue()]
    with Warehouse.open(folder) as other:

        def keep(name: str, mine: Warehouse) -> None:
            for i in range(20):
                mine.keep(answer(f"{name}-{i}", questions[i % 10], name))

        sides = [("a", warehouse), ("b", other), ("c", warehouse), ("d", other)]
        threads = [threading.Thread(target=keep, args=side) for side in sides]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(other.answers()) == 80


def test_an_address_that_is_none_is_not_remembered(folder: Path) -> None:
    for address, told in (("sqlite:///x.db", "not in 'sqlite'"), ("here", "no database's address")):
        with pytest.raises(WarehouseError, match=told):
            Warehouse.create(folder, address)
    with Warehouse.create(folder) as warehouse:
        assert warehouse.verify() == []
