"""`nightschool people`, and what other commands leave in the audit trail."""

from __future__ import annotations

import json
import re

import pytest
from argon2 import PasswordHasher

from nightschool.app import School, passwords
from nightschool.cli.settings import note_change

from .test_cli import ok, refused

PASSWORD = "four words of salt"


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", lambda: cheap)


def join(folder, told, person):
    """Open a link that the command line printed."""
    secret = re.search(r"http://127\.0\.0\.1:\d+/join/(\S+)", told)[1]
    with School.open(folder) as school:
        return school.accounts.join(secret, person, PASSWORD).account


def test_people_from_the_terminal(school_folder):
    folder = school_folder
    assert "Nobody yet" in ok("people", "list", folder=folder)
    assert join(folder, ok("people", "link", folder=folder), "anna").role == "owner"
    invited = ok("people", "invite", "bert", "--role", "viewer", "--days", "2", folder=folder)
    assert "for 2 days" in invited
    assert "invited: bert as viewer" in ok("people", "list", folder=folder)
    assert join(folder, invited, "whoever").person == "bert"
    ok("people", "role", "bert", "teacher", folder=folder)
    assert ok("people", "list", folder=folder).splitlines() == ["anna  owner", "bert  teacher"]

    secret = ok("people", "token", "bert", "script", folder=folder).strip()
    with School.open(folder) as school:
        assert school.accounts.caller(secret, True).person == "bert"
    assert "there are: script" in refused(
        "people", "token", "bert", "no", "--revoke", folder=folder
    )
    ok("people", "token", "bert", "script", "--revoke", folder=folder)
    with School.open(folder) as school:
        assert school.accounts.caller(secret, True) is None

    assert "last owner" in refused("people", "disable", "anna", folder=folder)
    assert "no account" in refused("people", "role", "nobody", "owner", folder=folder)
    ok("people", "disable", "bert", folder=folder)
    assert "bert  teacher  (disabled)" in ok("people", "list", folder=folder)
    assert "enable" in refused("people", "link", "bert", folder=folder)
    ok("people", "disable", "bert", "--undo", folder=folder)
    assert join(folder, ok("people", "link", "bert", folder=folder), "").role == "teacher"

    told = json.loads(ok("people", "list", "--json", folder=folder))
    assert [p["person"] for p in told["people"]] == ["anna", "bert"]
    assert told["invitations"] == []
    told = ok("people", "audit", folder=folder)
    assert "terminal  role  bert  viewer -> teacher" in told
    assert "bert  new password  bert  teacher, link by terminal" in told


def test_a_webhooks_secret_is_not_in_the_trail(school_folder):
    note_change(school_folder, "webhooks.hr", "https://hooks.example/T0P5ECRET")
    note_change(school_folder, "questions", "7")
    entries = json.loads(ok("people", "audit", "--json", folder=school_folder))
    told = [(e["subject"], e["detail"]) for e in entries]
    assert told == [("questions", "7"), ("webhooks.hr", "")]


def test_settings_and_champions_leave_a_trail(school_folder):
    folder = school_folder
    ok("config", "questions", "5", folder=folder)
    ok("promote", "0", "--by", "anna", "--reason", "I looked at it", folder=folder)
    entries = json.loads(ok("people", "audit", "--json", folder=folder))
    told = [[e[k] for k in ("person", "action", "subject", "detail")] for e in entries]
    assert told == [
        ["anna", "promote", "v0", "I looked at it"],
        ["terminal", "config", "questions", "5"],
    ]
    assert entries[0]["at"] >= entries[1]["at"] > 0
