"""The page in a real browser: by keyboard, through reloads, cut networks and restarts."""

from __future__ import annotations

import os
import shutil
import statistics
import time
import warnings
from collections.abc import Callable, Iterator

import pytest
from web_fakes import FakeSchool, Server, a_question

from nightschool.types import Answer, Reply, UnknownQuestion

CHROMIUM = os.environ.get("NIGHTSCHOOL_CHROMIUM") or next(
    (p for p in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if p), None
)
ARGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
]

pytestmark = pytest.mark.browser
if CHROMIUM is None:
    warnings.warn("NO CHROMIUM: THE PAGE IS NOT TESTED IN A BROWSER AT ALL", stacklevel=1)
    pytest.skip("NO CHROMIUM: the browser tests did not run", allow_module_level=True)

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright  # noqa: E402

HOSTILE = (
    "</textarea><script>document.title='owned'</script>"
    "<img src=x onerror=\"document.title='owned'\"><style>*{display:none}</style>"
    "\n\t<b>bold?</b> {{ 7*7 }} &amp; Jane has"
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context()
    yield context
    context.close()


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


def shows(page: Page, text: str, *, box: str = "") -> None:
    """The page shows that context, with the cursor in the box."""
    page.wait_for_function(
        "([text, box]) => context.textContent === text && document.activeElement.id === 'box' &&"
        " document.getElementById('box').value === box",
        arg=[text, box],
        timeout=5000,
    )


def settled(page: Page, condition: Callable[[], bool], seconds: float = 8.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "did not happen"
        page.wait_for_timeout(20)


def said(school: FakeSchool) -> list[tuple[str, str, str]]:
    def text(a: Answer) -> str:
        return a.document.body if a.document is not None else ""

    return sorted((a.question_id, a.reply.value, text(a)) for a in school.counting)


def answer(page: Page, text: str) -> None:
    page.keyboard.type(text)
    page.keyboard.press("Enter")


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
    page.click("text=Answer")
    shows(page, "Two and two is")
    page.click("text=Skip")
    shows(page, "Three and three is")
    page.click("text=Bad question")
    page.wait_for_selector("#empty:not([hidden])")
    settled(page, lambda: len(school.answers) == 3)
    school.questions.append(a_question(3, "A new one"))
    shows(page, "A new one")  # found by itself


def test_undo_brings_question_and_text_back(page: Page, school: FakeSchool) -> None:
    shows(page, "One and one is")
    answer(page, "three")
    shows(page, "Two and two is")
    page.keyboard.type("fo")
    page.keyboard.press("Alt+u")
    shows(page, "One and one is", box="three")
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

    def gone(answer: Answer) -> bool:
        raise UnknownQuestion("No question has this id any more.")

    school.keep = gone  # type: ignore[method-assign]
    answer(page, "two")
    page.wait_for_selector("text=No question has this id any more.")
    school.keep = real  # type: ignore[method-assign]
    page.click("text=Send again")
    settled(page, lambda: said(school) == [("q0", "answer", "two")])


def test_another_program_on_the_port_gets_no_answers(page: Page, school: FakeSchool) -> None:
    shows(page, "One and one is")
    html = {"status": 200, "content_type": "text/html", "body": "<h1>Welcome</h1>"}
    page.route("**/api/answers", lambda route: route.fulfill(**html))
    answer(page, "two")
    page.wait_for_selector("#mark.waiting")
    page.unroute("**/api/answers")
    settled(page, lambda: said(school) == [("q0", "answer", "two")])


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


def test_the_status_page_renews_itself(
    context: BrowserContext, server: Server, school: FakeSchool
) -> None:
    page = context.new_page()
    page.goto(f"{server.url}/status")
    school.verdicts.append({**school.verdicts[0], "night": 2, "reason": "<i>Newest</i> of all"})
    page.wait_for_selector("text=<i>Newest</i> of all", timeout=8000)
    context.set_offline(True)
    page.evaluate("dispatchEvent(new Event('focus'))")
    page.wait_for_selector("#stale:not([hidden])")
    assert "Too few items to tell." in page.inner_text("#figures")
    context.set_offline(False)
    page.evaluate("dispatchEvent(new Event('focus'))")
    page.wait_for_selector("#stale", state="hidden")


STOPWATCH = """() => {
  window.took = [];
  let began = 0;
  const start = (event) => { if (event.key === "Enter") began = performance.now(); };
  addEventListener("keydown", start, true);
  const box = document.getElementById("box");
  const stop = () => {
    const ready = document.activeElement === box && box.value === "";
    window.took.push(ready ? performance.now() - began : Infinity);
  };
  new MutationObserver(() => requestAnimationFrame(stop)).observe(
    document.getElementById("context"), { childList: true });
}"""


def test_latency_from_enter_to_the_next_question(
    page: Page, school: FakeSchool, capsys: pytest.CaptureFixture[str]
) -> None:
    school.questions += [a_question(n, f"Question {n}") for n in range(3, 60)]
    shows(page, "One and one is")
    page.evaluate(STOPWATCH)
    for n in range(40):
        page.keyboard.type("four")
        page.keyboard.press("Enter")
        page.wait_for_function("(n) => took.length > n", arg=n)
        page.wait_for_timeout(15)
    took = sorted(page.evaluate("took"))
    settled(page, lambda: len(school.answers) == 40)
    with capsys.disabled():
        told = f"{statistics.median(took):.1f} ms median, {took[-1]:.1f} ms worst of {len(took)}"
        print(f"\nEnter to the next question, focused and painted: {told}")
    assert statistics.median(took) < 500
    assert all(a.reply is Reply.ANSWER for a in school.answers.values())
