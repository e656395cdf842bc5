"""The page in a real browser: by keyboard, with any context, at any width."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from web_browser import answer, said, settled, shows
from web_fakes import FakeSchool, Runner, Server, a_question, new_id

from nightschool.types import Answer, Reply

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

pytestmark = pytest.mark.browser

HOSTILE = (
    "</textarea><script>document.title='owned'</script>"
    "<img src=x onerror=\"document.title='owned'\"><style>*{display:none}</style>"
    "\n\t<b>bold?</b> {{ 7*7 }} &amp; Jane has"
)


def test_a_day_by_keyboard(page: Page, school: FakeSchool) -> None:
    school.questions += [a_question(n, f"Question {n}") for n in range(3, 8)]
    shows(page, "One and one is")
    page.keyboard.press("Enter")  # an empty answer is none
    assert "Type an answer first" in page.inner_text("#hint")
    page.keyboard.type("two")
    page.keyboard.press("Shift+Enter")
    answer(page, "(2)")
    shows(page, "Two and two is")
    page.keyboard.press("Escape")
    page.keyboard.press("s")
    shows(page, "Three and three is")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")  # and back into the box
    page.keyboard.type("half a thought")
    page.keyboard.press("Alt+c")
    shows(page, "Question 3")
    page.keyboard.press("Alt+n")
    page.keyboard.type("garbled")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.keyboard.press("b")
    shows(page, "Question 4")
    answer(page, "scabun?")  # letters that are keys elsewhere are only letters here
    shows(page, "Question 5")
    settled(page, lambda: len(school.answers) == 5)
    assert said(school) == [
        ("q0", "answer", "two\n(2)"),
        ("q1", "skip", ""),
        ("q2", "cant_tell", ""),
        ("q3", "bad_question", ""),
        ("q4", "answer", "scabun?"),
    ]
    notes = {a.question_id: a.note for a in school.answers.values()}
    assert notes["q3"] == "garbled"
    assert page.inner_text("#today") == "5"
    page.wait_for_selector("#mark.kept")


def test_buttons_do_the_same(page: Page, school: FakeSchool) -> None:
    shows(page, "One and one is")
    page.fill("#box", "two")
    page.click("#send")
    shows(page, "Two and two is")
    page.click("text=Skip")
    shows(page, "Three and three is")
    page.click("text=Bad question")
    page.wait_for_selector("#empty:not([hidden])")
    settled(page, lambda: len(school.answers) == 3)
    school.questions.append(a_question(3, "A new one"))
    shows(page, "A new one")  # found by itself


def test_hostile_contexts_are_only_text(page: Page, server: Server, school: FakeSchool) -> None:
    shows(page, "One and one is")
    school.questions = [a_question(8, HOSTILE), a_question(9, HOSTILE + " again")]
    page.goto(f"{server.url}/status")
    page.evaluate("localStorage.clear(), sessionStorage.clear()")
    page.goto(server.url)
    shows(page, HOSTILE)
    answer(page, "forbidden <img src=x onerror=\"document.title='owned'\"><b>x</b>")
    shows(page, HOSTILE + " again")
    page.wait_for_selector("#refused article")
    page.wait_for_timeout(100)
    assert "owned" not in page.title()
    assert page.locator("#context *, #refused p *").count() == 0
    assert page.is_visible("#box")


@pytest.mark.parametrize("text", ["", "word " * 4000, "x" * 5000, "a\n\n  b\n"])
def test_any_context_leaves_room_for_the_answer(
    context: BrowserContext, server: Server, school: FakeSchool, text: str
) -> None:
    school.questions = [a_question(0, text)]
    page = context.new_page()
    page.set_viewport_size({"width": 360, "height": 640})
    page.goto(server.url)
    shows(page, text)
    for part in ("#box", "#send"):
        place = page.locator(part).bounding_box()
        assert place is not None
        assert min(place["x"], place["y"]) >= 0
        assert place["x"] + place["width"] <= 360
        assert place["y"] + place["height"] <= 640
    answer(page, "done")
    settled(page, lambda: said(school) == [("q0", "answer", "done")])


def test_help_opens_on_an_empty_box_only(page: Page) -> None:
    shows(page, "One and one is")
    page.keyboard.press("?")
    assert page.is_visible("#help")
    page.keyboard.press("s")  # keys rest while it is open
    page.keyboard.press("Escape")
    shows(page, "One and one is")
    page.keyboard.type("what?")
    assert page.is_hidden("#help")
    assert page.input_value("#box") == "what?"


def test_the_name_is_asked_once(page: Page, school: FakeSchool) -> None:
    shows(page, "One and one is")
    page.fill("#person", "anna")
    page.keyboard.press("Enter")
    shows(page, "One and one is")
    answer(page, "two")
    settled(page, lambda: len(school.answers) == 1)
    page.reload()
    assert page.input_value("#person") == "anna"
    assert [a.person for a in school.answers.values()] == ["anna"]


def test_a_hidden_tab_does_not_count_seconds(page: Page, school: FakeSchool) -> None:
    shows(page, "One and one is")
    page.evaluate(
        """() => { window.away = (yes) => {
        Object.defineProperty(document, 'hidden', { value: yes, configurable: true });
        document.dispatchEvent(new Event('visibilitychange')); } }"""
    )
    page.wait_for_timeout(300)
    page.evaluate("away(true)")
    page.wait_for_timeout(1200)
    page.evaluate("away(false)")
    answer(page, "two")
    settled(page, lambda: len(school.answers) == 1)
    (kept,) = school.answers.values()
    assert 0.25 < kept.seconds < 1.2


LINES = """() => {
  const canvas = document.querySelector("[data-plot=exam] canvas"), { width, height } = canvas;
  const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
  const ink = (x, y) => data[4 * (y * width + x) + 3] > 128;
  let across = 0, down = 0;
  for (let y = 0; y < height; y++) {
    let turns = 0;
    for (let x = 1; x < width; x++) turns += ink(x, y) !== ink(x - 1, y);
    across = Math.max(across, turns);
  }
  for (let x = 0; x < width; x++) {
    for (let y = 0, run = 0; y < height; y++) {
      run = ink(x, y) ? run + 1 : 0;
      down = Math.max(down, run);
    }
  }
  return [across, down];
}"""


def test_the_status_page_renews_itself(
    context: BrowserContext, server: Server, school: FakeSchool, runner: Runner
) -> None:
    page = context.new_page()
    page.goto(f"{server.url}/status")
    page.focus("[data-night]")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=A night is running: it begins.")
    assert page.inner_text("#told") == "The night has begun."
    page.keyboard.press("Enter")  # not twice
    assert page.evaluate("() => document.activeElement.ariaDisabled") == "true"
    runner.running = False
    page.evaluate("dispatchEvent(new Event('focus'))")
    page.wait_for_selector("#told:has-text('The night is over.')")
    page.wait_for_selector("[data-plot=exam] canvas")
    across, down = page.evaluate(LINES)
    assert across > 60  # one night shows the target, a dotted line across the plot
    assert down > 15  # and how far its exam may be off: a whisker
    school.verdicts.append({**school.verdicts[0], "night": 2, "reason": "<i>Newest</i> of all"})
    page.wait_for_selector("text=<i>Newest</i> of all", timeout=8000)
    context.set_offline(True)
    page.evaluate("dispatchEvent(new Event('focus'))")
    page.wait_for_selector("#stale:not([hidden])")
    assert "Too few items to tell." in page.inner_text("#figures")
    context.set_offline(False)
    page.evaluate("dispatchEvent(new Event('focus'))")
    page.wait_for_selector("#stale", state="hidden")
    page.set_viewport_size({"width": 1100, "height": 800})  # the reasons wrap, none is cut off
    wide = page.locator(".verdicts .wide")
    assert wide.evaluate("table => table.scrollWidth <= table.clientWidth")


LESSON = {
    "night": 4,
    "at": 1.0,
    "lead": "group",
    "first": {"name": "halving", "n": 10, "before": 3, "after": 8},
    "others": [{"name": "", "n": 2, "before": 1, "after": 0}],
    "exam": None,
    "changed": [
        {"context": "Half of <b>", "answer": "two", "before": "4", "after": "two", "better": True}
    ],
}


def test_what_was_learned_is_told_out_of_the_way_and_once(
    context: BrowserContext, server: Server, school: FakeSchool
) -> None:
    school.questions += [a_question(n, f"Question {n}") for n in range(3, 12)]
    school.yesterday.lessons["me"] = LESSON
    page = context.new_page()
    page.goto(server.url)
    shows(page, "One and one is")  # the cursor stays in the box
    page.wait_for_selector("#lesson:not([hidden])")
    told = page.inner_text("#lesson")
    assert "taught me halving. I was right on 3 of 10, now on 8." in told
    assert "everything else: 1 of 2 right, now 0" in told
    page.click("#lesson summary")
    assert "Half of <b> two" in page.inner_text("#lesson .changed")
    box, card = (page.locator(part).bounding_box() for part in ("#actions", "#lesson"))
    assert box is not None
    assert card is not None
    assert box["y"] + box["height"] <= card["y"]
    page.focus("#box")
    for _ in range(5):
        old = page.inner_text("#context")
        answer(page, "x")
        page.wait_for_function("(old) => context.textContent !== old", arg=old)
    assert page.is_hidden("#lesson")  # whoever answers is left alone
    school.yesterday.lessons["me"] = {**LESSON, "at": time.time()}
    page.reload()
    page.wait_for_selector("#lesson:has-text('Today you taught me halving.')")
    page.click("#lesson > button")
    assert page.evaluate("document.activeElement.id") == "box"
    page.reload()
    shows(page, page.inner_text("#context"))
    page.wait_for_timeout(300)
    assert page.is_hidden("#lesson")


def test_today_counts_what_was_answered_elsewhere(
    context: BrowserContext, server: Server, school: FakeSchool
) -> None:
    for person in ("me", "me", "anna"):
        school.keep(Answer(new_id(), "q0", person, Reply.SKIP, None, 1.0, school.now()))
    page = context.new_page()
    page.goto(server.url)
    page.wait_for_function("() => document.getElementById('today').textContent === '2'")
    answer(page, "four")
    assert page.inner_text("#today") == "3"
