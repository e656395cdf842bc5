"""Five hundred answers by keyboard, while all breaks that can: none is lost, none counts twice.

A real `nightschool serve`, killed (-9) and started again; the network cut; the page reloaded and
its tab closed with answers on their way. Printed: milliseconds from Enter to the next question,
focused and painted, while nothing was broken.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.integration.server import Server
from web_browser import settled

from nightschool.app import School
from nightschool.app.init import init_school
from nightschool.types import Context, Reply

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

pytestmark = pytest.mark.browser

ALL = 500

READY = """(old) => new Promise((done, fail) => {
  const since = performance.now();
  const look = () => {
    if (performance.now() - since > 20_000) return fail("no next question: " + old);
    const text = document.getElementById("context").textContent;
    const here = document.activeElement?.id === "box" && !document.getElementById("form").hidden;
    if (text !== old && here) return setTimeout(() => done(text), 10); // a very quick reader
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look); // after the stopwatch has looked
})"""

STOPWATCH = """() => {
  window.took = [];
  window.broken = false;
  let began = 0;
  const start = (event) => { if (event.key === "Enter") began = performance.now(); };
  addEventListener("keydown", start, true);
  const box = document.getElementById("box");
  const stop = () => {
    if (!began || window.broken) return;
    const ready = document.activeElement === box && box.value === "";
    window.took.push(ready ? performance.now() - began : Infinity);
    began = 0;
  };
  new MutationObserver(() => requestAnimationFrame(stop)).observe(
    document.getElementById("context"), { childList: true });
}"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    folder = tmp_path / "school"
    settings = {"learner": "bagofwords", "questions": ALL + 60, "seed": 7, "gold_share": 0.0}
    init_school(folder, settings=settings)
    with School.open(folder) as school:
        school.add_contexts(Context.of(f"The last digit of {n} is") for n in range(ALL + 60))
    server = Server(folder)
    server.start()
    yield server
    if server.process is not None and server.process.poll() is None:
        server.kill()


class Teacher:
    """Somebody at the keyboard, who types the digit that the question asks for."""

    def __init__(self, context: BrowserContext, server: Server) -> None:
        self.context, self.server = context, server
        self.took: list[float] = []
        self.replies: dict[str, str] = {}
        self.open()

    def open(self, old: str = "") -> None:
        self.page: Page = self.context.new_page()
        self.page.goto(self.server.url)
        self.text: str = self.page.evaluate(READY, old)
        self.page.evaluate(STOPWATCH)

    def close(self) -> None:
        self.took += self.page.evaluate("took")
        self.page.close()

    def breaks(self, yes: bool) -> None:
        self.page.wait_for_timeout(300 if yes else 0)  # as many as there may be are fetched ahead
        self.page.evaluate("(yes) => { broken = yes; }", yes)

    def next(self) -> None:
        self.text = self.page.evaluate(READY, self.text)

    @property
    def digit(self) -> str:
        return self.text.removesuffix(" is")[-1]

    def answer(self, n: int = 1) -> None:
        """Answer n questions, faster than anybody could read them."""
        for _ in range(n):
            self.page.keyboard.type(self.digit + "\n")
            self.replies[self.text] = self.digit
            self.next()

    def key(self, letter: str, reply: Reply) -> None:
        """One of the single keys, out of the box or inside it."""
        if letter.isupper():
            self.page.keyboard.press("Escape")
            self.page.keyboard.press(letter.lower())
        else:
            self.page.keyboard.press(f"Alt+{letter}")
        self.replies[self.text] = reply.value
        self.next()

    def correct(self) -> None:
        """A slip, taken back, and the right answer with the reason why."""
        asked, digit = self.text, self.digit
        self.page.keyboard.press("x")
        self.page.keyboard.press("Enter")
        self.next()
        self.page.keyboard.press("Alt+u")
        self.next()
        assert self.text == asked
        self.page.keyboard.press("Backspace")
        self.page.keyboard.press("Alt+n")
        self.page.keyboard.type("a slip")
        self.page.keyboard.press("Escape")
        self.page.keyboard.press(digit)
        self.answer_typed()

    def answer_typed(self) -> None:
        self.page.keyboard.press("Enter")
        self.replies[self.text] = self.digit
        self.next()


def test_five_hundred_answers_none_lost_none_twice(
    context: BrowserContext, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    teacher = Teacher(context, server)
    teacher.answer(60)
    teacher.key("S", Reply.SKIP)
    teacher.key("c", Reply.CANT_TELL)
    teacher.key("B", Reply.BAD_QUESTION)
    teacher.correct()
    teacher.answer(36)

    teacher.breaks(True)
    context.set_offline(True)  # the network is cut
    teacher.answer(2)
    context.set_offline(False)
    teacher.breaks(False)
    teacher.answer(98)

    teacher.breaks(True)
    server.kill()  # the server dies, with an answer half typed
    teacher.answer(2)
    teacher.page.keyboard.press(teacher.digit)
    server.start()
    teacher.answer_typed()
    teacher.breaks(False)
    teacher.answer(97)

    teacher.page.keyboard.press(teacher.digit)
    teacher.took += teacher.page.evaluate("took")
    asked = teacher.text
    teacher.page.reload()  # typed and not sent
    teacher.text = teacher.page.evaluate(READY, "")
    assert (teacher.text, teacher.page.input_value("#box")) == (asked, teacher.digit)
    teacher.page.evaluate(STOPWATCH)
    teacher.breaks(True)
    teacher.answer_typed()
    teacher.breaks(False)
    teacher.answer(99)

    teacher.breaks(True)
    server.kill()  # and again; the tab is closed on top of it
    teacher.answer(2)
    teacher.page.keyboard.press(teacher.digit)
    teacher.close()
    server.start()
    teacher.open()
    assert teacher.page.input_value("#box") == teacher.digit
    teacher.answer_typed()
    teacher.answer(ALL - len(teacher.replies))

    page = teacher.page
    settled(page, lambda: page.inner_text("#mark").endswith("kept"), 20)
    assert page.inner_text("#today") == str(ALL)
    teacher.close()
    server.stop()
    assert kept(server.folder) == sorted(teacher.replies.items())
    tell(teacher.took, capsys)


def kept(folder: Path) -> list[tuple[str, str]]:
    """What the school has kept and counts, by question; a note shows where there is one."""
    with School.open(folder) as school:
        answers = school.warehouse.answers()
        texts = {id: school.question(id).context.text for id in {a.question_id for a in answers}}
        notes = [a.note for a in answers if a.note]
    assert notes == ["a slip"]
    return sorted(
        (texts[a.question_id], a.document.body if a.document else a.reply.value) for a in answers
    )


def tell(took: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    ordered = sorted(took)
    p99 = ordered[int(0.99 * len(ordered))]
    with capsys.disabled():
        print(
            f"\n{ALL} answers, none lost, none twice; Enter to the next question, focused and "
            f"painted: {statistics.median(ordered):.1f} ms median, {p99:.1f} ms p99, "
            f"{ordered[-1]:.1f} ms worst of {len(ordered)}"
        )
    assert len(ordered) > ALL / 2
    assert ordered[-1] < float("inf")  # the cursor is in the empty box, each time
