"""What goes out of a school, in every format, and that it comes back as it was."""

from __future__ import annotations

import csv
import io
import json

import pyarrow.parquet as pq
import pytest

from nightschool.app import School
from nightschool.app.exchange import (
    Format,
    What,
    export,
    import_file,
    selection_of,
    stream,
)
from nightschool.app.init import init_school
from nightschool.loop import teach
from nightschool.types import ConfigError, Context, Partition, Reply, Retract

from ...conftest import make_school, world
from ..test_school import reply


@pytest.fixture(scope="module")
def taught(tmp_path_factory):
    """A school with a night behind it, a skip, an answer taken back and one with spaces."""
    from nightschool.oracles import ScriptedOracle

    folder = make_school(tmp_path_factory.mktemp("out") / "s")
    oracle = ScriptedOracle({Context.of(c).id: a for c, a, _ in world(300, 0)}, seconds=2.0)
    with School.open(folder) as school:
        teach(school, oracle, 20)
        school.night()
        answers = ({}, {"text": None, "reply": Reply.SKIP}, {"text": " sky blue\n", "note": "100%"})
        for changes in answers:
            question = school.next_question("anna")
            while question.partition is not Partition.TRAINING:
                school.keep(reply(question, person="anna"))
                question = school.next_question("anna")
            last = reply(question, **changes)
            school.keep(last)
            if not changes:
                school.withdraw(last.id, "anna", Retract.UNDO)
                hold = [question.id]
                assert school.next_question("anna", hold) is not None
                school.keep(reply(question, text=None, reply=Reply.CANT_TELL))
        yield school


def examples(school):
    found = school.crowd.curator()(school.warehouse.answered(Partition.TRAINING), 0)
    return {(e.context.body, e.target.body, e.weight) for e in found}


def lines(school, form, chosen=None, what=What.EXAMPLES):
    data = b"".join(stream(school, form, chosen, what)).decode()
    return [json.loads(line) for line in data.split("\n") if line]


def test_training_formats_hold_exactly_the_examples(taught):
    expected = {(context, answer) for context, answer, _ in examples(taught)}
    assert len(expected) > 10
    prompts = lines(taught, Format.PROMPT)
    assert {tuple(row) for row in prompts} == {("prompt", "completion")}
    assert {(r["prompt"], r["completion"].strip()) for r in prompts} == expected
    assert all(r["completion"].startswith(" ") for r in prompts)
    chats = [row["messages"] for row in lines(taught, Format.CHAT)]
    assert {(user["content"], said["content"]) for user, said in chats} == expected
    assert {(user["role"], said["role"]) for user, said in chats} == {("user", "assistant")}


def test_tables_say_the_same_as_lines(taught, tmp_path):
    for what in What:
        chosen = selection_of({"person": "anna"} if what is What.OWN else {})
        rows = lines(taught, Format.JSONL, chosen, what)
        table = tmp_path / f"{what}.parquet"
        assert export(taught, table, chosen=chosen, what=what) == len(rows) > 0
        assert pq.read_table(table).to_pylist() == rows
        text = b"".join(stream(taught, Format.CSV, chosen, what)).decode()
        cells = list(csv.DictReader(io.StringIO(text, newline="")))
        assert [c["context"] for c in cells] == [r["context"] for r in rows]
        assert [c["answer"] or None for c in cells] == [r["answer"] for r in rows]


def test_answers_are_verbatim_and_only_those_that_count(taught):
    rows = lines(taught, Format.JSONL, what=What.ANSWERS)
    live = list(taught.warehouse.answered(Partition.TRAINING))
    assert {r["id"] for r in rows} == {a.id for each in live for a in each.answers}
    assert [r["answer"] for r in rows if r["note"] == "100%"] == [" sky blue\n"]
    gone = lines(taught, Format.JSONL, selection_of({"state": "retracted"}), What.ANSWERS)
    assert [r["retracted"] for r in gone] == ["undo"]
    both = lines(taught, Format.JSONL, selection_of({"state": "any"}), What.ANSWERS)
    assert len(both) == len(rows) + 1


def test_own_answers_are_all_of_ones_own_on_whichever_side(taught):
    rows = lines(taught, Format.JSONL, selection_of({"person": "anna"}), What.OWN)
    every = {a.id for a in taught.warehouse.answers() if a.person == "anna"}
    assert {r["id"] for r in rows if not r["retracted"]} == every
    sides = {taught.warehouse.archive.traces(Context.of(r["context"]).id).partition for r in rows}
    assert sides == {Partition.TRAINING, Partition.EXAM}
    assert not rows[0].keys() & {"source", "strategy", "version", "night", "person"}
    with pytest.raises(ConfigError, match="person=anna"):
        stream(taught, Format.JSONL, what=What.OWN)


def test_the_exam_goes_out_alone_and_only_when_asked_for(taught):
    exam = {row["context"] for row in lines(taught, Format.JSONL, what=What.EXAM)}
    assert exam == {item.context.body for item in taught.examiner.marked()}
    others = lines(taught, Format.JSONL) + lines(taught, Format.JSONL, what=What.ANSWERS)
    assert not exam & {row["context"] for row in others}
    side = selection_of({"partition": "exam"})
    for what in (What.EXAMPLES, What.ANSWERS):
        with pytest.raises(ConfigError, match="--exam"):
            stream(taught, Format.JSONL, side, what)


def test_filters_choose(taught):
    found = lines(taught, Format.JSONL, selection_of({"text": "THE SNOW"}))
    assert found
    assert {"the snow" in row["context"] for row in found} == {True}
    said = lines(taught, Format.JSONL, selection_of({"text": "100%"}), What.ANSWERS)
    assert [row["note"] for row in said] == ["100%"]
    # A wildcard of the database is a letter like any other.
    assert not lines(taught, Format.JSONL, selection_of({"text": "1_0%"}), What.ANSWERS)
    skips = lines(
        taught, Format.JSONL, selection_of({"person": "anna", "reply": "skip"}), What.ANSWERS
    )
    assert [row["person"] for row in skips] == ["anna"]
    first = lines(taught, Format.JSONL, selection_of({"night": "0"}), What.ANSWERS)
    assert {row["person"] for row in first} == {"script"}


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"colour": "red"}, "no filter 'colour'"),
        ({"reply": "yes"}, "one of answer, skip"),
        ({"night": "-1"}, "number such as 3"),
        ({"text": "a\0"}, "NUL"),
    ],
)
def test_a_filter_that_nothing_could_fit_is_refused(said, told):
    with pytest.raises(ConfigError, match=told):
        selection_of(said)


def test_a_file_is_whole_or_absent_and_never_overwritten(taught, tmp_path):
    path = tmp_path / "x.jsonl"
    with pytest.raises(ConfigError, match="taken back"):
        export(taught, path, chosen=selection_of({"state": "any"}))
    assert list(tmp_path.iterdir()) == []
    assert export(taught, path) == len(examples(taught))
    with pytest.raises(ConfigError, match="exists"):
        export(taught, path)
    assert [p.name for p in tmp_path.iterdir()] == ["x.jsonl"]


def test_a_round_trip_gives_the_same_examples(taught, tmp_path):
    """Answers come back to the letter and on their side, examples in both training formats."""
    expected = examples(taught)
    for form, what, tool, side in (
        (Format.JSONL, What.ANSWERS, "nightschool", {"seed": 8, "exam_partition": 0.5}),
        (Format.PROMPT, What.EXAMPLES, "openai", {"exam_partition": 0.0}),
        (Format.CHAT, What.EXAMPLES, "openai", {"exam_partition": 0.0}),
    ):
        path = tmp_path / f"{form}.jsonl"
        export(taught, path, form, what=what)
        folder = tmp_path / f"new-{form}"
        init_school(folder, settings={"learner": "bagofwords", **side})
        with School.open(folder) as new:
            import_file(new, path, tool)
            assert examples(new) == expected
            if what is What.ANSWERS:
                ids = [{e.id for e in curated(s)} for s in (taught, new)]
                assert ids[0] == ids[1]
                the_exam_comes_back(taught, new, tmp_path)


def the_exam_comes_back(taught, new, folder):
    for form in (Format.JSONL, Format.CSV, Format.PARQUET):
        path = folder / f"exam.{form}"
        export(taught, path, form, what=What.EXAM)
        new.examiner.add(path)
        accepted = [
            {i.id: {a.body for a in i.accepted} for i in school.examiner.marked()}
            for school in (taught, new)
        ]
        assert accepted[0] == accepted[1]


def curated(school):
    return school.crowd.curator()(school.warehouse.answered(Partition.TRAINING), 0)
