"""What is wrong is said where the user looks, with what to do about it, and no job is started. And what a quiet page does."""

from __future__ import annotations

import time

import pytest

from config import Settings
from data.request import HistoryRequest
from jobs.job import Status
from jobs.ledger import open_ledger
from tests.e2e.conftest import year_of
from tests.e2e.history_page import PATIENCE_S, HistoryPage
from tests.processes import WebProcess, WorkerProcess, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.process, pytest.mark.timeout(240)]

QUIET_S = 4.0  # eight times as long as a job's page waits between two polls

# Query of the address -> what the notice says.
WRONG_ADDRESSES = {
    "station=Atlantis&sensor=temperature": ("Atlantis", "JFK"),
    "station=JFK&sensor=mood": ("mood", "temperature"),
    "station=JFK&sensor=temperature&from=yesterday-ish": ("yesterday-ish",),
    "station=JFK&sensor=temperature&from=2013-02-30": ("2013-02-30",),
    "station=JFK&sensor=temperature&resolution=1parsec": ("1parsec", "1min"),
    "station=%3Cscript%3Ealert(1)%3C/script%3E": ("<script>alert(1)</script>",),
    "job=nonsense": ("no longer known",),
    "job=%00%FF..%2F..%2Fetc%2Fpasswd": ("no longer known",),
    "station=JFK&job=jAAAAAAAAAAAAAAAA": ("no longer known",),
}


def visit(page, query):
    page.driver.get(f"{page.site.url}/?{query}")


def test_a_wrong_address_is_said_and_starts_nothing(running, sample_page):
    for query, parts in WRONG_ADDRESSES.items():
        visit(sample_page, query)
        sample_page.wait_for_text("alert", *parts)
        assert running.ledger.jobs() == [], query
    assert sample_page.severe() == []


def test_an_address_of_strange_letters_or_of_nothing_gives_the_empty_form(running, sample_page):
    for query in ("", "%FF%00&&&===", "a" * 5000, "station=&sensor=&from=&to=", "theme=dark#nowhere"):
        visit(sample_page, query)
        sample_page.wait_for_text("estimate", "Choose stations and sensors")
        assert sample_page.text("alert") == ""
    assert sample_page.severe() == []
    assert running.ledger.jobs() == []


def test_nothing_selected_a_wrong_time_and_an_end_before_the_start_are_said_before_and_after_the_press(running, sample_page):
    page = sample_page
    visit(page, "")
    page.wait_for_text("estimate", "Choose stations and sensors")
    page.press("load")
    page.wait_for_text("alert", "Choose at least one station.")
    visit(page, "station=JFK")
    page.wait_for_text("estimate", "Choose stations and sensors")
    page.press("load")
    page.wait_for_text("alert", "Choose at least one sensor.")

    page.open(**year_of("JFK", "temperature"))
    page.type("range-start", "2014-06-01 00:00")
    page.wait_for_text("estimate", "The start must lie before the end.")
    page.press("load")
    page.wait_for_text("alert", "The start must lie before the end.")
    page.open(**year_of("JFK", "temperature"))  # anew: a second press soon after is taken for a double click
    page.type("range-start", "soon")
    page.wait_for_text("estimate", "soon")
    page.press("load")
    page.wait_for_text("alert", "soon")
    assert (page.address_job, page.status, running.ledger.jobs()) == ("", "", [])


def test_a_range_outside_the_data_names_the_range_there_is_and_one_press_takes_it(running, sample_page):
    page = sample_page
    visit(page, "station=JFK&sensor=temperature&from=1999-01-01&to=1999-02-01")
    page.wait_for_text("estimate", "2013")
    page.press("load")
    page.wait_for_text("alert", "2013", "Use the range there is")
    assert running.ledger.jobs() == []
    page.press_action()
    page.wait_for_text("estimate", "rows")
    assert page.value("range-start").startswith("2013-01-01")
    assert page.text("alert") == ""
    job = page.load()
    page.wait_for_job(job.id, Status.COMPLETED)
    page.wait_until_drawn()


def test_without_a_worker_nothing_is_started_and_what_waits_says_so_with_the_command(tmp_path, data_dir, dash_br, site):
    settings = {"data_dir": data_dir, "timezone": "UTC"}
    ledger = open_ledger(Settings(**settings))
    with WebProcess(cwd=tmp_path, **settings) as web:
        page = HistoryPage(dash_br, web.start(), ledger)
        page.open(**year_of("JFK", "temperature"))
        page.press("load")
        page.wait_for_text("alert", "No worker is running", "manage.py worker")
        assert (page.address_job, ledger.jobs()) == ("", [])

        station = site.inventory.station("JFK")
        waiting = ledger.submit("local", HistoryRequest(("JFK",), ("temperature",), station.first_ms, station.last_ms + 1))
        page.open_job(waiting.id)
        page.wait_for_text("progress-text", "Queued at position 1")
        page.wait_for_text("queue-note", "No worker is running", "manage.py worker")
        with WorkerProcess(cwd=tmp_path, **settings):
            page.wait_until_drawn()
        wait_until(lambda: page.text("queue-note") == "", "the note to go", PATIENCE_S)


def test_ordinary_use_asks_no_other_address_logs_no_error_and_a_page_without_a_running_job_is_quiet(running, gate, sample_page):
    page = sample_page
    gate.hold_from("JFK", 0.5)
    page.open(**year_of("JFK", "temperature", "rainfall", "wind_direction"))
    assert_quiet(page)  # nothing loaded yet
    page.load()
    page.wait_for_text("progress-text", "6 of 12 months")
    page.press("cancel")
    page.wait_until_drawn("cancelled")
    assert_quiet(page)
    gate.release()
    page.press_action()
    page.wait_until_drawn()
    page.wait_for_text("badge", "complete")
    assert_quiet(page)
    assert {address.split("/")[2] for address in page.requests() if not address.startswith(("data:", "blob:"))} == {
        page.site.url.removeprefix("http://")
    }
    assert page.severe() == []


def assert_quiet(page):
    """Nothing at all is asked of the server for a while, once what was under way is answered."""
    wait_until(lambda: settled(page), "the page to come to rest", PATIENCE_S)
    before = len(page.requests())
    until = time.monotonic() + QUIET_S
    wait_until(lambda: time.monotonic() > until or len(page.requests()) > before, "the time to pass", QUIET_S + 5)
    assert page.requests()[before:] == []


def settled(page):
    """Whether the last answer is half a second old."""
    script = (
        "const last = performance.getEntriesByType('resource').at(-1);"
        "return !last || (last.responseEnd > 0 && performance.now() - last.responseEnd > 500);"
    )
    return page.driver.execute_script(script)
