"""One night in the warehouse: locked, numbered, resumed where it broke, never repeated."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Self

from sqlalchemy import Connection, func, select

from nightschool.faults import reach
from nightschool.timeline import PROCESS, during
from nightschool.types import (
    AnsweredQuestion,
    Context,
    Dataset,
    Example,
    ExamResult,
    Learner,
    Look,
    Manifest,
    Partition,
    Pick,
    Recipe,
    Span,
    Verdict,
    Version,
    WarehouseError,
)
from nightschool.warehouse import answers, dataset, disk, lineage, meta, pool, queue, tables
from nightschool.warehouse.codec import canonical, sha256
from nightschool.warehouse.files import Files
from nightschool.warehouse.locks import FileLock
from nightschool.warehouse.log import Log
from nightschool.warehouse.parts import Parts
from nightschool.warehouse.segments import ANSWERS, Segments

DAY = 86_400.0

STATES = {
    "curate": "curating",
    "seal": "curating",
    "fit": "training",
    "examine": "examining",
    "keep": "keeping",
    "choose": "choosing",
    "post": "posting",
}
"""The state of the process' timeline in each step of the night."""

_n = tables.nights


@dataclass(frozen=True)
class NightRecord:
    """A night as the log has it; `finished` is None while it runs or waits to be resumed.

    Only answers and retractions up to the two marks count in it.
    """

    number: int
    day: int
    date: str | None
    seed: int
    rebuild: bool
    answer_mark: int
    retraction_mark: int
    manifest: str | None
    started: float
    finished: float | None
    error: str | None


@dataclass(frozen=True)
class Stores:
    """The parts of an open warehouse: its folder, the log, and the folders of files."""

    folder: Path
    log: Log
    files: Files
    parts: Parts
    segments: Segments
    manifests: dataset.Manifests


class StoredNight:
    """A night that holds the night lock; see `nightschool.types.Night` for what each call does."""

    def __init__(
        self, stores: Stores, record: NightRecord, lock: FileLock, clock: Callable[[], float]
    ) -> None:
        self.number = record.number
        self.day = record.day
        self.seed = record.seed
        self.rebuild = record.rebuild
        self.workspace = workspace(stores.folder, record.number)
        self._stores = stores
        self._log = stores.log
        self._record = record
        self._lock = lock
        self._clock = clock

    def __enter__(self) -> Self:
        PROCESS.night = self.number
        return self

    def __exit__(self, *error: object) -> None:
        problem = error[1] if len(error) > 1 else None
        try:
            if problem is None:
                self._finish()
            else:
                text = f"{type(problem).__name__}: {problem}"
                self._log.write(partial(_update, number=self.number, error=text))
        finally:
            self._lock.release()

    def _finish(self) -> None:
        reach("finish.before")
        self._log.write(partial(_update, number=self.number, finished=self._clock(), error=None))
        reach("finish.after")
        disk.remove(self.workspace)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """A step of the time ledger: its seconds are kept under that name, even if it fails."""
        reach(f"{name}.begin")
        began = time.perf_counter()
        try:
            with during(STATES.get(name, "other")):
                yield
        finally:
            span = Span(name, time.perf_counter() - began, self._clock(), self.number)
            self._log.write(partial(lineage.add_span, span=span))
        reach(f"{name}.end")

    def verdict(self) -> Verdict | None:
        """The verdict, when this night (resumed) reached it before."""
        with self._log.read() as connection:
            return lineage.find_verdict(connection, self.number)

    def answers(self, partition: Partition) -> Sequence[AnsweredQuestion]:
        """Answered questions of a partition, up to the mark set when the night began."""
        marks = (self._record.answer_mark, self._record.retraction_mark)
        with self._log.read() as connection:
            found = answers.answered(connection, partition, *marks)
        return list(map(self._stores.parts.answered, found))

    def seal(self, examples: Sequence[Example]) -> Manifest:
        """The night's manifest: new examples in one new segment, what is gone excluded."""
        with self._log.read() as connection:
            recorded = connection.execute(
                select(_n.c.manifest).where(_n.c.number == self.number)
            ).scalar()
            if recorded is not None:
                return dataset.find(connection, recorded)
            base = dataset.find(connection, lineage.newest(connection).manifest)
        manifest = dataset.seal_examples(self._stores.segments, base, examples, self.number)
        self._stores.manifests.write(manifest)
        self._log.write(partial(_seal, number=self.number, manifest=manifest))
        reach("seal.recorded")
        return manifest

    def dataset(self, manifest: Manifest) -> Dataset:
        """The manifest's dataset; in a rebuild every example is new, none an earlier one."""
        fresh = [
            segment
            for segment in manifest.segments
            if segment.role == ANSWERS and (self.rebuild or segment.night == self.number)
        ]
        return dataset.StoredDataset(self._stores.segments, self._stores.parts, manifest, fresh)

    def trainee(self) -> Version:
        """The version from which tonight continues; tonight's own, once it is kept."""
        with self._log.read() as connection:
            newest = lineage.newest(connection)
            if self.rebuild and newest.night != self.number:
                return lineage.version(connection, version_id(0))
            return newest

    def champion(self) -> Version:
        """The version that serves."""
        with self._log.read() as connection:
            return lineage.version(connection, lineage.line(connection)[-1])

    def previous(self) -> Version | None:
        """The champion before the present one."""
        with self._log.read() as connection:
            line = lineage.line(connection)
            return lineage.version(connection, line[-2]) if len(line) > 1 else None

    def store(self, learner: Learner, parent: Version, manifest: Manifest) -> Version:
        """Keep a new learner's weights; with nothing new to learn it is its parent."""
        same_code = pack_recipe(learner.recipe) == pack_recipe(parent.recipe)
        if same_code and manifest.hash == parent.manifest:
            return parent
        files = self._stores.files
        disk.need_space(self._stores.folder, disk.weigh(files.weights / parent.weights))
        weights = files.save(learner.save)
        with self._log.read() as connection:
            number = lineage.next_number(connection)
        return Version(
            id=version_id(number),
            number=number,
            parent=parent.id,
            recipe=learner.recipe,
            manifest=manifest.hash,
            seed=self.seed,
            weights=weights,
            night=self.number,
        )

    def looks(self) -> Sequence[Look]:
        """Every look of the gate so far, oldest first."""
        with self._log.read() as connection:
            return [v.look for v in lineage.verdicts(connection) if v.look is not None]

    def keep(self, version: Version, results: Sequence[ExamResult], verdict: Verdict) -> None:
        """Version, evidence and verdict, with who serves, in one commit."""
        if verdict.night != self.number:
            raise WarehouseError(
                f"The verdict of night {verdict.night} was given to night {self.number}; "
                "judge with `night.number`."
            )
        self._stores.files.folder(version.weights)
        reach("keep.before")

        def work(connection: Connection) -> None:
            lineage.keep(connection, version, results, verdict, self._clock())
            reach("keep.inside")

        self._log.write(work)
        reach("keep.after")

    def pool(self, partition: Partition, n: int, key: int) -> Sequence[Context]:
        """At most n contexts of a partition that nobody has replied to yet, drawn at random."""
        with self._log.read() as connection:
            found = pool.sample(connection, partition, n, key)
        return list(map(self._stores.parts.context, found))

    def asked(self, n: int) -> Sequence[Context]:
        """At most n contexts of the training partition that were replied to, newest last."""
        with self._log.read() as connection:
            found = pool.asked(connection, Partition.TRAINING, n)
        return list(map(self._stores.parts.context, found))

    def post(self, picks: Sequence[Pick], version: Version) -> None:
        """Tomorrow's queue in the order of the picks; what is still unanswered is replaced."""
        reach("post.before")
        now = self._clock()
        for pick in picks:
            self._stores.parts.put(pick.context.document)
        self._log.write(lambda c: queue.post(c, picks, version.id, self.number, now))
        reach("post.after")


def version_id(number: int) -> str:
    """The id of the version with that number in the lineage: "v0", "v1"."""
    return f"v{number}"


def pack_recipe(recipe: Recipe) -> str:
    """A recipe as canonical JSON: equal for equal recipes."""
    return canonical({"learner": recipe.learner, "settings": recipe.settings})


def workspace(folder: Path, number: int) -> Path:
    """The folder of a night's own, removed when the night ends."""
    return folder / "nights" / str(number)


def night_lock(folder: Path) -> FileLock:
    """The lock that a night holds for its whole life."""
    return FileLock(folder / "night.lock", "A night is running in this school")


def begin(
    stores: Stores, *, rebuild: bool, date: str | None, clock: Callable[[], float]
) -> StoredNight:
    """Begin a night or resume the broken one; raises LockedError while another runs."""
    lock = night_lock(stores.folder)
    lock.acquire()
    try:
        record = stores.log.write(partial(_begin, rebuild=rebuild, date=date, now=clock()))
        reach("night.begun")
        # A night that was killed just after its end may have left its workspace behind.
        for other in (stores.folder / "nights").iterdir():
            if other != workspace(stores.folder, record.number):
                disk.remove(other)
        workspace(stores.folder, record.number).mkdir(parents=True, exist_ok=True)
    except BaseException:
        lock.release()
        raise
    return StoredNight(stores, record, lock, clock)


def broken(connection: Connection) -> NightRecord | None:
    """The night that was begun and has not ended; it runs now, or waits to be resumed."""
    row = connection.execute(select(_n).where(_n.c.finished.is_(None))).first()
    return NightRecord(**row._mapping) if row is not None else None


def has_news(connection: Connection, since: NightRecord) -> bool:
    """Whether answers or retractions came after the marks of that night."""
    return answers.marks(connection) != (since.answer_mark, since.retraction_mark)


def abandon(stores: Stores, at: float) -> NightRecord | None:
    """Give a broken night up for good, so that the next one begins anew; None without one."""
    with night_lock(stores.folder):
        with stores.log.read() as connection:
            record = broken(connection)
        if record is not None:
            stores.log.write(partial(_update, number=record.number, finished=at))
            disk.remove(workspace(stores.folder, record.number))
    return record


def _begin(connection: Connection, rebuild: bool, date: str | None, now: float) -> NightRecord:
    waiting = broken(connection)
    if waiting is not None:
        return waiting
    answer_mark, retraction_mark = answers.marks(connection)
    number = int(connection.execute(select(func.max(_n.c.number))).scalar() or 0) + 1
    record = NightRecord(
        number=number,
        day=max(0, int((now - float(meta.get(connection, meta.CREATED) or 0)) // DAY)),
        date=date,
        seed=int(sha256(f"{meta.get(connection, meta.SEED)}:{number}".encode())[:8], 16) >> 1,
        rebuild=rebuild,
        answer_mark=answer_mark,
        retraction_mark=retraction_mark,
        manifest=None,
        started=now,
        finished=None,
        error=None,
    )
    values = {name: getattr(record, name) for name in NightRecord.__dataclass_fields__}
    connection.execute(_n.insert().values(values))
    return record


def _update(connection: Connection, number: int, **values: Any) -> None:
    connection.execute(_n.update().where(_n.c.number == number).values(**values))


def _seal(connection: Connection, number: int, manifest: Manifest) -> None:
    dataset.record(connection, manifest)
    _update(connection, number, manifest=manifest.hash)


def nights(connection: Connection) -> list[NightRecord]:
    """Every night, oldest first."""
    rows = connection.execute(select(_n).order_by(_n.c.number))
    return [NightRecord(**row._mapping) for row in rows]
