"""Pictures of every page: light, dark, and on a phone.

    python benchmarks/pictures.py --out docs/pages

A small school is made, in which three people answer for three days (one of them carelessly), and
served as `nightschool serve` does; beside it a school with labels, one that draws and one that
tries. Chromium (by Playwright) takes the pictures. Takes two minutes.
"""

from __future__ import annotations

import argparse
import random
import shutil
import socket
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import uvicorn
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from nightschool.app import School
from nightschool.app.init import init_school
from nightschool.app.nights import NightProcess
from nightschool.app.tasks import ControlTask
from nightschool.loop import teach
from nightschool.types import (
    CAPTION,
    Answer,
    Context,
    Document,
    Partition,
    Question,
    Reply,
    caption_document,
)
from nightschool.types.people import Role
from nightschool.web import create_app
from nightschool.web.machines import Machines

NAMES = [
    "Ada",
    "Ben",
    "Cleo",
    "Dan",
    "Eva",
    "Finn",
    "Gita",
    "Hugo",
    "Ines",
    "Jon",
    "Kim",
    "Lars",
    "Mia",
    "Noah",
    "Olga",
    "Paul",
    "Rosa",
    "Sam",
]
THINGS = {
    "colours": ("{} looks at the {}. It is", {"grass": "green", "snow": "white", "coal": "black",
                                              "sky": "blue", "lemon": "yellow"}),
    "sounds": ("{} hears the {} outside. It", {"dog": "barks", "cat": "meows", "cow": "moos",
                                               "duck": "quacks", "lion": "roars"}),
    "homes": ("{} finds the {} where it lives: in its", {"bee": "hive", "bird": "nest",
                                                         "fox": "den", "spider": "web"}),
}  # fmt: skip
DAYS = 3
WIDTHS = {"light": (1100, 760), "dark": (1100, 760), "phone": (390, 780)}


def main() -> None:
    """Make the schools, serve them, take the pictures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path("docs/pages"))
    parser.add_argument("--work", type=Path, default=Path("out/pictures"))
    parser.add_argument("--only", default="", help="pages whose name holds this")
    options = parser.parse_args()
    shutil.rmtree(options.work, ignore_errors=True)
    options.out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        found = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        folder = text_school(options.work / "evening-class")
        with School.open(folder) as school, served(school, accounts=True) as url:
            pages = text_pages(school)
            invitation = school.accounts.invite(Role.OWNER, "serve", "anna")
            school.accounts.join(invitation, "anna", "four words")
            token = school.accounts.add_token("anna", "pictures", "anna")
            take(browser, url, pages, options, {"authorization": f"Bearer {token}"})
            link = school.accounts.invite(Role.TEACHER, "anna", "dora")
            take(browser, url, {"login": "/login", "join": f"/join/{link}"}, options, {})
        fresh = options.work / "fresh"
        init_school(fresh, settings={"learner": "bagofwords"})
        with School.open(fresh) as school, served(school, accounts=True) as url:
            take(browser, url, {"login-fresh": "/login"}, options, {})
        with Labelled.open(labels_school(options.work / "senses")) as school, served(school) as url:
            take(browser, url, {"labels": "/"}, options, {})
        with Drawn.open(fresh) as school, served(school) as url:
            take(browser, url, {"drawing": "/"}, options, {})
        with School.open(trials_school(options.work / "lab")) as school, served(school) as url:
            take(browser, url, {"trial": "/", "experiments": "/experiments"}, options, {})
        browser.close()


def text_school(folder: Path) -> Path:
    """Three people, three days; bob guesses, and they disagree about some."""
    settings = {"learner": "bagofwords", "questions": 45, "seed": 7, "candidates": 1}
    init_school(folder, settings={**settings, "overlap": 0.4, "overlap_people": 2})
    truth = {}
    for group, (form, things) in THINGS.items():
        for thing, answer in things.items():
            truth |= {form.format(name, thing): (answer, group) for name in NAMES}
    start = datetime.now(UTC).replace(hour=9, minute=0) - timedelta(days=DAYS)
    clock, rng = [start.timestamp()], random.Random(5)
    words = sorted({answer for answer, _ in truth.values()})
    with School.open(folder, clock=lambda: clock[0]) as school:
        school.add_contexts(Context.of(text, group=group) for text, (_, group) in truth.items())
        for _ in range(DAYS):
            for n in range(45):
                person = ("anna", "anna", "carl", "bob")[n % 4]
                question = school.next_question(person)
                if question is None:
                    break
                answer, _ = truth[question.context.text]
                careless = person == "bob" and rng.random() < 0.5
                clock[0] += 20
                note = "just a guess" if careless and rng.random() < 0.2 else ""
                text = rng.choice(words) if careless else answer
                school.keep(said(question, text, person, clock[0], rng.uniform(2, 9), note))
            start += timedelta(days=1)
            clock[0] = start.replace(hour=3).timestamp()
            school.night()
            clock[0] = start.timestamp()
    return folder


class Labelled(School):
    """A school whose answers are chosen from labels, without the classifier that they need."""

    labels = ("colours", "homes", "sounds", "none of these")  # type: ignore[assignment]


class Drawn(School):
    """A school that asks for drawings, without the model that would learn them."""

    kind = CAPTION

    def next_question(
        self, person: str, hold: Sequence[str] = (), member: bool = False
    ) -> Question | None:
        """Always the same caption."""
        asked = Context(caption_document("a house by the sea", 1))
        return Question("q0", asked, Partition.TRAINING, "random", 0.0, "v0", 0, 0)


def trials_school(folder: Path) -> Path:
    """A pendulum, tried four times by a small model that chose the experiments."""
    small = {"steps": 150, "samples": 24, "horizon": 8, "members": 3, "hidden": 24}
    settings = {"questions": 8, "written": 8, "seed": 7, "learner_settings": small}
    init_school(folder, ControlTask("Pendulum-v1"), settings=settings)
    with School.open(folder) as school:
        school.night()
        teach(school, school.oracle, 4)
    return folder


def labels_school(folder: Path) -> Path:
    """The pool of such a school."""
    init_school(folder, settings={"learner": "bagofwords", "questions": 20, "seed": 7})
    with School.open(folder) as school:
        for form, things in THINGS.values():
            school.add_contexts(Context.of(form.format("Ada", thing)) for thing in things)
    return folder


def said(
    question: Question, text: str, person: str, at: float, seconds: float, note: str
) -> Answer:
    """An answer as the page would send it."""
    reply, name = Reply.ANSWER, str(uuid.uuid4())
    return Answer(name, question.id, person, reply, Document(text), seconds, at, note)


def text_pages(school: School) -> dict[str, str]:
    """Each page by the name of its picture."""
    version = school.warehouse.trainee().id
    record = school.question(school.newest_answers(1)[0].question_id)
    return {
        "answer": "/",
        "help": "/",
        "morning": "/status",
        "people": "/people",
        "me": "/me",
        "settle": "/settle",
        "versions": "/versions",
        "version": f"/versions/{version}",
        "warehouse": "/warehouse",
        "record": f"/warehouse/{record.context.id:016x}",
        "missing": "/no-such-page",
    }


@contextmanager
def served(school: School, *, accounts: bool = False) -> Iterator[str]:
    """The school, served in a thread; gives its address."""
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        port = door.getsockname()[1]
    machines = Machines(NightProcess(school.folder, school.config))
    app = create_app(school, accounts=school.accounts if accounts else None, machines=machines)
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)


def take(
    browser: Browser, url: str, pages: dict[str, str], options: argparse.Namespace,
    headers: dict[str, str],
) -> None:  # fmt: skip
    """The pictures of some pages, in all looks."""
    for look, (width, height) in WIDTHS.items():
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if look == "dark" else "light",
            reduced_motion="reduce",
            has_touch=look == "phone",
            extra_http_headers=headers,
        )
        for name, path in pages.items():
            if options.only in name:
                page = context.new_page()
                page.goto(url + path)
                page.wait_for_timeout(900)
                BEFORE.get(name, lambda page: None)(page)
                whole = look == "phone" and name == "morning"
                shoot(page, options.out / f"{name}-{look}.png", whole)
                page.close()
        context.close()


def draw(page: Page) -> None:
    """A house, in a few strokes."""
    box = page.locator(".sheet").bounding_box()
    assert box is not None
    walls = [(0.3, 0.75), (0.3, 0.5), (0.5, 0.3), (0.7, 0.5), (0.7, 0.75), (0.3, 0.75)]
    sea = [(0.05 + 0.09 * n, 0.85 + 0.02 * (n % 2)) for n in range(11)]
    for stroke in (walls, sea):
        places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in stroke]
        page.mouse.move(*places[0])
        page.mouse.down()
        for place in places[1:]:
            page.mouse.move(*place, steps=4)
        page.mouse.up()
    page.wait_for_timeout(200)


BEFORE = {"help": lambda page: page.click("[data-do=help]"), "drawing": draw}
"""What is done on a page before its picture is taken."""


def shoot(page: Page, path: Path, whole: bool = False) -> None:
    """A picture in few colours, of what is seen at once or of the whole page: small enough to be
    kept beside the text."""
    page.screenshot(path=path, full_page=whole)
    with Image.open(path) as picture:
        small = picture.convert("RGB").quantize(64, dither=Image.Dither.NONE)
    small.save(path, optimize=True)


if __name__ == "__main__":
    main()
