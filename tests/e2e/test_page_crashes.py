"""Web, worker and child as separate processes, killed while a load runs: the page ends with its figure by itself."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from config import Settings
from data.site import open_site
from jobs.job import Status
from jobs.ledger import open_ledger
from tests.e2e.conftest import year_of
from tests.e2e.gate import Gate
from tests.e2e.history_page import PATIENCE_S, HistoryPage
from tests.processes import WebProcess, WorkerProcess, is_gone, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.process, pytest.mark.timeout(240)]

HALF = "6 of 12 months"


class Parts:
    """A site in separate processes."""

    def __init__(self, start: Callable[..., WebProcess | WorkerProcess], settings: dict[str, object]) -> None:
        self._start = start
        self._settings = settings
        made = Settings(**settings)  # type: ignore[arg-type]
        self.ledger = open_ledger(made)
        self.site = open_site(made)

    def web(self, port: int = 0) -> WebProcess:
        found = self._start(WebProcess, port=port, **self._settings)
        assert isinstance(found, WebProcess)
        return found.start()

    def worker(self) -> WorkerProcess:
        before = {worker.id for worker in self.ledger.workers()}
        found = self._start(WorkerProcess, **self._settings)
        assert isinstance(found, WorkerProcess)
        found.wait_until_ready(lambda: bool({worker.id for worker in self.ledger.workers()} - before))
        return found


@pytest.fixture
def parts(tmp_path, data_dir) -> Iterator[Parts]:
    """Starts web and workers on the sample, and ends them."""
    with ExitStack() as started:
        yield Parts(
            lambda kind, **settings: started.enter_context(kind(cwd=tmp_path, **settings)),
            {"data_dir": data_dir, "timezone": "UTC", "worker_slots": 1},
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


def test_a_killed_web_process_stops_no_load_and_its_page_goes_on_by_itself_when_it_is_back(parts, gate, dash_br):
    worker, web = parts.worker(), parts.web()
    page, job = half_loaded(parts, gate, dash_br, web)
    child = worker.child()
    wait_until(lambda: page.points > 0, "something drawn", PATIENCE_S)
    web.kill()
    wait_until(lambda: page.driver.execute_script("return !document.getElementById('offline').hidden"), "a word", PATIENCE_S)
    assert "trying again by itself" in page.text("offline")
    assert page.points > 0  # what was drawn stays
    gate.release()
    page.wait_for_job(job.id, Status.COMPLETED)  # with no web process at all
    wait_until(lambda: is_gone(child), "the child to end after its result", PATIENCE_S)

    parts.web(web.port)
    wait_until_whole(page, job, 1)
    wait_until(lambda: page.driver.execute_script("return document.getElementById('offline').hidden"), "no word", PATIENCE_S)


def test_a_web_process_that_is_back_before_the_load_ends_shows_its_progress_again(parts, gate, dash_br):
    parts.worker()
    web = parts.web()
    with Gate(parts.site) as late:
        late.hold_from("JFK", 0.75)
        page, job = half_loaded(parts, gate, dash_br, web, gate.months("JFK")[6:9])
        web.kill()
        parts.web(web.port)
        gate.release()
        page.wait_for_text("progress-text", "9 of 12 months")
    wait_until_whole(page, job, 1)
    page.wait_for_text("progress-text", "Read ")


def test_a_killed_child_is_a_failed_attempt_on_the_page_and_the_next_one_finishes(parts, gate, dash_br):
    worker = parts.worker()
    page, job = half_loaded(parts, gate, dash_br, parts.web())
    page.remember_words()
    worker.child().kill()
    wait_until(lambda: parts.ledger.get(job.id).failures == 1, "the failed attempt", PATIENCE_S)
    os.kill(worker.pid, signal.SIGSTOP)  # the page must have the time to say it before the second attempt
    try:
        wait_until(lambda: any("Attempt 1 failed" in words for words in page.said()), "the failure in words", PATIENCE_S)
        assert any("SIGKILL" in words for words in page.said())
    finally:
        os.kill(worker.pid, signal.SIGCONT)
    page.wait_for_text("progress-text", "Reading JFK")
    gate.release()
    wait_until_whole(page, job, 2)
    assert parts.ledger.get(job.id).metrics["tiles_reused"] >= 6


def test_a_killed_worker_leaves_no_orphan_and_another_one_finishes_its_job(parts, gate, dash_br):
    worker = parts.worker()
    page, job = half_loaded(parts, gate, dash_br, parts.web())
    child = worker.child()
    worker.process.kill()
    wait_until(lambda: is_gone(child), "the child to end with its worker", PATIENCE_S)
    assert worker.family() == []
    page.wait_for_text("queue-note", "No worker is running", "manage.py worker")
    parts.worker()
    wait_until(lambda: parts.ledger.get(job.id).failures == 1, "the death to be noticed", PATIENCE_S)
    gate.release()
    wait_until_whole(page, job, 2)
    wait_until(lambda: page.text("queue-note") == "", "the note to go", PATIENCE_S)
