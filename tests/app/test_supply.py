"""The queue is filled before many people find it empty, and never for one person alone."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from nightschool.app.config import Config
from nightschool.app.supply import BUSY, Supply
from nightschool.loop import Budget
from nightschool.warehouse import Warehouse
from tests.warehouse.helpers import answer, make


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    with make(tmp_path / "school", 200) as warehouse:
        warehouse.post([], warehouse.champion())
        yield warehouse


def supply(warehouse: Warehouse, **settings: object) -> Supply:
    config = Config(questions=5, **settings)  # type: ignore[arg-type]
    return Supply(warehouse, config, Budget(5), lambda: (), lambda: 0.0)


def test_at_the_present_pace_it_lasts_a_while(warehouse: Warehouse) -> None:
    filling = supply(warehouse)
    for _ in range(BUSY - 1):
        filling.given()
    assert filling.ahead() == 0
    filling.given()
    assert filling.ahead() == 2 * BUSY
    assert warehouse.queue_left() == 2 * BUSY
    assert filling.ahead() == 0
    # What somebody has before them is no supply.
    held = [warehouse.lease("anna", 60, now=0.0)]
    assert filling.ahead() > 0
    assert held[0] is not None
    warehouse.keep(answer("a", held[0].id))


def test_a_thread_does_it_until_the_school_closes(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nightschool.app.supply.EVERY", 0.01)
    filling = supply(warehouse)
    for _ in range(BUSY):
        filling.given()
    filling.begin()
    deadline = time.monotonic() + 10
    while warehouse.queue_left() < 2 * BUSY and time.monotonic() < deadline:
        time.sleep(0.01)
    filling.close()
    assert warehouse.queue_left() >= 2 * BUSY


def test_a_share_of_what_it_draws_is_for_several_people(warehouse: Warehouse) -> None:
    assert supply(warehouse, overlap=1.0, overlap_people=4).refill(20) == 20
    assert {question.wanted for question in warehouse.queue()} == {4}
    filling = supply(warehouse, overlap=1.0, oracle="arithmetic")
    filling.refill(20)
    assert {question.wanted for question in warehouse.queue()} == {1, 4}
