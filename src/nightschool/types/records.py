"""Records of one school: questions, answers, examples, versions, nights. All frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from nightschool.types.documents import Context, Document


class Partition(StrEnum):
    """Which side of the wall a context is on, for ever: learned from, or examined with.

    A gold one is on neither: its answer is known, and it tells who answers with care.
    """

    TRAINING = "training"
    EXAM = "exam"
    GOLD = "gold"


class Reply(StrEnum):
    """What kind of answer it is; all of them are kept."""

    ANSWER = "answer"
    SKIP = "skip"
    CANT_TELL = "cant_tell"
    BAD_QUESTION = "bad_question"


class Retract(StrEnum):
    """Why an answer no longer counts: its person took it back, or somebody withdrew it."""

    UNDO = "undo"
    WITHDRAWAL = "withdrawal"


@dataclass(frozen=True)
class Pick:
    """A context that was chosen to be asked, and why.

    A `spare` one waits behind the day's queue: answers may show that it is worth more than one
    in it. One that is asked `again` has answers, and one more would tell whether they are right.
    `wanted` people are asked; `guess` is what the model would say, where it may be shown.
    """

    context: Context
    partition: Partition
    strategy: str
    score: float
    spare: bool = False
    again: bool = False
    wanted: int = 1
    guess: str = ""


@dataclass(frozen=True)
class Question:
    """A context in the queue: what it was chosen for, and which model version asks it.

    `id` is unique; `night` is the night that posted it (0: before the first night); `rank` is
    its place in that day's queue, 0 first. `wanted` people are asked, each once; `guess` is what
    the model would say, where it may be shown.
    """

    id: str
    context: Context
    partition: Partition
    strategy: str
    score: float
    version: str
    night: int
    rank: int
    wanted: int = 1
    guess: str = ""


@dataclass(frozen=True)
class Answer:
    """What an oracle replied, verbatim, with who, when, and how many seconds it took.

    `id` is made by the client, so that a retry is recognised. `at` is seconds since 1970 (UTC).
    `document` is None unless `reply` is ANSWER. One that `settles` is an owner's word on a
    context about which people disagree: the newest such answer alone decides.
    """

    id: str
    question_id: str
    person: str
    reply: Reply
    document: Document | None
    seconds: float
    at: float
    note: str = ""
    settles: bool = False


@dataclass(frozen=True)
class Retraction:
    """An answer that was taken back: a record of its own; the answer stays in the log."""

    id: str
    answer_id: str
    person: str
    why: Retract
    at: float
    reason: str = ""


@dataclass(frozen=True)
class AnsweredQuestion:
    """A question with every answer that still counts, oldest first."""

    question: Question
    answers: tuple[Answer, ...]


@dataclass(frozen=True)
class Example:
    """A context and a trusted target made from one or more answers: what a learner trains on.

    `id` is a hash of context, target and answers, so that it is the same whenever it is made.
    `weight` is in (0, 1]. `night` is the night that made it; `group` as on the context.
    """

    id: str
    context: Document
    target: Document
    weight: float
    answers: tuple[str, ...]
    night: int
    group: str = ""


@dataclass(frozen=True)
class ExamItem:
    """A held-out question with its accepted answers; `source` is "bank" or "file"."""

    id: str
    context: Document
    accepted: tuple[Document, ...]
    group: str
    source: str


@dataclass(frozen=True)
class Mark:
    """One mark of an exam: a name, a value in [0, 1], and whether it gates or only reports.

    `item` names the exam item (two versions are compared item by item), `group` its cluster.
    """

    name: str
    value: float
    gates: bool
    item: str = ""
    group: str = ""


@dataclass(frozen=True)
class ExamResult:
    """All marks of one version on one bank; `bank` is the sha256 over the items it sat."""

    version: str
    bank: str
    marks: tuple[Mark, ...]
    seconds: float = 0.0

    def mean(self, name: str) -> float:
        """The mean mark of that name, in [0, 1]; nan when there is none."""
        values = [m.value for m in self.marks if m.name == name]
        return sum(values) / len(values) if values else float("nan")

    @property
    def by_item(self) -> Mapping[str, float]:
        """The mark of each item, in [0, 1]: the mean of its gating marks."""
        values: dict[str, list[float]] = {}
        for mark in self.marks:
            if mark.gates:
                values.setdefault(mark.item, []).append(mark.value)
        return {item: sum(own) / len(own) for item, own in values.items()}

    @property
    def score(self) -> float:
        """The mean over the items, in [0, 1]; nan for an empty exam."""
        values = self.by_item.values()
        return sum(values) / len(values) if values else float("nan")


@dataclass(frozen=True)
class Look:
    """One time that the gate looked: when, how large the bank was, and what it spent.

    `day` counts days since the school began; a refusal for a lost skill costs nothing.
    """

    night: int
    day: int
    items: int
    spent: float
    promoted: bool
    champion: str
    challenger: str


class Decision(StrEnum):
    """What a night decided about who serves."""

    PROMOTE = "promote"
    KEEP = "keep"
    ROLL_BACK = "roll_back"


@dataclass(frozen=True)
class Verdict:
    """Who serves tomorrow and why: what was seen, how sure it is, how many items would settle it.

    `p_better` is the p-value of "no better than the champion" and `p_worse` that of "worse by the
    gate's margin": small ones speak for the challenger (nan when not looked). `needed` is the
    number of further items that would settle it (0: settled; -1: unknown). `look` is None when
    the gate did not look. `serves` is the version that serves after it.
    """

    night: int
    decision: Decision
    champion: str
    challenger: str
    serves: str
    reason: str
    before: float
    after: float
    items: int
    p_better: float = float("nan")
    p_worse: float = float("nan")
    needed: int = -1
    look: Look | None = None
    evidence: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Segment:
    """An immutable Parquet file of the dataset: its hash, role and number of rows.

    `role` is "original" (the model's own dataset) or "answers" (examples made from answers).
    """

    sha256: str
    role: str
    rows: int
    night: int


@dataclass(frozen=True)
class Manifest:
    """The exact dataset of a version: segments in order, less the excluded example ids.

    `hash` is the sha256 of its canonical JSON.
    """

    hash: str
    night: int
    segments: tuple[Segment, ...]
    excluded: tuple[str, ...]
    note: str = ""


@dataclass(frozen=True)
class Recipe:
    """The code side of a learner, versioned like data: which learner, with which settings."""

    learner: str
    settings: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Version:
    """A model version: a pure function of (parent, recipe, manifest, seed), and it says so.

    `weights` names a folder in the warehouse by the sha256 over its files; `number` counts from
    0, the model as it was brought.
    """

    id: str
    number: int
    parent: str
    recipe: Recipe
    manifest: str
    seed: int
    weights: str
    night: int


@dataclass(frozen=True)
class Person:
    """Somebody who answers; `id` is a short name such as "anna"."""

    id: str
    name: str = ""


@dataclass(frozen=True)
class Span:
    """An entry of the time ledger: what took how many seconds, in which night (0: by day)."""

    name: str
    seconds: float
    at: float
    night: int = 0
