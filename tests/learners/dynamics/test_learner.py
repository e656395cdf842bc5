from __future__ import annotations

import json
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch

from nightschool.learners.dynamics import KIND, settings_for
from nightschool.learners.dynamics.settings import Settings, parse
from nightschool.learners.dynamics.storing import CHECKPOINT
from nightschool.strategies.information import Information
from nightschool.testing import check_learner
from nightschool.testing.learners import MemoryDataset
from nightschool.types import Context, LearnerError
from nightschool.types.trajectory import Experiment, Spec, Trajectory

from .conftest import (
    QUICK,
    SPEC,
    contexts,
    dataset,
    example,
    experiments,
    item,
    physics,
    tried,
)

torch.set_num_threads(1)
HELD_OUT = [tried(e, noise=0.0) for e in experiments(8, 70)]


def equal(one, two):
    a, b = one.ensemble.arrays, two.ensemble.arrays
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


def fit(learner, folder, data=None, seed=3, progress=None):
    folder.mkdir(exist_ok=True)
    return learner.fit(data or dataset(), seed=seed, workspace=folder, progress=progress)


def test_conformance(untaught):
    data = dataset(10)
    check_learner(KIND, untaught, data.new, data.texts)


def test_a_night_teaches(untaught, taught):
    items = [item(t) for t in HELD_OUT]
    before, after = untaught.mark(items), taught.mark(items)
    assert all(0 <= m <= 1 for m in [*before, *after])
    assert np.mean(after) > np.mean(before) + 0.2
    errors = taught.step_errors(HELD_OUT, (1, 5))
    assert errors.mean(axis=0).max() < 0.25
    assert np.allclose(untaught.step_errors(HELD_OUT, (5,)).mean(), 1, atol=0.5)


def test_the_same_seed_teaches_the_same(untaught, tmp_path):
    weights = {k: v.clone() for k, v in untaught.ensemble.arrays.items()}
    one, two = fit(untaught, tmp_path / "a"), fit(untaught, tmp_path / "b")
    other = fit(untaught, tmp_path / "c", seed=4)
    assert equal(one, two)
    assert not equal(one, other)
    assert all(torch.equal(v, untaught.ensemble.arrays[k]) for k, v in weights.items())


def broken(untaught, folder, at, **kwargs):
    def progress(step, steps):
        if step == at:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        fit(untaught, folder, progress=progress, **kwargs)


def test_a_killed_fit_goes_on_to_the_same_weights(untaught, taught, tmp_path):
    broken(untaught, tmp_path / "n", 40)
    steps = []
    again = fit(untaught, tmp_path / "n", progress=lambda step, _: steps.append(step))
    assert steps[0] == 26, "it went on from the checkpoint at 25"
    assert equal(again, taught)


def test_batches_go_on_as_well(untaught, tmp_path):
    small = KIND.begin("", {**QUICK, "batch": 16})
    whole = fit(small, tmp_path / "whole")
    broken(small, tmp_path / "n", 40)
    assert equal(fit(small, tmp_path / "n"), whole)
    assert not equal(whole, fit(untaught, tmp_path / "other"))


def test_another_fits_checkpoint_is_not_taken(untaught, tmp_path):
    broken(untaught, tmp_path / "n", 40, seed=8)
    steps = []
    fit(untaught, tmp_path / "n", progress=lambda step, _: steps.append(step))
    assert steps[0] == 1
    (tmp_path / "n" / CHECKPOINT).write_bytes(b"torn")
    fit(untaught, tmp_path / "n", progress=lambda step, _: steps.append(step))
    assert steps.count(1) == 2


def test_nothing_to_learn_leaves_the_learner(untaught, tmp_path):
    assert fit(untaught, tmp_path / "n", MemoryDataset([])) is untaught


def test_originals_alone_teach(untaught, tmp_path):
    data = replace(dataset(), new=[])
    assert not equal(fit(untaught, tmp_path / "n", data), untaught)


def test_new_and_earlier_examples_count_once(untaught, tmp_path):
    data = dataset()
    doubled = replace(data, old=data.new)
    assert equal(fit(untaught, tmp_path / "a", data), fit(untaught, tmp_path / "b", doubled))


def test_a_trial_that_ended_early_is_learned_from_as_far_as_it_goes(untaught, tmp_path):
    short = tried(experiments(1, 5)[0], until=4)
    data = MemoryDataset([], texts=[short.document()])
    learned = fit(untaught, tmp_path / "n", data)
    before, after = (x.step_errors([short], (1,))[0, 0] for x in (untaught, learned))
    assert after < before
    assert np.isnan(learned.step_errors([short], (5,))[0, 0])


def test_a_trajectory_of_another_system_is_named(untaught, tmp_path):
    other = Trajectory("crane", np.zeros((3, 2)), np.zeros((2, 1)))
    with pytest.raises(LearnerError, match="'crane' has 2 coordinates and 1 actions"):
        fit(untaught, tmp_path / "n", MemoryDataset([], texts=[other.document()]))
    bad = Experiment("crane", np.zeros(2), np.zeros(2), np.zeros((3, 1)))
    with pytest.raises(LearnerError, match="experiment on 'crane'"):
        untaught.predict([Context(bad.document())])


def test_save_and_load(taught, tmp_path):
    taught.save(tmp_path)
    assert {p.suffix for p in tmp_path.iterdir()} == {".safetensors", ".json"}
    back = KIND.load(tmp_path, {**QUICK, "steps": 7})
    assert equal(back, taught)
    assert back.settings.steps == 7
    # What is not set follows the package, not the folder: only the system and the shape are kept.
    alone = KIND.load(tmp_path, {}).settings
    assert alone == parse({**settings_for(SPEC), "hidden": 24})
    with pytest.raises(LearnerError, match=r"hidden is 25, .* has 24; set `hidden` back"):
        KIND.load(tmp_path, {**QUICK, "hidden": 25})


def test_a_version_with_all_its_settings_stored_still_loads(taught, tmp_path):
    """As the first versions were saved, with a setting that has gone since."""
    taught.save(tmp_path)
    stored = {**asdict(taught.settings), "steps": 3, "gone": 1}
    (tmp_path / "settings.json").write_text(json.dumps(stored))
    back = KIND.load(tmp_path, {})
    assert equal(back, taught)
    assert back.settings.steps == Settings().steps


@pytest.mark.parametrize("steps", [1, 60])
def test_a_loss_that_is_no_number_is_named(untaught, tmp_path, steps):
    wild = KIND.begin("", {**QUICK, "steps": steps, "learning_rate": 1e38})
    with pytest.raises(LearnerError, match=r"learning_rate 1e\+38; lower `learning_rate` \(try"):
        fit(wild, tmp_path / "n")


def test_a_folder_without_a_learner_is_named(taught, tmp_path):
    with pytest.raises(LearnerError, match="holds no dynamics learner"):
        KIND.load(tmp_path, QUICK)
    taught.save(tmp_path)
    text = (tmp_path / "settings.json").read_text()
    (tmp_path / "settings.json").write_text(text.replace('"hidden": 24', '"hidden": 25'))
    with pytest.raises(LearnerError, match="other shapes"):
        KIND.load(tmp_path, {})
    (tmp_path / "settings.json").write_text('{"hidden": 24}')
    with pytest.raises(LearnerError, match="holds no dynamics learner"):
        KIND.load(tmp_path, {})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"stpes": 3}, "no setting 'stpes'; it has: angles"),
        ({"steps": "many"}, "steps is 'many'; the dynamics learner wants int"),
        ({"steps": 0}, "steps is 0; it must be at least 1"),
        ({"members": 1}, "members is 1; it must be at least 2"),
        ({"low": 1.0}, "low is 1.0; the dynamics learner wants a list"),
        ({"low": ["a"]}, "low is"),
        ({"learning_rate": -1.0}, "learning_rate is -1.0"),
    ],
)
def test_settings_that_cannot_be_are_named(settings, message):
    with pytest.raises(LearnerError, match=message):
        KIND.check({**QUICK, **settings})


@pytest.mark.parametrize(
    "settings", [{}, {**QUICK, "high": [1.0, 2.0]}, {**QUICK, "angles": [3]}, {**QUICK, "low": [1]}]
)
def test_a_learner_needs_to_know_its_system(settings):
    with pytest.raises(LearnerError, match="do not say what the system is"):
        KIND.begin("", settings)


def test_a_joint_with_stops_is_found_in_the_spec():
    stopped = Spec(**{**SPEC.__dict__, "safe_low": (-3.0, -1, -9), "safe_high": (3.0, 1, 9)})
    assert settings_for(SPEC)["stopped"] == []
    assert settings_for(stopped)["stopped"] == [0]
    KIND.check(settings_for(stopped))


def test_observations_are_a_pool_for_a_strategy(taught):
    pool, asked = contexts(9, 20), contexts(3, 21)
    small = KIND.begin("", {**QUICK, "block": 4})
    small = replace(small, ensemble=replace(taught.ensemble, settings=small.settings))
    blocks = small.observe(pool, asked=asked, seed=1)
    assert [len(b) for b in blocks] == [4, 4, 1]
    assert [int(i) for b in blocks for i in b.ids] == [c.id for c in pool]
    m = 2 * QUICK_MOMENTS
    assert blocks[0].values.shape == (5, 4, m), "two of the three coordinates move"
    assert blocks[0].noise.shape == (m,)
    assert blocks[0].embeddings.dtype == np.float32
    assert blocks[0].asked.shape == (3, blocks[0].embeddings.shape[1])
    whole = taught.observe(pool[::-1], seed=1)[0]
    joined = np.concatenate([b.embeddings for b in blocks])
    assert np.allclose(whole.embeddings[::-1], joined, atol=1e-4)
    assert len(Information().choose(blocks, 3, 0).index) == 3
    assert taught.observe(pool, seed=1)[0].asked.shape == (0, joined.shape[1])


QUICK_MOMENTS = 8


def test_experiments_of_different_lengths_are_observed_together(taught):
    short, long = (Context(experiments(1, 2, steps=t)[0].document()) for t in (5, 12))
    together = taught.observe([short, long], seed=0)[0]
    alone = taught.observe([short], seed=0)[0]
    assert np.allclose(together.values[:, :1], alone.values, atol=1e-4)
    assert np.allclose(together.embeddings[:1], alone.embeddings, atol=1e-4)


def test_what_is_written_tells_more_than_the_pool(taught):
    pool = contexts(30, 33)
    written = taught.write(pool, 8, asked=pool[:2], seed=5)
    assert len(written) == len({c.id for c in written}) == 8
    assert {c.source for c in written} == {"written"}
    assert {c.group for c in written} <= {"g0", "g1"}
    starts = {tuple(Experiment.of(c.document).state) for c in pool}
    made = [Experiment.of(c.document) for c in written]
    assert {tuple(e.state) for e in made} <= starts
    assert all(e.actions.shape == (12, 1) and np.abs(e.actions).max() <= 1 for e in made)
    choice = Information().choose(taught.observe([*pool, *written], seed=0), 1, 0)
    assert choice.index[0] >= len(pool), "planning beat thirty random experiments"


def test_writing_does_not_depend_on_the_pools_order(taught):
    pool = contexts(20, 34)
    one, two = (taught.write(p, 3, seed=5) for p in (pool, pool[::-1]))
    assert [c.id for c in one] == [c.id for c in two]
    assert len(taught.write(pool[:2], 5, seed=1)) == 5, "several from one start"
    assert taught.write([], 3, seed=5) == []
    assert taught.write(pool, 0, seed=5) == []
    assert taught.write(pool, 3, asked=one, seed=5) == [], "never what was asked"


def test_predictions_are_trajectories(taught):
    pool = contexts(4, 40)
    for context, document in zip(pool, taught.predict(pool), strict=True):
        experiment, made = Experiment.of(context.document), Trajectory.of(document)
        truth = physics(experiment.state[None], experiment.actions[None])[0]
        assert np.allclose(made.states[0], experiment.state)
        assert np.allclose(made.states[:, 1], experiment.state[1]), "the weight stays"
        assert np.abs(made.states[1:] - truth).max() < 0.5


def test_more_experiments_raise_the_mark(untaught, taught, tmp_path):
    items = [item(t) for t in HELD_OUT]
    few = fit(untaught, tmp_path / "few", dataset(2))
    many = fit(untaught, tmp_path / "many", dataset(20))
    marks = [np.mean(each.mark(items)) for each in (untaught, few, taught, many)]
    assert marks == sorted(marks)
    assert marks[-1] < 1


def test_intervals_cover_what_they_say(untaught, tmp_path):
    learner = fit(untaught, tmp_path / "n", dataset(20))
    noisy = [tried(e, seed=500 + i) for i, e in enumerate(experiments(20, 71))]
    for level in (0.5, 0.9):
        shares = learner.coverage(noisy, level)
        assert shares.shape == (20,)
        assert abs(shares.mean() - level) < 0.2
    assert learner.coverage(noisy, 0.9).mean() > learner.coverage(noisy, 0.5).mean()


def test_the_controller_reaches_its_goal_with_either_model(taught):
    """Hold the swing at rest; with the true model by exactly the same controller."""

    def reward(states, actions):
        return -(states[..., 0] ** 2) - 0.1 * states[..., 2] ** 2

    start = np.array([[1.0, 0.5, 0.0], [-0.8, 0.1, 0.5]])
    ends = []
    for rollout in (None, physics):
        control = taught.controller(reward, episodes=2, seed=0, rollout=rollout)
        states = start
        for _ in range(25):
            actions = control(states)
            assert actions.shape == (2, 1)
            states = physics(states, actions[:, None])[:, 0]
        ends.append(np.abs(states[:, 0]).max())
    assert max(ends) < 0.2


def test_weights_of_examples_count(untaught, tmp_path):
    made = experiments(3, 9)
    light = MemoryDataset([example(e, i, 0.1 if i else 1.0) for i, e in enumerate(made)])
    even = MemoryDataset([example(e, i) for i, e in enumerate(made)])
    assert not equal(fit(untaught, tmp_path / "a", light), fit(untaught, tmp_path / "b", even))
