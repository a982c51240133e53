"""A load on the page from its place in the line to its last row, in two languages;
cancelled half-way and resumed. And what a quiet page does.
"""

from __future__ import annotations

import pytest
from selenium.webdriver.common.by import By

from data.request import HistoryRequest
from jobs.job import Status
from tests.browser import write_over
from tests.e2e.conftest import year_of
from tests.e2e.history_page import PATIENCE_S, extremes_in_the_database
from tests.processes import is_gone, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.process, pytest.mark.timeout(240)]


def whole_year_of(running, station):
    found = running.site.inventory.station(station)
    return HistoryRequest((station,), ("temperature",), found.first_ms, found.last_ms + 1)


def tiles(running):
    """Every tile of readings on the disk, and which file it is."""
    found = running.settings.tiles_path.rglob("*.tile")
    return {path: path.stat().st_ino for path in found if "@" not in path.parent.name}  # others have flags


def test_progress_says_place_in_line_then_month_and_rows_in_another_language_too_and_the_figure_holds_every_extreme(
    running, gate, sample_page
):
    page = sample_page
    gate.hold_from("EWR", 0)
    gate.hold_from("JFK", 0.5)
    first = running.ledger.submit("local", whole_year_of(running, "EWR"))
    running.ledger.submit("local", whole_year_of(running, "LGA"))
    page.wait_for_job(first.id, Status.RUNNING)
    page.open(**year_of("JFK", "temperature", "pressure"))
    opened = page.asks()
    job = page.load()
    page.wait_for_text("progress-text", "Queued at position 2")
    wait_until(lambda: page.polls(job.id), "the first poll", PATIENCE_S)
    asked = [address for address in page.requests() if "_dash-update-component" in address][opened:]
    # load, attach, view, follow
    assert next(number for number, address in enumerate(asked) if "cacheKey=" in address) <= 4

    running.ledger.cancel(first.id)
    page.wait_for_text("progress-text", "Reading JFK, ", " 2013", "6 of 12 months", "rows", "left")
    assert page.text("load") == "Load history"
    read_in_indonesian(page)
    page.wait_for_text("progress-text", "Membaca JFK", "6 dari 12 bulan")
    assert page.address_job == job.id
    wait_until(lambda: page.points > 0, "the finished part of the figure", PATIENCE_S)
    assert page.status == "active"
    half = page.points

    gate.release()
    assert page.wait_for_job(job.id, Status.COMPLETED).attempt == 1
    page.wait_until_drawn()
    page.wait_for_text("badge", "baris")
    expected = {
        f"JFK · {running.site.catalogue[sensor].label('id')}": pytest.approx(extremes_in_the_database(running, "JFK", sensor))
        for sensor in ("temperature", "pressure")
    }
    drawn = f"the lines to reach {expected}"  # what the rules leave out is a trace of its own
    wait_until(lambda: {name: page.extremes().get(name) for name in expected} == expected, drawn, PATIENCE_S)
    assert page.points > half


def read_in_indonesian(page):
    """Choose the other language, while a field that was written into is not left yet:
    the form stays.
    """
    page.type("range-start", "2013-03-05 06:00")
    write_over(page.driver.find_element(By.ID, "range-end"), "2013-04-05")
    page.driver.find_element(By.CSS_SELECTOR, "[data-language=id]").click()
    page.wait_for_text("load", "Muat riwayat")
    page.wait_for_text("station", "JFK")
    page.wait_for_text("sensor", "Suhu udara")
    page.wait_for_text("estimate", "pembacaan")
    written = ["2013-03-05 06:00", "2013-04-05"]
    wait_until(lambda: [page.value(name) for name in ("range-start", "range-end")] == written, "what was written", PATIENCE_S)
    assert page.driver.find_element(By.ID, "station").accessible_name.startswith("Stasiun JFK")


def test_a_cancelled_load_ends_resuming_it_reads_only_what_is_missing_and_a_page_without_a_running_job_is_quiet(
    running, gate, sample_page
):
    page = sample_page
    gate.hold_from("JFK", 0.5)
    page.open(**year_of("JFK", "temperature", "pressure", "wind_direction"))
    page.assert_quiet()  # nothing loaded yet
    job = page.load()
    page.wait_for_text("progress-text", "6 of 12 months")
    wait_until(lambda: page.points > 0, "the finished part of the figure", PATIENCE_S)
    child = running.child()
    page.press("cancel")
    # from the press: the page may be slow
    wait_until(lambda: is_gone(child), "the child to end", PATIENCE_S)
    assert running.ledger.get(job.id).status is Status.CANCELLED
    page.wait_until_drawn("cancelled")
    page.wait_for_text("alert", "What was already loaded is shown.")
    page.assert_quiet()
    arrived = tiles(running)
    assert 18 <= len(arrived) < 36

    gate.release()
    page.press_action()
    done = page.wait_for_job(job.id, Status.COMPLETED)
    page.wait_until_drawn()
    page.wait_for_text("badge", "complete")
    assert page.text("alert") == ""
    assert done.attempt == 2
    assert done.metrics["tiles_reused"] == len(arrived)
    assert done.metrics["tiles_read"] == 36 - len(arrived)
    assert arrived.items() <= tiles(running).items()
    page.assert_quiet()
    # ordinary use asks no other address and logs no error
    assert {address.split("/")[2] for address in page.requests() if not address.startswith(("data:", "blob:"))} == {
        page.site.url.removeprefix("http://")
    }
    assert page.severe() == []
