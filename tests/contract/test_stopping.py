"""A cancelled job, and one that takes too long, leave nothing running on the server;
real workers, real queries.
"""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import create_engine

from access.store import migrate_access
from config import Settings
from data.database.engine import make_engine
from data.ingest.writer import ObservationWriter
from data.request import HistoryRequest
from data.site import open_site
from data.source.connection.server_sessions import stop_queries
from errors import SourceUnavailable
from jobs.job import Job, Status
from jobs.ledger.ledger import Ledger, migrate_jobs, open_ledger
from jobs.worker.wake import wake
from tests.databases import MIGRATED, running_queries
from tests.processes import ROOT, ServerProcess, assert_within, site_environment, wait_until

JANUARY_2020, HOUR = 1_577_836_800_000, 3_600_000
REQUEST = HistoryRequest(("a",), ("temperature",), JANUARY_2020, JANUARY_2020 + 10 * HOUR)
FOREVER = {"postgresql": "pg_sleep(600) IS NOT NULL", "mysql": "SLEEP(600) = 0"}


@pytest.fixture(params=["postgresql", "mariadb"])
def observations_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database of a server: SQLite's queries end with their process."""
    with MIGRATED[request.param](tmp_path) as url:
        yield url


@pytest.fixture
def settings(observations_url: str, tmp_path: Path) -> Settings:
    """A site with one station of ten rows."""
    made = Settings(data_dir=tmp_path / "var", observations_url=observations_url)
    made.prepare()
    site = open_site(made)
    writer = ObservationWriter(site.engine, site.catalogue, ["temperature"])
    with site.engine.begin() as connection:
        site.inventory.lock(connection, "a")
        writer.write(connection, "a", JANUARY_2020 + np.arange(10) * HOUR, np.arange(10.0).reshape(-1, 1))
        site.inventory.describe(connection, "a", sensors=dict.fromkeys(["temperature"]), step_ms=HOUR)
    site.engine.dispose()
    return made


@pytest.fixture
def ledger(settings: Settings) -> Iterator[Ledger]:
    opened = open_ledger(settings)
    migrate_jobs(opened.engine)
    migrate_access(opened.engine)
    yield opened
    opened.engine.dispose()


@contextmanager
def sleeping(url: str) -> Iterator[None]:
    """The table is a view now that takes ten minutes for each row."""
    engine = create_engine(url)
    with engine.begin() as connection:
        condition = FOREVER[engine.dialect.name]
        connection.exec_driver_sql("ALTER TABLE observation RENAME TO observation_rows")
        connection.exec_driver_sql(f"CREATE VIEW observation AS SELECT * FROM observation_rows WHERE {condition}")
    engine.dispose()
    yield


@contextmanager
def locked(url: str) -> Iterator[None]:
    """Somebody holds the table for himself."""
    engine = create_engine(url)
    lock = {"postgresql": "LOCK TABLE observation IN ACCESS EXCLUSIVE MODE", "mysql": "LOCK TABLES observation WRITE"}
    with engine.begin() as connection:
        connection.exec_driver_sql(lock[engine.dialect.name])
        yield
        if engine.dialect.name == "mysql":
            connection.exec_driver_sql("UNLOCK TABLES")
    engine.dispose()


@pytest.fixture(params=[sleeping, locked], ids=["sleeping", "locked"])
def stuck(request: pytest.FixtureRequest, settings: Settings) -> Iterator[None]:
    """Reading observations takes longer than anybody waits."""
    with request.param(settings.history_url):
        yield


@contextmanager
def worker(settings: Settings, ledger: Ledger, tmp_path: Path) -> Iterator[ServerProcess]:
    environment = site_environment(data_dir=settings.data_dir, observations_url=settings.observations_url)
    with ServerProcess([str(ROOT / "manage.py"), "worker"], cwd=tmp_path, env=environment) as process:
        process.wait_until_ready(lambda: any(alive.pid == process.pid for alive in ledger.workers()))
        yield process


def sessions(url: str) -> list[str]:
    """What the server is doing for the job: its statements on the observations."""
    return running_queries(url, "observation")


def asked(settings: Settings, ledger: Ledger, **how: Any) -> Job:
    job = ledger.submit("siti", REQUEST, **how)
    wake(settings)
    wait_until(lambda: sessions(settings.history_url), "the query to run on the server")
    return job


def quiet_after_s(settings: Settings) -> float:
    """How long the server still does something for the job."""
    began_s = time.monotonic()
    wait_until(lambda: not sessions(settings.history_url), "the server to be quiet")
    return time.monotonic() - began_s


@pytest.mark.process
def test_after_a_cancel_the_query_is_gone_from_the_server_within_a_second(settings, ledger, stuck, tmp_path):
    def cancel() -> float:
        job = asked(settings, ledger)
        ledger.cancel(job.id)
        wake(settings)
        took_s = quiet_after_s(settings)
        assert ledger.get(job.id).status is Status.CANCELLED
        return took_s

    with worker(settings, ledger, tmp_path):
        assert_within(1.0, cancel)


@pytest.mark.process
def test_after_the_time_limit_the_query_is_gone_from_the_server_within_a_second(settings, ledger, stuck, tmp_path):
    def overrun() -> float:
        job = asked(settings, ledger, timeout_s=3.0, tries=1)
        wait_until(lambda: ledger.get(job.id).status is Status.FAILED, "the job to fail")
        failed = ledger.get(job.id)
        assert failed.error is not None
        assert failed.error.code == "timeout"
        return quiet_after_s(settings)

    with worker(settings, ledger, tmp_path):
        assert_within(1.0, overrun)


@pytest.mark.process
def test_a_stopped_worker_leaves_no_query_behind(settings, ledger, tmp_path):
    with sleeping(settings.history_url), worker(settings, ledger, tmp_path) as process:
        job = asked(settings, ledger)
        assert process.stop() == 0
        assert ledger.get(job.id).status is Status.QUEUED
        quiet_after_s(settings)


def test_only_the_sessions_of_that_name_are_stopped(observations_url):
    engines = {name: make_engine(observations_url, application_name=name) for name in ("riwayat-a-1", "riwayat-a-11", "me")}
    sleep = {"postgresql": "SELECT pg_sleep(600)", "mysql": "SELECT SLEEP(600)"}[engines["me"].dialect.name]

    def run(name: str) -> None:
        with engines[name].connect() as connection:
            connection.exec_driver_sql(f"{sleep} AS {name.replace('-', '_')}")

    with ThreadPoolExecutor(2) as pool:
        first, second = (pool.submit(run, name) for name in ("riwayat-a-1", "riwayat-a-11"))
        wait_until(lambda: len(running_queries(observations_url, "600")) == 2, "both to run")
        assert stop_queries(engines["me"], "riwayat-a-1") == 1
        assert first.exception(60) is not None
        assert not second.done()
        assert stop_queries(engines["me"], "riwayat-a-11") == 1
        assert second.exception(60) is not None
    assert stop_queries(engines["me"], "riwayat-a-1") == 0
    for engine in engines.values():
        engine.dispose()


@pytest.mark.parametrize("fast", [True, False])
def test_no_query_runs_longer_than_the_limit_of_a_job_on_either_path(settings, fast):
    with sleeping(settings.history_url):
        site = open_site(settings.model_copy(update={"job_timeout": 0.5}))
        with site.source.open(fast=fast) as reader, pytest.raises(SourceUnavailable, match="did not finish a query in time"):
            reader.read("a", ["temperature"], [(JANUARY_2020, JANUARY_2020 + HOUR)])
        quiet_after_s(settings)  # the server may tell its client a moment before it is
        site.engine.dispose()
