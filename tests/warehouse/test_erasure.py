"""Somebody leaves: withdrawn as a whole, or erased from every byte of the school's folder."""

from __future__ import annotations

import dataclasses
import json
import signal
from pathlib import Path

import pytest
from sqlalchemy import Connection, select

from nightschool.types import Document, Example, LockedError, Partition, Reply
from nightschool.types.people import AccountError
from nightschool.warehouse import Warehouse
from nightschool.warehouse.gold import GUESSES
from nightschool.warehouse.tables import deliveries, questions
from tests.postgres import SERVER, copy_school
from tests.warehouse.children import Children
from tests.warehouse.helpers import answer, one_night, undo

SECRET = "zanzibarquartz"
NAME = "annabellina"
TRAIL = ("cant_tell", "viewer -> owner")


def learn(warehouse: Warehouse) -> None:
    """Two nights: Ben's and the person's answers, of which one is about a drawing."""
    questions = [question.id for question in warehouse.queue()]
    blob = warehouse.put_blob(SECRET.encode())
    both = warehouse.put_blob(b"a picture that Ben sent as well")
    drawn = Document(f"{SECRET} drawn", "text", blobs={"picture": blob, "frame": both})
    copied = Document("copied", "text", blobs={"picture": both})
    given = [
        answer("b0", questions[0], "ben", "plain"),
        dataclasses.replace(answer("a1", questions[1], NAME, f"{SECRET} one"), note=f"{SECRET} n"),
        dataclasses.replace(answer("a2", questions[2], NAME), document=drawn),
        dataclasses.replace(answer("b3", questions[3], "ben"), document=copied),
    ]
    for each in given:
        warehouse.keep(each)
    warehouse.lease(NAME, 60, now=0)
    told = [{"person": NAME}, {"answer": ["a1", f"{SECRET} one"]}, {"person": "ben"}]
    warehouse._log.write(lambda c: deliver(c, told))
    warehouse.audit.note(NAME, "promote", "v0", f"because {NAME} said so", at=1.0)
    one_night(warehouse, [made(given[0]), made(given[1])], now=86_400.0)
    one_night(warehouse, [made(each) for each in given], now=2 * 86_400.0)


def deliver(connection: Connection, bodies: list[dict[str, object]], hook: str = "") -> None:
    """Webhooks that were sent about answers."""
    for i, body in enumerate(bodies):
        values = {"hook": hook, "event": "", "error": "", "id": f"{i}", "body": json.dumps(body)}
        connection.execute(deliveries.insert().values(**values, at=0.0, tries=1, due=0.0))


def made(given: object) -> Example:
    target = given.document  # type: ignore[attr-defined]
    name = given.id  # type: ignore[attr-defined]
    return Example(f"e-{name}", Document(f"context {name}"), target, 1.0, (name,), 1)


def traces(folder: Path) -> list[str]:
    """Every file of the school in which the person's words or name are still found."""
    found = []
    for path in sorted(folder.rglob("*")):
        data = path.read_bytes() if path.is_file() else b""
        if SECRET.encode() in data or NAME.encode() in data:
            found.append(str(path.relative_to(folder)))
    return found


@pytest.fixture(scope="module")
def taught(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("taught") / "school"
    copy_school(made, folder)
    with Warehouse.open(folder) as warehouse:
        learn(warehouse)
    return folder


def test_an_erased_person_is_in_no_byte_of_the_folder(taught: Path, folder: Path) -> None:
    copy_school(taught, folder)
    here = {"blobs", "segments"} | ({"school.db"} if not SERVER else set())
    assert {path.split("/")[0] for path in traces(folder)} == here
    with Warehouse.open(folder) as warehouse:
        before = warehouse.manifest(warehouse.trainee().manifest)
        erased = warehouse.leaving.erase(NAME, "olga", at=3 * 86_400.0)
        assert erased.person == "erased-1"
        assert erased.versions == ("v1", "v2")
        assert len(erased.segments) == 2
        assert warehouse.verify() == []
        assert warehouse.leaving.erasures() == [erased]
        # The manifests stand as they were; what they name is what is left.
        assert warehouse.manifest(before.hash) == before
        left = warehouse.dataset(before)
        assert [example.id for example in left.new] == ["e-b0", "e-b3"]
        assert [example.id for example in left.earlier(9, 0)] == []
        old = warehouse.dataset(before, night=2)
        assert [example.id for example in old.earlier(9, 0)] == ["e-b0"]
        [mine] = {a.person for a in warehouse.answers(retracted=True)} - {"ben"}
        assert mine == "erased-1"
        gone = [a for a in warehouse.answers(retracted=True) if a.person == mine]
        assert [(a.reply, a.document, a.note) for a in gone] == [(Reply.SKIP, None, "")] * 2
        assert [a.id for a in warehouse.answers()] == ["b0", "b3"]
        assert warehouse.leaving.unlearned() == 2
        entries = [(e.person, e.action, e.subject, e.detail) for e in warehouse.audit.entries()]
        assert ("olga", "erase", "erased-1", "2 answers") in entries
        with warehouse._log.read() as connection:
            assert connection.scalars(select(deliveries.c.id)).all() == ["2"]
        assert [path.read_bytes()[:9] for path in (folder / "blobs").iterdir()] == [b"a picture"]
        assert ("erased-1", "promote", "v0", "because erased-1 said so") in entries
        # What is given now is nobody's before.
        warehouse.backup(folder.parent / "copy")
        assert traces(folder) == []
    assert traces(folder) == []
    assert traces(folder.parent / "copy") == []
    with Warehouse.open(folder.parent / "copy") as copy:
        assert copy.verify() == []
        assert [example.id for example in copy.dataset(before).new] == ["e-b0", "e-b3"]


def test_a_rebuild_after_an_erasure_names_what_is_left_and_learned_nothing_of_them(
    taught: Path, folder: Path
) -> None:
    copy_school(taught, folder)
    with Warehouse.open(folder) as warehouse:
        erased = warehouse.leaving.erase(NAME, NAME, at=3 * 86_400.0)
        assert erased.by == "erased-1"
        rest = [made(a) for a in warehouse.answers()]
        manifest, version = one_night(warehouse, rest, rebuild=True, now=4 * 86_400.0)
        assert version.parent == "v0"
        assert [example.id for example in warehouse.dataset(manifest).new] == ["e-b0", "e-b3"]
        assert {heir.sha256 for heir in erased.segments.values()} <= {
            segment.sha256 for segment in manifest.segments
        }
        assert warehouse.leaving.unlearned() == 0
        with pytest.raises(AccountError, match=NAME):
            warehouse.leaving.erase(NAME, "olga", at=5 * 86_400.0)
        second = warehouse.leaving.erase("ben", "olga", at=5 * 86_400.0)
        assert (second.person, second.versions) == ("erased-2", ("v1", "v2", "v3"))
        assert warehouse.dataset(manifest).new == []
        assert warehouse.verify() == []
        warehouse.collect_garbage(young=0)
        assert warehouse.verify() == []


POINTS = [
    "segment.renamed",
    "erase.planned",
    "erase.inside",
    "erase.recorded",
    "erase.swept",
    "erase.scrubbed",
]


@pytest.mark.parametrize("point", POINTS)
def test_an_erasure_killed_at_any_point_is_finished_or_untouched(
    taught: Path, folder: Path, children: Children, point: str
) -> None:
    copy_school(taught, folder)
    assert children.run("erase", folder, NAME, point) == -signal.SIGKILL
    happened = POINTS.index(point) >= POINTS.index("erase.recorded")
    with Warehouse.open(folder) as warehouse:
        assert warehouse.verify() == []
        counting = [a.id for a in warehouse.answers()]
        assert counting == (["b0", "b3"] if happened else ["b0", "a1", "a2", "b3"])
        if not happened:
            assert warehouse.leaving.erasures() == []
            warehouse.leaving.erase(NAME, "olga", at=3 * 86_400.0)
        assert len(warehouse.leaving.erasures()) == 1
        assert warehouse.verify() == []
        assert traces(folder) == []


def test_nobody_is_erased_while_a_night_runs(taught: Path, folder: Path) -> None:
    copy_school(taught, folder)
    with Warehouse.open(folder) as warehouse:
        with warehouse.begin_night(now=3 * 86_400.0), pytest.raises(LockedError, match="night"):
            warehouse.leaving.erase(NAME, "olga", at=3 * 86_400.0)
        assert warehouse.leaving.erasures() == []


def test_a_person_is_withdrawn_as_a_whole_and_their_questions_wait_again(
    warehouse: Warehouse,
) -> None:
    questions = [question.id for question in warehouse.queue()]
    for i in range(3):
        warehouse.keep(answer(f"a{i}", questions[i]))
    warehouse.keep(answer("b", questions[3], "ben"))
    warehouse.retract(undo("r", "a0"))
    held = warehouse.lease("anna", 600, [], now=0)
    assert held is not None
    assert warehouse.queue_left() == 7
    assert warehouse.leaving.withdraw("anna", "olga", "guessed", at=5.0) == 2
    assert warehouse.leaving.withdraw("anna", "olga", "guessed", at=6.0) == 0
    assert [a.id for a in warehouse.answers()] == ["b"]
    assert warehouse.queue_left() == 9
    given = warehouse.lease("ben", 60, now=1)
    assert given is not None
    assert given.id == questions[0]
    why = [(r.answer_id, r.why, r.person, r.reason) for r in warehouse.retractions()]
    assert why[1:] == [
        ("a1", "withdrawal", "olga", "guessed"),
        ("a2", "withdrawal", "olga", "guessed"),
    ]
    entry = warehouse.audit.entries()[1]
    assert (entry.person, entry.action, entry.subject) == ("olga", "withdraw", "anna")
    assert entry.detail == "2 answers: guessed"


def test_a_rebuild_is_due_for_what_was_learned_and_then_withdrawn(warehouse: Warehouse) -> None:
    question = warehouse.queue()[0].id
    warehouse.keep(answer("a", question))
    given = warehouse.answered(Partition.TRAINING)[0].answers[0]
    one_night(warehouse, [made(given)], now=86_400.0)
    assert warehouse.leaving.unlearned() == 0
    warehouse.leaving.withdraw("anna", "olga", "", at=86_500.0)
    assert warehouse.leaving.unlearned() == 1
    one_night(warehouse, [], now=2 * 86_400.0)
    assert warehouse.leaving.unlearned() == 1
    one_night(warehouse, [], rebuild=True, now=3 * 86_400.0)
    assert warehouse.leaving.unlearned() == 0


def test_what_others_kept_of_their_words_goes_and_what_others_said_too_stays(
    taught: Path, folder: Path
) -> None:
    copy_school(taught, folder)
    with Warehouse.open(folder) as warehouse:
        question = warehouse.queue()[-1].id
        note = f"{NAME.title()} told me, and {NAME}s too"
        warehouse.keep(dataclasses.replace(answer("b9", question, "ben", "x"), note=note))
        # Words that the trail uses itself: who said them cannot take them out of it.
        for n, (word, asked) in enumerate(zip(TRAIL, warehouse.queue()[:2], strict=True)):
            warehouse.keep(answer(f"w{n}", asked.id, NAME, word))
        warehouse.keep(answer("a4", question, NAME, "Plain"))  # which Ben said, too
        asked = {a.id: a.question_id for a in warehouse.answers()}
        first, second, third, fourth = (asked[name] for name in ("a1", "b0", "b3", "a2"))
        for name, about, text in (
            ("s1", first, f" {SECRET} one."),
            ("s2", second, "Plain"),
            ("s3", third, "Olga's own"),
            ("s4", fourth, TRAIL[1]),  # which they said of something else
        ):
            settling = answer(name, about, "olga", text)
            warehouse.keep(dataclasses.replace(settling, settles=True, seconds=0.0))
        settled = [made(a) for a in warehouse.answers("olga")]
        one_night(warehouse, settled, now=2.5 * 86_400.0)
        guesses = {first: f"{SECRET} one", second: "plain"}
        for name, guess in guesses.items():
            said = questions.update().where(questions.c.id == name).values(guess=guess)
            warehouse._log.write(lambda c, said=said: c.execute(said))
        warehouse.set_meta(GUESSES, json.dumps({"1": SECRET}))
        warehouse._log.write(lambda c: deliver(c, [{"answer": ["s1", SECRET]}], "olga's"))
        for action, subject, detail in (
            ("question settled", "q1", f"'{SECRET} one'"),
            ("question settled", "q2", "'plain'"),
            ("question settled", "q3", TRAIL[0]),
            ("role", "ben", TRAIL[1]),
            ("token", NAME, "my laptop in Ulm"),
            ("token", "ben", "bens laptop"),
        ):
            warehouse.audit.note("olga", action, subject, detail)
        erased = warehouse.leaving.erase(NAME, "olga", at=3 * 86_400.0)
        assert erased.versions == ("v1", "v2", "v3")
        assert [a.id for a in warehouse.answers("olga")] == ["s2", "s3", "s4"]
        left = warehouse.dataset(warehouse.manifest(warehouse.trainee().manifest), night=3)
        assert [example.id for example in left.new] == ["e-s2", "e-s3", "e-s4"]
        assert [warehouse.question(name).guess for name in guesses] == ["", "plain"]
        told = {(e.action, e.detail) for e in warehouse.audit.entries()}
        assert {("question settled", ""), ("question settled", "'plain'")} <= told
        assert {("question settled", TRAIL[0]), ("role", TRAIL[1])} <= told
        assert {("token", ""), ("token", "bens laptop")} <= told
        [kept] = [a for a in warehouse.answers("ben") if a.id == "b9"]
        assert kept.note == f"erased-1 told me, and {NAME}s too"
        assert SECRET not in str(told)
    files = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    assert not any(SECRET.encode() in data for data in files)
