"""People: who there is and how they do, invitations, roles, tokens, and the audit trail."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from nightschool.app.accounts import Accounts
from nightschool.app.passwords import SHORTEST
from nightschool.types.people import AccountError, Caller, Right, Role
from nightschool.warehouse.accounts import Account, Invitation, Token
from nightschool.web.desk import Desk, storable
from nightschool.web.door import OWNER, Answering, Looking, Managing, caller, needs, too_many
from nightschool.web.rates import Rates
from nightschool.web.render import Renderer
from nightschool.web.signing import refuse_machine
from nightschool.web.trail import told

SHOWN = 12
"""Characters of a hash by which an invitation or token is named."""

ON_PAGE = 100
"""Entries of the audit trail that the page shows."""

Name = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(storable)]
Reason = Annotated[str, Field(max_length=2000), AfterValidator(storable)]


class Body(BaseModel):
    """What is sent; unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


class Invite(Body):
    """Whom to invite as what; without a name the guest chooses one. `days` till the link ends.

    `renew` makes a link to a new password for a person who has an account.
    """

    role: Role = Role.TEACHER
    person: Annotated[str, Field(max_length=64), AfterValidator(storable)] = ""
    days: float = Field(default=7.0, gt=0, le=90, allow_inf_nan=False)
    renew: bool = False


class NewRole(Body):
    """A person and their new role."""

    person: Name
    role: Role


class Named(Body):
    """A person."""

    person: Name


class Because(Named):
    """A person, and why."""

    reason: Reason = ""


class Which(Body):
    """An invitation or token, by the beginning of its hash."""

    id: Annotated[str, Field(pattern=f"^[0-9a-f]{{{SHOWN}}}$")]


class NewToken(Body):
    """A machine's name, and for how many days its token is good (none: until revoked)."""

    name: Name
    days: float | None = Field(default=None, gt=0, le=3650, allow_inf_nan=False)


def routes(school: Desk, accounts: Accounts | None, rates: Rates, render: Renderer) -> APIRouter:
    """The page about people and its API; what is about accounts only where there are some."""
    api = APIRouter()
    api.include_router(_pages(school, accounts, render))
    api.include_router(_figures(school, accounts))
    api.include_router(_leavers(school, accounts))
    if accounts is not None:
        api.include_router(_accounts(accounts))
        api.include_router(_invitations(accounts, rates))
        api.include_router(_tokens(accounts, rates))
    return api


def _pages(school: Desk, accounts: Accounts | None, render: Renderer) -> APIRouter:
    api = APIRouter()

    @api.get("/people", response_class=HTMLResponse, dependencies=[needs(Right.MANAGE)])
    def people_page(request: Request) -> HTMLResponse:
        return render(
            request,
            "people.html",
            accounts=accounts is not None,
            everybody=everybody(school, accounts),
            roles=[role.value for role in Role],
            invitations=[invitation_row(i) for i in accounts.invitations()] if accounts else [],
            entries=told(school, trail(school, ON_PAGE)),
            unlearned=leaving.unlearned() if (leaving := getattr(school, "leaving", None)) else 0,
        )

    @api.get("/me", response_class=HTMLResponse, dependencies=[needs(Right.LOOK)])
    def me_page(request: Request) -> HTMLResponse:
        who = caller(request)
        return render(
            request,
            "me.html",
            accounts=accounts is not None,
            figures=figures_of(school, who.person, who) if who.may(Right.ANSWER) else None,
            tokens=[token_row(t) for t in accounts.tokens(who.person)] if accounts else [],
            shortest=SHORTEST,
        )

    return api


def _figures(school: Desk, accounts: Accounts | None) -> APIRouter:
    """Who there is, with figures; what was changed by whom."""
    api = APIRouter()

    @api.get("/api/people", dependencies=[needs(Right.MANAGE)])
    def people() -> JSONResponse:
        return JSONResponse({"people": everybody(school, accounts)})

    @api.get("/api/me")
    def me(
        who: Answering,
        person: Annotated[str, Query(max_length=64), AfterValidator(storable)] = "",
    ) -> JSONResponse:
        name = who.person or person
        return JSONResponse({"person": name, "figures": figures_of(school, name, who)})

    @api.get("/api/audit", dependencies=[needs(Right.MANAGE)])
    def audit(newest: Annotated[int, Query(ge=1, le=10_000)] = 200) -> JSONResponse:
        return JSONResponse({"entries": trail(school, newest)})

    return api


def _leavers(school: Desk, accounts: Accounts | None) -> APIRouter:
    """Taking all answers of a person back, and erasing a person."""
    api = APIRouter(prefix="/api/people")

    @api.post("/withdraw")
    def withdraw(body: Because, who: Managing) -> dict[str, Any]:
        count = _leaving(school).withdraw(body.person, who.person or OWNER, body.reason)
        return {"withdrawn": count}

    @api.post("/erase")
    def erase(body: Named, who: Managing) -> JSONResponse:
        refuse_machine(who)
        done = _leaving(school).erase(body.person, who.person or OWNER)
        if accounts is not None:
            accounts.forget()
        return JSONResponse({"erased": plain(asdict(done))})

    return api


def _accounts(accounts: Accounts) -> APIRouter:
    api = APIRouter(prefix="/api/people")

    @api.post("/role")
    def role(body: NewRole, who: Managing) -> dict[str, Any]:
        refuse_machine(who)
        accounts.set_role(body.person, body.role, who.person)
        return {"person": body.person, "role": body.role.value}

    @api.post("/disable")
    def disable(body: Named, who: Managing) -> dict[str, Any]:
        accounts.set_disabled(body.person, True, who.person)
        return {"person": body.person, "disabled": True}

    @api.post("/enable")
    def enable(body: Named, who: Managing) -> dict[str, Any]:
        refuse_machine(who)
        accounts.set_disabled(body.person, False, who.person)
        return {"person": body.person, "disabled": False}

    @api.post("/sign_out")
    def sign_out(body: Named, who: Managing) -> dict[str, Any]:
        return {"ended": accounts.sign_out_everywhere(body.person, who.person)}

    return api


def _invitations(accounts: Accounts, rates: Rates) -> APIRouter:
    api = APIRouter(prefix="/api/invitations")

    @api.get("", dependencies=[needs(Right.MANAGE)])
    def listed() -> dict[str, Any]:
        return {"invitations": [invitation_row(i) for i in accounts.invitations()]}

    @api.post("", status_code=201)
    def invite(request: Request, body: Invite, who: Managing) -> Response:
        refuse_machine(who)
        wait = rates.invitation(who)
        if wait:
            return too_many(wait)
        if body.renew:
            secret = accounts.renew(body.person, who.person)
        else:
            secret = accounts.invite(body.role, who.person, body.person, 86_400 * body.days)
        return JSONResponse({"path": f"/join/{secret}"}, 201)

    @api.post("/cancel")
    def cancel(body: Which, who: Managing) -> dict[str, Any]:
        found = next((i for i in accounts.invitations() if i.token.startswith(body.id)), None)
        ended = found is not None and accounts.cancel(found.token, who.person)
        return {"cancelled": ended}

    return api


def _tokens(accounts: Accounts, rates: Rates) -> APIRouter:
    api = APIRouter(prefix="/api/tokens")

    def seen(who: Caller, everybody: bool) -> list[Token]:
        """The tokens that somebody may see and end: their own, an owner all."""
        whose = None if everybody and who.may(Right.MANAGE) else who.person
        return list(accounts.tokens(whose))

    @api.get("")
    def listed(who: Looking, everybody: bool = False) -> dict[str, Any]:
        return {"tokens": [token_row(token) for token in seen(who, everybody)]}

    @api.post("", status_code=201)
    def add(body: NewToken, who: Looking) -> Response:
        refuse_machine(who)
        wait = rates.invitation(who)
        if wait:
            return too_many(wait)
        seconds = 86_400 * body.days if body.days is not None else None
        secret = accounts.add_token(who.person, body.name, who.person, seconds)
        return JSONResponse({"token": secret, "name": body.name}, 201)

    @api.post("/revoke")
    def revoke(body: Which, who: Looking) -> dict[str, Any]:
        found = next((t for t in seen(who, True) if t.token.startswith(body.id)), None)
        return {"revoked": found is not None and accounts.revoke(found, who.person)}

    return api


def everybody(school: Desk, accounts: Accounts | None) -> list[dict[str, Any]]:
    """Everybody with an account or an answer: their account, and their figures."""
    kept: dict[str, Account] = {a.person: a for a in accounts.all()} if accounts else {}
    figures = getattr(school, "figures", None)
    answered = {f.person: plain(asdict(f)) for f in figures.everybody()} if figures else {}
    rows = []
    for person in sorted(kept.keys() | answered.keys()):
        account = kept.get(person)
        rows.append(
            {
                "person": person,
                "role": account.role.value if account is not None else None,
                "disabled": account is not None and account.disabled is not None,
                "since": account.created if account is not None else None,
                "figures": answered.get(person),
            }
        )
    return rows


def trail(school: Desk, newest: int) -> list[dict[str, Any]]:
    """The newest entries of the audit trail, newest first."""
    warehouse = getattr(school, "warehouse", None)
    return [asdict(entry) for entry in warehouse.audit.entries(newest)] if warehouse else []


def figures_of(school: Desk, person: str, who: Caller) -> dict[str, Any] | None:
    """One person's figures, as the caller may see them; None where nobody counts them."""
    figures = getattr(school, "figures", None)
    if figures is None or not person:
        return None
    return plain(asdict((figures.of if who.may(Right.MANAGE) else figures.own)(person)))


def plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values that JSON can hold: a number that is none becomes null."""
    made: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            made[key] = plain(value)
        elif isinstance(value, float) and not math.isfinite(value):
            made[key] = None
        else:
            made[key] = value
    return made


def invitation_row(invitation: Invitation) -> dict[str, Any]:
    """An invitation as the page lists it: never what opens it."""
    told = {"role": invitation.role.value, "person": invitation.person}
    times = {"by": invitation.made_by, "at": invitation.at, "until": invitation.until}
    return {"id": invitation.token[:SHOWN], **told, **times}


def token_row(token: Token) -> dict[str, Any]:
    """A token as the page lists it: never its secret."""
    told = {"person": token.person, "name": token.name, "at": token.at, "until": token.until}
    return {"id": token.token[:SHOWN], **told}


def _leaving(school: Desk) -> Any:
    found = getattr(school, "leaving", None)
    if found is None:
        raise AccountError("This school cannot take a person's answers back as a whole.")
    return found
