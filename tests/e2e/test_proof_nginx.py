"""The proof: behind a real nginx that waits 3 s for an answer,
a load of more than 30 s ends with its figure.

The load is long because its database is slow, not because the machine is: on PostgreSQL the table
of observations is put behind a view whose every query first waits (``pg_sleep``), as a busy SCADA
database would. Job and naive route read the same view in the same way, month by month. Meanwhile
all parts of the site are restarted, one after the other: gunicorn, the worker, and the PostgreSQL
that holds observations and jobs.
"""

from __future__ import annotations

import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from dash.testing.browser import Browser
from sqlalchemy import create_engine

from config import Settings
from jobs.job import Status
from jobs.ledger.ledger import Ledger, open_ledger
from tests.e2e.conftest import YEAR
from tests.e2e.history_page import HistoryPage
from tests.people import grant_everyone
from tests.processes import ROOT, ServerProcess, WorkerProcess, answers, free_port, run_manage, site_environment, wait_until
from tests.served import BASIC, USER, GunicornProcess, NginxProcess
from tests.servers import OwnServer

pytestmark = [pytest.mark.process, pytest.mark.slow]

PROXY_WAITS_S = 3
LOAD_S = 30.0
PAGE_S = 1.0
ASKS_A_TRY = 5  # callbacks of a page that takes up its job again, at most
QUERY_S = 5.0  # 13 months, of all stations at once as a view has no index, two at a time: 30 s and more
STATIONS = ("EWR", "JFK", "LGA")
SLOW_VIEW = f"""
ALTER TABLE observation RENAME TO observation_kept;
CREATE VIEW observation AS
WITH slow AS MATERIALIZED (SELECT pg_sleep({QUERY_S})) SELECT kept.* FROM observation_kept AS kept, slow;
"""


@dataclass
class Deployed:
    """nginx, two web processes, a worker, a PostgreSQL for everything,
    and the naive route beside them.
    """

    folder: Path
    settings: dict[str, Any]
    ledger: Ledger
    database: OwnServer
    web: GunicornProcess
    worker: WorkerProcess
    nginx: NginxProcess
    naive: ServerProcess
    open: ExitStack = field(default_factory=ExitStack)
    web_away: tuple[datetime, datetime] | None = None

    def restart_web(self) -> None:
        """Stop gunicorn and start it anew.

        Between its bind and its first worker the kernel takes requests that nobody answers yet:
        nginx says 504 for those that waited too long, and the page asks anew.
        """
        began = datetime.now(UTC)
        self.web.stop()
        self.web = self.open.enter_context(GunicornProcess(cwd=self.folder, port=self.web.port, **self.settings)).start()
        self.web_away = began, datetime.now(UTC) + timedelta(seconds=PAGE_S)

    def while_web_was_away(self, request: dict[str, Any]) -> bool:
        """Say whether nginx wrote a request down during the restart or just after it."""
        assert self.web_away is not None
        began, ended = self.web_away
        written = datetime.fromisoformat(request["timestamp"])  # in whole seconds, at its end
        return began - timedelta(seconds=1) <= written <= ended + timedelta(seconds=PROXY_WAITS_S)

    def restart_database(self, asks: Callable[[], int]) -> None:
        """Shut PostgreSQL down; when the worker has missed it and ``asks`` says that
        the page asks on, start it again.

        Nobody knows then who asks and what they may see:
        each answer is 503, and the page begins anew, more and more rarely.
        """
        self.database.stop()
        before = asks()
        wait_until(lambda: "the ledger does not answer" in self.worker.output(), "the worker to miss PostgreSQL")
        wait_until(lambda: asks() > before + ASKS_A_TRY, "the page to ask for its job all the same")
        self.database.start()

    def restart_worker(self) -> None:
        self.worker.stop()
        self.worker = self.open.enter_context(WorkerProcess(cwd=self.folder, **self.settings))


@pytest.fixture
def deployed(tmp_path: Path, own_postgresql: OwnServer) -> Iterator[Deployed]:
    """A site on the bundled sample, in PostgreSQL behind the slow view."""
    with ExitStack() as stack:
        url, port = own_postgresql.new_database(), free_port()
        settings: dict[str, Any] = {"data_dir": tmp_path / "var", "database_url": url, "observations_url": url}
        settings |= {"timezone": "UTC", "auth": "proxy", "url_prefix": "/riwayat/"}
        done = run_manage("setup", "--sample-only", cwd=tmp_path, **settings)
        assert done.returncode == 0, done.stderr
        _make_slow(url)
        grant_everyone(Settings(database_url=url))
        ledger = open_ledger(Settings(database_url=url))
        stack.callback(ledger.engine.dispose)
        web = stack.enter_context(GunicornProcess(cwd=tmp_path, **settings))
        worker = stack.enter_context(WorkerProcess(cwd=tmp_path, **settings))
        beside = {**site_environment(), "PYTHONPATH": str(ROOT)}
        naive = stack.enter_context(ServerProcess(["-m", "tests.e2e.naive", str(port), url], cwd=tmp_path, env=beside))
        extra = f"location /naive/ {{ auth_basic off; proxy_pass http://127.0.0.1:{port}; }}"
        nginx = stack.enter_context(NginxProcess(tmp_path, web.port, read_timeout=f"{PROXY_WAITS_S}s", extra=extra))
        web.start()
        naive.wait_until_ready(lambda: answers(f"http://127.0.0.1:{nginx.port}/naive/here"))
        worker.wait_until_ready(lambda: answers(f"{nginx.url}/readyz"))
        yield Deployed(tmp_path, settings, ledger, own_postgresql, web, worker, nginx, naive, stack)


def _make_slow(url: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in SLOW_VIEW.split(";")[:-1]:
            connection.exec_driver_sql(statement)
    engine.dispose()


def _ask_naively(nginx: NginxProcess) -> tuple[int, float]:
    """Status and seconds of the synchronous route."""
    began_s = time.monotonic()
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{nginx.port}/naive/load", timeout=120) as answer:
            return answer.status, time.monotonic() - began_s
    except urllib.error.HTTPError as error:
        with error:
            return error.code, time.monotonic() - began_s


def _page_requests(nginx: NginxProcess) -> list[dict[str, Any]]:
    """What the page asked for: itself, callbacks, polls.

    Neither event streams nor downloads nor the looks of this test; nor scripts and styles, which a
    browser fetches once and whose time is that of their way to it.
    """
    apart = re.compile(r"/events$|/data$|/healthz$|/readyz$|/_dash-component-suites/|/assets/|/bootstrap\.css$|/_favicon\.ico$")
    return [one for one in nginx.requests() if one["path"].startswith("/riwayat/") and not apart.search(one["path"])]


def _ahead(deployed: Deployed, job_id: str, least: float) -> Callable[[], bool]:
    def reached() -> bool:
        job = deployed.ledger.get(job_id)
        assert not job.status.is_final, f"{job.status.value} too soon: {job.error}"
        return job.progress is not None and job.progress.fraction >= least

    return reached


@pytest.mark.timeout(240)
def test_a_load_far_longer_than_the_proxy_waits_ends_with_its_figure_through_restarts(deployed: Deployed, dash_br: Browser):
    page = HistoryPage(dash_br, deployed.nginx, deployed.ledger)  # type: ignore[arg-type]
    page.driver.execute_cdp_cmd("Network.enable", {})
    page.driver.execute_cdp_cmd("Network.setExtraHTTPHeaders", {"headers": {"Authorization": BASIC}})
    page.open(station=STATIONS, sensor=["temperature"], **YEAR)
    with ThreadPoolExecutor(1) as beside:
        job = page.load()
        naive: Future[tuple[int, float]] = beside.submit(_ask_naively, deployed.nginx)
        wait_until(_ahead(deployed, job.id, 0.15), "some of the load to be done")
        deployed.restart_web()
        wait_until(_ahead(deployed, job.id, 0.45), "more of the load to be done")
        deployed.restart_worker()
        wait_until(_ahead(deployed, job.id, 0.7), "most of the load to be done")
        deployed.restart_database(page.asks)
        page.wait_for_job(job.id, Status.COMPLETED)
        page.wait_until_drawn()
        done, (status, naive_s) = deployed.ledger.get(job.id), naive.result()

    assert done.owner == USER
    assert done.finished_ms is not None
    assert done.finished_ms - done.created_ms >= LOAD_S * 1000
    assert done.attempt >= 2, "the worker was restarted"
    assert done.failures <= 1, "PostgreSQL's restart cost an attempt at most"
    assert done.metrics["tiles_reused"] > 0, "what was read before stays read"
    assert page.points > 1000
    assert page.drawn_job == job.id

    asked = _page_requests(deployed.nginx)
    assert len(asked) > LOAD_S  # it asked more than once a second
    served = [one for one in asked if not deployed.while_web_was_away(one)]
    assert [one for one in served if one["seconds"] > PAGE_S] == []
    # 503 while PostgreSQL was away; 499 where the page asked anew
    assert {one["status"] for one in served} <= {200, 204, 302, 304, 499, 503}
    assert {one["status"] for one in asked} <= {200, 204, 302, 304, 499, 502, 503, 504}
    assert status == 504
    assert PROXY_WAITS_S <= naive_s < LOAD_S
