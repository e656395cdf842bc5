"""Every text that a person reads on a page, in one catalogue: `en/PAGE.toml`, flat keys."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

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


def page(name: str) -> Mapping[str, str]:
    """The texts of one page, by key: what its script is given as JSON."""
    head = f"{name}."
    return {k.removeprefix(head): v for k, v in catalogue().items() if k.startswith(head)}
