"""Files of other tools, each written in its documented format, taken into a school."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nightschool.app import School
from nightschool.app.exchange import Wishes, import_file
from nightschool.types import (
    AnswerError,
    ConfigError,
    ConflictingAnswer,
    NightschoolError,
    Partition,
    PoolError,
    Reply,
)

from ...conftest import make_school

FILES = Path(__file__).parent / "files"
SNOW, COAL = "person1 looks at the snow. It is", "person2 looks at the coal. It is"
WHO_A, WHO_B = (f"argilla:00000000-0000-4000-8000-00000000000{end}" for end in "ab")

# By file: who said what about which context, with seconds and time where the file has them.
CASES = {
    ("prodigy.jsonl", "prodigy"): {
        (SNOW, "prodigy:colours-anna", "answer", "white", 0.0, 1713000000.0, ""),
        (COAL, "prodigy:colours-anna", "skip", "", 0.0, 1713000010.0, "not red"),
        ("person3 looks at the sky. It is", "prodigy:colours-ben", "skip", "", 0.0,
         1713000015.0, ""),
        ("person4 looks at the blood. It is", "prodigy:colours-ben", "answer", "red", 0.0,
         1713000020.0, ""),
        ("person5 lokks att. It is", "prodigy:colours-ben", "bad_question", "", 0.0, 1713000025.0,
         ""),
    },
    ("labelstudio.json", "labelstudio"): {
        (SNOW, "labelstudio:anna@example.com", "answer", "white", 4.288, 1713000000.5, ""),
        (SNOW, "labelstudio:11", "skip", "", 1.5, 1713000060.0, ""),
        (COAL, "labelstudio:11", "answer", "black", 7.25, 1713000120.0, ""),
    },
    ("argilla.json", "argilla"): {
        (SNOW, WHO_A, "answer", "white", 0.0, 0.0, ""),
        (COAL, WHO_A, "skip", "", 0.0, 0.0, ""),
        (COAL, WHO_B, "answer", "black", 0.0, 0.0, ""),
    },
    ("argilla_flat.json", "argilla"): {
        (SNOW, "argilla:a", "answer", "white", 0.0, 0.0, ""),
        (COAL, "argilla:a", "skip", "", 0.0, 0.0, ""),
        (COAL, "argilla:b", "answer", "black", 0.0, 0.0, ""),
    },
    ("openai_chat.jsonl", "openai"): {
        (SNOW, "openai", "answer", "white", 0.0, 0.0, ""),
        ("Answer in one word.\nWhat colour is coal?", "openai", "answer", "black",
         0.0, 0.0, ""),
    },
    ("openai_prompt.jsonl", "openai"): {
        (SNOW, "openai", "answer", "white", 0.0, 0.0, ""),
        (COAL, "openai", "answer", "black", 0.0, 0.0, ""),
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def school(tmp_path_factory):
    """A school whose exam side is empty, with a queue that waits."""
    folder = make_school(tmp_path_factory.mktemp("into") / "s", exam=False, exam_partition=0.0)
    with School.open(folder) as school:
        school.refill()
        yield school


def kept(school):
    found = set()
    for partition in (Partition.TRAINING, Partition.EXAM):
        for each in school.warehouse.answered(partition):
            for a in each.answers:
                body = a.document.body if a.document else ""
                text = each.question.context.text
                found.add((text, a.person, a.reply.value, body, a.seconds, a.at, a.note))
    return found


@pytest.mark.parametrize(("name", "tool"), CASES)
def test_a_documented_file_is_taken_in_once(school, name, tool):
    before, queue = kept(school), school.warehouse.queue_left()
    expected = CASES[name, tool]
    tried = import_file(school, FILES / name, tool, check=True)
    assert kept(school) == before
    taken = import_file(school, FILES / name, tool)
    assert kept(school) - before == expected - before
    assert taken == tried
    assert taken.replies == len(expected)
    again = import_file(school, FILES / name, tool)
    assert (again.answers, again.known, again.contexts) == (0, len(expected), 0)
    # What was answered elsewhere need not be asked any more; nothing else changed in the queue.
    assert queue - len({context for context, *_ in expected}) <= school.warehouse.queue_left()
    assert school.warehouse.queue_left() <= queue
    asked = {q.context.text for q in school.warehouse.queue()}
    assert not asked & {context for context, *_ in expected}


def test_the_audit_trail_names_file_and_person(school, tmp_path):
    path = tmp_path / "mine.jsonl"
    path.write_text('{"prompt": "two and two", "completion": "four"}\n')
    import_file(school, path, "openai", Wishes(person="cleo"), by="dora")
    newest = school.warehouse.audit.entries(1)[0]
    assert (newest.person, newest.action, newest.subject) == ("dora", "import", "mine.jsonl")
    assert ("two and two", "cleo", "answer", "four", 0.0, 0.0, "") in kept(school)


GOOD = {"prompt": "one and one", "completion": "two"}
TASK = {"text": "a", "label": "b", "answer": "accept"}
OPTIONS = [{"id": 1, "text": "x"}, {"id": 2, "text": "y"}]
BROKEN = {
    "openai": [
        ("{nonsense", "line 2.*broken JSON"),
        ({"messages": [{"role": "user", "content": "hm"}]}, "line 2.*assistant"),
        ({"prompt": "x", "completion": " "}, "line 2.*completion"),
        ({"prompt": "x\0", "completion": "y"}, "line 2.*NUL"),
        ({"prompt": "x", "completion": "y" * 5000}, "line 2.*characters"),
        ([1], "line 2.*object"),
        ({"text": "x"}, "line 2.*messages, or prompt"),
    ],
    "prodigy": [
        ({**TASK, "answer": "maybe"}, "line 2.*accept, reject or ignore"),
        ({"text": "a", "options": OPTIONS, "accept": [1, 2], "answer": "accept"}, "2 options"),
        ({"text": "a", "options": OPTIONS, "accept": [3], "answer": "accept"}, "none of its"),
        ({**TASK, "_timestamp": "soon"}, "ISO 8601"),
    ],
    "labelstudio": [
        ({"data": {"text": "a"}, "choice": "b"}, "JSON-MIN"),
        ({"data": {"text": "a", "title": "b"}, "annotations": []}, "2 texts .*--field"),
        ({"data": {"text": "a"}, "annotations": [{"result": 3}]}, "annotation 1: result"),
    ],
    "argilla": [
        ({"fields": {"a": "x"}, "responses": {"q": [{"value": ["b", "c"]}]}}, "2 answers"),
        ({"fields": {"a": "x"}, "responses": {"q": [{"value": "b"}], "r": [{"value": "c"}]}},
         "--question"),
    ],
    "nightschool": [({"reply": "answer", "person": "a", "context": "c", "answer": "d"}, "id must")],
}  # fmt: skip
FIRST = {
    "openai": GOOD,
    "prodigy": TASK,
    "labelstudio": {"data": {"text": "q"}, "annotations": [{"result": []}]},
    "argilla": {"fields": {"a": "x"}, "responses": {"q": [{"value": "b"}]}},
    "nightschool": {"reply": "answer", "person": "a", "context": "c", "answer": "d", "id": "n1"},
}


@pytest.mark.parametrize(
    ("tool", "broken", "told"), [(tool, *case) for tool, cases in BROKEN.items() for case in cases]
)
def test_a_broken_line_is_named_and_nothing_is_kept(school, tmp_path, tool, broken, told):
    before = kept(school)
    path = tmp_path / "file.jsonl"
    line = broken if isinstance(broken, str) else json.dumps(broken)
    path.write_text(json.dumps(FIRST[tool]) + "\n" + line + "\n")
    with pytest.raises((PoolError, AnswerError), match=told) as refusal:
        import_file(school, path, tool)
    assert "file.jsonl" in str(refusal.value)
    assert kept(school) == before


def test_an_id_of_another_answer_is_refused_with_the_whole_file(school, tmp_path):
    row = {"reply": "answer", "person": "eve", "context": "what is c?", "answer": "d", "id": "e1"}
    path = tmp_path / "own.jsonl"
    path.write_text(json.dumps(row))
    import_file(school, path, "nightschool")
    before = kept(school)
    lines = [{**row, "context": "a new one", "id": "e2"}, {**row, "answer": "something else"}]
    path.write_text("\n".join(map(json.dumps, lines)))
    with pytest.raises(ConflictingAnswer, match="'e1'"):
        import_file(school, path, "nightschool")
    assert kept(school) == before


def test_an_unknown_tool_and_an_empty_file_are_refused(school, tmp_path):
    path = tmp_path / "empty.jsonl"
    path.write_text("")
    with pytest.raises(PoolError, match="no reply"):
        import_file(school, path, "openai")
    with pytest.raises(ConfigError, match="prodigy"):
        import_file(school, path, "paper")
    with pytest.raises(NightschoolError, match="no such file"):
        import_file(school, tmp_path / "nowhere.jsonl", "openai")


def test_every_reply_is_one_that_the_school_knows():
    said = {reply for rows in CASES.values() for _, _, reply, *_ in rows}
    assert said <= set(Reply)
