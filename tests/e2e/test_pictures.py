"""Pictures by a real worker and a real browser: from the page, and nothing left of what was
stopped.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

import psutil
import pytest
from selenium.webdriver.common.by import By

from data.export.shelf import FIGURE_FILE
from data.request import HistoryRequest
from data.site import open_shelf
from jobs.chromium import browser_folder
from jobs.job import Status
from jobs.kinds.draw_picture import picture_inquiry
from jobs.ledger.ledger import migrate_jobs, open_ledger
from jobs.policy import PICTURE
from jobs.worker.attempt_cleanup import draft_name
from tests.processes import WorkerProcess, wait_until

pytestmark = [pytest.mark.process, pytest.mark.browser]

JULY = HistoryRequest(("JFK",), ("temperature",), 1_372_636_800_000, 1_375_315_200_000)


def browsers(folder: Path) -> list[psutil.Process]:
    """Processes of a browser, and of what starts it, that use a folder; ``info`` has what was seen
    of each, which may be gone by now.
    """
    found = psutil.process_iter(["cmdline", "status"])
    return [
        each
        for each in found
        if each.info["status"] != psutil.STATUS_ZOMBIE and str(folder) in " ".join(each.info["cmdline"] or ())
    ]


@pytest.mark.parametrize("end", ["cancel", "kill worker"])
def test_no_browser_is_left_of_a_picture_whose_drawing_was_stopped(settings, tmp_path, end):
    """Over two seconds: a worker and a browser start."""
    ledger, shelf = open_ledger(settings), open_shelf(settings)
    migrate_jobs(ledger.engine)
    with shelf.draft("figure") as path:
        path.write_text('{"data": [{"y": [1, 2]}], "layout": {"width": 400, "height": 300}}')
        shelf.put(path, "tag", FIGURE_FILE)
    job = ledger.submit("local", JULY, kind=PICTURE, inquiry=picture_inquiry("tag", "pdf", "en"), tries=1)
    folder = browser_folder(draft_name(job.id, 1))
    with WorkerProcess(cwd=tmp_path, data_dir=settings.data_dir) as worker:
        wait_until(lambda: any("--type=" in word for each in browsers(folder) for word in each.info["cmdline"]), "the browser")
        os.kill(worker.child().pid, signal.SIGSTOP)  # so that it does not come to its end
        assert folder.exists()
        if end == "cancel":
            ledger.cancel(job.id)
        else:
            worker.kill()
        wait_until(lambda: not browsers(folder), "the browser to end")
        wait_until(lambda: end == "kill worker" or not folder.exists(), "its folder to go")
    if end == "kill worker":
        with WorkerProcess(cwd=tmp_path, data_dir=settings.data_dir):
            wait_until(lambda: ledger.get(job.id).status is Status.FAILED, "the lease to run out")
            wait_until(lambda: not folder.exists(), "its folder to go")
    ledger.engine.dispose()


def test_on_the_page_a_pdf_is_two_clicks_away_without_what_is_hidden(running, sample_page, tmp_path):
    """Over two seconds: two browsers."""
    driver = sample_page.driver
    driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    request = HistoryRequest(("EWR", "JFK"), ("temperature",), JULY.start_ms, JULY.end_ms)
    job = running.ledger.submit("local", request)
    wait_until(lambda: running.ledger.get(job.id).status is Status.COMPLETED, "the history to be loaded")
    driver.get(f"{running.process.url}/?job={job.id}&hidden=EWR.temperature")
    entry = "#picture-pdf[href*='format=pdf']"
    wait_until(lambda: driver.find_elements(By.CSS_SELECTOR, entry), "the link")
    driver.find_element(By.CSS_SELECTOR, "#picture-menu summary").click()
    driver.find_element(By.CSS_SELECTOR, entry).click()
    pdf = wait_until(lambda: next(tmp_path.glob("*.pdf"), None), "the picture")
    assert pdf.read_bytes()[:5] == b"%PDF-"
    assert pdf.name.startswith("riwayat_EWR-JFK_temperature_")
    (figure,) = open_shelf(running.site.settings)._folder.glob("*.figure")
    assert "JFK.temperature" in figure.read_text()
    assert "EWR.temperature" not in figure.read_text()
