"""What is wrong is said where the user looks, with what to do about it, and no job is started."""

from __future__ import annotations

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from config import Settings
from data.request import HistoryRequest
from jobs.first_visit import expect_first_visit
from jobs.job import Status
from jobs.ledger.ledger import open_ledger
from tests.browser import is_there
from tests.e2e.conftest import year_of
from tests.e2e.history_page import PATIENCE_S, HistoryPage
from tests.processes import WebProcess, WorkerProcess, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.process, pytest.mark.timeout(240)]

# Query of the address -> what the notice says; tests/contract/test_page.py has more of them.
WRONG_ADDRESSES = {
    "station=%3Cscript%3Ealert(1)%3C/script%3E": "<script>alert(1)</script>",
    "job=%00%FF..%2F..%2Fetc%2Fpasswd": "expired or is not yours",
}
STRANGE_LETTERS = f"%FF%00&&&===&{5000 * 'a'}&theme=dark#nowhere"


def visit(page, query):
    page.driver.get(f"{page.site.url}/?{query}")


def test_a_newcomer_to_a_new_site_sees_a_chart_without_a_click(running, sample_page):
    page = sample_page
    expect_first_visit(running.settings)
    visit(page, "")
    page.wait_until_drawn()
    page.wait_for_text("badge", "complete")
    (job,) = running.ledger.jobs()
    assert (page.address_job, page.chosen("station"), page.text("alert")) == (job.id, ["EWR"], "")
    page.driver.refresh()
    page.wait_until_drawn()
    assert [each.id for each in running.ledger.jobs()] == [job.id]
    assert page.severe() == []


def test_a_page_whose_layout_is_not_answered_says_so_and_begins_by_itself_when_it_is(running, sample_page):
    """The browser blocks it: a proxy that restarts, a server that is full."""
    driver = sample_page.driver
    driver.execute_cdp_cmd("Network.enable", {})
    driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["*/_dash-layout"]})
    driver.get(running.process.url)
    told = "return (document.querySelector('._dash-loading') || {}).textContent"
    wait_until(lambda: driver.execute_script(told) == "The server does not answer; trying again.", "the reason", PATIENCE_S)
    driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": []})
    wait_until(lambda: is_there(driver, "#form"), "the page", PATIENCE_S)


def test_a_wrong_address_is_said_strange_letters_are_a_first_visit_and_there_one_press_draws_the_last_30_days_of_a_station(
    running, sample_page
):
    page = sample_page
    for query, words in WRONG_ADDRESSES.items():
        visit(page, query)
        page.wait_for_text("alert", words)
    stations = page.driver.find_element(By.ID, "station-list")  # of a link to a job they come when it is known to be none
    wait_until(stations.is_displayed, "the list of stations", PATIENCE_S)
    visit(page, STRANGE_LETTERS)
    page.wait_for_text("estimate", "readings")
    assert (page.chosen("station"), page.text("alert")) == (["EWR"], "")
    places = ".station-map .scattergeo .point"
    markers = wait_until(lambda: page.driver.find_elements(By.CSS_SELECTOR, places), "the map", PATIENCE_S)
    assert page.driver.find_elements(By.CSS_SELECTOR, ".station-map .coastlines path[d^=M]")
    ActionChains(page.driver).move_to_element(markers[1]).click().perform()
    wait_until(lambda: page.chosen("station") == ["JFK"], "the pressed station in the form", PATIENCE_S)
    assert running.ledger.jobs() == []

    def listed():
        return [row.accessible_name[:3] for row in page.driver.find_elements(By.CSS_SELECTOR, ".station-list .station-row")]

    assert listed() == ["EWR", "JFK", "LGA"]
    # of so few stations the search is not shown; by the keyboard: its first hit
    page.driver.execute_script(
        "const field = document.getElementById('station-search'); field.closest('[hidden]').hidden = false; field.focus()"
    )
    page.driver.switch_to.active_element.send_keys("lg rainf", Keys.ARROW_DOWN)
    assert listed() == ["LGA"]
    page.driver.switch_to.active_element.send_keys(Keys.ENTER)
    page.wait_until_drawn()
    page.wait_for_text("badge", "complete")
    (job,) = running.ledger.jobs()
    assert (job.request.stations, job.request.sensors) == (("LGA",), ("rainfall", "temperature"))
    assert page.chosen("station") == ["LGA"]
    last = running.site.inventory.station("LGA").last_ms
    assert job.request.start_ms < last - 29 * 86_400_000 < last < job.request.end_ms
    assert page.severe() == []


def choose(page, component_id, *values):
    page.driver.execute_script("dash_clientside.set_props(arguments[0], {value: arguments[1]})", component_id, values)


def press_enter(page):
    """Load by the key, in a field: two clicks soon after one another are taken for a double one."""
    page.driver.find_element(By.ID, "range-start").send_keys(Keys.ENTER)


def test_what_is_wrong_in_the_form_is_said_before_and_after_the_press_and_one_press_takes_the_range_there_is(
    running, sample_page
):
    page = sample_page
    page.open(**year_of("JFK", "temperature"))
    choose(page, "station")
    page.wait_for_text("estimate", "Choose stations and sensors")
    page.press("load")
    page.wait_for_text("alert", "Choose at least one station.")
    # what to press instead stays
    assert page.driver.find_element(By.CLASS_NAME, "station-row").is_displayed()
    choose(page, "station", "JFK")
    page.wait_for_text("estimate", "readings")
    choose(page, "sensor")
    page.wait_for_text("estimate", "Choose stations and sensors")
    press_enter(page)
    page.wait_for_text("alert", "Choose at least one sensor.")
    choose(page, "sensor", "temperature")
    for start, end, before, after in (
        ("2014-06-01 00:00", "2014-01-02 00:00", ["The start must be before the end."], []),
        ("soon", "2014-01-02 00:00", ["soon"], []),
        ("1999-01-01 00:00", "1999-02-01 00:00", ["2013"], ["Use available range"]),
    ):
        page.type("range-start", start)
        page.type("range-end", end)
        page.wait_for_text("estimate", *before)
        press_enter(page)
        page.wait_for_text("alert", *before, *after)
    assert (page.address_job, page.status, running.ledger.jobs()) == ("", "", [])

    page.press_action()
    page.wait_for_text("estimate", "readings")
    assert page.value("range-start").startswith("2013-01-01")
    assert page.text("alert") == ""
    job = page.load()
    page.wait_for_job(job.id, Status.COMPLETED)
    page.wait_until_drawn()


def test_without_a_worker_nothing_is_started_and_what_waits_says_so_with_the_command(
    tmp_path, data_dir, site_port, dash_br, site
):
    settings = {"data_dir": data_dir, "timezone": "UTC"}
    ledger = open_ledger(Settings(**settings))
    with WebProcess(cwd=tmp_path, port=site_port, **settings) as web:
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
