"""Accounts in the log: who may come in, invitations, sessions and tokens (only their hashes)."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, func, or_, select, update

from nightschool.types import Person
from nightschool.types.people import AccountError, Role
from nightschool.warehouse import answers, audit, meta, tables
from nightschool.warehouse.dialect import insert_once
from nightschool.warehouse.log import Log

_a, _i, _s, _t = tables.accounts, tables.invitations, tables.sessions, tables.tokens

_SECRET = "signing_secret"  # noqa: S105


@dataclass(frozen=True)
class Account:
    """A person who may sign in; times are seconds since 1970, `disabled` is None while they may."""

    person: str
    role: Role
    created: float
    disabled: float | None


@dataclass(frozen=True)
class Invitation:
    """A one-time link: its hash, the role it gives, and the name ("" lets the guest choose)."""

    token: str
    role: Role
    person: str
    made_by: str
    at: float
    until: float
    used: float | None = None


@dataclass(frozen=True)
class Token:
    """A machine's key: its hash, whose rights it has, its name; `until` None is for good."""

    token: str
    person: str
    name: str
    at: float
    until: float | None


@dataclass(frozen=True)
class Holder:
    """Whom a session or token belongs to, with which role, and until when (None: for good)."""

    person: str
    role: Role
    until: float | None


@dataclass(frozen=True)
class Change:
    """Who does something and when: every change is kept together with its audit entry."""

    by: str
    at: float

    def note(self, connection: Connection, action: str, subject: str, detail: str = "") -> None:
        """The audit entry of this change."""
        audit.note(connection, self.by, action, subject, detail, self.at)


class AccountStore:
    """The accounts of one school; every write is durable when it returns."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def secret(self) -> str:
        """What this school signs its pages' marks with: the same after a restart."""
        with self._log.read() as connection:
            found = meta.get(connection, _SECRET)
        if found is not None:
            return found

        def work(connection: Connection) -> str:
            row = {"key": _SECRET, "value": secrets.token_urlsafe(32)}
            connection.execute(insert_once(connection, tables.meta), row)
            return meta.get(connection, _SECRET) or row["value"]

        return self._log.write(work)

    # --- who there is ---

    def all(self) -> Sequence[Account]:
        """Every account, by name."""
        with self._log.read() as connection:
            rows = connection.execute(select(_a).order_by(_a.c.person))
            return [_account(row) for row in rows]

    def find(self, person: str) -> tuple[Account, str] | None:
        """The account of that name, in whatever case it is written, and its password's hash."""
        with self._log.read() as connection:
            row = _named(connection, person)
            return (_account(row), row.password) if row is not None else None

    def owners(self) -> int:
        """How many owners may sign in."""
        with self._log.read() as connection:
            return _owners(connection)

    # --- invitations ---

    def invite(self, invitation: Invitation, change: Change) -> None:
        """Keep an invitation; AccountError where somebody of that name has an account."""

        def work(connection: Connection) -> None:
            if invitation.person:
                _refuse_taken(connection, invitation.person)
            connection.execute(_i.insert().values(_invitation_row(invitation)))
            change.note(connection, "invite", invitation.person, invitation.role.value)

        self._log.write(work)

    def renew(self, invitation: Invitation, change: Change) -> None:
        """Keep a link to a new password for whoever has that name, with the role they have."""

        def work(connection: Connection) -> None:
            row = _known(connection, invitation.person)
            if row.disabled is not None:
                raise AccountError(f"{row.person!r} is disabled; enable the account first.")
            values = {**_invitation_row(invitation), "person": row.person, "role": row.role}
            connection.execute(_i.insert().values(values))
            change.note(connection, "password link", row.person)

        self._log.write(work)

    def invitation(self, token: str) -> Invitation | None:
        """The invitation with that hash, used or not."""
        with self._log.read() as connection:
            row = connection.execute(select(_i).where(_i.c.token == token)).first()
            return _invitation(row) if row is not None else None

    def invitations(self, now: float) -> Sequence[Invitation]:
        """Invitations that can still be used, newest first."""
        query = select(_i).where(_i.c.used.is_(None), _i.c.until > now).order_by(_i.c.at.desc())
        with self._log.read() as connection:
            return [_invitation(row) for row in connection.execute(query)]

    def cancel(self, tokens: Sequence[str], change: Change) -> int:
        """Let invitations end that were not used; returns how many did."""

        def work(connection: Connection) -> int:
            gone = delete(_i).where(_i.c.token.in_(list(tokens)), _i.c.used.is_(None))
            count = int(connection.execute(gone).rowcount)
            if count:
                change.note(connection, "cancel invitation", "", f"{count}")
            return count

        return self._log.write(work)

    def join(self, token: str, person: str, password: str, at: float) -> Account:
        """Use an invitation: a new account, or a new password where one has that very name.

        Raises AccountError for one that is unknown, used or over, and for a name that is taken.
        """

        def work(connection: Connection) -> Account:
            row = connection.execute(select(_i).where(_i.c.token == token)).first()
            if row is None or row.used is not None or row.until <= at:
                raise AccountError(
                    "This link was used before or is over; ask the owner for a new one "
                    "(`nightschool people link` makes an owner's)."
                )
            name = row.person or person
            before = _named(connection, name)
            if before is not None and (not row.person or before.created >= row.at):
                _refuse_taken(connection, name)
            if not row.person and Role(row.role) is not Role.OWNER:
                _refuse_known(connection, name)
            connection.execute(update(_i).where(_i.c.token == token).values(used=at))
            if before is not None:
                connection.execute(_its(before).values(password=password))
                _shut(connection, before.person)
            else:
                answers.add_person(connection, Person(name))
                values = {"person": name, "role": row.role, "password": password}
                connection.execute(_a.insert().values(**values, created=at, disabled=None))
            what = "join" if before is None else "new password"
            Change(name, at).note(connection, what, name, f"{row.role}, link by {row.made_by}")
            return _account(_named(connection, name))

        return self._log.write(work)

    # --- what an owner changes ---

    def set_role(self, person: str, role: Role, change: Change) -> None:
        """Give a person another role; AccountError for the last owner."""

        def work(connection: Connection) -> None:
            before = _known(connection, person)
            _refuse_last(connection, before, role is Role.OWNER)
            connection.execute(_its(before).values(role=role.value))
            change.note(connection, "role", before.person, f"{before.role} -> {role.value}")

        self._log.write(work)

    def set_disabled(self, person: str, disabled: bool, change: Change) -> None:
        """Shut a person out, with all sessions and tokens, or let them in again."""

        def work(connection: Connection) -> None:
            before = _known(connection, person)
            _refuse_last(connection, before, not disabled)
            connection.execute(_its(before).values(disabled=change.at if disabled else None))
            if disabled:
                for table in (_s, _t, _i):
                    connection.execute(delete(table).where(table.c.person == before.person))
            change.note(connection, "disable" if disabled else "enable", before.person)

        self._log.write(work)

    def set_password(self, person: str, password: str, change: Change, keep: str = "") -> None:
        """A new password's hash; every session but `keep` (a hash), token and open link ends."""

        def work(connection: Connection) -> None:
            before = _known(connection, person)
            connection.execute(_its(before).values(password=password))
            _shut(connection, before.person, keep)
            change.note(connection, "password", before.person)

        self._log.write(work)

    def rehash(self, person: str, password: str) -> None:
        """The same password with today's cost; nobody's session ends."""
        self._log.write(
            lambda c: (
                c.execute(
                    update(_a).where(_a.c.person == person).values(password=password)
                ).rowcount
            )
        )

    # --- sessions and tokens ---

    def begin_session(self, token: str, person: str, at: float, until: float) -> None:
        """Keep a session's hash; sessions that are over are swept away."""

        def work(connection: Connection) -> None:
            connection.execute(delete(_s).where(_s.c.until <= at))
            row = {"token": token, "person": person, "at": at, "until": until}
            connection.execute(insert_once(connection, _s), row)

        self._log.write(work)

    def end_sessions(self, person: str, change: Change, token: str | None = None) -> int:
        """End one session of a person, or all, with tokens and open links; how many sessions."""

        def work(connection: Connection) -> int:
            if token is not None:
                gone = delete(_s).where(_s.c.person == person, _s.c.token == token)
                return int(connection.execute(gone).rowcount)
            row = _named(connection, person)
            name = person if row is None else row.person
            count = _shut(connection, name)
            change.note(connection, "sign out", name, f"{count} sessions")
            return count

        return self._log.write(work)

    def add_token(self, token: Token, change: Change) -> None:
        """Keep a machine's token."""

        def work(connection: Connection) -> None:
            _known(connection, token.person)
            connection.execute(_t.insert().values(**vars(token)))
            change.note(connection, "token", token.person, token.name)

        self._log.write(work)

    def tokens(self, person: str | None = None) -> Sequence[Token]:
        """Tokens of one person, or of all, oldest first."""
        query = select(_t).order_by(_t.c.at)
        if person is not None:
            query = query.where(_t.c.person == person)
        with self._log.read() as connection:
            return [Token(**row._mapping) for row in connection.execute(query)]

    def revoke(self, token: Token, change: Change) -> bool:
        """End a token; False if it had ended."""

        def work(connection: Connection) -> bool:
            gone = connection.execute(delete(_t).where(_t.c.token == token.token)).rowcount > 0
            if gone:
                change.note(connection, "revoke token", token.person, token.name)
            return gone

        return self._log.write(work)

    def holder(self, token: str, now: float, machine: bool) -> Holder | None:
        """Whose session (or machine's token) has that hash; None when it counts no more."""
        table = _t if machine else _s
        query = (
            select(table.c.person, table.c.until, _a.c.role)
            .join(_a, _a.c.person == table.c.person)
            .where(table.c.token == token, _a.c.disabled.is_(None))
            .where(or_(table.c.until.is_(None), table.c.until > now))
        )
        with self._log.read() as connection:
            row = connection.execute(query).first()
        return Holder(row.person, Role(row.role), row.until) if row is not None else None


def refuse_last_owner(connection: Connection, person: str) -> None:
    """Raise AccountError where nobody could manage the school without that person."""
    row = connection.execute(select(_a).where(_a.c.person == person)).first()
    if row is not None:
        _refuse_last(connection, row, False)


def forget(connection: Connection, person: str) -> None:
    """Delete a person's account, sessions, tokens and invitations (erasure, inside its write).

    Raises AccountError for the last owner.
    """
    refuse_last_owner(connection, person)
    for table in (_s, _t, _i, _a):
        connection.execute(delete(table).where(table.c.person == person))


def _shut(connection: Connection, person: str, keep: str = "") -> int:
    """End all by which somebody comes in but the password and one session; how many sessions."""
    ended = connection.execute(delete(_s).where(_s.c.person == person, _s.c.token != keep))
    connection.execute(delete(_t).where(_t.c.person == person))
    connection.execute(delete(_i).where(_i.c.person == person, _i.c.used.is_(None)))
    return int(ended.rowcount)


def _named(connection: Connection, person: str) -> Any:
    """The account's row; names are compared as people read them, whatever the case."""
    row = connection.execute(select(_a).where(_a.c.person == person)).first()
    if row is not None:
        return row
    wanted = person.casefold()
    names = connection.execute(select(_a.c.person)).scalars()
    found = next((name for name in names if name.casefold() == wanted), None)
    return connection.execute(select(_a).where(_a.c.person == found)).first() if found else None


def _known(connection: Connection, person: str) -> Any:
    row = _named(connection, person)
    if row is None:
        raise AccountError(f"{person!r} has no account; `nightschool people list` names all.")
    return row


def _its(row: Any) -> Any:
    return update(_a).where(_a.c.person == row.person)


def _owners(connection: Connection) -> int:
    active = select(func.count()).select_from(_a)
    active = active.where(_a.c.role == Role.OWNER.value, _a.c.disabled.is_(None))
    return int(connection.execute(active).scalar_one())


def _refuse_last(connection: Connection, row: Any, stays: bool) -> None:
    active = row.role == Role.OWNER.value and row.disabled is None
    if active and not stays and _owners(connection) < 2:
        raise AccountError(f"{row.person!r} is the last owner; make somebody else an owner first.")


def _refuse_taken(connection: Connection, person: str) -> None:
    row = _named(connection, person)
    if row is not None:
        raise AccountError(f"{row.person!r} has an account already; choose another name.")


def _refuse_known(connection: Connection, person: str) -> None:
    """Nobody but an owner takes a name over that answers were given under before."""
    names = connection.execute(select(tables.people.c.id)).scalars()
    if any(name.casefold() == person.casefold() for name in names):
        raise AccountError(
            f"Somebody answered as {person!r} before; choose another name, or ask the owner for "
            "an invitation with that name."
        )


def _account(row: Any) -> Account:
    return Account(row.person, Role(row.role), row.created, row.disabled)


def _invitation(row: Any) -> Invitation:
    return Invitation(**{**row._mapping, "role": Role(row.role)})


def _invitation_row(invitation: Invitation) -> dict[str, Any]:
    return {**vars(invitation), "role": invitation.role.value}
