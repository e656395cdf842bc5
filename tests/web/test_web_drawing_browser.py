"""A drawing in a real browser: made by pointer, kept through reloads and lost networks, sent."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from test_web_drawing import written
from web_browser import settled
from web_fakes import FakeSchool, Server, a_caption, new_id

from nightschool.types import (
    Answer,
    AnswerError,
    Reply,
    decode_picture,
    drawing_document,
    encode_picture,
)
from nightschool.web.door import school_key

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from playwright.sync_api import Browser, BrowserContext, Page

pytestmark = pytest.mark.browser

BAR = [(0.2, 0.25), (0.8, 0.25)]
POST = [(0.5, 0.3), (0.5, 0.9)]
INK = "document.getElementById('sheet').toDataURL()"


@pytest.fixture
def school() -> FakeSchool:
    return FakeSchool([a_caption(0, "a big seven"), a_caption(1, "two threes")])


def asks(page: Page, caption: str) -> None:
    page.wait_for_function(
        "(caption) => document.getElementById('caption')?.textContent === caption &&"
        " document.activeElement.id === 'sheet'",
        arg=caption,
        timeout=5000,
    )


def stroke(page: Page, points: Sequence[tuple[float, float]], *, lift: bool = True) -> None:
    """A line by mouse; places are shares of the sheet."""
    box = page.locator("#sheet").bounding_box()
    assert box is not None
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for x, y in places[1:]:
        page.mouse.move(x, y, steps=8)
    if lift:
        page.mouse.up()


def pixels(page: Page) -> NDArray[np.uint8]:
    """The sheet as it is seen, a quarter of its size."""
    data: str = page.evaluate(INK)
    return decode_picture(base64.b64decode(data.partition(",")[2]), 192)


def inked(picture: NDArray[np.uint8], x: float, y: float) -> bool:
    """Whether there is ink at a place, in shares of the picture."""
    side = len(picture)
    return bool(picture[int(y * side), int(x * side)] < 100)


def kept(school: FakeSchool, number: int = 0) -> tuple[NDArray[np.uint8], dict[str, Any]]:
    """The picture and the strokes of an answer."""
    document = list(school.answers.values())[number].document
    assert document is not None
    strokes = document.parts.get("strokes", b"{}")
    return decode_picture(document.parts["picture"]), json.loads(strokes)


def test_a_drawing_becomes_an_answer(page: Page, school: FakeSchool) -> None:
    asks(page, "a big seven")
    page.keyboard.press("Enter")
    assert "Draw something first" in page.inner_text("#hint")
    stroke(page, BAR)
    stroke(page, POST)
    seen = pixels(page)
    page.keyboard.press("Enter")
    asks(page, "two threes")
    assert pixels(page).min() == 255  # a new sheet
    settled(page, lambda: len(school.answers) == 1)
    picture, strokes = kept(school)
    assert picture.shape == (256, 256)
    assert inked(picture, 0.4, 0.25)
    assert inked(picture, 0.5, 0.7)
    assert not inked(picture, 0.3, 0.6)
    sent = decode_picture(encode_picture(picture), 64).astype(float)
    shown = decode_picture(encode_picture(seen), 64).astype(float)
    assert np.abs(sent - shown).mean() < 4  # what is sent is what was seen
    assert (strokes["width"], strokes["height"]) == (256, 256)
    bar, post = strokes["strokes"]
    assert (bar["tool"], bar["width"]) == ("pen", 14)
    assert [bar["points"][0][:2], bar["points"][-1][:2]] == [
        pytest.approx([0.2 * 256, 64], abs=1.5),
        pytest.approx([0.8 * 256, 64], abs=1.5),
    ]
    assert len(bar["points"]) >= 8
    times = [t for _, _, t, _ in bar["points"]]
    assert times == sorted(times)
    assert all(p == 0.5 for _, _, _, p in post["points"])
    page.wait_for_selector("#mark.kept")


def test_a_click_makes_a_dot_and_a_stroke_goes_on_outside(page: Page) -> None:
    asks(page, "a big seven")
    stroke(page, [(0.3, 0.3)])
    assert inked(pixels(page), 0.3, 0.3)
    stroke(page, [(0.7, 0.5), (1.4, 0.5), (1.4, 0.8), (0.7, 0.8)])
    picture = pixels(page)
    assert inked(picture, 0.9, 0.5)
    assert inked(picture, 0.9, 0.8)


def test_steps_are_taken_back_and_done_again(page: Page) -> None:
    asks(page, "a big seven")
    stroke(page, BAR)
    one = page.evaluate(INK)
    stroke(page, POST)
    two = page.evaluate(INK)
    page.keyboard.press("Control+z")
    assert page.evaluate(INK) == one
    page.click("[data-draw=redo]")
    assert page.evaluate(INK) == two
    page.keyboard.press("Delete")
    assert pixels(page).min() == 255
    page.keyboard.press("Enter")
    assert "Draw something first" in page.inner_text("#hint")
    page.click("[data-draw=undo]")  # even a cleared sheet comes back
    assert page.evaluate(INK) == two
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+y")
    assert page.evaluate(INK) == two


def test_eraser_and_widths(page: Page, school: FakeSchool) -> None:
    asks(page, "a big seven")
    page.keyboard.press("3")
    stroke(page, BAR)
    thick = (pixels(page) < 100).sum()
    page.keyboard.press("e")
    assert page.get_attribute("[data-draw=eraser]", "aria-pressed") == "true"
    stroke(page, [(0.5, 0.1), (0.5, 0.4)])
    picture = pixels(page)
    assert not inked(picture, 0.5, 0.25)
    assert inked(picture, 0.3, 0.25)
    page.click("[aria-label='Thin pen']")
    assert page.get_attribute("[data-draw=eraser]", "aria-pressed") == "false"
    stroke(page, [(0.2, 0.7), (0.8, 0.7)])
    assert (pixels(page)[96:] < 100).sum() < thick / 2
    page.keyboard.press("Enter")
    page.click("#send")
    asks(page, "two threes")
    settled(page, lambda: len(school.answers) == 1)
    _, strokes = kept(school)
    assert [s["tool"] for s in strokes["strokes"]] == ["pen", "eraser", "pen"]
    assert [s["width"] for s in strokes["strokes"]] == [22, 44, 8]


PEN = """([type, x, y, pressure]) => {
  const sheet = document.getElementById("sheet"), box = sheet.getBoundingClientRect();
  sheet.setPointerCapture = () => {};
  sheet.dispatchEvent(new PointerEvent(type, { pointerId: 7, isPrimary: true, bubbles: true,
    pointerType: "pen", clientX: box.left + x * box.width, clientY: box.top + y * box.height,
    pressure, button: type === "pointermove" ? -1 : 0, buttons: 1 }));
}"""


def test_a_pen_that_presses_harder_writes_a_little_wider(page: Page) -> None:
    asks(page, "a big seven")
    for y, pressure in ((0.25, 0.1), (0.75, 1.0)):
        page.evaluate(PEN, ["pointerdown", 0.2, y, pressure])
        page.evaluate(PEN, ["pointermove", 0.8, y, pressure])
        page.evaluate(PEN, ["pointerup", 0.8, y, pressure])
    dark = pixels(page) < 100
    light, hard = dark[:96].sum(), dark[96:].sum()
    assert 1.2 * light < hard < 2.5 * light


def test_a_drawing_survives_reload_and_a_closed_tab(
    page: Page, context: BrowserContext, server: Server, school: FakeSchool
) -> None:
    asks(page, "a big seven")
    stroke(page, BAR)
    stroke(page, POST)
    page.fill("#note", "mine")
    before = page.evaluate(INK)
    page.reload()
    asks(page, "a big seven")
    assert page.evaluate(INK) == before  # to the pixel
    page.close()
    again = context.new_page()
    again.goto(server.url)
    asks(again, "a big seven")
    assert again.evaluate(INK) == before
    assert again.input_value("#note") == "mine"
    again.keyboard.press("Control+z")
    again.keyboard.press("Control+y")
    again.click("#send")
    settled(again, lambda: len(school.answers) == 1)
    assert len(kept(school)[1]["strokes"]) == 2


def test_a_stroke_that_is_being_drawn_counts(page: Page, school: FakeSchool) -> None:
    asks(page, "a big seven")
    stroke(page, POST)
    before = page.evaluate(INK)
    stroke(page, BAR, lift=False)
    page.keyboard.press("Control+z")
    page.mouse.up()
    assert page.evaluate(INK) == before
    stroke(page, BAR, lift=False)
    page.keyboard.press("Enter")
    page.mouse.up()
    asks(page, "two threes")
    settled(page, lambda: len(school.answers) == 1)
    assert inked(kept(school)[0], 0.4, 0.25)
    stroke(page, BAR, lift=False)
    page.reload()
    page.mouse.up()
    asks(page, "two threes")
    assert inked(pixels(page), 0.4, 0.25)


def test_another_tabs_answer_does_not_tear_the_pen_away(
    page: Page, context: BrowserContext, server: Server, school: FakeSchool
) -> None:
    second = context.new_page()
    second.goto(server.url)
    asks(second, "a big seven")
    stroke(second, BAR)
    page.bring_to_front()
    asks(page, "a big seven")
    stroke(page, POST, lift=False)
    second.evaluate("document.getElementById('send').click()")
    settled(page, lambda: len(school.answers) == 1)
    page.wait_for_timeout(200)
    page.mouse.up()
    assert page.inner_text("#caption") == "a big seven"
    assert inked(pixels(page), 0.5, 0.6)


def test_every_tab_keeps_its_own_drawing(
    page: Page, context: BrowserContext, server: Server
) -> None:
    asks(page, "a big seven")
    stroke(page, BAR)
    bar = page.evaluate(INK)
    second = context.new_page()
    second.goto(server.url)
    asks(second, "a big seven")
    assert pixels(second).min() == 255  # the first tab lives, and keeps what is its own
    stroke(second, POST)
    post = second.evaluate(INK)
    page.close()
    second.reload()
    asks(second, "a big seven")
    assert second.evaluate(INK) == post
    second.click("text=Skip")
    asks(second, "a big seven")
    assert second.evaluate(INK) == bar  # that of the closed tab comes next
    second.close()
    third = context.new_page()
    third.goto(server.url)
    asks(third, "a big seven")
    assert third.evaluate(INK) == bar


# Leaves a draft as an earlier version of the page kept it.
LONG = """async ([key, points]) => {
  const { question } = await (await fetch("/api/next?person=me")).json();
  const along = [...Array(points).keys()].map((i) => [i % 200 + 20.5, 64.5, i, 0.5]);
  const stroke = { tool: "pen", width: 14, points: along };
  const now = { question, draft: { steps: [stroke] }, note: "", seconds: 1, at: 1 };
  const draft = JSON.stringify({ now, later: [] });
  localStorage.clear();
  sessionStorage.clear();
  localStorage.setItem(`nightschool/${key}/draft`, draft);
}"""


@pytest.mark.parametrize(("points", "sent"), [(100, True), (60_000, False)])
def test_strokes_that_are_too_long_stay_and_the_picture_goes(
    page: Page, server: Server, school: FakeSchool, points: int, sent: bool
) -> None:
    asks(page, "a big seven")
    page.goto(f"{server.url}/status")
    page.evaluate(LONG, [school_key(school.folder), points])
    page.goto(server.url)
    asks(page, "a big seven")
    page.keyboard.press("Enter")
    settled(page, lambda: len(school.answers) == 1)
    picture, strokes = kept(school)
    assert inked(picture, 0.3, 0.25)
    assert bool(strokes) is sent


def test_strokes_of_a_larger_sheet_are_fitted(page: Page, school: FakeSchool) -> None:
    asks(page, "a big seven")
    points = [[100, 250, 0, 0.5], [800, 250, 9, 0.5]]
    line = {"tool": "pen", "width": 80, "points": points}
    strokes = json.dumps({"width": 1000, "height": 1000, "strokes": [line]}).encode()
    white = encode_picture(np.full((9, 9), 255, np.uint8))
    drawn = drawing_document("two threes", white, strokes)
    school.keep(Answer(new_id(), "q1", "me", Reply.ANSWER, drawn, 1.0, 0.0))
    page.keyboard.press("u")
    asks(page, "two threes")
    picture = pixels(page)
    assert inked(picture, 0.7, 0.25)
    assert inked(picture, 0.5, 0.28)
    assert not inked(picture, 0.9, 0.25)
    assert not inked(picture, 0.5, 0.33)


def test_a_picture_on_its_way_is_not_forgotten(page: Page, school: FakeSchool) -> None:
    asks(page, "a big seven")
    black = encode_picture(np.zeros((9, 9), np.uint8))
    drawn = drawing_document("two threes", black)
    school.keep(Answer(new_id(), "q1", "me", Reply.ANSWER, drawn, 1.0, 0.0))
    page.route("**/api/pictures/*", lambda route: route.abort())
    page.keyboard.press("u")
    asks(page, "two threes")
    page.wait_for_timeout(200)
    assert pixels(page).min() == 255
    page.unroute("**/api/pictures/*")
    page.reload()
    asks(page, "two threes")
    settled(page, lambda: inked(pixels(page), 0.5, 0.5))


def test_a_cut_network_loses_no_drawing(
    page: Page, context: BrowserContext, school: FakeSchool
) -> None:
    asks(page, "a big seven")
    page.wait_for_timeout(300)
    context.set_offline(True)
    stroke(page, BAR)
    page.keyboard.press("Enter")
    asks(page, "two threes")
    page.wait_for_selector("#mark.waiting")
    assert not school.answers
    context.set_offline(False)
    settled(page, lambda: len(school.answers) == 1)
    assert inked(kept(school)[0], 0.5, 0.25)
    page.wait_for_selector("#mark.kept")


def test_letters_are_replies_and_undo_brings_the_drawing_back(
    page: Page, school: FakeSchool
) -> None:
    asks(page, "a big seven")
    stroke(page, BAR)
    drawn = page.evaluate(INK)
    page.keyboard.press("Enter")
    asks(page, "two threes")
    stroke(page, POST)
    half = page.evaluate(INK)
    page.keyboard.press("u")
    asks(page, "a big seven")
    assert page.evaluate(INK) == drawn
    page.keyboard.press("s")
    asks(page, "two threes")
    assert page.evaluate(INK) == half  # what was being drawn is there again
    settled(page, lambda: len(school.counting) == 1)
    assert [a.reply.value for a in school.counting] == ["skip"]


def test_undo_reaches_drawings_of_another_browser(
    page: Page, browser: Browser, server: Server, school: FakeSchool
) -> None:
    asks(page, "a big seven")
    stroke(page, BAR)
    drawn = page.evaluate(INK)
    page.keyboard.press("Enter")
    settled(page, lambda: len(school.answers) == 1)
    other = browser.new_context()
    second = other.new_page()
    second.goto(server.url)
    asks(second, "two threes")
    second.keyboard.press("u")
    asks(second, "a big seven")
    assert second.evaluate(INK) == drawn
    other.close()


def upload(page: Page, name: str, data: bytes) -> None:
    page.set_input_files("#file", {"name": name, "mimeType": f"image/{name}", "buffer": data})


def test_a_picture_file_is_shown_and_sent(
    page: Page, browser: Browser, server: Server, school: FakeSchool
) -> None:
    asks(page, "a big seven")
    stroke(page, POST)
    wide = np.full((300, 3000), 255, np.uint8)
    wide[:, :600] = 0
    upload(page, "png", encode_picture(wide))
    settled(page, lambda: inked(pixels(page), 0.1, 0.5))
    assert not inked(pixels(page), 0.5, 0.7)  # it takes the place of what was drawn
    stroke(page, BAR)
    assert "Clear the sheet" in page.inner_text("#hint")
    before = page.evaluate(INK)
    page.reload()
    asks(page, "a big seven")
    settled(page, lambda: page.evaluate(INK) == before)
    page.keyboard.press("Enter")
    asks(page, "two threes")
    settled(page, lambda: len(school.answers) == 1)
    picture, strokes = kept(school)
    assert (picture.shape, strokes) == ((102, 1024), {})
    assert picture[:, :180].max() < 60
    assert picture[:, 230:].min() > 200
    other = browser.new_context()  # and another browser takes it back, with the picture
    second = other.new_page()
    second.goto(server.url)
    asks(second, "two threes")
    second.keyboard.press("u")
    asks(second, "a big seven")
    settled(second, lambda: inked(pixels(second), 0.1, 0.5))
    other.close()


def test_a_picture_is_taken_back_like_a_stroke(page: Page) -> None:
    asks(page, "a big seven")
    stroke(page, POST)
    drawn = page.evaluate(INK)
    upload(page, "png", written("PNG"))
    settled(page, lambda: page.evaluate(INK) != drawn)
    page.keyboard.press("Control+z")
    assert page.evaluate(INK) == drawn


def test_a_file_that_is_no_picture_is_told(page: Page) -> None:
    asks(page, "a big seven")
    upload(page, "png", b"no picture")
    page.wait_for_selector("text=no picture that this browser can read")
    assert pixels(page).min() == 255


DROP = """([type, data]) => {
  const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
  const files = new DataTransfer();
  files.items.add(new File([bytes], "a.png", { type: "image/png" }));
  const how = { bubbles: true, cancelable: true };
  document.body.dispatchEvent(type === "drop" ? new DragEvent(type, { ...how, dataTransfer: files })
    : new ClipboardEvent(type, { ...how, clipboardData: files }));
}"""


@pytest.mark.parametrize("how", ["drop", "paste"])
def test_a_picture_may_be_dropped_or_pasted(page: Page, how: str) -> None:
    asks(page, "a big seven")
    page.evaluate(
        DROP, [how, base64.b64encode(encode_picture(np.zeros((9, 9), np.uint8))).decode()]
    )
    settled(page, lambda: inked(pixels(page), 0.5, 0.5))


def test_a_refused_drawing_is_shown_and_can_be_mended(page: Page, school: FakeSchool) -> None:
    real = school.keep

    def no(answer: object, member: bool = False) -> bool:
        raise AnswerError("Too dark.")

    school.keep = no  # type: ignore[method-assign,assignment]
    asks(page, "a big seven")
    stroke(page, BAR)
    drawn = page.evaluate(INK)
    page.keyboard.press("Enter")
    page.wait_for_selector("#refused img.said")
    assert page.evaluate("document.querySelector('#refused img').naturalWidth") == 256
    assert "Too dark." in page.inner_text("#refused")
    school.keep = real  # type: ignore[method-assign]
    page.click("text=Edit")
    asks(page, "a big seven")
    assert page.evaluate(INK) == drawn
    page.keyboard.press("Enter")
    settled(page, lambda: len(school.answers) == 1)


def test_a_full_browser_says_so_and_sends_all_the_same(
    context: BrowserContext, server: Server, school: FakeSchool
) -> None:
    page = context.new_page()
    page.add_init_script(
        "const set = Storage.prototype.setItem; Storage.prototype.setItem = function (k, v) {"
        " if (window.full) throw new DOMException('full', 'QuotaExceededError');"
        " set.call(this, k, v); }"
    )
    page.goto(server.url)
    asks(page, "a big seven")
    page.evaluate("window.full = true")
    context.set_offline(True)
    stroke(page, BAR)
    page.keyboard.press("Enter")
    page.wait_for_selector("#alarm:has-text('cannot store more')")
    page.evaluate("window.full = false")
    context.set_offline(False)
    settled(page, lambda: len(school.answers) == 1)
    assert inked(kept(school)[0], 0.5, 0.25)


def test_a_drawing_that_cannot_be_stored_is_guarded(
    context: BrowserContext, server: Server
) -> None:
    page = context.new_page()
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.add_init_script(
        "Storage.prototype.setItem = () => { throw new DOMException('', 'QuotaExceededError'); }"
    )
    page.goto(server.url)
    asks(page, "a big seven")
    stroke(page, BAR)
    assert "cannot store more" in page.inner_text("#alarm")
    page.reload()
    assert asked == ["beforeunload"]


@pytest.fixture
def phone(browser: Browser, server: Server) -> Iterator[Page]:
    context = browser.new_context(
        viewport={"width": 390, "height": 760}, has_touch=True, is_mobile=True
    )
    page = context.new_page()
    page.goto(server.url)
    yield page
    context.close()


def test_a_finger_draws_and_does_not_scroll(phone: Page) -> None:
    asks(phone, "a big seven")
    box = phone.locator("#sheet").bounding_box()
    assert box is not None
    assert box["x"] + box["width"] <= 390
    tools = phone.locator(".tools button")
    places = [tools.nth(i).bounding_box() for i in range(tools.count())]
    assert len(places) == 8
    assert all(p is not None and p["x"] >= 0 and p["x"] + p["width"] <= 390 for p in places)
    wire = phone.context.new_cdp_session(phone)
    for kind, y in (("touchStart", 0.2), ("touchMove", 0.5), ("touchMove", 0.8), ("touchEnd", 0)):
        spots = [{"x": box["x"] + 0.5 * box["width"], "y": box["y"] + y * box["height"]}]
        at = spots if kind != "touchEnd" else []
        wire.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})
    picture = pixels(phone)
    assert inked(picture, 0.5, 0.3)
    assert inked(picture, 0.5, 0.7)
    assert phone.evaluate("scrollY") == 0
