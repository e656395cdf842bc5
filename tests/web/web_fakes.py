"""A school in memory with the interface that the web uses, and a server around it."""

from __future__ import annotations

import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import uvicorn

from nightschool.app.accounts import Accounts
from nightschool.app.morning import commands
from nightschool.types import (
    Answer,
    AnswerError,
    ConflictingAnswer,
    Context,
    Document,
    Experiment,
    Partition,
    Question,
    Recipe,
    Reply,
    Retract,
    Spec,
    Trajectory,
    UnknownQuestion,
    Version,
    WarehouseError,
    caption_document,
)
from nightschool.web import create_app
from nightschool.web.machines import NONE, Machines

VERDICT = {
    "night": 1,
    "decision": "keep",
    "champion": "v0",
    "challenger": "v1",
    "serves": "v0",
    "reason": "Too few items to tell.",
    "before": 0.5,
    "after": 0.55,
    "items": 12,
}


def a_question(n: int, text: str) -> Question:
    return asked(n, Context.of(text))


def asked(n: int, context: Context) -> Question:
    return Question(f"q{n}", context, Partition.TRAINING, "random", 0.0, "v0", 0, n)


def a_caption(n: int, caption: str) -> Question:
    return asked(n, Context(caption_document(caption, n + 1)))


def an_experiment(n: int, system: str = "pendulum", size: int = 2, steps: int = 10) -> Question:
    start = np.full(size, np.pi - 0.1 * n)
    torques = np.sin(np.arange(steps) + n)[:, None]
    return asked(n, Context(Experiment(system, start, start, torques).document()))


def a_trajectory(question: Question, *, drift: float, steps: int = 0) -> Trajectory:
    """A swing that grows by `drift` a step; it stops early after some `steps`."""
    tried = Experiment.of(question.context.document)
    actions = tried.actions[:steps] if steps else tried.actions
    along = np.arange(len(actions) + 1)[:, None]
    states = tried.state + drift * along * np.cos(np.arange(len(tried.state)))
    return Trajectory(tried.system, states, actions, "left the limits" if steps else "")


def a_version(n: int) -> Version:
    return Version(f"v{n}", n, "", Recipe("fake"), "", 0, "", n)


@dataclass
class FakeConfig:
    max_answer_chars: int = 200
    host: str = "127.0.0.1"
    port: int = 0
    show_guess: bool = False


class FakeGenerator:
    """Writes its version and the count, one piece a token; `pause` seconds between pieces."""

    def __init__(self, version: str, pause: float = 0.0) -> None:
        self.version, self.pause = version, pause

    def complete(
        self, prompt: str, *, max_tokens: int, temperature: float, seed: int, stop: Sequence[str]
    ) -> Iterator[str]:
        if prompt == "boom":
            raise RuntimeError("the model broke")
        if prompt == "lost":
            raise WarehouseError("The disk is full.")
        if prompt == "refuse":
            raise AnswerError("This prompt cannot be completed.")
        for i in range(max_tokens):
            time.sleep(self.pause)
            piece = f" {self.version}.{i}" if prompt != "seed" else f" {seed}"
            if any(s in piece for s in stop):
                return
            yield piece


PENDULUM = Spec(
    "pendulum",
    states=("theta", "theta speed"),
    actions=("torque",),
    low=(-2.0,),
    high=(2.0,),
    safe_low=(-9.0, -9.0),
    safe_high=(9.0, 9.0),
    angles=(0,),
    seconds=0.05,
    steps=10,
)


@dataclass
class FakeSystem:
    """A pendulum that only says what it is."""

    spec: Spec = PENDULUM

    def begin(self, start: Any, seed: int) -> Any:
        raise NotImplementedError

    def step(self, action: Any) -> Any:
        raise NotImplementedError

    def stop(self) -> None:
        raise NotImplementedError


class FakeStatus:
    def __init__(self, values: dict[str, Any]) -> None:
        self.values = values

    def as_dict(self) -> dict[str, Any]:
        return self.values


@dataclass
class FakeLessons:
    """One lesson for whoever has taught, and a count of their replies."""

    school: FakeSchool
    lessons: dict[str, dict[str, Any]] = field(default_factory=dict)

    def of(self, person: str) -> FakeStatus | None:
        return FakeStatus(self.lessons[person]) if person in self.lessons else None

    def today(self, person: str, since: float) -> int:
        return sum(a.person == person and a.at >= since for a in self.school.counting)


@dataclass
class FakeMorning:
    """The morning of a school whose verdicts had intervals of five points."""

    school: FakeSchool

    def read(self) -> FakeStatus:
        status = self.school.status().as_dict()
        nights = [
            {**v, "at": None, "answers": 30, "before": mark(v["before"]), "after": mark(v["after"])}
            for v in status["verdicts"]
        ]
        parts = {"training": 91.5, "examining": 20.0, "choosing": 0.25, "waiting": 3600.0}
        years = [{"years": n, "speed": 2 ** (n / 2), "seconds": 92.0, "share": 0.5} for n in (0, 1)]
        return FakeStatus(
            {
                "at": 0.0,
                "status": status,
                "nights": nights,
                "uses": {"answers": 40, "examples": 23, "learned": 25, "exam": 9, "gold": 0}
                | {"silent": 2, "waiting": 0, "unused": 4, "back": 45},
                "effort": {"answers": 40, "given": 85, "seconds": 170.0}
                | {"gain": mark(0.01), "lately": None, "examined": 170.0},
                "lead": None,
                "bits": {"told": mark(1.25), "most": 2.0, "kinds": 4, "noise": 0.0, "why": ""},
                "day": {"since": 0.0, "until": 86400.0, "parts": parts, "runs": 1},
                "growth": {"people": 30.0, "compute": 60.0, "loop": 90.0, "twice": 60.0}
                | {"limit": 30.0, "gain": 3.0, "years": years},
                "target": {"target": 0.9, "level": 0.9, "answers": None, "nights": None}
                | {"at": None, "pace": 0.0, "every": 86400.0, "why": "Not known yet."},
                "commands": commands.of(0.9),
            }
        )


def mark(value: float | None) -> dict[str, float] | None:
    if value is None:
        return None
    return {"value": value, "low": value - 0.05, "high": value + 0.05, "n": 12}


@dataclass
class FakeSchool:
    """Keeps answers in a list, as the real one keeps them in its log."""

    questions: list[Question]
    folder: Path = Path("/tmp/fake-school")
    name: str = "evening class"
    config: FakeConfig = field(default_factory=FakeConfig)
    champion_number: int = 0
    pause: float = 0.0
    answers: dict[str, Answer] = field(default_factory=dict)
    undone: list[str] = field(default_factory=list)
    verdicts: list[dict[str, Any]] = field(default_factory=lambda: [dict(VERDICT)])
    loads: list[str] = field(default_factory=list)
    now: Callable[[], float] = time.time
    system: FakeSystem | None = None
    expectations: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.lock = threading.Lock()
        self.yesterday = FakeLessons(self)
        self.morning = FakeMorning(self)

    @classmethod
    def of(cls, *texts: str, **more: Any) -> FakeSchool:
        return cls([a_question(i, t) for i, t in enumerate(texts)], **more)

    @property
    def kind(self) -> str:
        return self.questions[0].context.document.kind if self.questions else "text"

    def answer_with_id(self, answer_id: str) -> Answer | None:
        return self.answers.get(answer_id)

    def newest_answers(self, n: int) -> Sequence[Answer]:
        return self.counting[::-1][:n]

    def expected(self, question: Question) -> Document | None:
        self.expectations.append(question.id)
        return a_trajectory(question, drift=0.1).document()

    def try_out(self, question: Question, *, drift: float = 0.2, steps: int = 0) -> Answer:
        """Keep the trial of an experiment, as its system would."""
        document = a_trajectory(question, drift=drift, steps=steps).document()
        answer = Answer(new_id(), question.id, "system", Reply.ANSWER, document, 0.5, self.now())
        self.keep(answer)
        return answer

    @property
    def counting(self) -> list[Answer]:
        return [a for a in self.answers.values() if a.id not in self.undone]

    def next_question(
        self, person: str, hold: Sequence[str] = (), member: bool = False
    ) -> Question | None:
        with self.lock:
            done = {a.question_id for a in self.counting}
            left = [q for q in self.questions if q.id not in done and q.id not in hold]
        return left[0] if left else None

    def question(self, question_id: str) -> Question:
        for question in self.questions:
            if question.id == question_id:
                return question
        raise UnknownQuestion(f"No question has the id {question_id!r}.")

    def keep(self, answer: Answer, member: bool = False) -> bool:
        self.question(answer.question_id)
        if answer.reply is Reply.ANSWER and not (answer.document and answer.document.body.strip()):
            raise AnswerError("The answer is empty.")
        if answer.document is not None and "forbidden" in answer.document.body:
            raise AnswerError("This word is not taken here.")
        with self.lock:
            old = self.answers.get(answer.id)
            if old is None:
                self.answers[answer.id] = answer
                return True
        if replace(old, at=0, seconds=0) != replace(answer, at=0, seconds=0):
            raise ConflictingAnswer(f"The id {answer.id!r} was used before, for something else.")
        return False

    def undo(self, person: str) -> Answer | None:
        mine = [a for a in self.counting if a.person == person]
        if not mine:
            return None
        self.withdraw(mine[-1].id, person, Retract.UNDO)
        return mine[-1]

    def withdraw(self, answer_id: str, person: str, why: Retract, reason: str = "") -> bool:
        if answer_id not in self.answers:
            raise AnswerError(f"No answer has the id {answer_id!r}.")
        if answer_id in self.undone:
            return False
        self.undone.append(answer_id)
        return True

    def status(self) -> FakeStatus:
        return FakeStatus(
            {
                "name": self.name,
                "answers": len(self.counting),
                "replies": {"answer": len(self.counting), "skip": 2},
                "queue": len(self.questions) - len(self.counting),
                "pool": {"training": 240, "exam": 60},
                "bank": 31,
                "exam_file": 20,
                "skipped_exam": 3,
                "champion": f"v{self.champion_number}",
                "trainee": "v7",
                "original": "stories",
                "verdicts": self.verdicts,
                "fresh": [0.4, 0.5],
                "seconds": {"fit": 91.5, "examine": 20.0, "choose": 6.25},
                "seconds_per_answer": 4.25,
                "warnings": ["No test file of the owner's own."],
            }
        )

    def champion(self) -> Version:
        return a_version(self.champion_number)

    def generator(self, version: Version) -> FakeGenerator:
        self.loads.append(version.id)
        return FakeGenerator(version.id, self.pause)


class Runner:
    """Nights that begin at once and end when a test says so; `by` asked for the last."""

    running = False
    by = ""

    def start(self, by: str) -> bool:
        before, self.running, self.by = self.running, True, by
        return not before


class Server:
    """uvicorn in a thread; may be stopped and started again on the same port."""

    def __init__(
        self,
        school: FakeSchool,
        port: int = 0,
        accounts: Accounts | None = None,
        machines: Machines = NONE,
    ) -> None:
        self.school = school
        self.port = port or _free_port()
        self.accounts = accounts
        self.machines = machines

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> Server:
        config = uvicorn.Config(
            create_app(self.school, accounts=self.accounts, machines=self.machines),
            host="127.0.0.1",
            port=self.port,
            log_level="warning",
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        deadline = time.monotonic() + 10
        while not self._server.started:
            assert time.monotonic() < deadline, "no server"
            assert self._thread.is_alive(), "the server ended"
            time.sleep(0.01)
        return self

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(10)


_given: set[int] = set()


def _free_port() -> int:
    """A port that no server of this process had: a browser may remember things of that one."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port: int = s.getsockname()[1]
    if port in _given:
        return _free_port()
    _given.add(port)
    return port


def new_id() -> str:
    return str(uuid.uuid4())
