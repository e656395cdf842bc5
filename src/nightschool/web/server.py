"""Runs the web application with uvicorn."""

from __future__ import annotations

from collections.abc import Callable, Collection

import uvicorn

from nightschool.types import ConfigError
from nightschool.web.app import create_app
from nightschool.web.desk import Desk
from nightschool.web.guard import LOCAL_NAMES, is_loopback


def run(
    school: Desk,
    host: str | None = None,
    port: int | None = None,
    *,
    allow_remote: bool = False,
    hosts: Collection[str] = (),
    say: Callable[[str], None] = print,
) -> None:
    """Serve a school until it is interrupted; host and port default to the school's settings.

    Without `allow_remote` only this machine is let in; ConfigError for another address. `hosts`
    are further names by which browsers may call the server (behind a proxy, or a tunnel on
    another port: "name:port").
    """
    host = host or school.config.host
    port = school.config.port if port is None else port
    local = is_loopback(host)
    if not local and not allow_remote:
        raise ConfigError(
            f"{host} can be reached from other machines, and whoever reaches the page may answer "
            "and use the model: there is no password. Serve on 127.0.0.1, or say --allow-remote."
        )
    names = set(hosts)
    if not local:
        names.add(host.strip("[]"))
    app = create_app(school, hosts=names, any_address=not local)
    config = uvicorn.Config(
        app,
        host=host.strip("[]"),
        port=port,
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=5,
    )
    _Announced(config, host, say).run()


class _Announced(uvicorn.Server):
    """A uvicorn server that says its address once it can be opened (the port may be 0)."""

    def __init__(self, config: uvicorn.Config, host: str, say: Callable[[str], None]) -> None:
        super().__init__(config)
        self._host, self._say = host, say

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        await super().startup(sockets)  # type: ignore[arg-type]
        bound = [s.getsockname()[1] for server in self.servers for s in server.sockets]
        if not self.started or not bound:
            return
        name = "127.0.0.1" if self._host in LOCAL_NAMES | {"0.0.0.0", "::"} else self._host  # noqa: S104
        self._say(f"Answer questions at http://{name}:{bound[0]}/ (Ctrl-C ends).")
