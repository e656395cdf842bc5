"""A person draws in a real browser; the drawing is kept, learned, and in the next manifest."""

from __future__ import annotations

import json
import os
import shutil
from importlib.util import find_spec

import numpy as np
import pytest

from nightschool.app import School
from nightschool.app.init import init_school
from nightschool.app.tasks import DrawingTask
from nightschool.app.tasks import drawing as drawing_task
from nightschool.types import caption_of, decode_picture

from .server import Server

CHROMIUM = os.environ.get("NIGHTSCHOOL_CHROMIUM") or next(
    (p for p in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if p), None
)
QUICK = {"steps": 6, "passes": 1, "original": 32, "euler": 2, "directions": 2}

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        CHROMIUM is None or find_spec("playwright") is None,
        reason="NO CHROMIUM: drawing in a browser is not tested at all",
    ),
]


@pytest.fixture
def server(tmp_path, monkeypatch):
    monkeypatch.setattr(drawing_task, "REFERENCES", 0)
    monkeypatch.setattr(drawing_task, "HELD_OUT", 1)
    monkeypatch.setattr(drawing_task, "ORIGINALS", 2)
    (tmp_path / "captions.txt").write_text("a house with a door\na boat\n")
    init_school(
        tmp_path / "school",
        DrawingTask(tmp_path / "captions.txt", sheets=2),
        settings={"learner_settings": QUICK, "night_at": "", "seed": 4},
    )
    made = Server(tmp_path / "school")
    made.start()
    yield made
    if made.process.poll() is None:
        made.kill()


def stroke(page, *points):
    box = page.locator("#sheet").bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for x, y in places[1:]:
        page.mouse.move(x, y, steps=6)
    page.mouse.up()


INK = "document.getElementById('sheet').toDataURL()"
READY = "() => document.getElementById('caption')?.textContent.length > 3"


def test_a_drawing_made_by_pointer_is_learned_in_the_next_night(server):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(server.url)
        page.wait_for_function(READY, timeout=10_000)
        caption = page.inner_text("#caption")
        stroke(page, (0.2, 0.8), (0.2, 0.4), (0.5, 0.2), (0.8, 0.4), (0.8, 0.8), (0.2, 0.8))
        stroke(page, (0.45, 0.8), (0.45, 0.6), (0.55, 0.6), (0.55, 0.8))
        seen = page.evaluate(INK)
        page.reload()  # before it was sent
        page.wait_for_function(READY, timeout=10_000)
        assert page.inner_text("#caption") == caption
        assert page.evaluate(INK) == seen, "a reload changed the drawing"
        page.keyboard.press("Enter")
        page.wait_for_selector("#mark.kept", timeout=10_000)
        browser.close()
    assert server.stop() == 0

    with School.open(server.folder) as school:
        [answer] = school.warehouse.answers()
        assert caption.endswith(caption_of(answer.document))
        picture = decode_picture(answer.document.parts["picture"], 28)
        assert picture[14, 5:8].min() < 128, "the left wall of the house"
        strokes = json.loads(answer.document.parts["strokes"])["strokes"]
        assert len(strokes) == 2
        school.night()
        newest = school.warehouse.trainee()
        [example] = school.warehouse.dataset(school.warehouse.manifest(newest.manifest)).new
        assert newest.id == "v1"
        assert example.target == answer.document
        assert np.array_equal(decode_picture(example.target.parts["picture"], 28), picture)
        assert school.warehouse.verify() == []
