"""The history page in a real browser, as its user sees it: fields, buttons, words, figure."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from typing import Any
from urllib.parse import urlencode

from dash.testing.browser import Browser
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from jobs.job import Job, Status
from jobs.ledger.ledger import Ledger
from tests.browser import write_over
from tests.processes import SiteProcess, WebProcess, wait_until

PATIENCE_S = 90.0  # the machine may be busy
QUIET_S = 2.0  # four times as long as a job's page waits between two polls

# Points of all traces of the chart, 0 before there is a figure.
POINTS = """
const graph = document.querySelector('#chart .js-plotly-plot');
return graph && graph._fullData ? graph._fullData.reduce((sum, trace) => sum + (trace.x ? trace.x.length : 0), 0) : 0;
"""
# Least and greatest number that a trace shows, by the axis title's unit;
# null before there is a figure.
EXTREMES = """
const graph = document.querySelector('#chart .js-plotly-plot');
const found = {};
for (const trace of graph._fullData) {
  if (!trace.x || !trace.name) continue;
  for (const y of trace.y) {
    if (y === null || Number.isNaN(y)) continue;
    const old = found[trace.name] || [Infinity, -Infinity];
    found[trace.name] = [Math.min(old[0], y), Math.max(old[1], y)];
  }
}
return found;
"""
# Remembers every sentence of the progress, so that none is missed between two looks.
REMEMBER_WORDS = """
const line = document.getElementById('progress-text');
window.saidWords = [];
const remember = () => { if (line.textContent) window.saidWords.push(line.textContent); };
new MutationObserver(remember).observe(line, {childList: true, characterData: true, subtree: true});
remember();
"""
# by default a page forgets all after the 250th
REMEMBER_REQUESTS = "performance.setResourceTimingBufferSize(100000)"
# whether the last answer is half a second old
AT_REST = """
const last = performance.getEntriesByType('resource').at(-1);
return !last || (last.responseEnd > 0 && performance.now() - last.responseEnd > 500);
"""
SPIKES = {("JFK", "temperature"): -10.5}  # on 9 May 2013
REQUESTS = "return performance.getEntriesByType('resource').map((entry) => entry.name)"


def extremes_in_the_database(running: Any, station: str, sensor: str, since_ms: int = 0) -> list[float]:
    """[least, greatest] of the rows in the valid range from a time on, ms UTC, without the spike of
    the sample, which is left out of lines.
    """
    valid = running.site.catalogue[sensor]
    within = f"station = ? AND time >= ? AND {sensor} BETWEEN ? AND ? AND {sensor} IS NOT ?"
    query = f"SELECT min({sensor}), max({sensor}) FROM observation WHERE {within}"
    with closing(sqlite3.connect(running.settings.data_dir / "observations.sqlite")) as database:
        limits = (valid.valid_min, valid.valid_max, SPIKES.get((station, sensor)))
        return list(database.execute(query, (station, since_ms, *limits)).fetchone())


class HistoryPage:
    """One tab on a site."""

    def __init__(self, browser: Browser, site: SiteProcess | WebProcess, ledger: Ledger) -> None:
        self.driver = browser.driver
        self.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": REMEMBER_REQUESTS})
        self.site = site
        self.ledger = ledger

    def open(self, **fields: Any) -> None:
        """The page with its form filled in: station, sensor, from, to (``from_``)."""
        query = urlencode({name.rstrip("_"): value for name, value in fields.items()}, doseq=True)
        self.driver.get(f"{self.site.url}/?{query}")
        for name in ("station", "sensor"):
            wanted = fields.get(name, [])
            names = {wanted} if isinstance(wanted, str) else set(wanted)
            wait_until(lambda: names <= set(self.chosen(name)), f"{name} {names} in the form", PATIENCE_S)  # noqa: B023
        # no callback of the form is under way
        settled = "return !document.querySelector('#form [data-dash-is-loading]')"
        wait_until(
            lambda: "readings" in self.text("estimate") and self.driver.execute_script(settled),
            "the form to be filled in",
            PATIENCE_S,
        )

    def chosen(self, component_id: str) -> list[str]:
        """What a dropdown of the form holds; nothing before there is a page."""
        script = "try { return dash_component_api.getLayout(arguments[0]).props.value } catch { return [] }"
        return list(self.driver.execute_script(script, component_id) or ())

    def open_job(self, job_id: str) -> None:
        """The page of a job."""
        self.driver.get(f"{self.site.url}/?job={job_id}")

    def press(self, component_id: str) -> None:
        """Click a button when it can be clicked."""
        button = self.element(component_id)
        wait_until(button.is_enabled, f"{component_id} to be enabled", PATIENCE_S)
        button.click()

    def element(self, component_id: str) -> WebElement:
        """A component when it is there; ``find_element`` waits for two seconds only."""
        found = wait_until(lambda: self.driver.find_elements(By.ID, component_id), component_id, PATIENCE_S)
        return found[0]

    def press_action(self) -> None:
        """Click the button of the notice."""
        button = wait_until(lambda: self.driver.find_elements(By.CSS_SELECTOR, "#alert .action"), "an action", PATIENCE_S)
        button[0].click()

    def type(self, component_id: str, text: str) -> None:
        """Write into a field what stands there from now on, and leave it."""
        box = self.element(component_id)
        write_over(box, text)
        box.send_keys(Keys.TAB)

    def value(self, component_id: str) -> str:
        """What a field holds."""
        return str(self.driver.execute_script("return document.getElementById(arguments[0]).value", component_id))

    def wait_for_text(self, component_id: str, *parts: str) -> str:
        """Wait until a component says all the parts."""
        try:
            wait_until(lambda: all(part in self.text(component_id) for part in parts), f"{parts}", PATIENCE_S)
        except AssertionError as error:
            raise AssertionError(f"{error}; {component_id} says {self.text(component_id)!r}") from None
        return self.text(component_id)

    def remember_words(self) -> None:
        """From now until the next page load, keep what the progress says."""
        self.driver.execute_script(REMEMBER_WORDS)

    def said(self) -> list[str]:
        """Sentences of the progress since :meth:`remember_words`."""
        return list(self.driver.execute_script("return window.saidWords"))

    def requests(self) -> list[str]:
        """Addresses that this page load has asked for, answered or not."""
        return list(self.driver.execute_script(REQUESTS))

    def asks(self) -> int:
        """How often this page load has asked the server for anything that it computes."""
        return sum("_dash-update-component" in address for address in self.requests())

    def polls(self, job_id: str = "") -> int:
        """How often this page load has asked for a running job, or for that one."""
        return sum("cacheKey=" in address and job_id in address for address in self.requests())

    def severe(self) -> list[str]:
        """Errors in the browser's console since the last look."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]

    @property
    def drawn_job(self) -> str:
        """The job whose figure is drawn, or an empty text."""
        script = "return document.querySelector('#chart .js-plotly-plot')?.layout?.meta?.revision || ''"
        return str(self.driver.execute_script(script))

    def text(self, component_id: str) -> str:
        """What a component says; empty where it is not there."""
        script = "const found = document.getElementById(arguments[0]); return found ? found.textContent : '';"
        return str(self.driver.execute_script(script, component_id))

    @property
    def address_job(self) -> str:
        """The job in the address, or an empty text."""
        return str(self.driver.execute_script("return new URLSearchParams(location.search).get('job') || ''"))

    @property
    def status(self) -> str:
        """What the panel of progress shows: empty, active, or a final status."""
        return str(self.driver.execute_script("return document.getElementById('running')?.dataset.status || ''"))

    @property
    def points(self) -> int:
        """Points of the figure."""
        return int(self.driver.execute_script(POINTS))

    def extremes(self) -> dict[str, list[float]]:
        """[least, greatest] of each named trace."""
        found: dict[str, list[float]] = self.driver.execute_script(EXTREMES)
        return found

    def load(self) -> Job:
        """Press Load and return the new job."""
        before = self.address_job
        self.press("load")
        job_id = wait_until(lambda: self.address_job if self.address_job != before else "", "a job in the address", PATIENCE_S)
        return self.ledger.get(job_id)

    def wait_for_job(self, job_id: str, status: Status) -> Job:
        """Wait until the ledger says so."""
        wait_until(lambda: self.ledger.get(job_id).status is status, f"the job to be {status.value}", PATIENCE_S)
        return self.ledger.get(job_id)

    def wait_for_fraction(self, job_id: str, least: float) -> None:
        """Wait until the job has done that much; fails when it ended first."""

        def done() -> bool:
            job = self.ledger.get(job_id)
            assert not job.status.is_final, f"the job ended too soon: {job.status.value}"
            return job.progress is not None and job.progress.fraction >= least

        wait_until(done, f"{least:.0%} to be done", PATIENCE_S)

    def wait_until_drawn(self, status: str = "completed") -> None:
        """Wait until the page shows the end of its job, and a figure."""
        wait_until(lambda: self.status == status, f"the page to show {status}", PATIENCE_S)
        wait_until(lambda: self.points > 0, "the figure", PATIENCE_S)

    def assert_quiet(self) -> None:
        """Nothing at all is asked of the server for a while,
        once what was under way is answered.
        """
        wait_until(lambda: self.driver.execute_script(AT_REST), "the page to come to rest", PATIENCE_S)
        before = len(self.requests())
        until = time.monotonic() + QUIET_S
        wait_until(lambda: time.monotonic() > until or len(self.requests()) > before, "the time to pass", QUIET_S + 5)
        assert self.requests()[before:] == []
