"""While the database of jobs is frozen (it takes connections and says nothing) the web is not:
it says so, and recovers.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import create_app
from commands.setup import bring_up_to_date
from config import Settings
from tests.processes import wait_until
from tests.servers import OwnServer

_ONCE_S = 2.5  # a request or two that met the silence, on a busy machine
_AT_ONCE_S = 1.0


@pytest.fixture
def frozen_site(own_server: OwnServer, tmp_path: Path) -> Iterator[tuple[OwnServer, FlaskClient]]:
    """A site whose database of jobs may be frozen."""
    settings = Settings(data_dir=tmp_path / "var", database_url=own_server.new_database())
    bring_up_to_date(settings)
    yield own_server, create_app(settings).server.test_client()
    own_server.thaw()


def jobs(client: FlaskClient) -> TestResponse:
    return client.get("/api/jobs")


def test_what_needs_a_frozen_database_is_refused_and_after_the_first_at_once(frozen_site):
    server, client = frozen_site
    assert jobs(client).status_code == 200
    server.freeze()
    began_s = time.monotonic()
    first = jobs(client)
    assert time.monotonic() - began_s < _ONCE_S
    assert (first.status_code, first.get_json()["error"]["code"]) == (503, "unavailable")
    assert "Retry-After" in first.headers
    began_s = time.monotonic()
    assert {jobs(client).status_code for _ in range(5)} == {503}
    # one of them at the most was let through to find out
    assert time.monotonic() - began_s < _ONCE_S
    assert client.get("/readyz").get_json()["checks"]["jobs"] is False
    server.thaw()
    wait_until(lambda: jobs(client).status_code == 200, "the database to be found back", 10)


def test_many_that_ask_at_the_moment_of_freezing_wait_a_moment_and_files_do_not(frozen_site):
    server, client = frozen_site
    with ThreadPoolExecutor(8) as many:

        def ask(_number: int) -> int:
            return jobs(client.application.test_client()).status_code

        wait_until(lambda: set(many.map(ask, range(8))) == {200}, "eight connections, however busy the machine is")
        server.freeze()
        began_s = time.monotonic()
        asked = [many.submit(ask, number) for number in range(8)]
        assert client.get("/healthz").status_code == 200
        assert time.monotonic() - began_s < _AT_ONCE_S
        assert {one.result() for one in asked} == {503}
        assert time.monotonic() - began_s < _ONCE_S
    server.thaw()
    wait_until(lambda: jobs(client).status_code == 200, "the database to be found back", 10)


def test_a_database_that_was_only_restarted_is_not_taken_for_silent(frozen_site):
    server, client = frozen_site
    assert jobs(client).status_code == 200
    server.stop()
    server.start()
    assert jobs(client).status_code == 200
