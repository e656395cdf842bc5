"""People leave a school of the bag-of-words learner: withdrawn, or erased; a rebuild forgets."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import pytest
from click.testing import CliRunner
from starlette.testclient import TestClient

from nightschool.app import School, shortlist
from nightschool.app.shift import NightShift
from nightschool.cli.leaving import forgetting
from nightschool.cli.main import main
from nightschool.loop import teach
from nightschool.oracles import ScriptedOracle
from nightschool.types import Answer, Document, ExamError, Partition, Reply
from nightschool.types.people import AccountError, Role
from nightschool.warehouse import erasure
from nightschool.web import create_app
from tests.conftest import make_school

WORD = "zanzibarquartz"


class Clock:
    """A day a call to `dawn`."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now

    def dawn(self) -> None:
        self.now += 86_400.0


def hostile(school: School, n: int) -> None:
    """Somebody answers n questions with a word that nobody else says."""
    for i in range(n):
        question = school.next_question("mallory")
        assert question is not None
        school.keep(
            Answer(f"m{i}", question.id, "mallory", Reply.ANSWER, Document(WORD), 3.0, school.now())
        )


def traces(folder: Path) -> list[str]:
    """Files outside the weights that still hold the word or the name."""
    found = []
    for path in folder.rglob("*"):
        data = path.read_bytes() if path.is_file() and "weights" not in path.parts else b""
        if WORD.encode() in data or b"mallory" in data:
            found.append(path.name)
    return found


@pytest.fixture
def taught(tmp_path: Path, oracle: ScriptedOracle) -> tuple[Path, Clock]:
    """A night that learned from an oracle and from somebody hostile, who has an account."""
    clock, folder = Clock(), make_school(tmp_path / "school", candidates=2)
    with School.open(folder, clock=clock) as school:
        for name, role in (("olga", Role.OWNER), ("mallory", Role.TEACHER)):
            link = school.accounts.invite(role, "test", name)
            invitation = school.accounts.invitation(link)
            assert invitation is not None
            school.accounts.store.join(invitation.token, name, "!", clock())
        school.accounts.add_token("mallory", "robot", "mallory")
        teach(school, oracle, 10)
        hostile(school, 10)
        clock.dawn()
        school.night()
    return folder, clock


def test_withdrawn_as_a_whole_shut_out_and_forgotten_by_a_rebuild(
    taught: tuple[Path, Clock],
) -> None:
    folder, clock = taught
    with School.open(folder, clock=clock) as school:
        assert school.status().unlearned == 0
        assert school.leaving.withdraw("mallory", "olga", "nonsense") == 10
        account = school.accounts.store.find("mallory")
        assert account is not None
        assert account[0].disabled is not None
        status = school.status()
        assert 0 < status.unlearned <= 10  # some examined
        told = school.morning.read().uses
        assert (told.answers, told.back) == (status.answers, 10)
        assert told.learned == told.examples - status.unlearned  # one answer each
        assert told.answers == told.learned + told.exam == 10
        skip = school.next_question("olga")
        assert skip is not None
        school.keep(Answer("o", skip.id, "olga", Reply.SKIP, None, 1.0, school.now()))
        hostile_again = school.next_question("zoe")
        assert hostile_again is not None
        school.keep(
            Answer("z", hostile_again.id, "zoe", Reply.ANSWER, Document("x"), 1.0, school.now())
        )
        told = school.morning.read().uses
        assert told.answers == told.learned + told.exam + told.silent + told.waiting == 12
        assert any("--rebuild" in warning for warning in status.warnings)
        school.promote("v1", by="olga", reason="it serves, so it must be named")
        clock.dawn()
        school.night(rebuild=True)
        assert school.status().unlearned == 0
        learned = {"v1"}.__contains__
        assert "`nightschool promote v2` lets it serve" in forgetting(
            school, lambda version: learned(version.id)
        )
        told = [w for w in school.status().warnings if "promote v2" in w]
        assert len(told) == 1
        assert f"v1 serves and learned answers that no longer count: {status.unlearned}" in told[0]
        school.promote("v2", by="olga", reason="it never learned them")
        assert not any("promote v2" in warning for warning in school.status().warnings)
        assert forgetting(school, lambda version: learned(version.id)) == ""
        manifest = school.warehouse.manifest(school.warehouse.trainee().manifest)
        assert WORD not in {e.target.body for e in school.warehouse.dataset(manifest).new}


def test_erased_from_the_folder_and_from_the_accounts(taught: tuple[Path, Clock]) -> None:
    folder, clock = taught
    assert traces(folder)
    assert (folder / shortlist.FILE).exists()
    with School.open(folder, clock=clock) as school:
        erased = school.leaving.erase("mallory", "olga")
        assert school.accounts.store.find("mallory") is None
        assert school.leaving.touched() == {"v1": (erased.person,)}
        assert school.status().erased == ("v1",)
        with pytest.raises(AccountError, match="olga"):
            school.leaving.erase("olga", "olga")
        assert traces(folder) == []
        # Life goes on, and a rebuild learns from the others.
        clock.dawn()
        school.night(rebuild=True)
        trainee = school.warehouse.trainee()
        assert (trainee.id, trainee.parent) == ("v2", "v0")
        assert traces(folder) == []
        assert WORD.encode() not in b"".join(
            path.read_bytes()
            for path in school.warehouse.weights_path(trainee).rglob("*")
            if path.is_file()
        )
        assert school.warehouse.verify() == []


def test_names_are_checked_before_anything_goes(
    taught: tuple[Path, Clock], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, clock = taught
    with School.open(folder, clock=clock) as school:
        with pytest.raises(AccountError, match="Nobody here"):
            school.leaving.erase("malory", "olga")
        with pytest.raises(AccountError, match="last owner"):
            school.leaving.erase("olga", "olga")
        assert (folder / shortlist.FILE).exists()
        with pytest.raises(AccountError, match="nobody here"):
            school.leaving.withdraw("malory", "olga")
        assert school.leaving.withdraw("Mallory ", "olga") == 10
        account = school.accounts.store.find("mallory")
        assert account is not None
        assert account[0].disabled is not None

        order: list[str] = []
        monkeypatch.setattr(school.accounts, "forget", lambda: order.append("forgotten"))
        monkeypatch.setattr(erasure, "scrub", lambda _: order.append("swept"))
        school.leaving.erase("mallory", "olga")
        assert order == ["forgotten", "swept"], "nobody waits for the slow part to be shut out"
        assert not (folder / shortlist.FILE).exists()


def test_an_erased_person_says_no_more(taught: tuple[Path, Clock]) -> None:
    folder, clock = taught
    with School.open(folder, clock=clock) as school, School.open(folder, clock=clock) as shell:
        app = create_app(school, accounts=school.accounts)
        client = TestClient(app, base_url="http://127.0.0.1:8000")
        secret = school.accounts.add_token("mallory", "again", "mallory")
        client.headers["authorization"] = f"Bearer {secret}"
        question = client.get("/api/next").json()["question"]["id"]
        reply = {"question_id": question, "reply": "skip"}
        # From the shell: the server remembers for some seconds that they may come in.
        shell.leaving.erase("mallory", "shell")
        told = client.post("/api/answers", json={"id": str(uuid.uuid4()), **reply})
        assert (told.status_code, "shut or erased" in told.json()["error"]) == (409, True)
        assert client.get("/api/next").status_code == 409
        assert school.warehouse.leases(clock()) == 0
        assert "mallory" not in {person.id for person in school.warehouse.people()}
        assert traces(folder) == []


def test_at_the_command_line(taught: tuple[Path, Clock]) -> None:
    folder, _ = taught

    def run(*words: str, **options: str) -> str:
        result = CliRunner().invoke(main, ["--school", str(folder), "people", *words], **options)
        return result.output

    told = run("withdraw", "mallory", "--reason", "why")
    assert "10 answers of mallory no longer count. `nightschool night --rebuild` makes" in told
    assert "Abort" in run("erase", "mallory", input="n\n")
    told = run("erase", "mallory", "--yes")
    assert "mallory is erased-1 from now on" in told
    assert "Learned from them: v1. `nightschool night --rebuild` makes a version" in told
    assert "Nobody here is called 'mallory'" in run("erase", "mallory", "--yes")


def test_what_the_weights_learned_from_somebody_erased_examines_nothing(
    taught: tuple[Path, Clock], tmp_path: Path
) -> None:
    folder, clock = taught
    with School.open(folder, clock=clock) as school:
        theirs = [a.question_id for a in school.warehouse.answers(person="mallory")]
        asked = [school.question(name) for name in theirs]
        texts = [q.context.text for q in asked if q.partition is Partition.TRAINING]
        school.leaving.erase("mallory", "olga")
        path = tmp_path / "new.jsonl"
        path.write_text("\n".join(json.dumps({"context": t, "answer": "green"}) for t in texts))
        with pytest.raises(ExamError, match=f"trained on {len(texts)} of"):
            school.examiner.add(path)


def test_a_rebuild_that_ended_nowhere_forgot_nothing(
    taught: tuple[Path, Clock], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, clock = taught
    with School.open(folder, clock=clock) as school:
        school.leaving.withdraw("mallory", "olga")
        due = school.status().unlearned
        clock.dawn()
        with monkeypatch.context() as killed:
            killed.setattr(NightShift, "examine", interrupted)
            with pytest.raises(KeyboardInterrupt):
                school.night(rebuild=True)
        assert school.status().unlearned == due > 0
        school.abandon()
        assert school.status().unlearned == due


def interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_running_server_lists_no_name_that_was_erased(taught: tuple[Path, Clock]) -> None:
    folder, clock = taught
    with School.open(folder, clock=clock) as school:
        school.leaving.withdraw("mallory", "olga")
        school.crowd.renew()
        assert "mallory" in {figure.person for figure in school.figures.everybody()}
        school.leaving.erase("mallory", "olga")
        school.crowd.renew()  # as some seconds do
        assert "mallory" not in {figure.person for figure in school.figures.everybody()}


def test_a_night_that_has_not_ended_is_read_again(
    taught: tuple[Path, Clock], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, clock = taught
    with School.open(folder, clock=clock) as school:
        clock.dawn()
        with monkeypatch.context() as killed:
            killed.setattr(NightShift, "choose", interrupted)
            with pytest.raises(KeyboardInterrupt):
                school.night()
        assert [night.night for night in school.morning.read().nights] == [1, 2]
        clock.now += 7200
        school.night()
        ended = school.warehouse.nights()[-1].finished
        assert school.morning.read().nights[-1].at == ended == clock.now
