"""Web, worker and child as separate processes, killed while a load runs:
the page ends with its figure by itself.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from config import Settings
from data.site import open_site
from jobs.job import Status
from jobs.ledger.ledger import open_ledger
from tests.e2e.conftest import year_of
from tests.e2e.gate import Gate
from tests.e2e.history_page import PATIENCE_S, HistoryPage
from tests.processes import WebProcess, WorkerProcess, is_gone, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.process, pytest.mark.timeout(240)]

HALF = "6 of 12 months"


class Parts:
    """A site in separate processes."""

    def __init__(self, start: Callable[..., WebProcess | WorkerProcess], settings: dict[str, object], port: int) -> None:
        self._start = start
        self._settings, self._port = settings, port
        made = Settings(**settings)  # type: ignore[arg-type]
        self.ledger = open_ledger(made)
        self.site = open_site(made)

    def web(self) -> WebProcess:
        found = self._start(WebProcess, port=self._port, **self._settings)
        assert isinstance(found, WebProcess)
        return found.start()

    def worker(self) -> WorkerProcess:
        before = {worker.id for worker in self.ledger.workers()}
        found = self._start(WorkerProcess, **self._settings)
        assert isinstance(found, WorkerProcess)
        found.wait_until_ready(lambda: bool({worker.id for worker in self.ledger.workers()} - before))
        return found


@pytest.fixture
def parts(tmp_path, data_dir, site_port) -> Iterator[Parts]:
    """Starts web and workers on the sample, and ends them."""
    with ExitStack() as started:
        yield Parts(
            lambda kind, **settings: started.enter_context(kind(cwd=tmp_path, **settings)),
            {"data_dir": data_dir, "timezone": "UTC", "worker_slots": 1},
            site_port,
        )


@pytest.fixture
def gate(parts) -> Iterator[Gate]:
    with Gate(parts.site) as held:
        yield held


def half_loaded(parts, gate, browser, web, months=None):
    """The page of a load that waits half-way, and its job."""
    gate.hold("JFK", months or gate.months("JFK")[6:])
    page = HistoryPage(browser, web, parts.ledger)
    page.open(**year_of("JFK", "temperature"))
    job = page.load()
    page.wait_for_text("progress-text", HALF)
    return page, job


def wait_until_whole(page, job, attempt):
    assert page.wait_for_job(job.id, Status.COMPLETED).attempt == attempt
    page.wait_until_drawn()
    page.wait_for_text("badge", "complete")
    assert page.drawn_job == job.id
    assert [one.id for one in page.ledger.jobs()] == [job.id]


def test_a_killed_web_process_stops_no_load_and_its_page_goes_on_by_itself_whenever_it_is_back(parts, gate, dash_br):
    worker, web = parts.worker(), parts.web()
    shown = "return !document.getElementById('offline').hidden"
    with Gate(parts.site) as late:
        late.hold_from("JFK", 0.75)
        page, job = half_loaded(parts, gate, dash_br, web, gate.months("JFK")[6:9])
        child = worker.child()
        wait_until(lambda: page.points > 0, "something drawn", PATIENCE_S)
        web.kill()
        following = f"status {page.status!r}, {page.text('progress-text')!r}"
        wait_until(lambda: page.driver.execute_script(shown), f"a word of a page that was left with {following}", PATIENCE_S)
        assert "trying again" in page.text("offline")
        assert page.points > 0  # what was drawn stays
        web = parts.web()  # before the load ends: its progress again
        gate.release()
        page.wait_for_text("progress-text", "9 of 12 months")
        wait_until(lambda: not page.driver.execute_script(shown), "no word", PATIENCE_S)
        web.kill()
    page.wait_for_job(job.id, Status.COMPLETED)  # with no web process at all
    wait_until(lambda: is_gone(child), "the child to end after its result", PATIENCE_S)

    parts.web()
    wait_until_whole(page, job, 1)
    page.wait_for_text("progress-text", "Read ")
    wait_until(lambda: not page.driver.execute_script(shown), "no word", PATIENCE_S)


def test_a_killed_child_and_a_killed_worker_are_failed_attempts_on_the_page_and_the_next_one_finishes(parts, gate, dash_br):
    worker = parts.worker()
    page, job = half_loaded(parts, gate, dash_br, parts.web())
    page.remember_words()
    worker.child().kill()
    wait_until(lambda: parts.ledger.get(job.id).failures == 1, "the failed attempt", PATIENCE_S)
    # the page must have the time to say it before the second attempt
    os.kill(worker.pid, signal.SIGSTOP)
    try:
        wait_until(lambda: any("Attempt 1 failed" in words for words in page.said()), "the failure in words", PATIENCE_S)
        assert any("SIGKILL" in words for words in page.said())
    finally:
        os.kill(worker.pid, signal.SIGCONT)
    page.wait_for_text("progress-text", "Reading JFK")

    child = wait_until(worker.child, "the child of the second attempt", PATIENCE_S)
    worker.process.kill()
    wait_until(lambda: is_gone(child), "the child to end with its worker", PATIENCE_S)
    assert worker.family() == []
    page.wait_for_text("queue-note", "No worker is running", "manage.py worker")
    parts.worker()
    wait_until(lambda: parts.ledger.get(job.id).failures == 2, "the death to be noticed", PATIENCE_S)
    gate.release()
    wait_until_whole(page, job, 3)
    assert parts.ledger.get(job.id).metrics["tiles_reused"] >= 6
    wait_until(lambda: page.text("queue-note") == "", "the note to go", PATIENCE_S)
