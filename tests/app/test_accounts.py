"""Accounts: invitations, passwords, sessions, tokens, and the trail that they leave."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from nightschool.app import accounts as module
from nightschool.app import passwords
from nightschool.app.accounts import DAY, Accounts, name_of
from nightschool.types import Person
from nightschool.types.people import AccountError, Caller, Role
from nightschool.warehouse import Warehouse
from nightschool.warehouse.answers import add_person
from tests.postgres import sqlite_only

PASSWORD = "four words of salt"


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes of the same kind that take no time."""
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", lambda: cheap)


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    with Warehouse.create(tmp_path / "s") as made:
        yield made


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def accounts(warehouse: Warehouse, clock: Clock) -> Accounts:
    made = Accounts(warehouse.accounts, clock)
    made.join(made.owner_link("serve"), "anna", PASSWORD)
    return made


def joined(accounts: Accounts, person: str, role: Role = Role.TEACHER) -> str:
    return accounts.join(accounts.invite(role, "anna", person), person, PASSWORD).secret


def test_a_link_opens_once_and_gives_the_role_and_the_name(accounts: Accounts) -> None:
    link = accounts.invite(Role.VIEWER, "anna", "vera")
    session = accounts.join(link, "whoever", PASSWORD)
    assert (session.account.person, session.account.role) == ("vera", Role.VIEWER)
    with pytest.raises(AccountError, match="used before"):
        accounts.join(link, "second", PASSWORD)
    assert [a.person for a in accounts.all()] == ["anna", "vera"]


def test_a_new_password_and_signing_out_end_tokens_and_links(
    accounts: Accounts, clock: Clock
) -> None:
    secret = joined(accounts, "bert")
    berts = accounts.caller(secret, False)
    assert berts is not None

    def opened() -> tuple[str, str]:
        return accounts.add_token("bert", "robot", "bert"), accounts.renew("bert", "anna")

    def shut(token: str, link: str) -> bool:
        return accounts.caller(token, True) is None and accounts.invitation(link) is None

    mine, others = opened(), accounts.add_token("anna", "robot", "anna")
    clock.now += 1
    accounts.change_password(berts, PASSWORD, "other words of pepper")
    assert shut(*mine)
    assert accounts.caller(secret, False) is not None, "the session that changed it stays"
    mine = opened()
    assert accounts.sign_out_everywhere("BERT", "anna") == 1
    assert shut(*mine)
    mine = opened()
    accounts.join(accounts.renew("bert", "anna"), "", "more words of sugar")
    assert shut(*mine)
    assert accounts.caller(others, True) is not None


@pytest.mark.parametrize("name", ["Owner", "Serve", "Simulated-x", "erased-7"])
def test_nobody_takes_a_name_of_the_trail(accounts: Accounts, name: str) -> None:
    with pytest.raises(AccountError, match=r"names itself.*choose another name"):
        accounts.invite(Role.TEACHER, "anna", name)
    with pytest.raises(AccountError, match="names itself"):
        accounts.join(accounts.invite(Role.TEACHER, "anna"), name, PASSWORD)


def test_a_link_ends(accounts: Accounts, clock: Clock) -> None:
    link = accounts.invite(Role.TEACHER, "anna", seconds=60)
    assert accounts.invitation(link) is not None
    clock.now += 60
    assert accounts.invitation(link) is None
    with pytest.raises(AccountError, match="is over"):
        accounts.join(link, "bert", PASSWORD)


def test_an_owners_first_link_replaces_the_one_before(accounts: Accounts) -> None:
    first, second = accounts.owner_link("serve"), accounts.owner_link("serve")
    assert (accounts.invitation(first), len(accounts.invitations())) == (None, 1)
    assert accounts.join(second, "olga", PASSWORD).account.role is Role.OWNER


def test_a_cancelled_link_is_over(accounts: Accounts) -> None:
    link = accounts.invite(Role.TEACHER, "anna")
    assert accounts.cancel(accounts.invitations()[0].token, "anna")
    with pytest.raises(AccountError):
        accounts.join(link, "bert", PASSWORD)


def test_nobody_takes_a_name_over(accounts: Accounts, warehouse: Warehouse) -> None:
    with pytest.raises(AccountError, match="has an account"):
        accounts.invite(Role.TEACHER, "anna", "ANNA")
    with pytest.raises(AccountError, match="has an account"):
        accounts.join(accounts.invite(Role.TEACHER, "anna"), "Anna", PASSWORD)
    walter = Person("walter")  # answered before there were accounts
    warehouse._log.write(partial(add_person, person=walter))
    with pytest.raises(AccountError, match="answered as 'Walter'"):
        accounts.join(accounts.invite(Role.TEACHER, "anna"), "Walter", PASSWORD)
    assert joined(accounts, "walter"), "whom the owner names may have it"
    early = [accounts.invite(Role.TEACHER, "anna", "bert") for _ in range(2)]
    accounts.join(early[0], "bert", PASSWORD)
    with pytest.raises(AccountError, match="has an account"):
        accounts.join(early[1], "bert", "another password")
    assert accounts.sign_in("bert", PASSWORD), "a second invitation is no new password"


def test_a_link_to_a_new_password_keeps_the_role_and_ends_the_sessions(
    accounts: Accounts, clock: Clock
) -> None:
    old = joined(accounts, "bert")
    clock.now += 1
    session = accounts.join(accounts.renew("Bert", "anna"), "", "another password")
    assert (session.account.person, session.account.role) == ("bert", Role.TEACHER)
    assert accounts.caller(old, False) is None
    assert accounts.sign_in("bert", PASSWORD) is None
    assert accounts.sign_in("bert", "another password")


@sqlite_only
def test_passwords_and_secrets_are_nowhere_in_clear(accounts: Accounts, tmp_path: Path) -> None:
    link = accounts.invite(Role.TEACHER, "anna", "bert")
    session = accounts.join(link, "bert", PASSWORD).secret
    token = accounts.add_token("bert", "script", "bert")
    with sqlite3.connect(tmp_path / "s" / "school.db") as log:
        dump = "\n".join(log.iterdump())
    assert "$argon2id$" in dump
    assert not [s for s in (PASSWORD, link, session, token) if s in dump]


@pytest.mark.parametrize("password", ["short", "x" * 1025, " berta lives "])
def test_what_is_no_password(accounts: Accounts, password: str) -> None:
    link = accounts.invite(Role.TEACHER, "anna", "Berta Lives")
    with pytest.raises(AccountError, match=r"characters|the name itself"):
        accounts.join(link, "", password)
    assert accounts.join(link, "", PASSWORD), "the link was not used up"


@pytest.mark.parametrize("name", ["", "  ", "x" * 65, "a\x00b", "a\nb", "\u202eanna"])
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(AccountError, match="not a name"):
        name_of(name)
    assert name_of(" Zoe\u0308 ") == "Zo\u00eb"


def test_signing_in(accounts: Accounts, clock: Clock) -> None:
    assert accounts.sign_in("anna", "wrong password") is None
    assert accounts.sign_in("nobody", PASSWORD) is None
    session = accounts.sign_in(" Anna ", PASSWORD)
    assert session is not None
    found = accounts.caller(session.secret, False)
    assert found is not None
    assert (found.person, found.role, found.machine) == ("anna", Role.OWNER, False)
    assert accounts.caller(session.secret, True) is None, "a session is no token"
    clock.now += module.SESSION
    assert accounts.caller(session.secret, False) is None


def test_a_change_is_seen_at_once(accounts: Accounts) -> None:
    secret = joined(accounts, "bert")
    token = accounts.add_token("bert", "script", "bert")
    assert accounts.caller(secret, False) == Caller(
        "bert", Role.TEACHER, module.digest(secret), False
    )
    accounts.set_role("bert", Role.VIEWER, "anna")
    assert [accounts.caller(s, m).role for s, m in ((secret, False), (token, True))] == [
        Role.VIEWER
    ] * 2
    accounts.set_disabled("bert", True, "anna")
    assert [accounts.caller(s, m) for s, m in ((secret, False), (token, True))] == [None, None]
    assert accounts.sign_in("bert", PASSWORD) is None
    later = accounts.add_token("bert", "made by the owner", "anna")
    assert accounts.caller(later, True) is None
    with pytest.raises(AccountError, match="enable"):
        accounts.renew("bert", "anna")
    accounts.set_disabled("bert", False, "anna")
    assert accounts.caller(secret, False) is None, "old sessions stay ended"
    assert accounts.sign_in("bert", PASSWORD)


def test_one_session_or_all_of_them_end(accounts: Accounts) -> None:
    first, second = joined(accounts, "bert"), accounts.sign_in("bert", PASSWORD).secret
    accounts.sign_out(accounts.caller(first, False))
    assert (accounts.caller(first, False), bool(accounts.caller(second, False))) == (None, True)
    third = accounts.sign_in("bert", PASSWORD).secret
    assert accounts.sign_out_everywhere("bert", "anna") == 2
    assert [accounts.caller(s, False) for s in (second, third)] == [None, None]


def test_a_persons_own_new_password(accounts: Accounts) -> None:
    here, there = joined(accounts, "bert"), accounts.sign_in("bert", PASSWORD).secret
    caller = accounts.caller(here, False)
    with pytest.raises(AccountError, match="old password"):
        accounts.change_password(caller, "wrong password", "another password")
    accounts.change_password(caller, PASSWORD, "another password")
    assert (bool(accounts.caller(here, False)), accounts.caller(there, False)) == (True, None)
    assert accounts.sign_in("bert", PASSWORD) is None


def test_the_last_owner_stays(accounts: Accounts, warehouse: Warehouse) -> None:
    for refused in (
        lambda: accounts.set_role("anna", Role.VIEWER, "anna"),
        lambda: accounts.set_disabled("anna", True, "anna"),
    ):
        with pytest.raises(AccountError, match="last owner"):
            refused()
    joined(accounts, "olga", Role.OWNER)
    accounts.set_disabled("olga", True, "anna")
    with pytest.raises(AccountError, match="last owner"):
        accounts.set_role("anna", Role.TEACHER, "anna")
    accounts.set_disabled("olga", False, "anna")
    accounts.set_role("anna", Role.TEACHER, "olga")
    assert accounts.has_owner()


def test_tokens_end(accounts: Accounts, clock: Clock) -> None:
    for_good = accounts.add_token("anna", "script", "anna")
    short = accounts.add_token("anna", "today", "anna", DAY)
    found = accounts.caller(for_good, True)
    assert (found.person, found.machine) == ("anna", True)
    clock.now += DAY
    assert accounts.caller(short, True) is None
    assert accounts.revoke(accounts.tokens("anna")[0], "anna")
    assert accounts.caller(for_good, True) is None
    assert not accounts.tokens("bert")


def test_an_old_hash_is_made_anew_at_todays_cost(
    accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = accounts.store.find("anna")[1]
    dearer = PasswordHasher(time_cost=2, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", lambda: dearer)
    assert accounts.sign_in("anna", PASSWORD)
    assert accounts.store.find("anna")[1] != before
    assert accounts.sign_in("anna", PASSWORD)


def test_every_change_is_in_the_trail(accounts: Accounts, warehouse: Warehouse) -> None:
    joined(accounts, "bert")
    accounts.set_role("bert", Role.VIEWER, "anna")
    accounts.add_token("bert", "script", "bert")
    accounts.revoke(accounts.tokens()[0], "anna")
    accounts.set_disabled("bert", True, "anna")
    told = [(e.person, e.action, e.subject, e.detail) for e in warehouse.audit.entries()][::-1]
    assert told == [
        ("serve", "invite", "", "owner"),
        ("anna", "join", "anna", "owner, link by serve"),
        ("anna", "invite", "bert", "teacher"),
        ("bert", "join", "bert", "teacher, link by anna"),
        ("anna", "role", "bert", "teacher -> viewer"),
        ("bert", "token", "bert", "script"),
        ("anna", "revoke token", "bert", "script"),
        ("anna", "disable", "bert", ""),
    ]


def test_a_refused_change_leaves_no_trail(accounts: Accounts, warehouse: Warehouse) -> None:
    before = warehouse.audit.entries()
    with pytest.raises(AccountError):
        accounts.set_role("anna", Role.VIEWER, "anna")
    assert warehouse.audit.entries() == before


def test_the_signing_secret_outlives_the_server(warehouse: Warehouse) -> None:
    assert Accounts(warehouse.accounts).store.secret() == warehouse.accounts.secret()
