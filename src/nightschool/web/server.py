"""Runs the web application with uvicorn."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
from collections.abc import Callable, Collection

import uvicorn

from nightschool.app.accounts import Accounts
from nightschool.types import ConfigError
from nightschool.web.app import create_app
from nightschool.web.desk import Desk
from nightschool.web.guard import is_loopback
from nightschool.web.machines import NONE, Machines

BY = "serve"
"""Who made the first owner's link, for the record."""

ANYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104


def run(
    school: Desk,
    host: str | None = None,
    port: int | None = None,
    *,
    accounts: Accounts | None = None,
    allow_remote: bool = False,
    hosts: Collection[str] = (),
    machines: Machines = NONE,
    logs: bool = False,
    proxies: Collection[str] = (),
    say: Callable[[str], None] = print,
    notes: Collection[str] = (),
) -> None:
    """Serve a school until Ctrl-C; host and port default to the school's settings.

    With `accounts` people sign in; a school without an owner prints a one-time link for one, and
    is served to this machine only. Without `allow_remote`, and without accounts, only this machine
    is let in: ConfigError for another address, as for one that is taken. `hosts` are further names
    by which browsers may call the server (behind a proxy, or a tunnel on another port:
    "name:port"). `proxies` are the addresses (or networks) of proxies: only what these say of a
    client's address (X-Forwarded-For) is believed. Port 0 takes any free one. `say` is told
    the address once it can be opened, and the `notes` then. With `logs` everything goes through
    logging as it was set up before.
    """
    host = (host or school.config.host).strip("[]")
    port = school.config.port if port is None else port
    local = is_loopback(host)
    check_reach(host, local, allow_remote, accounts)
    names = set(hosts) if local else {*hosts, host}
    app = create_app(
        school, accounts=accounts, hosts=names, any_address=not local, machines=machines
    )
    check_proxies(proxies)
    config = uvicorn.Config(
        app,
        log_level="warning",
        log_config=None if logs else uvicorn.config.LOGGING_CONFIG,
        access_log=False,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=list(proxies),
        server_header=False,
        timeout_graceful_shutdown=5,
    )
    with _listen(host, port) as door, contextlib.suppress(KeyboardInterrupt):
        name = "127.0.0.1" if host in ANYWHERE else f"[{host}]" if ":" in host else host
        url = f"http://{name}:{door.getsockname()[1]}"
        if accounts is not None and not accounts.has_owner():
            say(f"Become its owner here, once, within a day: {url}/join/{accounts.owner_link(BY)}")
        say(f"Answer questions at {url}/ (Ctrl-C ends).")
        for note in notes:
            say(note)
        uvicorn.Server(config).run(sockets=[door])


def check_reach(host: str, local: bool, allow_remote: bool, accounts: Accounts | None) -> None:
    """Raise ConfigError for an address that others reach before the school is safe there."""
    if local:
        return
    if not allow_remote:
        raise ConfigError(
            f"{host} can be reached from other machines, and passwords would travel over the "
            "network as they are. Serve on 127.0.0.1 behind a proxy that speaks https, or say "
            "--allow-remote."
        )
    if accounts is None:
        raise ConfigError(
            f"{host} can be reached from other machines, and without accounts whoever reaches the "
            "page owns the school. Leave --no-accounts out, or serve on 127.0.0.1."
        )
    if not accounts.has_owner():
        raise ConfigError(
            f"This school has no owner yet, so it is not served on {host}. Serve it on 127.0.0.1 "
            "once and open the link that is printed there."
        )


def check_proxies(proxies: Collection[str]) -> None:
    """Raise ConfigError for what is no address: whoever is believed must be named."""
    for told in proxies:
        try:
            ipaddress.ip_network(told)
        except ValueError as error:
            raise ConfigError(
                f"--proxy {told}: that is no address or network ({error}); take one such as "
                "127.0.0.1 or 10.0.0.0/8."
            ) from error


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family, backlog=128)
    except OSError as error:
        # Python adds the address once more in brackets.
        why = (error.strerror or str(error)).partition(" (while")[0]
        raise ConfigError(
            f"Cannot listen on {host}, port {port}: {why}. Does another "
            "`nightschool serve` run? Choose another with --port."
        ) from error
