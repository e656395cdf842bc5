"""Nothing that was typed is lost, and nothing is kept twice, whatever breaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from web_browser import answer, said, settled, shows
from web_fakes import FakeSchool, Server

from nightschool.types import Answer, UnknownQuestion

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

pytestmark = pytest.mark.browser


def test_undo_brings_question_and_text_back(page: Page, school: FakeSchool) -> None:
    shows(page, "One and one is")
    answer(page, "three")
    shows(page, "Two and two is")
    page.keyboard.type("fo")
    page.wait_for_selector("#mark.kept")
    page.keyboard.press("Alt+u")
    shows(page, "One and one is", box="three")
    settled(page, lambda: len(school.undone) == 1)
    page.wait_for_timeout(50)
    assert not page.is_visible("#mark"), "it says that what was taken back is kept"
    page.fill("#box", "two")
    page.keyboard.press("Enter")
    shows(page, "Two and two is", box="fo")  # what was being typed is there again
    answer(page, "ur")
    settled(page, lambda: len(school.counting) == 2 and len(school.answers) == 3)
    assert said(school) == [("q0", "answer", "two"), ("q1", "answer", "four")]
    assert page.inner_text("#today") == "2"


def test_undo_reaches_answers_of_another_browser(
    page: Page, browser: Browser, server: Server, school: FakeSchool
) -> None:
    shows(page, "One and one is")
    answer(page, "two")
    settled(page, lambda: len(school.answers) == 1)
    other = browser.new_context()
    second = other.new_page()
    second.goto(server.url)
    shows(second, "Two and two is")
    second.keyboard.press("Alt+u")
    shows(second, "One and one is", box="two")
    other.close()


def test_a_draft_survives_reload_and_a_closed_tab(
    page: Page, context: BrowserContext, server: Server, school: FakeSchool
) -> None:
    shows(page, "One and one is")
    answer(page, "two")
    shows(page, "Two and two is")
    page.keyboard.type("fou")
    page.fill("#note", "because")
    page.reload()
    shows(page, "Two and two is", box="fou")
    assert page.input_value("#note") == "because"
    page.close()
    again = context.new_page()
    again.goto(server.url)
    shows(again, "Two and two is", box="fou")
    assert again.input_value("#note") == "because"
    answer(again, "r")
    settled(again, lambda: len(school.answers) == 2)
    assert said(school)[1] == ("q1", "answer", "four")


def test_what_was_begun_outlives_an_answer_of_another_tab(
    page: Page, context: BrowserContext, server: Server, school: FakeSchool
) -> None:
    shows(page, "One and one is")
    page.keyboard.type("tw")
    page.fill("#note", "because")
    second = context.new_page()
    second.goto(server.url)
    shows(second, "One and one is")
    answer(second, "two")
    settled(page, lambda: len(school.answers) == 1)
    page.reload()
    shows(page, "One and one is", box="tw")
    assert page.input_value("#note") == "because"


def test_a_note_alone_is_something_begun(
    page: Page, context: BrowserContext, server: Server, school: FakeSchool
) -> None:
    shows(page, "One and one is")
    page.fill("#note", "odd")
    second = context.new_page()
    second.goto(server.url)
    shows(second, "One and one is")
    answer(second, "two")
    settled(page, lambda: len(school.answers) == 1)
    page.wait_for_timeout(200)
    assert page.inner_text("#context") == "One and one is"
    assert page.input_value("#note") == "odd"


def test_a_cut_network_loses_nothing_and_doubles_nothing(
    page: Page, context: BrowserContext, school: FakeSchool
) -> None:
    shows(page, "One and one is")
    page.wait_for_timeout(300)  # the next ones are fetched ahead
    context.set_offline(True)
    answer(page, "two")
    shows(page, "Two and two is")
    answer(page, "four")
    shows(page, "Three and three is")
    page.wait_for_selector("#mark.waiting")
    assert page.inner_text("#mark").endswith("waiting (2)")
    page.keyboard.press("Alt+u")  # even an undo waits its turn
    shows(page, "Two and two is", box="four")
    page.fill("#box", "4")
    page.keyboard.press("Enter")
    shows(page, "Three and three is")
    assert not school.answers
    context.set_offline(False)
    settled(page, lambda: len(school.answers) == 3)
    page.wait_for_selector("#mark.kept")
    assert said(school) == [("q0", "answer", "two"), ("q1", "answer", "4")]


def test_a_server_that_dies_and_comes_back(
    page: Page, context: BrowserContext, server: Server, school: FakeSchool
) -> None:
    shows(page, "One and one is")
    page.wait_for_timeout(300)
    server.stop()
    answer(page, "two")
    shows(page, "Two and two is")
    answer(page, "four")
    shows(page, "Three and three is")
    page.keyboard.type("si")
    page.wait_for_selector("#mark.waiting")
    page.close()  # and the tab is closed on top of it
    server.start()
    again = context.new_page()
    again.goto(server.url)
    shows(again, "Three and three is", box="si")
    settled(again, lambda: len(school.answers) == 2)
    answer(again, "x")
    settled(again, lambda: len(school.answers) == 3)
    assert said(school) == [
        ("q0", "answer", "two"),
        ("q1", "answer", "four"),
        ("q2", "answer", "six"),
    ]


def test_a_lost_acknowledgement_is_sent_again_and_kept_once(
    page: Page, context: BrowserContext, school: FakeSchool
) -> None:
    losses = []

    def lose(route: object) -> None:
        losses.append(route.fetch())  # type: ignore[attr-defined]
        if len(losses) <= 2:
            route.abort()  # type: ignore[attr-defined]
        else:
            route.fulfill(response=losses[-1])  # type: ignore[attr-defined]

    page.route("**/api/answers", lose)
    shows(page, "One and one is")
    answer(page, "two")
    page.wait_for_selector("#mark.kept")
    assert [r.status for r in losses] == [201, 200, 200]
    assert said(school) == [("q0", "answer", "two")]


def test_a_refused_answer_is_shown_and_can_be_mended(page: Page, school: FakeSchool) -> None:
    shows(page, "One and one is")
    answer(page, "forbidden")
    page.wait_for_selector("#refused:not([hidden])")
    page.reload()  # still there
    told = page.inner_text("#refused")
    assert "This word is not taken here." in told
    assert "forbidden" in told
    assert "One and one is" in told
    page.click("text=Discard")
    assert page.is_visible("#refused")  # not by one slip
    page.click("text=Edit")
    shows(page, "One and one is", box="forbidden")
    page.fill("#box", "allowed")
    page.keyboard.press("Enter")
    settled(page, lambda: said(school) == [("q0", "answer", "allowed")])
    assert page.is_hidden("#refused")


def test_an_answer_to_a_question_that_went_away(page: Page, school: FakeSchool) -> None:
    shows(page, "One and one is")
    real = school.keep

    def gone(answer: Answer, member: bool = False) -> bool:
        raise UnknownQuestion("No question has this id any more.")

    school.keep = gone  # type: ignore[method-assign]
    answer(page, "two")
    page.wait_for_selector("text=No question has this id any more.")
    school.keep = real  # type: ignore[method-assign]
    page.click("text=Send again")
    settled(page, lambda: said(school) == [("q0", "answer", "two")])


@pytest.mark.parametrize(
    ("status", "body"), [(200, "<h1>Welcome</h1>"), (200, "{}"), (404, '{"detail": "Not Found"}')]
)
def test_another_program_on_the_port_gets_no_answers(
    page: Page, school: FakeSchool, status: int, body: str
) -> None:
    shows(page, "One and one is")
    page.route("**/api/answers", lambda route: route.fulfill(status=status, body=body))
    answer(page, "two")
    page.wait_for_selector("#mark.waiting")
    page.unroute("**/api/answers")
    settled(page, lambda: said(school) == [("q0", "answer", "two")])


def test_two_tabs_do_not_answer_one_question_twice(
    page: Page, context: BrowserContext, server: Server, school: FakeSchool
) -> None:
    shows(page, "One and one is")
    second = context.new_page()
    second.goto(server.url)
    shows(second, "One and one is")
    answer(second, "two")
    page.wait_for_function("context.textContent === 'Two and two is'", timeout=5000)
    settled(page, lambda: len(school.answers) == 1)
