"""Signing in with real browsers: what an open page does when its session ends, and that two users see their own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest
from dash.testing.browser import Browser
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.remote.webelement import WebElement

from access.grants import Grant
from access.passwords import hash_password
from access.store import migrate_access, open_access
from config import Settings
from data.site import Site, open_site
from jobs.job import Status
from jobs.ledger import Ledger, open_ledger
from tests.conftest import pytest_setup_options
from tests.e2e.conftest import year_of
from tests.e2e.gate import Gate
from tests.e2e.history_page import PATIENCE_S, HistoryPage
from tests.processes import SiteProcess, wait_until

pytestmark = [pytest.mark.process, pytest.mark.timeout(240)]

PASSWORD, NEW_PASSWORD = "curah hujan 1950", "tekanan udara 1013"


@dataclass(frozen=True)
class Doors:
    """A site with the users sari and budi, its parts, and a browser for each of two people."""

    process: SiteProcess
    ledger: Ledger
    site: Site
    first: HistoryPage
    second: HistoryPage


@pytest.fixture
def doors(tmp_path: Path, data_dir: Path, dash_br: Browser) -> Iterator[Doors]:
    settings = Settings(data_dir=data_dir, auth="login", timezone="UTC")
    access = open_access(settings)
    migrate_access(access.engine)
    for name in ("sari", "budi"):
        access.add_account(name, password_hash=hash_password(PASSWORD))
    access.add_grant("everyone", "", Grant(), by="test")
    access.engine.dispose()
    ledger, site = open_ledger(settings), open_site(settings)
    other = Chrome(options=pytest_setup_options())
    try:
        with SiteProcess(cwd=tmp_path, data_dir=data_dir, auth="login", timezone="UTC") as process:
            process.start()
            first = HistoryPage(dash_br, process, ledger)
            second = HistoryPage(SimpleNamespace(driver=other), process, ledger)
            yield Doors(process, ledger, site, first, second)
    finally:
        other.quit()
        ledger.engine.dispose()
        site.engine.dispose()


def found(driver: WebDriver, selector: str) -> WebElement:
    """The element, as soon as it is there."""
    return wait_until(lambda: driver.find_elements(By.CSS_SELECTOR, selector), selector, PATIENCE_S)[0]


def fill(driver: WebDriver, **fields: str) -> None:
    """Write into the fields of a plain page, and send its form."""
    for name, text in fields.items():
        box = found(driver, f"#{name}")
        box.clear()
        box.send_keys(text)
    box.submit()


def sign_in(page: HistoryPage, name: str, password: str = PASSWORD, path: str = "") -> None:
    """Ask for a page, be led to the sign-in, and from there to the page."""
    page.driver.get(f"{page.site.url}/{path}")
    wait_until(lambda: "/login" in page.driver.current_url, "the sign-in", PATIENCE_S)
    fill(page.driver, name=name, password=password)
    wait_until(lambda: page.driver.current_url == f"{page.site.url}/{path}", "the page that was wanted", PATIENCE_S)


@pytest.mark.browser
def test_a_page_whose_session_ends_while_it_polls_keeps_its_figure_and_leads_back_to_its_job(doors):
    here, there = doors.first, doors.second
    with Gate(doors.site) as gate:
        gate.hold_from("JFK", 0.5)
        sign_in(here, "sari")
        here.open(**year_of("JFK", "temperature"))
        job = here.load()
        wait_until(lambda: here.points > 0, "the part that is there", PATIENCE_S)

        sign_in(there, "sari", path="account")
        fill(there.driver, current=PASSWORD, new=NEW_PASSWORD, again=NEW_PASSWORD)
        wait_until(lambda: "The password is changed" in there.driver.page_source, "the new password", PATIENCE_S)

        here.wait_for_text("offline", "You were signed out.")
        drawn = here.points
        assert drawn > 0
        assert here.drawn_job == job.id
        link = here.driver.find_element(By.ID, "sign-in-again")
        assert link.is_displayed()
    doors.first.wait_for_job(job.id, Status.COMPLETED)
    link.click()
    fill(here.driver, name="sari", password=NEW_PASSWORD)
    here.wait_until_drawn()
    assert (here.drawn_job, here.address_job) == (job.id, job.id)
    assert here.points > drawn
    assert there.driver.get_cookie("riwayat_session")["httpOnly"]


@pytest.mark.browser
def test_two_users_in_two_browsers_see_their_own_jobs_only(doors):
    jobs = {}
    for name, page, station in (("sari", doors.first, "JFK"), ("budi", doors.second, "EWR")):
        sign_in(page, name)
        page.open(**year_of(station, "temperature"))
        assert page.driver.find_element(By.CSS_SELECTOR, ".user-menu summary").text == name
        jobs[name] = page.load()
        page.wait_until_drawn()
    assert {job.owner for job in jobs.values()} == set(jobs)
    for name, page, station, not_theirs in (("sari", doors.first, "JFK", "EWR"), ("budi", doors.second, "EWR", "JFK")):
        page.driver.get(f"{page.site.url}/jobs")
        page.wait_for_text("jobs-table", station)
        assert not_theirs not in page.text("jobs-table")
        other = next(job for owner, job in jobs.items() if owner != name)
        page.driver.get(f"{page.site.url}/api/jobs/{other.id}")
        assert "job_not_found" in page.driver.page_source
        page.driver.get(f"{page.site.url}/")
        found(page.driver, ".user-menu summary").click()
        found(page.driver, ".user-menu button").click()
        wait_until(lambda page=page: "You are signed out." in page.driver.page_source, "the end of the session", PATIENCE_S)
    assert {job.owner for job in doors.ledger.jobs()} == {"sari", "budi"}
