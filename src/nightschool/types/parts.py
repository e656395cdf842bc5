"""Parts: what can be exchanged. Each is a Protocol; entry points bring the concrete ones.

The groups are `nightschool.learners`, `nightschool.strategies`, `nightschool.oracles`,
`nightschool.exams` and `nightschool.systems`; ours come in by the same door as a stranger's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from nightschool.types.documents import Context, Document
from nightschool.types.observation import Blocks
from nightschool.types.records import (
    AnsweredQuestion,
    ExamItem,
    Example,
    ExamResult,
    Look,
    Manifest,
    Mark,
    Partition,
    Pick,
    Question,
    Recipe,
    Reply,
    Verdict,
    Version,
)
from nightschool.types.trajectory import Policy, Reward

Progress = Callable[[int, int], None]
"""Called with (done, total) while something long runs."""


class Dataset(Protocol):
    """What a trainee learns from: tonight's examples, a door to earlier ones, the original data.

    Earlier and original rows are read by bounded samples, so a night's cost follows the new
    answers and not the size of the warehouse. A sample is a pure function of manifest and seed.
    """

    @property
    def manifest(self) -> Manifest:
        """What the dataset is, exactly."""

    @property
    def new(self) -> Sequence[Example]:
        """Tonight's examples (all of them in a rebuild)."""

    def earlier(self, n: int, seed: int) -> Sequence[Example]:
        """At most n distinct examples of former nights, drawn uniformly, exclusions left out."""

    def original(self, n: int, seed: int) -> Sequence[Document]:
        """At most n distinct documents of the original dataset, drawn uniformly."""


class Learner(Protocol):
    """One version of a model that can be taught. Nothing that exists is changed by any call."""

    @property
    def recipe(self) -> Recipe:
        """Which learner this is, with which settings."""

    def fit(
        self, dataset: Dataset, *, seed: int, workspace: Path, progress: Progress | None = None
    ) -> Learner:
        """A new learner, taught; a pure function of (self, dataset, seed) on one machine.

        `workspace` is a folder of this night's own: checkpoints go there, so that a fit that was
        killed continues and ends in the same weights as an unbroken one.
        """

    def observe(
        self, contexts: Sequence[Context], *, asked: Sequence[Context] = (), seed: int
    ) -> Blocks:
        """The contexts as blocks of arrays; may be iterated again, with the same values."""

    def predict(self, contexts: Sequence[Context]) -> Sequence[Document]:
        """The most probable answer to each context."""

    def mark(self, items: Sequence[ExamItem]) -> Sequence[float]:
        """For each item, how well the model knows the accepted answers, in [0, 1].

        For words, their probability; for a trajectory or a drawing, how much of it the model
        explains (each learner says how it counts).
        """

    def save(self, folder: Path) -> None:
        """Write everything `load` needs into an empty folder (safetensors and JSON, no pickle)."""


class Generator(Protocol):
    """A learner that writes text also completes it, piece by piece (served as an API)."""

    def complete(
        self, prompt: str, *, max_tokens: int, temperature: float, seed: int, stop: Sequence[str]
    ) -> Iterator[str]:
        """Pieces of text that continue the prompt; ends at a stop string or after max_tokens."""


class Sampler(Protocol):
    """A learner that can write texts like its original data (replay, when there is none)."""

    def sample(self, n: int, *, seed: int) -> Sequence[Document]:
        """n texts drawn from the model itself."""


class Writer(Protocol):
    """A learner that writes contexts of its own: experiments planned for what they would tell."""

    def write(
        self,
        pool: Sequence[Context],
        n: int,
        *,
        asked: Sequence[Context] = (),
        declined: Sequence[Context] = (),
        seed: int,
    ) -> Sequence[Context]:
        """At most n contexts made from those of the pool, with source "written".

        A pure function of its arguments and the model. `asked` is what was asked before, oldest
        first; `declined` what among it got no answer (skipped, "can't tell", "bad question").
        """


class Controller(Protocol):
    """A learner of a physical system that also controls it, with what it has learned."""

    def controller(self, reward: Reward, *, episodes: int, seed: int) -> Policy:
        """A policy for that many episodes side by side; it may remember, so one for each run."""


class LearnerKind(Protocol):
    """What the entry point of a learner names: how to begin and how to come back."""

    def check(self, settings: Mapping[str, object]) -> None:
        """Raises LearnerError for a setting that it does not know; loads no model."""

    def begin(self, source: str, settings: Mapping[str, object]) -> Learner:
        """A learner from a folder or a hub name (the model as it was brought)."""

    def load(self, folder: Path, settings: Mapping[str, object]) -> Learner:
        """A learner from a folder that `save` wrote."""


@dataclass(frozen=True)
class Picks:
    """What a strategy chose: positions in the pool, best first, each with its score."""

    index: NDArray[np.int64]
    scores: NDArray[np.float64]


@runtime_checkable
class Strategy(Protocol):
    """Which contexts to ask next: a pure function of the observed pool, a number and a key.

    `nightschool.strategies.by_score` makes one from a single function of an Observation.
    """

    def choose(self, blocks: Blocks, n: int, key: int) -> Picks:
        """At most n different contexts; draws are keyed by id, so the pool's order is moot."""


@dataclass(frozen=True)
class Said:
    """What an oracle said to one question, before it is kept."""

    reply: Reply
    document: Document | None
    seconds: float
    note: str = ""


@runtime_checkable
class Oracle(Protocol):
    """Whoever answers: a person, a simulator, a script, another model."""

    @property
    def person(self) -> str:
        """The name under which its answers are kept."""

    def answer(self, question: Question) -> Said:
        """The reply to one question."""


@runtime_checkable
class Exam(Protocol):
    """A way to mark answers."""

    def items(self, answered: Iterable[AnsweredQuestion]) -> Sequence[ExamItem]:
        """Bank items from the exam partition's answers; unanswerable ones are left out."""

    def sit(self, learner: Learner, items: Sequence[ExamItem]) -> Sequence[Mark]:
        """The marks of a learner on the items, in their order."""


class Gate(Protocol):
    """Who serves tomorrow, by evidence."""

    def judge(self, night: int, case: Case) -> Verdict:
        """The verdict over champion and challenger, which sat the same bank."""


@dataclass(frozen=True)
class Case:
    """All that a gate may know: who sat the bank and what was decided before.

    `day` counts days since the school began (0 first). `previous` is the champion before the
    present one, on the same bank, where there was one: a champion that turns out worse is
    rolled back to it. `looks` is every look of the gate so far, oldest first. `reports` are marks
    that never gate, such as fresh answers marked before they are trained on.
    """

    day: int
    champion: ExamResult
    challenger: ExamResult
    previous: ExamResult | None
    looks: Sequence[Look]
    reports: Sequence[ExamResult] = ()

    @property
    def results(self) -> list[ExamResult]:
        """Everything that was marked tonight, to be kept as evidence; each result once."""
        sat = [self.champion, self.challenger, self.previous, *self.reports]
        return list(dict.fromkeys(r for r in sat if r is not None))


Curate = Callable[[Sequence[AnsweredQuestion], int], Sequence[Example]]
"""Examples of night n from answered questions of the training partition."""


class Night(Protocol):
    """One unattended run: numbered, locked for its whole life, resumable, never repeated.

    Used as a context manager: leaving it without an error ends the night for good. Every call
    is idempotent: a resumed night finds what is already recorded and goes on.
    """

    @property
    def number(self) -> int:
        """1 for the first night."""

    @property
    def day(self) -> int:
        """Whole days since the school began."""

    @property
    def seed(self) -> int:
        """This night's own seed, derived from the school's."""

    @property
    def workspace(self) -> Path:
        """A folder of this night's own, kept until the night ends."""

    def __enter__(self) -> Night: ...

    def __exit__(self, *error: object) -> None: ...

    def step(self, name: str) -> AbstractContextManager[None]:
        """A step of the time ledger: its seconds are kept under that name."""

    def verdict(self) -> Verdict | None:
        """The verdict, when this night (resumed) reached it before."""

    def answers(self, partition: Partition) -> Sequence[AnsweredQuestion]:
        """Answered questions of a partition, up to the mark set when the night began."""

    def seal(self, examples: Sequence[Example]) -> Manifest:
        """The night's manifest: new and changed examples in one new segment, immutable.

        Examples of former manifests that are no longer among `examples` are excluded.
        """

    def dataset(self, manifest: Manifest) -> Dataset:
        """The dataset that a manifest names, as tonight's trainee reads it."""

    def trainee(self) -> Version:
        """The version from which tonight continues: the newest, or number 0 in a rebuild."""

    def champion(self) -> Version:
        """The version that serves."""

    def previous(self) -> Version | None:
        """The champion before the present one."""

    def store(self, learner: Learner, parent: Version, manifest: Manifest) -> Version:
        """Keep a new learner's weights as files by hash; the log learns of them in `keep`."""

    def looks(self) -> Sequence[Look]:
        """Every look of the gate so far, oldest first."""

    def keep(self, version: Version, results: Sequence[ExamResult], verdict: Verdict) -> None:
        """Version, evidence and verdict, with who serves, in one commit."""

    def pool(self, partition: Partition, n: int, key: int) -> Sequence[Context]:
        """At most n contexts of a partition that nobody has answered yet, drawn at random."""

    def asked(self, n: int) -> Sequence[Context]:
        """At most n contexts of the training partition that were answered, newest last."""

    def post(self, picks: Sequence[Pick], version: Version) -> None:
        """Tomorrow's queue, as that version asks it; what is still unanswered is replaced."""


class School(Protocol):
    """A school as the night needs it: its parts, put together by `nightschool.app`."""

    @property
    def curate(self) -> Curate:
        """How answers become examples."""

    @property
    def gate(self) -> Gate:
        """Who decides what serves."""

    def begin_night(self) -> Night:
        """Begin a night, or resume a broken one; raises LockedError while another runs."""

    def fit(self, night: Night, manifest: Manifest) -> Version:
        """The trainee, taught on the manifest and stored: a new version of the lineage.

        The trainee itself when the manifest holds nothing that it has not learned.
        """

    def examine(self, night: Night, challenger: Version) -> Case:
        """Champion and challenger (and the champion before) on the same bank."""

    def choose(self, night: Night) -> Sequence[Pick]:
        """Tomorrow's questions: the strategy's, and some at random from the exam partition."""


__all__ = [
    "Blocks", "Case", "Controller", "Curate", "Dataset", "Exam", "Gate", "Generator", "Learner",
    "LearnerKind", "Night", "Oracle", "Picks", "Progress", "Said", "Sampler", "School",
    "Strategy", "Writer",
]  # fmt: skip
