from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from starlette.testclient import TestClient
from web_fakes import FakeSchool, Runner, Server

from nightschool.web import create_app
from nightschool.web.machines import Machines

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page


@pytest.fixture
def school() -> FakeSchool:
    return FakeSchool.of("One and one is", "Two and two is", "Three and three is")


@pytest.fixture
def client(school: FakeSchool) -> Iterator[TestClient]:
    with TestClient(create_app(school), base_url="http://127.0.0.1:8000") as client:
        yield client


@pytest.fixture
def runner() -> Runner:
    return Runner()


@pytest.fixture
def server(school: FakeSchool, runner: Runner) -> Iterator[Server]:
    server = Server(school, machines=Machines(night=runner)).start()
    yield server
    server.stop()


# Of module scope: Playwright runs an event loop in this thread for as long as it lives.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright
    from web_browser import ARGS, CHROMIUM

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def profile(browser: Browser) -> BrowserContext:
    return browser.new_context()


@pytest.fixture
def context(profile: BrowserContext) -> Iterator[BrowserContext]:
    """The module's one profile: each server has a port, and so a local storage, of its own."""
    yield profile
    for page in profile.pages:
        page.close()
    profile.set_offline(False)
    profile.clear_cookies()


@pytest.fixture
def page(context: BrowserContext, server: Server) -> Iterator[Page]:
    """A page on which nothing may be reported: no script error, no broken policy."""
    page = context.new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on(
        "console",
        lambda m: troubles.append(m.text) if "Content Security Policy" in m.text else None,
    )
    page.goto(server.url)
    yield page
    assert troubles == []
