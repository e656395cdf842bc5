"""The description of the HTTP API: what FastAPI knows, with rights, errors and ways to sign in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, FastAPI, routing
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse

from nightschool.types.people import Right
from nightschool.web.door import needs

METHODS = ("get", "put", "post", "delete", "patch")

ABOUT = """The same HTTP API that the pages use, and a completions API in OpenAI's form.

Each operation names the right that it asks for (`x-right`): a teacher has `answer` and `look`, a
viewer `look`, `read` and `use`, an owner all. In a school without accounts whoever reaches the
server is its owner. With accounts, sign in by cookie (the pages do) or send an API token as
`Authorization: Bearer TOKEN`; the person who answers is then whoever signed in.

Errors are JSON: `{"error": "what was wrong, and the cure"}`; under `/v1` in OpenAI's form."""

TAGS: Mapping[str, tuple[str, str]] = {
    "/v1/": ("models", "Ask the served model, in OpenAI's form."),
    "/metrics": ("machines", "For monitoring and for clients that read descriptions."),
    "/openapi.json": ("machines", ""),
    "/api/session": ("people", "Who may come in, and as what."),
    "/api/join": ("people", ""),
    "/api/people": ("people", ""),
    "/api/me": ("people", ""),
    "/api/tokens": ("people", ""),
    "/api/invitations": ("people", ""),
    "/api/audit": ("people", ""),
    "/api/next": ("answers", "Be asked, answer, take back, settle."),
    "/api/questions": ("answers", ""),
    "/api/answers": ("answers", ""),
    "/api/undo": ("answers", ""),
    "/api/pictures": ("answers", ""),
    "/api/settle": ("answers", ""),
    "/api/yesterday": ("answers", ""),
    "/api/": ("school", "How the school does, what it keeps, and which version serves."),
    "/": ("pages", "What a person opens in a browser."),
}
"""Prefix of a path to the group it is listed in; the first that fits counts."""

REASONS: Mapping[int, str] = {
    400: "The request cannot be carried out as it stands.",
    401: "Nobody is signed in.",
    403: "Who is signed in, or where the request comes from, has no right to this.",
    404: "What the request names does not exist, or not for this caller.",
    409: "It contradicts what was kept before.",
    413: "The request is too long.",
    415: "The body is not JSON.",
    422: "A value is missing or wrong; the error names it.",
    429: "Too many requests, or too many wait; try again later.",
    503: "It cannot be done now; the same request may succeed later.",
}

ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {"type": "string", "description": "What was wrong, and the cure."},
        "code": {"type": "string", "description": "A short name for programs, where there is one."},
    },
}
OPENAI_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type"],
            "properties": {
                "message": {"type": "string"},
                "type": {"type": "string"},
                "param": {"type": ["string", "null"]},
                "code": {"type": ["string", "null"]},
            },
        }
    },
}


def routes(app: FastAPI, cookie: str) -> APIRouter:
    """The route that tells the description; `cookie` is the name of the session's cookie."""
    api = APIRouter()

    @api.get("/openapi.json", dependencies=[needs(Right.LOOK)])
    def description() -> JSONResponse:
        """This description."""
        if app.openapi_schema is None:
            app.openapi_schema = describe(app, cookie)
        return JSONResponse(app.openapi_schema)

    return api


def rights(app: FastAPI) -> dict[tuple[str, str], Right | None]:
    """The right that each (method, path) asks for; None where anybody may call.

    Raises LookupError for a route that names no right at all: such a one would be open to all.
    """
    found = {}
    for route in _each(app):
        asked = [d.call for d in route.dependant.dependencies if hasattr(d.call, "right")]
        if not asked:
            raise LookupError(f"The route {route.path} names no right; give it needs(Right...).")
        for method in route.methods or ():
            found[method.lower(), route.path_format] = asked[-1].right
    return found


def _each(app: FastAPI) -> Iterator[Any]:
    # Newer FastAPI keeps included routers whole, and this is its way to read them.
    unfold = getattr(routing, "iter_route_contexts", iter)
    return (r for r in unfold(app.routes) if getattr(r, "dependant", None) is not None)


def describe(app: FastAPI, cookie: str) -> dict[str, Any]:
    """The OpenAPI description of all routes."""
    told = get_openapi(
        title="nightschool", version=version("nightschool"), description=ABOUT, routes=app.routes
    )
    asks = rights(app)
    for path, operations in told["paths"].items():
        for method, operation in operations.items():
            if method in METHODS:
                _complete(operation, method, path, asks[method, path])
    parts = told.setdefault("components", {})
    schemas = parts.setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas |= {"Error": ERROR, "OpenAIError": OPENAI_ERROR}
    parts["securitySchemes"] = {
        "session": {"type": "apiKey", "in": "cookie", "name": cookie},
        "token": {"type": "http", "scheme": "bearer"},
    }
    tags = {n: d for n, d in TAGS.values() if d}
    used = (o["tags"] for ways in told["paths"].values() for m, o in ways.items() if m in METHODS)
    tags |= {name: "" for names in used for name in names if name not in tags}
    told["tags"] = [{"name": n, "description": d} for n, d in tags.items()]
    return told


def _complete(operation: dict[str, Any], method: str, path: str, right: Right | None) -> None:
    """Add group, right, ways to sign in and errors to what FastAPI told of an operation."""
    operation.setdefault("tags", [next(t for p, (t, _) in TAGS.items() if path.startswith(p))])
    operation["x-right"] = right.value if right is not None else None
    if right is not None:
        operation["security"] = [{"session": []}, {"token": []}]
    writes = method != "get"
    machine = path.startswith("/v1/")
    codes = {403, 429, 503}
    codes |= {401} if right is not None else set()
    codes |= {404} if "{" in path or machine else set()
    codes |= {404, 409, 413, 415} if writes else set()
    codes |= {400} if machine else {422} if writes or operation.get("parameters") else set()
    told = operation["responses"]
    if "HTTPValidationError" in str(told.get("422")):  # FastAPI's own, which we answer otherwise
        del told["422"]
    schema = {"$ref": f"#/components/schemas/{'OpenAIError' if machine else 'Error'}"}
    for code in sorted(codes):
        error = {"description": REASONS[code], "content": {"application/json": {"schema": schema}}}
        told.setdefault(str(code), error)
