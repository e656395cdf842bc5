"""Experiments over the API: the newest trials, one whole, and what was expected."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest
from starlette.testclient import TestClient
from web_fakes import (
    PENDULUM,
    FakeSchool,
    FakeSystem,
    a_question,
    a_trajectory,
    an_experiment,
    new_id,
)

from nightschool.types import Answer, ConfigError, Document, Question, Reply, Spec, Trajectory
from nightschool.web import create_app, experiments
from nightschool.web.experiments import REMEMBERED, Expectations, share_of_movement


@pytest.fixture
def school() -> FakeSchool:
    return FakeSchool([an_experiment(n) for n in range(25)], system=FakeSystem())


@pytest.fixture
def client(school: FakeSchool) -> Iterator[TestClient]:
    with TestClient(create_app(school), base_url="http://127.0.0.1:8000") as client:
        yield client


def test_an_experiment_is_shown_in_words(client: TestClient) -> None:
    told = client.get("/api/next", params={"person": "anna"}).json()["question"]
    assert told == {
        "id": "q0",
        "kind": "experiment",
        "version": "v0",
        "system": "pendulum",
        "steps": 10,
        "text": "An experiment of 10 steps with the pendulum",
    }


def test_the_newest_twenty_trials_with_their_ends(client: TestClient, school: FakeSchool) -> None:
    for question in school.questions[:22]:
        last = school.try_out(question)
    broken = school.try_out(school.questions[22], steps=4)
    failed = Answer(
        new_id(), "q23", "system", Reply.CANT_TELL, None, 0.0, 5.0, "It did not answer."
    )
    school.keep(failed)
    rows = client.get("/api/experiments").json()["experiments"]
    assert len(rows) == 20
    assert [row["id"] for row in rows[:3]] == [failed.id, broken.id, last.id]
    assert [row["whole"] for row in rows[:3]] == [False, False, True]
    assert [(row["steps"], row["asked"]) for row in rows[:3]] == [(0, 10), (4, 10), (10, 10)]
    assert rows[0]["note"] == "It did not answer."
    assert (rows[0]["shown"], rows[1]["ended"]) == (False, "left the limits")
    assert rows[0]["at"] == 5.0
    assert school.expectations == []  # the list waits for no model


def test_a_trial_has_what_was_expected_and_what_happened(
    client: TestClient, school: FakeSchool
) -> None:
    question = school.questions[1]
    answer = school.try_out(question, drift=0.2, steps=6)
    told = client.get(f"/api/experiments/{answer.id}").json()
    assert (told["system"], told["names"]) == ("pendulum", ["theta", "theta speed"])
    assert (told["seconds"], told["angles"], told["ended"]) == (0.05, [0], "left the limits")
    expected, happened = a_trajectory(question, drift=0.1), a_trajectory(question, drift=0.2)
    assert np.allclose(told["expected"], expected.states, atol=1e-6)
    assert np.allclose(told["states"], happened.states[:7], atol=1e-6)
    assert told["error"] == pytest.approx(0.5, abs=1e-6)  # half of the way was expected
    client.get(f"/api/experiments/{answer.id}")
    assert school.expectations == ["q1"]  # a version is asked once


def test_what_is_expected_of_a_question(client: TestClient) -> None:
    told = client.get("/api/expected/q2").json()
    assert (len(told["expected"]), told["states"], told["error"]) == (11, None, None)
    assert client.get("/api/expected/q99").status_code == 404


def test_texts_have_no_expectation() -> None:
    client = TestClient(
        create_app(FakeSchool.of("One and one is")), base_url="http://127.0.0.1:8000"
    )
    reply = client.get("/api/expected/q0")
    assert (reply.status_code, "no experiment" in reply.json()["error"]) == (404, True)


def test_answers_to_other_questions_are_no_trials(school: FakeSchool) -> None:
    school.questions.append(a_question(30, "One and one is"))
    client = TestClient(create_app(school), base_url="http://127.0.0.1:8000")
    text = Answer(new_id(), "q30", "anna", Reply.ANSWER, Document("two"), 0.0, 0.0)
    school.keep(text)
    assert client.get("/api/experiments").json() == {"experiments": []}
    trial = school.try_out(school.questions[0])
    school.keep(Answer(new_id(), "q30", "anna", Reply.SKIP, None, 0.0, 0.0))
    rows = client.get("/api/experiments").json()["experiments"]
    assert [row["id"] for row in rows] == [trial.id]


class LostSystem(FakeSystem):
    """A robot whose cable is out."""

    @property
    def spec(self) -> Spec:  # type: ignore[override]
        raise ConfigError("The robot does not answer; plug it in.")

    @spec.setter
    def spec(self, spec: Spec) -> None:
        assert spec is PENDULUM


def test_a_system_out_of_reach_hides_no_trial(client: TestClient, school: FakeSchool) -> None:
    school.system = LostSystem()
    answer = school.try_out(school.questions[0])
    reply = client.get(f"/api/experiments/{answer.id}")
    assert reply.status_code == 200
    told = reply.json()
    assert (told["names"], told["angles"]) == (["state 0", "state 1"], [])
    assert (told["seconds"], len(told["states"]), len(told["expected"])) == (None, 11, 11)


def test_a_busy_model_keeps_nobody_waiting(
    school: FakeSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(experiments, "PATIENCE", 0.05)
    client = TestClient(create_app(school), base_url="http://127.0.0.1:8000")
    assert client.get("/api/expected/q0").status_code == 200
    begun, free = threading.Event(), threading.Event()
    real = school.expected

    def slow(question: Question) -> Document | None:
        begun.set()
        assert free.wait(10)
        return real(question)

    school.expected = slow  # type: ignore[method-assign]
    first = threading.Thread(target=client.get, args=("/api/expected/q1",))
    first.start()
    try:
        assert begun.wait(10)
        reply = client.get("/api/expected/q2")
        assert (reply.status_code, "busy" in reply.json()["error"]) == (503, True)
        assert client.get("/api/expected/q0").status_code == 200  # what is known waits for nobody
    finally:
        free.set()
        first.join(10)
    assert client.get("/api/expected/q2").status_code == 200
    assert school.expectations == ["q0", "q1", "q2"]


def test_trials_that_are_not_there(client: TestClient, school: FakeSchool) -> None:
    skipped = Answer(new_id(), "q0", "anna", Reply.SKIP, None, 0.0, 0.0)
    school.keep(skipped)
    for name in ("nix", skipped.id):
        reply = client.get(f"/api/experiments/{name}")
        assert (reply.status_code, name in reply.json()["error"]) == (404, True)


def gone(_: Question) -> None:
    return None


def infinite(_: Question) -> Document:
    body = '{"system": "pendulum", "states": [[Infinity], [1]], "actions": [[0]]}'
    return Document(body, "trajectory")


@pytest.mark.parametrize("expected", [gone, infinite])
def test_a_trial_without_expectation_is_shown_all_the_same(
    client: TestClient, school: FakeSchool, expected: object
) -> None:
    school.expected = expected  # type: ignore[assignment,method-assign]
    school.system = None
    answer = school.try_out(school.questions[0])
    told = client.get(f"/api/experiments/{answer.id}").json()
    assert (told["expected"], told["error"], told["seconds"]) == (None, None, None)
    assert (told["names"], len(told["states"])) == (["state 0", "state 1"], 11)
    told = client.get("/api/expected/q3").json()
    assert (told["system"], told["names"], told["expected"]) == ("", [], None)


def test_a_person_may_skip_an_experiment_and_not_answer_it(
    client: TestClient, school: FakeSchool
) -> None:
    sent = {"id": new_id(), "question_id": "q0", "person": "anna", "reply": "answer", "text": "1"}
    reply = client.post("/api/answers", json=sent)
    assert (reply.status_code, "nightschool teach" in reply.json()["error"]) == (422, True)
    left = {**sent, "reply": "bad_question", "text": ""}
    assert client.post("/api/answers", json=left).status_code == 201
    trial = school.try_out(school.questions[1])
    told = client.post("/api/undo", json={"person": "system"}).json()
    assert (told["answer"]["id"], told["answer"]["text"]) == (trial.id, "")


def test_the_link_is_there_in_a_school_of_experiments_only(client: TestClient) -> None:
    texts = TestClient(create_app(FakeSchool.of("One")), base_url="http://127.0.0.1:8000")
    for path in ("/", "/status"):
        assert 'href="/experiments"' in client.get(path).text
        assert 'href="/experiments"' not in texts.get(path).text
    page = client.get("/experiments").text
    assert "evening class" in page
    assert "<style" not in page
    assert " style=" not in page


def test_the_oldest_expectations_are_forgotten(school: FakeSchool) -> None:
    questions = [an_experiment(n) for n in range(REMEMBERED + 1)]
    expectations = Expectations(school)
    for question in questions:
        assert isinstance(expectations.of(question), Trajectory)
    expectations.of(questions[-1])
    assert len(school.expectations) == REMEMBERED + 1
    expectations.of(questions[0])
    assert len(school.expectations) == REMEMBERED + 2


def test_the_error_is_a_share_of_the_movement() -> None:
    happened = np.array([[0.0, 5.0, 3.1], [1.0, 5.0, 3.3], [2.0, 5.0, 3.5]])
    assert share_of_movement(happened, happened, (2,)) == 0
    assert share_of_movement(happened[:1].repeat(3, 0), happened, (2,)) == pytest.approx(1)
    whole_turn = happened + np.array([0, 0, 2 * np.pi])
    assert share_of_movement(whole_turn, happened, (2,)) == pytest.approx(0, abs=1e-9)
    assert share_of_movement(whole_turn, happened, ()) > 1  # type: ignore[operator]
    assert share_of_movement(happened, happened[:2], ()) == 0  # a trial that stopped early
    assert share_of_movement(happened, happened[:1].repeat(3, 0), ()) is None
