"""axe-core finds no serious or critical violation on any page, light or dark, large or small."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
import web_browser
from tests.conftest import COLOURS, make_school
from web_fakes import FakeSchool, Server, a_caption, an_experiment

from nightschool.app import School
from nightschool.types import Answer, Document, Question, Reply
from nightschool.types.people import Role

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

pytestmark = pytest.mark.browser
axe_playwright = pytest.importorskip("axe_playwright_python.sync_playwright")

BAD = ("serious", "critical")
ALL = {"resultTypes": ["violations"], "preload": False}  # the rules in use need no style sheets
CONTRAST = {**ALL, "runOnly": ["color-contrast"]}
assert web_browser.CHROMIUM


def said(question: Question, text: str, person: str, at: float) -> Answer:
    document = Document(text)
    return Answer(str(uuid.uuid4()), question.id, person, Reply.ANSWER, document, 2.0, at)


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[School, Server]]:
    """A real school in which people answered, agreed and disagreed for two nights, served."""
    folder = make_school(tmp_path_factory.mktemp("axe") / "school", overlap=0.5, overlap_people=2)
    clock, rng = [1_700_000_000.0], random.Random(3)
    with School.open(folder, clock=lambda: clock[0]) as school:
        for _ in range(2):
            for person in ("anna", "bob"):
                for _ in range(15):
                    question = school.next_question(person)
                    assert question is not None
                    colour = COLOURS[question.context.group]
                    wrong = person == "bob" and rng.random() < 0.4
                    school.keep(said(question, "grey" if wrong else colour, person, clock[0]))
            clock[0] += 86_400
            school.night()
        server = Server(school, accounts=school.accounts).start()  # type: ignore[arg-type]
        yield school, server
        server.stop()


def bad(page: Page, options: dict[str, object]) -> list[str]:
    if not page.evaluate("() => Boolean(window.axe)"):  # once a page: it is half a megabyte
        page.evaluate(axe_playwright.Axe().axe_script)
    found = page.evaluate("async (o) => (await axe.run(o)).violations", options)
    return [
        f"{page.url} {v['id']} ({v['impact']}): {node['target']} {node['failureSummary'][:200]}"
        for v in found
        if v["impact"] in BAD
        for node in v["nodes"]
    ]


def looked_at(page: Page, url: str) -> list[str]:
    """What is wrong with a page: everything in the light, contrast in the dark."""
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    page.goto(url)
    page.wait_for_timeout(150)  # for what its script fetches
    light = bad(page, ALL)
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    return light + [f"dark: {told}" for told in bad(page, CONTRAST)]


def narrow(page: Page) -> list[str]:
    """Pages that are wider than a small phone, or than a window at 400 %; links that are cut."""
    over = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    cut = page.evaluate(
        "[...document.querySelectorAll('.bar :is(a, button)')].map((e) => [e.textContent,"
        " e.getBoundingClientRect()]).filter(([, at]) => at.right > innerWidth).map(([e]) => e)"
    )
    wide = [f"{page.url} is {over} px too wide for a phone"] if over > 0 else []
    return wide + [f"{page.url}: {name!r} is cut" for name in cut]


def test_every_page_of_a_school_with_people(browser: Browser, lived: tuple[School, Server]) -> None:
    school, server = lived
    link = school.accounts.invite(Role.TEACHER, "serve", "carl")
    school.accounts.join(school.accounts.invite(Role.OWNER, "serve", "anna"), "anna", "four words")
    token = school.accounts.add_token("anna", "axe", "anna")
    record = f"{school.question(school.newest_answers(1)[0].question_id).context.id:016x}"
    version = school.warehouse.trainee().id
    outside = ["/login", f"/join/{link}"]
    inside = ["/", "/status", "/people", "/me", "/settle", "/versions", f"/versions/{version}"]
    inside += ["/warehouse", f"/warehouse/{record}"]
    troubles: list[str] = []
    for paths, headers in ((outside, {}), (inside, {"authorization": f"Bearer {token}"})):
        context = browser.new_context(extra_http_headers=headers)
        page = context.new_page()
        page.on("pageerror", lambda error, told=troubles: told.append(str(error)))
        for path in paths:
            page.set_viewport_size({"width": 1200, "height": 800})
            troubles += looked_at(page, server.url + path)
            page.evaluate("window.requestAnimationFrame = () => 0")  # nothing is drawn anew yet
            page.set_viewport_size({"width": 320, "height": 780})
            troubles += narrow(page)
        context.close()
    assert "\n".join(troubles) == ""


def text_school() -> FakeSchool:
    school = FakeSchool.of("Who wrote it?", "How many?")
    school.labels = tuple(f"label {n}" for n in range(12))  # type: ignore[attr-defined]
    school.config.show_guess = True
    taught = {"name": "halving", "n": 10, "before": 3, "after": 8}
    changed = {"context": "Half of four is", "answer": "two", "better": True}
    lesson = {"night": 1, "at": 1.0, "lead": "group", "first": taught, "exam": None}
    lesson["others"] = [{**taught, "name": ""}]
    lesson["changed"] = [{**changed, "before": "four", "after": "two"}]
    school.yesterday.lessons["me"] = lesson
    return school


def drawing_school() -> FakeSchool:
    return FakeSchool([a_caption(0, "a seven"), a_caption(1, "a big zero")])


def embodied_school() -> FakeSchool:
    school = FakeSchool([an_experiment(n) for n in range(2)])
    school.try_out(school.questions[0])
    return school


@pytest.mark.parametrize("made", [text_school, drawing_school, embodied_school])
def test_every_kind_of_question(context: BrowserContext, made: object) -> None:
    school = made()  # type: ignore[operator]
    server = Server(school).start()
    page = context.new_page()
    try:
        troubles = looked_at(page, server.url)
        page.set_viewport_size({"width": 320, "height": 780})
        troubles += narrow(page)
        page.click("[data-do=help]")
        troubles += bad(page, ALL)
        if school.kind == "experiment":
            troubles += looked_at(page, f"{server.url}/experiments")
    finally:
        server.stop()
    assert "\n".join(troubles) == ""
