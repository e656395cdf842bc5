"""The way about: the pages that a caller may open, on top of each of them."""

from __future__ import annotations

from collections.abc import Collection

from fastapi import Request

from nightschool.web.openapi import rights

LINKS = (
    ("/", "answer"),
    ("/status", "morning"),
    ("/experiments", "experiments"),
    ("/versions", "versions"),
    ("/warehouse", "warehouse"),
    ("/settle", "settle"),
    ("/people", "people"),
)
"""Each page's path, and its name in the catalogue."""

STRICTER = {"/": "answer"}
"""Who may open it but would only be led elsewhere is shown no link."""


def links(request: Request, own: Collection[str], kind: str) -> list[tuple[str, str]]:
    """Paths and names of the pages that there are and that one's own rights open."""
    state = request.app.state
    if not hasattr(state, "rights"):
        state.rights = {
            path: right for (verb, path), right in rights(request.app).items() if verb == "get"
        }
    asked = state.rights
    return [
        (path, name)
        for path, name in LINKS
        if path in asked
        and (asked[path] is None or asked[path].value in own)
        and STRICTER.get(path, "") in ("", *own)
        and (name != "experiments" or kind == "experiment")
    ]
