"""Pages from templates: what every page knows of the school, of who looks, and of its texts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from nightschool.types.people import Right
from nightschool.web import texts
from nightschool.web.desk import Desk
from nightschool.web.door import NOBODY_ASKED, school_key
from nightschool.web.nav import links

TEMPLATES = Path(__file__).parent / "templates"


class Renderer:
    """Renders templates for one school.

    Each has: `school` and `kind`; `t` and `tn` (a text by its name, and for a count) and
    `texts_of` (a page's texts, for its script); `person` ("" without accounts), `role` and
    `rights` (names of rights, such as "manage") of who looks; `nav`, links to the pages that they
    may open; `key`, under which the browser keeps things of this school and person.
    """

    def __init__(self, school: Desk) -> None:
        self._school = school
        # Everything is escaped, whatever a file is called: contexts and names are hostile texts.
        self._jinja = Environment(
            loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined
        )
        self._jinja.filters["coded"] = texts.coded
        self._jinja.globals.update(t=texts.t, tn=texts.tn, texts_of=texts.page)

    def __call__(self, request: Request, name: str, **values: Any) -> HTMLResponse:
        """The page that a template makes, with what is given to it."""
        school = self._school
        known = {"school": school.name, "kind": school.kind, **seen_by(request)}
        known["key"] = school_key(school.folder, known["person"])
        way = {"links": links(request, known["rights"], school.kind), "here": request.url.path}
        known["nav"] = Markup(self._jinja.get_template("nav.html").render(way))  # noqa: S704
        return HTMLResponse(self._jinja.get_template(name).render({**known, **values}))

    def bare(self, title: str, about: str) -> str:
        """A page for whom nothing is known of: it names neither the school nor who looks."""
        page = self._jinja.get_template("refused.html")
        return page.render(title=title, about=about, school="", person="")


def seen_by(request: Request) -> dict[str, Any]:
    """Who looks at a page: their name, role and rights; nothing where nobody is signed in."""
    who = getattr(request.state, "caller", NOBODY_ASKED)
    if who is None:
        return {"person": "", "role": "", "rights": frozenset()}
    rights = frozenset(right.value for right in Right if who.may(right))
    return {"person": who.person, "role": who.role.value, "rights": rights}
