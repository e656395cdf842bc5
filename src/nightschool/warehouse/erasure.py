"""A person leaves: all their answers withdrawn as a whole, or the person erased from the school."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, func, literal, select, true

from nightschool.faults import reach
from nightschool.types import LockedError, Partition, Reply, Retract, Version, normalise
from nightschool.types.people import AccountError
from nightschool.warehouse import (
    accounts,
    audit,
    care,
    dataset,
    disk,
    heirs,
    lineage,
    pool,
    queue,
    quoting,
    tables,
)
from nightschool.warehouse.batches import LISTED, batches
from nightschool.warehouse.dialect import insert_into, insert_once, scrub
from nightschool.warehouse.gold import GUESSES
from nightschool.warehouse.heirs import Erasure, Heir
from nightschool.warehouse.night import Stores, night_lock
from nightschool.warehouse.segments import ANSWERS

_a, _r, _e, _m = tables.answers, tables.retractions, tables.erasures, tables.meta

UNCLAIMED = 3600.0
"""Seconds after which a blob that no record names is no answer on its way."""

NAMED: tuple[tuple[Table, str], ...] = (
    (tables.champions, "person"),
    (tables.gold, "person"),
    (tables.audit, "person"),
    (tables.audit, "subject"),
    (tables.invitations, "made_by"),
    (_r, "person"),
    (_e, "by"),
)
"""Columns that hold a person's id and keep their row under a pseudonym."""

TOLD: tuple[tuple[Table, str, str], ...] = (
    (tables.champions, "seq", "reason"),
    (tables.audit, "seq", "detail"),
    (_r, "seq", "reason"),
    (_a, "seq", "note"),
)
"""Free texts that may name somebody: table, key, column."""


@dataclass(frozen=True)
class _Plan:
    """What an erasure will do, found out before anything changes."""

    person: str
    alias: str
    by: str
    at: float
    segments: Mapping[str, Heir]
    versions: Sequence[str]
    blobs: Collection[str]
    drop: Collection[str]


class Leaving:
    """Withdraws and erases people; each is whole or did not happen."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores

    def withdraw(self, person: str, by: str, reason: str, at: float) -> int:
        """Retract every answer of a person that counts, in one commit; how many those were."""
        return self._stores.log.write(lambda c: _withdraw(c, person, by, reason, "withdraw", at))

    def erasures(self) -> Sequence[Erasure]:
        """Every erasure, oldest first."""
        with self._stores.log.read() as connection:
            return heirs.erasures(connection)

    def unlearned(self, version: Version | None = None) -> int:
        """How many answers a version, or the newest, learned that no longer count."""
        with self._stores.log.read() as connection:
            return unlearned(connection, version.night if version else None)

    def contexts(self) -> set[int]:
        """Contexts that a night may have learned from somebody who was erased since."""
        with self._stores.log.read() as connection:
            return _lost(connection)

    def erase(
        self,
        person: str,
        by: str,
        at: float,
        *,
        drop: Collection[str] = (),
        files: Collection[str] = (),
        gone: Callable[[], object] = lambda: None,
    ) -> Erasure:
        """Remove a person and all that they said, for good; raises LockedError during a night.

        `drop` are remembered settings that were made from what people said, `files` such files in
        the school's folder; they go as well. `gone` is called once the log has forgotten them,
        before the slow sweep of the files.

        Killed at any moment it either did not happen, or the next to open the school ends it.
        Raises AccountError for a name that nobody has, and for the last owner.
        """
        with self._alone():
            self._finish()
            plan = self._plan(person, by, at, drop)
            for name in files:
                (self._stores.folder / name).unlink(missing_ok=True)
            for left in (self._stores.folder / "nights").iterdir():
                disk.remove(left)  # a broken night's texts; it is resumed without them
            reach("erase.planned")
            self._stores.log.write(partial(_forget, plan=plan))
            gone()
            reach("erase.recorded")
            self._finish()
            return self.erasures()[-1]

    def resume(self) -> None:
        """End an erasure that was killed; nothing happens without one, or while others work."""
        with self._stores.log.read() as connection:
            waiting = heirs.unfinished(connection)
        if waiting:
            with suppress(LockedError), self._alone():
                self._finish()

    def _alone(self) -> ExitStack:
        with ExitStack() as stack:
            stack.enter_context(night_lock(self._stores.folder))
            stack.enter_context(care.care_lock(self._stores))
            return stack.pop_all()

    def _plan(self, person: str, by: str, at: float, drop: Collection[str]) -> _Plan:
        store = self._stores.segments
        with self._stores.log.read() as connection:
            if not _is_known(connection, person):
                raise AccountError(
                    f"Nobody here is called {person!r}; `nightschool people list` names everybody."
                )
            accounts.refuse_last_owner(connection, person)
            alias = _alias(connection)
            said = select(_a.c.id, _a.c.blobs)
            rows = connection.execute(said.where(_a.c.person == person)).all()
            words = quoting.own_words(connection, person)
            quoted = quoting.settled_by(connection, person, words)
            made = connection.scalars(select(_m.c.value).where(_m.c.key.in_(list(drop)))).all()
            manifests = dataset.every(connection)
            versions = lineage.versions(connection)
        ids = {row.id for row in rows} | quoted
        parts = {name for row in rows if row.blobs for name in json.loads(row.blobs).values()}
        parts.update(made)
        gone: dict[str, set[str]] = {}
        rewritten: dict[str, Heir] = {}
        every = {s.sha256: s for m in manifests for s in m.segments if s.role == ANSWERS}
        for name, segment in every.items():
            pairs = zip(store.column(segment, "id"), store.column(segment, "answers"), strict=True)
            lost = {example for example, names in pairs if not ids.isdisjoint(names)}
            if lost:
                kept = (row for row in store.rows(segment) if row["id"] not in lost)
                new = store.write(kept, ANSWERS, segment.night)
                gone[name] = lost
                rewritten[store.now(segment).sha256] = Heir(new.sha256, new.rows)
        learned = _learned(versions, {m.hash: m for m in manifests}, gone)
        return _Plan(
            person, alias, alias if by == person else by, at, rewritten, learned, parts, drop
        )

    def _finish(self) -> None:
        """Delete the files that erasures left behind, and every trace in the database's file."""
        with self._stores.log.read() as connection:
            waiting = [e for e in heirs.erasures(connection) if e.finished is None]
            if not waiting:
                return
            manifests = dataset.every(connection)
            blobs = care.blobs_in_log(connection)
            left = heirs.heirs(connection)
        segments = care.every_segment(manifests, left)
        # Also what a killed night wrote and no manifest names.
        names = {f"{segment.sha256}.parquet" for segment in segments}
        for path in self._stores.segments.folder.iterdir():
            if path.name not in names:
                disk.remove(path)
        reach("erase.swept")
        blobs |= care.blobs_in_segments(self._stores.segments, segments)
        for name in {name for erasure in waiting for name in erasure.blobs} - blobs:
            with suppress(FileNotFoundError):
                disk.remove(self._stores.files.blobs / name)
        # Others that no record names may have been made of what they said.
        care.sweep(self._stores.files.blobs, blobs, older_than=time.time() - UNCLAIMED)
        disk.sync(self._stores.segments.folder)
        disk.sync(self._stores.files.blobs)
        scrub(self._stores.log.engine)
        reach("erase.scrubbed")
        self._stores.log.write(_ended)


def _ended(connection: Connection) -> None:
    waiting = _e.update().where(_e.c.finished.is_(None))
    connection.execute(waiting.values(finished=_e.c.at, blobs="[]"))


def _learned(
    versions: Sequence[Version], manifests: Mapping[str, Any], gone: Mapping[str, Collection[str]]
) -> list[str]:
    """Versions that learned one of the rows that go, and those that go on from one of them."""
    found: list[str] = []
    for version in versions:
        manifest = manifests[version.manifest]
        rows = {row for s in manifest.segments for row in gone.get(s.sha256, ())}
        if rows - set(manifest.excluded) or version.parent in found:
            found.append(version.id)
    return found


def _lost(connection: Connection) -> set[int]:
    c = tables.contexts
    seen = select(func.max(tables.nights.c.answer_mark)).scalar_subquery()
    query = select(_a.c.context_id).distinct().join(c, c.c.id == _a.c.context_id)
    query = query.where(_a.c.person.in_(select(_e.c.person)), _a.c.seq <= seen)
    return set(connection.scalars(query.where(c.c.partition == Partition.TRAINING.value)))


def unlearned(connection: Connection, night: int | None = None) -> int:
    """Training answers retracted after a night had seen them, since the newest rebuild began.

    With `night`, as the version of that night knows them. A rebuild that reached no verdict
    forgot nothing.
    """
    n, c, v = tables.nights, tables.contexts, tables.verdicts
    until = n.c.number <= night if night is not None else true()
    ended = select(func.max(n.c.number)).join(v, v.c.night == n.c.number)
    since = ended.where(n.c.rebuild, until).scalar_subquery()
    seen = (
        select(n.c.number)
        .where(n.c.number >= func.coalesce(since, 0))
        .where(n.c.answer_mark >= _a.c.seq, n.c.retraction_mark < _r.c.seq)
        .where(n.c.manifest.is_not(None), until)
    )
    query = (
        select(func.count())
        .select_from(_r)
        .join(_a, _a.c.id == _r.c.answer_id)
        .join(c, c.c.id == _a.c.context_id)
        .where(c.c.partition == "training", seen.exists())
    )
    return int(connection.execute(query).scalar_one())


def _withdraw(
    connection: Connection, person: str, by: str, reason: str, action: str, at: float
) -> int:
    why = Retract.WITHDRAWAL.value
    counting = select(
        literal("withdrawn:") + _a.c.id, _a.c.id, literal(by), literal(why), literal(at),
        literal(reason),
    ).where(_a.c.person == person, pool.live())  # fmt: skip
    names = ["id", "answer_id", "person", "why", "at", "reason"]
    insert = insert_into(connection.dialect.name, _r).from_select(names, counting)
    count = int(connection.execute(insert).rowcount)
    queue.reopen(connection, select(_a.c.context_id).where(_a.c.person == person))
    connection.execute(tables.leases.delete().where(tables.leases.c.person == person))
    audit.note(
        connection, by, action, person, f"{count} answers" + (f": {reason}" * bool(reason)), at
    )
    return count


def _is_known(connection: Connection, person: str) -> bool:
    people = tables.people
    return connection.execute(select(people.c.id).where(people.c.id == person)).first() is not None


def _alias(connection: Connection) -> str:
    """A name that nobody has: the number of the erasure, nothing of the person."""
    taken = set(connection.scalars(select(tables.people.c.id)))
    number = int(connection.execute(select(func.count()).select_from(_e)).scalar_one()) + 1
    while f"erased-{number}" in taken:
        number += 1
    return f"erased-{number}"


def _forget(connection: Connection, plan: _Plan) -> None:
    """Everything in the log at once: what they said is gone, their name is a pseudonym."""
    person, alias = plan.person, plan.alias
    ids = set(connection.scalars(select(_a.c.id).where(_a.c.person == person)))
    words = quoting.own_words(connection, person)
    quoted = quoting.settled_by(connection, person, words)
    quoting.forget_guesses(connection, words)
    connection.execute(tables.people.insert().values(id=alias, name=""))
    _withdraw(connection, person, plan.by, "", "erase", plan.at)
    _take_back(connection, quoted, plan)
    _silence(connection, _a.c.person == person, person=alias)
    for part in batches(sorted(quoted), LISTED):
        _silence(connection, _a.c.id.in_(part))
    reach("erase.inside")
    accounts.forget(connection, person)
    _blank(connection, person, words)
    for table, column in NAMED:
        same = table.c[column] == person
        connection.execute(table.update().where(same).values({column: alias}))
    _rename_told(connection, person, alias)
    _drop_deliveries(connection, {person, *ids, *quoted})
    connection.execute(_m.delete().where(_m.c.key.in_([*plan.drop, GUESSES])))
    connection.execute(tables.people.delete().where(tables.people.c.id == person))
    heirs.record(
        connection,
        Erasure(
            0, alias, plan.by, plan.at, plan.segments, tuple(plan.versions),
            tuple(sorted(plan.blobs)),
        ),
    )  # fmt: skip


def _take_back(connection: Connection, quoted: Collection[str], plan: _Plan) -> None:
    """Questions that somebody settled by the person's words, and nobody else's, are open again."""
    for name in quoted:
        why = {"why": Retract.WITHDRAWAL.value, "reason": "", "at": plan.at, "person": plan.by}
        row = {"id": f"withdrawn:{name}", "answer_id": name, **why}
        connection.execute(insert_once(connection, _r), row)
        queue.reopen(connection, select(_a.c.context_id).where(_a.c.id == name))


def _silence(connection: Connection, which: ColumnElement[bool], **values: str) -> None:
    """These answers become skips that say nothing and count no more."""
    these = select(_a.c.id).where(which)
    connection.execute(_r.update().where(_r.c.answer_id.in_(these)).values(reason=""))
    empty = {"kind": None, "body": None, "blobs": None, "note": "", "settles": False}
    said = _a.update().where(which)
    connection.execute(said.values(reply=Reply.SKIP.value, **empty, **values))


def _blank(connection: Connection, person: str, words: set[str]) -> None:
    """Settled texts in the trail that are the person's own, and the names of their tokens.

    Nothing else: nobody may choose answers that wipe out what the trail says of others.
    """
    trail = tables.audit
    theirs = and_(trail.c.action.in_(["token", "revoke token"]), trail.c.subject == person)
    connection.execute(trail.update().where(theirs).values(detail=""))
    settled = and_(
        trail.c.action == "question settled", trail.c.detail.not_in(["", *map(str, Reply)])
    )
    rows = connection.execute(select(trail.c.seq, trail.c.detail).where(settled))
    for name in [row.seq for row in rows if normalise(row.detail.strip("'\"")) in words]:
        connection.execute(trail.update().where(trail.c.seq == name).values(detail=""))


def _rename_told(connection: Connection, person: str, alias: str) -> None:
    # Compared here: not every database knows the small form of every letter.
    word = re.compile(rf"(?<!\w){re.escape(person)}(?!\w)", re.IGNORECASE)
    for table, key, column in TOLD:
        rows = connection.execute(
            select(table.c[key], table.c[column]).where(table.c[column] != "")
        ).all()
        for name, text in rows:
            told = word.sub(alias, text)
            if told != text:
                changed = table.update().where(table.c[key] == name)
                connection.execute(changed.values({column: told}))


def _drop_deliveries(connection: Connection, names: Collection[str]) -> None:
    d = tables.deliveries
    for row in connection.execute(select(d.c.seq, d.c.body)).all():
        if _strings(row.body) & set(names):
            connection.execute(d.delete().where(d.c.seq == row.seq))


def _strings(body: str) -> set[str]:
    try:
        left: list[Any] = [json.loads(body)]
    except ValueError:
        return {body}
    found: set[str] = set()
    while left:
        value = left.pop()
        if isinstance(value, dict):
            left += [*value.keys(), *value.values()]
        elif isinstance(value, list):
            left += value
        elif isinstance(value, str):
            found.add(value)
    return found
