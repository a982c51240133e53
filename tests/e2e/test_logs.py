"""One job followed through the logs of real processes:
from the click, through worker and child, to tiles and figure.
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dash.testing.browser import Browser

from config import Settings
from jobs.job import Status
from jobs.ledger.ledger import open_ledger
from tests.e2e.history_page import HistoryPage
from tests.processes import ServerProcess, WorkerProcess, answers, wait_until
from tests.served import GunicornProcess

pytestmark = pytest.mark.process


@pytest.fixture
def processes(data_dir: Path, tmp_path: Path) -> Iterator[tuple[GunicornProcess, WorkerProcess]]:
    """Web and worker on the sample, telling everything."""
    settings: dict[str, Any] = {"data_dir": data_dir, "timezone": "UTC", "log_level": "debug"}
    with GunicornProcess(cwd=tmp_path, **settings) as web, WorkerProcess(cwd=tmp_path, **settings) as worker:
        worker.wait_until_ready(lambda: answers(f"{web.url}/readyz"))
        yield web, worker


def lines(process: ServerProcess) -> list[dict[str, Any]]:
    return [json.loads(line) for line in process.output().splitlines()]


def test_one_job_id_leads_from_the_click_to_the_last_tile_and_the_figure(processes, data_dir: Path, dash_br: Browser):
    web, worker = processes
    ledger = open_ledger(Settings(data_dir=data_dir))
    page = HistoryPage(dash_br, web, ledger)
    page.open(station=["LGA"], sensor=["temperature"], from_="2013-01-01T00:00:00Z", to="2013-04-01T00:00:00Z")
    job = page.load()
    page.wait_until_drawn()
    assert page.wait_for_job(job.id, Status.COMPLETED).metrics["tiles_read"] == 3
    ledger.engine.dispose()
    wait_until(lambda: "job completed" in worker.output(), "the child to tell its end, which the ledger knows already")

    told = [line["event"] for line in lines(web) if line.get("job") == job.id]
    assert told[0] == "job submitted"
    assert "view drawn" in told
    done = [line for line in lines(worker) if line.get("job") == job.id]
    events = [line["event"] for line in done]
    # and what the worker says of the process soon after
    ends = ["attempt started", "job completed"]
    assert [event for event in events if event not in {"tile written", "child ended"}] == ends
    assert sorted(line["month"] for line in done if line["event"] == "tile written") == ["2013-01", "2013-02", "2013-03"]
    assert all(line["attempt"] == 1 for line in done)
    (end,) = [line for line in done if line["event"] == "job completed"]
    assert {"seconds", "rows", "bytes", "peak_memory_mb"} <= end.keys()

    others = [line for line in lines(web) + lines(worker) if "job" not in line]
    assert not [line for line in others if line["event"] in {"tile written", "view drawn", "attempt started", "job completed"}]

    with urllib.request.urlopen(f"{web.url}/metrics", timeout=20) as answer:
        numbers = dict(line.rsplit(" ", 1) for line in answer.read().decode().splitlines() if not line.startswith("#"))
    assert float(numbers['riwayat_view_seconds_count{view="page"}']) >= 1
    assert float(numbers['riwayat_recent_tiles{outcome="read",queue="history"}']) == 3
    assert float(numbers['riwayat_recent_rows{queue="history"}']) == end["rows"]
    assert float(numbers['riwayat_recent_peak_memory_bytes{quantile="1",queue="history"}']) == end["peak_memory_mb"] * 1e6
