from __future__ import annotations

import json
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from nightschool.exams.control import (
    TASK_GROUP,
    ControlExam,
    Task,
    held_actions,
    run_episodes,
    task_document,
    task_items,
    trajectory_items,
)
from nightschool.exams.text import item_id
from nightschool.testing import check_exam, check_system
from nightschool.types import (
    Answer,
    AnsweredQuestion,
    Context,
    Document,
    ExamError,
    ExamItem,
    Experiment,
    LearnerError,
    Partition,
    Question,
    Recipe,
    Reply,
    Spec,
    Trajectory,
)

CART = Spec(
    name="cart",
    states=("place", "speed"),
    actions=("push",),
    low=(-1.0,),
    high=(1.0,),
    safe_low=(-9.0, -9.0),
    safe_high=(9.0, 9.0),
    angles=(),
    seconds=0.1,
    steps=6,
)


@dataclass
class Cart:
    """A cart on a rail, with a noisy sensor, that is paid for being at place 0."""

    spec: Spec = CART
    horizon: int = 12
    noise: float = 0.01
    calls: list[str] = field(default_factory=list)

    def starts(self, n, seed):
        rng = np.random.default_rng(seed)
        return np.stack([rng.choice([-1.0, 1.0], n) * rng.uniform(0.5, 1.5, n), np.zeros(n)], 1)

    def begin(self, start, seed):
        self.calls.append("begin")
        self.random = np.random.default_rng(seed)
        self.state = np.array(start)
        return self._measured()

    def step(self, action):
        self.calls.append("step")
        self.state = self.rollout(self.state[None], action[None, None])[0, 0]
        return self._measured()

    def stop(self):
        self.calls.append("stop")

    def reward(self, states, actions):
        return -np.abs(states[..., 0])

    def rollout(self, states, actions):
        path = []
        for t in range(actions.shape[1]):
            speed = 0.5 * states[:, 1] + actions[:, t, 0]
            states = np.stack([states[:, 0] + 0.3 * speed, speed], axis=1)
            path.append(states)
        return np.stack(path, axis=1)

    def _measured(self):
        return self.state + self.noise * self.random.standard_normal(2)


class Robot:
    """The same cart, as a robot: it cannot be asked what would happen."""

    spec = CART


def expert(reward, episodes, seed):
    """A controller that knows what to do."""
    return lambda states: -(2.0 * states[:, :1] + states[:, 1:])


@dataclass
class Student:
    """A learner that says what it is told to say; `gain` is how well it controls."""

    marks: object = 0.5
    errors: object = 0.25
    shares: object = 0.9
    gain: float = 2.0
    made: list[tuple[int, int]] = field(default_factory=list)

    @property
    def recipe(self):
        return Recipe("student")

    def mark(self, items):
        assert all(item.context.kind == "experiment" for item in items)
        return self.marks if isinstance(self.marks, list) else [self.marks] * len(items)

    def step_errors(self, trajectories, steps):
        errors = np.full((len(trajectories), len(steps)), self.errors)
        for row, trajectory in zip(errors, trajectories, strict=True):
            row[[len(trajectory.actions) < h for h in steps]] = np.nan
        return errors

    def coverage(self, trajectories, level):
        assert level == 0.9
        return np.full(len(trajectories), self.shares)

    def controller(self, reward, *, episodes, seed):
        self.made.append((episodes, seed))
        return lambda states: -self.gain * states[:, :1] - states[:, 1:]


class Marker:
    """A learner that only marks."""

    recipe = Recipe("marker")

    def mark(self, items):
        return [0.5] * len(items)


@pytest.fixture(scope="module")
def cart():
    return Cart()


@pytest.fixture(scope="module")
def episodes(cart):
    return task_items(cart, expert, 5, 3)


@pytest.fixture(scope="module")
def held_out(cart):
    random = trajectory_items(cart, None, 3, 6, 1, "random")
    return random + trajectory_items(cart, expert, 3, 21, 2, "controller")


def asked(partition=Partition.EXAM, *replies, context=None, number=0):
    """An answered question; replies are (person, trajectory or None)."""
    start = np.array([0.5, 0.0])
    made = Experiment("cart", start, start, np.full((4, 1), 0.1 * (number + 1)))
    context = context or Context(made.document(), "pool", "random")
    question = Question(f"q{number}", context, partition, "random", 0.0, "v0", 1, 0)
    answers = tuple(
        Answer(
            f"{number}-{i}",
            question.id,
            person,
            Reply.ANSWER if done is not None else Reply.CANT_TELL,
            done.document() if done is not None else None,
            1.0,
            float(i),
        )
        for i, (person, done) in enumerate(replies)
    )
    return AnsweredQuestion(question, answers)


def went(steps=4, ended="", shift=0.0):
    states = shift + np.linspace([0.5, 0.0], [1.0, 1.0], steps + 1)
    return Trajectory("cart", states, np.full((steps, 1), 0.1), ended)


def by_name(marks, item):
    return {m.name: m.value for m in marks if m.item == item.id}


def test_the_exam_and_its_simulator_conform(cart, episodes, held_out):
    check_system(cart)
    answered = [asked(Partition.EXAM, ("system", went()), number=i) for i in range(3)]
    check_exam(ControlExam(cart), Student(), held_out + episodes, answered)
    check_exam(ControlExam(Robot()), Student(), held_out, answered)


def test_bank_items_are_the_exams_experiments_with_what_came_of_them():
    stopped = went(2, "step 3 failed: cable")
    bank = ControlExam(Robot()).items(
        [
            asked(Partition.EXAM, ("system", went()), ("other", stopped), number=0),
            asked(Partition.EXAM, ("third", went(shift=0.1)), number=0),
            asked(Partition.TRAINING, ("system", went()), number=1),
            asked(Partition.EXAM, ("system", None), number=2),
            asked(Partition.EXAM, ("system", went()), ("system", went(shift=0.2)), number=3),
            asked(Partition.EXAM, ("system", None), context=Context.of("One and one is")),
        ]
    )
    assert [len(item.accepted) for item in bank] == [3, 1]
    assert bank[0].accepted[1] == stopped.document()
    assert bank[1].accepted == (went(shift=0.2).document(),)
    assert all(item.id == item_id(item.context) for item in bank)
    assert {(item.group, item.source) for item in bank} == {("random", "bank")}


def test_predictions_gate_and_the_rest_reports(held_out):
    short, long = held_out[0], held_out[-1]
    marks = ControlExam(Robot()).sit(Student(marks=0.7, errors=1.0, shares=0.45), [short, long])
    assert by_name(marks, short) == {
        "prediction": 0.7, "error_1": 0.5, "error_5": 0.5, "calibration": 0.5
    }  # fmt: skip
    assert by_name(marks, long)["error_20"] == 0.5
    assert {m.name for m in marks if m.gates} == {"prediction"}
    assert [m.item for m in marks] == [short.id] * 4 + [long.id] * 5


def test_errors_of_an_items_trajectories_are_averaged_as_far_as_they_go():
    answered = asked(Partition.EXAM, ("a", went(5)), ("b", went(3, "it slipped")), ("c", went(5)))
    exam = ControlExam(Robot())
    (item,) = exam.items([answered])

    class Uneven(Student):
        def step_errors(self, trajectories, steps):
            errors = super().step_errors(trajectories, steps)
            errors[2] *= 12  # 3, where the others have 0.25
            return errors

    marks = by_name(exam.sit(Uneven(), [item]), item)
    assert marks["error_1"] == pytest.approx((0.8 + 0.8 + 0.25) / 3)
    assert marks["error_5"] == pytest.approx((0.8 + 0.25) / 2)
    assert "error_20" not in marks


@pytest.mark.parametrize(
    ("shares", "mark"), [(0.9, 1.0), (0.0, 0.0), (1.0, 8 / 9), (0.72, 0.8)]
)  # fmt: skip
def test_calibration_is_one_where_nine_tenths_are_inside(held_out, shares, mark):
    marks = ControlExam(Robot()).sit(Student(shares=shares), held_out[:1])
    assert by_name(marks, held_out[0])["calibration"] == pytest.approx(mark)


def test_an_infinite_error_is_worth_nothing(held_out):
    marks = ControlExam(Robot()).sit(Student(errors=np.inf), held_out[:1])
    assert by_name(marks, held_out[0])["error_1"] == 0.0


def test_a_learner_that_only_marks_sits_without_the_reports(cart, held_out, episodes):
    marks = ControlExam(cart).sit(Marker(), held_out)
    assert {m.name for m in marks} == {"prediction"}
    with pytest.raises(LearnerError, match="'marker' controls nothing"):
        ControlExam(cart).sit(Marker(), episodes)


@pytest.mark.parametrize(
    "broken",
    [
        {"marks": np.nan},
        {"marks": 1.5},
        {"errors": np.nan},
        {"errors": -0.5},
        {"shares": np.nan},
        {"shares": 1.9},
        {"marks": [0.5]},
        {"gain": np.nan},
    ],
)
def test_a_broken_learner_is_told(cart, held_out, episodes, broken):
    with pytest.raises(LearnerError, match=r"learner gave|no probability|controller gave"):
        ControlExam(cart).sit(Student(**broken), held_out + episodes)


def test_actions_of_another_shape_are_told(cart):
    with pytest.raises(LearnerError, match=r"shape \(2,\) for 2 episodes"):
        run_episodes(cart, lambda states: states[:, 0], np.zeros((2, 2)), 1)


def test_the_return_lies_between_doing_nothing_and_the_expert(cart, episodes):
    assert 0 < len(episodes) <= 5
    exam = ControlExam(cart)
    found = {}
    for gain, learner in {"good": Student(gain=2.0), "weak": Student(gain=0.3)}.items():
        marks = exam.sit(learner, episodes)
        assert {m.name for m in marks if m.gates} == {"return"}
        assert {m.group for m in marks} == {TASK_GROUP}
        found[gain] = [m.value for m in marks if m.name == "return"]
        assert learner.made[0][0] == len(episodes), "all episodes side by side"
    assert found["good"] == pytest.approx([1.0] * len(episodes))
    assert all(0 < weak < 1 for weak in found["weak"])
    idle = exam.sit(Idle(), episodes)
    assert [m.value for m in idle if m.name == "return"] == pytest.approx([0.0] * len(episodes))


class Idle(Student):
    def controller(self, reward, *, episodes, seed):
        return lambda states: np.zeros((episodes, 1))


def test_marks_do_not_depend_on_the_order_of_the_items(cart, episodes):
    class Noisy(Student):
        def controller(self, reward, *, episodes, seed):
            rng = np.random.default_rng(seed)
            return lambda states: -states[:, :1] + 0.5 * rng.standard_normal((episodes, 1))

    exam = ControlExam(cart)
    there, back = exam.sit(Noisy(), episodes), exam.sit(Noisy(), episodes[::-1])
    assert [m.item for m in back if m.gates] == [item.id for item in episodes[::-1]]
    assert sorted(there, key=str) == sorted(back, key=str)


def test_an_episode_is_as_long_as_it_says(cart, episodes):
    document = episodes[0].context
    task = Task.of(document)
    assert task.steps == cart.horizon
    short = bounded(replace(task, steps=3).document(), nothing=-100.0, best=0.0)
    marks = ControlExam(cart).sit(Student(), [short, episodes[1]])
    rewards = run_episodes(cart, expert(None, 1, 0), task.state[None], 3)[0]
    assert by_name(marks, short)["return"] == pytest.approx(1 + rewards.sum() / 100)


def bounded(context, **returns):
    accepted = Document(json.dumps(returns), "task_returns")
    return ExamItem(item_id(context), context, (accepted,), TASK_GROUP, "file")


def test_the_return_over_random_is_reported_where_random_is_worse(cart, episodes):
    context = episodes[0].context
    exam = ControlExam(cart)
    gained = run_episodes(cart, expert(None, 1, 0), Task.of(context).state[None], 12).sum()
    item = bounded(context, nothing=gained - 4, random=gained - 1, best=gained + 1)
    marks = by_name(exam.sit(Student(), [item]), item)
    assert marks == pytest.approx({"return": 0.8, "return_over_random": 0.5})
    item = bounded(context, nothing=gained - 4, random=gained + 2, best=gained + 1)
    assert set(by_name(exam.sit(Student(), [item]), item)) == {"return"}


def test_an_episode_whose_return_is_no_number_is_worth_nothing(episodes):
    class Torn(Cart):
        def reward(self, states, actions):
            return np.full(states.shape[:-1], np.nan)

    marks = ControlExam(Torn()).sit(Student(), episodes[:1])
    assert by_name(marks, episodes[0])["return"] == 0.0


@pytest.mark.parametrize(
    "returns", [{}, {"nothing": 1.0, "best": 1.0}, {"nothing": -np.inf, "best": 1.0}, {"best": "x"}]
)
def test_returns_between_which_nothing_lies_are_told(cart, episodes, returns):
    with pytest.raises(ExamError, match="no returns to be marked by"):
        ControlExam(cart).sit(Student(), [bounded(episodes[0].context, **returns)])


def test_items_that_do_not_belong_here_are_told(cart, episodes):
    text = ExamItem("1", Document("One and one is"), (Document("two"),), "", "file")
    with pytest.raises(ExamError, match="marks experiments and tasks, not text"):
        ControlExam(cart).sit(Student(), [text, *episodes])
    with pytest.raises(ExamError, match="no simulator"):
        ControlExam(Robot()).sit(Student(), episodes)
    other = replace(CART, name="arm")
    with pytest.raises(ExamError, match=r"of 'cart', this school's system is\s+'arm'"):
        ControlExam(Cart(spec=other)).sit(Student(), episodes)
    for body in ("[]", "no", "{}"):
        broken = replace(episodes[0], context=Document(body, "task"))
        with pytest.raises(ExamError, match="is no"):
            ControlExam(cart).sit(Student(), [broken])


def test_task_items_hold_their_bounds_and_are_the_same_again(cart, episodes):
    assert episodes == task_items(Cart(), expert, 5, 3)
    assert {item.source for item in episodes} == {"file"}
    for item in episodes:
        task, bounds = Task.of(item.context), json.loads(item.accepted[0].body)
        still = cart.rollout(task.state[None], np.zeros((1, 12, 1)))
        assert bounds["nothing"] == pytest.approx(cart.reward(still, still).sum())
        assert bounds["nothing"] < bounds["best"]
        assert bounds["random"] < bounds["best"]
    assert {item.id for item in episodes}.isdisjoint(i.id for i in task_items(cart, expert, 5, 4))


def test_episodes_in_which_nothing_can_be_gained_are_left_out():
    class Lucky(Cart):
        def starts(self, n, seed):
            starts = super().starts(n, seed)
            starts[0] = 0.0
            return starts

    assert len(task_items(Lucky(noise=0.0), expert, 5, 3)) == 4
    with pytest.raises(ExamError, match="the controller gains nothing"):
        task_items(Cart(), lambda *_: lambda states: np.zeros((len(states), 1)), 3, 0)


def test_episodes_that_the_controller_loses_are_left_out():
    places = np.array([1.0, 1.0, -0.6, -3.0, -3.0, -3.0])

    class Sided(Cart):
        def starts(self, n, seed):
            return np.stack([places, 0 * places], axis=1)

    def lost_on_the_left(reward, episodes, seed):
        good = expert(reward, episodes, seed)
        bad = np.where(places < -2, -1.0, -0.001)[:, None]
        return lambda states: np.where(places[:, None] > 0, good(states), bad)

    items = task_items(Sided(), lost_on_the_left, 6, 0)
    assert [Task.of(item.context).start[0] for item in items] == [1.0, 1.0]


def test_a_task_document_is_measured_once_and_read_back():
    cart = Cart()
    task = Task.of(task_document(cart, np.array([1.0, 0.0]), 7))
    assert cart.calls == ["begin", "stop"]
    assert task.start.tolist() == [1.0, 0.0]
    assert 0 < abs(task.state[0] - 1) < 0.1
    assert (task.system, task.steps) == ("cart", 12)


def test_held_out_trajectories_are_trials_with_sensor_noise(cart, held_out):
    for item, steps, group in ((held_out[0], 6, "random"), (held_out[-1], 21, "controller")):
        experiment, done = Experiment.of(item.context), Trajectory.of(item.accepted[0])
        assert (item.group, item.source, done.ended) == (group, "file", "")
        assert done.states.shape == (steps + 1, 2)
        assert np.array_equal(experiment.actions, done.actions)
        assert np.array_equal(experiment.state, done.states[0])
        exact = cart.rollout(experiment.start[None], experiment.actions[None])[0]
        off = np.abs(exact - done.states[1:])
        assert off.min() > 0
        assert off.mean() < 0.05
        ahead = cart.rollout(done.states[:-1], done.actions[:, None])[:, 0]
        assert (ahead != done.states[1:]).all(), "every state is measured anew"
    assert held_out[:3] == trajectory_items(Cart(), None, 3, 6, 1, "random")
    assert len({item.id for item in held_out}) == 6


def test_a_controllers_trajectories_follow_what_is_measured(held_out):
    done = Trajectory.of(held_out[-1].accepted[0])
    wanted = np.clip(expert(None, 1, 0)(done.states[:-1]), -1, 1)
    assert np.allclose(done.actions, wanted)
    assert np.abs(done.states[-1, 0]) < np.abs(done.states[0, 0])


def test_random_actions_are_held_for_three_to_ten_steps():
    actions = held_actions(np.random.default_rng(0), replace(CART, low=(-3.0,)), 20, 200)
    assert actions.shape == (20, 200, 1)
    assert (actions >= -3).all()
    assert (actions <= 1).all()
    assert actions.min() < -2.5
    changes = [np.flatnonzero(np.diff(row[:, 0])) for row in actions]
    runs = np.concatenate([np.diff(c) for c in changes])
    assert (runs.min(), runs.max()) == (3, 10)
