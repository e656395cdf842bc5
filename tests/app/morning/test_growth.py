"""Amdahl and Moore against their closed forms."""

from __future__ import annotations

import math

import pytest

from nightschool.app.morning.growth import growth, split, turn


@pytest.mark.parametrize(("people", "compute"), [(300.0, 900.0), (1.0, 0.0), (3.5, 1e6)])
def test_the_forecast_is_the_closed_form(people: float, compute: float) -> None:
    found = growth(people, compute)
    share = compute / (people + compute)
    assert found.loop / found.twice == pytest.approx(1 / ((1 - share) + share / 2))
    assert found.gain == pytest.approx(1 / (1 - share))
    assert (found.limit, found.loop) == (people, people + compute)
    for year in found.years:
        speed = math.exp(math.log(2) * year.years / 2)
        assert year.speed == pytest.approx(speed)
        assert year.seconds == pytest.approx(found.loop * ((1 - share) + share / speed))
        assert year.share == pytest.approx(people / (people + compute / speed))
    assert [year.years for year in found.years] == list(range(11))


def test_the_loop_tends_to_the_people() -> None:
    far = growth(60.0, 3600.0, years=60)
    shares = [year.share for year in far.years]
    assert shares == sorted(shares)
    assert shares[-1] > 0.9999
    assert far.years[-1].seconds == pytest.approx(60.0, abs=1e-4)


def test_where_nobody_answers_faster_computers_have_no_limit() -> None:
    assert growth(0.0, 10.0).gain == math.inf
    assert growth(0.0, 0.0).years[0].share == 0.0


def test_waiting_and_serving_are_no_part_of_the_loop() -> None:
    parts = {"answering": 5.0, "training": 3.0, "loading": 2.0, "idle": 9.0, "waiting": 8.0}
    assert split({**parts, "showing": 7.0, "completing": 6.0}) == (5.0, 5.0)
    assert turn(parts) == growth(5.0, 5.0)
    for lacking in ("answering", "training"):  # no turn of the loop: nothing to make faster
        assert turn({**parts, lacking: 0.0}) is None
    assert turn({}) is None
