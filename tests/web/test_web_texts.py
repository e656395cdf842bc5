"""All that a person reads on a page stands in the catalogue."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from nightschool.web import texts

WEB = Path(sys.modules["nightschool.web"].__file__ or "").parent
TEMPLATES = sorted((WEB / "templates").rglob("*.html"))
SCRIPTS = sorted(p for p in (WEB / "static").rglob("*.js") if "vendor" not in p.parts)

# Names that are the same in every language: keys, commands, code.
SAME = re.compile(r"<(kbd|code)\b[^>]*>.*?</\1>|&\w+;|\((Ctrl )?(\w|Del)\)", re.DOTALL)
JINJA = re.compile(r"\{[{%#].*?[}%#]\}", re.DOTALL)
SAID = re.compile(r'\b(?:aria-label|title|placeholder|alt)="([^"]*)"')
WORD = re.compile(r"[^\W\d_]{2,}")


def prose_of_template(html: str) -> list[str]:
    """Words between tags, and in the attributes that are read to people."""
    bare = JINJA.sub(" ", SAME.sub(" ", html))
    shown = [*re.split(r"<[^>]*>", bare), *SAID.findall(bare)]
    return [text.strip() for text in shown if WORD.search(text)]


def prose_of_script(script: str) -> list[str]:
    """Literals that read like a sentence: a capital, then several words."""
    bare = re.sub(r"^\s*//.*$|\s//\s.*$", "", script, flags=re.MULTILINE)
    literals = re.findall(r'"([^"\n]*)"|`([^`]*)`', bare)
    told = [plain or template for plain, template in literals]
    return [text for text in told if re.match(r"[A-Z][a-z]+,? [a-z]+ ", text)]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda p: p.name)
def test_no_template_holds_prose(path: Path) -> None:
    assert prose_of_template(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda p: p.name)
def test_no_script_holds_prose(path: Path) -> None:
    assert prose_of_script(path.read_text(encoding="utf-8")) == []


def test_prose_is_found_where_it_is() -> None:
    assert prose_of_template('<p title="Hello you">{{ t("a.b") }}<kbd>Esc</kbd> Bye</p>') == [
        "Bye",
        "Hello you",
    ]
    assert prose_of_script('say("The school is away now."); $("form")') == [
        "The school is away now."
    ]


def test_every_text_that_is_named_is_there_and_every_text_is_named() -> None:
    pages = {path.stem for path in (WEB / "texts" / "en").glob("*.toml")}
    assert {"answer", "experiments", "figure"} <= pages
    templates = "".join(path.read_text(encoding="utf-8") for path in TEMPLATES)
    for name in re.findall(r"""\bt\(["']([\w.]+)["']""", templates):
        if not name.endswith(("_", ".")):  # made of parts
            assert texts.t(name)
    scripts = "".join(path.read_text(encoding="utf-8") for path in SCRIPTS)
    for key in texts.page("answer"):
        assert re.search(rf"\b{key}\b", templates + scripts) or key.startswith("lesson_title"), key


def test_commands_in_a_message_are_code_and_nothing_else_is_html() -> None:
    assert texts.coded("Add <b> by `pool add <F>`.") == (
        "Add &lt;b&gt; by <code>pool add &lt;F&gt;</code>."
    )
    assert texts.coded("one ` alone") == "one ` alone"


def test_a_text_has_its_names_filled_in() -> None:
    assert texts.t("experiments.title", school="<b>") == "<b>: experiments"
    with pytest.raises(KeyError):
        texts.t("experiments.no such text")
