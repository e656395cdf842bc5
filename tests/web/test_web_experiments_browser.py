"""Experiments in a real browser: played, scrubbed, still where nothing may move."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pytest
from web_browser import settled
from web_fakes import PENDULUM, FakeSchool, FakeSystem, Server, an_experiment

from nightschool.types import Document, Question, Trajectory

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Locator, Page

pytestmark = pytest.mark.browser


@pytest.fixture
def school() -> FakeSchool:
    questions = [an_experiment(n) for n in range(6)]
    school = FakeSchool(questions, system=FakeSystem())
    school.try_out(questions[0])
    school.try_out(questions[1], steps=4)
    return school


def lines(chart: Locator, name: str) -> list[tuple[float, float]]:
    """The points of a chart's line."""
    told = chart.locator(f"polyline.{name}").get_attribute("points") or ""
    pairs = (point.split(",") for point in told.split())
    return [(float(x), float(y)) for x, y in pairs]


def arm(page: Page, name: str) -> tuple[float, float]:
    """Where the end of an arm is, on a scene of 200 by 200."""
    tip = page.locator(f".scene g.{name}:not(.still) .tip")
    return float(tip.get_attribute("cx") or 0), float(tip.get_attribute("cy") or 0)


def scrub(page: Page, step: float) -> None:
    page.locator("input[type=range]").evaluate(
        "(slider, step) => { slider.value = step; slider.dispatchEvent(new Event('input')); }", step
    )


def test_the_newest_trial_plays_and_shows_both_lines(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/experiments")
    page.wait_for_selector(".player")
    first = page.input_value("input[type=range]")
    settled(page, lambda: page.input_value("input[type=range]") != first)  # it moves
    page.click(".play")
    settled(page, lambda: page.inner_text(".play") == "Play")
    rest = page.input_value("input[type=range]")
    page.wait_for_timeout(100)
    assert page.input_value("input[type=range]") == rest
    assert "ended after 4 of 10 steps: left the limits" in page.inner_text("#shown")
    charts = page.locator(".chart")
    assert charts.count() == 2
    assert "theta speed" in charts.nth(1).inner_text()
    expected, happened = lines(charts.first, "expected"), lines(charts.first, "happened")
    assert (len(expected), len(happened)) == (11, 5)
    assert expected[0] == happened[0]
    assert happened[4][1] < expected[4][1]  # twice as far, and up is up
    assert (expected[-1][0], happened[-1][0]) == (240, 96)
    rows = page.locator("#rows tr")
    settled(page, lambda: "50 %" in rows.nth(0).inner_text() and "50 %" in rows.nth(1).inner_text())
    page.click("#rows tr:nth-child(2) button")
    page.wait_for_function("document.getElementById('shown').textContent.includes('whole')")
    settled(page, lambda: len(lines(charts.first, "happened")) == 11)
    assert rows.nth(1).get_attribute("aria-current") == "true"


def test_the_slider_shows_any_moment(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/experiments")
    page.wait_for_selector(".player")
    scrub(page, 0)
    assert arm(page, "happened") == arm(page, "expected")
    scrub(page, 2.5)
    assert "0.13 of 0.50 s" in page.inner_text(".clock")
    for name, drift in (("happened", 0.2), ("expected", 0.1)):
        angle = np.pi - 0.1 + 2.5 * drift
        place = (100 - 80 * np.sin(angle), 100 - 80 * np.cos(angle))
        assert arm(page, name) == pytest.approx(place, abs=0.7)  # straight between the steps
    scrub(page, 10)
    assert page.locator(".now").first.get_attribute("x1") == "240"


def test_new_trials_come_by_themselves(page: Page, server: Server, school: FakeSchool) -> None:
    page.goto(f"{server.url}/experiments")
    page.wait_for_selector(".player")
    school.try_out(school.questions[2])
    page.evaluate("dispatchEvent(new Event('focus'))")
    settled(page, lambda: page.locator("#rows tr").count() == 3)
    assert "ended after" in page.inner_text("#shown")  # what somebody looks at stays


def test_a_page_without_trials_says_so(page: Page, server: Server, school: FakeSchool) -> None:
    school.answers.clear()
    page.goto(f"{server.url}/experiments")
    page.wait_for_selector("#none:not([hidden])")
    assert page.is_hidden("#list")


def test_a_server_that_is_away_is_told(page: Page, context: BrowserContext, server: Server) -> None:
    page.goto(f"{server.url}/experiments")
    page.wait_for_selector(".player")
    context.set_offline(True)
    page.evaluate("dispatchEvent(new Event('focus'))")
    page.wait_for_selector("#stale:not([hidden])", timeout=8000)
    assert page.is_visible(".player")
    context.set_offline(False)
    page.wait_for_selector("#stale", state="hidden", timeout=8000)


def test_a_question_shows_what_is_expected_and_takes_no_answer(
    page: Page, school: FakeSchool
) -> None:
    page.wait_for_selector(".player")
    assert "10 steps with the pendulum" in page.inner_text("#experiment")
    assert page.locator(".chart polyline.expected").count() == 2
    assert page.locator(".chart polyline.happened").count() == 0
    assert page.is_hidden("#send")
    assert page.locator("#box").count() == 0
    page.keyboard.press("s")
    settled(page, lambda: school.expectations[-1] == "q3")
    page.click("text=Bad question")
    settled(page, lambda: len(school.counting) == 4)
    assert [a.reply.value for a in school.counting[2:]] == ["skip", "bad_question"]
    page.keyboard.press("u")
    settled(page, lambda: len(school.counting) == 3)
    page.wait_for_selector(".player")


def test_nobody_waits_for_a_question_that_went_away(page: Page) -> None:
    page.wait_for_selector(".player")
    page.route("**/api/expected/q3", lambda route: None)  # it never comes
    lost: list[str] = []
    page.on("requestfailed", lambda request: lost.append(request.url))
    with page.expect_request("**/api/expected/q3"):
        page.keyboard.press("s")
    with page.expect_request("**/api/expected/q4"):
        page.keyboard.press("s")
    settled(page, lambda: any("q3" in url for url in lost))
    page.wait_for_selector(".player")


def test_a_busy_model_is_told_and_asked_again(page: Page) -> None:
    page.wait_for_selector(".player")
    busy = '{"error": "The model is busy."}'
    page.route("**/api/expected/q3", lambda r: r.fulfill(status=503, body=busy), times=1)
    page.keyboard.press("s")
    page.wait_for_selector("text=The model is busy.")
    page.wait_for_selector(".player", timeout=8000)


def test_a_version_that_is_gone_is_told(page: Page, server: Server, school: FakeSchool) -> None:
    school.expected = lambda question: None  # type: ignore[method-assign]
    page.reload()
    page.keyboard.press("s")
    page.wait_for_selector("text=not at hand to say")


@pytest.fixture
def still(browser: Browser, server: Server) -> Iterator[Page]:
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    page.goto(f"{server.url}/experiments")
    page.wait_for_selector(".player")
    yield page
    context.close()


def test_nothing_moves_for_those_who_want_that(still: Page) -> None:
    assert still.is_hidden(".play")
    before = still.inner_html(".player")
    still.wait_for_timeout(300)
    assert still.inner_html(".player") == before
    tips = still.locator(".scene .still.happened .tip")
    assert len({tips.nth(i).get_attribute("cx") for i in range(tips.count())}) == 5
    scrub(still, 1)
    assert still.inner_html(".player") != before


@pytest.mark.parametrize(
    ("system", "size", "circles"), [("reacher", 6, 4), ("pusher", 18, 9), ("lathe", 4, 0)]
)
def test_every_body_is_drawn_and_what_is_unknown_has_charts(
    page: Page, server: Server, school: FakeSchool, system: str, size: int, circles: int
) -> None:
    school.questions = [an_experiment(0, system, size)]
    school.answers.clear()
    school.system = None
    school.try_out(school.questions[0])
    page.goto(f"{server.url}/experiments")
    page.wait_for_selector(".player")
    assert page.locator(".scene g.happened circle").count() == circles
    assert page.locator(".chart").count() == size


def test_an_angle_that_was_wrapped_goes_the_short_way(
    page: Page, server: Server, school: FakeSchool
) -> None:
    def wrapped(question: Question) -> Document:
        states = np.array([[-3.0, 0.0], [3.0, 0.0], [-3.0, 0.0]])
        return Trajectory(PENDULUM.name, states, np.zeros((2, 1))).document()

    school.expected = wrapped  # type: ignore[method-assign]
    page.goto(f"{server.url}/experiments")
    page.wait_for_selector(".player")
    for step in (0, 0.5, 1, 1.5, 2):
        scrub(page, step)
        assert arm(page, "expected")[1] > 175  # it hangs all the time
