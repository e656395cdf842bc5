"""The server as a process: it says where it is, serves, and ends on Ctrl-C."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from web_fakes import FakeSchool

from nightschool.types import ConfigError
from nightschool.web import run

CODE = """
import sys; sys.path.insert(0, sys.argv[1])
from web_fakes import FakeSchool
from nightschool.web import run
run(FakeSchool.of("One and one is"), port=0, say=lambda line: print(line, flush=True))
"""


def test_it_says_where_it_is_and_ends_quietly() -> None:
    command = [sys.executable, "-c", CODE, str(Path(__file__).parent)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as p:
        try:
            assert p.stdout is not None
            found = re.search(r"http://127\.0\.0\.1:\d+/", p.stdout.readline())
            assert found is not None
            assert "One and one" in httpx.get(f"{found[0]}api/next?person=me").text
            assert httpx.get(found[0]).headers.get("server") is None
        finally:
            p.send_signal(signal.SIGINT)
        _, errors = p.communicate(timeout=15)
    assert (p.returncode, errors) == (0, "")


def test_a_port_that_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said: list[str] = []
        with pytest.raises(ConfigError, match=f"port {port}.*--port") as refused:
            run(FakeSchool.of(), port=port, say=said.append, notes=["By day somebody answers."])
    assert (str(refused.value).count(str(port)), said) == (1, [])
