"""For how long a question is kept: a few times what that person takes for one."""

from __future__ import annotations

import pytest

from nightschool.app.leases import FRESH, HISTORY, Leases, lease_seconds


@pytest.mark.parametrize(
    ("own", "everybody", "ahead", "seconds"),
    [
        ([20.0] * HISTORY, [], 0, 60.0),  # three times the median
        ([20.0] * HISTORY, [], 2, 180.0),  # two questions are before it
        ([2.0] * HISTORY, [], 0, 30.0),  # time enough to be called away
        ([900.0] * HISTORY, [], 0, 600.0),  # never longer than the setting
        ([20.0] * 4 + [9000.0], [], 0, 60.0),  # a pause is no pace
        ([20.0] * (HISTORY - 1), [40.0] * HISTORY, 0, 120.0),  # too few: like everybody
        ([], [40.0] * (HISTORY - 1), 0, 600.0),  # nobody knows
    ],
)
def test_a_lease_is_three_times_the_persons_pace(
    own: list[float], everybody: list[float], ahead: int, seconds: float
) -> None:
    assert lease_seconds(own, everybody, ahead, 600.0) == seconds


class Log:
    """A warehouse that counts how often it is asked for a pace."""

    def __init__(self) -> None:
        self.asked: list[str | None] = []
        self.paces: dict[str | None, list[float]] = {"anna": [20.0] * 9, None: [50.0] * 9}

    def seconds(self, person: str | None, newest: int) -> list[float]:
        self.asked.append(person)
        return self.paces.get(person, [])[:newest]


def test_a_pace_is_looked_up_once_a_minute() -> None:
    log, clock = Log(), [1000.0]
    leases = Leases(log, 600.0, lambda: clock[0])  # type: ignore[arg-type]
    assert [leases.seconds("anna"), leases.seconds("ben"), leases.seconds("anna")] == [60, 150, 60]
    assert log.asked == ["anna", "ben", None]
    log.paces["anna"] = [30.0] * 9
    clock[0] += FRESH
    assert leases.seconds("anna") == 90
    clock[0] -= 10 * FRESH  # a clock that was put back is no reason to remember for ever
    log.paces["anna"] = [40.0] * 9
    assert leases.seconds("anna") == 120
