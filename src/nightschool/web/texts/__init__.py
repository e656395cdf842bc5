"""Every text that a person reads on a page, in one catalogue: `en/PAGE.toml`, flat keys."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from markupsafe import Markup, escape

HERE = Path(__file__).parent
LANGUAGE = "en"


@cache
def catalogue(language: str = LANGUAGE) -> Mapping[str, str]:
    """Texts by "page.key"; a text may hold {names}."""
    found: dict[str, str] = {}
    for path in sorted((HERE / language).glob("*.toml")):
        for key, value in tomllib.loads(path.read_text(encoding="utf-8")).items():
            found[f"{path.stem}.{key}"] = value
    return found


def t(name: str, /, **values: object) -> str:
    """The text of that name with its {names} filled in; KeyError for one that there is not."""
    text = catalogue()[name]
    return text.format(**values) if values else text


def tn(name: str, n: int, /, **values: object) -> str:
    """The same for a count: the text `name_one` where n is 1; {n} is filled in."""
    return t(f"{name}_one" if n == 1 else name, n=f"{n:,}", **values)


def coded(text: str) -> Markup:
    """A message as HTML: the commands in it, which stand in backticks, as code."""
    parts = [escape(part) for part in text.split("`")]
    if len(parts) % 2 == 0:  # an odd one out is somebody's own
        return escape(text)
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if i % 2 else part for i, part in enumerate(parts)
    )


def page(name: str) -> Mapping[str, str]:
    """The texts of one page, by key: what its script is given as JSON."""
    head = f"{name}."
    return {k.removeprefix(head): v for k, v in catalogue().items() if k.startswith(head)}
