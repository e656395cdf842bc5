"""What the model learned from whom, and the guesses that people may see."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nightschool.app import School, yesterday
from nightschool.app.guesses import guess_of, with_guesses
from nightschool.app.shift import NightShift
from nightschool.app.yesterday import META, Lesson, Part, Told, changed_of, parts_of
from nightschool.types import (
    Context,
    Document,
    Example,
    Partition,
    Pick,
    Question,
    Reply,
    Retract,
    WarehouseError,
)

from ..conftest import COLOURS, make_school
from .test_school import reply


def told(group, was, now, answer="green"):
    return Told(f"about {group}", group, answer, ("anna",), was, now)


def test_parts_begin_with_what_gained_most_and_small_groups_have_no_name():
    lessons = [
        *[told("halving", "red", "green")] * 3,
        told("halving", "Green ", "green"),
        *[told("doubling", "green", "green")] * 5,
        told("rare", "green", "red"),
        told("", "red", "red"),
    ]
    named = [(p.name, p.n, p.before, p.after) for p in parts_of(lessons)]
    assert named == [("halving", 4, 1, 4), ("doubling", 5, 5, 5), ("", 2, 1, 0)]
    better = changed_of(lessons)
    assert [(t.group, t.is_right) for t in better] == [("halving", True)] * 3 + [("rare", False)]
    assert parts_of([told("", "a", "green")]) == (parts_of([told("few", "a", "green")]))


@pytest.mark.parametrize(
    ("parts", "lead", "first", "others"),
    [
        ([("halving", 10, 3, 8), ("", 2, 1, 0)], "group", ("halving", 10, 3, 8), [("", 2, 1, 0)]),
        ([("halving", 3, 3, 3), ("", 5, 1, 4)], "all", ("", 8, 4, 7), [("", 5, 1, 4)]),
        ([("halving", 3, 3, 3)], "same", ("", 3, 3, 3), []),
        ([("halving", 3, 0, 2), ("", 5, 4, 0)], "worse", ("", 8, 4, 2), None),
        ([("", 4, 1, 2)], "all", ("", 4, 1, 2), []),
    ],
)
def test_the_card_leads_with_what_moved_and_says_when_it_got_worse(parts, lead, first, others):
    shown = Lesson(1, 0.0, tuple(Part(*p) for p in parts)).as_dict()
    assert (shown["lead"], tuple(shown["first"].values())) == (lead, first)
    expected = parts if others is None else others
    assert [tuple(p.values()) for p in shown["others"]] == expected


def test_a_lesson_without_a_group_goes_by_its_label():
    example = Example("x", Document("a"), Document(" red "), 1.0, (), 1)
    said = Document("blue"), Document("red")
    assert yesterday._told(example, {}, *said, ("red",)).group == "red"
    assert yesterday._told(example, {}, *said, ()).group == ""


@pytest.fixture
def taught(tmp_path):
    """A school in which two people answered, each in a night of their own."""
    folder = make_school(tmp_path / "school", exam=False, exam_share=0.0, exam_partition=0.0)
    clock = [1_000_000.0]
    with School.open(folder, clock=lambda: clock[0]) as school:
        for person in ("anna", "bob"):
            for _ in range(20):
                question = school.next_question(person)
                thing = question.context.group
                school.keep(reply(question, COLOURS[thing], person=person, at=clock[0]))
            clock[0] += 86_400
            school.night()
        yield school


def test_everybody_is_told_of_their_own_newest_lesson(taught):
    anna, bob = taught.yesterday.of("anna"), taught.yesterday.of("bob")
    assert (anna.night, bob.night) == (1, 2)
    assert anna.at == 1_086_400.0
    assert taught.yesterday.of("carl") is None
    assert sum(p.n for p in anna.parts) == sum(p.n for p in bob.parts) == 20
    assert sum(p.before for p in anna.parts) < sum(p.after for p in anna.parts)
    assert sum(p.after for p in bob.parts) >= 15
    assert anna.changed
    mine = {a.question_id for a in taught.warehouse.answers("anna")}
    texts = {taught.question(id).context.text for id in mine}
    for change in anna.changed:
        assert change.context in texts
        assert change.after == change.answer != change.before
    shown = anna.as_dict()
    assert "people" not in str(shown)
    assert shown["changed"][0]["better"] is True


def test_where_answers_are_no_texts_the_exam_speaks(taught, monkeypatch):
    meta = taught.warehouse.meta
    monkeypatch.setattr(taught.warehouse, "meta", lambda k: "caption" if k == "kind" else meta(k))
    assert taught.yesterday.of("anna") is None  # no night of hers had an exam
    sat = [replace(v, items=9, before=0.4, after=0.5) for v in taught.warehouse.verdicts()]
    monkeypatch.setattr(taught.warehouse, "verdicts", lambda: sat)
    taught.withdraw(taught.warehouse.answers("anna")[0].id, "anna", Retract.UNDO)
    taught.keep(reply(taught.next_question("anna"), "red", person="anna"))  # for a night to come
    lesson = taught.yesterday.of("anna").as_dict()
    assert (lesson["night"], lesson["lead"]) == (1, "exam")
    assert lesson["exam"] == {"taught": 19, "before": 0.4, "after": 0.5, "items": 9}
    assert taught.yesterday.of("bob").night == 2
    assert taught.yesterday.of("carl") is None


def test_lessons_outlive_the_process_and_cleaning_but_not_an_erasure(taught):
    taught.warehouse.collect_garbage(young=0)
    with School.open(taught.folder) as again:
        assert again.yesterday.of("bob") == taught.yesterday.of("bob")
        told = again.warehouse.meta(META)
        again.leaving.erase("bob", "anna")
        assert again.yesterday.of("bob") is None
        again.warehouse.collect_garbage(young=0)
        with pytest.raises(WarehouseError):
            again.warehouse.blob(told)
    assert taught.yesterday.of("bob") is None


def test_no_lesson_before_its_night_has_ended(taught, monkeypatch):
    question = taught.next_question("carl")
    taught.keep(reply(question, "green", person="carl", at=taught.now()))

    def breaks(self, night):
        raise RuntimeError("killed")

    monkeypatch.setattr(NightShift, "choose", breaks)
    with pytest.raises(RuntimeError):
        taught.night()
    assert taught.yesterday.of("carl") is None


def test_today_counts_replies_of_any_kind_that_still_count(taught):
    now = taught.now()
    assert taught.yesterday.today("anna", now) == 0
    kept = []
    for kind in (Reply.ANSWER, Reply.SKIP, Reply.BAD_QUESTION):
        question = taught.next_question("anna")
        text = "green" if kind is Reply.ANSWER else None
        kept.append(reply(question, text, reply=kind, at=now + 1))
        taught.keep(kept[-1])
    assert taught.yesterday.today("anna", now) == 3
    assert taught.yesterday.today("bob", now) == 0
    taught.withdraw(kept[1].id, "anna", Retract.UNDO)
    assert taught.yesterday.today("anna", now) == 2
    assert taught.yesterday.today("anna", now - 10 * 86_400) == 22


class Parrot:
    def predict(self, contexts):
        return [Document(f" {c.text}! ") for c in contexts]


def test_guesses_are_for_most_questions_that_teach_and_for_no_other():
    def pick(n, partition):
        return Pick(Context.of(f"{partition.value} {n}"), partition, "random", 0.0)

    picks = [pick(n, side) for n in range(200) for side in Partition]
    found = with_guesses(picks, Parrot(), key=3)
    assert [p.context for p in found] == [p.context for p in picks]
    for p in found:
        assert p.guess in ("", f"{p.context.text}!")
        assert p.partition is Partition.TRAINING or not p.guess
    guessed = sum(bool(p.guess) for p in found)
    assert 130 < guessed < 170  # of 200; the others hide which questions examine
    assert with_guesses(picks, Parrot(), key=3) == found


def test_a_guess_is_seen_only_where_it_is_shown_and_teaches(tmp_path):
    folder = make_school(tmp_path / "school", show_guess=True)
    with School.open(folder) as school:
        school.night()
        queue = school.warehouse.queue()
        seen = [q for q in queue if guess_of(q, shown=True)]
        assert seen
        assert all(q.partition is Partition.TRAINING for q in seen)
        assert not any(guess_of(q, shown=False) for q in queue)
    exam = Question("q", Context.of("x"), Partition.EXAM, "", 0.0, "v0", 0, 0, guess="y")
    assert guess_of(exam, shown=True) == ""
