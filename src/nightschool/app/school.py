"""A school: one folder, its settings, its warehouse and its parts, put together."""

from __future__ import annotations

import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from pathlib import Path

from nightschool.app import parts
from nightschool.app.config import FILE, Config, read_config
from nightschool.app.examiner import Examiner
from nightschool.app.models import Models
from nightschool.app.status import Status, read_status
from nightschool.curation import Fence, FencedDataset, curate
from nightschool.exams import gate, partition
from nightschool.loop import Budget, choose_questions, draw_questions, run_night
from nightschool.types import (
    Answer,
    AnswerError,
    Case,
    ConfigError,
    Context,
    Curate,
    ExamItem,
    Example,
    ExamResult,
    Gate,
    Generator,
    Learner,
    Manifest,
    Mark,
    Night,
    Partition,
    Pick,
    PoolError,
    Question,
    Reply,
    Retract,
    Retraction,
    Verdict,
    Version,
    is_storable,
)
from nightschool.warehouse import Added, Warehouse

Report = Callable[[str, int, int], None]
"""Called with (step, done, total) while a night runs."""

MARKS = 4
"""Tokens that a tokenizer may put round a text: its beginning and its end."""

ASKED = 2000
"""Contexts asked before, the newest, of which a strategy keeps its distance."""


class School:
    """A school in its folder: by day it hands out questions and keeps answers, by night it learns.

    It fulfils the loop's `School` and `Desk`. `clock` gives seconds since 1970 and may be
    replaced, so that a simulation can let days pass.
    """

    def __init__(
        self,
        folder: Path,
        config: Config,
        warehouse: Warehouse,
        *,
        clock: Callable[[], float] = time.time,
        report: Report | None = None,
    ) -> None:
        self.folder = folder
        self.config = config
        self.warehouse = warehouse
        self.now = clock
        self.report = report
        self._models = Models(warehouse, config)
        self.examiner = Examiner(warehouse, config, self._models)

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        clock: Callable[[], float] = time.time,
        report: Report | None = None,
    ) -> School:
        """The school in a folder that `nightschool init` made."""
        config = read_config(folder)
        return cls(folder, config, Warehouse.open(folder), clock=clock, report=report)

    def close(self) -> None:
        """Finish what is being written and let go of the database."""
        self.warehouse.close()

    def __enter__(self) -> School:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @property
    def name(self) -> str:
        """The name of the school's folder."""
        return self.folder.resolve().name

    @property
    def budget(self) -> Budget:
        """How many questions a night may choose, and where they come from."""
        c = self.config
        return Budget(c.questions, c.exam_share, c.exam_share_late, c.bank_target)

    # By day -----------------------------------------------------------------------------------

    def add_contexts(self, contexts: Iterable[Context]) -> Added:
        """Contexts for the pool; each is assigned to exam or training for ever."""
        key = bytes.fromhex(self._meta("partition_key"))
        share = self.config.exam_partition
        return self.warehouse.add_contexts(
            contexts, lambda c: partition.partition_of(c, key, share)
        )

    def check(self, context: Context) -> None:
        """Raise PoolError for a context that is longer than the model's window."""
        # A token holds at least a byte, so only long texts need the tokenizer's word.
        if self._window and len(context.text.encode()) + MARKS > self._window:
            check = getattr(self.learner(self.warehouse.version("v0")), "check", None)
            reason = check(context.text) if check is not None else None
            if reason:
                raise PoolError(f"Context {context.text[:60]!r} … cannot be asked: {reason}")

    @cached_property
    def _window(self) -> int:
        """The model's window in tokens; 0 where it has none."""
        return int(self.warehouse.meta("window") or 0)

    def next_question(self, person: str, hold: Sequence[str] = ()) -> Question | None:
        """The next question for that person, leased to them; None when there is none left.

        Where the queue has nothing for them, random draws are added: nobody waits for the model.
        """
        ttl = self.config.lease_seconds
        question = self.warehouse.lease(person, ttl, hold, self.now())
        if question is None and self.refill():
            question = self.warehouse.lease(person, ttl, hold, self.now())
        return question

    def refill(self) -> int:
        """Random questions behind the queue; how many could be added."""
        n = self.config.questions
        key = 1_000_003 * self.config.seed + self.warehouse.questions_asked()
        pool = self.warehouse.sample(Partition.TRAINING, 2 * n, key)
        exam = self.warehouse.sample(Partition.EXAM, 2 * n, key)
        if not pool and not exam:
            return 0
        waiting = {question.context.id for question in self.warehouse.queue()}
        picks = draw_questions(
            [c for c in pool if c.id not in waiting],
            [c for c in exam if c.id not in waiting],
            bank=len(self.examiner.bank()),
            budget=self.budget,
            key=key,
        )
        return self.warehouse.append(picks, self.warehouse.trainee())

    def question(self, question_id: str) -> Question:
        """A question by its id; UnknownQuestion otherwise."""
        return self.warehouse.question(question_id)

    def keep(self, answer: Answer) -> bool:
        """Keep an answer for good; returns when it is durable. False if it was kept before."""
        body = answer.document.body if answer.document is not None else ""
        limit = self.config.max_answer_chars
        if not is_storable(body):
            raise AnswerError("The answer holds half a character or a NUL; type it again.")
        if len(body) > limit:
            raise AnswerError(
                f"The answer has {len(body):,} characters, {limit:,} are kept; shorten it, or "
                "raise max_answer_chars."
            )
        if answer.reply is Reply.ANSWER and not body.strip():
            raise AnswerError(
                "The answer is empty; type one, or choose skip, can't tell or bad question."
            )
        if answer.reply is not Reply.ANSWER and answer.document is not None:
            raise AnswerError(f"A reply of kind {answer.reply.value} carries no text.")
        return self.warehouse.keep(answer)

    def undo(self, person: str) -> Answer | None:
        """Take back that person's last answer; its question comes back first."""
        last = self.warehouse.last_answer(person)
        if last is None:
            return None
        self.withdraw(last.id, person, Retract.UNDO)
        return last

    def withdraw(self, answer_id: str, person: str, why: Retract, reason: str = "") -> bool:
        """Record that an answer no longer counts; it stays in the log."""
        name = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{answer_id} {why.value}"))
        return self.warehouse.retract(Retraction(name, answer_id, person, why, self.now(), reason))

    def status(self) -> Status:
        """Where the school stands."""
        return read_status(self.name, self.warehouse, self.examiner.bank())

    def champion(self) -> Version:
        """The version that serves, as the log says it now."""
        return self.warehouse.champion()

    def generator(self, version: Version) -> Generator:
        """A version's model, ready to complete texts."""
        return self._models.generator(version)

    def learner(self, version: Version) -> Learner:
        """A version's model, ready to fit, observe and predict."""
        return self._models.learner(version)

    # By night ---------------------------------------------------------------------------------

    def night(self, *, rebuild: bool = False) -> Verdict:
        """Run one night now.

        A broken night is resumed first; where more was answered since it began, or a rebuild is
        wanted that it was not, a night of today follows.
        """
        broken = self.warehouse.broken_night()
        self._rebuild = rebuild
        verdict = run_night(self)
        if broken is not None and (
            (rebuild and not broken.rebuild) or self.warehouse.has_news(broken)
        ):
            verdict = run_night(self)
        return verdict

    def abandon(self) -> int | None:
        """Give a broken night up, so that the next begins anew; its number, None without one."""
        record = self.warehouse.abandon_night(now=self.now())
        return record.number if record is not None else None

    _rebuild = False

    @property
    def curate(self) -> Curate:
        """How answers become examples."""
        return curate

    @cached_property
    def gate(self) -> Gate:
        """The rule of promotion."""
        return gate.balanced() if self.config.gate == "balanced" else gate.strict()

    def begin_night(self) -> Night:
        """Begin a night, or resume a broken one."""
        return self.warehouse.begin_night(rebuild=self._rebuild, clock=self.now)

    def fit(self, night: Night, manifest: Manifest) -> Version:
        """The trainee, taught on what is new; the trainee itself when nothing is."""
        parent = night.trainee()
        fence = Fence(self.warehouse.documents(Partition.EXAM))
        dataset = FencedDataset(night.dataset(manifest), fence)
        if not dataset.new and self._rebuilds(parent):  # all was withdrawn: forget it
            return night.store(self.learner(parent), parent, manifest)
        if not dataset.new:
            return parent
        self._need_space(parent)
        learner = self.learner(parent).fit(
            dataset,
            seed=night.seed,
            workspace=night.workspace,
            progress=lambda done, total: self._tell("fit", done, total),
        )
        version = night.store(learner, parent, manifest)
        self._models.remember(version, learner)
        return version

    def _rebuilds(self, parent: Version) -> bool:
        """Whether tonight goes on from another version than the newest: a rebuild does."""
        return parent.id != self.warehouse.trainee().id

    def _need_space(self, parent: Version) -> None:
        """Refuse to begin what a full disk would break: checkpoints, and the new weights."""
        size = sum(f.stat().st_size for f in self.warehouse.weights_path(parent).rglob("*"))
        writes = getattr(self.learner(parent), "night_bytes", 6 * size)
        self.warehouse.need_space(int(writes) + (64 << 20))

    def examine(self, night: Night, challenger: Version) -> Case:
        """Champion, challenger and the champion before sit the same bank, items in one order."""
        items = self.examiner.bank(night)
        champion, previous = night.champion(), night.previous()
        sat: dict[str, ExamResult] = {}
        for version in (champion, challenger, previous):
            if version is not None and version.id not in sat:
                sat[version.id] = self.examiner.sit(version, items)
                self._tell("examine", len(sat), 3)
        return Case(
            night.day,
            sat[champion.id],
            sat[challenger.id],
            sat[previous.id] if previous is not None else None,
            night.looks(),
            (self._fresh(night, challenger),),
        )

    def _fresh(self, night: Night, challenger: Version) -> ExamResult:
        """Tonight's answers as the trainee found them before it learned them; never gates."""
        trainee = night.trainee()
        learned = challenger.id != trainee.id and not self._rebuilds(trainee)
        manifest = self.warehouse.manifest(challenger.manifest)
        items = [_as_item(e) for e in night.dataset(manifest).new] if learned else []
        values = self.learner(trainee).mark(items) if items else ()
        marks = tuple(
            Mark("fresh", float(v), False, item.id, item.group)
            for v, item in zip(values, items, strict=True)
        )
        return ExamResult(trainee.id, "fresh", marks)

    def choose(self, night: Night) -> Sequence[Pick]:
        """Tomorrow's questions, chosen by the newest version."""
        return choose_questions(
            self.learner(night.trainee()),
            parts.strategy(self.config.strategy),
            self.config.strategy,
            pool=night.pool(Partition.TRAINING, self.config.pool_sample, night.seed),
            exam_pool=night.pool(Partition.EXAM, self.config.questions, night.seed),
            asked=night.asked(ASKED),
            bank=len(self.examiner.bank(night)),
            budget=self.budget,
            key=night.seed,
        )

    # By hand ----------------------------------------------------------------------------------

    def exam_now(self) -> list[ExamResult]:
        """Champion and newest version on today's bank; changes nothing."""
        items = self.examiner.bank()
        newest = self.warehouse.trainee()
        versions = dict.fromkeys((self.champion().id, newest.id))
        return [self.examiner.sit(self.warehouse.version(v), items) for v in versions]

    def promote(self, version: str, by: str, reason: str) -> Version:
        """Let a version serve, by a person's decision."""
        self.warehouse.set_champion(version, by, reason)
        return self.champion()

    def rollback(self, by: str, reason: str) -> Version:
        """Let the champion before the present one serve again."""
        return self.warehouse.rollback(by, reason)

    def backup(self, target: Path) -> None:
        """Copy the school while it is in use: log first, then segments, weights and settings.

        `target` is new or empty; it appears whole or not at all, and opens as a school.
        """
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise ConfigError(f"{target} exists and is not empty; name a new folder.")
        building = target.parent / f".{target.name}.{os.getpid()}.part"
        try:
            self.warehouse.backup(building)
            shutil.copy2(self.folder / FILE, building / FILE)
            if target.exists():
                target.rmdir()
            os.rename(building, target)
        finally:
            shutil.rmtree(building, ignore_errors=True)

    # ------------------------------------------------------------------------------------------

    def _meta(self, key: str) -> str:
        value = self.warehouse.meta(key)
        if value is None:
            raise ConfigError(f"{self.folder} lacks {key!r} in its log; see `nightschool doctor`.")
        return value

    def _tell(self, step: str, done: int, total: int) -> None:
        if self.report is not None:
            self.report(step, done, total)


def _as_item(example: Example) -> ExamItem:
    return ExamItem(example.id, example.context, (example.target,), example.group, "fresh")
