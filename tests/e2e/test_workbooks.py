"""Workbooks over HTTP and a real worker: asked for, written by a job, fetched;
and nothing left of what was stopped.
"""

from __future__ import annotations

import io
import json
import shutil
import stat
import urllib.error
import urllib.request
from datetime import UTC, datetime

import numpy as np
import pytest
from selenium.webdriver.common.by import By

from access.store import migrate_access
from config import Settings
from data.request import HistoryRequest
from data.tiles.tile_store import TileStore
from jobs.job import Status
from jobs.ledger.ledger import migrate_jobs, open_ledger
from jobs.policy import WORKBOOK
from tests.browser import is_there
from tests.processes import WebProcess, WorkerProcess, wait_until
from tests.sheets import sheet_rows
from tests.tiled import MARCH_2019, MINUTE, sensor_named, store_rows

pytestmark = pytest.mark.process

YEAR_2013 = (1_356_998_400_000, 1_388_534_400_000)


def ask(site, path, method="GET", **headers):
    """Status, headers and body of an answer, refusals included."""
    sent = urllib.request.Request(
        site.url + path, method=method, headers={name.replace("_", "-"): text for name, text in headers.items()}
    )
    try:
        with urllib.request.urlopen(sent, timeout=60) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.headers, refusal.read()


@pytest.fixture
def loaded(start_site):
    """A site and the id of a job that has loaded a year of a station."""
    site = start_site()
    body = {"stations": ["JFK"], "sensors": ["rainfall", "temperature"], "start": "2013-01-01", "end": "2014-01-01"}
    sent = urllib.request.Request(site.url + "/api/jobs", json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(sent, timeout=60) as answer:
        job = json.load(answer)["id"]
    wait_until(lambda: status(site, job) == "completed", "the history to be loaded")
    return site, job


def status(site, job):
    return json.loads(ask(site, f"/api/jobs/{job}")[2])["status"]


def test_a_workbook_is_written_by_a_job_and_then_fetched_as_a_file(loaded, data_dir):
    site, job = loaded
    path = f"/api/jobs/{job}/data?format=xlsx&from=2013-03-01T00:00:00Z&to=2013-04-01T00:00:00Z"

    code, headers, body = ask(site, path)
    receipt = json.loads(body)
    assert (code, headers["Location"]) == (202, f"/api/jobs/{receipt['id']}")
    assert int(headers["Retry-After"]) > 0
    assert json.loads(ask(site, path)[2] if status(site, receipt["id"]) != "completed" else body)["id"] == receipt["id"]

    wait_until(lambda: status(site, receipt["id"]) == "completed", "the workbook to be written")
    code, headers, body = ask(site, path)
    assert (code, headers["Content-Disposition"]) == (
        200,
        "attachment; filename=riwayat_JFK_temperature-rainfall_20130228T1900_20130331T2000.xlsx",
    )
    rows = sheet_rows(io.BytesIO(body))
    assert rows[0] == ("timestamp_utc", "timestamp_local", "station", "rainfall (mm)", "temperature (°C)", "flag")
    assert rows[1][0].replace(tzinfo=UTC) == datetime(2013, 3, 1, tzinfo=UTC)
    told = ask(site, path.replace("xlsx", "csv"))[2].decode().splitlines()
    assert len(rows) == len(told) > 600
    for row, line in zip(rows[1:], told[1:], strict=True):
        _, _, station, *values = line.split(",")
        assert row[2:-1] == (station, *(float(text) if text else None for text in values))

    assert ask(site, path, If_None_Match=headers["ETag"])[:1] == (304,)
    code, part, some = ask(site, path, Range="bytes=0-3", If_Range=headers["ETag"])
    assert (code, some, part["Content-Range"]) == (206, b"PK\x03\x04", f"bytes 0-3/{len(body)}")
    assert ask(site, f"/api/jobs/{receipt['id']}/data")[2] == body
    for what in ("figure", "stats", "data?format=csv", "events"):
        assert ask(site, f"/api/jobs/{receipt['id']}/{what}")[0] == 200, what

    (file,) = (data_dir / "tiles" / ".workbooks").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.fixture
def big_site(settings):
    """Settings of a site, its ledger, and a request whose workbook takes seconds;
    only its tiles are there.
    """
    times = MARCH_2019 + np.arange(400_000) * MINUTE
    store_rows(TileStore(settings.tiles_path), sensor_named("temperature"), times, np.full(len(times), 20.5))
    ledger = open_ledger(settings)
    migrate_jobs(ledger.engine)
    migrate_access(ledger.engine)
    yield settings, ledger, HistoryRequest(("aws-1",), ("temperature",), MARCH_2019, int(times[-1]) + 1)
    ledger.engine.dispose()


@pytest.mark.parametrize("end", ["cancel", "kill child", "kill worker"])
def test_nothing_is_left_of_a_workbook_whose_writing_was_stopped(big_site, tmp_path, end):
    settings, ledger, request = big_site
    folder = settings.tiles_path / ".workbooks"

    def drafts():
        return list(folder.glob("*/*"))

    job = ledger.submit("local", request, kind=WORKBOOK, tries=1)
    with WorkerProcess(cwd=tmp_path, data_dir=settings.data_dir) as worker:
        wait_until(drafts, "a draft")
        wait_until(lambda: ledger.get(job.id).progress, "rows to be written")
        if end == "cancel":
            ledger.cancel(job.id)
        elif end == "kill child":
            worker.child().kill()
        else:
            worker.kill()
            assert drafts()  # nobody was there to remove them
        wait_until(lambda: end == "kill worker" or not drafts(), "the draft to go")
    final = Status.CANCELLED if end == "cancel" else Status.FAILED
    if end == "kill worker":
        with WorkerProcess(cwd=tmp_path, data_dir=settings.data_dir):
            wait_until(lambda: ledger.get(job.id).status is final, "the lease to run out")
            wait_until(lambda: not drafts(), "the draft to go")
    assert ledger.get(job.id).status is final
    assert list(folder.iterdir()) == []


@pytest.mark.browser
def test_on_the_page_an_excel_file_is_one_click_away_and_a_refusal_is_told(running, sample_page, tmp_path):
    driver = sample_page.driver
    driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    job = running.ledger.submit("local", HistoryRequest(("JFK",), ("temperature",), *YEAR_2013))
    wait_until(lambda: running.ledger.get(job.id).status is Status.COMPLETED, "the history to be loaded")

    def file():
        return next(tmp_path.glob("*.xlsx"), None)

    driver.get(f"{running.process.url}/?job={job.id}")
    choose_file(driver, "#download-xlsx[href*='format=xlsx']")
    first = wait_until(file, "the file").rename(tmp_path / "first")
    assert len(sheet_rows(io.BytesIO(first.read_bytes()))) > 8_000
    wait_until(lambda: not is_there(driver, "[data-progress]"), "the end of the progress")

    choose_file(driver, "#download-manifest[href*='manifest?format=netcdf']")
    manifest = wait_until(lambda: next(tmp_path.glob("*.nc.manifest.json"), None), "the manifest")
    assert json.loads(manifest.read_bytes())["file"]["rows"] > 8_000

    (workbook,) = [each for each in running.ledger.jobs() if each.kind == WORKBOOK]
    driver.get(f"{running.process.url}/jobs")
    press(driver, f".cell-action[href*='{workbook.id}/data']")
    assert wait_until(file, "the file again").read_bytes() == first.read_bytes()
    listed = " ".join(each.text for each in driver.find_elements(By.CSS_SELECTOR, ".job-data"))
    assert all(f"{kind} file of JFK" in listed for kind in ("Excel", "NetCDF"))

    running.site.tiles.clear()
    press(driver, f".cell-action[href*='{workbook.id}/data']")
    wait_until(lambda: "no longer cached" in driver.find_element(By.ID, "jobs-alert").text, "the refusal")


@pytest.mark.browser
def test_a_file_that_no_worker_writes_says_so_and_begins_when_one_is_there(tmp_path, sample_data_dir, site_port, dash_br):
    data = shutil.copytree(sample_data_dir, tmp_path / "var")
    settings = {"data_dir": data, "timezone": "UTC"}
    ledger, driver = open_ledger(Settings(**settings)), dash_br.driver
    driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    with WebProcess(cwd=tmp_path, port=site_port, **settings) as web:
        with WorkerProcess(cwd=tmp_path, **settings):
            job = ledger.submit("local", HistoryRequest(("JFK",), ("temperature",), *YEAR_2013))
            wait_until(lambda: ledger.get(job.id).status is Status.COMPLETED, "the history to be loaded")
        driver.get(f"{web.start().url}/?job={job.id}")
        choose_file(driver, "#download-xlsx[href*='format=xlsx']")
        wait_until(lambda: "No worker is running" in driver.find_element(By.ID, "alert").text, "the reason")
        assert driver.find_element(By.ID, "download-xlsx").get_attribute("data-progress") == "Queued"
        with WorkerProcess(cwd=tmp_path, **settings):
            wait_until(lambda: list(tmp_path.glob("*.xlsx")), "the file")
            wait_until(lambda: driver.find_element(By.ID, "alert").text == "", "the reason to go")


def choose_file(driver, selector):
    """Press an entry of the menu of files, which moves while the buttons beside it come."""
    menu = driver.find_element(By.CSS_SELECTOR, ".menu:has(#download-csv)")

    def is_open():
        if not menu.get_attribute("open"):
            press(driver, ".menu:has(#download-csv) summary")
        return menu.get_attribute("open")

    wait_until(is_open, "the menu of files")
    press(driver, selector)


def press(driver, selector):
    wait_until(lambda: driver.find_elements(By.CSS_SELECTOR, selector), selector)[0].click()
