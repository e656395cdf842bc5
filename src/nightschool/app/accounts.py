"""Accounts of a school: invitations, signing in and out, tokens for machines.

What opens a door (the secret of a link, a session or a token) is shown once and kept as its
sha256 only: 32 random bytes need no slow hash. Passwords have one, argon2.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
import unicodedata
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nightschool.app import passwords
from nightschool.types import is_storable
from nightschool.types.people import AccountError, Caller, Role
from nightschool.warehouse.accounts import (
    Account,
    AccountStore,
    Change,
    Holder,
    Invitation,
    Token,
)

HOUR = 3600.0
DAY = 24 * HOUR
INVITATION = 7 * DAY
SESSION = 30 * DAY
TOKEN_MARK = "ns_"  # noqa: S105
"""How a machine's token begins, so that a leaked one is recognised."""

REMEMBERED = 5.0
"""Seconds for which a session that was found is not looked up again; a change clears it."""

MOST_REMEMBERED = 4096
LONGEST_NAME = 64

RESERVED = frozenset(
    {"gate", "night", "nightschool", "owner", "school"}
    | {"script", "serve", "shell", "system", "terminal"}
)
"""Who acts or answers without being a person (`owner`: whoever sits at a school without accounts).

So do the erased (`erased-1`) and what simulates a person (`simulated-teacher`).
"""

RESERVED_MARKS = ("erased-", "simulated-")


@dataclass(frozen=True)
class Session:
    """Somebody who signed in, and the secret that their browser keeps."""

    account: Account
    secret: str
    until: float


def digest(secret: str) -> str:
    """What is stored of a secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def name_of(person: str) -> str:
    """A person's name as it is kept: one form of every letter, no white space around it."""
    name = unicodedata.normalize("NFC", person).strip()
    if not name or len(name) > LONGEST_NAME or not is_storable(name) or not name.isprintable():
        raise AccountError(
            f"{person[:80]!r} is not a name; take 1 to {LONGEST_NAME} letters, such as anna."
        )
    return name


def same_name(person: str) -> str:
    """A name as names are compared: two that give the same are one person's."""
    return unicodedata.normalize("NFC", person).strip().casefold()


def free_name(person: str) -> str:
    """The name of somebody new; AccountError for one by which the audit trail means another."""
    name = name_of(person)
    if name.casefold() in RESERVED or name.casefold().startswith(RESERVED_MARKS):
        raise AccountError(
            f"{name!r} is how the school names itself in its records; choose another name, such "
            "as anna."
        )
    return name


class Accounts:
    """Everything that is done with accounts; each change is durable and in the audit trail."""

    def __init__(self, store: AccountStore, clock: Callable[[], float] = time.time) -> None:
        self.store = store
        self._now = clock
        self._lock = threading.Lock()
        self._seen: OrderedDict[tuple[str, bool], tuple[Holder, float]] = OrderedDict()
        self._changes = 0

    # --- coming in ---

    def sign_in(self, person: str, password: str) -> Session | None:
        """A session for that name and password; None where they do not fit. Slow on purpose."""
        found = self.store.find(unicodedata.normalize("NFC", person).strip())
        known = found[1] if found is not None else None
        if not passwords.verified(known, password) or found is None or known is None:
            return None
        account = found[0]
        if account.disabled is not None:
            return None
        if passwords.outdated(known):
            self.store.rehash(account.person, passwords.hashed(password))
        return self._begin(account)

    def join(self, secret: str, person: str, password: str) -> Session:
        """Use an invitation and sign in; AccountError where it is used, over, or the name taken."""
        invitation = self.invitation(secret)
        name = (invitation.person if invitation is not None else "") or free_name(person)
        passwords.check(password, name)
        known = passwords.hashed(password)
        account = self.store.join(digest(secret), name, known, self._now())
        self.forget()
        return self._begin(account)

    def _begin(self, account: Account) -> Session:
        secret, at = secrets.token_urlsafe(32), self._now()
        self.store.begin_session(digest(secret), account.person, at, at + SESSION)
        return Session(account, secret, at + SESSION)

    def caller(self, secret: str, machine: bool) -> Caller | None:
        """Who comes with that session's secret or (machine) that token; one indexed read or none.

        A change that another process makes is seen after REMEMBERED seconds.
        """
        key = digest(secret)
        found = self._recent(key, machine)
        if found is None:
            before = self._changes
            found = self.store.holder(key, self._now(), machine)
            if found is None:
                return None
            self._remember(key, machine, found, before)
        return Caller(found.person, found.role, key, machine)

    def _remember(self, key: str, machine: bool, holder: Holder, before: int) -> None:
        with self._lock:
            if before != self._changes:  # what was read may be over already
                return
            self._seen[key, machine] = holder, time.monotonic() + REMEMBERED
            while len(self._seen) > MOST_REMEMBERED:
                self._seen.popitem(last=False)

    def _recent(self, key: str, machine: bool) -> Holder | None:
        with self._lock:
            holder, until = self._seen.get((key, machine), (None, 0.0))
        if holder is None or time.monotonic() > until:
            return None
        return holder if holder.until is None or holder.until > self._now() else None

    def is_remembered(self, secret: str, machine: bool) -> bool:
        """Whether `caller` would answer from memory."""
        return self._recent(digest(secret), machine) is not None

    def forget(self) -> None:
        """Look everybody up anew: something about accounts was changed."""
        with self._lock:
            self._changes += 1
            self._seen.clear()

    # --- invitations ---

    def invite(self, role: Role, by: str, person: str = "", seconds: float = INVITATION) -> str:
        """The secret of a link that lets one person join with that role, once, in that time."""
        secret, at = secrets.token_urlsafe(32), self._now()
        name = free_name(person) if person else ""
        made = Invitation(digest(secret), role, name, by, at, at + seconds)
        self.store.invite(made, Change(by, at))
        return secret

    def renew(self, person: str, by: str, seconds: float = DAY) -> str:
        """The secret of a link by which that person chooses a new password."""
        secret, at = secrets.token_urlsafe(32), self._now()
        made = Invitation(digest(secret), Role.VIEWER, person, by, at, at + seconds)
        self.store.renew(made, Change(by, at))
        return secret

    def owner_link(self, by: str, seconds: float = DAY) -> str:
        """A new owner's link; the links for owners that `by` made before, and nobody used, end."""
        at = self._now()
        old = [
            i.token
            for i in self.store.invitations(at)
            if i.made_by == by and i.role is Role.OWNER and not i.person
        ]
        if old:
            self.store.cancel(old, Change(by, at))
        return self.invite(Role.OWNER, by, seconds=seconds)

    def invitation(self, secret: str) -> Invitation | None:
        """The invitation behind a link, while it can be used."""
        found = self.store.invitation(digest(secret))
        open_ = found is not None and found.used is None and found.until > self._now()
        return found if open_ else None

    def renews(self, invitation: Invitation) -> bool:
        """Whether a link is to a new password, not to a new account."""
        return bool(invitation.person) and self.store.find(invitation.person) is not None

    def invitations(self) -> Sequence[Invitation]:
        """Invitations that can still be used."""
        return self.store.invitations(self._now())

    def cancel(self, token: str, by: str) -> bool:
        """End an invitation (named by its hash) that was not used; False if there is none."""
        return self.store.cancel([token], Change(by, self._now())) > 0

    # --- people ---

    def all(self) -> Sequence[Account]:
        """Every account."""
        return self.store.all()

    def has_owner(self) -> bool:
        """Whether an owner can sign in."""
        return self.store.owners() > 0

    def set_role(self, person: str, role: Role, by: str) -> None:
        """Another role, at once; AccountError for the last owner."""
        self.store.set_role(person, role, Change(by, self._now()))
        self.forget()

    def set_disabled(self, person: str, disabled: bool, by: str) -> None:
        """Shut out (all sessions, tokens and links end) or let in; AccountError for the last."""
        self.store.set_disabled(person, disabled, Change(by, self._now()))
        self.forget()

    def change_password(self, caller: Caller, old: str, new: str) -> None:
        """A person's own new password; their other sessions, tokens and open links end.

        AccountError for a wrong old one.
        """
        found = self.store.find(caller.person)
        if found is None or not passwords.verified(found[1], old):
            raise AccountError("The old password is another one; nothing was changed.")
        passwords.check(new, caller.person)
        change = Change(caller.person, self._now())
        self.store.set_password(caller.person, passwords.hashed(new), change, keep=caller.key)
        self.forget()

    def sign_out(self, caller: Caller) -> None:
        """End the session that a caller came with."""
        self.store.end_sessions(caller.person, Change(caller.person, self._now()), caller.key)
        self.forget()

    def sign_out_everywhere(self, person: str, by: str) -> int:
        """End every session of a person, with their tokens and open links; how many sessions."""
        ended = self.store.end_sessions(person, Change(by, self._now()))
        self.forget()
        return ended

    # --- machines ---

    def add_token(self, person: str, name: str, by: str, seconds: float | None = None) -> str:
        """The secret of a machine's token, which has that person's rights."""
        secret, at = TOKEN_MARK + secrets.token_urlsafe(32), self._now()
        until = at + seconds if seconds is not None else None
        token = Token(digest(secret), person, name_of(name), at, until)
        self.store.add_token(token, Change(by, at))
        return secret

    def tokens(self, person: str | None = None) -> Sequence[Token]:
        """Tokens of one person, or of all."""
        return self.store.tokens(person)

    def revoke(self, token: Token, by: str) -> bool:
        """End a token; False if it had ended."""
        ended = self.store.revoke(token, Change(by, self._now()))
        self.forget()
        return ended
