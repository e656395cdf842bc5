"""The labels of a school of classification, as buttons in a real browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from web_browser import said, settled, shows
from web_fakes import FakeSchool

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


@pytest.fixture
def school() -> FakeSchool:
    school = FakeSchool.of("Who wrote it?", "How many?")
    school.labels = ("person", 'a "number" of <b>things</b>')  # type: ignore[attr-defined]
    return school


def test_one_click_answers(page: Page, school: FakeSchool) -> None:
    shows(page, "Who wrote it?")
    page.keyboard.type("half an answer")
    page.get_by_role("button", name="person").click()
    shows(page, "How many?")
    page.get_by_role("button", name="of <b>things</b>").click()
    settled(page, lambda: len(school.answers) == 2)
    assert said(school) == [
        ("q0", "answer", "person"),
        ("q1", "answer", 'a "number" of <b>things</b>'),
    ]
