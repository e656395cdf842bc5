"""The description of the API: whole, and kept by the server for whoever calls with whatever."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from argon2 import PasswordHasher
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.testclient import TestClient
from web_fakes import FakeSchool

from nightschool.app import School, passwords
from nightschool.types.people import Right, Role
from nightschool.web import create_app
from nightschool.web.machines import Machines
from nightschool.web.openapi import METHODS, rights

CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
)
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
PASSWORD = "four words of salt"


def description(app: Any) -> dict[str, Any]:
    with TestClient(app, base_url="http://127.0.0.1") as client:
        told: dict[str, Any] = client.get("/openapi.json").json()
    return told


def operations(told: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in told["paths"].items():
        for method, operation in methods.items():
            if method in METHODS:
                yield path, method, operation


def test_every_operation_says_who_may_what_comes_back_and_what_may_go_wrong(
    school: FakeSchool,
) -> None:
    app = create_app(school)
    told = description(app)
    assert told["openapi"].startswith("3.1")
    known = {tag["name"] for tag in told["tags"]}
    names = [o["operationId"] for *_, o in operations(told)]
    assert len(names) == len(set(names)) > 20
    for path, method, operation in operations(told):
        where = f"{method} {path}"
        assert operation["summary"], where
        assert set(operation["tags"]) <= known, where
        replies = operation["responses"]
        assert any(code.startswith(("2", "3")) for code in replies), where
        assert "HTTPValidationError" not in str(replies), where
        right = operation["x-right"]
        assert right is None or Right(right), where
        assert ("401" in replies) == (right is not None), where
    asked = rights(app)
    assert asked["post", "/api/answers"] is Right.ANSWER
    assert asked["get", "/api/status"] is Right.LOOK
    assert asked["post", "/v1/completions"] is Right.USE


def test_a_route_that_names_no_right_is_no_route(school: FakeSchool) -> None:
    app = create_app(school)

    @app.get("/api/forgotten")
    def forgotten() -> None:
        return None

    with pytest.raises(LookupError, match="/api/forgotten names no right"):
        rights(app)


class Nights:
    """Says that a night is under way, so that none begins."""

    running = True

    def start(self, by: str) -> bool:
        return False


def broken_by(app: Any, headers: dict[str, str], examples: int) -> list[str]:
    """Call every operation with made-up values, good and bad; what was not as described."""
    headers = {"host": "127.0.0.1", **headers}
    schema = schemathesis.openapi.from_asgi("/openapi.json", app, headers=headers)
    troubles: list[str] = []
    calls = 0
    for found in schema.get_all_operations():
        operation = found.ok()

        @settings(
            max_examples=examples,
            deadline=None,
            derandomize=True,
            database=None,
            phases=(Phase.explicit, Phase.generate),
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def call(case: Any) -> None:
            nonlocal calls
            calls += 1
            case.call_and_validate(headers=headers, checks=CHECKS)

        try:
            call()
        except BaseException as error:
            told = getattr(error, "exceptions", None) or [error]
            troubles += [f"{operation.label}: {e}" for e in told]
    assert calls >= examples * 40, "it called hardly anything"
    return troubles


@pytest.mark.parametrize("role", ["", *Role])
def test_nothing_that_anybody_sends_breaks_the_server(
    school_folder: Path, role: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No 5xx and nothing that was not described, without accounts and for each role."""
    abuse(school_folder, role, monkeypatch, 1)


@pytest.mark.soak
@pytest.mark.parametrize("role", ["", *Role])
def test_soak_nothing_that_anybody_sends_breaks_the_server(
    school_folder: Path, role: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    abuse(school_folder, role, monkeypatch, 60)


def abuse(folder: Path, role: str, monkeypatch: pytest.MonkeyPatch, examples: int) -> None:
    """A school with or without accounts, and somebody of that role who sends anything."""
    with School.open(folder) as school:
        headers, accounts = {}, None
        school.night()
        if role:
            accounts = school.accounts
            monkeypatch.setattr(passwords, "_hasher", lambda: CHEAP)
            accounts.join(accounts.owner_link("serve"), "olga", PASSWORD)
            accounts.join(accounts.invite(Role(role), "olga", "anna"), "anna", PASSWORD)
            token = accounts.add_token("anna", "fuzz", "anna")
            headers["authorization"] = f"Bearer {token}"
        app = create_app(school, accounts=accounts, machines=Machines(night=Nights()))
        assert broken_by(app, headers, examples) == []
