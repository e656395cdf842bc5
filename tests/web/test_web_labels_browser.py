"""The labels of a school of classification, chosen in a real browser; the model's own guess."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from web_browser import said, settled, shows
from web_fakes import FakeSchool, Server

from nightschool.types import Partition

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

pytestmark = pytest.mark.browser

FEW = ("person", 'a "number" of <b>things</b>', "Ort")
MANY = tuple(f"{kind} {n}" for kind in ("river", "mountain", "Straße") for n in "abcd")


@pytest.fixture
def school() -> FakeSchool:
    school = FakeSchool.of("Who wrote it?", "How many?", "Where?", "What?", "Why?")
    school.labels = FEW  # type: ignore[attr-defined]
    return school


def read(page: Page) -> None:
    """Longer than what counts as unread."""
    page.wait_for_timeout(220)


def test_few_labels_by_number_click_and_letters(page: Page, school: FakeSchool) -> None:
    shows(page, "Who wrote it?")
    read(page)
    page.keyboard.press("1")
    shows(page, "How many?")
    page.keyboard.press("1")  # before anybody can have read the question
    read(page)
    shows(page, "How many?")
    page.get_by_role("option", name="of <b>things</b>").click()
    shows(page, "Where?")
    page.keyboard.press("Enter")  # nothing chosen: nothing sent
    assert "Choose a label first" in page.inner_text("#hint")
    page.keyboard.type("x")
    page.keyboard.press("Enter")
    assert "No label is called that" in page.inner_text("#hint")
    page.keyboard.press("Backspace")
    page.keyboard.type("OR")  # the only one that holds these letters
    page.keyboard.press("Enter")
    shows(page, "What?")
    page.keyboard.press("Alt+n")
    page.keyboard.type("1")  # a number in a note is a number
    page.keyboard.press("Escape")
    page.keyboard.type("or")  # it hides the second; Escape brings it back
    page.keyboard.press("Escape")
    read(page)
    page.keyboard.press("2")  # outside the box numbers choose as well
    shows(page, "Why?")
    settled(page, lambda: len(school.answers) == 4)
    told = [("q0", "person"), ("q1", FEW[1]), ("q2", "Ort"), ("q3", FEW[1])]
    assert said(school) == [(id, "answer", text) for id, text in told]
    assert [a.note for a in school.answers.values()] == ["", "", "", "1"]


def test_many_labels_are_found_by_typing(
    context: BrowserContext, server: Server, school: FakeSchool
) -> None:
    school.labels = MANY  # type: ignore[attr-defined]
    page = context.new_page()
    page.goto(server.url)
    shows(page, "Who wrote it?")
    page.keyboard.type("STRA")
    page.keyboard.press("Enter")  # four fit: none is sent
    assert page.inner_text("#hint")
    page.fill("#box", "straße")
    assert page.get_by_role("option").count() == 4
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    marked = page.get_attribute("#box", "aria-activedescendant")
    assert page.locator(f"#{marked}").inner_text() == "Straße b"
    assert page.get_attribute(f"#{marked}", "aria-selected") == "true"
    page.keyboard.press("Enter")
    shows(page, "How many?")
    page.keyboard.type("river c")
    page.keyboard.press("Enter")
    shows(page, "Where?")
    page.keyboard.press("Alt+u")  # what is taken back can be typed over
    shows(page, "How many?", box="river c")
    page.keyboard.type("mountain a")
    page.keyboard.press("Enter")
    settled(page, lambda: len(said(school)) == 2)
    assert said(school) == [("q0", "answer", "Straße b"), ("q1", "answer", "mountain a")]


def test_the_models_guess_is_kept_by_enter_where_it_is_shown(
    context: BrowserContext, server: Server, school: FakeSchool
) -> None:
    school.labels = ()  # type: ignore[attr-defined]
    guessed = [replace(q, guess=f"guess {i}") for i, q in enumerate(school.questions)]
    guessed[1] = replace(guessed[1], partition=Partition.EXAM)
    school.questions = guessed
    page = context.new_page()
    told = page.request.get(f"{server.url}/api/next?person=anna").json()
    assert "guess" not in told["question"]  # off: nobody sees it
    school.config.show_guess = True
    page.goto(server.url)
    page.wait_for_selector("#guess:not([hidden])")
    assert "guess 0" in page.inner_text("#guess")
    read(page)
    page.keyboard.press("Enter")
    shows(page, "How many?")  # one that examines has none
    assert page.is_hidden("#guess")
    page.keyboard.type("two")
    page.keyboard.press("Enter")
    shows(page, "Where?")
    page.keyboard.press("Enter")  # unread: it confirms nothing
    shows(page, "Where?")
    page.keyboard.type("there")
    page.keyboard.press("Enter")
    settled(page, lambda: len(school.answers) == 3)
    assert [text for _, _, text in said(school)] == ["guess 0", "two", "there"]
