"""The Jobs page in a real browser: a load is watched, stopped, tried again,
opened and changed from there.
"""

from __future__ import annotations

import re
from contextlib import suppress

import pytest
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from data.request import HistoryRequest
from jobs.job import Status
from layouts.jobs import REFRESH_MS
from tests.e2e.history_page import PATIENCE_S
from tests.processes import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.process, pytest.mark.timeout(240)]

CELLS = (
    "return [...document.querySelectorAll('#jobs-grid .ag-cell[col-id=\"' + arguments[0] + '\"]')].map((cell) => cell.innerText)"
)
# Whether each row's cell of a column has more to say than it shows.
CUT = (
    "return [...document.querySelectorAll('#jobs-grid .ag-cell[col-id=\"' + arguments[0] + '\"]')]"
    ".map((cell) => cell.scrollWidth > cell.clientWidth)"
)
# How long ago the page asked the server for anything, ms.
SILENT_MS = """
const asked = performance.getEntriesByType('resource').filter((entry) => entry.name.includes('_dash-update-component'));
return performance.now() - Math.max(...asked.map((entry) => entry.startTime));
"""
SHOWN = "const found = document.getElementById(arguments[0]); return found && !found.hidden && found.offsetHeight > 0"


@pytest.fixture
def driver(sample_page):
    return sample_page.driver


def open_jobs(sample_page):
    sample_page.driver.get(f"{sample_page.site.url}/jobs")


def cells(driver, column):
    """What the rows say in a column, from the first to the last."""
    return driver.execute_script(CELLS, column)


def wait_for_status(driver, *words):
    wait_until(
        lambda: len(found := cells(driver, "status_words")) == len(words) and all(map(str.startswith, found, words)),
        f"rows that say {words}; they say {cells(driver, 'status_words')}",
        PATIENCE_S,
    )


def press(driver, selector):
    """Click the first that there is;
    the grid may be putting another in its place at this moment.
    """

    def clicked():
        with suppress(StaleElementReferenceException):
            found = driver.find_elements(By.CSS_SELECTOR, selector)
            return found and (found[0].click() or True)

    wait_until(clicked, selector, PATIENCE_S)


def test_a_load_is_watched_cancelled_tried_again_and_opened(running, gate, sample_page, driver):
    open_jobs(sample_page)
    wait_until(lambda: driver.execute_script(SHOWN, "jobs-empty"), "the words of an empty page", PATIENCE_S)
    assert not driver.execute_script(SHOWN, "jobs-table")

    gate.hold_from("JFK", 0.5)
    found = running.site.inventory.station("JFK")
    request = HistoryRequest(("JFK",), ("rainfall", "temperature"), found.first_ms, found.last_ms + 1)
    job = running.ledger.submit("local", request)
    open_jobs(sample_page)
    about_half = re.compile(r"Running [45]\d\s%\s*")
    wait_until(lambda: about_half.fullmatch("".join(cells(driver, "status_words"))), "half of the load", PATIENCE_S)
    assert cells(driver, "stations") == ["JFKAir temperature, Rainfall"]
    assert driver.execute_script(CUT, "range_order") == [False]

    press(driver, ".cell-action[data-act=cancel]")
    wait_for_status(driver, "Cancelled")
    assert running.ledger.get(job.id).status is Status.CANCELLED

    press(driver, '.ag-cell[col-id="created_order"]')
    wait_until(lambda: job.id in sample_page.text("job-details"), "the job's details", PATIENCE_S)
    gate.release()
    press(driver, "#job-details button[id*=retry]")
    wait_for_status(driver, "Completed")
    assert running.ledger.get(job.id).metrics["rows"] > 0

    wait_until(lambda: "Completed" in sample_page.text("job-details"), "the details to say so too", PATIENCE_S)
    wait_until(lambda: driver.execute_script(SILENT_MS) > 2 * REFRESH_MS, "the page to stop asking", PATIENCE_S)

    driver.find_element(By.CSS_SELECTOR, '.ag-cell[col-id="status_words"]').send_keys(Keys.ENTER)
    wait_until(lambda: sample_page.drawn_job == job.id, "the job's figure", PATIENCE_S)
    assert sample_page.severe() == []


def test_changing_a_job_fills_the_form_and_starts_nothing(running, sample_page, driver):
    request = HistoryRequest(("EWR", "LGA"), ("humidity",), 1_359_676_800_000, 1_362_096_000_000, "1h", "UTC")
    running.ledger.record_completed("local", request, {"rows": 1, "tiles_read": 0})
    open_jobs(sample_page)
    wait_for_status(driver, "Completed")
    press(driver, ".cell-actions .cell-action:last-child")
    wait_until(lambda: sample_page.chosen("station") == ["EWR", "LGA"], "the form to be filled in", PATIENCE_S)
    for end, shown in (("range-start", "2013-02-01 00:00"), ("range-end", "2013-03-01 00:00")):
        wait_until(lambda: sample_page.value(end) == shown, f"{end} {shown}", PATIENCE_S)  # noqa: B023
    sample_page.wait_for_text("station", "EWR", "LGA")
    sample_page.wait_for_text("sensor", "Relative humidity")
    assert len(running.ledger.jobs()) == 1
    assert sample_page.status == ""
