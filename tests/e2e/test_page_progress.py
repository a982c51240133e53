"""A load on the page from its place in the line to its last row; cancelled half-way, resumed, read in another language."""

from __future__ import annotations

import pytest
from selenium.webdriver.common.by import By

from data.request import HistoryRequest
from jobs.job import Status
from tests.e2e.conftest import year_of
from tests.e2e.history_page import PATIENCE_S, extremes_in_the_database
from tests.processes import is_gone, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.process, pytest.mark.timeout(240)]


def whole_year_of(running, station):
    found = running.site.inventory.station(station)
    return HistoryRequest((station,), ("temperature",), found.first_ms, found.last_ms + 1)


def tiles(running):
    """Every tile on the disk, and which file it is."""
    return {path: path.stat().st_ino for path in running.settings.tiles_path.rglob("*.tile")}


def test_progress_says_place_in_line_then_month_and_rows_and_the_figure_holds_every_extreme(running, gate, sample_page):
    gate.hold_from("EWR", 0)
    gate.hold_from("JFK", 0.5)
    first = running.ledger.submit("local", whole_year_of(running, "EWR"))
    running.ledger.submit("local", whole_year_of(running, "LGA"))
    sample_page.wait_for_job(first.id, Status.RUNNING)
    sample_page.open(**year_of("JFK", "temperature", "pressure"))
    job = sample_page.load()
    sample_page.wait_for_text("progress-text", "Queued at position 2")

    running.ledger.cancel(first.id)
    sample_page.wait_for_text("progress-text", "Reading JFK, ", " 2013", "6 of 12 months", "rows", "left")
    wait_until(lambda: sample_page.points > 0, "the finished part of the figure", PATIENCE_S)
    assert sample_page.status == "active"
    half = sample_page.points

    gate.release()
    assert sample_page.wait_for_job(job.id, Status.COMPLETED).attempt == 1
    sample_page.wait_until_drawn()
    expected = {
        f"JFK · {running.site.catalogue[sensor].label('en')}": pytest.approx(extremes_in_the_database(running, "JFK", sensor))
        for sensor in ("temperature", "pressure")
    }
    wait_until(lambda: sample_page.extremes() == expected, f"the figure to reach {expected}", PATIENCE_S)
    assert sample_page.points > half


def test_a_cancelled_load_ends_and_resuming_it_reads_only_what_is_missing(running, gate, sample_page):
    gate.hold_from("JFK", 0.5)
    sample_page.open(**year_of("JFK", "temperature", "pressure"))
    job = sample_page.load()
    sample_page.wait_for_text("progress-text", "6 of 12 months")
    wait_until(lambda: sample_page.points > 0, "the finished part of the figure", PATIENCE_S)
    child = running.child()
    sample_page.press("cancel")
    wait_until(lambda: is_gone(child), "the child to end", PATIENCE_S)  # from the press: the page may be slow
    assert running.ledger.get(job.id).status is Status.CANCELLED
    sample_page.wait_until_drawn("cancelled")
    sample_page.wait_for_text("alert", "what had arrived is shown and stays")
    arrived = tiles(running)
    assert 12 <= len(arrived) < 24

    gate.release()
    sample_page.press_action()
    done = sample_page.wait_for_job(job.id, Status.COMPLETED)
    sample_page.wait_until_drawn()
    assert sample_page.text("alert") == ""
    assert done.attempt == 2
    assert done.metrics["tiles_reused"] == len(arrived)
    assert done.metrics["tiles_read"] == 24 - len(arrived)
    assert arrived.items() <= tiles(running).items()


def test_another_language_changes_every_word_and_keeps_the_job(running, gate, sample_page):
    gate.hold_from("JFK", 0.5)
    sample_page.open(**year_of("JFK", "temperature"))
    job = sample_page.load()
    sample_page.wait_for_text("progress-text", "Reading JFK", "6 of 12 months")
    assert sample_page.text("load") == "Load history"
    sample_page.driver.find_element(By.CSS_SELECTOR, "[data-language=id]").click()
    sample_page.wait_for_text("load", "Muat riwayat")
    sample_page.wait_for_text("progress-text", "Membaca JFK", "6 dari 12 bulan")
    assert sample_page.address_job == job.id
    gate.release()
    sample_page.wait_until_drawn()
    sample_page.wait_for_text("badge", "baris")
    assert [one.id for one in running.ledger.jobs()] == [job.id]
    assert running.ledger.get(job.id).attempt == 1
