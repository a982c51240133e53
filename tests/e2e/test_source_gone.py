"""The server of a table that a site has already is gone, for real, while a job reads:
kill -9, and some time later back.
"""

import time

import numpy as np
import pytest

from data.database.engine import make_engine
from data.request import request_of
from data.source_sync import sync_inventory
from errors import SourceUnavailable
from jobs.job import Status
from tests.databases import running_queries
from tests.e2e.desk import LONG_S, desk_at
from tests.foreign import Foreign, rows_of, utc_ms, wall
from tests.processes import run_manage, wait_until
from tests.servers import PASSWORD

pytestmark = pytest.mark.process

CONNECTORX_TRIES_S = 30  # to connect
HOURS_6 = 21_600_000
TIMES = np.arange(utc_ms(2019, 1, 1), utc_ms(2020, 1, 1), HOURS_6)
VALUES = np.round(25 + 5 * np.sin(np.arange(len(TIMES))), 2)
MAPPING = """
url = '{url}'
table = "wide"
time = "at"
timezone = "Asia/Jakarta"
station = "station"
[sensors]
temperature = "temp"
"""
# A view that takes as long for each row as another table says.
SLOWLY = {
    "postgresql": "CASE WHEN pg_sleep((SELECT seconds FROM pace)) IS NOT NULL THEN temp END",
    "mysql": "CASE WHEN SLEEP((SELECT seconds FROM pace)) = 0 THEN temp END",
}


@pytest.fixture
def foreign(own_server, tmp_path):
    """A year of one station on a server of the test's own, read at the pace of table ``pace``."""
    engine = make_engine(own_server.new_database())
    made = Foreign(engine, tmp_path, {"mysql": "mariadb"}.get(engine.dialect.name, engine.dialect.name))
    made.make("kept", "station VARCHAR(40), at WALL, temp DOUBLE PRECISION")
    made.add(
        "kept",
        ({"station": "aws 1", "at": wall(int(at)), "temp": float(temp)} for at, temp in zip(TIMES, VALUES, strict=True)),
    )
    made.run(
        "CREATE TABLE pace (seconds DOUBLE PRECISION)",
        "INSERT INTO pace VALUES (0)",
        f"CREATE VIEW wide AS SELECT station, at, {SLOWLY[engine.dialect.name]} AS temp FROM kept",
    )
    yield made
    engine.dispose()


@pytest.mark.parametrize("path", ["fast", "general"])
def test_a_server_that_is_killed_under_a_reader_and_comes_back_costs_some_tries_and_no_tile(own_server, foreign, tmp_path, path):
    mapping, folder = tmp_path / "mapping.toml", tmp_path / "var"
    mapping.write_text(MAPPING.format(url=foreign.url if path == "fast" else f"{foreign.url}?connect_timeout=5"))
    assert run_manage("migrate", cwd=tmp_path, data_dir=folder).returncode == 0
    request = request_of(["aws 1"], ["temperature"], "2019-01-01", "2020-01-01", "raw", "UTC")
    with desk_at(tmp_path, data_dir=folder, source=mapping, job_tries=50) as desk:
        sync_inventory(desk.site)
        desk.site.source.engine.dispose()
        desk.gate.hold_from("aws 1", 0.5)
        worker = desk.start_worker()
        job = desk.submit(request)
        there = wait_until(lambda: desk.tiles("aws 1") >= 5 and desk.tiles("aws 1"), "half the tiles to be there", LONG_S)
        foreign.run("UPDATE pace SET seconds = 0.01")
        desk.gate.release()
        wait_until(lambda: reading(foreign, own_server), "a query to be reading", LONG_S)
        own_server.kill()

        wait_until(lambda: desk.now(job).failures, "an attempt to fail", LONG_S)
        failed = desk.now(job)
        assert (failed.error.code, failed.error.retryable) == ("source_unavailable", True)
        database = foreign.engine.url
        assert f"database {database.database} on 127.0.0.1:{own_server.port} does not answer" in failed.error.message
        assert not failed.status.is_final

        own_server.start()
        foreign.engine.dispose()
        foreign.run("UPDATE pace SET seconds = 0")
        done = desk.become(job, Status.COMPLETED)
        assert done.attempt == done.failures + 1
        assert done.metrics["tiles_reused"] >= there
        assert done.metrics["tiles_read"] + done.metrics["tiles_reused"] == 12
        times, values, flags = rows_of(desk.site, "aws 1", "temperature")
        assert (times == TIMES).all()
        assert (values == VALUES).all()
        assert not flags.any()
        assert PASSWORD not in worker.output() + failed.error.message


def test_a_server_that_is_gone_between_two_queries_is_missed_at_once(own_server, foreign):
    with foreign.site(MAPPING.split("\n", 2)[2]) as site, site.source.open() as reader:
        january, february, march = utc_ms(2019, 1, 1), utc_ms(2019, 2, 1), utc_ms(2019, 3, 1)
        assert len(reader.read("aws 1", ["temperature"], [(january, february)]).times) == 31 * 4
        assert reader.fast_reads == 1
        own_server.kill()
        began_s = time.monotonic()
        with pytest.raises(SourceUnavailable, match="does not answer"):
            reader.read("aws 1", ["temperature"], [(february, march)])
        assert time.monotonic() - began_s < CONNECTORX_TRIES_S


def reading(foreign, server):
    """Whether the server is sending rows of a month, by a query or, on PostgreSQL, from a cursor;
    a fingerprint is no reading.
    """
    found = running_queries(foreign.url, "", server=server.administrator)
    return any("FETCH" in query or ("wide" in query and "count(" not in query.lower()) for query in found)
