from __future__ import annotations

import json

import numpy as np
import pytest

from nightschool.types import (
    EXPERIMENT,
    TRAJECTORY,
    AnswerError,
    Context,
    Document,
    Experiment,
    PoolError,
    Trajectory,
    check_trajectory,
)

ASKED = Experiment(
    "arm", np.array([0.1, 0.2]), np.array([0.1, 0.2, 0.0]), np.array([[0.5], [1 / 3]])
)


def done(steps=2, ended="", system="arm", width=3):
    return Trajectory(system, np.ones((steps + 1, width)), np.ones((steps, 1)), ended)


def test_an_experiment_comes_back_and_equal_ones_are_one_context():
    again = Experiment.of(ASKED.document())
    assert again.system == "arm"
    assert np.allclose(again.actions, ASKED.actions, atol=1e-9)
    assert again.document() == ASKED.document()
    assert Context(again.document()).id == Context(ASKED.document()).id
    other = Experiment("arm", ASKED.start, ASKED.state, -ASKED.actions)
    assert Context(other.document()).id != Context(ASKED.document()).id


def test_a_trajectory_comes_back():
    again = Trajectory.of(done(1, "step 2 failed: cable").document())
    assert again.ended == "step 2 failed: cable"
    assert again.states.shape == (2, 3)
    assert again.document() == done(1, "step 2 failed: cable").document()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"actions": []}, "0 axes|1 axes|axes"),
        ({"actions": [[float("nan")]]}, "finite"),
        ({"state": "x"}, "no experiment"),
        ({"start": None}, "no experiment"),
    ],
)
def test_a_broken_experiment_is_named(change, says):
    body = {**json.loads(ASKED.document().body), **change}
    with pytest.raises(PoolError, match=says):
        Experiment.of(Document(json.dumps(body), EXPERIMENT))


@pytest.mark.parametrize("body", ["{", "[]", "{}"])
def test_what_is_no_experiment_or_trajectory_is_refused(body):
    with pytest.raises(PoolError, match="no experiment"):
        Experiment.of(Document(body, EXPERIMENT))
    with pytest.raises(AnswerError, match="no trajectory"):
        Trajectory.of(Document(body, TRAJECTORY))
    with pytest.raises(PoolError, match="kind 'text'"):
        Experiment.of(Document(body))


@pytest.mark.parametrize(
    ("trajectory", "says"),
    [
        (done(system="leg"), "'leg'"),
        (done(width=2), "2 coordinates"),
        (done(3), "3 steps, 2 were asked"),
        (done(1), "does not say why"),
    ],
)
def test_a_trajectory_that_cannot_have_come_of_it_is_refused(trajectory, says):
    with pytest.raises(AnswerError, match=says):
        check_trajectory(trajectory.document(), ASKED.document())


def test_whole_ones_and_those_that_say_why_they_ended_fit():
    check_trajectory(done().document(), ASKED.document())
    check_trajectory(done(1, "stopped by hand").document(), ASKED.document())


def test_states_are_one_more_than_actions():
    broken = Trajectory("arm", np.ones((2, 3)), np.ones((2, 1)))
    with pytest.raises(AnswerError, match="one state more"):
        Trajectory.of(broken.document())
