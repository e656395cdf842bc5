"""Passwords: what is asked of one, and their hashes by argon2 (RFC 9106)."""

from __future__ import annotations

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from nightschool.types.people import AccountError

SHORTEST = 10
LONGEST = 1024


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()  # argon2id; the library follows the second choice of RFC 9106


@cache
def _nobodys() -> str:
    return _hasher().hash("nobody has this password")


def check(password: str, person: str) -> None:
    """Raise AccountError for a password that is too short, too long, or the name itself."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise AccountError(
            f"This password has {len(password):,} characters; take {SHORTEST} to {LONGEST:,}, "
            "for instance four words that do not belong together."
        )
    if password.strip().casefold() == person.strip().casefold():
        raise AccountError("The password is the name itself; take another one.")


def hashed(password: str) -> str:
    """What is stored of a password; takes some 50 ms and 64 MiB on purpose."""
    return _hasher().hash(password)


def verified(known: str | None, password: str) -> bool:
    """Whether a password belongs to a hash; without one, as slowly, that it does not."""
    try:
        return _hasher().verify(known or _nobodys(), password) and known is not None
    except (VerificationError, InvalidHashError):
        return False


def outdated(known: str) -> bool:
    """Whether a hash was made at another cost than today's."""
    return _hasher().check_needs_rehash(known)
