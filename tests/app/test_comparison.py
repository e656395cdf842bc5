from __future__ import annotations

import csv
import math

import numpy as np
import pytest
from matplotlib import image

from nightschool.app.comparison import compare, draw, write_tables
from nightschool.types import ConfigError


def run(*values, seconds=1.0):
    """Mornings of a run that had those accuracies, with 10 answers between two."""
    return [
        {
            "answers": 10 * i,
            "trainee": {"all": v, "error": 1 - v},
            "spans": [{"name": "choose", "seconds": seconds}, {"name": "fit", "seconds": 9.0}],
        }
        for i, v in enumerate(values)
    ]


@pytest.fixture
def runs():
    return {
        ("random", 1): run(0.1, 0.3, 0.5),
        ("ours", 1): run(0.1, 0.5, 0.6, seconds=3.0),
        ("random", 2): run(0.1, 0.2, 0.4),
        ("ours", 2): run(0.1, 0.3, 0.6, seconds=3.0),
        ("random", 3): run(0.1, 0.2, 0.2),  # alone: without ours it is in no comparison
    }


def test_strategies_are_compared_over_the_seeds_that_all_have(runs):
    found = compare(runs, target=0.5)
    assert found.baseline == "random"
    assert [c.seeds for c in found.curves] == [(1, 2), (1, 2)]
    random, ours = found.summaries()
    assert (random.median, ours.median) == pytest.approx((0.45, 0.6))
    assert (ours.before, ours.mean) == pytest.approx((0.1, 0.6))
    assert ours.area == pytest.approx((0.425 + 0.325) / 2)
    assert (random.to_target.reached, ours.to_target.reached) == (1, 2)
    assert ours.to_target.median == 15
    assert ours.to_baseline.median == 15  # 0.5 after 10 answers in seed 1, 0.4 after 20 in seed 2
    assert ours.share_of_baseline == pytest.approx(15 / 20)
    assert (random.seconds, ours.seconds) == (1.0, 3.0)


def test_differences_are_taken_seed_by_seed(runs):
    (pair,) = compare(runs).pairings()
    assert (pair.strategy, pair.baseline, pair.ahead) == ("ours", "random", 2)
    assert pair.end == pytest.approx(0.15)
    half = 12.7062 * 0.05 / 1  # t(1) times the standard error of 0.1 and 0.2
    assert (pair.end_low, pair.end_high) == pytest.approx((0.15 - half, 0.15 + half), rel=1e-4)


def test_of_an_error_less_is_better(runs):
    found = compare(runs, "error", target=0.5, lower=True)
    assert not found.percent
    assert found.summaries()[1].to_target.reached == 2
    assert found.pairings()[0].ahead == 2


def test_without_random_the_first_is_the_baseline(runs):
    runs = {("other" if s == "random" else s, seed): m for (s, seed), m in runs.items()}
    assert compare(runs).baseline == "other"


def test_mornings_that_were_not_measured_are_left_out(runs):
    runs["ours", 2][1]["trainee"]["all"] = math.nan
    curves = {c.strategy: c for c in compare(runs).curves}
    assert curves["ours"].answers.tolist() == [0, 20]
    assert curves["random"].answers.tolist() == [0, 10, 20]


def test_a_difference_is_of_equal_answers(runs):
    runs["ours", 2][1]["trainee"]["all"] = math.nan
    (pair,) = compare(runs).pairings()
    assert pair.end == pytest.approx(0.15)


def test_the_band_is_of_every_morning_after_the_first_that_both_have():
    runs = {("random", s): run(math.nan, 0.0, 0.0) for s in (1, 2)}
    runs |= {("ours", s): run(0.0, 0.25, 0.5) for s in (1, 2)}
    (pair,) = compare(runs).pairings()
    assert (pair.band_low, pair.band_high) == (0.25, 0.5)
    for mornings in runs.values():
        mornings[0]["trainee"]["all"] = 0.0
    (pair,) = compare(runs).pairings()
    assert pair.band_low == 0.25


def test_a_measure_that_there_is_not_is_refused_by_name(runs):
    with pytest.raises(ConfigError, match="'al'; measured: 'all', 'error'"):
        compare(runs, "al")
    with pytest.raises(ConfigError, match="No seed is complete"):
        compare({("random", 1): run(0.1), ("ours", 2): run(0.1)})


def test_tables_and_picture(runs, tmp_path):
    found = compare(runs, target=0.5)
    files = write_tables(found, tmp_path)
    assert [f.name for f in files] == ["curves.csv", "runs.csv", "summary.csv", "paired.csv"]
    tables = [list(csv.DictReader(f.open(newline=""))) for f in files]
    assert [len(t) for t in tables] == [6, 12, 2, 1]
    last = tables[0][-1]
    assert (last["strategy"], last["answers"], last["seeds"]) == ("ours", "20.0", "2")
    assert float(last["mean"]) == pytest.approx(0.6)
    assert float(tables[2][1]["to_target_median"]) == 15
    pixels = image.imread(draw(found, tmp_path / "curves.png"))
    assert len(np.unique(pixels.reshape(-1, pixels.shape[-1]), axis=0)) > 10
