"""Runs the web application with uvicorn."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Collection

import uvicorn

from nightschool.types import ConfigError
from nightschool.web.app import create_app
from nightschool.web.desk import Desk
from nightschool.web.guard import is_loopback

ANYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104


def run(
    school: Desk,
    host: str | None = None,
    port: int | None = None,
    *,
    allow_remote: bool = False,
    hosts: Collection[str] = (),
    say: Callable[[str], None] = print,
) -> None:
    """Serve a school until Ctrl-C; host and port default to the school's settings.

    Without `allow_remote` only this machine is let in: ConfigError for another address, as for
    one that is taken. `hosts` are further names by which browsers may call the server (behind a
    proxy, or a tunnel on another port: "name:port"). Port 0 takes any free one. `say` is told
    the address once it can be opened.
    """
    host = (host or school.config.host).strip("[]")
    port = school.config.port if port is None else port
    local = is_loopback(host)
    if not local and not allow_remote:
        raise ConfigError(
            f"{host} can be reached from other machines, and whoever reaches the page may answer "
            "and use the model: there is no password. Serve on 127.0.0.1, or say --allow-remote."
        )
    names = set(hosts) if local else {*hosts, host}
    app = create_app(school, hosts=names, any_address=not local)
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=5,
    )
    with _listen(host, port) as door, contextlib.suppress(KeyboardInterrupt):
        name = "127.0.0.1" if host in ANYWHERE else f"[{host}]" if ":" in host else host
        say(f"Answer questions at http://{name}:{door.getsockname()[1]}/ (Ctrl-C ends).")
        uvicorn.Server(config).run(sockets=[door])


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family, backlog=128)
    except OSError as error:
        raise ConfigError(
            f"Cannot listen on {host}, port {port}: {error.strerror or error}. Does another "
            "`nightschool serve` run? Choose another with --port."
        ) from error
