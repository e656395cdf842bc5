"""A school: one folder, its settings, its warehouse and its parts, put together."""

from __future__ import annotations

import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from nightschool.app import parts
from nightschool.app.accounts import Accounts
from nightschool.app.archive import Records, Versions
from nightschool.app.config import FILE, Config, read_config
from nightschool.app.crowd import Crowd
from nightschool.app.examiner import Examiner
from nightschool.app.figures import Figures
from nightschool.app.gold import Gold
from nightschool.app.labels import check_label, labels_of
from nightschool.app.leases import Leases
from nightschool.app.leaving import Leaving
from nightschool.app.models import Models
from nightschool.app.replies import check_fits, check_reply
from nightschool.app.requeue import Requeue
from nightschool.app.settling import Settling
from nightschool.app.shift import NightShift
from nightschool.app.status import Status, read_status
from nightschool.app.supply import Supply
from nightschool.app.trackers import Trackers
from nightschool.app.yesterday import Yesterday
from nightschool.exams import partition
from nightschool.loop import Budget, run_night
from nightschool.strategies.value import timed
from nightschool.timeline import during
from nightschool.types import (
    EXPERIMENT,
    TEXT,
    Answer,
    ConfigError,
    Context,
    Document,
    Exam,
    ExamResult,
    Generator,
    Learner,
    LearnerError,
    Oracle,
    Partition,
    PoolError,
    Question,
    Retract,
    Retraction,
    System,
    Verdict,
    Version,
    WarehouseError,
)
from nightschool.warehouse import Added, Warehouse

if TYPE_CHECKING:
    from nightschool.app.morning.reading import MorningDesk

Report = Callable[[str, int, int], None]
"""Called with (step, done, total) while a night runs."""

MARKS = 4
"""Tokens that a tokenizer may put round a text: its beginning and its end."""


class School:
    """A school in its folder: by day it hands out questions and keeps answers, by night it learns.

    It fulfils the loop's `Desk`, its `NightShift` the loop's `School`. `clock` gives seconds
    since 1970 and may be replaced, so that a simulation can let days pass.
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
        self.models = Models(warehouse, config)
        self.examiner = Examiner(warehouse, self.models, lambda: self.exam)

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
        for name in ("requeue", "supply"):
            if name in self.__dict__:
                getattr(self, name).close()
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
        return Budget(c.questions, c.exam_share, c.exam_share_late, c.bank_target, c.candidates)

    @cached_property
    def kind(self) -> str:
        """The kind of this school's questions: text, experiment or caption."""
        return self.warehouse.meta("kind") or TEXT

    @cached_property
    def system(self) -> System | None:
        """The physical system that reacts; None in a school without one."""
        if not self.config.system:
            return None
        return parts.system(self.config.system, **self.config.system_settings)

    @cached_property
    def exam(self) -> Exam:
        """How answers are marked."""
        return parts.exam(self.config.exam, self.system)

    @cached_property
    def oracle(self) -> Oracle:
        """Whoever answers by itself; raises ConfigError where people do."""
        if not self.config.oracle:
            raise ConfigError(
                "This school has no oracle of its own: people answer (`nightschool serve`, or "
                "`nightschool ask`). Name one with `nightschool config oracle NAME`."
            )
        settings = dict(self.config.oracle_settings)
        if self.system is not None:
            settings["system"] = self.system
        return parts.oracle(self.config.oracle, **settings)

    @cached_property
    def accounts(self) -> Accounts:
        """Who may sign in, and how."""
        return Accounts(self.warehouse.accounts, self.now)

    # By day -----------------------------------------------------------------------------------

    def add_contexts(self, contexts: Iterable[Context]) -> Added:
        """Contexts for the pool; each is assigned to exam or training for ever."""
        return self.warehouse.add_contexts(contexts, self.side)

    def side(self, context: Context) -> Partition:
        """The partition that a context belongs to, for ever, by its keyed hash."""
        return partition.partition_of(context, self._key, self.config.exam_partition)

    @cached_property
    def _key(self) -> bytes:
        return bytes.fromhex(self._meta("partition_key"))

    def check(self, context: Context) -> None:
        """Raise PoolError for a context that the model cannot be asked.

        A text may be longer than its window, an experiment of another system's shape.
        """
        if self.kind == EXPERIMENT:
            check = getattr(self.learner(self.warehouse.version("v0")), "check", None)
            reason = check(context.text) if check is not None else None
            if reason:
                raise PoolError(f"Experiment {context.text[:60]!r} … cannot be asked: {reason}")
            return
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

    @during("asking")
    def next_question(
        self, person: str, hold: Sequence[str] = (), member: bool = False
    ) -> Question | None:
        """The next question for that person, leased to them; None when there is none left.

        With `member` only for whoever has an open account; AccountError otherwise.

        Where the queue has nothing for them, random draws are added: nobody waits for the model.
        (An oracle that answers by itself would use up the pool: it gets what a night has chosen.)
        """
        found = self._lease(person, hold, member)
        if found is None and not self.config.oracle:
            with self.supply.refilling:  # one refill is for everybody who waits
                found = self._lease(person, hold, member)
                found = found or (self._lease(person, hold, member) if self.refill() else None)
        return found

    def _lease(self, person: str, hold: Sequence[str], member: bool) -> Question | None:
        ttl = self.leases.seconds(person, len(hold))
        self.supply.given()
        gold = self.gold.next(person, hold, ttl, member)
        return gold or self.warehouse.lease(person, ttl, hold, self.now(), member)

    @cached_property
    def crowd(self) -> Crowd:
        """What people say together, and whom to trust."""
        return Crowd(self.warehouse, self.config.agreement, lambda: self.labels)

    @cached_property
    def trackers(self) -> Trackers:
        """Where each night is reported as well."""
        return Trackers(self.folder, self.name, self.warehouse, self.config)

    @cached_property
    def figures(self) -> Figures:
        """What each person's answers tell about them."""
        return Figures(self.warehouse, lambda: self.crowd)

    @cached_property
    def gold(self) -> Gold:
        """Questions whose answers are known, asked among the others."""
        reserved = lambda: {Context(i.context).id for i in self.examiner.file()}  # noqa: E731
        return Gold(self.warehouse, self.config.gold_share, lambda: self._key, reserved, self.now)

    @cached_property
    def settling(self) -> Settling:
        """What people disagree about, and the owner's word on it."""
        return Settling(self.crowd, self.keep, self.withdraw, self.warehouse.audit, self.now)

    @cached_property
    def yesterday(self) -> Yesterday:
        """What the model learned from each person."""
        return Yesterday(self.warehouse, lambda: self.labels)

    @cached_property
    def leaving(self) -> Leaving:
        """How people leave: withdrawn as a whole, or erased."""
        return Leaving(self.warehouse, self.accounts, self.now)

    @cached_property
    def records(self) -> Records:
        """The warehouse's records, to search and to read."""
        return Records(self.warehouse)

    @cached_property
    def versions(self) -> Versions:
        """The versions, and how each did in the exam, item by item."""
        return Versions(
            self.warehouse, self.examiner.bank, self.learner, lambda: self.leaving.touched()
        )

    @cached_property
    def leases(self) -> Leases:
        """For how long a question is kept for each person."""
        return Leases(self.warehouse, self.config.lease_seconds, self.now)

    def refill(self) -> int:
        """More questions behind the queue: the night's spares, then random draws; how many."""
        return self.supply.refill()

    @cached_property
    def supply(self) -> Supply:
        """What fills the queue when it runs dry."""
        marked = self.examiner.marked
        return Supply(self.warehouse, self.config, self.budget, marked, self.now)

    def question(self, question_id: str) -> Question:
        """A question by its id; UnknownQuestion otherwise."""
        return self.warehouse.question(question_id)

    @during("keeping")
    def keep(self, answer: Answer, member: bool = False) -> bool:
        """Keep an answer for good; returns when it is durable. False if it was kept before.

        With `member` only of whoever has an open account; AccountError otherwise.
        """
        check_reply(answer, self.config.max_answer_chars)
        document = answer.document
        if document is not None and (document.kind != TEXT or self.kind != TEXT):
            check_fits(document, self.question(answer.question_id).context.document)
        elif document is not None and self.labels:
            check_label(document, self.labels)
        new = self.warehouse.keep(answer, member)
        if new and self.config.candidates > 1:
            self.requeue.heard()
        return new

    @cached_property
    def requeue(self) -> Requeue:
        """What re-ranks the queue after an answer."""
        strategy = timed(parts.strategy(self.config.strategy))
        return Requeue(self.folder, self.warehouse, strategy, self.config.strategy)

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that answers are chosen from, as the settings say now; empty for any text."""
        return labels_of(read_config(self.folder)) if labels_of(self.config) else ()

    def answer_with_id(self, answer_id: str) -> Answer | None:
        """An answer by its id, also one that was taken back; None when there is none."""
        return self.warehouse.answer(answer_id)

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
        return read_status(self.name, self.warehouse, self.examiner.standing())

    @cached_property
    def morning(self) -> MorningDesk:
        """What a person wants to know in the morning."""
        from nightschool.app.morning.reading import MorningDesk  # it reads a school's limits

        return MorningDesk(self)

    def newest_answers(self, n: int) -> Sequence[Answer]:
        """The newest n answers that still count, newest first."""
        return list(self.warehouse.answers(newest=n))[::-1]

    def expected(self, question: Question) -> Document | None:
        """What the version that asked a question expects as its answer; may load a model."""
        try:
            learner = self.learner(self.warehouse.version(question.version))
        except (WarehouseError, LearnerError):  # its weights may have been thrown away
            return None
        return learner.predict([question.context])[0]

    def champion(self) -> Version:
        """The version that serves, as the log says it now."""
        return self.warehouse.champion()

    def generator(self, version: Version) -> Generator:
        """A version's model, ready to complete texts."""
        return self.models.generator(version)

    def learner(self, version: Version) -> Learner:
        """A version's model, ready to fit, observe and predict."""
        return self.models.learner(version)

    # By night ---------------------------------------------------------------------------------

    def night(self, *, rebuild: bool = False) -> Verdict:
        """Run one night now.

        A broken night is resumed first; where more was answered since it began, or a rebuild is
        wanted that it was not, a night of today follows.
        """
        broken = self.warehouse.broken_night()
        shift = NightShift(self, rebuild)
        verdict = run_night(shift)
        if broken is not None and (
            (rebuild and not broken.rebuild) or self.warehouse.has_news(broken)
        ):
            self.trackers.report(verdict)
            verdict = run_night(shift)
        self.trackers.report(verdict)
        return verdict

    def abandon(self) -> int | None:
        """Give a broken night up, so that the next begins anew; its number, None without one."""
        record = self.warehouse.abandon_night(now=self.now())
        return record.number if record is not None else None

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
        self.warehouse.audit.note(by, "promote", version, reason)
        return self.champion()

    def rollback(self, by: str, reason: str) -> Version:
        """Let the champion before the present one serve again."""
        serves = self.warehouse.rollback(by, reason)
        self.warehouse.audit.note(by, "roll back", serves.id, reason)
        return serves

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
