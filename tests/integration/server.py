"""A real `nightschool serve` in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])


class Server:
    """Starts, kills and restarts the server of one school on one port."""

    def __init__(
        self, folder: Path, port: int | None = None, how: Sequence[str] = ("-m", "nightschool")
    ) -> None:
        self.folder = folder
        self.how = how
        self.port = port or free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = [
            sys.executable,
            *self.how,
            "--school",
            str(self.folder),
            "serve",
            "--no-accounts",
        ]
        log = open(self.folder.parent / "server.log", "ab")  # noqa: SIM115
        self.process = subprocess.Popen(
            [*command, "--port", str(self.port)], stdout=log, stderr=subprocess.STDOUT,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        log.close()
        for _ in range(400):
            try:
                self.get("/api/status")
                return
            except OSError:
                assert self.process.poll() is None, (self.folder.parent / "server.log").read_text()
                time.sleep(0.05)
        raise AssertionError("the server does not answer")

    def kill(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(20)

    def get(self, path: str) -> dict:
        with urllib.request.urlopen(self.url + path, timeout=20) as reply:
            return json.loads(reply.read())

    def post(self, path: str, body: dict) -> dict:
        request = urllib.request.Request(
            self.url + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=20) as reply:
            return json.loads(reply.read())
