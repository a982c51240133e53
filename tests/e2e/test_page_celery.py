"""The history page of a site whose jobs run on Celery: nothing that its user sees is different."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dash.testing.browser import Browser

from config import Settings
from data.site import open_site
from jobs.job import Status
from jobs.ledger.ledger import open_ledger
from tests.brokers import REDIS, redis_prefix
from tests.databases import POSTGRESQL, server_database
from tests.e2e.conftest import year_of
from tests.e2e.gate import Gate
from tests.e2e.history_page import PATIENCE_S, HistoryPage
from tests.processes import WebProcess, WorkerProcess, is_gone, run_manage, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.process, pytest.mark.timeout(240)]


@pytest.fixture
def on_celery(tmp_path: Path) -> Iterator[dict[str, Any]]:
    """Settings of a site with the sample in PostgreSQL, which holds its jobs, too."""
    with redis_prefix() as prefix, server_database(POSTGRESQL) as url:
        made: dict[str, Any] = {"data_dir": tmp_path / "var", "database_url": url, "observations_url": url, "timezone": "UTC"}
        made |= {"queue": "celery", "redis_url": REDIS, "redis_prefix": prefix, "worker_slots": 1, "worker_slots_large": 1}
        done = run_manage("setup", "--sample-only", cwd=tmp_path, **made)
        assert done.returncode == 0, done.stderr
        yield made


def test_a_load_on_celery_that_is_cancelled_ends_with_its_child_and_resumed_with_its_figure(
    on_celery: dict[str, Any], tmp_path: Path, site_port: int, dash_br: Browser
) -> None:
    settings = Settings(**on_celery)
    ledger, site = open_ledger(settings), open_site(settings)
    with (
        WebProcess(cwd=tmp_path, port=site_port, **on_celery) as web,
        WorkerProcess(cwd=tmp_path, **on_celery) as worker,
        Gate(site) as gate,
    ):
        web.start()
        worker.wait_until_ready(lambda: bool(ledger.workers()))
        gate.hold_from("JFK", 0.5)
        page = HistoryPage(dash_br, web, ledger)
        page.open(**year_of("JFK", "temperature"))
        job = page.load()
        page.wait_for_text("progress-text", "6 of 12 months")
        child = wait_until(worker.child, "the job's process", PATIENCE_S)
        page.press("cancel")
        page.wait_until_drawn("cancelled")
        assert ledger.get(job.id).status is Status.CANCELLED
        wait_until(lambda: is_gone(child), "the job's process to end", PATIENCE_S)

        gate.release()
        page.press_action()
        done = page.wait_for_job(job.id, Status.COMPLETED)
        page.wait_until_drawn()
        page.wait_for_text("badge", "complete")
        assert page.drawn_job == job.id
        assert (done.attempt, done.metrics["tiles_read"] + done.metrics["tiles_reused"]) == (2, 12)
    ledger.engine.dispose()
    site.engine.dispose()
