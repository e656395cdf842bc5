"""Webhooks: every event once in the outbox, sent until it arrives, signed so that others agree."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest
import standardwebhooks.webhooks as standard
from click.testing import CliRunner

from nightschool.app import School
from nightschool.app.config import read_config
from nightschool.app.machines import services, tell_webhooks
from nightschool.app.webhooks import KEPT, RETRIES, Herald, Hook, HooksFile, hooks_of, new_secret
from nightschool.cli import main
from nightschool.types import Answer, ConfigError, Document, Reply, Retract
from nightschool.warehouse.timelines import Timelines

from ..conftest import make_school


class Receiver:
    """Whoever is told: keeps what came, and answers with `status` (0: it cannot be reached)."""

    def __init__(self) -> None:
        self.status = 200
        self.got: list[httpx2.Request] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.got.append(request)
        if not self.status:
            raise httpx2.ConnectError("nobody listens", request=request)
        return httpx2.Response(self.status)

    @property
    def told(self) -> list[dict]:
        return [json.loads(request.content) for request in self.got]


HOOK = Hook("hr", "https://example.org/hook", new_secret())


@pytest.fixture
def school(school_folder: Path) -> Iterator[School]:
    with School.open(school_folder) as school:
        yield school


class Day:
    """A herald whose clock is turned by hand."""

    def __init__(self, school: School, *hooks: Hook) -> None:
        self.school, self.hooks = school, list(hooks)
        self.clock, self.receiver = time.time(), Receiver()
        self.herald = self.another()
        self.herald.step()  # from here on it tells

    def another(self) -> Herald:
        return Herald(
            self.school.warehouse.deliveries,
            lambda: self.hooks,
            now=lambda: self.clock,
            transport=httpx2.MockTransport(self.receiver),
        )

    def answer(self, text: str = "a secret text") -> Answer:
        question = self.school.next_question("secret person")
        assert question is not None
        answer = Answer(
            str(uuid.uuid4()),
            question.id,
            "secret person",
            Reply.ANSWER,
            Document(text),
            2.5,
            self.clock,
            "a secret note",
        )
        self.school.keep(answer)
        return answer


def test_an_answer_is_told_once_signed_and_without_its_text(school: School) -> None:
    day = Day(school, HOOK)
    answer = day.answer()
    assert day.herald.step() == 1
    assert day.herald.step() == 0
    (request,) = day.receiver.got
    assert str(request.url) == HOOK.url
    told = standard.Webhook(HOOK.secret).verify(request.content, dict(request.headers))
    assert told["type"] == "answer_kept"
    assert told["data"] == {
        "answer_id": answer.id,
        "question_id": answer.question_id,
        "reply": "answer",
        "seconds": 2.5,
        "at": day.clock,
    }
    assert b"secret" not in request.content
    with pytest.raises(standard.WebhookVerificationError):
        standard.Webhook(new_secret()).verify(request.content, dict(request.headers))


def test_a_night_and_what_serves_are_told_from_the_log(school: School) -> None:
    day = Day(school, HOOK)
    for _ in range(12):
        day.answer("green")
    verdict = school.night()  # in another process as a rule: only the log knows of it
    school.rollback("owner", "a secret reason")
    day.herald.step()
    told = [t for t in day.receiver.told if t["type"] != "answer_kept"]
    night, *champions = (t["data"] for t in sorted(told, key=lambda t: t["type"], reverse=True))
    assert len(day.receiver.told) == 15
    assert (night["night"], night["serves"]) == (1, verdict.serves)
    assert night["decision"] == verdict.decision.value
    assert night["seconds"] > 0
    assert champions == [
        {"version": verdict.challenger, "night": 1, "by_hand": False},
        {"version": verdict.champion, "night": 0, "by_hand": True},
    ]
    assert b"secret" not in b"".join(r.content for r in day.receiver.got)


def test_a_message_is_sent_again_until_it_arrives(school: School) -> None:
    day = Day(school, HOOK)
    day.answer()
    day.answer()
    day.receiver.status = 0
    assert day.herald.step() == 0
    assert len(day.receiver.got) == 1  # the second one waits for a hook that just failed
    for wait in RETRIES[:3]:
        day.herald.step()
        tries = len(day.receiver.got)
        day.clock += wait + 1
        day.receiver.status = 503
        day.herald.step()
        assert len(day.receiver.got) > tries
    day.herald = day.another()  # the server was started again
    day.receiver.status = 200
    day.clock += RETRIES[3] + 1
    assert day.herald.step() == 2
    assert day.herald.step() == 0
    ids = [request.headers["webhook-id"] for request in day.receiver.got]
    assert len(set(ids)) == 2
    assert school.warehouse.deliveries.waiting() == {}


def test_what_never_arrives_is_given_up(school: School) -> None:
    day = Day(school, HOOK)
    day.answer()
    day.receiver.status = 500
    for wait in (*RETRIES, 1):
        day.herald.step()
        day.clock += wait + 1
    assert len(day.receiver.got) == len(RETRIES) + 1
    assert school.warehouse.deliveries.waiting() == {}
    (row,) = school.warehouse.deliveries.newest(5)
    assert (row["error"], row["tries"]) == ("HTTP 500", len(RETRIES) + 1)
    day.clock += KEPT + 1
    day.herald.step()
    assert school.warehouse.deliveries.newest(5) == []
    day.answer()
    day.receiver.status = 410  # the receiver says: never again
    day.herald.step()
    assert school.warehouse.deliveries.waiting() == {}


def test_each_hook_gets_what_it_wants_and_a_broken_one_holds_up_no_other(school: School) -> None:
    nights = Hook("nights", "https://example.org/nights", new_secret(), ("night_ended",))
    day = Day(school, HOOK, nights)
    day.answer()
    assert day.herald.step() == 1
    day.hooks.remove(HOOK)
    day.answer()
    assert day.herald.step() == 0
    day.hooks = []
    day.herald.step()
    day.answer()  # while nobody is told
    day.hooks = [HOOK]
    day.herald.step()
    assert [str(r.url) for r in day.receiver.got] == [HOOK.url]
    last = day.answer()
    day.herald.step()
    assert [t["data"]["answer_id"] for t in day.receiver.told][1:] == [last.id]


def test_an_answer_taken_back_is_no_new_answer(school: School) -> None:
    day = Day(school, HOOK)
    answer = day.answer()
    school.withdraw(answer.id, answer.person, Retract.UNDO)
    day.herald.step()
    assert len(day.receiver.got) == 1


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"url": "ftp://example.org"}, "http"),
        ({"url": "https://user:word@example.org"}, "http"),
        ({"secret": "short"}, "secret"),
        ({"secret": "$"}, "secret"),
        ({"events": ["answered"]}, "answer_kept"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_webhook_that_cannot_be(school_folder: Path, change: dict, word: str) -> None:
    table = {"url": HOOK.url, "secret": HOOK.secret, **change}
    config = read_config(school_folder)
    object.__setattr__(config, "webhooks", {"hr": table})
    with pytest.raises(ConfigError, match=word):
        hooks_of(config)


def run(folder: Path, *arguments: str) -> str:
    done = CliRunner().invoke(main, ["--school", str(folder), *arguments])
    assert done.exit_code in (0, 1), done.output
    return done.output


def test_the_terminal_makes_and_removes_them_while_the_server_runs(school_folder: Path) -> None:
    hooks = HooksFile(school_folder)
    assert hooks() == ()
    said = run(school_folder, "webhook", "add", "hr", HOOK.url, "--event", "night_ended")
    (hook,) = hooks()
    assert hook.secret in said
    assert (hook.url, hook.events) == (HOOK.url, ("night_ended",))
    assert HOOK.url in run(school_folder, "webhook", "list")
    for shown in ("webhook list", "config", "config webhooks", "config webhooks.hr"):
        assert hook.secret not in run(school_folder, *shown.split())
    assert "'secret': '(set)'" in run(school_folder, "config", "webhooks.hr")
    assert "no address" in run(school_folder, "webhook", "add", "x", "file:///etc")
    assert "nightschool webhook" in run(school_folder, "config", "webhooks.hr", "x")
    assert "did not take" in run(school_folder, "webhook", "add", "off", "http://127.0.0.1:9") + (
        run(school_folder, "webhook", "test", "off")
    )
    run(school_folder, "webhook", "remove", "off")
    run(school_folder, "webhook", "remove", "hr")
    assert hooks() == ()
    with School.open(school_folder) as school:
        entries = school.warehouse.audit.entries()
        done = [entry.action for entry in entries]
    where = urlsplit(HOOK.url)
    assert entries[-1].detail == f"{where.scheme}://{where.netloc}", "its path may be a secret"
    assert done == ["webhook removed", "webhook removed", "webhook added", "webhook added"]


def test_served_texts_join_the_pool_where_that_is_set(tmp_path: Path) -> None:
    folder = make_school(tmp_path / "school", served_to_pool=True, max_context_chars=40)
    with School.open(folder) as school:
        known = school.warehouse.counts()
        with services(school) as found:
            assert found.offer is not None
            texts = [f"served text {i}" for i in range(30)]
            found.offer([*texts, *texts, "", "x" * 41, "half \ud800"])
            assert found.figures()["leases"] == 0
        after = school.warehouse.counts()
        assert after.training + after.exam == known.training + known.exam + 30
        assert after.exam > known.exam  # each side by its keyed hash, as for any context
        assert after.training > known.training
    with School.open(make_school(tmp_path / "other")) as school, services(school) as found:
        assert found.offer is None


def test_a_night_tells_by_itself_only_where_no_server_does(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    monkeypatch.setattr(Herald, "step", lambda self: steps.append("step"))
    tell_webhooks(school)
    with school.warehouse.serve_lock():
        tell_webhooks(school)
    assert steps == ["step"]


def test_a_secret_may_stand_in_the_environment(
    school_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = new_secret()
    said = run(school_folder, "webhook", "add", "hr", HOOK.url, "--secret", "$HR_SECRET")
    assert "Secret" not in said
    assert "'$HR_SECRET'" in run(school_folder, "config", "webhooks.hr")
    (hook,) = HooksFile(school_folder)()
    receiver = Receiver()
    with School.open(school_folder) as school:
        herald = Herald(school.warehouse.deliveries, list, transport=httpx2.MockTransport(receiver))
        for value in ("", "no secret"):
            monkeypatch.setenv("HR_SECRET", value)
            assert "HR_SECRET holds no secret" in herald.ping(hook, 0.0)
        assert receiver.got == []
        monkeypatch.setenv("HR_SECRET", secret)
        assert herald.ping(hook, 0.0) == ""
        herald.close()
    (request,) = receiver.got
    told = standard.Webhook(secret).verify(request.content, dict(request.headers))
    assert told["type"] == "ping"


@pytest.mark.parametrize("host", ["a\x7f.com", f"{'a' * 70}.com"])
def test_an_address_that_nothing_can_have_is_one_that_fails(school: School, host: str) -> None:
    herald = Herald(school.warehouse.deliveries, list)
    assert herald.ping(Hook("x", f"http://{host}/", new_secret()), 0.0)
    herald.close()


def test_whatever_goes_wrong_in_the_telling_the_night_ends_well(
    school_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("no disk")

    monkeypatch.setattr(Herald, "step", fail)
    monkeypatch.setattr(Timelines, "keep", fail)
    assert "Night 1" in run(school_folder, "night")
