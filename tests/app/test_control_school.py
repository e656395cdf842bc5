"""A school of control from init to its mornings, with the stranger's quick spring."""

from __future__ import annotations

import json

import numpy as np
import pytest

from nightschool.app import School, parts
from nightschool.app.config import change_config
from nightschool.app.init import init_school
from nightschool.app.plans import ControlPlan
from nightschool.app.plans import control as control_plan
from nightschool.app.shift import NightShift
from nightschool.app.simulation import Clock, mornings
from nightschool.app.tasks import ControlTask, control_exam
from nightschool.app.tasks.trials import held, white
from nightschool.loop import teach
from nightschool.types import (
    ConfigError,
    Context,
    Decision,
    ExamError,
    Experiment,
    Partition,
    PoolError,
    Reply,
    Trajectory,
)

from ..stranger.lab import FAST, install, make_spring_school


@pytest.fixture(autouse=True)
def installed(monkeypatch, tmp_path):
    install(monkeypatch, tmp_path)


@pytest.fixture
def school(tmp_path):
    with School.open(make_spring_school(tmp_path / "spring")) as school:
        yield school


def test_init_brings_a_pool_recorded_trajectories_and_an_exam(school):
    assert school.kind == "experiment"
    pool = school.warehouse.contexts(Partition.TRAINING)
    assert len(pool) == 400
    assert all(Experiment.of(c.document).system == "spring" for c in pool)
    [original] = school.warehouse.manifests()
    documents = school.warehouse.dataset(original).original(9, 1)
    assert [len(Trajectory.of(d).actions) for d in documents] == [12, 12]
    groups = {i.group for i in school.examiner.bank()}
    assert groups == {"random", "controller", "task"}


def test_the_model_is_taught_what_was_recorded_before_it_asks(school):
    untaught = parts.learner_kind("dynamics").begin("", school.config.learner_settings)
    items = [i for i in school.examiner.bank() if i.group != "task"]
    base = school.learner(school.champion())
    assert np.mean(base.mark(items)) > np.mean(untaught.mark(items)) + 0.05


def test_each_night_asks_experiments_that_the_model_wrote(school):
    school.night()
    queue = school.warehouse.queue()
    assert len(queue) == 4
    assert "written" in {q.context.source for q in queue}
    assert {q.partition for q in queue} == {Partition.TRAINING}
    assert len({q.context.id for q in queue}) == 4
    limits = school.system.spec
    for question in queue:
        actions = Experiment.of(question.context.document).actions
        assert (actions >= limits.low).all()
        assert (actions <= limits.high).all()
    assert school.next_question("me").id == queue[0].id
    assert school.expected(queue[0]).kind == "trajectory"


def test_what_the_model_wrote_for_the_exams_side_is_never_asked(tmp_path):
    folder = make_spring_school(tmp_path / "half", exam_partition=0.5, exam_share=0.0)
    with School.open(folder) as school:
        school.night()
        queue = school.warehouse.queue()
        assert queue
        assert all(school.side(q.context) is Partition.TRAINING for q in queue)


def test_trials_teach_and_a_broken_one_is_kept_as_what_it_is(school):
    before = school.night().before
    step, count = school.system.step, []

    def stuck(action):
        count.append(1)
        if len(count) == 20:
            raise OSError("the spring is caught")
        return step(action)

    school.system.step = stuck
    assert teach(school, school.oracle, 4) == 4
    answers = school.warehouse.answers()
    ended = [Trajectory.of(a.document).ended for a in answers if a.reply is Reply.ANSWER]
    assert len(ended) == 4
    assert [e for e in ended if e] == ["step 8 failed: the spring is caught"]
    verdict = school.night()
    assert verdict.after > before
    assert verdict.decision is Decision.PROMOTE
    assert len(school.newest_answers(2)) == 2
    assert school.newest_answers(1)[0].id == answers[-1].id


def test_a_version_that_sat_this_bank_before_is_not_examined_again(school, monkeypatch):
    school.night()
    champion, items = school.champion(), school.examiner.bank()
    first = school.examiner.sit(champion, items)
    monkeypatch.setattr(school.exam.__class__, "sit", lambda *a: pytest.fail("it sat twice"))
    assert school.examiner.sit(champion, items) == first


def test_an_exam_is_computed_once_and_a_broken_cache_is_made_again(tmp_path, monkeypatch):
    system = parts.system("spring")
    items = control_exam.control_items(system, 5)
    monkeypatch.setattr(control_exam, "made", lambda *a: pytest.fail("computed twice"))
    assert control_exam.control_items(system, 5) == items
    monkeypatch.undo()
    install(monkeypatch, tmp_path)
    [file] = (tmp_path / "cache").iterdir()
    file.write_text("{broken")
    assert control_exam.control_items(system, 5) == items
    assert control_exam.control_items(system, 6) != items


def test_random_actions_stay_inside_and_held_ones_are_held():
    spec, rng = parts.system("spring").spec, np.random.default_rng(0)
    loose, steady = white(rng, spec), held(rng, spec)
    for actions in (loose, steady):
        assert actions.shape == (spec.steps, 1)
        assert (np.abs(actions) <= 3.0).all()
    assert len(np.unique(loose)) == spec.steps
    assert 2 <= len(np.unique(steady)) <= spec.steps // 3 + 1


def test_recorded_trajectories_are_read_and_a_broken_line_is_named(tmp_path):
    done = Trajectory("spring", np.zeros((13, 2)), np.zeros((12, 1))).document().body
    file = tmp_path / "recorded.jsonl"
    file.write_text(done + "\n\n")
    settings = {"learner_settings": FAST, "seed": 1}
    init_school(tmp_path / "s", ControlTask("spring", recorded=file), settings=settings)
    with School.open(tmp_path / "s") as school:
        assert "recorded.jsonl" in school.status().original
    file.write_text(done + "\n" + json.dumps({"states": []}) + "\n")
    with pytest.raises(PoolError, match=r"recorded\.jsonl, line 2: .*no trajectory"):
        init_school(tmp_path / "t", ControlTask("spring", recorded=file), settings=settings)
    task = ControlTask("spring", recorded=tmp_path / "none.jsonl")
    with pytest.raises(PoolError, match="no such file"):
        init_school(tmp_path / "t", task, settings=settings)
    assert not (tmp_path / "t").exists()


def test_a_learner_that_writes_nothing_is_told_so(tmp_path, school_folder):
    change_config(school_folder, "written", 5)
    with School.open(school_folder) as school, pytest.raises(ConfigError, match="no contexts"):
        school.night()


def test_mornings_of_a_simulated_school(tmp_path, monkeypatch):
    plan = ControlPlan("information", 2, "spring", nights=2, answers=2, written=8)
    begin = control_plan.init_school

    def quick(folder, task, *, settings, **options):
        begin(folder, task, settings={**settings, "learner_settings": FAST}, **options)

    monkeypatch.setattr(control_plan, "init_school", quick)
    measure = plan.build(tmp_path / "s")
    clock = Clock(1e9)
    with School.open(tmp_path / "s", clock=clock) as school:
        seen = list(mornings(school, clock, plan, measure))
    assert [m.answers for m in seen] == [0, 2, 4]
    first, last = seen[0].trainee, seen[-1].trainee
    assert last["random error 1"] < first["random error 1"]
    assert set(first) >= {"all", "return", "return_over_random", "controller error 5"}
    assert "random error 20" not in first, "an experiment of the spring has 12 steps"
    assert 0 <= last["random inside 90 %"] <= 1
    assert last["all"] == last["return"]


def test_an_owner_brings_trajectories_to_the_exam(school, tmp_path):
    before = len(school.examiner.marked())
    done = Trajectory("spring", np.full((13, 2), 0.5), np.full((12, 1), 0.25)).document()
    (tmp_path / "held.jsonl").write_text(done.body + "\n")
    assert school.examiner.add(tmp_path / "held.jsonl") == 1
    assert len(school.examiner.marked()) == before + 1
    assert school.exam_now()
    for broken in ('{"context": "2 + 2 =", "answer": "4"}\n', "\n"):
        (tmp_path / "words.jsonl").write_text(broken)
        with pytest.raises(ExamError, match=r"words\.jsonl"):
            school.examiner.add(tmp_path / "words.jsonl")
    assert len(school.examiner.marked()) == before + 1


def test_an_experiment_of_another_shape_is_refused_before_it_is_added(school):
    other = Experiment("spring", np.zeros(3), np.zeros(3), np.zeros((4, 1)))
    with pytest.raises(PoolError, match="3 coordinates"):
        school.check(Context(other.document()))
    school.check(school.warehouse.contexts(Partition.TRAINING)[0])


def test_where_everything_was_tried_it_writes_from_what_it_tried(school):
    school.night()
    teach(school, school.oracle, 4)
    asked = school.warehouse.contexts(Partition.TRAINING, answered=True)
    learner = school.learner(school.warehouse.trainee())
    shift = NightShift(school)
    with shift.begin_night() as night:
        written = shift._written(learner, [], asked, night)
    assert written
    assert not {c.id for c in written} & {c.id for c in asked}


def test_settings_that_a_part_does_not_have_are_refused(school):
    with pytest.raises(ConfigError, match="no setting 'bogus'; known: noise"):
        change_config(school.folder, "system_settings.bogus", 1)
    with pytest.raises(ConfigError, match="no setting 'bogus'"):
        change_config(school.folder, "oracle_settings.bogus", 1)
    change_config(school.folder, "system_settings.noise", 0.5)
    with pytest.raises(ConfigError, match="needs 'url'"):
        parts.system("http")


def test_another_exam_marks_anew(school):
    champion, items = school.champion(), school.examiner.bank()
    school.night()
    first = school.examiner.sit(champion, items)

    class Lenient:
        def items(self, answered):
            return []

        def sit(self, learner, items):
            return []

    school.exam = Lenient()
    assert school.examiner.sit(champion, items).bank != first.bank
