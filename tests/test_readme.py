"""The README says what the code does: what can go stale is checked here."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nightschool.app import parts
from nightschool.app.config import known
from nightschool.cli import main

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_loop_stands_there_verbatim():
    source = (ROOT / "src/nightschool/loop/night.py").read_text()
    assert source[source.index("def run_night") :].rstrip() in README


def test_the_tree_names_every_room():
    rooms = {p.parent.name for p in (ROOT / "src/nightschool").glob("*/__init__.py")}
    tree = README[README.index("src/nightschool/\n") : README.index("Imports run one way")]
    assert {room for room in rooms if f"{room}/" not in tree} == set()


def test_every_command_named_there_exists():
    words = set(re.findall(r"nightschool (?:--school \S+ )?([a-z]+)", README))
    assert len(words) > 5
    assert words - set(main.commands) == set()


def test_every_command_named_in_a_message_exists():
    source = "".join(p.read_text() for p in (ROOT / "src").rglob("*.py"))
    words = set(re.findall(r"`nightschool (?:--school \S+ )?([a-z]+)", source))
    assert len(words) > 5
    assert words - set(main.commands) == set()


def test_every_setting_named_there_exists():
    for name in re.findall(r"nightschool config ([a-z_]+)", README):
        assert name in known()


def test_the_strategies_named_there_are_installed():
    assert {"random", "bald", "hybrid"} <= set(parts.names("strategies"))


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)#:]+)\)", README))
def test_links_lead_somewhere(link):
    assert (ROOT / link).exists()


@pytest.mark.parametrize("script", sorted(set(re.findall(r"python (benchmarks/\w+\.py)", README))))
def test_every_number_has_its_command(script):
    assert (ROOT / script).exists()
