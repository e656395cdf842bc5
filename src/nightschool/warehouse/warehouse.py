"""The warehouse: one door to everything that was asked, answered, learned and decided."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import AbstractContextManager
from functools import cached_property, partial
from pathlib import Path
from typing import Self, TypeVar

from sqlalchemy import Connection

from nightschool.types import (
    Answer,
    AnsweredQuestion,
    Context,
    Dataset,
    Document,
    ExamResult,
    Learner,
    Manifest,
    Partition,
    Person,
    Pick,
    Question,
    Recipe,
    Retraction,
    Span,
    Verdict,
    Version,
)
from nightschool.warehouse import (
    answers,
    care,
    dataset,
    disk,
    founding,
    lineage,
    meta,
    night,
    pool,
    queue,
    spares,
    today,
)
from nightschool.warehouse.accounts import AccountStore
from nightschool.warehouse.answers import Counts
from nightschool.warehouse.archive import Archive
from nightschool.warehouse.arrivals import Arrivals
from nightschool.warehouse.audit import Audit
from nightschool.warehouse.batches import batches
from nightschool.warehouse.deliveries import Deliveries
from nightschool.warehouse.digest import Digest
from nightschool.warehouse.erasure import Leaving
from nightschool.warehouse.files import Files
from nightschool.warehouse.gold import GoldStore
from nightschool.warehouse.heirs import Heir, heirs
from nightschool.warehouse.lineage import Reign
from nightschool.warehouse.locks import FileLock
from nightschool.warehouse.log import Log
from nightschool.warehouse.night import NightRecord, StoredNight, Stores
from nightschool.warehouse.parts import Parts
from nightschool.warehouse.pool import Added
from nightschool.warehouse.segments import ANSWERS, Segments
from nightschool.warehouse.timelines import Timelines

T = TypeVar("T")


class Warehouse:
    """An open school folder. Safe for many threads; each write is durable when it returns."""

    def __init__(self, folder: Path, log: Log) -> None:
        self.folder = folder
        self._log = log
        self._files = Files(folder)
        self._parts = Parts(self._files)
        self._segments = Segments(folder, self._heir)
        self._manifests = dataset.Manifests(folder)
        self._stores = Stores(
            folder, log, self._files, self._parts, self._segments, self._manifests
        )

    @classmethod
    def create(
        cls,
        folder: Path | str,
        url: str | None = None,
        *,
        seed: int | None = None,
        now: float | None = None,
        mounted: disk.Mounts | None = None,
    ) -> Self:
        """A new school in a folder; raises WarehouseError when there is one already.

        `seed` decides every random draw of its nights; `now` (seconds since 1970) is day 0. With
        `url` its log is in that PostgreSQL database; the folder remembers it.
        """
        place = Path(folder)
        disk.refuse_network(place, disk.mounts() if mounted is None else mounted)
        log = founding.begin(place, url, seed, _or_now(now))
        return cls(place, log)

    @classmethod
    def open(cls, folder: Path | str, *, mounted: disk.Mounts | None = None) -> Self:
        """The school in a folder; raises WarehouseError when there is none, or it is too new."""
        place = Path(folder)
        founding.need_school(place)
        disk.refuse_network(place, disk.mounts() if mounted is None else mounted)
        warehouse = cls(place, founding.resume(place))
        warehouse.leaving.resume()
        return warehouse

    def close(self) -> None:
        """Finish what waits and let go of the files; harmless when closed already."""
        self._log.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _read(self, work: Callable[[Connection], T]) -> T:
        with self._log.read() as connection:
            return work(connection)

    @cached_property
    def accounts(self) -> AccountStore:
        """Who may sign in: accounts, invitations, sessions and tokens."""
        return AccountStore(self._log)

    @cached_property
    def deliveries(self) -> Deliveries:
        """The outbox of the webhooks."""
        return Deliveries(self._log)

    @cached_property
    def gold(self) -> GoldStore:
        """Contexts whose answers are known."""
        return GoldStore(self._log)

    def marks(self) -> tuple[int, int]:
        """How far the log is: the newest answer's and the newest retraction's number."""
        return self._read(answers.marks)

    def _heir(self, name: str) -> Heir | None:
        return self._read(heirs).get(name)

    @cached_property
    def leaving(self) -> Leaving:
        """Withdraws people's answers as a whole, and erases people."""
        return Leaving(self._stores)

    @cached_property
    def audit(self) -> Audit:
        """Who changed what: people, settings, champions, answers."""
        return Audit(self._log)

    @cached_property
    def archive(self) -> Archive:
        """Records looked for: search, filters, one record's traces."""
        return Archive(self._log, self._parts, self._segments)

    @cached_property
    def arrivals(self) -> Arrivals:
        """Answers that come from elsewhere."""
        return Arrivals(self._log)

    @cached_property
    def digest(self) -> Digest:
        """Sums over the log, for the morning."""
        return Digest(self._log)

    @cached_property
    def timelines(self) -> Timelines:
        """Where the processes' time went."""
        return Timelines(self._log)

    # --- what the school remembers about itself ---

    def meta(self, key: str) -> str | None:
        """A remembered setting; "created" (seconds since 1970) and "seed" are always there."""
        return self._read(lambda c: meta.get(c, key))

    def set_meta(self, key: str, value: str) -> None:
        """Remember a setting."""
        self._log.write(lambda c: meta.put(c, {key: value}))

    # --- the pool ---

    def add_contexts(
        self, contexts: Iterable[Context], partition: Callable[[Context], Partition]
    ) -> Added:
        """Add contexts, in chunks; a known one keeps its partition, whatever is said now."""
        added = Added()
        for chunk in batches(contexts, pool.AT_ONCE):
            for context in chunk:
                self._parts.put(context.document)
            added += self._log.write(partial(pool.add, contexts=chunk, partition=partition))
        return added

    def contexts(self, partition: Partition, answered: bool | None = None) -> Sequence[Context]:
        """Contexts of a partition by id: replied to, not replied to, or all."""
        found = self._read(lambda c: pool.contexts_of(c, partition, answered))
        return list(map(self._parts.context, found))

    def sample(self, partition: Partition, n: int, key: int) -> Sequence[Context]:
        """At most n contexts that may still be asked, drawn at random by a key."""
        found = self._read(lambda c: pool.sample(c, partition, n, key))
        return list(map(self._parts.context, found))

    def documents(self, partition: Partition) -> Sequence[Document]:
        """The documents of all contexts of a partition, without their parts."""
        return self._read(lambda c: pool.documents(c, partition))

    def trained(self, manifest: Manifest | None = None) -> set[int]:
        """Ids of the contexts that any version may have learned, also from answers taken back.

        With a manifest, those that versions up to that one may have learned. An erasure takes
        the examples, not what the weights learned from them.
        """
        if manifest is not None:
            return dataset.trained(self._segments, [manifest])
        return dataset.trained(self._segments, self.manifests()) | self.leaving.contexts()

    def is_known(self, context_id: int) -> bool:
        """Whether the warehouse has that context."""
        return bool(self._read(lambda c: pool.present(c, [context_id])))

    def reserve(self, ids: Sequence[int]) -> None:
        """Move contexts to the exam partition and out of the queue (an owner's test file)."""
        self._log.write(lambda c: pool.reserve(c, ids))

    # --- the day ---

    def post(self, picks: Sequence[Pick], version: Version, *, now: float | None = None) -> int:
        """The queue before the first night (later a night posts); returns how many it holds."""
        at = _or_now(now)
        return self._log.write(lambda c: queue.post(c, picks, version.id, 0, at))

    def append(self, picks: Sequence[Pick], version: Version, *, now: float | None = None) -> int:
        """Add questions behind the queue, durably; returns how many were new to it."""
        at = _or_now(now)
        # In parts: whoever answers meanwhile waits no longer than one takes.
        parts = batches(picks, queue.AT_ONCE)
        works = [partial(queue.append, picks=part, version=version.id, now=at) for part in parts]
        return sum(map(self._log.write, works))

    def lease(
        self,
        person: str,
        ttl: float,
        hold: Sequence[str] = (),
        now: float | None = None,
        member: bool = False,
    ) -> Question | None:
        """The person's next question, theirs for `ttl` seconds; None when none is left.

        What they took back comes first, then what they have leased, then the best of the queue;
        `hold` are the ids that their client has fetched ahead. With `member` only of whoever has
        an open account; AccountError otherwise.
        """
        at = _or_now(now)
        found = self._log.write(lambda c: queue.lease(c, person, ttl, hold, at, member))
        return self._parts.question(found) if found is not None else None

    def leases(self, now: float) -> int:
        """How many questions are held for somebody now."""
        return self._read(partial(queue.held, now=now))

    def question(self, question_id: str) -> Question:
        """The question with that id; raises UnknownQuestion."""
        return self._parts.question(self._read(lambda c: queue.find(c, question_id)))

    def queue(self) -> Sequence[Question]:
        """The questions that wait for an answer, in the order they are asked."""
        return list(map(self._parts.question, self._read(queue.waiting)))

    def spares(self) -> Sequence[Question]:
        """The questions that wait behind the newest night's queue, best first."""
        return list(map(self._parts.question, self._read(spares.spares)))

    def queue_night(self) -> int:
        """The night that chose the newest questions; 0 before the first."""
        return self._read(spares.newest)

    def rerank(self, night: int, order: Sequence[int], now: float | None = None) -> int:
        """Let a night's questions change places, best contexts first; how many moved.

        What somebody has before them stays, as do exam questions and the queue's length.
        """
        at = _or_now(now)
        return self._log.write(lambda c: spares.rerank(c, night, order, at))

    def written(self, night: int) -> set[int]:
        """Contexts that the model wrote and that night posted, those without a reply."""
        return self._read(lambda c: queue.written(c, night))

    def questions_asked(self) -> int:
        """How many questions were ever queued."""
        return self._read(queue.count)

    def waiting(self) -> set[int]:
        """Ids of the contexts whose questions wait for an answer."""
        return self._read(queue.waiting_contexts)

    def leased(self, now: float) -> int:
        """How many questions that wait are before somebody at that moment."""
        return self._read(lambda c: queue.leased(c, now))

    def queue_left(self) -> int:
        """How many questions wait for an answer."""
        return self._read(queue.left)

    def keep(self, answer: Answer, member: bool = False) -> bool:
        """Keep an answer, durably: True when new, False when the same was kept before.

        With `member` only of whoever has an open account; AccountError otherwise. Raises
        AnswerError, UnknownQuestion, or ConflictingAnswer for an id used otherwise. Of a
        retry only seconds and time may differ; a lease that ran out does not matter.
        """
        answers.check(answer)
        if answer.document is not None:
            self._parts.put(answer.document)
        return self._log.write(partial(answers.keep, answer=answer, member=member))

    def retract(self, retraction: Retraction) -> bool:
        """Take an answer back, durably: True when it counted until now; raises AnswerError."""
        return self._log.write(partial(answers.retract, retraction=retraction))

    def last_answer(self, person: str) -> Answer | None:
        """The person's newest answer that still counts."""
        found = self._read(lambda c: answers.last(c, person))
        return self._parts.answer(found) if found is not None else None

    def people(self) -> Sequence[Person]:
        """Everybody who answers, by id."""
        return self._read(answers.people)

    def seconds(self, person: str | None, newest: int) -> Sequence[float]:
        """Seconds that the newest timed answers took, newest first: a person's or everybody's."""
        return self._read(lambda c: answers.seconds(c, person, newest))

    def active(self, now: float) -> set[str]:
        """Ids of the people who gave a reply that still counts in the two weeks before `now`."""
        return self._read(lambda c: queue.active(c, now))

    def answers(
        self, person: str | None = None, *, retracted: bool = False, newest: int | None = None
    ) -> Sequence[Answer]:
        """Answers, oldest first: of all or one person, with retracted ones, the newest few."""
        found = self._read(lambda c: answers.listed(c, person, retracted, newest))
        return list(map(self._parts.answer, found))

    def answer(self, answer_id: str) -> Answer | None:
        """The answer with that id, also a retracted one; None when there is none."""
        found = self._read(lambda c: answers.find(c, answer_id))
        return self._parts.answer(found) if found is not None else None

    def retractions(self) -> Sequence[Retraction]:
        """Every retraction, oldest first."""
        return self._read(answers.retractions)

    def answered(
        self, partition: Partition, up_to: int | None = None, retracted_up_to: int | None = None
    ) -> Sequence[AnsweredQuestion]:
        """Contexts with all answers that count, each as its first question, oldest first.

        `up_to` and `retracted_up_to` are the highest sequence numbers that are seen.
        """
        found = self._read(lambda c: answers.answered(c, partition, up_to, retracted_up_to))
        return list(map(self._parts.answered, found))

    def replies(self, contexts: Collection[int]) -> Sequence[tuple[int, Answer]]:
        """Answers to those training contexts that still count, oldest first, without parts."""
        return self._read(lambda c: answers.replies(c, contexts))

    def replies_since(self, person: str, since: float) -> int:
        """How many replies that person gave since that second that still count."""
        return self._read(lambda c: today.replies_since(c, person, since))

    def counts(self) -> Counts:
        """How much there is of everything."""
        return self._read(answers.count)

    def spans(self, night: int | None = None) -> Sequence[Span]:
        """The time ledger of a night (0: by day), or all of it."""
        return self._read(lambda c: lineage.spans(c, night))

    # --- the dataset ---

    def seal_original(self, documents: Iterable[Document], note: str) -> Manifest:
        """The original dataset as the manifest of night 0; `note` says where it came from."""
        return founding.seal_original(self._stores, documents, note)

    def manifest(self, name: str) -> Manifest:
        """The manifest with that hash; raises WarehouseError."""
        return self._read(lambda c: dataset.find(c, name))

    def manifests(self) -> Sequence[Manifest]:
        """Every manifest, oldest first."""
        return self._read(dataset.every)

    def dataset(self, manifest: Manifest, night: int | None = None) -> Dataset:
        """A manifest's dataset; `new` are the examples of that night, or of every night."""
        answers = [s for s in manifest.segments if s.role == ANSWERS]
        fresh = [s for s in answers if night is None or s.night == night]
        return dataset.StoredDataset(self._segments, self._parts, manifest, fresh)

    # --- versions ---

    def add_base(
        self, model: Learner | Path, recipe: Recipe, manifest: Manifest, seed: int
    ) -> Version:
        """Version 0, from a learner or a folder that one saved: the first trainee and champion."""
        return founding.add_base(self._stores, model, recipe, manifest, seed)

    def versions(self) -> Sequence[Version]:
        """Every version, in the order of the lineage."""
        return self._read(lineage.versions)

    def version(self, version_id: str) -> Version:
        """The version with that id; raises WarehouseError."""
        return self._read(lambda c: lineage.version(c, version_id))

    def trainee(self) -> Version:
        """The newest version, from which the next night continues."""
        return self._read(lineage.newest)

    def champion(self) -> Version:
        """The version that serves."""
        return self._read(lambda c: lineage.version(c, lineage.line(c)[-1]))

    def champions(self) -> Sequence[Reign]:
        """Every change of who serves, oldest first."""
        return self._read(lineage.reigns)

    def set_champion(
        self, version_id: str, by: str, reason: str, *, now: float | None = None
    ) -> None:
        """Let a version serve, by hand; raises WarehouseError when its weights are gone."""
        reign = Reign(version_id, 0, by, reason, _or_now(now))
        with care.care_lock(self._stores):  # its weights must not be cleaned up meanwhile
            self._files.folder(self.version(version_id).weights)
            self._log.write(partial(lineage.crown, reign=reign))

    def rollback(self, by: str, reason: str, *, now: float | None = None) -> Version:
        """Let the champion before the present one serve; raises WarehouseError without one."""
        at = _or_now(now)
        self._log.write(lambda c: lineage.roll_back(c, by, reason, at))
        return self.champion()

    def weights_path(self, version: Version) -> Path:
        """The folder of a version's weights; raises WarehouseError when it is not there."""
        return self._files.folder(version.weights)

    def verdicts(self) -> Sequence[Verdict]:
        """Every verdict, oldest first."""
        return self._read(lineage.verdicts)

    def results(self, night: int | None = None, version: str | None = None) -> Sequence[ExamResult]:
        """Exam results of a night, of a version, or all, oldest first."""
        return self._read(lambda c: lineage.results(c, night, version))

    # --- nights ---

    def begin_night(
        self,
        *,
        rebuild: bool = False,
        date: str | None = None,
        now: float | None = None,
        clock: Callable[[], float] = time.time,
    ) -> StoredNight:
        """Begin a night, or resume the broken one as it was begun; raises LockedError.

        `now` stops the night's clock at that second; without it `clock` tells the time.
        """
        tell = clock if now is None else (lambda: now)
        return night.begin(self._stores, rebuild=rebuild, date=date, clock=tell)

    def broken_night(self) -> NightRecord | None:
        """The night that was begun and has not ended; it runs now, or waits to be resumed."""
        return self._read(night.broken)

    def has_news(self, since: NightRecord) -> bool:
        """Whether answers or retractions came after the marks of that night."""
        return self._read(lambda c: night.has_news(c, since))

    def abandon_night(self, *, now: float | None = None) -> NightRecord | None:
        """Give the broken night up, so that the next one begins anew; None without one."""
        return night.abandon(self._stores, _or_now(now))

    def nights(self) -> Sequence[NightRecord]:
        """Every night, oldest first; the last one is unfinished while it runs or is broken."""
        return self._read(night.nights)

    def serve_lock(self) -> AbstractContextManager[object]:
        """Held by whoever serves this school; raises LockedError when somebody does."""
        return FileLock(self.folder / "serve.lock", "This school is being served")

    def oracle_lock(self) -> AbstractContextManager[object]:
        """Held by whoever lets this school's oracle answer; LockedError when somebody does."""
        what = "This school's oracle is answering already (serve, or another teach)"
        return FileLock(self.folder / "oracle.lock", what)

    # --- files and care ---

    def put_blob(self, data: bytes) -> str:
        """Keep a large part of a document; returns its sha256."""
        return self._files.put_blob(data)

    def blob(self, name: str) -> bytes:
        """The bytes with that sha256; raises WarehouseError when they are not there."""
        return self._files.blob(name)

    def need_space(self, needed: int, free: Callable[[Path], int] = disk.free_bytes) -> None:
        """Raise WarehouseError when the disk has fewer than `needed` bytes free."""
        disk.need_space(self.folder, needed, free)

    def verify(self) -> list[str]:
        """What is missing or damaged, one sentence each; reads every file."""
        return care.verify(self._stores)

    def backup(self, target: Path | str) -> None:
        """A consistent copy in an empty or absent folder, made while the school goes on."""
        care.backup(self._stores, Path(target))

    def collect_garbage(self, *, young: float = care.YOUNG) -> int:
        """Delete what no record needs, between nights; returns the bytes freed.

        A blob without an answer stays until it is `young` seconds old.
        """
        with night.night_lock(self.folder):
            return care.collect_garbage(self._stores, young)


def _or_now(now: float | None) -> float:
    return time.time() if now is None else now
