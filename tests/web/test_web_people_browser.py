"""Joining, inviting, shutting out and signing in again, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import web_browser
from argon2 import PasswordHasher
from web_fakes import FakeSchool, Server

from nightschool.app import passwords
from nightschool.app.accounts import Accounts
from nightschool.types.people import Role
from nightschool.warehouse import Warehouse
from nightschool.warehouse.audit import Audit

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
PASSWORD = "four words of salt"


@pytest.fixture
def accounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Accounts]:
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", lambda: cheap)
    with Warehouse.create(tmp_path / "s") as warehouse:
        yield Accounts(warehouse.accounts)


@pytest.fixture
def server(school: FakeSchool, accounts: Accounts) -> Iterator[Server]:
    school.warehouse = SimpleNamespace(audit=Audit(accounts.store._log))  # type: ignore[attr-defined]
    server = Server(school, accounts=accounts).start()
    yield server
    server.stop()


def opened(browser: Browser, troubles: list[str], **how: Any) -> Page:
    page = browser.new_context(**how).new_page()
    page.set_default_timeout(8000)
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda m: troubles.append(m.text) if "Security" in m.text else None)
    return page


def sign(page: Page, person: str, password: str = PASSWORD) -> None:
    """Fill the form at the door, where the cursor is, by keyboard only."""
    if person:
        page.keyboard.type(person)
        page.keyboard.press("Tab")
    page.keyboard.type(password)
    page.keyboard.press("Enter")


def test_people_come_and_go(
    browser: Browser, server: Server, accounts: Accounts, school: FakeSchool
) -> None:
    troubles: list[str] = []
    owner = opened(browser, troubles)
    owner.goto(f"{server.url}/join/{accounts.owner_link('serve')}")
    sign(owner, "anna")
    owner.wait_for_url(f"{server.url}/")
    web_browser.shows(owner, "One and one is")

    owner.goto(f"{server.url}/people")
    owner.evaluate("() => { window.same = true; }")
    owner.fill("#invite [name=person]", "bert")
    owner.click("#invite button")
    owner.wait_for_selector("#link code:not(:empty)")
    assert "anna invited bert as a teacher" in owner.inner_text("#audit")
    link = owner.inner_text("#link code")
    guest = opened(browser, troubles, viewport={"width": 390, "height": 800})
    guest.goto(link)
    sign(guest, "")
    guest.wait_for_url(f"{server.url}/")
    web_browser.shows(guest, "One and one is")
    web_browser.answer(guest, "two")
    web_browser.settled(guest, lambda: len(school.counting) == 1)
    assert school.counting[0].person == "bert"
    guest.goto(f"{server.url}/people")
    assert "signed in as bert, a teacher" in guest.inner_text("main")

    # While something is typed the session ends: nothing of it is lost at the door and back.
    guest.goto(server.url)
    web_browser.shows(guest, "Two and two is")
    owner.goto(f"{server.url}/people")
    owner.click("tr[data-person=bert] [data-more]")
    owner.click("[data-act=sign_out]")
    owner.click("#sure [value=yes]")
    owner.wait_for_url("**/people")
    web_browser.settled(owner, lambda: not sessions(accounts, "bert"))
    owner.wait_for_selector("#told:has-text('bert is signed out')")
    assert owner.evaluate("() => document.activeElement.closest('tr').dataset.person") == "bert"
    web_browser.answer(guest, "four")
    guest.wait_for_url("**/login?next=%2F")
    assert len(school.counting) == 1
    words: list[str] = []
    guest.route("**/api/session", lambda route: (words.append(button(guest)), route.continue_()))
    sign(guest, "Bert", "a wrong password")
    guest.wait_for_selector(".problem:not(:empty)")
    assert (words[-1], button(guest)) == ("Signing in …", "Sign in")
    guest.unroute("**/api/session")
    guest.fill("[name=password]", PASSWORD)
    guest.keyboard.press("Enter")
    web_browser.settled(guest, lambda: len(school.counting) == 2)
    assert web_browser.said(school)[1] == ("q1", "answer", "four")

    # What takes everything back wants a reason, by keyboard: Enter alone does nothing.
    owner.click("tr[data-person=bert] [data-more]")
    owner.click("[data-act=withdraw]")
    for typed in ("", "careless"):
        assert owner.evaluate("() => document.activeElement.name") == "reason"
        owner.keyboard.type(typed)
        owner.keyboard.press("Enter")
    owner.wait_for_selector("#told:has-text('cannot take a person')")  # a school of the tests

    # A role is changed in the table; the next page knows.
    owner.goto(f"{server.url}/people")
    owner.evaluate("() => { window.same = true; }")
    owner.focus("tr[data-person=bert] select")
    owner.select_option("tr[data-person=bert] select", "viewer")
    web_browser.settled(owner, lambda: accounts.all()[1].role is Role.VIEWER)
    owner.wait_for_selector("#audit li:first-child:has-text('anna made bert a viewer')")
    assert owner.inner_text("#told") == "bert has another role now: viewer."
    assert owner.evaluate("() => document.activeElement.dataset.change") == "role"
    assert owner.evaluate("() => window.same"), "the page was loaded anew"
    guest.goto(server.url)
    assert guest.url == f"{server.url}/status"

    # Their own page: a token that works, another password, and out.
    guest.goto(f"{server.url}/me")
    guest.fill("#token [name=name]", "script")
    guest.click("#token button")
    guest.wait_for_selector("#link code:not(:empty)")
    secret = guest.inner_text("#link code")
    found = accounts.caller(secret, True)
    assert found is not None
    assert found.person == "bert"
    guest.click("[data-revoke]")
    guest.wait_for_selector("#told:has-text('revoked')")
    assert guest.locator("#tokens li").count() == 0
    assert guest.evaluate("() => document.activeElement.id") == "tokens"
    guest.fill("[name=old]", PASSWORD)
    guest.fill("[name=new]", "other words of pepper")
    guest.keyboard.press("Enter")
    guest.wait_for_selector("#told:not(:empty)")
    wide = "document.documentElement.scrollWidth <= innerWidth"
    assert guest.evaluate(f"() => {wide}"), "the page is wider than a phone"
    guest.click("[data-session=out]")
    guest.wait_for_url("**/login")
    assert accounts.sign_in("bert", "other words of pepper")

    # A link to the door that would lead elsewhere from there: they stay in the school.
    guest.goto(f"{server.url}/login?next=/.//evil.example/x")
    sign(guest, "bert", "other words of pepper")
    guest.wait_for_url(f"{server.url}//evil.example/x")
    assert troubles == []


def button(page: Page) -> str:
    return page.inner_text("form .main")


def sessions(accounts: Accounts, person: str) -> int:
    """How many sessions of a person the log has."""
    from sqlalchemy import func, select

    from nightschool.warehouse import tables

    query = select(func.count()).select_from(tables.sessions)
    with accounts.store._log.read() as connection:
        return int(connection.execute(query.where(tables.sessions.c.person == person)).scalar_one())
