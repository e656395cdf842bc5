from __future__ import annotations

import json
import time
import uuid

import pytest

from nightschool.app import School
from nightschool.app.init import init_school
from nightschool.loop import teach
from nightschool.oracles import ScriptedOracle
from nightschool.types import (
    Answer,
    AnswerError,
    ConfigError,
    Context,
    Decision,
    Document,
    ExamError,
    Partition,
    Reply,
    Retract,
    UnknownQuestion,
)

from ..conftest import make_school, world


def reply(question, text="green", **changes):
    values = {
        "id": str(uuid.uuid4()),
        "question_id": question.id,
        "person": "anna",
        "reply": Reply.ANSWER,
        "document": Document(text) if text is not None else None,
        "seconds": 1.0,
        "at": 5.0,
        **changes,
    }
    return Answer(**values)


def test_a_school_learns_and_what_serves_gets_better(school_folder, oracle):
    clock = [1_000_000.0]
    with School.open(school_folder, clock=lambda: clock[0]) as school:
        verdicts = []
        for _ in range(4):
            teach(school, oracle, 20)
            clock[0] += 86_400
            verdicts.append(school.night())
        first, last = verdicts[0].before, verdicts[-1].after
        assert last > first + 0.3
        assert any(v.decision is Decision.PROMOTE for v in verdicts)
        assert school.champion().number > 0
        assert [v.night for v in verdicts] == [1, 2, 3, 4]
        asked = school.warehouse.answered(Partition.TRAINING)
        assert len({a.question.context.id for a in asked}) == len(asked)


def test_exam_contexts_are_never_trained_on(school_folder, oracle):
    with School.open(school_folder) as school:
        for _ in range(3):
            teach(school, oracle, 20)
            school.night()
        manifest = school.warehouse.manifest(school.warehouse.trainee().manifest)
        learned = {Context(e.context).id for e in school.warehouse.dataset(manifest).new}
        exam = {c.id for c in school.warehouse.contexts(Partition.EXAM)}
        assert learned
        assert not learned & exam
        bank = school.examiner.bank()
        assert {i.source for i in bank} == {"bank", "file"}


def test_a_night_without_answers_only_chooses(school_folder):
    with School.open(school_folder) as school:
        verdict = school.night()
        assert verdict.decision is Decision.KEEP
        assert school.champion().id == school.warehouse.trainee().id == "v0"
        assert school.warehouse.queue_left() == 20
        assert {q.partition for q in school.warehouse.queue()} == {
            Partition.TRAINING,
            Partition.EXAM,
        }


def test_an_empty_pool_is_no_error_but_gives_no_question(tmp_path):
    init_school(tmp_path / "s", settings={"learner": "bagofwords"})
    with School.open(tmp_path / "s") as school:
        assert school.next_question("anna") is None
        assert school.night().decision is Decision.KEEP
        assert school.next_question("anna") is None


def test_a_queue_that_ran_dry_is_filled_without_the_model(school_folder, monkeypatch):
    with School.open(school_folder) as school:
        monkeypatch.setattr(School, "learner", None)
        question = school.next_question("anna")
        assert question is not None
        assert question.strategy == "random"


def test_answers_out_of_bounds_are_refused_with_the_cure(school_folder):
    with School.open(school_folder) as school:
        question = school.next_question("anna")
        with pytest.raises(AnswerError, match="10,000 characters, 2,000 are kept"):
            school.keep(reply(question, "x" * 10_000))
        with pytest.raises(AnswerError, match="empty"):
            school.keep(reply(question, "  \n"))
        with pytest.raises(AnswerError, match="carries no text"):
            school.keep(reply(question, "x", reply=Reply.SKIP))
        with pytest.raises(UnknownQuestion):
            school.keep(reply(question, question_id="q-none"))
        assert len(school.warehouse.answers()) == 0


def test_the_same_answer_sent_twice_is_kept_once(school_folder):
    with School.open(school_folder) as school:
        answer = reply(school.next_question("anna"))
        assert school.keep(answer)
        assert not school.keep(answer)
        assert len(school.warehouse.answers()) == 1


def test_undo_brings_the_question_back_first(school_folder):
    with School.open(school_folder) as school:
        question = school.next_question("anna")
        school.keep(reply(question, "gren"))
        assert school.next_question("anna").id != question.id
        assert school.undo("anna").document.body == "gren"
        assert school.next_question("anna").id == question.id
        school.keep(reply(question, "green"))
        answered = school.warehouse.answered(question.partition)
        assert [a.document.body for a in answered[0].answers] == ["green"]
        assert school.undo("bo") is None


def test_a_withdrawn_answer_leaves_the_next_manifest(tmp_path, oracle):
    with School.open(make_school(tmp_path / "s", exam_share=0.0, exam_share_late=0.0)) as school:
        teach(school, oracle, 20)
        school.night()
        one = school.warehouse.answers()[0]
        school.withdraw(one.id, "owner", why=Retract.WITHDRAWAL, reason="hostile")
        teach(school, oracle, 20)
        school.night()
        manifest = school.warehouse.manifest(school.warehouse.trainee().manifest)
        assert len(manifest.excluded) == 1
        examples = school.warehouse.dataset(manifest).new
        assert one.id not in {a for e in examples for a in e.answers}
        assert any("--rebuild" in w for w in school.status().warnings)


def test_a_rebuild_learns_everything_again_from_version_0(school_folder, oracle):
    with School.open(school_folder) as school:
        for _ in range(2):
            teach(school, oracle, 20)
            school.night()
        before = school.warehouse.trainee()
        school.night(rebuild=True)
        rebuilt = school.warehouse.trainee()
        assert rebuilt.parent == "v0"
        assert rebuilt.manifest == before.manifest
        assert rebuilt.number == before.number + 1


def test_promotion_by_hand_and_rollback_are_recorded(tmp_path, oracle):
    with School.open(make_school(tmp_path / "s", exam=False)) as school:
        teach(school, oracle, 10)
        school.night()
        newest = school.warehouse.trainee().id
        school.promote(newest, "anna", "I looked at it")
        assert school.champion().id == newest
        assert school.rollback("anna", "it was worse").id == "v0"
        assert [r.by for r in school.warehouse.champions()][-2:] == ["anna", "anna"]


def test_a_champion_that_turns_out_worse_is_rolled_back_without_new_answers(tmp_path, oracle):
    clock = [time.time()]
    folder = make_school(tmp_path / "s", exam_share=0.0, exam_share_late=0.0)
    with School.open(folder, clock=lambda: clock[0]) as school:
        for _ in range(3):
            teach(school, oracle, 20)
            school.night()
            clock[0] += 86_400
        good = school.warehouse.trainee().id
        school.promote(good, "anna", "it has learned")
        wrong = {c.id: "purple" for c in school.warehouse.contexts(Partition.TRAINING)}
        for _ in range(2):
            teach(school, ScriptedOracle(wrong), 20)
            school.night()
            clock[0] += 86_400
        bad = school.warehouse.trainee().id
        school.promote(bad, "anna", "by mistake")
        clock[0] += 7 * 86_400  # a look is due
        verdict = school.night()
        assert (verdict.decision, verdict.challenger) == (Decision.ROLL_BACK, bad)
        assert school.champion().id == good
        assert school.night().decision is Decision.KEEP
        assert school.champion().id == good


def test_a_test_file_with_trained_items_is_refused_and_listed(tmp_path, oracle):
    with School.open(make_school(tmp_path / "s", exam=False)) as school:
        teach(school, oracle, 20)
        school.night()
        learned = school.warehouse.answered(Partition.TRAINING)[0].question.context.text
        file = tmp_path / "late.jsonl"
        rows = [(learned, "green"), ("Something else is", "blue")]
        file.write_text("\n".join(json.dumps({"context": c, "answer": a}) for c, a in rows))
        with pytest.raises(ExamError, match="already trained on") as caught:
            school.examiner.add(file)
        assert learned in str(caught.value)
        assert "Something else" not in str(caught.value)
        assert not school.examiner.file()


def test_a_test_file_takes_its_contexts_out_of_the_queue(tmp_path):
    with School.open(make_school(tmp_path / "s", exam=False)) as school:
        first = school.next_question("anna")
        file = tmp_path / "exam.jsonl"
        file.write_text(json.dumps({"context": first.context.text, "answer": "x"}))
        assert school.examiner.add(file) == 1
        held = {q.context.id for q in school.warehouse.queue()}
        assert first.context.id not in held
        school.night()
        assert first.context.id not in {q.context.id for q in school.warehouse.queue()}


def test_init_leaves_nothing_behind_when_it_fails(tmp_path):
    broken = tmp_path / "exam.jsonl"
    broken.write_text("{")
    with pytest.raises(ExamError):
        init_school(tmp_path / "s", exam=broken, settings={"learner": "bagofwords"})
    assert sorted(p.name for p in tmp_path.iterdir()) == ["exam.jsonl"]


def test_init_refuses_a_folder_that_is_not_empty(school_folder):
    with pytest.raises(ConfigError, match="not empty"):
        init_school(school_folder, settings={"learner": "bagofwords"})


def test_a_backup_opens_as_a_school(school_folder, oracle, tmp_path):
    with School.open(school_folder) as school:
        teach(school, oracle, 20)
        school.night()
        school.backup(tmp_path / "copy")
        with pytest.raises(ConfigError, match="not empty"):
            school.backup(tmp_path / "copy")
        status = school.status()
    with School.open(tmp_path / "copy") as copy:
        assert copy.warehouse.verify() == []
        assert copy.status().answers == status.answers
        assert copy.champion().id == status.champion
        teach(copy, oracle, 5)
        copy.night()


def test_status_tells_where_the_time_went(school_folder, oracle):
    with School.open(school_folder) as school:
        teach(school, oracle, 20)
        school.night()
        status = school.status().as_dict()
        assert status["answers"] == 20
        assert status["seconds_per_answer"] == pytest.approx(2.0)
        steps = {"curate", "seal", "fit", "examine", "keep", "choose", "post"}
        assert steps <= set(status["seconds"])
        json.dumps(status, default=str)


def test_fresh_answers_are_marked_before_they_are_learned_and_never_gate(school_folder, oracle):
    with School.open(school_folder) as school:
        for _ in range(3):
            teach(school, oracle, 20)
            school.night()
        results = [r for r in school.warehouse.results() if r.bank == "fresh"]
        assert [r.version for r in results] == ["v0", "v1", "v2"]
        assert not any(m.gates for r in results for m in r.marks)
        assert results[-1].mean("fresh") > results[0].mean("fresh")


def test_the_seed_decides_everything(tmp_path, oracle):
    asked = []
    for name in ("a", "b"):
        with School.open(make_school(tmp_path / name), clock=lambda: 1e9) as school:
            teach(school, oracle, 20)
            school.night()
            asked.append([q.context.id for q in school.warehouse.queue()])
            asked.append(school.warehouse.trainee().weights)
    assert asked[:2] == asked[2:]


def test_the_world_has_no_doubles():
    assert len({Context.of(c).id for c, _, _ in world(300, 0)}) == 300


def test_nobody_undoes_what_somebody_else_answered(school_folder):
    with School.open(school_folder) as school:
        answer = reply(school.next_question("anna"))
        school.keep(answer)
        with pytest.raises(AnswerError, match="'bo' cannot undo an answer of 'anna'"):
            school.withdraw(answer.id, "bo", Retract.UNDO)
        assert school.withdraw(answer.id, "owner", Retract.WITHDRAWAL, "careless")
