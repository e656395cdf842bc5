from __future__ import annotations

import numpy as np

from nightschool.limits import Point, Stability, Trial, advise, forecast

STABLE, MOVING = Stability((0.99, 1.0, 1.0), 500), Stability((0.8, 0.9, 0.9), 500)


def made(ceiling, scale=30.0, begin=0.2, n=9, items=400):
    x = 20.0 * np.arange(n)
    y = ceiling - (ceiling - begin) * np.exp(-x / scale)
    return tuple(Point(float(a), float(s), items) for a, s in zip(x, y, strict=True))


def test_a_rising_curve_goes_on():
    found = advise(forecast(made(0.95, 120)), 0.9, ahead=100, stability=MOVING)
    assert found.verdict == "go on"
    assert any("still change" in line for line in found.evidence)


def test_a_target_that_is_reached_stops():
    assert advise(forecast(made(0.95)), 0.7, ahead=100).verdict == "stop"


def test_stable_predictions_stop_only_where_nothing_more_would_come():
    saturated = forecast(made(0.88, 15, n=14))
    assert advise(saturated, 0.93, ahead=20, stability=MOVING).verdict != "stop"
    assert advise(saturated, 0.93, ahead=20, stability=STABLE).verdict == "stop"
    rising = forecast(made(0.99, 150, n=6))
    assert advise(rising, 0.93, ahead=200, stability=STABLE).verdict == "go on"


def test_a_flat_curve_names_the_smallest_recipe_that_does_by_measurement():
    flat = made(0.4)
    trials = [
        Trial("present", flat, 1_000),
        Trial("huge", made(0.97, 20), 9_000_000),
        Trial("middle", made(0.95, 20), 50_000),
        Trial("small", made(0.45, 20), 2_000),
        Trial("slow", made(0.98, 200), 1_500),
    ]
    found = advise(forecast(flat), 0.9, ahead=100, trials=trials)
    assert found.verdict == "more answers will not help"
    assert found.size == "middle"
    said = " ".join(found.evidence)
    assert "middle (50.0 thousand parameters) reaches 95 % on the same answers: it would do" in said
    assert "slow (1.5 thousand parameters)" in said
    assert "has not flattened" in said


def test_three_nights_do_not_prove_that_a_curve_has_flattened():
    few, more = (forecast(made(0.02, begin=0.02, n=n, items=2000)) for n in (3, 4))
    assert advise(few, 1.0, ahead=100).verdict == "go on"
    assert advise(more, 1.0, ahead=100).verdict == "more answers will not help"


def test_one_that_is_on_its_way_will_do_where_none_is_there():
    flat = made(0.4)
    trials = [
        Trial("present", flat, 1),
        Trial("small", made(0.45), 2),
        Trial("slow", made(0.98, 150), 3),
    ]
    assert advise(forecast(flat), 0.95, ahead=100, trials=trials).size == "slow"
    none = advise(forecast(flat), 0.95, ahead=100, trials=trials[:2])
    assert none.size == ""
    alone = advise(forecast(flat), 0.95, ahead=100)
    assert any("--larger" in line for line in alone.evidence)
