"""A real browser for the tests of the page, and what they say of it."""

from __future__ import annotations

import os
import shutil
import time
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest
from web_fakes import FakeSchool

from nightschool.types import Answer

if TYPE_CHECKING:
    from playwright.sync_api import Page

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

if CHROMIUM is None:
    warnings.warn("NO CHROMIUM: THE PAGE IS NOT TESTED IN A BROWSER AT ALL", stacklevel=1)
    pytest.skip("NO CHROMIUM: the browser tests did not run", allow_module_level=True)
if find_spec("playwright") is None:
    warnings.warn("NO PLAYWRIGHT: THE PAGE IS NOT TESTED IN A BROWSER AT ALL", stacklevel=1)
    pytest.skip("NO PLAYWRIGHT: the browser tests did not run", allow_module_level=True)


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
