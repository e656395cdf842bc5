"""What a review with fresh eyes found, so that it stays mended."""

from __future__ import annotations

import json
import uuid

import pytest

from nightschool.app import School
from nightschool.loop import Budget, teach
from nightschool.loop.choosing import exam_questions
from nightschool.types import (
    Answer,
    AnswerError,
    Context,
    Document,
    ExamError,
    Partition,
    Reply,
    Retract,
)

from ..conftest import make_school, world
from ..faults.kills import night_in_child


def give(school, question, person="anna", text="green", reply=Reply.ANSWER):
    document = Document(text) if reply is Reply.ANSWER else None
    answer = Answer(str(uuid.uuid4()), question.id, person, reply, document, 1.0, school.now())
    school.keep(answer)
    return answer


def exam_of(path, *rows):
    path.write_text("\n".join(json.dumps({"context": c, "answer": a}) for c, a in rows))
    return path


def training_question(school):
    while (question := school.next_question("anna")).partition is not Partition.TRAINING:
        give(school, question)
    return question


def test_an_exam_item_with_a_line_separator_breaks_nothing(tmp_path):
    with School.open(make_school(tmp_path / "s", exam=False)) as school:
        odd = "One\u2028two\u0085three make"
        school.examiner.add(exam_of(tmp_path / "e.jsonl", (odd, "six")))
        assert [i.context.body for i in school.examiner.bank()] == [odd]
        school.night()


def test_an_item_that_was_learned_is_refused_though_its_answer_was_taken_back(tmp_path):
    with School.open(make_school(tmp_path / "s", exam=False)) as school:
        question = training_question(school)
        answer = give(school, question)
        school.night()
        school.withdraw(answer.id, "anna", Retract.UNDO)
        file = exam_of(tmp_path / "e.jsonl", (question.context.text, "green"))
        with pytest.raises(ExamError, match="already trained on"):
            school.examiner.add(file)


def test_an_item_that_was_only_skipped_is_taken_and_not_asked_again(tmp_path):
    with School.open(make_school(tmp_path / "s", exam=False)) as school:
        question = training_question(school)
        give(school, question, reply=Reply.SKIP)
        assert school.examiner.add(exam_of(tmp_path / "e.jsonl", (question.context.text, "x"))) == 1
        school.undo("anna")
        asked = set()
        while (following := school.next_question("bo")) is not None and len(asked) < 300:
            asked.add(following.context.id)
            give(school, following, "bo")
        assert question.context.id not in asked


def test_replay_holds_no_context_of_the_exam_partition_answered_or_not(tmp_path, monkeypatch):
    from nightschool.learners import bagofwords

    seen = []
    fit = bagofwords.BagOfWords.fit

    def spy(self, dataset, **options):
        seen.extend(d.body for d in dataset.original(1000, 1))
        return fit(self, dataset, **options)

    monkeypatch.setattr(bagofwords.BagOfWords, "fit", spy)
    texts = tmp_path / "texts.txt"
    texts.write_text("\n".join(f"Once more: {c} {a}." for c, a, _ in world(300, 0)))
    from nightschool.app.init import init_school
    from nightschool.app.tasks import WordsTask

    task = WordsTask(texts=texts)
    init_school(tmp_path / "s", task, settings={"learner": "bagofwords", "questions": 20})
    with School.open(tmp_path / "s") as school:
        school.add_contexts(Context.of(c) for c, _, _ in world(300, 0))
        for _ in range(20):
            give(school, school.next_question("anna"))
        school.night()
        exam = [d.body for d in school.warehouse.documents(Partition.EXAM)]
    assert len(exam) > 30
    assert len(seen) > 100
    assert not [text for text in seen if any(c in text for c in exam)]


def test_a_rebuild_that_was_asked_for_comes_after_the_broken_night(school_folder, oracle):
    with School.open(school_folder) as school:
        teach(school, oracle, 20)
    assert night_in_child(school_folder, "fit.step:3") == -9
    with School.open(school_folder) as school:
        school.night(rebuild=True)
        assert [v.night for v in school.warehouse.verdicts()] == [1, 2]
        assert school.warehouse.trainee().parent == "v0"
        assert [n.rebuild for n in school.warehouse.nights()] == [False, True]


def test_a_rebuild_after_everything_was_withdrawn_forgets_it_all(school_folder, oracle):
    with School.open(school_folder) as school:
        teach(school, oracle, 20)
        school.night()
        learned = school.warehouse.trainee()
        for answer in school.warehouse.answers():
            school.withdraw(answer.id, "owner", Retract.WITHDRAWAL)
        school.night(rebuild=True)
        newest = school.warehouse.trainee()
        assert newest.id != learned.id
        assert newest.weights == school.warehouse.version("v0").weights


def test_a_broken_night_can_be_given_up(school_folder, oracle):
    with School.open(school_folder) as school:
        teach(school, oracle, 20)
    assert night_in_child(school_folder, "fit.step:3") == -9
    with School.open(school_folder) as school:
        bad = school.warehouse.answers()[0]
        school.withdraw(bad.id, "owner", Retract.WITHDRAWAL)
        assert school.abandon() == 1
        assert school.abandon() is None
        verdict = school.night()
        assert verdict.night == 2
        manifest = school.warehouse.manifest(school.warehouse.trainee().manifest)
        examples = school.warehouse.dataset(manifest).new
        assert examples
        assert bad.id not in {a for e in examples for a in e.answers}


def test_a_second_person_finds_questions_though_the_first_holds_the_last(tmp_path):
    with School.open(make_school(tmp_path / "s", questions=3)) as school:
        held = []
        for _ in range(3):
            held.append(school.next_question("anna", [q.id for q in held]))
        other = school.next_question("bo")
        assert other is not None
        assert other.id not in {q.id for q in held}


def test_a_refill_leaves_what_waits_in_the_queue(school_folder):
    with School.open(school_folder) as school:
        school.night()
        before = [q.id for q in school.warehouse.queue()]
        assert school.refill() > 0
        after = [q.id for q in school.warehouse.queue()]
        assert after[: len(before)] == before
        contexts = [q.context.id for q in school.warehouse.queue()]
        assert len(contexts) == len(set(contexts))


def test_a_nights_clock_goes_on(school_folder):
    ticks = iter(range(1_000_000, 2_000_000))
    with School.open(school_folder, clock=lambda: float(next(ticks))) as school:
        school.night()
        night = school.warehouse.nights()[-1]
        assert night.finished > night.started
        spans = school.warehouse.spans(1)
        assert len({s.at for s in spans}) == len(spans)


@pytest.mark.parametrize(("questions", "share"), [(1, 0.25), (2, 0.25), (5, 0.1), (40, 0.25)])
def test_even_a_small_day_asks_exam_questions_in_the_long_run(questions, share):
    budget = Budget(questions, share, share)
    drawn = [exam_questions(budget, 0, key) for key in range(2000)]
    assert sum(drawn) / len(drawn) == pytest.approx(questions * share, rel=0.15)
    assert max(drawn) - min(drawn) <= 1


def test_an_answer_with_half_a_character_is_refused_and_not_lost_in_a_traceback(school_folder):
    with School.open(school_folder) as school:
        question = school.next_question("anna")
        for text in ("caf\udce9", "a\0b"):
            with pytest.raises(AnswerError, match="half a character"):
                give(school, question, text=text)
        give(school, question, text="two\nlines, naïve")
