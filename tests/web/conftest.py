from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient
from web_fakes import FakeSchool, Server

from nightschool.web import create_app


@pytest.fixture
def school() -> FakeSchool:
    return FakeSchool.of("One and one is", "Two and two is", "Three and three is")


@pytest.fixture
def client(school: FakeSchool) -> Iterator[TestClient]:
    with TestClient(create_app(school), base_url="http://127.0.0.1:8000") as client:
        yield client


@pytest.fixture
def server(school: FakeSchool) -> Iterator[Server]:
    server = Server(school).start()
    yield server
    server.stop()
